"""What the tests of whole runs and pages share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import patience

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's site, made once by the command that people run. To be read only."""
    folder = tmp_path_factory.mktemp("demo") / "site"
    command = [sys.executable, "-m", "librarian", "demo", "--once", "--output", str(folder)]
    patience.run(command, cwd=CHECKOUT, check=True)
    return folder
