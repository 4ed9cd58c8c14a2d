"""Facts of a report's window, by real names and by those that readers see; and the configuration's say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from librarian import config
from librarian.errors import ConfigError
from librarian.privacy.renaming import Renaming, names_in, renamed
from librarian.shared.names import AccountName, UserName
from librarian.shared.scope import Scope, Watched
from librarian.shared.window import window_until
from librarian.store import Store, opened
from librarian.subjects.efficiency.facts import EfficiencyFacts, by_user, group
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import FRACTION, Hours
from librarian.subjects.efficiency.options import EfficiencyOptions
from librarian.subjects.efficiency.subject import Efficiency
from librarian.subjects.subject import Reading, Tidying
from tests.unit.runs import T0
from tests.unit.subjects.efficiency.used import measured

AVERY = Scope("demo", "avery")
NOW = T0 - T0 % 3600 + 5 * 3600


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "demo.sqlite", "demo") as made:
        yield made


def facts(store: Store, **options: object) -> EfficiencyFacts | None:
    window = window_until(NOW, seconds=86400, bin_seconds=3600, zone="US/Eastern")
    return Efficiency().read(Reading(store, Watched(AVERY), window, options={**options}))


def told(store: Store) -> EfficiencyFacts:
    found = facts(store)
    assert found
    return found


def test_nothing_is_told_before_the_first_answer_or_where_it_is_turned_off(store: Store) -> None:
    assert facts(store) is None
    RunUses(store).take([AVERY], (T0, NOW), [measured()])
    assert facts(store, efficiency=EfficiencyOptions(enabled=False)) is None
    assert facts(store) is not None


def test_totals_and_bins_are_of_the_window(store: Store) -> None:
    runs = [measured(), measured(dbindex=8, user="bob", cpu=None, memory=None)]
    RunUses(store).take([AVERY], (T0, NOW), [*runs, measured(dbindex=9, start=T0 - 10**6, end=T0 - 10**6 + 100)])
    found = told(store)
    assert (found.known, found.until) == (((T0, NOW),), NOW)
    assert group(found.totals)["NCPUS"] == Hours(800 * FRACTION, 400 * FRACTION, 200 * FRACTION)
    assert by_user(found.totals)[UserName("bob")]["NCPUS"] == Hours(400 * FRACTION)
    assert (found.bins["NCPUS"] * 3600).sum(axis=1) == pytest.approx([800, 400, 200])


def test_names_are_those_that_readers_see(store: Store) -> None:
    runs = [measured(), measured(dbindex=8, user="bob", account="b")]
    RunUses(store).take([AVERY], (T0, NOW), runs)
    public = renamed(told(store), Renaming({"alice": "x", "bob": "x"}, {"a": "y", "b": "z"}))
    assert names_in([public])[UserName] == {"x"}
    assert names_in([public])[AccountName] == {"y", "z"}
    assert by_user(public.totals)[UserName("x")] == group(told(store).totals)


def test_old_runs_are_dropped_and_people_are_remembered(store: Store) -> None:
    RunUses(store).take([AVERY], (T0, NOW), [measured(user="gone"), measured(dbindex=8, user="here", end=NOW - 5)])
    assert Efficiency().tidy(Tidying(store, (Watched(AVERY),), NOW, lambda _: NOW - 60)) == 1
    assert Efficiency().people(store) == {"gone", "here"}
    assert group(told(store).totals)["NCPUS"].used == pytest.approx(400 * FRACTION, rel=0.001)


def test_its_keys_in_the_configuration() -> None:
    base = '[cluster]\nname = "hpg"\n[[qos]]\nname = "avery"\n'
    assert config.parse(base).efficiency == EfficiencyOptions()
    more = "[efficiency]\nenabled = false\ncollect_seconds = 5\n"
    assert config.parse(more + base).efficiency == EfficiencyOptions(False, 5)
    with pytest.raises(ConfigError, match="a whole number from 1 to 600"):
        config.parse("[efficiency]\ncollect_seconds = 0\n" + base)
