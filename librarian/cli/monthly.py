"""`librarian report`: whose month it was, from the store."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from librarian import __version__
from librarian.cli import common
from librarian.errors import ConfigError, LibrarianError, StoreError
from librarian.system import host

if TYPE_CHECKING:
    from librarian.config.setup import Setup
    from librarian.subjects.months.tables import Statement


def report(options: argparse.Namespace) -> int:
    """Months and allocations as tables, or as the format that is asked for."""
    from librarian.subjects.months import statements

    if options.format == "pdf" and options.output == "-" and sys.stdout.isatty():
        raise ConfigError("a PDF is nothing for a terminal", todo="name a file with --output")
    setup = common.setup_of(options)
    wanted = _wanted(setup, options.qos or [])
    statements.check(options.month)
    if not setup.places.store.exists():
        raise StoreError("nothing was collected yet", f"there is no store {setup.places.store}", "run: librarian run")
    told = statements.statements(_every(setup), options.month, wanted)
    content = _renderer(options.format)(told)
    if options.output == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return 0
    target = _target(options, told)
    try:
        host.write_atomic(target.absolute(), content)
    except OSError as error:
        raise LibrarianError(f"{target} could not be written", error.strerror or str(error)) from error
    return 0


def _target(options: argparse.Namespace, told: Sequence[Statement]) -> Path:
    """The file to write; in a folder it is called after the QoS and the months."""
    from librarian.subjects.months import tables

    named = Path(options.output)
    return named / f"{tables.file_stem(told)}.{options.format or 'txt'}" if named.is_dir() else named


def _every(setup: Setup) -> list[Statement]:
    """All months of all QoS: as they are kept, or computed where something was collected since."""
    from librarian.cycle.parts import watched
    from librarian.store import opened
    from librarian.subjects.months import statements

    with opened(setup.places.store, setup.config.cluster.name) as store:
        kept = statements.kept(store, watched(setup), setup.zone, setup.config.allocations)
    every = _computed(setup) if kept is None else kept
    if not setup.config.efficiency.enabled:
        return every
    with opened(setup.places.store, setup.config.cluster.name) as store:
        return statements.with_use(store, watched(setup), every)


def _computed(setup: Setup) -> list[Statement]:
    from librarian.cycle import stages  # pandas with it
    from librarian.subjects.months.reported import statement

    return [statement(source.report) for source in stages.look(setup) if source.report]


def _wanted(setup: Setup, names: Sequence[str]) -> list[str]:
    known = {entry.name.lower(): entry.name for entry in setup.config.qos}
    strange = [name for name in names if name.lower() not in known]
    if strange:
        raise ConfigError(f"{strange[0]} is not a configured QoS", f"there are {', '.join(known.values())}")
    return [known[name.lower()] for name in names] or list(known.values())


def _renderer(name: str | None) -> Callable[[Sequence[Statement]], bytes]:
    """Each is imported when it is needed: a table of text must not wait for matplotlib."""
    from librarian.subjects.months import tables

    if name == "html":
        return _html
    if name == "pdf":
        from librarian.subjects.months import pdf

        return pdf.pdf
    if name == "json":
        return lambda told: tables.data(told, version=__version__)
    return tables.table_csv if name == "csv" else lambda told: tables.text(told).encode("utf-8", "replace")


def _html(told: Sequence[Statement]) -> bytes:
    from librarian.site import assets
    from librarian.subjects.months import page as monthly_page

    page = monthly_page.page(told, templates=assets.templates(), version=__version__)
    return page.encode("utf-8", "replace")
