"""What every publisher is made of: an attempt with its time limit, what it delivered, would do, and found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from librarian.errors import LibrarianError, PublishError, TimedOutError
from librarian.shared.targets import redacted
from librarian.system.host import stopwatch
from librarian.system.processes import Answer, run_command

DONE: Literal["done"] = "done"
UNCHANGED: Literal["unchanged"] = "unchanged"
WAITS: Literal["waits"] = "waits"
FAILED: Literal["failed"] = "failed"
State = Literal["done", "unchanged", "waits", "failed"]


class MayPassError(PublishError):
    """A failure of a kind that may be over in a moment, such as the network's: another attempt is worth it."""


@dataclass(frozen=True)
class Patience:
    """How long an attempt may take, and how many more there are when a failure may pass.

    All attempts together, with the pauses between them, end after twice the time of one.
    """

    timeout: float = 120.0
    retries: int = 2

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Patience:
        """From a `[[publish]]` table: `timeout_seconds`, `retries`."""
        return cls(float(options.get("timeout_seconds", cls.timeout)), int(options.get("retries", cls.retries)))


@dataclass(frozen=True)
class Attempt:
    """One attempt: the time it is (UTC epoch), and the reading of the stopwatch at which it must be over. `at_once`:
    what is there may show what must not be seen, and waits for nothing."""

    now: int
    deadline: float
    at_once: bool = False

    def is_over(self) -> bool:
        """Whether its time is up."""
        return stopwatch() >= self.deadline

    def left(self) -> float:
        """Seconds that are left. Raises `PublishError` when there are none."""
        seconds = self.deadline - stopwatch()
        if seconds <= 0:
            raise PublishError("the time limit was reached", todo=_SLOW)
        return seconds


@dataclass(frozen=True)
class Delivered:
    """How an attempt that did not fail ended; `bytes_sent` over the network or to the disk, None where not told."""

    state: State
    bytes_sent: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Preview:
    """What an attempt would do: so many files and bytes, those that are new or changed (None: not known)."""

    target: str
    files: Mapping[str, int]
    changed: Sequence[str] | None = None
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: well or not, in words for a person."""

    well: bool
    text: str


class Publisher(Protocol):
    """Takes a finished site somewhere."""

    @property
    def kind(self) -> str:
        """As in the configuration."""

    @property
    def patience(self) -> Patience:
        """Its time limit and retries."""

    def describe(self) -> str:
        """Where to, in a few words, without secrets; the same in every run."""

    def publish(self, site: Path, attempt: Attempt) -> Delivered:
        """Deliver the whole of `site`. Raises `PublishError`; what was there before then stays."""

    def plan(self, site: Path, attempt: Attempt) -> Preview:
        """What `publish` would do; nothing is delivered. Raises `PublishError`."""

    def check(self, site: Path, attempt: Attempt) -> list[Finding]:
        """Whether `publish` could work now, as far as can be seen without doing it."""


_SLOW = "raise timeout_seconds in its [[publish]] table if it is slow"


@dataclass(frozen=True)
class Tool:
    """A program that a publisher runs: the environment that it gets, and what is taken out of it."""

    env: Mapping[str, str] = field(default_factory=dict)
    unset: frozenset[str] = frozenset()

    def run(
        self,
        argv: Sequence[str],
        attempt: Attempt,
        *,
        stdin: bytes | None = None,
        cwd: Path | None = None,
        umask: int = -1,
    ) -> Answer:
        """Run it within what is left of the attempt's time; its messages come in English.

        Raises `PublishError` when it cannot start or takes too long. A time-out is not worth another attempt: it has
        had its time, and the next run tries again.
        """
        env = {"LC_ALL": "C", "LANGUAGE": "C", **self.env}
        try:
            return run_command(
                argv, timeout=attempt.left(), env=env, unset=self.unset, stdin=stdin, cwd=cwd, umask=umask
            )
        except TimedOutError as error:
            raise PublishError(error.what, error.why, _SLOW) from error
        except LibrarianError as error:
            raise PublishError(error.what, error.why, "install it, or put it on PATH") from error


# What tools say of a failure that stays until somebody does something, and of one that may pass; in lower case.
_STAYS = (
    "permission denied",
    "host key verification failed",
    "authentication failed",
    "could not read username",
    "could not read password",
    "repository not found",
    "does not exist",
    "no space left",
    "disk quota exceeded",
    "hook declined",
    "by hook",
    "protected branch",
    "name or service not known",
    "returned error: 40",
    "has changed and you have requested strict checking",
    "bad permissions",
    "bad owner or permissions",
    "no such identity",
    "bad configuration option",
    "unable to negotiate",
    "too many authentication failures",
    "non-fast-forward",
    "cannot force-push",
    "force push code",
)
_PASSES = (
    "connection timed out",
    "operation timed out",
    "connection refused",
    "connection reset",
    "connection closed",
    "connection to ",
    "could not resolve host",
    "temporary failure in name resolution",
    "network is unreachable",
    "no route to host",
    "hung up unexpectedly",
    "unexpected disconnect",
    "unexpectedly closed",
    "early eof",
    "broken pipe",
    "rpc failed",
    "kex_exchange_identification",
    "returned error: 429",
    "returned error: 5",
    "could not connect",
    "failed to connect",
    "cannot lock ref",
    "timeout, server",
)


NO_FORCE = (
    "each push replaces the last one, so let this branch be pushed with force: receive.denyNonFastForwards = false "
    "there, or the rules of the branch on GitHub or GitLab"
)
# What to do about a complaint, by what is in it; the first one counts.
_ADVICE = {
    "has changed and you have requested strict checking": "the host has another key than it had: ask its admins "
    "whether that is so; then ssh-keygen -R HOST, and log in once by hand",
    "host key verification failed": "the host is not known here yet: log in once by hand, and compare its fingerprint",
    "bad permissions": "nobody else may read a private key: chmod 600 on it",
    "bad owner or permissions": "that file must be yours, and nobody else may write it: chmod 600 on it",
    "non-fast-forward": NO_FORCE,
    "cannot force-push": NO_FORCE,
    "force push code": NO_FORCE,
}


def failure(what: str, said: str, todo: str = "") -> PublishError:
    """The failure that a tool's complaint tells of, without credentials; `MayPassError` where it may pass. `todo` is
    what to do about it where nothing better is known."""
    lines = [line.strip() for line in redacted(said).replace("\r", "\n").splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line.lower() for word in (*_STAYS, *_PASSES, *_LOUD))]
    text = " ".join(lines).lower()
    passes = any(word in text for word in _PASSES) and not any(word in text for word in _STAYS)
    advice = next((words for sign, words in _ADVICE.items() if sign in text), todo)
    return (MayPassError if passes else PublishError)(what, " ".join(telling[:3] or lines[:3]) or "no message", advice)


_LOUD = ("error", "fatal", "rejected", "denied", "failed", "refused", "offending ", "load key ")
