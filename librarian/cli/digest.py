"""`librarian digest`: what a week or a month came to, printed, written as files, or sent to whom it concerns."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from librarian.cli import common
from librarian.errors import ConfigError, StoreError
from librarian.shared.words import counted
from librarian.system import host

if TYPE_CHECKING:
    from librarian.config.setup import Setup
    from librarian.cycle.digesting import Wanted
    from librarian.digests.document import Document
    from librarian.digests.period import Period
    from librarian.digests.sending import Outcome


def digest(options: argparse.Namespace) -> int:
    """Print one digest; or send, or write down, those of all whom [digest] names."""
    from librarian.cycle import digesting

    setup, now = common.setup_of(options), host.clock()
    period = digesting.period_of(setup, options.period, now)
    _check(options)
    if options.send:
        wanted = _wanted(options)
        slurm = common.slurm_of(setup)
        outcome = digesting.send(setup, period, wanted, slurm, now, again=options.again, due=options.due)
        return _told(outcome, period, quiet=options.quiet or options.due)
    if options.dry_run:
        return _dry_run(options, setup, period, now)
    document = _document(options, setup, period, now)
    if document is None:
        print(f"there is nothing to say of {period.title}", file=sys.stderr)
        return 0
    _put(_as(options.format, document), options.output)
    return 0


def _check(options: argparse.Namespace) -> None:
    if options.format == "pdf" and options.output == "-" and sys.stdout.isatty() and not options.send:
        raise ConfigError("a PDF is nothing for a terminal", todo="name a file with --output")
    if options.again and not (options.send and options.user):
        raise ConfigError("--again needs --send and --user", todo="name whose digest goes out once more")
    if options.due and not options.send:
        raise ConfigError("--due needs --send")


def _wanted(options: argparse.Namespace) -> Wanted:
    from librarian.cycle.digesting import Wanted

    if options.user:
        return Wanted(users=(options.user,), group=False)
    return Wanted(members=False) if options.group else Wanted()


def _document(options: argparse.Namespace, setup: Setup, period: Period, now: int) -> Document | None:
    from librarian.cycle import digesting

    if options.group:
        document = digesting.of_group(setup, period, common.slurm_of(setup), now)
        if document is None:
            raise StoreError("there is no site to tell of", todo="run: librarian run")
        return document
    user = options.user or host.user_name()
    return next((one for _, one in digesting.of_members(setup, period, (user,), None, now)), None)


def _as(form: str | None, document: Document) -> bytes:
    from librarian.digests import shown

    if form == "html":
        from librarian.site import assets

        return shown.html(document, assets.templates(), inside=False).encode("utf-8", "replace")
    if form == "pdf":
        from librarian.digests import pdf

        return pdf.pdf(document)
    return shown.text(document).encode("utf-8", "replace")


def _put(content: bytes, output: str) -> None:
    if output == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        host.write_atomic(Path(output).absolute(), content, 0o600)


def _dry_run(options: argparse.Namespace, setup: Setup, period: Period, now: int) -> int:
    from librarian.cycle import digesting

    folder = Path(options.dry_run)
    going = digesting.dry_run(setup, period, _wanted(options), common.slurm_of(setup), folder, now)
    print(f"{counted(going, 'digest')} of {period.title} would be sent; who gets which: {folder / 'digests.csv'}")
    return 0


def _told(outcome: Outcome, period: Period, *, quiet: bool) -> int:
    if not quiet or outcome.sent or outcome.filed:
        by_file = f", {counted(len(outcome.filed), 'digest')} written as files" if outcome.filed else ""
        print(f"{period.title}: {counted(len(outcome.sent), 'digest')} sent{by_file}")
    return common.tell(outcome.problems())
