"""When it was: jobs across the hour and the window's edge, and what sreport says of the same hours.

The jobs of the workload are moved into the past for this, so these tests come after all others.
"""

from __future__ import annotations

import json
import time

import pytest

from librarian.verify import reasons
from tests.cluster import oracle, past
from tests.cluster.client import Cluster
from tests.cluster.compare import assert_equals_oracle
from tests.cluster.past import HOUR
from tests.cluster.program import Program
from tests.cluster.workload import Workload

pytestmark = pytest.mark.slow
GROUPS = ("avery", "avery-b", "kim", "kim-b", "9.odd-q_os")
TIMES = ("time_submit", "time_eligible", "time_start", "time_end")
TRES = {"NCPUS": "cpu", "NGPUS": "gres/gpu", "MEMORY": "mem", "BILLING": "billing"}


@pytest.fixture(scope="module")
def turn(cluster: Cluster, finished: Workload) -> int:
    """A full hour of the past at whose turn some of the jobs ran, all of them within the hours beside it."""
    plain = finished.ids["plain"]
    middle = int(cluster.sql(f"SELECT (time_start + time_end) DIV 2 FROM hpg_job_table WHERE id_job = {plain}")[0][0])
    back = 3 * HOUR + middle % HOUR
    past.move_back(cluster, back, GROUPS)
    return middle - back


@pytest.fixture(scope="module")
def moved(cluster: Cluster, turn: int) -> Program:
    """A first report on everybody, after the move."""
    program = Program(cluster, "dave", "/home/dave/past")
    program.configure(GROUPS)
    program.run("run")
    assert turn % HOUR == 0
    return program


def test_jobs_across_the_hour_are_split_at_it(cluster: Cluster, moved: Program, turn: int) -> None:
    across = cluster.sql(f"SELECT COUNT(*) FROM hpg_job_table WHERE time_start < {turn} AND time_end > {turn}")
    assert int(across[0][0]) > 5, "the test would prove little"
    for qos in GROUPS:
        data = moved.data(qos)
        assert_equals_oracle(cluster, data)
        for begin in (turn - HOUR, turn):
            told = hours_of_bin(moved.table(qos), begin)
            expected = oracle.hours(cluster, int(time.time()), begin, begin + HOUR).get(qos, {})
            assert set(told) == set(expected), (qos, begin)
            for user, hours in expected.items():
                assert told[user] == pytest.approx(hours, rel=1e-5, abs=1e-9), (qos, user)


def test_sreport_says_the_same_of_full_hours(cluster: Cluster, moved: Program, turn: int) -> None:
    """It knows users only, not QoS: jobs of other tests' QoS were not moved; and it tells of full hours alone.

    Where it counts more than Librarian is told by `past.counted_more`.
    """
    past.sum_up(cluster, turn - HOUR)
    said = past.sreport(cluster, turn - HOUR, turn + HOUR)
    ours: dict[str, dict[str, float]] = {}
    for table in map(moved.table, GROUPS):
        for begin in (turn - HOUR, turn):
            for user, hours in hours_of_bin(table, begin).items():
                mine = ours.setdefault(user, dict.fromkeys(TRES.values(), 0.0))
                for key, tres in TRES.items():
                    mine[tres] += hours[key] * 3600 * (1024 if key == "MEMORY" else 1)
    assert set(ours) == set(said)
    for user, more in past.counted_more(cluster, turn).items():
        for tres, amount in more.items():
            ours[user][tres] += amount
    for user, seconds in ours.items():
        assert seconds == pytest.approx(said[user], rel=1e-5, abs=1), user


def test_verify_agrees_by_qos_and_tells_a_resized_job_apart(cluster: Cluster, moved: Program, turn: int) -> None:
    """As a member of the group, for the window. Where sreport knows no QoS, what other QoS had is taken from sacct.

    Compared are the hours of the jobs that were moved: jobs of other tests are in hours that are not summed up.
    """
    past.sum_up(cluster, turn - HOUR)
    past.forget_sums(cluster, turn + 2 * HOUR)
    mine = Program(cluster, "alice", "/home/alice/verify")
    mine.configure(GROUPS[:2], "\n[report]\nwindow_days = 2\n")
    mine.run("run")
    done = mine.run("verify", "--json", check=False)
    told = json.loads(done.stdout)
    lines = {
        (qos["qos"], line["user"], line["resource"]): line for qos in told["qos"] for line in qos["hours"]["lines"]
    }
    assert {user for qos, user, _ in lines if qos == "avery"} == {"alice", "bob", "carol", "dave"}
    assert lines["avery", "carol", "NGPUS"]["here"] > 0
    assert all(qos["running"] and not qos["running"]["gone"] for qos in told["qos"])
    assert {qos["hours"]["sreport_tells_qos"] for qos in told["qos"]} == {cluster.slurm != "22.05"}
    unlike = {(user, line["resource"]): line for (_, user, _), line in lines.items() if not line["agrees"]}
    assert {qos["hours"]["sreport_until"] for qos in told["qos"]} == {turn + 2 * HOUR}
    assert (done.returncode, told["agrees"]) == ((1, False) if unlike else (0, True))
    if cluster.slurm == "22.05":
        assert {user for user, _ in unlike} == {"alice"}, "whose job was resized"
        assert all(reasons.RESIZED.format(jobs="1 job") in line["reasons"] for line in unlike.values())
        assert lines["avery-b", "bob", "NCPUS"]["other_qos"] == pytest.approx(lines["avery", "bob", "NCPUS"]["here"])
    else:
        assert unlike == {}
    mine.run("render")
    assert mine.index()["agreed"] == (told["at"] if told["agrees"] else None)


def test_a_job_across_the_edge_of_the_window_counts_from_there(cluster: Cluster, moved: Program) -> None:
    """One job is moved so that it begins half an hour before the window does, and ends half an hour after."""
    program = Program(cluster, "dave", "/home/dave/edge")
    program.configure(["kim-b"], "\n[report]\nwindow_days = 2\n")
    program.run("run")
    edge = program.data("kim-b")["edges"][0]
    burst = "job_name = 'kim burst'"
    was = cluster.sql(f"SELECT {', '.join(TIMES)} FROM hpg_job_table WHERE {burst}")[0]
    moved_to = (edge - 3600, edge - 3600, edge - 1800, edge + 1800)
    set_times(cluster, burst, moved_to)
    try:
        program.run("collect", "--full")
        program.run("run")
        data = program.data("kim-b")
        assert data["edges"][0] == edge, "the hour turned while the test ran"
        assert data["observables"]["NCPUS"]["frank"][:2] == pytest.approx([8, 0], abs=1e-6)
        expected = oracle.hours(cluster, data["metadata"]["last_updated_epoch"], edge)["kim-b"]["frank"]
        told = data["totals"]["users"]["frank"]["hours"]
        assert {key: told[key] for key in oracle.KEYS} == pytest.approx(expected, rel=1e-6)
    finally:
        set_times(cluster, burst, was)


def set_times(cluster: Cluster, which: str, times: tuple[object, ...] | list[str]) -> None:
    changes = ", ".join(f"{column} = {value}" for column, value in zip(TIMES, times, strict=True))
    cluster.sql(f"UPDATE hpg_job_table SET {changes} WHERE {which}")


def hours_of_bin(table: list[dict[str, str]], begin: int) -> dict[str, dict[str, float]]:
    """User -> observable -> hours in the bin of an hour that begins at `begin`; users who held nothing are left out."""
    rows = [row for row in table if int(row["start_epoch"]) == begin]
    assert {row["seconds"] for row in rows} <= {str(HOUR)}
    return {row["user"]: {key: float(row[key]) for key in oracle.KEYS} for row in rows}
