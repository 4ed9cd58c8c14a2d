"""What the tests of whole runs and pages share."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests import patience
from tests.e2e.sites import DEMO_AT

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's site at `DEMO_AT`, made once by the command that people run. To be read only."""
    folder = tmp_path_factory.mktemp("demo") / "site"
    at = datetime.fromtimestamp(DEMO_AT, timezone.utc).isoformat()
    command = [sys.executable, "-m", "librarian", "demo", "--once", "--at", at, "--output", str(folder)]
    patience.run(command, cwd=CHECKOUT, check=True)
    return folder
