"""What the jobs used, as slurmdbd's own database tells it: the number that the program's must equal.

It is one query, with nothing of the program in it; 3.6e3 makes the quotients doubles, where 3600 would leave four
decimals. In hpg_job_table, `time_end` is 0 for a run that goes on, and
`time_suspended` is the seconds spent suspended, except while a run is suspended: then it is the time at which the
suspension began, less the seconds of those before it (Slurm's as_mysql_suspend() in as_mysql_job.c toggles it).
The row of a resized job has the start of the whole job in 22.05, and the time of the resize as its submission.
`tres_alloc` is like `1=2,2=1024,4=1,1001=3`; ids are those of tres_table: 1 cpu, 2 mem in MiB, 5 billing.
"""

from __future__ import annotations

from tests.cluster.client import Cluster

KEYS = ("NCPUS", "NGPUS", "MEMORY", "NJOBS", "BILLING")

QUERY = """
WITH run AS (
    SELECT q.name AS qos, a.{by} AS user, j.tres_alloc AS tres,
        GREATEST(j.time_start, j.time_submit) AS start,
        LEAST(IF(j.time_end = 0, {now}, j.time_end), {now}) AS stop,
        IF(j.time_end = 0 AND (j.state & 255) = 2, {now} - j.time_suspended, j.time_suspended) AS suspended
    FROM hpg_job_table j JOIN hpg_assoc_table a ON a.id_assoc = j.id_assoc JOIN qos_table q ON q.id = j.id_qos
    WHERE j.time_start > 0 AND j.time_start < {now}
), held AS (
    SELECT qos, user,
        GREATEST(0, CAST(LEAST(stop, {end}) AS SIGNED) - CAST(GREATEST(start, {begin}) AS SIGNED)) AS seconds,
        (1 - LEAST(1, suspended / 1e0 / GREATEST(1, CAST(stop AS SIGNED) - CAST(start AS SIGNED)))) AS running,
        REGEXP_SUBSTR(tres, '(?:^|,)1=\\\\K[0-9]+') + 0 AS cpus,
        REGEXP_SUBSTR(tres, '(?:^|,){gpu}=\\\\K[0-9]+') + 0 AS gpus,
        REGEXP_SUBSTR(tres, '(?:^|,)2=\\\\K[0-9]+') / 1024 AS gib,
        REGEXP_SUBSTR(tres, '(?:^|,)5=\\\\K[0-9]+') + 0 AS billing
    FROM run
)
SELECT qos, user, SUM(seconds * running * cpus) / 3.6e3, SUM(seconds * gpus) / 3.6e3, SUM(seconds * gib) / 3.6e3,
    SUM(seconds) / 3.6e3, SUM(seconds * billing) / 3.6e3
FROM held GROUP BY qos, user HAVING SUM(seconds) > 0
"""

Hours = dict[str, dict[str, float]]


def hours(cluster: Cluster, now: int, begin: int = 0, end: int | None = None, by: str = "user") -> dict[str, Hours]:
    """QoS -> user -> observable -> hours (CPU-hours, GPU-hours, GiB-hours, job-hours, billing-hours) until `now`.

    Only what lies in [begin, end) counts. A pause stops a job's CPUs alone, and is spread evenly over its run. With
    `by` as "acct" it is by account in the place of user.
    """
    found: dict[str, Hours] = {}
    for qos, user, *sums in cluster.sql(_query(cluster, now, begin, end, by=by)):
        found.setdefault(qos, {})[user] = dict(zip(KEYS, map(float, sums), strict=True))
    return found


def _query(cluster: Cluster, now: int, begin: int, end: int | None, gpu: str = "gpu", by: str = "user") -> str:
    tres = cluster.sql(f"SELECT id FROM tres_table WHERE type = 'gres' AND name = '{gpu}'")[0][0]
    return QUERY.format(now=int(now), begin=int(begin), end=int(now if end is None else end), gpu=tres, by=by)


def gpu_hours(cluster: Cluster, now: int, qos: str, gpu: str) -> dict[str, float]:
    """User -> hours of GPUs of the type `gpu` until `now`; users who held none are left out."""
    query = _query(cluster, now, 0, None, f"gpu:{gpu}")
    return {user: float(sums[1]) for found, user, *sums in cluster.sql(query) if found == qos and float(sums[1])}


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


def ended(cluster: Cluster, now: int, begin: int = 1, by: str = "user") -> dict[str, dict[str, dict[str, int]]]:
    """QoS -> user -> state -> number of runs that ended from `begin` to `now`, those that never started among them.

    A job that was cancelled before it became eligible (held, or with a begin time) is left out, as sacct leaves it out
    of every query by time.
    """
    query = f"""SELECT q.name, a.{by}, j.state, COUNT(*)
        FROM hpg_job_table j JOIN hpg_assoc_table a ON a.id_assoc = j.id_assoc JOIN qos_table q ON q.id = j.id_qos
        WHERE j.time_end >= {int(begin)} AND j.time_end <= {int(now)} AND j.time_eligible BETWEEN 1 AND j.time_end
        GROUP BY 1, 2, 3"""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for qos, user, state, count in cluster.sql(query):
        found.setdefault(qos, {}).setdefault(user, {})[STATES[int(state)]] = int(count)
    return found
