"""Our own files that are not Python: the page's templates and modules, and Plotly.

An installed wheel carries them in librarian/_assets; a checkout has them in its top-level folders. Nothing here is
read at import time, and nothing is downloaded.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import librarian
from librarian.errors import LibrarianError
from librarian.render.plotly import Plotly

# The npm package that dashboard/package.json pins, for a page that has no file to load: tests hold the two together.
BASIC_PACKAGE = "plotly.js-basic-dist-min"
BASIC_FILE = "plotly-basic.min.js"
BASIC_VERSION = "4.1.1"
BASIC_INTEGRITY = "sha384-N2HZsG+IG/3J8CwhGGYz/kmzZ0sprpPWwjhor9ZI4lxuf47i9DXK2/NDGxMaJiEb"
BASIC_URL = f"https://cdn.jsdelivr.net/npm/{BASIC_PACKAGE}@{BASIC_VERSION}/{BASIC_FILE}"

ROOMS = ("charts", "common", "page", "subjects", "tables")  # of dashboard/; what stands beside them is for its makers

_PACKAGE_FOLDER = Path(librarian.__file__).resolve().parent
# How every build of plotly.js opens: "* plotly.js v4.1.1" or "* plotly.js (basic - minified) v4.1.1".
_BANNER = re.compile(rb"\* plotly\.js (?:\([\w ,-]+\) )?v(\d+\.\d+\.\d+)")
_BANNER_BYTES = 500


def templates() -> dict[str, str]:
    """The texts of all templates by name: the path below templates/, with "/".

    Raises `LibrarianError` when there are none: the installation is broken.
    """
    folder = _folder("templates")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return _texts(folder, files)


def dashboard() -> dict[str, str]:
    """The texts of the page's modules and style sheets by path below dashboard/, with "/", without tests.

    Raises `LibrarianError` when there are none: the installation is broken.
    """
    folder = _folder("dashboard")
    found = (path for room in ROOMS for path in (folder / room).rglob("*") if path.suffix in {".js", ".css"})
    files = sorted(path for path in found if path.is_file() and not path.name.startswith("."))
    return _texts(folder, [path for path in files if not path.name.endswith(".test.js")])


def plotly() -> Plotly:
    """The best plotly.js at hand: a basic bundle (1.2 MB), else the Python package's (5 MB), else the CDN's."""
    for path in (
        _PACKAGE_FOLDER / "_assets" / "vendor" / BASIC_FILE,
        code_root() / "dashboard" / "node_modules" / BASIC_PACKAGE / BASIC_FILE,
    ):
        version = _banner_version(path)
        if version:
            return Plotly(version, path, f"plotly-basic-{version}.min.js", None, None, "basic")
    for path in _plotly_package_files():
        version = _banner_version(path)
        if version:
            return Plotly(version, path, f"plotly-{version}.min.js", None, None, "full")
    return Plotly(BASIC_VERSION, None, BASIC_FILE, BASIC_URL, BASIC_INTEGRITY, "cdn")


def code_root() -> Path:
    """The folder that the package `librarian` lies in: what a Python that is to import it needs on its path."""
    return _PACKAGE_FOLDER.parent


def _folder(name: str) -> Path:
    """Where our folder `name` is. Next to an installed package other people's folders may have the same name."""
    candidates = [_PACKAGE_FOLDER / "_assets" / name]
    if (code_root() / "pyproject.toml").is_file():
        candidates.append(code_root() / name)
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise _broken(f"the folder {name} of Librarian is missing", f"looked in {candidates[-1]}")


def _texts(folder: Path, files: list[Path]) -> dict[str, str]:
    if not files:
        raise _broken(f"Librarian's folder {folder.name} is empty", str(folder))
    try:
        return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(f"Librarian's folder {folder.name} cannot be read", str(error)) from error


def _broken(what: str, why: str) -> LibrarianError:
    return LibrarianError(what, why, "install slurm-librarian again")


def _plotly_package_files() -> list[Path]:
    """Where the Python package plotly keeps its plotly.min.js, without importing it: that takes half a second."""
    try:
        spec = importlib.util.find_spec("plotly")
    except (ImportError, ValueError):
        return []
    folders = spec.submodule_search_locations if spec else None
    return [Path(folder) / "package_data" / "plotly.min.js" for folder in folders or ()]


def _banner_version(path: Path) -> str:
    """plotly.js's version as the file's first comment tells it; "" for a file that is missing or something else."""
    try:
        with path.open("rb") as file:
            found = _BANNER.search(file.read(_BANNER_BYTES))
    except OSError:
        return ""
    return found.group(1).decode("ascii") if found else ""
