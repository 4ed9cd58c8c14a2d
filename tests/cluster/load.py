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


def fill(cluster: Cluster, runs: int, begin: int, end: int, qos: str = "avery") -> None:
    """Add `runs` ended runs of `qos` between two UTC epochs, of the users of account avery in turn."""
    users = cluster.sql("SELECT COUNT(*) FROM hpg_assoc_table WHERE acct = 'avery' AND user <> ''")[0][0]
    number = cluster.sql(f"SELECT id FROM qos_table WHERE name = '{qos}'")[0][0]
    query = _ROWS.format(
        fields=_FIELDS, first=FIRST_JOB, qos=number, begin=int(begin), end=int(end), users=users, runs=int(runs)
    )
    cluster.sql(query)
