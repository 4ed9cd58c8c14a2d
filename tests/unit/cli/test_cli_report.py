"""`librarian report` as a person uses it, on what runs have left in the store."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from librarian import config
from librarian.cli import main
from librarian.config import setup as configfile
from librarian.cycle import parts, stages
from librarian.demo.slurm import DemoSlurm
from librarian.errors import ConfigError
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.store import opened
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.jobs.covered import TRACKED
from librarian.subjects.months import statements
from librarian.subjects.months.reported import statement
from librarian.subjects.months.tables import Statement
from tests.unit.cli.test_cli import AS_A_SCRIPT, HEAVY, furnished, imported
from tests.unit.cycles import leave_out_pictures
from tests.unit.frozen import librarian
from tests.unit.runs import run_of

NOW = 1_793_610_000  # 2026-11-02 in the morning, in UTC
CONFIG = """
[privacy]
accounts = true
[cluster]
name = "demo"
timezone = "UTC"
[slurm]
bin_dir = "/nowhere"
[paths]
state = "state"
site = "site"
[allocation]
cpu_hours = 1000
from = "2026-07-01"
[[qos]]
name = "avery"
title = "Avery"
[[qos]]
name = "avery-b"
"""
TURN = NOW // 86400 * 86400 - 86400
RUNS = [
    run_of(1, start=TURN - 3600, end=TURN + 1800, alloc_tres="cpu=2"),
    run_of(2, start=NOW - 900, end=None, state="RUNNING", user="bob", alloc_tres="cpu=4"),
    run_of(3, start=NOW - 7200, end=NOW - 3600, state="FAILED", user="=bob", account="class", qos="avery-b"),
]
Report = Callable[..., tuple[int, bytes, str]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "librarian.toml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def report(place: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Report:
    """Runs `librarian report` with these arguments: its status, what it wrote and what it said."""

    def run(*arguments: str) -> tuple[int, bytes, str]:
        capfdbinary.readouterr()
        status = main(["--config", str(place / "librarian.toml"), "report", *arguments])
        out, err = capfdbinary.readouterr()
        return status, out, err.decode()

    return run


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What three looks leave, the last on the second day of November; one job ran across the turn of the month,
    another runs."""
    folder = tmp_path_factory.mktemp("past")
    (folder / "librarian.toml").write_text(CONFIG)
    setup = configfile.load(folder / "librarian.toml", {})
    with pytest.MonkeyPatch.context() as monkeypatch:
        leave_out_pictures(monkeypatch)
        for now in (NOW - 40 * 86400, NOW - 20 * 86400, NOW):
            assert stages.run(setup, Slurm(runner=DemoSlurm(RUNS, now=now)), now) == []
    return folder


@pytest.fixture
def collected(place: Path, past: Path) -> None:
    """The same in a place of the test's own."""
    shutil.copytree(past, place, dirs_exist_ok=True)


def test_nothing_was_collected_yet(report: Report) -> None:
    status, out, said = report()
    assert (status, out) == (4, b"")
    assert "nothing was collected yet" in said
    assert "librarian run" in said


@pytest.mark.slow
def test_the_newest_month_is_told(report: Report, collected: None) -> None:
    status, out, said = report()
    text = out.decode()
    assert (status, said) == (0, "")
    assert text.startswith("Avery (QoS avery): November 2026\nUp to 2026-11-02 ")
    assert "\navery-b: November 2026\n" in text
    assert "October" not in text
    assert text.count("CPU allocation from 2026-07-01 to 2027-07-01: 1,000 CPU-hours") == 2


@pytest.mark.slow
def test_a_month_of_the_past_as_json_is_what_the_site_has(report: Report, collected: None, place: Path) -> None:
    _, out, _ = report("--month", "2026-10", "--qos", "AVERY", "--json")
    (told,) = json.loads(out)["qos"]
    (month,) = told["months"]
    assert (month["complete"], month["users"]["alice"]["hours"]["NCPUS"]) == (True, 2)
    assert told["allocations"] == []
    site = json.loads((place / "site" / "data_avery.json").read_text())
    _, out, _ = report("--month", "all", "--json")
    first, second = json.loads(out)["qos"]
    uses = [month.pop("use") for month in first["months"]]
    assert [use is not None for use in uses] == [False, True, True, True], "since the first look"
    assert first["months"] == site["months"]
    assert first["allocations"] == site["allocations"] == second["allocations"]
    # the job across the turn of the month, four CPUs for a quarter of an hour, and the burst
    assert first["allocations"][0]["used"] == 2 + 1 + 1 + 4


@pytest.mark.slow
def test_what_jobs_used_stands_beside_what_was_allocated(report: Report, collected: None, place: Path) -> None:
    _, out, _ = report("--month", "all", "--qos", "avery", "--json")
    (told,) = json.loads(out)["qos"]
    with opened(place / "state" / "demo.sqlite", "demo") as store:
        kept = RunUses(store).totals(Scope("demo", "avery"), 0, NOW)
    for month in told["months"][-2:]:
        for key, hours in month["use"]["total"].items():
            assert hours["allocated_hours"] >= hours["measured_hours"]
            by_user = [by_key[key] for by_key in month["use"]["users"].values() if key in by_key]
            assert sum(one["allocated_hours"] for one in by_user) == pytest.approx(hours["allocated_hours"])
    cpus = [month["use"]["total"]["NCPUS"]["allocated_hours"] for month in told["months"][-2:]]
    held = sum(one.hours.allocated for one in kept if one.resource == "NCPUS")
    assert sum(cpus) == pytest.approx(held / 1024 / 3600)
    assert report("--month", "2026-08", "--qos", "avery")[1].decode().count("What jobs used is not known") == 1
    text = report("--month", "2026-11", "--qos", "avery")[1].decode()
    assert "Use is known of jobs that ended from " in text
    assert "CPU-hours of ended jobs" in text
    (place / "librarian.toml").write_text(f"{CONFIG}[efficiency]\nenabled = false\n")
    assert "ended jobs" not in report("--month", "2026-11", "--qos", "avery")[1].decode()


@pytest.mark.slow
def test_csv_and_html_to_a_file(report: Report, collected: None, place: Path) -> None:
    assert report("--csv", "--output", str(place / "m.csv")) == (0, b"", "")
    rows = list(csv.DictReader(io.StringIO((place / "m.csv").read_text())))
    assert sorted(row["name"] for row in rows if row["kind"] == "user") == ["'=bob", "alice", "bob"]
    assert report("--csv", "--qos", "avery", "--month", "all", "--output", str(place)) == (0, b"", "")
    assert sorted(path.name for path in place.glob("*.csv")) == ["m.csv", "months_avery_2026-08-2026-11.csv"]
    assert report("--html", "--month", "all", "--output", str(place / "m.html"))[0] == 0
    assert (place / "m.html").read_text().startswith("<!doctype html>")
    status, out, _ = report("--pdf")
    assert (status, out[:5]) == (0, b"%PDF-")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--month", "2026-13"], "2026-13 is not a month"),
        (["--month", "2019-01"], "nothing is known of 2019-01: months that are known: 2026-08, 2026-09, "),
        (["--qos", "nosuch"], "nosuch is not a configured QoS: there are avery, avery-b"),
    ],
)
def test_a_mistake_is_told_in_one_line(report: Report, collected: None, arguments: list[str], words: str) -> None:
    status, out, said = report(*arguments)
    assert (status, out, said.count("\n")) == (2, b"", 1)
    assert words in said


@pytest.mark.slow
def test_a_file_that_cannot_be_written_and_two_forms_at_once(report: Report, collected: None, place: Path) -> None:
    status, _, said = report("--output", str(place / "none" / "m.txt"))
    assert (status, "m.txt could not be written" in said) == (1, True)
    with pytest.raises(SystemExit) as caught:
        report("--csv", "--json")
    assert caught.value.code == 2


@pytest.mark.slow
def test_a_damaged_store_is_told_and_left_alone(report: Report, collected: None, place: Path) -> None:
    store = place / "state" / "demo.sqlite"
    store.write_bytes(b"no database at all" * 99)
    status, _, said = report()
    assert (status, "damaged" in said) == (4, True)
    assert store.read_bytes().startswith(b"no database")


class TestConfiguration:
    def problems(self, text: str) -> str:
        with pytest.raises(ConfigError) as caught:
            config.parse(f'[cluster]\nname = "c"\n[[qos]]\nname = "Avery"\n[[qos]]\nname = "b"\n{text}')
        return "\n".join(caught.value.problems)

    def test_an_allocation_of_each_kind(self) -> None:
        text = '[cluster]\nname = "c"\n[[qos]]\nname = "Avery"\n[[qos]]\nname = "b"\n[allocation]\n'
        gpu, cpu = config.parse(f'{text}gpu_years = 2.5\ncpu_hours = 9\nfrom = 2026-07-01\nqos = ["avery"]').allocations
        assert (gpu.key, gpu.amount, gpu.always, gpu.qos) == ("NGPUS", 2.5, True, ("Avery",))
        assert (cpu.key, cpu.amount, cpu.always, cpu.start.isoformat()) == ("NCPUS", 9, False, "2026-07-01")
        (one,) = config.parse(f'{text}cpu_years = 1\nfrom = "2026-07-01"').allocations
        assert one.qos == ("Avery", "b")

    def test_all_mistakes_at_once(self) -> None:
        found = self.problems(
            '[allocation]\ngpu_hours = 0\ngpu_years = 1\nfrom = "2026-02-30"\nqos = ["c", "AVERY"]\nfro = 1'
        )
        assert "allocation.gpu_hours = 0: allowed is a number above 0" in found
        assert "allocation.gpu_years is beside gpu_hours: allowed is one of them" in found
        assert "allocation.from = '2026-02-30': allowed is a date" in found
        assert "allocation.qos = 'c': allowed are the QoS of this file: Avery, b" in found
        assert 'allocation.fro is not a key; did you mean "from"?' in found
        assert len(found.splitlines()) == 5

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[[allocation]]\ngpu_hours = 1", "allowed is one table [allocation]"),
            ("[allocation]\nfrom = 2026-07-01", "tells no amount: allowed are gpu_hours, gpu_years, "),
            ("[allocation]\ncpu_hours = 1", "allocation.from is missing: a date"),
            ("[allocation]\ncpu_hours = true\nfrom = 2026-07-01T10:00:00", "allocation.cpu_hours = True"),
            ('[allocation]\ncpu_hours = 1\nfrom = 2026-07-01\nqos = "Avery"', "a list of names"),
            ('[allocation]\ncpu_hours = 1\nfrom = "26"', "allocation.from = '26'"),
        ],
    )
    def test_one_mistake(self, text: str, words: str) -> None:
        assert words in self.problems(text)


def kept(place: Path, zone: str = "UTC") -> list[Statement] | None:
    setup = configfile.load(place / "librarian.toml", {})
    with opened(setup.places.store, "demo") as store:
        return statements.kept(store, parts.watched(setup), zone, setup.config.allocations)


def computed(place: Path) -> list[Statement]:
    setup = configfile.load(place / "librarian.toml", {})
    return [statement(source.report) for source in stages.look(setup) if source.report]


@pytest.mark.usefixtures("collected")
def test_what_is_kept_is_what_would_be_computed(place: Path) -> None:
    found = kept(place)
    assert found
    assert found == computed(place)
    assert found[0].paces
    assert found[0].months[-1].begin < NOW - 900, "with the hour that is not over"
    assert kept(place, "US/Eastern") is None, "on another clock the month is another"


@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("tracked", [None, True, False])
def test_whether_gpus_are_tracked_is_told_of_what_is_kept_too(place: Path, tracked: bool | None) -> None:
    with opened(configfile.load(place / "librarian.toml", {}).places.store, "demo") as store:
        store.know(TRACKED, tracked, NOW)
    found = kept(place)
    assert found
    assert found == computed(place)
    assert found[0].untracked == (frozenset() if tracked is not False else {"NGPUS"})


@pytest.mark.usefixtures("collected")
def test_what_is_old_is_computed_anew(place: Path) -> None:
    setup = configfile.load(place / "librarian.toml", {})
    with opened(setup.places.store, "demo") as store:
        store.runs_changed(NOW - 900)
    assert kept(place) is None, "a run is another by now"
    told = computed(place)
    assert kept(place) == told, "who looks keeps it"
    for damaged in (b"\xff", b"[]", b"{}"):
        with opened(setup.places.store, "demo") as store:
            scope = parts.watched(setup)[0].scope
            store.keep_bins(scope, "rest", NOW, damaged, store.edition())
        assert kept(place) is None
    assert computed(place) == told
    runs = [*RUNS, run_of(9, start=NOW, end=None, state="RUNNING", alloc_tres="cpu=2")]
    assert stages.collect_all(setup, Slurm(runner=DemoSlurm(runs, now=NOW + 60)), NOW + 60) == []
    assert kept(place) is None, "something was collected since"
    assert computed(place) != told


@pytest.mark.slow
def test_it_waits_for_no_heavy_parts(tmp_path: Path) -> None:
    place = furnished(tmp_path)
    assert librarian(place, "run").returncode == 0
    for form in ([], ["--csv"], ["--json"]):
        started = imported(AS_A_SCRIPT, "report", *form, folder=place)
        assert "librarian.subjects.months.statements" in started
        assert not started & (HEAVY - {"sqlite3"})
