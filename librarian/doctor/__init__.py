"""`librarian doctor`: looks through everything that must be right, and says what to do.

Every check stands alone: one that cannot be made, since something it needs is missing, says so, and the others go on.
So it works where pandas or matplotlib are missing, which is then a finding like any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from librarian.config import setup as configfile
from librarian.config.setup import Setup
from librarian.doctor import cluster, machine, own
from librarian.doctor.finding import FAIL, OK, SKIP, WARN, Check, Finding
from librarian.errors import ConfigError, LibrarianError, one_line
from librarian.slurm.command import Slurm

__all__ = ["Finding", "as_json", "as_text", "examine", "verdict"]
PATIENCE = 20.0
"""Seconds that one command of Slurm's may take here."""


def examine(
    explicit: str | None, environment: Mapping[str, str], now: int, slurm: Slurm | None = None
) -> list[Finding]:
    """Everything that was found at `now` (UTC epoch), with the configuration `explicit` or the one that is found.

    `slurm` stands in for Slurm's commands.
    """
    found = machine.examine()
    try:
        path = configfile.find(explicit, environment)
        setup = configfile.load(path, environment)
    except ConfigError as error:
        found.append(Finding("configuration", FAIL, one_line(error.what), "; ".join(error.problems) or error.todo))
        # Slurm can be looked at without it
        return found + _all(cluster.checks(slurm or Slurm(timeout=PATIENCE), None, now))
    found.append(Finding("configuration", OK, str(path)))
    asked = slurm or Slurm(setup.config.slurm.bin_dir, min(PATIENCE, setup.config.slurm.timeout_seconds))
    return found + _all(_checks(setup, path, asked, now))


def _checks(setup: Setup, path: Path, slurm: Slurm, now: int) -> list[tuple[str, Check]]:
    return [*cluster.checks(slurm, setup, now), *own.checks(setup, path, slurm, now)]


def _all(checks: Sequence[tuple[str, Check]]) -> list[Finding]:
    return [finding for name, check in checks for finding in _made(name, check)]


def _made(name: str, check: Check) -> list[Finding]:
    """What a check found; one that breaks is a finding itself."""
    try:
        made = check()
    except ImportError as error:
        return [Finding(name, SKIP, f"cannot be looked at: {one_line(str(error))}", "install what is missing")]
    except LibrarianError as error:
        why = f": {error.why}" if error.why else ""
        return [Finding(name, FAIL, one_line(f"{error.what}{why}"), error.todo)]
    except Exception as error:
        return [Finding(name, FAIL, one_line(f"{type(error).__name__}: {error}" if str(error) else repr(error)))]
    return [made] if isinstance(made, Finding) else made


def verdict(findings: Sequence[Finding]) -> int:
    """0: all is well, 1: something is to be looked at, 2: something does not work."""
    states = {finding.state for finding in findings}
    return 2 if FAIL in states else int(WARN in states)


def as_text(findings: Sequence[Finding]) -> list[str]:
    """Lines for a person."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:4}  {finding.name}: {finding.text}")
        if finding.todo and finding.state in (WARN, FAIL, SKIP):
            lines.append(f"        -> {finding.todo}")
    counts = {state: sum(finding.state == state for finding in findings) for state in (OK, WARN, FAIL, SKIP)}
    words = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return [*lines, f"{len(findings)} checks: {words}"]


def as_json(findings: Sequence[Finding]) -> str:
    """The same for programs: a list with an object for each check."""
    return json.dumps([asdict(finding) for finding in findings], indent=1)
