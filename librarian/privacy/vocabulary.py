"""The words of the program's own sentences, in files of the site.

A name of somebody that is also such a word ("now", "total") cannot be told from it in a sentence. The list is made from
the texts in the program's source by `python -m tests.unit.vocabulary`; a test holds the two together.
"""

VOCABULARY = frozenset(
    """
    A A-Za-z A-Za-z0-9 A-Za-z0-9+ A-Za-z0-9+.- A-Za-z0-9- A-Za-z0-9_ A-Za-z0-9_- A-Za-z0-9_. A-Za-z0-9_.+
    A-Za-z0-9_.+- A-Za-z0-9_.- AA0011 AA4499 AA5588 AABBFF ACCOUNT ACCOUNTING ADD ALL ALLOW_PROTOCOL ALTER AND
    ANYWHERE AS ASKPASS ATTACH AUTHOR Account AccountName AccountNotAllowed AccountingPolicy Accounts AdminComment
    All AllocTRES Allocated Allocations AllowQos Among An Another Any ArrayTaskThrottle ArrayTaskThrottle. As Ask
    Asked Asking Assoc Association AssociationJobLimit AssociationResourceLimit AssociationTimeLimit At
    Auto-Submitted AveCPU B B4552D BB BB55FF BB77FF BBBBBB BBCC33 BBD0E8 BEGIN BF BILLING BLOB BOOT_FAIL BY
    BadConstraints BatchMode BeginTime Below Besides Billing Bins BurstBufferOperation BurstBufferResources
    BurstBufferStageIn By C C.UTF-8 CA CC44DD CC55BB CC6677 CD CLEAN CLUSTER CNAME COLLATE COLUMN COLUMNS COMMIT
    COMMITTER COMPLETED COMPLETING CONFIGURING CONFIG_ CONFLICT CONTROLLER COUNT CPU CPU-hours CPU. CPU_IDs CPUs
    CPUs. CREATE CRITICAL CSV CSV. Cache-Control Cancel Cc Cf Change Cleaning ClearAllForwardings Cluster
    ClusterName Cn Co Completed ConnectTimeout Connection Constraints Content-Length Content-Type ControlMaster
    Correct CorruptStoreError Cpu CreationDate Creator Cross-Origin-Resource-Policy Cs Current D D777 DAEMONS DATA
    DAY DBIndex DD1122 DD2244 DDCC77 DDDDDD DEADLINE DEFAULT DELETE DELIMITER DESC DISPLAY DISTINCT DL DO DONE DROP
    Data Deadline DejaVu DelayBoot DenyQos Dependency DependencyNeverSatisfied Deploy Disk Do E0E0E0 EE2266 EE8866
    EE9900 ETag EXEC_PATH EXISTS Each Efficiency Either Elapsed ElapsedRaw Eligible EligibleTime End Energy Epochs
    Even Evidence ExitCode F F666 F6F1E4 FAILED FF3300 FF6699 FF9955 FFAABB FFCC66 FFCCAA FIELDS FROM Facts Failed
    FedJobLock Fetching Figure Find Findings Flags For Free From FrontEndDown G GCM_INTERACTIVE GIT_
    GIT_DEFAULT_HASH GIT_DEFAULT_REF_FORMAT GIT_SSH GIT_SSH_COMMAND GIT_TERMINAL_PROMPT GLOBAL GPU GPU-hours GPUs
    GPUs. GRES GROUP GROUPS GiB GiB-hours GitHub GitLab Ground Grp GrpJobs GrpSubmit GrpSubmitJobs GrpTRES H HEAD
    HEADER HOST HTTP HTTP_ HUP Half Heads Health Held Highest History Host Hours How IDX IGNORE IMMEDIATE IN INDEX
    INSERT INTEGER INTO IS IdentitiesOnly If If-None-Match In InactiveLimit Indexes InvalidAccount InvalidQOS It
    Item Its JOBID JOBS JOIN JS1 JSON JavaScript JavaScript. Job Job-hours JobArrayID JobArrayTaskLimit JobHeldAdmin
    JobHeldUser JobHoldMaxRequeue JobID JobIDRaw JobLaunchFailure JobName Jobs Json KEY KEY_ KMG KMGTP KMGTPE Kept
    Key KiB Kind Known LANGUAGE LC_ALL LIBRARIAN LIBRARIAN_GIT_PASSWORD LIBRARIAN_GIT_USER LICENSES LIKE LIMIT Last
    Let Librarian License Licenses Limit Limits Location Look M MAX MEMORY MIGRATIONS MIME-Version MIN Make Manager
    Many Map Mask Max MaxJobs MaxJobsPA MaxJobsPU MaxJobsPerAccount MaxJobsPerUser MaxMemPerLimit MaxPoweredUpNodes
    MaxQueryTimeRange MaxRSS MaxRequeue MaxSubmit MaxSubmitJobs MaxSubmitJobsPerAccount MaxSubmitJobsPerUser
    MaxSubmitPA MaxSubmitPU MaxTRES MaxTRESPA MaxTRESPU MaxTRESPerAccount MaxTRESPerUser MaxWall Median Mem Memory
    MiB MiB-seconds Min Minutes Month Months More Most N NAMELESS NAMES NCPUS NDGxMaJiEb NEAR NEVER NF NGPUS NJOBS
    NOCASE NODE_FAIL NONE NOSYSTEM NOT NR NTasks NULL NUMBERS Name Needed Never Next No Nobody Node NodeDown
    NodeList NodeName Nodes NonZeroExitCode None None. Not NotSatisfied Note Nothing OFF OK OLD ON OOM OR ORDER
    OUT_OF_MEMORY OWNER Of Old Oldest On One Other OutOfMemory OverPartQOS Overview P PARTITION PATH PENDING PIL
    PLACE PNG POST PR PRAGMA PRIMARY PROXY_COMMAND PROXY_SSL_ PUBLISHERS PYTZ_SKIPEXISTSCHECK Pages ParentName
    Partition PartitionConfig PartitionDown PartitionInactive PartitionName PartitionNodeLimit PartitionTimeLimit
    Pending Per Piece PowerNotAvail PowerReserved Preview Priority PriorityLong PrivateData Problems Producer Prolog
    Publish Publisher PurgeJobAfter QOS QOSJobLimit QOSNotAllowed QOSResourceLimit QOSTimeLimit QOSUsageThreshold
    QoS QoS. QosLimits Query RANGES REAL RECURSIVE RENAME REPLACE REPO REQUEUED REQUEUE_FED REQUEUE_HOLD RESERVATION
    RESIZING RESV_DEL_HOLD REVOKED RGB ROWID RQ RS RULES RUNAWAY RUNNING RaisedSignal Ran Reached Reading Reason
    Referrer-Policy Reject Relative Remote ReqNodeNotAvail ReqTRES Request Requested Reservation ReservationDeleted
    ReservationInvalid Resources Result Row Rules RunMins RunMinutes Running Runs S SELECT SET SIGNALING
    SLURM_BITSTR_LEN SLURM_TIME_FORMAT SMTP SPECIAL_EXIT SQUEUE_ SSH SSH_ASKPASS SSH_COMMAND SSH_VARIANT SSL_
    STAGE_OUT STALE START_TIME STEPS STOPPED STYLE SUBJECTS SUM SUSPENDED SYSTEM SZ Sans SchedDefer Seconds Seconds.
    See ServerAliveCountMax ServerAliveInterval Set Shapes Since Sink Slurm SlurmDBD SlurmError Slurms So Some Stage
    Start StartTime Started State States StorageType Store Store.known Subject Submit SubmitJobs SubmitTime
    Submitted Suspended SystemCPU SystemFailure T TABLE TEXT TEXTS TIMEOUT TIMES TO TRES TRES. TRESUsageInTot
    TRESUsageOutTot TZ Tell That The Their There They This Those Tidying TimeLimit TimelimitRaw Title To Too Total
    TotalCPU Totals Try U UA UNCHANGED UNION UNIQUE UNKNOWN UPDATE USERS UTC Unit-seconds Unknown Up Updated Usage
    Use Used User UserCPU UserName Users VACUUM VALUES VALUE_ Value WAITS WANTED WARNING WAYLAND_DISPLAY WF WHERE
    WHOLE WITH WITHOUT WORDS Wait Wait. Waiting Wall WallDuration Want Watched What Where Which Who Why Window
    Without Writing X-Content-Type-Options Y Y- Z Zl Zp a a-z_ a_day about above access account account.
    account_usage accounting accounting_storage accounts add address addresses administrator administrators admins
    advice advice. after again again. age ago agreed alert alert.json alike all all_know alloc_tres allocated
    allocated_hours allocation allocations allow allowed allows allows. alone alpha already always among amount
    amounts an anchor and anew another answer answered answers any any. anybody anything anything. application are
    area arguments array arrays as as_of ascii aside ask ask. ask_next asked asked. asking asks assoc assoc_mgr
    association associations async at at_least at_once attempt authentication auto-generated available available.
    average average. awk axes axes.axisbelow axes.edgecolor axes.labelcolor axes.linewidth axes.spines.right
    axes.spines.top axes.titley b back back. backfill backslashreplace bad badly base-uri base64 base64. basic batch
    batches batches. batchmode bb be been before began begin begin. begins begun being believed below beside best
    best_at between big billing billing-hours bimport bin bin_dir bin_seconds binds bins bins_of_subjects bits blob
    blocks bold bool boot_id booted booted. both bounds bounds. branch branches break broken budget buffer buffer.
    built burst busy but butt by by_day by_words byte bytes bytes_sent ca_file cache_size call called came can
    cancel cancelled cannot carried carry case cat cat-file category causes cd cdn cdn.jsdelivr.net cells cent
    center certificate change changed changes changes. characters charset charts check checking chmod choose circle
    class clauses cleaned clock close closed cluster cluster. clusters cname co2 co2_cpu_hour co2_gib_hour
    co2_gpu_hour co2_hour coalesce code coded codes collect collect_seconds collected colour colours column columns
    come comes coming command commands comment commit commit-tree committer common compare compete competes
    competing complains complete complete_at completed computing config configuration configured configured.
    confirmed connect connect-src connection const contact content continue contradicts controlmaster copied copies
    copy copy_tried core.fsmonitor core.hooksPath core.logAllRefUpdates core.sshCommand correct could count count.
    count_runaways counted counting counts counts. covered_from cp cpu cpu-low cpu_below cpu_hours cpu_ids
    cpu_seconds cpu_source cpus credential credential. css csv ctypes ctypes.CDLL cumulative currency current cut
    cut-off cycle cycle. cycles d d+ d- d. dT daemon daemon. daily damaged darwin dashboard data data_ date day
    day.begin day.scope day.until day_edges day_start day_usage days days_30 dbindex deadline deadline. decides
    declaration declares declined decode default default-src default_qos defaultqos define delete deleted deleted.
    deliveries demand denied dependency deploy details dev df did digest digests digests.md directory dirname
    disconnect disk distribution divides do docs docs.github.com doctor doctor. doctype document does does. done
    doubted down down. drained drawing drawn drawn_from dropped duration e each earlier earlier. early echo ed25519
    edgecolor edges edition efficiency elapsed elapsed_seconds electrical element elif eligible else elsewhere empty
    empty_jobs enabled encoded end end. ended ends energy enforced enough enough. entry entry.js env eof epoch
    epochs error esac estimate even evenly evenly. ever every every.scope every_qos everybody everybody. everywhere
    evidence evidence. exceeded exceeds exchange excluded.allocated excluded.cpus excluded.error excluded.gpus
    excluded.jobs excluded.measured excluded.memory excluded.samples excluded.trouble excluded.used exec exist
    exists exit exit_code expects export extends extern f facecolor fact facts failed failed. failing_since fails
    fails. failure failures failures_in_a_row false family far fared faster fatal federation fetch
    fetch.recurseSubmodules fetch.unpackLimit fetch.writeCommitGraph fetched fewer fi fields fields. figures file
    file_mode file_name files filled filters final find findings finds fine fingerprint finished first first. fit
    fit. fits fits. five flags fleeting float64 folder folder_mode folders font.family font.size fontsize foot for
    for. force force-push forgotten fork form form-action format found frameon free freelist_count fresh from front
    fs fsck ftps full full. full_at full_key function g gap gathered gathers gave gc.auto generated generated_at
    generator get getattr gh-pages gib git git@github.com github-pages github.com github_pages_key given gives
    globalThis.librarianJobs globalThis.librarianReports go go. goes goes_on going gone gone. good gpu gpu-idle
    gpu-low gpu_below gpu_hours gpu_ids gpu_memory gpu_memory_gib gpu_percent gpu_source gpu_types gpu_used_memory
    gpu_utilization gpumem gpus gpus_tracked gpus_untracked gpuutil gres group groups grp gzip h had half hand has
    has_others hash-object hatch hatched have have. head header heading headroom heads hears held held. here here.
    hidden hidden. hide hides histories history hit hold holders holding holds home homepage hook host hour
    hour.begin hour.scope hour.until hourly hours housekeeping how html http http-equiv https hung i iB id identity
    idle if ignore image img-src import imports in in_state index index.html index.html.j2 index.json info init
    inside install installed int int64 integer integrals integrity integrity_check interactive interval
    interval_seconds into ints is is_least isoformat it it. items its itself javascript job job-hours job.
    job.dbindex job.html.j2 job.user job_by_end job_day job_table jobid jobs jobs. jobs_.+_ jobstats joined joining
    journal_mode jpeg json judged judged. just k kB keep keep_copy keeps kept kernel kex_exchange_identification key
    key. keys killed killed. kind kind_size kmzZ0sprpPWwjhor9ZI4lxuf47i9DXK2 know known known. known_from
    known_seconds known_to knows l label labels large larger largest largest_gib last last. last_success last_try
    last_updated last_updated_epoch lasts late later latest launch launched launched. lead leads least leave left
    left-out left_out length less less. let lets level librarian librarian- librarian-serve librarian-serve-
    librarian.toml librarian@localhost library license licenses lie life like limit limit. limit_change
    limit_change_of_scopes limit_seconds limited limits limits.policy limits_of line line. lines linewidth link list
    listed little live load loads local_date localhost lock log login logo long long. longer longest longest_query
    longest_seconds look looked looking looks lost low low. lower ls ls-remote ls-tree m m- machine made mail mailed
    mailx main main. main.fact mains maintenance maintenance.auto makes many many_rejects map mapping mark marker
    markeredgecolor markeredgewidth markersize matplotlib max max_rss may may. mean mean_of_a_day means measured
    measured. measured_hours measures media.css median median_wait mem members memory memory-low memory.
    memory_below memory_gib memory_jobs memory_source message meta metadata min min_gib_hours min_gpu_hours
    min_hours min_interval_seconds min_memory_gib min_minutes minor minutes miss missing missing. mistakes miter
    mkdir mktree mode model module modules moment moment. monospace mont month month. month_ended month_usage months
    months. months.html.j2 more more. most move ms much multiplied must mv n name named names narrowed nc ncol near
    needed needs negotiate neighbours network never new newer newest newest_first next next_expected next_start
    nice_names no no-answer no-cache no-referrer no-such-name nobody node node_modules nodes nodes. non-fast-forward
    none none. nonsense normal nosniff not not-believed not-computed not-drawn not-understood note notes nothing
    nothing-yet noun now now. now_total nowhere np.integer npassword npm npt.NDArray ns null number numbers object
    objects observable observables octet-stream odd of off offending offset often ok old older older_key
    older_key_of older_rule_to oldest on on. once once. one one. one_task ones ones. only open open.html open_ones
    open_store opened opened. operation option options or order ordinary os os.fsencode other other. other.dbindex
    others others. ours out out-of-memory out. out_of_memory outcomes over overrides overview own own. owner owners
    owns p p90 pace paces pack.threads package_data packed pad page page.css page.js page_count page_size pages
    parent parse part partial partition partition. partition_qos partitions partly parts password past pasts path
    patience pausable pause paused pauses pdf peak peak_at peaks pending pending. per percent percentages permission
    permissions person picture pictured pictures pid pieces pipe place placed places plain plain.css plain.html
    plain.html.j2 plotly plotly- plotly-basic plotly-basic- plotly-basic.min.js plotly.js plotly.js-basic-dist-min
    plotly.min.js png points policy port possible power powered preempted prepared pressed pressure price
    price_cpu_hour price_gib_hour price_gpu_hour prices print printf priority privacy private private_data problems
    proc process processes program projected prolog protected protocol protocol.ext.allow prune pseudonym publish
    published publisher publishers publishing push push.followTags push.gpgSign push.recurseSubmodules pushed put
    puts pyproject.toml python3 qos query query_by_scope questions queue queue_look quick_check quota r r+b raise
    raised ran random range ranges rb reached read read. reader readers reading real reason reasons
    receive.denyNonFastForwards record recorded records ref refresh refresh_seconds refs refused reject rejected
    rejects relative release release. released released. remarks remote rename renameat2 render rendering renewed
    renewed. replace replaced replaces report reporting repository request request_version requested requeued
    required rescue reservation reserved reserved. reset resolution resolve resource resource. resources rest result
    retired retries retrieval return returned rev-parse right rising rm rmdir ro rollup room room. root route row
    rows rpc rsync rule ruled rules run run. run_use run_use. run_use.who run_use_by_end runaways runner running
    running. runs runs. runs_at_once runs_from s s+version sacct sacctmgr safe same same-origin sample sampled
    samples save says sched_getaffinity scheduler schema schema_version scontrol scope scopes scratch screen script
    script-src scrontab-.+ second seconds seconds. seconds_known seconds_near sections security sed see seen seen.
    sees seldom self sender sending sendmail sent sentences serial served server service set set_aside sets setting
    settings settled setup several sftp sh sha1 sha256 sha256- sha384-N2HZsG+IG shaded shaded. shallow shape shapes
    share shared shared.resources shares short short_seconds shorter should show shown shows shrink sides sign
    signal signature signed silent since single site size sizes skipped slot slots slow slug slurm slurm-librarian
    slurmctld slurmdbd small smaller so some somebody something soon soon. source sources space spans spare spare.
    speak special spent spread sql sqlite_ sqlite_master squeue sreport ssh ssh-keygen sstat stable stage stages
    stale staleness stand stands start start. start_ start_epoch started started. starting starts starttls stat
    state states status status.json stay stays stays. stderr stdout step steps still stopped stops store store.
    store.sqlite_master store.user_version stored streaks strict stricthostkeychecking string stuck style style-src
    style.css subject subjects submit submitjob submitjobs submitted such sum sum. summed sums sums. sure
    surrogateescape surrogatepass suspended suspended. svg+xml sys sys.argv sys.exit system system_cpu t table
    table_info tables take take_in taken taken. takes tallied tally target task tasks tell tell. tellers tells
    tells. templates temporary ten test text text.color than that that. the their theirs them them. theme_boot.js
    themselves then then. there there. these they this those though threshold thresholds through tidied tier time
    time-low time-out time. time_below time_idxs time_resolution_seconds timed timed_out timeout timeout_seconds
    times times. timings timings.jsonl.gz title tls tmp to today todo together token told too too-slow too-wide too.
    took tool top top_users total total_cpu total_time totals tracked trail transfer.unpackLimit trap tree trend
    tres tres-alloc tries trouble troubles true trusted try tuple turn two type typeof u uint64 unable unchanged
    unconfirmed under under_way understood undrawn unexpected unexpectedly unfinished unit unit-seconds units
    unknown unless unpacked unreachable unset unsettled unsigned until untold untracked unused unused. up up. update
    update-ref update. updated upgrade upper url us usage usage_ use use. use_sum use_tally use_who used used.
    used_hours used_in used_memory used_out user user. user_cpu user_version username users utf-8 uts v valid valid.
    value values var vendor verification verified verified.json verify_message version visible vmem w w+ w+_ w. w.-
    w.id w.user wait waited waited_seconds waiting waiting. waits waits. wall wallduration walltime want wanted
    wants was watchdog watched watched_since way wb webp week weeks weight well went were what when where whether
    which while while. white who whoever whole whom whose why wide will window window. window_until with within
    without word words work worked works worst would writable write written wrote x xb xtick.color xtick.labelcolor
    y year years yes yet yet. you your yours ytick.color ytick.labelcolor zone
    """.split()  # noqa: SIM905 (as a list of literals it would be a thousand lines)
)
