"""Who readers see: names, folding, keys; and that none of it depends on anything but who there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.privacy.rules import MODES, OTHERS, Rules, folded, pseudonym, public_names

KEY = b"k" * 32
USERS = st.lists(st.text(min_size=1, max_size=6), unique=True, max_size=12)
SHARES = st.lists(
    st.tuples(st.text(min_size=1, max_size=4), st.floats(0, 1)), unique_by=lambda pair: pair[0], max_size=12
)


@given(USERS, st.sampled_from(MODES))
def test_nobody_shares_a_name_and_the_order_does_not_matter(users: list[str], mode: str) -> None:
    rules = Rules(mode, aliases=dict(zip(users[:3], ("PI", "postdoc", "student"), strict=False)))  # type: ignore[arg-type]
    names = public_names(users, rules, KEY)
    assert set(names) == set(users)
    assert len(set(names.values())) == len(users)
    assert public_names(reversed(users), rules, KEY) == names


@given(USERS)
def test_short_names_are_no_whole_name_and_tell_users_apart(users: list[str]) -> None:
    names = public_names(users, Rules("short"), KEY)
    for user, short in names.items():
        assert short != user
        assert short not in users
        assert short.startswith(user[:1])


def test_short_names_are_lengthened_until_unique() -> None:
    assert public_names(["alice", "alan", "bob"], Rules("short"), KEY) == {"alice": "ali", "alan": "ala", "bob": "b"}
    assert public_names(["al", "alice"], Rules("short"), KEY) == {"al": "a1", "alice": "ali"}


def test_a_pseudonym_depends_on_key_and_name_alone() -> None:
    assert pseudonym("alice", KEY) == pseudonym("alice", KEY)
    assert pseudonym("alice", KEY) != pseudonym("alice", b"x" * 32)
    assert pseudonym("alice", KEY) != pseudonym("alicf", KEY)
    assert "alice" not in pseudonym("alice", KEY)
    assert public_names(["alice"], Rules("pseudonym"), KEY) == {"alice": pseudonym("alice", KEY)}


def test_who_has_no_alias_has_a_pseudonym() -> None:
    names = public_names(["alice", "bob"], Rules("alias", aliases={"alice": "PI", "zoe": "nobody"}), KEY)
    assert names == {"alice": "PI", "bob": pseudonym("bob", KEY)}


@pytest.mark.parametrize(
    ("rules", "hidden"),
    [
        (Rules(), set()),
        (Rules(hide=("bob",)), {"bob"}),
        (Rules(show=("bob",)), {"alice", "carol", "dave"}),
        (Rules(min_share=0.1), {"carol", "dave"}),
        (Rules(min_share=0.1, min_others=3), {"bob", "carol", "dave"}),
        (Rules(min_others=3), set()),  # nobody is hidden, so nobody can be found out
        (Rules(hide=("alice",), min_others=2), {"alice", "dave"}),
        (Rules(hide=("alice",), min_others=9), {"alice", "bob", "carol", "dave"}),
    ],
)
def test_who_is_folded_into_others(rules: Rules, hidden: set[str]) -> None:
    assert folded([("alice", 0.6), ("bob", 0.3), ("carol", 0.09), ("dave", 0.01)], rules) == hidden


@given(SHARES, st.floats(0, 1), st.integers(0, 6))
def test_others_are_nobody_or_enough(ranked: list[tuple[str, float]], share: float, least: int) -> None:
    hidden = folded(ranked, Rules(min_share=share, min_others=least))
    assert not hidden or len(hidden) >= min(least, len(ranked))
    assert all(user in hidden for user, part in ranked if part < share)


def test_all_who_are_folded_share_a_name_that_nobody_else_has() -> None:
    names = public_names(["alice", "others"], Rules(), KEY, frozenset({"bob", "carol"}))
    assert names["others"] == "others"
    assert names["bob"] == names["carol"] == f"{OTHERS}*"
