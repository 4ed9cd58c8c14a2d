"""`librarian backfill` on the command line, with stand-ins for Slurm's commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from librarian.backfill.slices import Progress
from librarian.cli import backfill, main
from librarian.shared.scope import Scope
from librarian.system import host
from tests.unit.cli.test_cli import place
from tests.unit.frozen import ROOT
from tests.unit.runs import T0

__all__ = ["place"]
DAY = 86400
NOW = T0 + 26 * DAY


@pytest.fixture
def config(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with a window so short that the made-up runs lie before it."""
    path = place / "librarian.toml"
    path.write_text(path.read_text() + "[report]\nwindow_days = 1\n")
    monkeypatch.chdir(place)
    monkeypatch.setenv("NOW", str(NOW))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(host, "clock", lambda: NOW)
    return place


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that goes well prints."""
    assert main(arguments) == 0
    done = capsys.readouterr()
    assert done.err == ""
    return done.out


@pytest.mark.slow
@pytest.mark.usefixtures("config")
def test_backfill(capsys: pytest.CaptureFixture[str]) -> None:
    done = said(capsys, "backfill", "--from", "2026-10-26", "--slice-days", "9")
    assert "2 runs in" in done
    assert "avery: fetched back to 2026-10-26\n" in done
    again = said(capsys, "backfill", "--from", "2026-10-26", "--to", "2026-11-10")
    assert again == "nothing is left to fetch\n"
    assert "avery: Slurm tells of no run that ended" in said(capsys, "backfill", "--from", "2026-10-20")
    said(capsys, "collect")
    told = json.loads(said(capsys, "report", "--month", "2026-10", "--json"))
    month = told["qos"][0]["months"][0]
    assert month["users"]["bob"]["ended"] == {"COMPLETED": 1}
    assert month["users"]["bob"]["hours"]["NCPUS"] == pytest.approx(4 * 4990 / 3600, abs=0.01)


@pytest.mark.slow
@pytest.mark.usefixtures("config")
def test_what_jobs_used(capsys: pytest.CaptureFixture[str]) -> None:
    command = ("backfill", "--use", "--from", "2026-10-26")
    assert said(capsys, *command) == "avery: no run of Librarian has asked yet what jobs used: librarian run\n"
    said(capsys, "collect")
    done = said(capsys, *command)
    assert "2 runs in" in done
    assert "avery: fetched back to 2026-10-26\n" in done
    assert said(capsys, *command) == "nothing is left to fetch\n"
    said(capsys, "backfill", "--from", "2026-10-26")
    told = json.loads(said(capsys, "report", "--month", "2026-10", "--json"))
    use = told["qos"][0]["months"][0]["use"]
    assert use["users"]["bob"]["NCPUS"]["allocated_hours"] == pytest.approx(4 * 4990 / 3600, abs=0.01)
    assert main(["backfill", "--use", "--slurm", "--from", "2026-10-26"]) == 2
    assert "leave out --slurm" in capsys.readouterr().err


def test_when_slurm_does_not_answer_it_says_how_to_go_on(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config / "bin" / "down").touch()
    assert main(["backfill", "--from", "2026-10-26"]) == 3
    told = capsys.readouterr().err
    assert "the backfill stopped" in told
    assert "run the same command again" in told
    assert len(told.splitlines()) == 1


@pytest.mark.slow
def test_as_a_job_array(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sbatch = config / "bin" / "sbatch"
    sbatch.write_text("#!/bin/sh\necho 'sbatch: error: no such partition' >&2\nexit 1\n")
    sbatch.chmod(0o755)
    command = ("backfill", "--from", "2026-10-26", "--slice-days", "30", "--slurm", "--tasks", "1")
    assert main(command) == 3
    assert "no such partition" in capsys.readouterr().err
    batches = config / "state" / "backfill" / "demo"
    assert list(batches.iterdir()) == [], "what was not submitted is not left behind"
    sbatch.write_text("#!/bin/sh\necho 77\n")
    assert "submitted job 77: 1 task," in said(capsys, *command)
    (folder,) = batches.iterdir()
    assert "2 runs in" in said(capsys, "backfill", "--folder", str(folder), "--task", "0")
    assert said(capsys, "backfill", "--merge").startswith("merged 1 part,")
    assert said(capsys, *command) == "nothing is left to fetch\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--from"),
        (("--from", "yesterday"), "no date"),
        (("--from", "1979-01-01"), "a year is"),
        (("--from", "2026-10-20", "--to", "2026-10-20"), "not later"),
        (("--from", "2026-10-20", "--qos", "kim"), "kim is not a configured QoS"),
        (("--from", "2026-10-20", "--slice-days", "0"), "from 1 to 366"),
    ],
)
@pytest.mark.usefixtures("config")
def test_mistakes_on_the_command_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    try:
        status = main(["backfill", *arguments])
    except SystemExit as end:
        status = int(str(end.code))
    assert status == 2
    assert words in capsys.readouterr().err


def test_the_line_on_a_terminal() -> None:
    progress = Progress(25 * DAY, 100 * DAY, Scope("hpg", "avery"), (T0 - DAY, T0), 1234)
    assert backfill.line(progress, 600, "UTC") == (
        "[######..................]  25 %  30 min left  avery  2026-10-25 to 2026-10-26  1,234 runs"
    )
    assert "left" not in backfill.line(Progress(0, 0, Scope("hpg", "avery"), (T0, T0)), 0, "UTC")
