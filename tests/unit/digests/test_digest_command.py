"""`librarian digest` as it is called: printed, as files, sent; and its entry in the table of scrontab."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from librarian.cli import main
from librarian.cli.scheduling import entries_of
from librarian.config import setup as configfile
from librarian.cycle import digesting
from librarian.digests.record import Record
from librarian.scrontab import install
from librarian.store import opened
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.usage.sums import USAGE
from librarian.system import host
from tests.unit.digests.test_member import AVERY, WEEK, hold
from tests.unit.mail.test_transport import Box, served
from tests.unit.tables import jobs_table

CONFIG = """
[cluster]
name = "demo"
timezone = "UTC"
[paths]
state = "state"
site = "site"
[[qos]]
name = "avery"
"""
DIGEST = '[digest]\npattern = "{user}@example.org"\nopt_out = ["bob"]\ngroup = ["pi@example.org"]\nfolder = "out"\n'
Run = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.clock


def at(hour: int) -> int:
    return int(datetime(2026, 11, 23, hour, tzinfo=timezone.utc).timestamp())  # a Monday


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def place(tmp_path: Path, box: Box) -> Iterator[Path]:
    """Alice and bob held something last week; mail goes to the box."""
    with served(box) as options:
        mail = f'[mail]\nserver = "127.0.0.1"\nport = {options.port}\nsecurity = "none"\nsender = "us@example.org"\n'
        (tmp_path / "librarian.toml").write_text(CONFIG + DIGEST + mail)
        setup = configfile.load(tmp_path / "librarian.toml", {})
        setup.places.store.parent.mkdir(parents=True)
        with opened(setup.places.store, "demo") as store:
            with store.transaction():
                for user in ("alice", "bob", "a b"):
                    hold(store, user, WEEK.begin, "NCPUS", 10)
            store.add_known(AVERY, USAGE, (WEEK.before[3][0], at(8)))
            JobRuns(store).add(AVERY, Asked(WEEK.before[3][0], at(8), 1.0, full=True), jobs_table(), [])
        yield tmp_path


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr(host, "user_name", lambda: "alice")

    def called(*arguments: str, hour: int = 9) -> tuple[int, str, str]:
        monkeypatch.setattr(host, "clock", lambda: at(hour))
        capsys.readouterr()
        status = main(["--config", str(place / "librarian.toml"), "digest", *arguments])
        return status, *capsys.readouterr()

    return called


def recipients(box: Box) -> list[str]:
    return [one for to, _ in box.mails for one in to]


def test_ones_own_is_printed(run: Run, place: Path) -> None:
    status, out, _ = run()
    assert (status, out.splitlines()[0]) == (0, "Your week, 16–22 Nov 2026")
    assert "<h1>" in run("--html")[1]
    assert run("--pdf", "--output", str(place / "a.pdf"))[0] == 0
    assert (place / "a.pdf").read_bytes().startswith(b"%PDF")
    status, out, said = run("--user", "nobody")
    assert (status, out, "nothing to say" in said) == (0, "", True)
    assert run("--group")[0] == 4, "there is no site"


def test_a_dry_run_writes_what_would_go_to_whom(run: Run, place: Path, box: Box) -> None:
    status, out, _ = run("--dry-run", str(place / "dry"))
    assert (status, out.startswith("2 digests of 16–22 Nov 2026 would be sent")) == (0, True)
    with (place / "dry" / "digests.csv").open() as file:
        rows = {row["user"]: row for row in csv.DictReader(file)}
    assert {user: row["goes to"] for user, row in rows.items()} == {
        **{"a b": "a file", "alice": "alice@example.org", "bob": "opt_out"}
    }
    assert (place / "dry" / rows["alice"]["file"]).exists()
    assert not box.mails
    assert not (place / "state" / "demo.digests.jsonl").exists()


def test_due_from_eight_on_and_then_once(run: Run, place: Path, box: Box) -> None:
    assert run("--send", "--due", hour=7) == (0, "", "")
    assert not box.mails
    status, out, said = run("--send", "--due", hour=8)
    assert (status, said) == (0, "")
    assert out == "16–22 Nov 2026: 1 digest sent, 1 digest written as files\n"
    for hour in (8, 9, 20):
        assert run("--send", "--due", hour=hour) == (0, "", "")
    assert run("--send")[0] == 0
    assert recipients(box) == ["alice@example.org"]
    assert len(list((place / "out" / "2026-W47").iterdir())) == 2


def test_again_on_purpose(run: Run, box: Box) -> None:
    run("--send")
    assert run("--send", "--again", "--user", "alice")[0] == 0
    assert recipients(box) == ["alice@example.org"] * 2
    first, second = (data.partition(b"Message-ID: ")[2].split(b"\r\n")[0] for _, data in box.mails)
    assert first == second
    assert first
    assert run("--again")[0] == 2


def test_what_fails_for_now_is_done_in_the_next_hour(run: Run, place: Path, box: Box) -> None:
    box.answer = "451 not now"
    status, _, said = run("--send", "--due")
    assert (status, "alice could not be sent a digest" in said) == (8, True)
    box.answer = "250 taken"
    assert run("--send", "--due", hour=10)[0] == 0
    assert recipients(box) == ["alice@example.org"] * 2, "the first was refused"
    states = {one.user: one.state for one in Record(place / "state" / "demo.digests.jsonl").entries.values()}
    assert states["alice"] == "sent"


def test_a_second_one_at_once_sends_nothing(run: Run, place: Path, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from librarian.errors import BusyError

    def busy(*_: object) -> None:
        raise BusyError("sending digests is already going on")

    monkeypatch.setattr(host, "locked", busy)
    assert run("--send")[0] == 75
    assert not box.mails


def test_nobody_is_sent_anything_without_the_table(run: Run, place: Path, box: Box) -> None:
    (place / "librarian.toml").write_text(CONFIG)
    status, _, said = run("--send")
    assert (status, "no digest is configured" in said) == (2, True)
    assert run()[0] == 0, "one can look at it"
    setup = configfile.load(place / "librarian.toml", {})
    assert "digest" not in install.block(entries_of(setup, place / "librarian.toml"))


def test_an_entry_looks_each_hour(place: Path) -> None:
    setup = configfile.load(place / "librarian.toml", {})
    entries = entries_of(setup, place / "librarian.toml")
    block = install.block(entries)
    assert f"0 * * * * {entries.script('digest')}" in block
    assert block.count("#SCRON") == 3
    install.write_scripts(entries)
    assert entries.script("digest").read_text().rstrip().endswith(" digest --send --due")
    assert "digest" in install.form(entries, "crontab")
    assert "OnCalendar=*-*-* *:0" in install.form(entries, "systemd")


def test_the_key_names_cluster_week_and_user(place: Path) -> None:
    setup = configfile.load(place / "librarian.toml", {})
    period = digesting.period_of(setup, None, at(9))
    assert digesting.key(setup, period, "alice") == "digest demo 2026-W47 alice"
