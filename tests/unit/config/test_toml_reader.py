"""What reads TOML where Python brings nothing for it."""

from __future__ import annotations

import sys

import pytest

from librarian.config import parse
from librarian.config.toml_reader import READERS, reader
from librarian.errors import ConfigError

SMALLEST = '[cluster]\nname = "hpg"\n[[qos]]\nname = "avery"\n'


def take_away(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Python answers as if it had not these modules."""
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


def test_pip_s_copy_does_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(monkeypatch, "tomllib", "tomli")
    assert getattr(reader(), "__name__", "") == "pip._vendor.tomli"
    assert parse(SMALLEST).cluster.name == "hpg"
    with pytest.raises(ConfigError, match=r"librarian\.toml is not TOML: .*line 2"):
        parse("[cluster]\nname hpg")


def test_python_s_own_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    own = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    assert getattr(reader(), "__name__", "") == own
    take_away(monkeypatch, "pip._vendor.tomli", "pip")
    assert parse(SMALLEST).cluster.name == "hpg"


def test_where_nothing_reads_it_that_is_said_and_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(monkeypatch, *READERS)
    with pytest.raises(ConfigError) as caught:
        parse(SMALLEST)
    assert caught.value.what == "this Python cannot read TOML"
    assert f"{sys.executable} -m pip install tomli" in caught.value.todo
