"""Errors that a person reads: what failed, why, and what to do; one child a stage, each with its exit status.

The exit statuses are documented in docs/commands.md.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

Slurms = TypeVar("Slurms", bound="SlurmError")


class Trouble(Enum):
    """The kind of a failure: all that readers of the site are told of it, in the words of `shared.troubles`.

    What a command said is for whoever runs it, since it may hold anything: names, paths, rows of data.
    """

    FAILED = "failed"  # anything else
    UNEXPECTED = "unexpected"  # an error that is none of ours
    STOPPED = "stopped"
    TOO_SLOW = "too-slow"
    BUSY = "busy"
    CONFIG = "config"
    STORE = "store"
    SITE = "site"
    PUBLISH = "publish"
    NOTHING_YET = "nothing-yet"
    NOT_COMPUTED = "not-computed"
    NOT_DRAWN = "not-drawn"
    SLURM = "slurm"  # anything else of Slurm's
    NO_ANSWER = "no-answer"
    COMMAND = "command"  # it ended with another status than 0
    TOO_WIDE = "too-wide"
    CUT_OFF = "cut-off"
    NOT_UNDERSTOOD = "not-understood"
    LEFT_OUT = "left-out"
    NOT_BELIEVED = "not-believed"
    HIDDEN = "hidden"
    NO_SUCH_NAME = "no-such-name"
    NARROWED = "narrowed"


class LibrarianError(Exception):
    """A failure with one clear line for a person.

    `what` failed, `why` (the tool's own words, shortened), `todo` tells what to do about it. `trouble` is its kind,
    that of its class where none is given.
    """

    exit_status = 1
    trouble = Trouble.FAILED

    def __init__(self, what: str, why: str = "", todo: str = "", *, trouble: Trouble | None = None) -> None:
        self.what, self.why, self.todo = one_line(what), one_line(why), one_line(todo)
        self.trouble = trouble or type(self).trouble
        super().__init__(str(self))

    def __str__(self) -> str:
        text = self.what + (f": {self.why}" if self.why else "")
        return text + (f" ({self.todo})" if self.todo else "")


class TimedOutError(LibrarianError):
    """A command took longer than it may, and was stopped."""

    trouble = Trouble.TOO_SLOW


class ConfigError(LibrarianError):
    """The configuration is missing or has mistakes; `problems` has a line for each."""

    exit_status = 2
    trouble = Trouble.CONFIG

    def __init__(self, what: str, why: str = "", todo: str = "", problems: tuple[str, ...] = ()) -> None:
        self.problems = tuple(one_line(problem) for problem in problems)
        super().__init__(what, why, todo)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


class SlurmError(LibrarianError):
    """A command of Slurm's failed, hung or gave an answer that cannot be trusted."""

    exit_status = 3
    trouble = Trouble.SLURM

    def of(self: Slurms, whom: str) -> Slurms:
        """The same failure, told of `whom`."""
        return type(self)(f"{whom}: {self.what}", self.why, self.todo, trouble=self.trouble)


class NoAnswerError(SlurmError):
    """A command of Slurm's that could not start, hung, or reached no daemon: another question would fare no better."""

    trouble = Trouble.NO_ANSWER


class TooWideError(SlurmError):
    """A question that Slurm's database answers only for a shorter time, or in smaller parts."""

    trouble = Trouble.TOO_WIDE


class StoreError(LibrarianError):
    """The store in the state folder cannot be read or written."""

    exit_status = 4
    trouble = Trouble.STORE


class SiteError(LibrarianError):
    """The site could not be rendered or put in place."""

    exit_status = 5
    trouble = Trouble.SITE


class PublishError(LibrarianError):
    """A publisher could not deliver the site."""

    exit_status = 6
    trouble = Trouble.PUBLISH


class MailError(LibrarianError):
    """A mail could not be sent. `uncertain`: all of it was handed over, and no answer came, so it may have been."""

    def __init__(self, what: str, why: str = "", todo: str = "", *, uncertain: bool = False) -> None:
        self.uncertain = uncertain
        super().__init__(what, why, todo)


class DigestError(LibrarianError):
    """Some digests could not be sent, or nobody knows whether they were."""

    exit_status = 8


class BusyError(LibrarianError):
    """Another run holds the lock (EX_TEMPFAIL of sysexits)."""

    exit_status = 75
    trouble = Trouble.BUSY


class TooSlowError(LibrarianError):
    """A stage of a run took longer than it may."""

    trouble = Trouble.TOO_SLOW


class Terminated(BaseException):
    """The process is to end now: a signal came, or its time is up. All that is open is closed on the way out."""

    def __init__(self, reason: str, exit_status: int) -> None:
        self.reason, self.exit_status = one_line(reason), exit_status
        super().__init__(self.reason)


def trouble_of(error: BaseException) -> Trouble:
    """The kind of any failure."""
    if isinstance(error, LibrarianError):
        return error.trouble
    return Trouble.STOPPED if isinstance(error, Terminated | KeyboardInterrupt) else Trouble.UNEXPECTED


def one_line(text: str, limit: int = 400) -> str:
    """`text` with control characters and runs of blanks folded to one blank, cut at `limit` characters."""
    folded = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"
