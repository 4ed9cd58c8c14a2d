"""Errors that a person reads: what failed, why, and what to do; one child a stage, each with its exit status.

The exit statuses are documented in docs/commands.md.
"""

from __future__ import annotations


class LibrarianError(Exception):
    """A failure with one clear line for a person.

    `what` failed, `why` (the tool's own words, shortened), `todo` tells what to do about it.
    """

    exit_status = 1

    def __init__(self, what: str, why: str = "", todo: str = "") -> None:
        self.what, self.why, self.todo = one_line(what), one_line(why), one_line(todo)
        super().__init__(str(self))

    def __str__(self) -> str:
        text = self.what + (f": {self.why}" if self.why else "")
        return text + (f" ({self.todo})" if self.todo else "")


class TimedOutError(LibrarianError):
    """A command took longer than it may, and was stopped."""


class ConfigError(LibrarianError):
    """The configuration is missing or has mistakes; `problems` has a line for each."""

    exit_status = 2

    def __init__(self, what: str, why: str = "", todo: str = "", problems: tuple[str, ...] = ()) -> None:
        self.problems = tuple(one_line(problem) for problem in problems)
        super().__init__(what, why, todo)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


class SlurmError(LibrarianError):
    """A command of Slurm's failed, hung or gave an answer that cannot be trusted."""

    exit_status = 3


class NoAnswerError(SlurmError):
    """A command of Slurm's that could not start, hung, or reached no daemon: another question would fare no better."""


class TooWideError(SlurmError):
    """A question that Slurm's database answers only for a shorter time, or in smaller parts."""


class StoreError(LibrarianError):
    """The store in the state folder cannot be read or written."""

    exit_status = 4


class SiteError(LibrarianError):
    """The site could not be rendered or put in place."""

    exit_status = 5


class PublishError(LibrarianError):
    """A publisher could not deliver the site."""

    exit_status = 6


class BusyError(LibrarianError):
    """Another run holds the lock (EX_TEMPFAIL of sysexits)."""

    exit_status = 75


class TooSlowError(LibrarianError):
    """A stage of a run took longer than it may."""


class Terminated(BaseException):
    """The process is to end now: a signal came, or its time is up. All that is open is closed on the way out."""

    def __init__(self, reason: str, exit_status: int) -> None:
        self.reason, self.exit_status = one_line(reason), exit_status
        super().__init__(self.reason)


def one_line(text: str, limit: int = 400) -> str:
    """`text` with control characters and runs of blanks folded to one blank, cut at `limit` characters."""
    folded = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"
