"""The machine's side: Python, packages, the charts' library. Needs none of what it looks for."""

from __future__ import annotations

import sys
from importlib import import_module, metadata

from librarian import __version__
from librarian.doctor.finding import FAIL, OK, WARN, Finding
from librarian.site import assets

NEEDED = {"pandas": (1, 5), "matplotlib": (3, 5), "jinja2": (3, 0), "pytz": (0,), "numpy": (1,)}
OLDEST_PYTHON = (3, 10)


def examine() -> list[Finding]:
    """Python, every package that is needed, and Plotly."""
    return [_python(), *(package(name, oldest) for name, oldest in NEEDED.items()), _sqlite(), _plotly()]


def _python() -> Finding:
    text = f"{sys.version.split()[0]}, {sys.executable}; librarian {__version__}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("python", FAIL, text, "run it with Python 3.10 or later")
    return Finding("python", OK, text)


def package(name: str, oldest: tuple[int, ...]) -> Finding:
    """Whether a package is there, can be imported, and is not too old."""
    todo = f"install it: {sys.executable} -m pip install {name}; or load the module that brings it"
    try:
        made = import_module(name)
    except Exception as error:  # a broken installation raises anything
        return Finding(name, FAIL, f"cannot be imported: {type(error).__name__}: {error}"[:300], todo)
    version = _version(name) or str(getattr(made, "__version__", ""))
    if version and _numbers(version) < oldest:
        wanted = ".".join(map(str, oldest))
        return Finding(name, FAIL, f"{version} is older than {wanted}", todo)
    return Finding(name, OK, version or "a version that is not told")


def _sqlite() -> Finding:
    try:
        made = import_module("librarian.store")
    except ImportError as error:
        return Finding("sqlite", FAIL, str(error), "use a Python with the module sqlite3, and the packages above")
    return Finding("sqlite", OK, f"a store of schema {len(made.MIGRATIONS)} can be written")


def _plotly() -> Finding:
    found = assets.plotly()
    if found.path is None:
        text = f"plotly.js is not on this machine: the page asks {found.url} for it"
        return Finding("plotly", WARN, text, "pip install plotly, or npm ci in dashboard/, and it needs nobody")
    return Finding("plotly", OK, f"plotly.js {found.version} ({found.kind}), {found.path}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    parts = []
    for part in version.split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)
