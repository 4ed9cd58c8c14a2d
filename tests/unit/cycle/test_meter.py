"""What a run spends is kept at its end, whatever becomes of that."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from librarian.config.setup import Setup
from librarian.cycle import journal, stages
from librarian.demo.slurm import DemoSlurm
from librarian.health import timings_file
from librarian.health.timings import WHOLE
from librarian.slurm.command import Slurm, name_of
from tests.unit.cycles import AVERY, AVERY_B, BASE, NOW, TWO_DAYS, WEB, configured, ended, leave_out_pictures

RUNS = [ended(1), ended(2, user="bob"), ended(3, qos="avery-b")]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    leave_out_pictures(monkeypatch)
    return configured(tmp_path, BASE + TWO_DAYS + AVERY + AVERY_B + WEB)


def run(setup: Setup, now: int = NOW) -> list[str]:
    return [str(problem) for problem in stages.run(setup, Slurm(runner=DemoSlurm(RUNS, now=now)), now)]


def test_a_run_keeps_what_its_stages_subjects_and_commands_took(setup: Setup) -> None:
    assert run(setup) == []
    assert run(setup, NOW + 600) == []
    first, second = timings_file.read(setup.places.state)
    assert (first.at, second.at) == (NOW, NOW + 600)
    parts = first.parts
    assert {("collect", "", ""), ("render", "", ""), ("publish", "", "")} <= {*parts}
    assert parts["collect", "jobs", "sacct"].count == 2
    assert parts["collect", "efficiency", "sacct"].count == 1
    assert parts["collect", "limits", "sacctmgr show qos"].count == 1
    assert ("render", "usage", "") in parts
    whole = parts[WHOLE]
    assert whole.seconds >= sum(spent.seconds for part, spent in parts.items() if part[1:] == ("", "") and part[0])
    assert whole.cpu is not None
    assert (first.commands("slurmdbd"), second.commands("slurmdbd")) == (8, 5)


def test_it_holds_names_of_commands_and_numbers_alone(setup: Setup) -> None:
    run(setup)
    text = gzip.decompress((setup.places.state / timings_file.NAME).read_bytes()).decode()
    assert not [word for word in ("avery", "alice", "bob", "demo", "--", str(setup.places.base)) if word in text]


@pytest.mark.parametrize("error", [OSError("the disk is full"), RuntimeError("a bug")])
def test_what_cannot_be_kept_fails_no_run(setup: Setup, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(journal.timings_file, "keep", broken)
    assert run(setup) == []


def test_a_run_that_fails_is_kept_too(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(stages, "render", broken)
    with pytest.raises(RuntimeError):
        run(setup)
    (cycle,) = timings_file.read(setup.places.state)
    assert ("render", "", "") in cycle.parts


@pytest.mark.parametrize(
    ("command", "arguments", "name"),
    [
        ("sacct", ("-a", "--qos=avery"), "sacct"),
        ("sacctmgr", ("-P", "show", "assoc", "cluster=hpg", "user="), "sacctmgr show assoc"),
        ("scontrol", ("show", "assoc_mgr", "qos=secret"), "scontrol show assoc_mgr"),
        ("scontrol", ("show", "/home/alice"), "scontrol"),
        ("sacctmgr", ("show",), "sacctmgr"),
    ],
)
def test_a_command_goes_by_its_name_and_what_it_shows(command: str, arguments: tuple[str, ...], name: str) -> None:
    assert name_of(command, arguments) == name
