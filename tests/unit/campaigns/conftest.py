"""A place for campaigns, with a stand-in for Slurm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.campaigns.fakes import FakeSlurm, Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Home:
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path, FakeSlurm(tmp_path / "slurm", monkeypatch), capfd)
