"""Runs whose store or names are lost or damaged: what Slurm has purged meanwhile is told all the same."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from librarian.config.setup import Setup
from librarian.cycle import stages
from librarian.demo.slurm import DemoSlurm
from librarian.errors import LibrarianError, StoreError
from librarian.shared.window import DAY
from librarian.slurm.command import Slurm
from librarian.store import check, copies, opened
from librarian.subjects.usage.keep import Hours
from tests.unit.cycles import AVERY, BASE, NOW, TWO_DAYS, WEB, configured, ended, leave_out_pictures

CONFIG = BASE + TWO_DAYS + AVERY + WEB
LATER = NOW + 4 * DAY


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_pictures(monkeypatch)


def cycle(setup: Setup, now: int = NOW, *, purged: bool = False) -> list[LibrarianError]:
    runs = [ended(9, start=now - 7200, end=now - 3600, user="bob")]
    if not purged:
        runs += [ended(1), ended(2, user="bob")]
    return stages.run(setup, Slurm(runner=DemoSlurm(runs, now=now, user="alice")), now)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """After two days with a run each, of which Slurm does not know the first one's jobs any more."""
    setup = configured(tmp_path, CONFIG)
    assert cycle(setup) == []
    assert cycle(setup, LATER, purged=True) == []
    return setup


def hours(setup: Setup) -> float:
    """CPU-seconds of all that ended before the second day."""
    with opened(setup.places.store, setup.config.cluster.name) as store:
        table = Hours(store).usage(setup.config.scope(setup.config.qos[0]), 0, NOW)
    return float(table[table["observable"] == "NCPUS"]["amount"].sum())


def dangling(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("UPDATE job SET user = 5555")


def flipped(path: Path) -> None:
    """A bit of each page but the first is another: the one that tells leaves from what lies above them."""
    size, data = 4096, bytearray(path.read_bytes())
    for place in range(size, len(data), size):
        data[place] ^= 8
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"garbage" * 999),
    "dangling": dangling,
    "flipped": flipped,
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE)
def test_history_that_slurm_has_purged_outlives_the_store(
    setup: Setup, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    before, shown = hours(setup), json.loads((setup.places.site / "data_avery.json").read_bytes())["months"]
    assert before > 0
    DAMAGE[damage](setup.places.store)
    with caplog.at_level(logging.WARNING):
        assert cycle(setup, LATER + 600, purged=True) == []
    assert "takes its place; Slurm is asked for what came later" in caplog.text
    assert hours(setup) == before
    assert check(setup.places.store).problems == ()
    months = json.loads((setup.places.site / "data_avery.json").read_bytes())["months"]
    assert [month["users"] for month in months] == [month["users"] for month in shown]


@pytest.mark.slow
def test_a_store_that_nobody_stumbled_over_is_found_within_a_day(setup: Setup) -> None:
    before = hours(setup)
    with closing(sqlite3.connect(setup.places.store)) as connection:
        connection.executescript("INSERT INTO fact VALUES ('nobody asks for it', '{\"a', 1)")
    assert cycle(setup, LATER + 600, purged=True) == []
    assert check(setup.places.store).problems
    assert cycle(setup, LATER + DAY, purged=True) == []
    assert check(setup.places.store).problems == ()
    assert hours(setup) == before
    assert [mark for mark, _ in copies(setup.places.store)] == [LATER, NOW], "no copy was made of what is damaged"
    assert cycle(setup, LATER + DAY + 600, purged=True) == []
    assert hours(setup) == before


@pytest.mark.slow
def test_broken_names_stop_nothing_where_all_are_shown(tmp_path: Path) -> None:
    setup = configured(tmp_path, CONFIG)
    cycle(setup)
    names = setup.places.state / "names.json"
    names.write_text("{")
    assert stages.publish(setup, NOW) == []
    assert cycle(setup, NOW + 600) == []
    assert "alice" in json.loads(names.read_bytes())["names"]
    names.unlink()
    names.mkdir()
    assert cycle(setup, NOW + 1200) == []


@pytest.mark.slow
def test_broken_names_are_written_anew_where_names_are_kept_back(tmp_path: Path) -> None:
    setup = configured(tmp_path, CONFIG + '[privacy]\nusers = "pseudonym"\n')
    cycle(setup)
    names = setup.places.state / "names.json"
    before = json.loads(names.read_bytes())
    names.write_text("{")
    [problem] = stages.publish(setup, NOW)
    assert isinstance(problem, LibrarianError), "nothing leaves that could not be looked through"
    assert "names that readers see" in str(problem)
    assert cycle(setup, NOW + 600) == []
    assert json.loads(names.read_bytes()) == before
    names.unlink()
    names.mkdir()
    with pytest.raises(StoreError, match="names that readers see"):
        cycle(setup, NOW + 1200)
