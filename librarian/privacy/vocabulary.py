"""The words of the program's own sentences, in files of the site.

A name of somebody that is also such a word ("now", "total") cannot be told from it in a sentence. The list is made from
the texts in the program's source by `python -m tests.unit.vocabulary`; a test holds the two together.
"""

VOCABULARY = frozenset(
    """
    A A-Za-z A-Za-z0-9 A-Za-z0-9+ A-Za-z0-9+.- A-Za-z0-9- A-Za-z0-9_ A-Za-z0-9_- A-Za-z0-9_. A-Za-z0-9_.+
    A-Za-z0-9_.+- A-Za-z0-9_.- AA4499 ACCOUNT ALL ALLOW_PROTOCOL ALTER AND ANYWHERE AS ASKPASS AUTHOR Account
    AccountName AccountNotAllowed AccountingPolicy Accounts All AllocTRES AllowQos An Another Any ArrayTaskThrottle
    ArrayTaskThrottle. Ask Assoc Association AssociationJobLimit AssociationResourceLimit AssociationTimeLimit At
    Auto-Submitted B BB BBBBBB BBCC33 BEGIN BILLING BLOB BOOT_FAIL BY BadConstraints BatchMode BeginTime Besides
    Billing BurstBufferOperation BurstBufferResources BurstBufferStageIn By C C.UTF-8 CC6677 CLUSTER CNAME COLLATE
    COMMITTER CONFIG_ CONFLICT COUNT CPU CPU-hours CPUs CREATE CRITICAL Cancel Cc Cf Change Cleaning
    ClearAllForwardings Cluster ClusterName Cn Co ConnectTimeout Constraints Content-Type ControlMaster Correct
    CorruptStoreError Cpu CreationDate Creator Cs Current D D777 DBIndex DDCC77 DDDDDD DEADLINE DELETE DESC DISPLAY
    DISTINCT DO DONE DROP Deadline DejaVu DelayBoot DenyQos Dependency DependencyNeverSatisfied Deploy E0E0E0 EE8866
    EXEC_PATH Either ElapsedRaw Eligible EligibleTime End Energy Even F666 F6F1E4 FAILED FFAABB FROM Failed
    FedJobLock Fetching Figure Find Flags For Free From FrontEndDown G GCM_INTERACTIVE GIT_ GIT_DEFAULT_HASH
    GIT_DEFAULT_REF_FORMAT GIT_SSH GIT_SSH_COMMAND GIT_TERMINAL_PROMPT GLOBAL GPU GPU-hours GPUs GRES GROUP GROUPS
    GiB GiB-hours GitHub Grp GrpJobs GrpSubmit GrpSubmitJobs GrpTRES H HEAD HTTP_ HUP Half Health Held Highest
    History Hours How IGNORE IMMEDIATE IN INDEX INSERT INTEGER INTO IS IdentitiesOnly If In InactiveLimit
    InvalidAccount InvalidQOS It Its JOBID JOBS JSON Job Job-hours JobArrayID JobArrayTaskLimit JobHeldAdmin
    JobHeldUser JobHoldMaxRequeue JobIDRaw JobLaunchFailure JobName Jobs KEY KEY_ KMG KMGTPE Key KiB Kind LANGUAGE
    LC_ALL LIBRARIAN LIBRARIAN_GIT_PASSWORD LIBRARIAN_GIT_USER LICENSES LIMIT Let Librarian License Licenses Limit
    Limits Look M MAX MEMORY MIGRATIONS MIME-Version MIN Make Manager Max MaxJobs MaxJobsPA MaxJobsPU
    MaxJobsPerAccount MaxJobsPerUser MaxMemPerLimit MaxPoweredUpNodes MaxQueryTimeRange MaxRequeue MaxSubmit
    MaxSubmitJobs MaxSubmitJobsPerAccount MaxSubmitJobsPerUser MaxSubmitPA MaxSubmitPU MaxTRES MaxTRESPA MaxTRESPU
    MaxTRESPerAccount MaxTRESPerUser MaxWall Mem Memory MiB Min Minutes Month Months Most N NAMES NCPUS NDGxMaJiEb
    NGPUS NJOBS NOCASE NODE_FAIL NONE NOSYSTEM NOT NR NULL Name Next No Nobody Node NodeDown NodeName Nodes
    NonZeroExitCode None Not NotSatisfied Nothing OK OLD ON OR ORDER OUT_OF_MEMORY OWNER Of Old Oldest On One Other
    OutOfMemory OverPartQOS Overview P PARTITION PATH PENDING PIL PNG PRAGMA PRIMARY PROXY_COMMAND PROXY_SSL_
    PUBLISHERS PYTZ_SKIPEXISTSCHECK Pages ParentName Partition PartitionConfig PartitionDown PartitionInactive
    PartitionName PartitionNodeLimit PartitionTimeLimit Per Piece PowerNotAvail PowerReserved Priority PriorityLong
    PrivateData Producer Prolog Publish Publisher PurgeJobAfter QOS QOSJobLimit QOSNotAllowed QOSResourceLimit
    QOSTimeLimit QOSUsageThreshold QoS QoS. QosLimits Queue RANGES REAL RECURSIVE RENAME REPLACE REPO RESERVATION
    RESIZING RGB ROWID RUNNING RaisedSignal Reason Remote ReqNodeNotAvail Reservation ReservationDeleted
    ReservationInvalid Resources Result Row RunMins RunMinutes Running Runs SELECT SET SLURM_BITSTR_LEN
    SLURM_TIME_FORMAT SQUEUE_ SSH SSH_ASKPASS SSH_COMMAND SSH_VARIANT SSL_ STALE STEPS STYLE SUBJECTS SUM SUSPENDED
    SYSTEM SZ Sans SchedDefer See ServerAliveCountMax ServerAliveInterval Set Since Slurm SlurmDBD Some Stage Start
    StartTime State StorageType Store Subject Submit SubmitJobs SubmitTime Submitted Suspended SystemFailure T TABLE
    TEXT TIMEOUT TO TRES TRES. TZ Tell The There This Those TimeLimit To Too Total Totals U UA UNCHANGED UNION
    UNIQUE UNKNOWN UPDATE USERS UTC Unknown Up Updated Usage Use User UserName Users VACUUM VALUES VALUE_ Value
    WAITS WANTED WARNING WAYLAND_DISPLAY WF WHERE WITH WITHOUT Wait Wait. Waiting Wall WallDuration Want What Where
    Who Whose Why Without Writing Y Y- Z Zl Zp a about above access account account. account_usage accounting
    accounting_storage accounts add address addresses administrator admins after again again. age ago alert
    alert.json all all_know alloc_tres allocation allocations allow allowed allows allows. alone alpha already also
    always among amount amounts an anchor and anew another answer answered answers any anybody anything anything.
    are area array as as_of ascii aside ask asked asking asks assoc assoc_mgr association associations async at
    attempt authentication auto-generated available available. average awk axes axes.axisbelow axes.edgecolor
    axes.labelcolor axes.linewidth axes.spines.right axes.spines.top axes.titley b back back. backfill
    backslashreplace base-uri base64 basic batchmode bb be before began begin begin. begins being below beside best
    best_at between big billing billing-hours bimport bin bin_dir bin_seconds binds bins bins_of_subjects bits blob
    bold boot_id booted booted. both branch branches broken budget buffer buffer. built burst busy but butt by
    by_day bytes bytes_sent cache_size call came can cancel cannot carry case cat cat-file category causes cd cdn
    cdn.jsdelivr.net cells center change changed changes charset charts check choose circle class clauses cleaned
    closed cluster cluster. clusters cname code collect collected colour colours columns come comes coming command
    comment commit commit-tree committer common compare compete competes competing complete complete_at computing
    config configuration connect connect-src connection const contact content controlmaster copied copy
    core.fsmonitor core.hooksPath core.logAllRefUpdates core.sshCommand correct could count counted counting counts
    counts. covered_from cpu cpus credential credential. csv ctypes ctypes.CDLL cumulative current cut d d+ d. dT
    daily damaged darwin dashboard data data_ date day day_usage days dbindex deadline deadline. decides declaration
    declares declined default default-src default_qos defaultqos define delete demand denied dependency deploy
    details dev df did directory dirname disconnect disk divides do docs.github.com doctor doctor. document does
    done down down. drained drawing drawn drawn_from dropped duration each early echo ed25519 edgecolor edges
    edition elapsed electrical element elif eligible else elsewhere empty end end. ended ends energy enough entry
    entry.js env eof error esac estimate even evenly ever every every.scope everybody everybody. exceeded exceeds
    exchange excluded.cpus excluded.error excluded.gpus excluded.jobs excluded.memory excluded.samples exec exist
    exit expects export extends f facecolor fact facts failed failed. failing_since fails fails. failure failures
    false family far faster fatal federation fetch fetch.recurseSubmodules fetch.unpackLimit fetch.writeCommitGraph
    fetched fewer fi fields figures file file_mode file_name files filled final fingerprint finished first first.
    fit fit. five flags fleeting float64 folder folder_mode folders font.family font.size foot for for. fork form
    form-action format found four free freelist_count fresh from front fs fsck ftps full full. full_at full_key
    function g gap gave gc.auto generated generated_at generator get getattr gh-pages git git@github.com
    github-pages github.com github_pages_key given gives go go. goes going gone gone. gpu gpu_types gpumem gpus
    gpus_tracked gpus_untracked gres group groups grp h had hand has hash-object have have. head header heading
    heads held held. here here. hidden hide hides histories history hit hold holders holding holds hook host hour
    hourly hours housekeeping how http https hung i iB id identity idle if ignore image img-src import imports in
    index index.html index.html.j2 index.json info init install installed int int64 integrals integrity
    integrity_check interval interval_seconds into is it it. items its itself job job-hours job. job_by_end jobid
    jobs jobs. joining just k keeps kept kernel kex_exchange_identification key keys kind kind_size
    kmzZ0sprpPWwjhor9ZI4lxuf47i9DXK2 know known known. known_from known_seconds known_to knows l label labels last
    last. last_success last_try last_updated last_updated_epoch late later launch launched launched. lead leads
    least leave left less less. let lets level lib librarian librarian- librarian@localhost library license licenses
    lie like limit limit. limit_change limit_change_of_scopes limited limits limits_of line lines link list live
    loads lock long long. longer longest longest_query look looked looking looks ls ls-remote ls-tree m m- machine
    made mail mailed mailx maintenance maintenance.auto makes many map mapping mark marker markeredgecolor
    markeredgewidth markersize matplotlib max may may. mean means measured median mem memory memory. message
    metadata min min_interval_seconds minor minutes missing missing. miter mkdir mktree mode module modules moment
    moment. mont month month. month_ended month_usage months months.html.j2 more more. most move much multiplied
    must mv n name names nc near needed needs neighbours network never new newer next next_expected next_start
    nice_names no nobody node node_modules nodes none normal not note notes nothing noun now now. now_total
    npassword npm ns null number numbers object objects observable observables of off offset often ok old older_key
    older_key_of oldest on on. once one one. only open open_store opened operation options or order ordinary os
    os.fsencode other others others. ours out out. outcomes over overrides overview own owner owners owns p p90 pace
    paces pack.threads package_data packed pad page page_count page_size pages parent part partial partition
    partition. partitions parts password past path patience pause paused pdf peak peak_at peaks pending per
    permission person pictured pictures pid pipe place plain plain.css plain.html plain.html.j2 plotly plotly-
    plotly-basic plotly-basic- plotly-basic.min.js plotly.js plotly.js-basic-dist-min plotly.min.js png points
    policy port possible power powered prepared pressed pressure print printf priority privacy private_data problems
    proc process processes projected prolog protected protocol protocol.ext.allow prune pseudonym publish published
    publisher publishers publishing push push.followTags push.gpgSign push.recurseSubmodules pushed put puts
    pyproject.toml python3 qos query query_by_scope questions queue queue_look quick_check quota r+b raise ran
    random range ranges rb reached read read. reader reason reasons record ref refresh_seconds refs refused reject
    rejected rejects release release. released remarks remote rename renameat2 render rendering renewed renewed.
    replace replaced replaces report reporting repository requeued required reservation reserved reserved. reset
    resolution resolve resource resources rest result retired retries retrieval return returned rev-parse right
    rising rm rmdir ro rollup room room. root route row rows rpc rsync ruled rules run run. runner running runs
    runs. runs_from s s+version sacct sacctmgr same sampled samples says sbin sched_getaffinity scheduler schema
    schema_version scontrol scope scratch script script-src seconds seconds. seconds_known seconds_near sections sed
    see seen seen. sees seldom self sendmail sent sentences served server service set set_aside sets setting
    settings setup sftp sh sha1 sha256 sha256- sha384-N2HZsG+IG shallow shape share shared shares short shorter show
    shown shows shrink signal signed silent since site six size sizes skipped slot slow slug slurm slurm-librarian
    slurmdbd smaller so some somebody something soon soon. source space spans speak spread sqlite_master squeue ssh
    ssh-keygen stable stage stages stale staleness stand start start. start_ start_epoch started starts stat state
    states status status.json stays stays. stderr stdout still stopped stops store stored strict
    stricthostkeychecking string style style-src style.css subject subjects submit submitjob submitjobs submitted
    such sum summed sums surrogateescape surrogatepass suspended suspended. sys sys.argv sys.exit t table tables
    take take_in taken taken. tally target task tasks tell tell. tells templates temporary test text text.color than
    that that. the their them them. theme_boot.js then then. there they this those three thresholds tidied tier time
    time. time_idxs time_resolution_seconds timed timeout timeout_seconds times times. title tmp to todo together
    token told too too. took tool top top_users total totals tracked trail transfer.unpackLimit trap tree trend tres
    tres-alloc tries try tuple turn two type u uint64 unable unchanged under understood unexpected unexpectedly
    unfinished unit units unknown unreachable unset unsettled unsigned until untold untracked up up. update
    update-ref update. updated upgrade upper url us usage usage_ use use. used user user. user_version username
    users usr utf-8 uts valid valid. value values var vendor verification version visible vmem w w+ w. w.- wait
    waited waiting waits waits. wall wallduration walltime want wanted wants was watched watched_since way wb weight
    well went were what when where whether which while while. white who whoever whole whom why wide will window
    window. with within without word words work worked works would writable write written wrote x xb xtick.color
    xtick.labelcolor y year years yes yet yet. you your ytick.color ytick.labelcolor zone
    """.split()  # noqa: SIM905 (as a list of literals it would be a thousand lines)
)
