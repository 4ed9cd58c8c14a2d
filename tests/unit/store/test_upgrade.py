"""From 0.1.0 to here: what that version left on disk goes on as it was, whenever the upgrade is killed."""

from __future__ import annotations

import gzip
import itertools
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from librarian import config
from librarian.backfill import job_array
from librarian.backfill.slices import Hands
from librarian.cli.backfill import target_of
from librarian.cli.scheduling import entries_of
from librarian.config import setup as configfile
from librarian.config.setup import Setup
from librarian.cycle import stages
from librarian.privacy import pseudonyms
from librarian.privacy.rules import Rules
from librarian.scrontab import crontable, install
from librarian.scrontab.installed import installation, recorded
from librarian.shared.names import UserName
from librarian.shared.scope import Scope, full_key
from librarian.store import MIGRATIONS, check, database, opened
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.limits.keep import LimitChanges
from librarian.subjects.months.keep import MonthSums
from librarian.subjects.queue.keep import QueueSamples
from librarian.subjects.usage.keep import Hours
from librarian.subjects.usage.sums import PAUSES
from tests.places import DATA
from tests.unit.cycles import NOW, leave_out_pictures

LEFT = DATA / "store-0.1.0"
HOME = Path("/home/ann/librarian")  # where it was
SCHEMA = 6  # of its store
AVERY, AVERY_B = Scope("demo", "avery"), Scope("demo", "avery-b", ("lab", "class"))
OLDER = {AVERY: '["avery", [], []]', AVERY_B: '["avery-b", ["class", "lab"], []]'}
EVER = 2**40
CHANGED = {"limit_change", "bins"}  # tables that look otherwise now
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """What 0.1.0 left, in a folder of its own."""
    for file in (path for path in LEFT.rglob("*") if path.is_file()):
        target = tmp_path / file.relative_to(LEFT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".gz":
            target.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        else:
            shutil.copy(file, target)
    (tmp_path / "state" / "privacy.key").chmod(0o600)
    return configfile.setup(config.parse((tmp_path / "librarian.toml").read_text()), tmp_path, {})


def rows_in(path: Path) -> Rows:
    """All rows of a store's file, by table."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in tables}


def of(rows: Rows, table: str, scope: Scope) -> set[tuple[Any, ...]]:
    """The rows of a scope as 0.1.0 called it, without its name."""
    return {row[1:] for row in rows[table] if row[0] == OLDER[scope]}


def assert_all_is_there(path: Path, before: Rows) -> None:
    """Everything that was in the store is found by the scopes of today."""
    with opened(path, "demo") as store:
        for scope in OLDER:
            for table in ("usage", "account_usage", "ended"):
                assert set(Hours(store).rows(table, scope, (0, EVER))) == of(before, table, scope) != set()
            for what in ("usage", "runs"):
                spans = {row[1:] for row in of(before, "known", scope) if row[0] == what}
                assert set(store.known(scope, what)) == spans != set()
            assert sums_of(store_months(store, scope)) == of(before, "month_usage", scope) != set()
            changes = LimitChanges(store).of(scope)
            assert [one.since for one in changes] == [row[1] for row in before["limit_change"] if row[0] == scope.qos]
            samples = QueueSamples(store).between(scope, 0, EVER)
            assert set(samples.looks.itertuples(index=False, name=None)) == of(before, "queue_look", scope) != set()
            assert len(samples.sums) == len(of(before, "wanted", scope))
            assert len(QueueSamples(store).last(scope).table) == len(of(before, "waiting", scope))
            assert [(r.key, r.reason) for r in JobRuns(store).rejects(scope)] == [
                row[:2] for row in of(before, "reject", scope)
            ]
            coverage = JobRuns(store).coverage(scope)
            assert coverage
            assert {(coverage.covered_from, coverage.complete_at, coverage.full_at)} == of(before, "scope", scope)
            assert JobRuns(store).last_query(scope)
            assert store.kept_bins(scope, "usage")
        assert JobRuns(store).people() == {row[0] for row in before["person"]}
        assert len(QueueSamples(store).between(AVERY, 0, EVER).sums), "somebody waited"
    after = rows_in(path)
    after |= {name: [row[:-1] for row in after[name]] for name in ("query", "queue")}  # they have a kind of error now
    assert {row[-4:] for row in after["job"]} == {(-1, -1, -1, -1)}, "what was never asked for is not told, and not 0"
    after["job"] = [row[:-4] for row in after["job"]]
    assert {name: after[name] for name in before.keys() - CHANGED} == {
        name: before[name] for name in before.keys() - CHANGED
    }


def store_months(store: Any, scope: Scope) -> Any:
    return MonthSums(store).months(scope, EVER)


def sums_of(months: Any) -> set[tuple[Any, ...]]:
    """As the rows of `month_usage`."""
    return {
        (month.begin, kind, str(name), key, amount)
        for month in months
        for kind, names in (("user", month.users), ("account", month.accounts))
        for name, sums in names.items()
        for key, amount in sums.items()
    }


def test_every_hour_month_limit_and_sample_is_there(setup: Setup) -> None:
    before = rows_in(setup.places.store)
    assert_all_is_there(setup.places.store, before)
    assert rows_in(setup.places.store.with_name(f"demo.sqlite.schema-{SCHEMA}")) == before, "a copy as it was"
    found = check(setup.places.store)
    assert (found.problems, found.schema) == ((), len(MIGRATIONS))


def test_of_another_cluster_nothing_is_known(setup: Setup) -> None:
    with opened(setup.places.store, "demo") as store:
        for scope in OLDER:
            other = replace(scope, cluster="other")
            assert set(Hours(store).rows("usage", other, (0, EVER))) == set()
            assert store.known(other, "usage") == ()
            assert LimitChanges(store).of(other) == ()
            assert JobRuns(store).coverage(other) is None
            assert Hours(store).rows("usage", replace(scope, cluster="DEMO"), (0, EVER))


@pytest.fixture
def moments(setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The store as a kill would leave it, before each statement of the upgrade."""
    number, real = itertools.count(), database.statements

    def watched(script: str) -> Iterator[str]:
        for statement in real(script):
            place = tmp_path / "killed" / str(next(number))
            place.mkdir(parents=True)
            for file in setup.places.state.glob("demo.sqlite*"):
                shutil.copy(file, place / file.name)
            yield statement

    with monkeypatch.context() as patch:
        patch.setattr(database, "statements", watched)
        with opened(setup.places.store, "demo"):
            pass
    return sorted((tmp_path / "killed").iterdir(), key=lambda place: int(place.name))


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(setup: Setup, moments: list[Path], tmp_path: Path) -> None:
    original = tmp_path / "state" / f"demo.sqlite.schema-{SCHEMA}"
    before = rows_in(original)
    assert len(moments) > len(MIGRATIONS)
    versions = set()
    for place in moments:
        with closing(sqlite3.connect(place / "demo.sqlite")) as connection:
            versions.add(connection.execute("PRAGMA user_version").fetchone()[0])
        assert_all_is_there(place / "demo.sqlite", before)
        assert rows_in(place / original.name) == before
    assert versions == set(range(SCHEMA, len(MIGRATIONS)))


def test_a_copy_that_was_not_finished_is_made_again(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows_in(setup.places.store)

    def killed(connection: sqlite3.Connection, target: Path) -> None:
        target.with_name(f".{target.name}.00000001").write_bytes(b"half a copy")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(database, "copy_of", killed)
        with opened(setup.places.store, "demo"):
            pass
    assert rows_in(setup.places.store) == before
    assert_all_is_there(setup.places.store, before)
    assert rows_in(setup.places.store.with_name(f"demo.sqlite.schema-{SCHEMA}")) == before


def test_two_that_upgrade_at_once_do_it_once(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = rows_in(setup.places.store), database.copy_of

    def meanwhile(connection: sqlite3.Connection, target: Path) -> None:
        real(connection, target)
        with monkeypatch.context() as patch:
            patch.setattr(database, "copy_of", real)
            with opened(setup.places.store, "demo"):
                pass

    monkeypatch.setattr(database, "copy_of", meanwhile)
    assert_all_is_there(setup.places.store, before)


def test_a_key_that_nobody_can_have_asked_for_stops_no_upgrade(setup: Setup) -> None:
    with closing(sqlite3.connect(setup.places.store)) as connection, connection:
        for key in ("no key", "[]", "7", '["a", "b"]'):
            connection.execute("INSERT INTO usage VALUES (?, 1, 3600, 'NCPUS', 'x', 1.0)", (key,))
    assert_all_is_there(setup.places.store, rows_in(setup.places.store))


@pytest.mark.parametrize("key", ["no key", "[]", "7", '["a", "b"]', '{"a": 1}', ""])
def test_what_is_no_key_of_a_scope(key: str) -> None:
    with pytest.raises(ValueError, match=r"no key|Expecting"):
        full_key(key, "demo")


def test_a_key_of_before_gets_the_cluster_and_one_of_today_stays() -> None:
    for scope, older in OLDER.items():
        assert full_key(older, "Demo") == scope.key
        assert full_key(scope.key, "other") == scope.key


def about(told: Any) -> Any:
    """Equal to what differs in thousandths: hours had two places."""
    if isinstance(told, dict):
        return {key: about(value) for key, value in told.items()}
    if isinstance(told, list):
        return [about(value) for value in told]
    return pytest.approx(told, abs=0.0051) if isinstance(told, (int, float)) else told


@pytest.mark.parametrize("qos", ["avery", "avery-b"])
def test_it_shows_what_it_showed(setup: Setup, monkeypatch: pytest.MonkeyPatch, qos: str) -> None:
    leave_out_pictures(monkeypatch)
    assert stages.render(setup, NOW) == []
    shown = json.loads((setup.places.site / f"data_{qos}.json").read_bytes())
    before = json.loads((setup.places.base / "shown" / f"data_{qos}.json").read_bytes())
    for month in shown["months"]:
        assert (month.pop("older_rule_to") or shown["edges"][0]) == min(month["to"], shown["edges"][0])
    assert {row.pop("enforced") for row in shown["policy"]} <= {"everywhere", "partly", "never"}, "not told before"
    before |= {key: about(before[key]) for key in ("months", "allocations")}
    for key, limit in shown["limits"].items():
        used = limit.pop("used")  # not told before
        assert used is None or limit["kind"] == "limit"
        if limit["kind"] == "limit" and used is None and before["pressure"].get(key):
            assert " of association " in limit["source"], "where others count too it was told as if they did not"
            assert shown["pressure"][key].pop("share") is None
            del before["pressure"][key]["share"]
    assert shown["waits"].pop("before").keys() <= shown["waits"]["ranges"].keys(), "it is new"
    for told in (shown, before):
        del told["metadata"]["generator"], told["metadata"]["next_expected"]
    assert {key: shown.get(key) for key in before} == before


def test_the_files_of_the_site_have_the_names_that_they_had(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_pictures(monkeypatch)
    assert stages.render(setup, NOW) == []
    index = json.loads((setup.places.site / "index.json").read_bytes())
    before = json.loads((setup.places.base / "shown" / "index.json").read_bytes())
    for told in (index, before):
        assert [one["slug"] for one in told["qos"]] == ["avery", "avery-b"]
    assert [one.pop("script") for one in index["qos"]] == ["data_avery.js", "data_avery-b.js"], "it is new"
    new = [one["figures"].pop("efficiency") for one in index["qos"]]
    assert [both["png"] for both in new] == ["efficiency_avery.png", "efficiency_avery-b.png"], "so is this"
    assert [{**one, "last_updated": NOW} for one in index["qos"]] == before["qos"]


def test_pseudonyms_are_the_same(setup: Setup) -> None:
    state = setup.places.state
    before = json.loads((state / "names.json").read_bytes())["names"]
    known = pseudonyms.kept(state)
    assert known is not None
    assert (dict(known.names), known.rules) == (before, Rules(users="pseudonym"))
    (state / "names.json").unlink()  # from the key alone
    people = [name for name in before if name != "root"]
    weights = {UserName(name): 0.25 for name in people}
    fresh = pseudonyms.choose(setup.config.privacy, weights, people, state, people[0])
    assert {name: fresh.names[name] for name in people} == {name: before[name] for name in people}


def test_the_block_in_the_table_of_scrontab_is_ours(setup: Setup) -> None:
    table = (setup.places.base / "scrontab").read_text()
    name = installation(setup.config.cluster.name, HOME / "librarian.toml")
    known = recorded(setup.places.state, name)
    assert known is not None
    found = crontable.parted(table, name)
    assert found.block == known.block
    assert found.before.endswith("/home/ann/backup.sh\n")
    assert found.after == "# and more\n"
    there = configfile.setup(setup.config, HOME, {})
    assert install.block(entries_of(there, HOME / "librarian.toml")) == found.block, (
        "to install it again changes nothing"
    )


def test_a_backfill_that_had_begun_is_merged(setup: Setup) -> None:
    hands = Hands(clock=lambda: NOW, stopwatch=lambda: 0.0, pause=lambda seconds: None)
    (folder,) = job_array.unmerged(setup.places.store)
    plan = job_array.read_plan(folder)
    assert [order.scope for task in plan.tasks for order in task] == [AVERY, AVERY_B]
    span = plan.tasks[0][0].spans[0]
    hours = {row[1:] for row in rows_in(job_array.part(folder, 0))["usage"]}
    done = job_array.merge(target_of(setup), hands)
    assert (done.seconds, done.parts, done.open_tasks) == (span[1] - span[0], 1, 1)
    with opened(setup.places.store, "demo") as store:
        assert set(Hours(store).rows("usage", AVERY, span)) == hours != set()
        assert store.known(AVERY, "usage")[0][0] == span[0]
        assert store.known(AVERY, PAUSES) == (), "it counted suspended jobs by its own rule"
