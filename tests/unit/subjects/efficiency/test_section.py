"""What runs used, from facts to the JSON and the page without a script."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from librarian.privacy.renaming import Renaming, renamed
from librarian.shared.window import Window, window_until
from librarian.subjects.efficiency import plain
from librarian.subjects.efficiency.facts import EfficiencyFacts
from librarian.subjects.efficiency.model import KEYS
from librarian.subjects.efficiency.section import EfficiencySection, begins, build
from librarian.subjects.efficiency.slots import SLOT
from librarian.subjects.efficiency.to_json import efficiency_json
from tests.unit import rendering
from tests.unit.reports import DAY, HOUR, NOW, ZONE, Run, jobs_table, report_of
from tests.unit.uses import facts_of

HELD = "billing=4,cpu=4,gres/gpu:a100=1,gres/gpu=1,mem=16G,node=1"
RUNS = [Run("ada", NOW - 10 * HOUR, NOW - 8 * HOUR), Run("bob", NOW - 40 * HOUR, NOW - 30 * HOUR, HELD, account="kim")]


def window() -> Window:
    return window_until(NOW, seconds=30 * DAY, bin_seconds=HOUR, zone=ZONE)


def facts(runs: list[Run] | None = None) -> EfficiencyFacts:
    return facts_of(jobs_table(RUNS if runs is None else runs), window())


def section(runs: list[Run] | None = None) -> EfficiencySection:
    return build(facts(runs), window())


def data() -> Any:
    report = report_of(RUNS)
    return json.loads(rendering.data_json(report, next_expected=NOW + 600, version="0.1.0"))


def test_users_accounts_and_partitions_add_up_to_the_group() -> None:
    whole = section().whole
    assert sorted(whole.users) == ["ada", "bob"]
    assert sorted(whole.accounts) == ["kim", "lab"]
    for key, total in whole.total.items():
        for side in (whole.users, whole.accounts, whole.partitions):
            told = [by_key[key] for by_key in side.values() if key in by_key]
            assert sum(one.allocated for one in told) == total.allocated
            assert sum(one.used for one in told) == total.used


def test_ranges_begin_on_a_slot_and_hold_what_is_in_them() -> None:
    assert set(begins(window())) == {"6h", "12h", "24h", "3d", "7d", "14d"}
    assert all(since % SLOT == 0 for since in begins(window()).values())
    found = section()
    assert sorted(found.ranges["24h"].users) == ["ada"]
    assert sorted(found.ranges["3d"].users) == ["ada", "bob"]
    assert found.ranges["6h"].total == {}


def test_bins_are_those_of_the_window() -> None:
    rows = section().bins["NCPUS"]
    assert rows.shape == (3, window().bins)
    assert max(rows[0]) == pytest.approx(4)
    assert sum(rows[0]) == pytest.approx(4 * 12), "bins of an hour, none of them cut"
    assert set(section().bins) <= set(KEYS), "GPUs by type have no chart"


def test_the_json_has_what_other_programs_read() -> None:
    told = efficiency_json(section())
    users = told["users"]
    assert isinstance(users, dict)
    assert set(users["ada"]["NCPUS"]) == {"allocated_hours", "measured_hours", "used_hours"}
    assert users["ada"]["NCPUS"]["allocated_hours"] == 8
    assert 0 < users["ada"]["NCPUS"]["used_hours"] < 8
    assert users["bob"]["NGPUS"] == {"allocated_hours": 10, "measured_hours": 0, "used_hours": None}, "not 0"
    assert users["bob"]["NGPUS:a100"] == users["bob"]["NGPUS"]
    assert "NGPUS" not in users["ada"]


def test_names_are_those_that_readers_see() -> None:
    names = Renaming({"ada": "user-1", "bob": "user-1"}, {"lab": "x", "kim": "y"})
    both = build(renamed(facts(), names), window()).whole
    assert list(both.users) == ["user-1"]
    assert both.users["user-1"] == section().whole.total  # type: ignore[index]
    assert sorted(both.accounts) == ["x", "y"]


def test_where_accounts_are_not_shown_there_are_none() -> None:
    found = build(renamed(facts(), Renaming(shows_accounts=False)), window())
    assert found.whole.accounts == {}
    assert found.whole.total == section().whole.total
    told = json.dumps(efficiency_json(found))
    assert "kim" not in told


def test_where_partitions_are_not_shown_there_are_none() -> None:
    found = build(renamed(facts(), Renaming(shows_partitions=False)), window())
    assert found.whole.partitions == {}
    assert list(section().whole.partitions) == ["gpu"]


def test_the_plain_page_says_how_much_is_known() -> None:
    (part,) = plain.parts(data(), ZONE)
    lines = dict(part.items)
    assert " % used (known for 100 % of the CPU-hours); " in lines["CPUs"]
    assert lines["GPUs"] == "not measured on this cluster"
    assert [table.title for table in part.tables] == ["CPU-hours by user"]
    assert "0 %" not in {cell for table in part.tables for row in table.rows for cell in row}


def test_whoever_left_most_unused_stands_first() -> None:
    (part,) = plain.parts(data(), ZONE)
    table = part.tables[0]
    left = [float(row[4].replace(",", "")) for row in table.rows]
    assert left == sorted(left, reverse=True)
    assert table.foot[0] == "2 users"


def test_where_it_was_never_asked_for_nothing_is_said() -> None:
    assert list(plain.parts({**data(), "efficiency": None}, ZONE)) == []
    none = replace(facts([]), known=())
    assert efficiency_json(build(none, window()))["total"] == {}
