"""Whatever reads TOML on this Python.

Python 3.10 brings nothing for it. Who installs us with pip gets tomli; who runs a checkout with the packages of a
cluster's module may not have it, but has pip, which carries a copy for itself.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Protocol, cast

from librarian.errors import ConfigError

READERS = ("tomllib", "tomli", "pip._vendor.tomli")


class TomlReader(Protocol):
    """What is used of tomllib, and of what stands in for it."""

    def loads(self, text: str, /) -> dict[str, Any]:
        """The tables in `text`. Raises `ValueError`, or `RecursionError`."""


def reader() -> TomlReader:
    """The first of those that are here. Raises `ConfigError` when there is none."""
    for name in READERS:
        try:
            return cast(TomlReader, import_module(name))
        except ImportError:
            pass
    version = ".".join(map(str, sys.version_info[:2]))
    why = f"Python {version} has neither tomllib nor tomli, nor pip with its copy"
    todo = f"use Python 3.11 or later, or: {sys.executable} -m pip install tomli"
    raise ConfigError("this Python cannot read TOML", why, todo)
