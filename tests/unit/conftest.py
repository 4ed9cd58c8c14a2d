"""Hypothesis without time limits: a busy machine is no bug. And commands in the tests' process leave it as it is."""

import pytest
from hypothesis import settings

from librarian.system import host

settings.register_profile("librarian", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=25)  # for `scripts/test --quick`
settings.load_profile("librarian")


@pytest.fixture(autouse=True)
def _stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that stands back behind others could never come forward again."""
    monkeypatch.setattr(host, "stand_back", lambda niceness: None)
