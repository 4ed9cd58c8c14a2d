"""Sends digests, each once: what is certain, what is not, and who is left for the next time. See `record`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from librarian.digests import files
from librarian.digests.document import Document
from librarian.digests.reach import Way
from librarian.digests.record import NEVER, OPEN, SENT, TRYING, UNCERTAIN, Entry, Record
from librarian.digests.shown import letter
from librarian.errors import ConfigError, DigestError, LibrarianError, MailError, StoreError, TimedOutError, one_line
from librarian.mail.transport import Post

PATIENCE = 3
"""After so many failures in a row that are no one recipient's, the rest waits for the next time."""
MOST_NAMED = 5
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mailing:
    """One digest for one person (the group's: its address)."""

    key: str
    user: str
    way: Way
    document: Document


@dataclass
class Outcome:
    """Who got it, by mail or as a file; who did not, by why; of whom it is not known."""

    sent: list[str] = field(default_factory=list)
    filed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    uncertain: dict[str, str] = field(default_factory=dict)
    left: int = 0
    """How many are to be tried again."""

    def problems(self) -> list[LibrarianError]:
        """What to tell whoever runs it."""
        found: list[LibrarianError] = []
        if self.failed:
            todo = "those that may be tried again are, with the next librarian digest --send"
            found.append(DigestError(f"{_some(self.failed)} could not be sent a digest", _why(self.failed), todo))
        if self.uncertain:
            todo = "librarian digest --send --again --user USER sends it once more"
            what = f"nobody knows whether {_some(self.uncertain)} got a digest"
            found.append(DigestError(what, _why(self.uncertain), todo))
        return found


def _some(users: Mapping[str, str]) -> str:
    names = [one_line(user, 60) for user in list(users)[:MOST_NAMED]]
    more = len(users) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def _why(users: Mapping[str, str]) -> str:
    return "; ".join(list(dict.fromkeys(users.values()))[:3])


def is_done(record: Record, key: str) -> bool:
    """Whether this digest was sent, or may have been, or never can be."""
    known = record.entries.get(key)
    return known is not None and known.state != OPEN


def left_over(record: Record, now: int, outcome: Outcome) -> None:
    """What an earlier run was about to send when it was killed: it is told once, and not sent again by itself."""
    for entry in [entry for entry in record.entries.values() if entry.state == TRYING]:
        why = "the run that sent it ended in the midst"
        record.note(replace(entry, state=UNCERTAIN, at=now, why=why))
        outcome.uncertain[entry.user] = why


def send(
    mailings: Iterable[Mailing],
    record: Record,
    post: Post,
    folder: Path,
    templates: Mapping[str, str],
    unsubscribe: str,
    now: int,
) -> Outcome:
    """Send each that was not sent yet. Raises `StoreError` where it cannot be written down: then none is sent."""
    outcome, failures = Outcome(), 0
    for mailing in mailings:
        entry = Entry(mailing.key, TRYING, now, mailing.user, mailing.document.told)
        if mailing.way.is_none or failures >= PATIENCE:
            if failures >= PATIENCE:
                outcome.failed[mailing.user] = "left, since mail fails"
                outcome.left += 1
            continue
        if not mailing.way.address:
            _filed(mailing, entry, record, folder, templates, outcome)
            continue
        mail = letter(mailing.document, templates, unsubscribe, mailing.key)
        try:
            refused = post.send(mail, [mailing.way.address], now, lambda entry=entry: record.note(entry))  # type: ignore[misc]
        except (ConfigError, StoreError):
            raise
        except LibrarianError as error:
            failures += 1
            _failed(entry, record, outcome, error)
            continue
        failures = 0
        if not refused:
            record.note(replace(entry, state=SENT))
            outcome.sent.append(mailing.user)
            continue
        why = one_line(refused[0].why, 200)
        record.note(replace(entry, state=NEVER if refused[0].lasting else OPEN, why=why))
        outcome.failed[mailing.user] = why
        outcome.left += not refused[0].lasting
    return outcome


def _failed(entry: Entry, record: Record, outcome: Outcome, error: LibrarianError) -> None:
    why = one_line(str(error), 200)
    tried = record.entries.get(entry.key)
    # a sendmail that was stopped may have taken it
    is_uncertain = isinstance(error, TimedOutError) or (isinstance(error, MailError) and error.uncertain)
    if is_uncertain and tried is not None and tried.state == TRYING:
        record.note(replace(entry, state=UNCERTAIN, why=why))
        outcome.uncertain[entry.user] = why
        return
    record.note(replace(entry, state=OPEN, why=why))
    outcome.failed[entry.user] = why
    outcome.left += 1


def _filed(
    mailing: Mailing, entry: Entry, record: Record, folder: Path, templates: Mapping[str, str], outcome: Outcome
) -> None:
    """As files in a folder; written twice, they are the same."""
    try:
        files.write(folder, mailing.user, mailing.document, templates)
    except OSError as error:
        outcome.failed[mailing.user] = one_line(f"{folder}: {error.strerror or error}", 200)
        outcome.left += 1
        return
    record.note(replace(entry, state=SENT))
    outcome.filed.append(mailing.user)
