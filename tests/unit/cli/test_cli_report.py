"""`librarian report` as a person uses it, on what runs have left in the store."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from librarian import config
from librarian.cli import main
from librarian.config import setup as configfile
from librarian.cycle import stages
from librarian.demo.slurm import DemoSlurm
from librarian.errors import ConfigError
from librarian.slurm.command import Slurm
from tests.unit.cycles import leave_out_pictures
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


@pytest.fixture
def collected(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks, the last on the second day of November; one job ran across the turn of the month, another runs."""
    turn = NOW // 86400 * 86400 - 86400
    runs = [
        run_of(1, start=turn - 3600, end=turn + 1800, alloc_tres="cpu=2"),
        run_of(2, start=NOW - 900, end=None, state="RUNNING", user="bob", alloc_tres="cpu=4"),
        run_of(3, start=NOW - 7200, end=NOW - 3600, state="FAILED", user="=bob", account="class", qos="avery-b"),
    ]
    setup = configfile.load(place / "librarian.toml", {})
    leave_out_pictures(monkeypatch)
    for now in (NOW - 40 * 86400, NOW - 20 * 86400, NOW):
        assert stages.run(setup, Slurm(runner=DemoSlurm(runs, now=now)), now) == []


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
    assert first["months"] == site["months"]
    assert first["allocations"] == site["allocations"] == second["allocations"]
    # the job across the turn of the month, four CPUs for a quarter of an hour, and the burst
    assert first["allocations"][0]["used"] == 2 + 1 + 1 + 4


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
