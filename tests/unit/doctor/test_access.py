"""What the doctor says of what others can read or write."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from librarian.config.setup import load
from librarian.doctor import access
from librarian.store import opened
from tests.unit.cycles import AVERY, BASE

PAGES = '[[publish]]\nkind = "github-pages"\nremote = "https://alice:ghp_1@github.com/alice/usage.git"\n'


def can_be_entered(folder: str) -> bool:
    """By everybody: a folder for temporary files may be its owner's alone, and then nothing in it is open."""
    path = Path(folder)
    return path.is_dir() and all(one.stat().st_mode & stat.S_IXOTH for one in (path, *path.parents))


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody can enter, as a home on many machines; those of pytest are closed."""
    folder = Path(tempfile.mkdtemp(dir=next(filter(can_be_entered, (tempfile.gettempdir(), "/tmp", "/var/tmp")))))
    folder.chmod(0o755)
    config = folder / "librarian.toml"
    config.write_text(BASE.replace('site = "site"', 'site = "state/site"') + AVERY)
    config.chmod(0o644)
    yield config
    shutil.rmtree(folder)


def told(config: Path) -> dict[str, tuple[str, str]]:
    """What is said of each path, as (state, what to do) by the words."""
    found = access.check(load(config, os.environ), config)
    return {finding.text.replace(str(config.parent), "~"): (finding.state, finding.todo) for finding in found}


def test_where_all_is_closed_one_line_says_so(place: Path) -> None:
    with opened(load(place, os.environ).places.store, "demo"):
        pass
    (place.parent / "state").chmod(0o755)
    site = place.parent / "state" / "site"
    site.mkdir(mode=0o755)
    (site / "index.html").write_text("")
    assert told(place) == {"others can neither read our files nor write where they are": ("ok", "")}


def test_each_thing_that_is_open_is_a_line_with_what_to_do(place: Path) -> None:
    state = place.parent / "state"
    with opened(load(place, os.environ).places.store, "demo"):
        pass
    (state / "names.json").write_text("{}")
    (state / "site").mkdir()
    for path, mode in ((state / "demo.sqlite", 0o644), (state / "names.json", 0o666), (state / "site", 0o777)):
        path.chmod(mode)
    state.chmod(0o777)
    place.write_text(place.read_text() + PAGES)
    place.chmod(0o666)
    place.parent.chmod(0o757)
    home = place.parent
    assert told(place) == {
        "others can write to ~/librarian.toml, which names programs that are run": ("fail", f"chmod go-w {place}"),
        "others can read ~/librarian.toml, which holds a password or token": ("fail", f"chmod 600 {place}"),
        "others can replace librarian.toml in ~, and it names programs that are run": ("fail", f"chmod go-w {home}"),
        "others can write in ~/state, where scripts lie that are run": ("fail", f"chmod go-w {state}"),
        "everybody can write in ~/state/site, which is published": ("warn", f"chmod o-w {state}/site"),
        "others can read ~/state/demo.sqlite": ("warn", f"chmod go= {state}/demo.sqlite"),
        "others can read and write to ~/state/names.json": ("fail", f"chmod go= {state}/names.json"),
    }
    place.parent.chmod(0o700)
    assert [state for state, _ in told(place).values()] == ["ok"], "nobody comes as far"


def test_many_open_files_are_counted(place: Path) -> None:
    state = place.parent / "state"
    state.mkdir(mode=0o755)
    for number in range(30):
        (state / f"run-{number:02}.log").write_text("")
        (state / f"run-{number:02}.log").chmod(0o604)
    lines = list(told(place))
    assert (len(lines), lines[-1]) == (21, "10 more files are open to others")
