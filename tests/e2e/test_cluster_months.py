"""Whose month, on a real Slurm: what `librarian report` says of each month is what slurmdbd's database holds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import pytz

from librarian.shared.resources import by_key
from tests.cluster import oracle, past
from tests.cluster.client import Cluster
from tests.cluster.fixture import GROUPS
from tests.cluster.program import ZONE, Json, Program
from tests.cluster.workload import Workload

pytestmark = pytest.mark.slow
ALLOCATION = '\n[report]\nwindow_days = 40\n[allocation]\ngpu_hours = 1000\ncpu_years = 2\nfrom = "2024-02-29"\n'
KIM = 'qos = ["kim", "kim-b"]\n'


@pytest.fixture(scope="module")
def turn() -> int:
    """The midnight at which this month began for the readers."""
    first = datetime.now(pytz.timezone(ZONE)).replace(day=1, tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    return int(pytz.timezone(ZONE).localize(first).timestamp())


@pytest.fixture(scope="module")
def told(cluster: Cluster, finished: Workload, turn: int) -> Iterator[Json]:
    """The months of a first look at the cluster, in which one job ran across the turn of the month."""
    program = Program(cluster, "dave", "/home/dave/months")
    program.configure(GROUPS, ALLOCATION + KIM)
    with past.moved(cluster, "job_name = 'kim burst'", turn - 1800, turn + 900):
        program.run("run")
        yield json.loads(program.run("report", "--month", "all", "--json").stdout)


def of(told: Json, qos: str) -> Json:
    found: list[Json] = [one for one in told["qos"] if one["qos"] == qos]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(("kind", "column"), [("users", "user"), ("accounts", "acct")])
def test_months_are_those_of_the_database(cluster: Cluster, told: Json, turn: int, kind: str, column: str) -> None:
    for qos in GROUPS:
        one = of(told, qos)
        names = [month["from"] for month in one["months"]]
        assert names[-1] == turn
        assert len(names) >= 2
        for month in one["months"]:
            since, until = month["known_from"], month["known_to"]
            expected = oracle.hours(cluster, one["now"], since, until, by=column).get(qos, {})
            held = {name: it["hours"] for name, it in month[kind].items() if any(it["hours"].values())}
            assert set(held) == {name for name, hours in expected.items() if max(hours.values()) >= 0.005}
            for name, hours in held.items():
                assert hours == pytest.approx(expected[name], abs=0.0051), (qos, month["month"], name)
            last = until if until == one["now"] else until - 1
            runs = oracle.ended(cluster, last, since, by=column).get(qos, {})
            assert {name: it["ended"] for name, it in month[kind].items() if it["ended"]} == runs


def test_a_job_across_the_turn_of_the_month_is_in_both(told: Json) -> None:
    last, this = of(told, "kim-b")["months"][-2:]
    assert last["users"]["frank"]["hours"]["NCPUS"] == 8
    assert last["accounts"]["kim"]["hours"]["NJOBS"] == 0.5
    assert last["users"]["frank"]["jobs"] == 0
    assert this["users"]["frank"]["hours"]["NCPUS"] >= 4
    assert not last["complete"]
    assert not this["complete"]
    assert this["users"]["frank"]["ended"]["COMPLETED"] >= 1


def test_an_allocation_counts_what_the_database_holds(cluster: Cluster, told: Json) -> None:
    assert of(told, "avery")["allocations"] == []
    gpus, cpus = of(told, "kim")["allocations"]
    assert of(told, "kim-b")["allocations"] == [gpus, cpus]
    assert (gpus["unit"], gpus["amount"], cpus["unit"]) == ("GPU-hours", 1000, "CPU-hours")
    assert cpus["amount"] == 2 * (cpus["to"] - cpus["from"]) / 3600
    begin = datetime.fromtimestamp(gpus["from"], pytz.timezone(ZONE))
    assert (begin + timedelta(days=1)).day in (1, 2), "the year begins on 29 February, or on 1 March"
    now, since = gpus["now"], gpus["known_from"]
    hours = oracle.hours(cluster, now, since)
    for pace, key in ((gpus, "NGPUS"), (cpus, "NCPUS")):
        used = sum(held[key] for qos in ("kim", "kim-b") for held in hours[qos].values())
        assert pace["used"] == pytest.approx(used, abs=0.02)
        assert pace["cumulative"][-1] == pace["used"]
        assert pace["days"][-1] == now


def test_every_form_tells_the_same_without_slurm(cluster: Cluster, told: Json) -> None:
    """Slurm's commands are out of reach here: the store is enough."""
    program = Program(cluster, "dave", "/home/dave/months")
    program.configure(GROUPS, ALLOCATION + KIM + '[slurm]\nbin_dir = "/nowhere"\n')
    table = list(csv.DictReader(io.StringIO(program.run("report", "--csv", "--qos", "avery").stdout)))
    month = of(told, "avery")["months"][-1]
    users = {row["name"]: row for row in table if row["kind"] == "user"}
    assert list(users) == list(month["users"])
    for name, row in users.items():
        hours = {key: float(row[by_key(key).hours]) for key in oracle.KEYS}
        assert hours == month["users"][name]["hours"]
        runs = (int(row["jobs ended"]), int(row["jobs failed"]))
        assert runs == (month["users"][name]["jobs"], month["users"][name]["failed"])
    assert month["total"]["failed"] > 3
    text = program.run("report", "--qos", "avery").stdout
    assert all(name in text for name in month["users"])
    page = program.run("report", "--html").stdout
    assert "Group &lt;kim&gt;" in page
    assert "Group <kim>" not in page
    program.run("report", "--pdf", "--output", f"{program.place}/month.pdf")
    assert (cluster.root / program.place.lstrip("/") / "month.pdf").read_bytes().startswith(b"%PDF-")
    assert program.data("kim")["months"][-1]["accounts"].keys() == {"kim"}
    done = program.run("report", "--month", "1999-12", check=False)
    assert (done.returncode, "nothing is known of 1999-12" in done.stderr) == (2, True)
