"""What stays on a machine where Librarian was used: all of it is named by the part of the documents that tells how to
remove it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.places import ROOT
from tests.unit.cli.test_cli import furnished
from tests.unit.frozen import librarian


@pytest.mark.slow
def test_what_stays_is_named_where_removing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, home, scratch = (tmp_path / name for name in ("place", "home", "scratch"))
    for folder in (place, home, scratch):
        folder.mkdir()
    for name in ("MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "LIBRARIAN_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    ours = {path.name for path in furnished(place).iterdir()}
    for command, drawn in ((("run",), True), (("status",), False), (("report",), False), (("doctor",), False)):
        done = librarian(place, *command, drawn=drawn, HOME=str(home), TMPDIR=str(scratch))
        assert "Traceback" not in done.stderr
    assert list(scratch.iterdir()) == []
    assert {path.name for path in place.iterdir()} - ours == {"state", "site"}
    told = (ROOT / "docs" / "operations.md").read_text().partition("## Remove")[2].partition("\n## ")[0]
    left = [f"~/{path.relative_to(home)}" for above in home.iterdir() for path in above.iterdir()]
    assert "~/.cache/matplotlib" in left
    assert [path for path in left if f"`{path}`" not in told] == []
