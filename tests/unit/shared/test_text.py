"""Names from outside, colours, limits: what people and files get to see."""

from __future__ import annotations

import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.palette import MORE, OTHERS, TIERS, assign, told_apart
from librarian.shared.resources import JOBS, OBSERVABLES
from librarian.shared.text import csv_cell, file_safe, shown
from librarian.subjects.limits.model import QosLimits, limits_of
from tests.places import ROOT


@pytest.mark.parametrize("name", ["avery", "avery-b", "a.b_C9", "_x"])
def test_plain_names_are_file_names(name: str) -> None:
    assert file_safe(name) == name


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_name_gives_a_safe_file_name_of_its_own(one: str, other: str) -> None:
    safe = file_safe(one)
    assert safe
    assert len(safe) <= 100
    assert not set(safe) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-~")
    assert safe[0] not in ".-"
    assert (file_safe(other) == safe) == (one == other)


@given(st.text())
def test_what_is_shown_can_be_seen(name: str) -> None:
    assert all(c.isprintable() or c in "\u3000\u00a0" or c.isspace() for c in shown(name))
    assert len(shown(name)) <= 48


def test_what_cannot_be_seen_is_marked() -> None:
    assert shown("a\u202eb\n\x00") == "a\ufffdb\ufffd\ufffd"
    assert shown("x" * 60) == "x" * 47 + "…"


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "\tx"])
def test_a_spreadsheet_takes_no_name_for_a_formula(name: str) -> None:
    assert csv_cell(name) == f"'{name}"
    assert csv_cell("alice") == "alice"


def test_the_first_users_all_differ_in_colour() -> None:
    first = sum(len(tier) for tier in TIERS)
    colours = assign([f"user{n}" for n in range(40)])
    assert len(set(list(colours.values())[:first])) == first >= 12
    assert len(colours) == 40


def test_who_is_shown_together_is_told_apart_as_on_the_page() -> None:
    for case in json.loads((ROOT / "tests/data/colours.json").read_text(encoding="utf-8")):
        found = told_apart(dict(case["colours"]), case["users"], case["later"])
        assert [[user, colour] for user, colour in found.items()] == case["wanted"]
    users = [f"user{number}" for number in range(300)]
    assert len(set(told_apart(assign(users), users).values())) == 300


def test_the_page_has_the_same_colours_in_the_same_order() -> None:
    text = (ROOT / "dashboard/charts/colours.js").read_text(encoding="utf-8")
    assert re.findall('"(#[0-9A-F]{6})"', text) == [OTHERS, *itertools.chain(*TIERS, MORE)]
    assert len({*itertools.chain(*TIERS, MORE), OTHERS}) == 51


def test_a_colour_stays_when_the_order_changes_and_nobody_is_in_the_way() -> None:
    assert assign(["alice"])["alice"] == assign(["alice", "zoe"])["alice"]
    assert assign(["a", "b"]) == assign(["a", "b"])


def test_a_limit_no_limit_and_not_known() -> None:
    said = QosLimits({"cpu": 430.0, "gres/gpu": 0.0}, None)
    found = limits_of(OBSERVABLES, said, {"mem": 10.0, JOBS: 0.0})
    assert [found[key].kind for key in ("NCPUS", "NGPUS", "MEMORY", "NJOBS", "BILLING")] == [*["limit"] * 4, "none"]
    assert (found["NGPUS"].value, found["NGPUS"].source) == (0, "GrpTRES gres/gpu")
    assert (found["MEMORY"].value, found["MEMORY"].source) == (10, "configuration")
    assert (found["BILLING"].value, found["BILLING"].threshold) == (None, 0)
    assert {limit.kind for limit in limits_of(OBSERVABLES, None, {}).values()} == {"unknown"}
    assert limits_of(OBSERVABLES, QosLimits({}, 20.0), {})["NJOBS"].value == 20
