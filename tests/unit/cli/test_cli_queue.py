"""`librarian queue` as a person and as a script use it, on the demo's Slurm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from librarian.cli import main
from librarian.cli.queue_text import lines
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.slurm import command
from librarian.subjects.limits.model import Limit
from librarian.subjects.queue.blocking import Bounds
from librarian.subjects.queue.model import LastQueue, Queue, summarise
from librarian.subjects.queue.table import queue_table
from librarian.system import host
from librarian.system.processes import Answer
from tests.unit.cli.test_cli import AS_A_SCRIPT, HEAVY, furnished, imported
from tests.unit.reports import HOSTILE, NOW, pending
from tests.unit.runs import T0, run_of

pytestmark = pytest.mark.clock


def waiting(number: int, **changes: object) -> Run:
    return run_of(number, **{"start": None, "end": None, "state": "PENDING", "alloc_tres": "", **changes})


RUNS = [
    run_of(1, end=None, state="RUNNING", alloc_tres="cpu=400,mem=1G", user="alice"),
    run_of(2, end=None, state="RUNNING", alloc_tres="cpu=30,mem=1G", user="bob"),
    waiting(3, user="carol", req_tres="cpu=8,mem=2G"),
    waiting(4, user="dave", job="4_[1-500%2]", eligible=None, req_tres="cpu=1,mem=1G"),
    waiting(5, user="dave", qos="avery-b", req_tres="cpu=1,mem=1G"),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "librarian.toml").write_text('[cluster]\nname = "demo"\ntimezone = "UTC"\n[[qos]]\nname = "avery"\n')
    answer(monkeypatch, DemoSlurm(RUNS, now=T0 + 7300))
    monkeypatch.setattr(host, "clock", lambda: T0 + 7300)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(monkeypatch: pytest.MonkeyPatch, runner: object) -> None:
    monkeypatch.setattr(command.Slurm.__dataclass_fields__["runner"], "default", runner)
    made = command.Slurm.__init__
    monkeypatch.setattr(
        command.Slurm, "__init__", lambda self, *args, **options: made(self, *args, **{"runner": runner, **options})
    )


def test_tables(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("avery: 501 jobs waiting; 1 competing for 8 CPUs, 0 GPUs, 2 GiB; 500 held, or")
    assert "All of the group's 430 CPUs are in use: alice holds 400, bob 30." in text
    assert "scontrol update" in text
    assert [line.split()[0] for line in text.splitlines()[-2:]] == ["carol", "dave"]
    assert list(place.iterdir()) == [place / "librarian.toml"], "no store, no lock, no site"


def test_a_qos_that_is_not_configured_and_one_that_is_not(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue", "avery-b"]) == 0
    assert "avery-b: 1 job waiting" in capsys.readouterr().out
    assert main(["queue", "nosuch"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "Slurm knows no QoS nosuch" in said.err


def test_for_programs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue", "--json", "avery", "avery-b"]) == 0
    avery, burst = json.loads(capsys.readouterr().out)
    assert (avery["qos"], avery["jobs"], avery["groups"]["held"]["jobs"], burst["jobs"]) == ("avery", 501, 500, 1)
    row = next(row for row in avery["waiting"] if row["job"].startswith("4_"))
    assert (row["tasks"], row["eligible"], row["user"], row["reason"]) == (500, None, "dave", "JobArrayTaskLimit")
    assert len(avery["waiting"]) == 2, "what runs is not in it"


def test_when_slurm_does_not_answer(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, lambda *_, **__: Answer(1, b"", "Unable to contact slurm controller"))
    assert main(["queue"]) == 3
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def found(*rows: tuple[object, ...]) -> Queue:
    bounds = Bounds({"NCPUS": Limit("limit", 8.0, "")}, {"a": {"NCPUS": 8.0}})
    return summarise(LastQueue(NOW, queue_table(rows)), bounds)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    rows = [pending(name, "QOSGrpCpuLimit", start=NOW + 10**6) for name in HOSTILE]
    text = lines("avery", found(*rows, pending("a", "x" * 300, priority=0)), NOW, "US/Eastern", width)
    assert max(map(len, text)) <= max(width, 40)
    assert all(line.isprintable() for line in text)


def test_nobody_waits() -> None:
    assert lines("avery", found(), NOW, "UTC", 80) == ["avery: nobody waits"]


def test_times_are_the_reader_s() -> None:
    text = "\n".join(lines("q", found(pending("a", "Priority", start=NOW + 3600)), NOW, "US/Eastern", 100))
    assert "next start expected 15:10" in text
    text = "\n".join(lines("q", found(pending("a", "Priority", start=NOW + 86400)), NOW, "US/Eastern", 100))
    assert "2026-11-21 14:10" in text


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["queue"], ["queue", "--json"]])
def test_it_waits_for_no_heavy_parts(tmp_path: Path, arguments: list[str]) -> None:
    started = imported(AS_A_SCRIPT, *arguments, folder=furnished(tmp_path))
    assert "librarian.subjects.queue.table" in started
    assert not started & {*HEAVY, "librarian.store", "librarian.subjects.subject"}
