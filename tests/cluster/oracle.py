"""What the jobs used, as slurmdbd's own database tells it: the number that the program's must equal.

It is one query, with nothing of the program in it; 3.6e3 makes the quotients doubles, where 3600 would leave four
decimals. In hpg_job_table, `time_end` is 0 for a run that goes on, and
`time_suspended` is the seconds spent suspended, except while a run is suspended: then it is the time at which the
suspension began, less the seconds of those before it (Slurm's as_mysql_suspend() in as_mysql_job.c toggles it).
`tres_alloc` is like `1=2,2=1024,4=1,1001=3`; ids are those of tres_table: 1 cpu, 2 mem in MiB, 5 billing.
"""

from __future__ import annotations

from tests.cluster.client import Cluster

KEYS = ("NCPUS", "NGPUS", "MEMORY", "NJOBS", "BILLING")

QUERY = """
WITH held AS (
    SELECT q.name AS qos, a.user AS user,
        GREATEST(0, LEAST(IF(j.time_end = 0, {now}, j.time_end), {now}) - j.time_start
            - IF(j.time_end = 0 AND (j.state & 255) = 2, {now} - j.time_suspended, j.time_suspended)) AS seconds,
        REGEXP_SUBSTR(j.tres_alloc, '(?:^|,)1=\\\\K[0-9]+') + 0 AS cpus,
        REGEXP_SUBSTR(j.tres_alloc, '(?:^|,){gpu}=\\\\K[0-9]+') + 0 AS gpus,
        REGEXP_SUBSTR(j.tres_alloc, '(?:^|,)2=\\\\K[0-9]+') / 1024 AS gib,
        REGEXP_SUBSTR(j.tres_alloc, '(?:^|,)5=\\\\K[0-9]+') + 0 AS billing
    FROM hpg_job_table j JOIN hpg_assoc_table a ON a.id_assoc = j.id_assoc JOIN qos_table q ON q.id = j.id_qos
    WHERE j.time_start > 0 AND j.time_start < {now}
)
SELECT qos, user, SUM(seconds * cpus) / 3.6e3, SUM(seconds * gpus) / 3.6e3, SUM(seconds * gib) / 3.6e3,
    SUM(seconds) / 3.6e3, SUM(seconds * billing) / 3.6e3
FROM held GROUP BY qos, user HAVING SUM(seconds) > 0
"""

Hours = dict[str, dict[str, float]]


def hours(cluster: Cluster, now: int) -> dict[str, Hours]:
    """QoS -> user -> observable -> hours (CPU-hours, GPU-hours, GiB-hours, job-hours, billing-hours) until `now`."""
    gpu = cluster.sql("SELECT id FROM tres_table WHERE type = 'gres' AND name = 'gpu'")[0][0]
    found: dict[str, Hours] = {}
    for qos, user, *sums in cluster.sql(QUERY.format(now=int(now), gpu=gpu)):
        found.setdefault(qos, {})[user] = dict(zip(KEYS, map(float, sums), strict=True))
    return found


def gpu_hours(cluster: Cluster, now: int, qos: str, gpu: str) -> dict[str, float]:
    """User -> hours of GPUs of the type `gpu` until `now`; users who held none are left out."""
    query = QUERY.replace("'(?:^|,)5=", "'(?:^|,){typed}=")
    typed = cluster.sql(f"SELECT id FROM tres_table WHERE type = 'gres' AND name = 'gpu:{gpu}'")[0][0]
    rows = cluster.sql(query.format(now=int(now), gpu=0, typed=typed))
    return {user: float(last) for found, user, *_, last in rows if found == qos and float(last)}


# Slurm's `enum job_states` (slurm/slurm.h), and the flags that replace the state in what sacct shows.
STATES = {
    3: "COMPLETED",
    4: "CANCELLED",
    5: "FAILED",
    6: "TIMEOUT",
    7: "NODE_FAIL",
    8: "PREEMPTED",
    9: "BOOT_FAIL",
    10: "DEADLINE",
    11: "OUT_OF_MEMORY",
    1 << 10: "REQUEUED",
    1 << 13: "RESIZING",
}


def ended(cluster: Cluster, now: int) -> dict[str, dict[str, dict[str, int]]]:
    """QoS -> user -> state -> number of runs that had ended by `now`, those that never started among them.

    A job that was cancelled before it became eligible (held, or with a begin time) is left out, as sacct leaves it out
    of every query by time.
    """
    query = f"""SELECT q.name, a.user, j.state, COUNT(*)
        FROM hpg_job_table j JOIN hpg_assoc_table a ON a.id_assoc = j.id_assoc JOIN qos_table q ON q.id = j.id_qos
        WHERE j.time_end > 0 AND j.time_end <= {int(now)} AND j.time_eligible BETWEEN 1 AND j.time_end
        GROUP BY 1, 2, 3"""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for qos, user, state, count in cluster.sql(query):
        found.setdefault(qos, {}).setdefault(user, {})[STATES[int(state)]] = int(count)
    return found
