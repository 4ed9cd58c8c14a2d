"""Job runs by the hundred thousand, put straight into slurmdbd's job table: what a busy site has after a while.

They end in the past, at times and with sizes that follow from their number alone, so every load is the same.
"""

from __future__ import annotations

from tests.cluster.client import Cluster

FIRST_JOB = 50_000_000  # ids that no job of the tests reaches
_FIELDS = (
    "deleted, account, cpus_req, job_name, id_assoc, id_array_job, id_job, id_qos, id_resv, id_wckey, id_user, "
    "id_group, het_job_id, het_job_offset, state_reason_prev, nodelist, nodes_alloc, `partition`, priority, state, "
    "timelimit, time_submit, time_eligible, time_start, time_end, tres_alloc, tres_req"
)
_ROWS = """INSERT INTO hpg_job_table ({fields})
SELECT 0, acct, cpus, 'load', id_assoc, 0, {first} + seq, {qos}, 0, 0, 5001, 5001,
    0, 4294967294, 0, 'c05', 1, 'cpu', 1, state, 600,
    begin - 60, begin - 60, begin, begin + length,
    CONCAT('1=', cpus, ',2=', cpus * 4096, ',4=1,5=', cpus), CONCAT('1=', cpus, ',2=', cpus * 4096, ',4=1,5=', cpus)
FROM (
    SELECT seq, 1 << (seq * 7919 % 7) AS cpus, IF(seq % 9, 3, 5) AS state,
        {end} - 1 - length - seq * 104729 % ({end} - {begin} - 14400) AS begin, length,
        seq % {users} AS place
    FROM (SELECT seq, 30 + seq * 15485863 % 14000 AS length FROM seq_1_to_{runs}) AS s
) AS made
JOIN (SELECT id_assoc, acct, ROW_NUMBER() OVER (ORDER BY user) - 1 AS place FROM hpg_assoc_table
    WHERE acct = 'avery' AND user <> '') AS a USING (place)"""


_STEPS = """INSERT INTO hpg_step_table (job_db_inx, id_step, nodelist, nodes_alloc, state, step_name, task_cnt,
    time_start, time_end, tres_alloc, tres_usage_in_max, tres_usage_in_tot)
SELECT job_db_inx, {number}, nodelist, nodes_alloc, state, '{name}', 1, time_start, time_end, tres_alloc,
    '1=60000,2=1073741824,6=1048576', '1=60000,2=1073741824,6=1048576'
FROM hpg_job_table WHERE id_job >= {first}"""
_STEP_NUMBERS = {"batch": -5, "extern": -4}  # slurm.h: SLURM_BATCH_SCRIPT and SLURM_EXTERN_CONT, as slurmdbd keeps them


def fill(cluster: Cluster, runs: int, begin: int, end: int, qos: str = "avery", first: int = FIRST_JOB) -> None:
    """Add `runs` ended runs of `qos` between two UTC epochs, of the users of account avery in turn.

    The ids of the jobs follow `first`; those of two loads must not meet.
    """
    users = cluster.sql("SELECT COUNT(*) FROM hpg_assoc_table WHERE acct = 'avery' AND user <> ''")[0][0]
    number = cluster.sql(f"SELECT id FROM qos_table WHERE name = '{qos}'")[0][0]
    query = _ROWS.format(
        fields=_FIELDS, first=first, qos=number, begin=int(begin), end=int(end), users=users, runs=int(runs)
    )
    cluster.sql(query)


def add_steps(cluster: Cluster) -> None:
    """Give all runs that were added the two steps that every batch job has."""
    for name, number in _STEP_NUMBERS.items():
        cluster.sql(_STEPS.format(first=FIRST_JOB, name=name, number=number))
