"""Commands that begin before somebody reads what they say."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from librarian.config.setup import load
from librarian.cycle import stages
from librarian.errors import LibrarianError, SlurmError
from librarian.slurm.command import Slurm
from librarian.subjects.jobs import ask
from librarian.subjects.jobs.keep import Intake
from tests.unit.orphans import is_there, wait_for

NOW = 1_790_000_000


def command(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def read(slurm: Slurm, *arguments: str) -> str:
    blocks: list[bytes] = []
    slurm.read("sacct", arguments, blocks.append)
    return b"".join(blocks).decode()


def test_what_was_begun_is_read_and_not_run_again(tmp_path: Path) -> None:
    command(tmp_path, "sacct", f'echo "$*" >>{tmp_path}/calls; echo "told $*"')
    slurm = Slurm(bin_dir=str(tmp_path))
    with slurm.ending():
        slurm.begin("sacct", ["one"])
        slurm.begin("sacct", ["one"])
        assert read(slurm, "two") == "told two\n"
        assert read(slurm, "one") == "told one\n"
        assert read(slurm, "one") == "told one\n"
    assert sorted((tmp_path / "calls").read_text().split()) == ["one", "one", "two"]


def test_what_was_begun_and_is_not_read_is_ended(tmp_path: Path) -> None:
    told = tmp_path / "number"
    command(tmp_path, "sacct", f"echo $$ >{told}; exec sleep 600")
    slurm = Slurm(bin_dir=str(tmp_path))
    with pytest.raises(LibrarianError, match="in between"), slurm.ending():
        slurm.begin("sacct", [])
        wait_for(lambda: told.exists() and bool(told.read_text()), "the command's beginning")
        raise LibrarianError("in between")
    assert not is_there(int(told.read_text()))


@pytest.mark.parametrize("script", ["echo no such thing >&2; exit 1", None])
def test_what_goes_wrong_is_told_by_whoever_reads(tmp_path: Path, script: str | None) -> None:
    if script:
        command(tmp_path, "sacct", script)
    slurm = Slurm(bin_dir=str(tmp_path))
    with slurm.ending():
        slurm.begin("sacct", ["one"])
        with pytest.raises(SlurmError, match="sacct"):
            read(slurm, "one")


@pytest.mark.slow
def test_the_time_limit_begins_when_somebody_reads(tmp_path: Path) -> None:
    command(tmp_path, "sacct", "sleep 1.5; echo late")
    slurm = Slurm(bin_dir=str(tmp_path), timeout=1.0)
    with slurm.ending():
        slurm.begin("sacct", [])
        time.sleep(1.0)
        assert read(slurm) == "late\n"


def test_slurm_answers_for_the_next_qos_while_the_store_takes_in_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each QoS is asked for once, one after the other, and each after the answer before it has come."""
    header = ask.HEADER.replace(ask.DELIMITER, "\\037")
    script = (
        f'case "$*" in *--state=*) exit 1;; *--qos=*) echo "${{13}}" >>{tmp_path}/calls; printf "{header}\\n";; esac'
    )
    command(tmp_path, "sacct", script)
    for name in ("sacctmgr", "scontrol", "squeue"):
        command(tmp_path, name, "echo down >&2; exit 1")
    text = f'[cluster]\nname = "demo"\ntimezone = "UTC"\n[slurm]\nbin_dir = "{tmp_path}"\n'
    text += "".join(f'[[qos]]\nname = "{name}"\n' for name in ("one", "two", "three"))
    (tmp_path / "librarian.toml").write_text(f'{text}[paths]\nstate = "state"\nsite = "site"\n', encoding="utf-8")
    setup = load(tmp_path / "librarian.toml", {})
    begun: list[str] = []
    begin = Slurm.begin

    def noted(self: Slurm, name: str, arguments: list[str]) -> None:
        begun.extend(argument for argument in arguments if argument.startswith("--qos="))
        begin(self, name, arguments)

    added: list[list[str]] = []
    complete = Intake.complete

    def taken_in(self: Intake, *arguments: Any) -> None:
        added.append(begun.copy())
        complete(self, *arguments)

    monkeypatch.setattr(Slurm, "begin", noted)
    monkeypatch.setattr(Intake, "complete", taken_in)
    stages.collect_all(setup, Slurm(bin_dir=str(tmp_path)), NOW)
    assert begun == ["--qos=two", "--qos=three"]
    assert added == [["--qos=two"], ["--qos=two", "--qos=three"], ["--qos=two", "--qos=three"]]
    asked = (tmp_path / "calls").read_text().split()
    assert asked == ["--qos=one", "--qos=two", "--qos=three"]
