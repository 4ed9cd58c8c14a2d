"""The question for job runs to `sacct`.

What each option is for:
-a  all users; -X  one row an allocation, no steps; -D  every run of a requeued job, not only the newest;
-P  with a control character as delimiter, as -P escapes nothing; no free text (job names) is asked for;
-S and -E without -s  every run that was eligible before E and had not ended before S. A state filter would change what
    -S and -E mean, see sacct(1).
"""

from __future__ import annotations

from dataclasses import dataclass

from librarian.shared.scope import Scope

DELIMITER = "\x1f"

# sacct's field -> column of the jobs table. The cluster is checked and not kept: a table is of one cluster.
FIELDS = {
    "Cluster": "cluster",
    "DBIndex": "dbindex",
    "JobIDRaw": "jobid",
    "User": "user",
    "Account": "account",
    "QOS": "qos",
    "Partition": "partition",
    "State": "state",
    "Submit": "submit",
    "Eligible": "eligible",
    "Start": "start",
    "End": "end",
    "ElapsedRaw": "elapsed",
    "Suspended": "suspended",
    "AllocTRES": "alloc_tres",
    "JobID": "job",  # its place in a job array, see `slurm.job_ids`
    "ExitCode": "exit",
}
HEADER = DELIMITER.join(FIELDS)


@dataclass(frozen=True)
class Query:
    """Which runs: those of a scope between two UTC epochs; with `every_qos` those of other QoS too."""

    scope: Scope
    since: int
    until: int
    every_qos: bool = False


def arguments(query: Query) -> list[str]:
    """The arguments of sacct for `query`."""
    scope = query.scope
    filters = [f"--accounts={','.join(scope.accounts)}"] if scope.accounts else []
    filters += [f"--partition={','.join(scope.partitions)}"] if scope.partitions else []
    qos = [] if query.every_qos else [f"--qos={scope.qos}"]
    return [
        *("-a", "-X", "-D", "-P", "--noconvert", f"--delimiter={DELIMITER}"),
        *("-S", f"uts{query.since}", "-E", f"uts{query.until}", "-M", scope.cluster, *qos, *filters),
        *("-o", ",".join(FIELDS)),
    ]
