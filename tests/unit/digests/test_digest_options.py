"""[digest]: what is allowed, and who is reached where."""

from __future__ import annotations

import pytest

from librarian import config
from librarian.config.digest_options import DigestOptions
from librarian.digests.reach import way_to
from librarian.errors import ConfigError

HEAD = '[cluster]\nname = "demo"\n[[qos]]\nname = "avery"\n'


def parsed(text: str) -> DigestOptions | None:
    return config.parse(HEAD + text).digest


def test_without_the_table_there_is_none() -> None:
    assert parsed("") is None
    assert parsed("[digest]\n") == DigestOptions()


@pytest.mark.parametrize(
    "line",
    [
        'pattern = "{user}"',
        'pattern = "{user}@a@b"',
        'pattern = "{user}{user}@example.org"',
        'pattern = "{user}@example.org\\nBcc: x@example.org"',
        'group = ["pi"]',
        'group = "pi@example.org"',
        'group = ["pi@example.org\\n"]',
        'day = "noday"',
        "hour = 24",
        "quiet_days = -1",
        'unsubscribe = "javascript:alert(1)"',
        'unsubscribe = "https://example.org/\\nx"',
        'every = "day"',
        'addresses = {alice = "alice"}',
        'addresses = {alice = "-oQ/tmp@example.org"}',
        'opt_out = [""]',
        "no_such_key = 1",
    ],
)
def test_mistakes_are_told(line: str) -> None:
    with pytest.raises(ConfigError, match=r"digest\."):
        parsed(f"[digest]\n{line}\n")


OPTIONS = DigestOptions(
    pattern="{user}@example.org", addresses={"zoe": "zoe.b@example.org", "eve": ""}, opt_out=("bob",), folder="out"
)


@pytest.mark.parametrize(
    ("user", "address", "file"),
    [
        ("alice", "alice@example.org", False),
        ("zoe", "zoe.b@example.org", False),
        ("eve", "", True),
        ("bob", "", False),
        ("a b", "", True),
        ("-oQ", "", True),
        ("x@evil.org", "", True),
        ("x\nBcc: y", "", True),
        ("zoë", "", True),
        ("{user}", "", True),
        ("", "", True),
    ],
)
def test_who_is_reached_where(user: str, address: str, file: bool) -> None:
    way = way_to(OPTIONS, user)
    assert (way.address, way.file) == (address, file)


def test_opt_in_names_all_there_are() -> None:
    only = DigestOptions(pattern="{user}@example.org", opt_in=("alice",), opt_out=("alice",))
    assert way_to(only, "alice").is_none
    assert way_to(DigestOptions(pattern="{user}@example.org", opt_in=("alice",)), "bob").why == "not in opt_in"
    assert way_to(DigestOptions(members=False), "alice").is_none
    assert way_to(DigestOptions(), "alice").why == "no address"
