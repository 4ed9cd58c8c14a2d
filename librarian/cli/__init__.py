"""The command line: the only print and the only exit."""

from librarian.cli.main import main

__all__ = ["main"]
