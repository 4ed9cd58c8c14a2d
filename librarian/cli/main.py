"""Arguments, logging, exit status."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from librarian.cli.parser import parse
from librarian.errors import LibrarianError, Terminated, one_line

REFUSED = 74  # EX_IOERR of sysexits


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in `argv` and return its exit status."""
    argv = sys.argv[1:] if argv is None else argv
    options = parse(argv)
    _log_to_stderr(options)
    try:
        # not needed to parse, and to tell of a mistake
        from librarian.system import host, interrupts

        interrupts.end_on_signals()
        host.trust_zones()
        return function_of(options.place)(options)
    except LibrarianError as error:
        if options.debug:
            traceback.print_exc()
        print(f"librarian: {error}", file=sys.stderr)
        return error.exit_status
    except Terminated as end:
        print(f"librarian: {end.reason}", file=sys.stderr)
        return end.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read our output has left; keep Python from complaining again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if options.debug:
            traceback.print_exc()
        words, status = _unforeseen(error)
        print(f"librarian: {words}", file=sys.stderr)
        return status


def _unforeseen(error: Exception) -> tuple[str, int]:
    """What a person is told of an error that is none of ours, and the exit status. What the system does not give,
    such as a folder of somebody else's to write into, or a package, is no bug."""
    if isinstance(error, OSError) and error.errno is not None:
        names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
        return one_line(f"{': '.join([*names, error.strerror or str(error)])} (--debug tells where)"), REFUSED
    if isinstance(error, ImportError) and not (error.name or "librarian").startswith("librarian"):
        return f"{one_line(str(error))} (load or install what is missing; librarian doctor names it)", REFUSED
    return f"{type(error).__name__}: {error} (a bug; run it again with --debug and report it)", 1


def function_of(place: str) -> Callable[[argparse.Namespace], int]:
    """The function of a command. Its room is imported only here: no command waits for the parts of the others."""
    room, _, name = place.partition(".")
    return getattr(importlib.import_module(f"librarian.cli.{room}"), name)


def _log_to_stderr(options: argparse.Namespace) -> None:
    """Progress on a terminal; in cron only what went wrong."""
    level = logging.WARNING
    if sys.stderr.isatty() and not options.quiet:
        level = logging.INFO
    if options.debug:
        level = logging.DEBUG
    logging.basicConfig(level=logging.WARNING, format="librarian: %(message)s", stream=sys.stderr, force=True)
    logging.getLogger("librarian").setLevel(level)
    # that it builds its cache of fonts, once and where that takes long, is nothing that went wrong
    logging.getLogger("matplotlib.font_manager").setLevel(logging.WARNING if options.debug else logging.ERROR)
