"""Our block in somebody's table: every byte that is not ours stays, whatever it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from librarian.scrontab import crontable

NAME = "hpg-abc123"
BLOCK = crontable.block_of(NAME, "#SCRON -J librarian\n*/10 * * * * /x/run.sh\n")
LINES = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=20),
        st.sampled_from([*crontable.markers(NAME), *crontable.markers("other"), "0 * * * * cmd", "#DISABLED: x", ""]),
    ),
    max_size=8,
)
TABLES = st.tuples(LINES, st.booleans()).map(lambda made: "\n".join(made[0]) + ("\n" if made[1] and made[0] else ""))


@given(TABLES)
def test_a_table_in_parts_is_the_table(text: str) -> None:
    assert crontable.parted(text, NAME).text == text


@given(TABLES)
def test_what_is_not_ours_stays_byte_for_byte(text: str) -> None:
    table = crontable.parted(text, NAME)
    after = crontable.with_block(text, NAME, BLOCK)
    if table.block:
        assert after == table.before + BLOCK + table.after
    else:
        gap = "" if not text or text.endswith("\n") else "\n"
        assert after == text + gap + BLOCK


@given(TABLES)
def test_putting_it_in_twice_is_putting_it_in_once(text: str) -> None:
    once = crontable.with_block(text, NAME, BLOCK)
    assert crontable.with_block(once, NAME, BLOCK) == once
    assert BLOCK in once


@given(TABLES)
def test_taking_it_out_leaves_the_rest(text: str) -> None:
    table = crontable.parted(text, NAME)
    assert crontable.with_block(text, NAME, "") == table.before + table.after


def test_two_installations_do_not_know_each_other() -> None:
    other = crontable.block_of("other", "* * * * * y")
    both = crontable.with_block(crontable.with_block("", NAME, BLOCK), "other", other)
    assert crontable.with_block(both, NAME, "") == other
    assert crontable.parted(both, NAME).block == BLOCK


def test_half_a_block_is_nobody_s() -> None:
    begin, end = crontable.markers(NAME)
    for text in (f"{begin}\n* * * * * x\n", f"* * * * * x\n{end}\n", f"{end}\n{begin}\n"):
        assert crontable.parted(text, NAME).block == ""
        assert text in crontable.with_block(text, NAME, BLOCK)


def test_disabled_and_paused_are_told_apart() -> None:
    lines = BLOCK.splitlines()
    disabled = "\n".join([lines[0], *(crontable.DISABLED + line for line in lines[1:-1]), lines[-1]]) + "\n"
    assert crontable.parted(disabled, NAME).disabled
    assert not crontable.parted(disabled, NAME).paused
    paused = crontable.paused(BLOCK)
    assert crontable.parted(paused, NAME).paused
    assert not crontable.parted(paused, NAME).disabled
    assert all(line.startswith("#") for line in paused.splitlines())
    assert not crontable.parted(f"#DISABLED: 0 * * * * foreign\n{BLOCK}", NAME).disabled


def test_a_difference_says_what_would_change() -> None:
    told = crontable.difference("a\n", crontable.with_block("a\n", NAME, BLOCK))
    assert "+*/10 * * * * /x/run.sh" in told
    assert crontable.difference("a\n", "a\n") == []
