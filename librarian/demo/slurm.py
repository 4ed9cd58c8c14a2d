"""The demo's Slurm: answers the commands as Slurm does, from a list of runs, and refuses what it does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from librarian.demo import steps
from librarian.demo.group import LIMITS, RULES
from librarian.demo.runs import Run, as_of
from librarian.demo.tables import Rulebook, account_table, assoc_mgr, partition_lines, qos_table
from librarian.subjects.limits.accounts import arguments as account_arguments
from librarian.subjects.limits.associations import Association
from librarian.subjects.limits.partitions import ARGUMENTS as PARTITIONS
from librarian.subjects.limits.qos import ARGUMENTS as QOS
from librarian.system.processes import Answer

_NOT_YET, _NEVER = "Unknown", "None"


def _time(epoch: int | None, otherwise: str = _NOT_YET) -> str:
    return otherwise if epoch is None else str(epoch)


def _elapsed(run: Run, now: int) -> int:
    """Seconds that the run really ran: Slurm leaves the time out in which it was suspended."""
    return 0 if run.start is None else (now if run.end is None else run.end) - run.start - run.suspended


def _clock(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days}-{clock}" if days else clock


def _exit_code(run: Run) -> str:
    """What a script returned that failed differs from job to job; one that was killed for memory has a signal."""
    failed = f"{(1, 1, 2, 127)[run.jobid % 4]}:0"
    return {"FAILED": failed, "OUT_OF_MEMORY": "0:125", "NODE_FAIL": "1:0"}.get(run.state, "0:0")


OF_USE = (
    *("UserCPU", "SystemCPU", "TotalCPU", "NTasks", "MaxRSS", "TRESUsageInTot", "TRESUsageOutTot", "AdminComment"),
    "TimelimitRaw",
)
"""Fields that `steps` fills."""
_FIELDS: dict[str, Callable[[Run, int], object]] = {
    "DBIndex": lambda run, now: run.dbindex,
    "JobIDRaw": lambda run, now: run.jobid,
    "JobID": lambda run, now: run.job,
    "User": lambda run, now: run.user,
    "UID": lambda run, now: run.uid,
    "Account": lambda run, now: run.account,
    "QOS": lambda run, now: run.qos,
    "Partition": lambda run, now: run.partition,
    "State": lambda run, now: run.state,
    "Submit": lambda run, now: run.submit,
    "Eligible": lambda run, now: _time(run.eligible),
    "Start": lambda run, now: _time(run.start, _NOT_YET if run.end is None else _NEVER),
    "End": lambda run, now: _time(run.end),
    "ElapsedRaw": _elapsed,
    "Suspended": lambda run, now: _clock(run.suspended),
    "AllocTRES": lambda run, now: run.alloc_tres,
    "ReqTRES": lambda run, now: run.req_tres,
    "NNodes": lambda run, now: run.nodes,
    "ExitCode": lambda run, now: _exit_code(run),
}
# sacct without these would print the newest runs only, or another form; and without -X steps, which the demo has only
# of runs that are over
_NEEDED = ("-D", "-P", "--noconvert")
_SWITCHES = ("-a", "-X", *_NEEDED)
_WITH_VALUE = ("--state", "-S", "-E", "-M", "-o", "--qos", "--accounts", "--partition", "--delimiter")
_TRES = (
    *("cpu||1", "mem||2", "energy||3", "node||4", "billing||5", "fs|disk|6", "vmem||7", "pages||8"),
    *("gres|gpu|1001", "gres|gpu:a100|1002", "gres|gpu:b200|1003"),
)
_ASSOC_FORMAT = "format=cluster,account,user,qos,defaultqos"
_DBD_CONFIG = """\
Configuration data as of 2026-11-20T23:57:58
AccountingStorageType  = accounting_storage/slurmdbd
PrivateData            = none
SLURM_VERSION          = 24.11.5

SlurmDBD configuration:
MaxQueryTimeRange      = UNLIMITED
PrivateData            = {private}
SLURMDBD_VERSION       = 24.11.5
"""
_CONFIG = """\
Configuration data as of {now}
ClusterName             = {cluster}
PrivateData             = none
SLURM_VERSION           = 24.11.5
"""


class DemoSlurm:
    """A `librarian.system.processes.Runner` with `runs` behind it, as they stand at `now` (UTC epoch, may be set).

    `limits`: QoS name to the texts of GrpTRES and GrpJobs; these QoS exist, and `normal`. `rules` has all other limits.
    `user` asks, and has the
    `associations`. Not `tracked`: accounting knows of no GPUs. `private`: slurmdbd shows `user` only their own jobs.
    """

    def __init__(  # noqa: PLR0913
        self,
        runs: Sequence[Run],
        *,
        now: int,
        cluster: str = "demo",
        user: str = "bosullivan",
        limits: Mapping[str, tuple[str, str]] = LIMITS,
        rules: Rulebook = RULES,
        associations: Sequence[Association] | None = None,
        tracked: bool = True,
        private: bool = False,
    ) -> None:
        self.runs = runs
        self.now = now
        self._cluster = cluster
        self._user = user
        self._limits = {"normal": ("", ""), **limits}
        self._rules = rules
        self._associations = _association(cluster, limits) if associations is None else tuple(associations)
        self._tracked = tracked
        self._private = private

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        """Answer one command; one that is not known fails with status 1."""
        command, arguments = PurePosixPath(argv[0]).name, tuple(argv[1:])
        if command == "sacct" and arguments != ("--version",):
            return self._sacct(arguments, env)
        if command == "squeue":
            return self._squeue(arguments, env)
        if (command, *arguments[:3], *arguments[4:]) == ("sacctmgr", "-P", "show", "assoc", _ASSOC_FORMAT):
            return Answer(0, self._assoc(arguments[3]).encode(), "")
        if command == "scontrol" and arguments[:2] == ("show", "assoc_mgr"):
            return Answer(0, self._assoc_mgr(arguments[2:]).encode("utf-8", "surrogateescape"), "")
        tables = {
            f"sacctmgr {' '.join(QOS)}": self._qos,
            f"sacctmgr {' '.join(account_arguments(self._cluster))}": lambda: account_table(self._rules),
            f"scontrol {' '.join(PARTITIONS)}": lambda: partition_lines(self._rules),
            "sacctmgr -P show tres": self._tres,
            "sacctmgr -P show config": self._dbd_config,
            "sacctmgr -P show cluster format=cluster": lambda: f"Cluster\n{self._cluster}\n",
            "scontrol show config": self._config,
        }
        if arguments == ("--version",):
            return Answer(0, b"slurm-wlm 24.11.5\n", "")
        table = tables.get(" ".join((command, *arguments)))
        return _unknown(command, " ".join(arguments)) if table is None else Answer(0, table().encode(), "")

    def _qos(self) -> str:
        return qos_table({name: (self._shown(tres), jobs) for name, (tres, jobs) in self._limits.items()}, self._rules)

    def _assoc_mgr(self, words: Sequence[str]) -> str:
        asked = dict(word.partition("=")[::2] for word in words)
        names = [name for name in asked.get("qos", "").split(",") if name in self._limits and not self._private]
        accounts = [name for name in asked.get("account", "").split(",") if name in self._rules.accounts]
        return assoc_mgr(names, accounts, self.runs, self.now, self._rules)

    def _tres(self) -> str:
        rows = [row for row in _TRES if self._tracked or not row.startswith("gres|gpu")]
        return "\n".join(("Type|Name|ID", *rows, ""))

    def _dbd_config(self) -> str:
        return _DBD_CONFIG.format(private="jobs" if self._private else "none")

    def _config(self) -> str:
        return _CONFIG.format(cluster=self._cluster, now=self.now)

    def _assoc(self, whose: str) -> str:
        rows = (
            f"{entry.cluster}|{entry.account}|{self._user}|{','.join(entry.qos)}|{entry.default_qos}\n"
            for entry in self._associations
            if whose == f"user={self._user}"
        )
        return "Cluster|Account|User|QOS|Def QOS\n" + "".join(rows)

    def _shown(self, tres: str) -> str:
        """A TRES text as this cluster records it."""
        entries = tres.split(",")
        return tres if self._tracked else ",".join(entry for entry in entries if not entry.startswith("gres/gpu"))

    def _sacct(self, arguments: Sequence[str], env: Mapping[str, str]) -> Answer:
        try:
            options = _options(arguments)
            since, until = _epoch(options["-S"]), _epoch(options["-E"])
            fields = options["-o"].split(",")
            wanted = options["--qos"].split(",")
        except (KeyError, ValueError) as error:
            return _unknown("sacct", str(error))
        known = (*_FIELDS, "Cluster", *(OF_USE if "--state" in options else ()))
        strange = [name for name in fields if name not in known]
        if strange:
            return Answer(1, b"", f'sacct: error: Invalid field requested: "{strange[0]}"\n')
        if env.get("SLURM_TIME_FORMAT") != "%s":
            return _unknown("sacct", "times are told as epochs only, with SLURM_TIME_FORMAT=%s")
        bad = [name for name in wanted if name not in self._limits]
        if bad:
            return self._bad_qos(bad[0])
        table = self._table(options, fields, self._chosen(options, since, until))
        return Answer(0, table.encode("utf-8", "surrogateescape"), "")

    def _squeue(self, arguments: Sequence[str], env: Mapping[str, str]) -> Answer:
        from librarian.demo import queue  # needs pandas, which the other commands need not load

        try:
            if env.get("SLURM_TIME_FORMAT") != "%s":
                raise ValueError("times are told as epochs only, with SLURM_TIME_FORMAT=%s")
            question = queue.asked(arguments)
        except (KeyError, ValueError) as error:
            return _unknown("squeue", str(error))
        if question.cluster != self._cluster:
            return Answer(1, b"", f"squeue: error: No cluster '{question.cluster}' known by database.\n")
        limits = {name: tres for name, (tres, _) in self._limits.items()}
        text = queue.table(queue.as_seen(self.runs, self.now), limits, question, self.now)
        return Answer(0, f"CLUSTER: {self._cluster}\n{text}".encode("utf-8", "surrogateescape"), "")

    def _bad_qos(self, name: str) -> Answer:
        complaint = f"sacct: error: You gave a bad qos '{name}'. Valid QOS's are {','.join(self._limits)}"
        return Answer(1, b"", f"{complaint}\nsacct: fatal: problem processing qos list\n")

    def _chosen(self, options: Mapping[str, str], since: int, until: int) -> Iterator[Run]:
        """Runs that were eligible before `until` and had not ended before `since`, through all filters.

        A run without an eligible time is left out, as slurmdbd does when it is asked for a time range.
        """
        named = {option: set(options[option].split(",")) for option in _WITH_VALUE if option in options}
        accounts, partitions = named.get("--accounts"), named.get("--partition")
        alone = self._private or "-a" not in options
        if options.get("-M", self._cluster) != self._cluster:
            return
        for whole in self.runs:
            run = as_of(whole, self.now)
            if (
                run is not None
                and run.qos in named["--qos"]
                and (accounts is None or run.account in accounts)
                and (partitions is None or run.partition in partitions)
                and (not alone or run.user == self._user)
                and run.eligible is not None
                and run.eligible < until
                and (run.end is None or run.end >= since)
                and ("--state" not in options or (run.end is not None and run.end <= until))
            ):
                yield run

    def _table(self, options: Mapping[str, str], fields: Sequence[str], runs: Iterator[Run]) -> str:
        delimiter = options.get("--delimiter", "|")
        lines = [delimiter.join(fields)]
        for run in runs:
            more = steps.rows(run) if "--state" in options else ({},)
            lines += [delimiter.join(self._cell(name, run, cells) for name in fields) for cells in more]
        return "".join(f"{line}\n" for line in lines)

    def _cell(self, name: str, run: Run, more: Mapping[str, str]) -> str:
        if name == "Cluster":
            return self._cluster
        if name in more:
            return more[name]
        text = str(_FIELDS[name](run, self.now))
        return self._shown(text) if name.endswith("TRES") else text


def _association(cluster: str, limits: Mapping[str, object]) -> tuple[Association, ...]:
    """What the user has when nothing else is said: all QoS, through an account of the first one's name."""
    names = tuple(limits)
    return (Association(cluster, names[0], names, names[0]),) if names else ()


def _options(arguments: Sequence[str]) -> dict[str, str]:
    """sacct's options with their values ("" for a switch). Raises `ValueError` for one that is not known or missing."""
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name in _SWITCHES and not equals:
            options[name] = ""
        elif name in _WITH_VALUE and name.startswith("--") == bool(equals) and (equals or rest):
            options[name] = value if equals else rest.pop(0)
        else:
            raise ValueError(name)
    one_of = ("--state",) if "-X" not in options and "--state" in options else ("-X",)
    missing = [name for name in (*_NEEDED, *one_of, "-S", "-E", "-o", "--qos") if name not in options]
    if "-X" in options and "--state" in options:
        raise ValueError("--state with -X")
    if missing:
        raise ValueError(f"without {' '.join(missing)}")
    return options


def _epoch(text: str) -> int:
    if not text.startswith("uts"):
        raise ValueError(f"not an epoch: {text}")
    return int(text[3:])


def _unknown(command: str, what: str) -> Answer:
    return Answer(1, b"", f"{command}: unknown arguments: {what}\n")
