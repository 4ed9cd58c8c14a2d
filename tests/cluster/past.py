"""A past for the cluster: jobs that ended are moved back in slurmdbd's own tables, and it sums its hours up anew.

A cluster that lives for minutes has no full hour, and sreport speaks of full hours only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone

from tests.cluster.client import Cluster

HOUR = 3600


def move_back(cluster: Cluster, seconds: int, qos: Sequence[str]) -> None:
    """Move every job of `qos` that has ended, and the cluster's own beginning, back by `seconds`; queued ones stay."""
    names = ", ".join(f"'{name}'" for name in qos)
    ours = f"id_qos IN (SELECT id FROM qos_table WHERE name IN ({names}))"
    ended = f"time_end > 0 AND time_start > 0 AND time_eligible > 0 AND {ours}"
    cluster.sql(
        f"""UPDATE hpg_suspend_table s JOIN hpg_job_table j USING (job_db_inx)
            SET s.time_start = s.time_start - {seconds}, s.time_end = s.time_end - {seconds}
            WHERE j.time_end > 0 AND j.time_start > 0 AND j.{ours};
        UPDATE hpg_job_table SET time_submit = time_submit - {seconds}, time_eligible = time_eligible - {seconds},
            time_start = time_start - {seconds}, time_end = time_end - {seconds} WHERE {ended};
        UPDATE hpg_event_table SET time_start = time_start - {seconds} - {HOUR} WHERE node_name = '';"""
    )


@contextmanager
def moved(cluster: Cluster, which: str, start: int, end: int) -> Iterator[None]:
    """For the time of a block the job that the SQL condition `which` names ran from `start` to `end`."""
    columns = ("time_submit", "time_eligible", "time_start", "time_end")
    was = cluster.sql(f"SELECT {', '.join(columns)} FROM hpg_job_table WHERE {which}")
    assert len(was) == 1, which

    def put(times: list[object]) -> None:
        changes = ", ".join(f"{column} = {value}" for column, value in zip(columns, times, strict=True))
        cluster.sql(f"UPDATE hpg_job_table SET {changes} WHERE {which}")

    put([start, start, start, end])
    try:
        yield
    finally:
        put([*was[0]])


def sum_up(cluster: Cluster, begin: int) -> None:
    """Have slurmdbd sum up all full hours since `begin`, as it does by itself when an hour is over.

    What it summed up of them before is dropped first: of an association whose jobs were moved away it would stay.
    """
    sums = "".join(
        f"DELETE FROM hpg_assoc_usage_{length}_table WHERE time_start >= {begin};"
        for length in ("hour", "day", "month")
    )
    cluster.sql(
        f"{sums}UPDATE hpg_last_ran_table SET hourly_rollup = {begin}, daily_rollup = {begin}, monthly_rollup = {begin}"
    )
    cluster.run("root", "sacctmgr", "-i", "roll", str(begin))


def forget_sums(cluster: Cluster, begin: int) -> None:
    """As if slurmdbd had not summed up yet what came after `begin`: of those hours sreport knows no cluster."""
    cluster.sql(f"DELETE FROM hpg_usage_hour_table WHERE time_start >= {begin}")


def sreport(cluster: Cluster, begin: int, end: int) -> dict[str, dict[str, int]]:
    """User -> cpu, gres/gpu, mem (MiB), billing -> seconds of use between two full hours, of all QoS and accounts."""
    command = ("sreport", "-n", "-P", "-t", "Seconds", "-T", "cpu,gres/gpu,mem,billing")
    wanted = ("cluster", "AccountUtilizationByUser", "Format=Login,TresName,Used")
    span = (f"Start={_clock(begin)}", f"End={_clock(end)}")
    done = cluster.run("root", "env", "TZ=UTC", *command, *wanted, *span)
    found: dict[str, dict[str, int]] = {}
    for line in done.stdout.splitlines():
        user, tres, used = line.split("|")
        if user:  # the others are sums by account
            found.setdefault(user, {})[tres] = found.get(user, {}).get(tres, 0) + int(used)
    return {user: used for user, used in found.items() if any(used.values())}


def counted_more(cluster: Cluster, turn: int) -> dict[str, dict[str, int]]:
    """User -> cpu, mem (MiB), billing -> seconds that sreport counts and Librarian does not; `turn` is the full hour.

    Of a job that was resized 22.05 tells the second row from the first one's start, so that sreport counts that time
    again; but not what lies in an hour before the resize.
    """
    amount = "REGEXP_SUBSTR(j.tres_alloc, '(?:^|,){}=\\\\K[0-9]+')"
    cpu, memory, billing = (amount.format(tres) for tres in (1, 2, 5))
    again = f"""GREATEST(0, CAST(j.time_submit AS SIGNED)
        - IF(j.time_start < {turn} AND {turn} < j.time_submit, {turn}, CAST(j.time_start AS SIGNED)))"""
    rows = cluster.sql(
        f"""SELECT a.user, SUM({again} * {cpu}), SUM({again} * {memory}), SUM({again} * {billing})
        FROM hpg_job_table j JOIN hpg_assoc_table a USING (id_assoc)
        WHERE j.time_start > 0 AND j.time_end > 0 AND j.tres_alloc <> ''
            AND j.time_submit > j.time_start
        GROUP BY a.user"""
    )
    return {
        user: dict(zip(("cpu", "mem", "billing"), (int(float(sum)) for sum in sums), strict=True))
        for user, *sums in rows
    }


def _clock(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
