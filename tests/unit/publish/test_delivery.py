"""Publishers fail alone, are tried again where that helps, and how they fared is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.errors import LibrarianError, PublishError
from librarian.publish.base import Attempt, Delivered, Finding, MayPassError, Patience, Preview, failure
from librarian.publish.delivery import deliver, keep, read, shows_more
from librarian.publish.outcome import Outcome, Record, from_json, record, to_json


@dataclass
class Sender:
    """A publisher that does what it is told, one thing an attempt."""

    name: str
    acts: Iterator[Exception | Delivered]
    patience: Patience = field(default_factory=Patience)
    kind: str = "made-up"
    attempts: list[Attempt] = field(default_factory=list)

    def describe(self) -> str:
        return self.name

    def publish(self, site: Path, attempt: Attempt) -> Delivered:
        self.attempts.append(attempt)
        act = next(self.acts)
        if isinstance(act, Exception):
            raise act
        return act

    def plan(self, site: Path, attempt: Attempt) -> Preview:
        return Preview(self.name, {})

    def check(self, site: Path, attempt: Attempt) -> list[Finding]:
        return []


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A stopwatch that only pauses move; the pauses so far."""
    pauses: list[float] = []
    monkeypatch.setattr("librarian.publish.delivery.stopwatch", lambda: sum(pauses))
    monkeypatch.setattr("librarian.publish.delivery.pause", pauses.append)
    return pauses


def sender(*acts: Exception | Delivered, name: str = "there", **patience: float) -> Sender:
    return Sender(name, iter(acts), Patience(**patience))  # type: ignore[arg-type]


GOOD = Delivered("done", 7)
PASSES = MayPassError("no network")


def test_what_may_pass_is_tried_again_with_longer_pauses(time: list[float]) -> None:
    one = sender(PASSES, PASSES, GOOD)
    outcomes, problems = deliver([one], Path(), 5)
    assert (outcomes, problems) == ([Outcome("made-up", "there", "done", 8.0, 7)], [])
    assert time == [2, 6]
    assert [(attempt.now, attempt.deadline) for attempt in one.attempts] == [(5, 120), (5, 122), (5, 128)]


def test_in_the_end_it_has_failed(time: list[float]) -> None:
    outcomes, problems = deliver([sender(PASSES, PASSES, PASSES, GOOD)], Path(), 5)
    assert (outcomes[0].state, outcomes[0].reason) == ("failed", "there: no network")
    assert [(problem.exit_status, str(problem)) for problem in problems] == [(6, "there: no network")]


def test_all_attempts_together_have_a_limit(time: list[float]) -> None:
    one = sender(PASSES, PASSES, PASSES, timeout=3, retries=10)
    deliver([one], Path(), 5)
    assert [attempt.deadline for attempt in one.attempts] == [3, 5]
    assert time == [2]


@pytest.mark.parametrize(
    "act", [PublishError("refused"), LibrarianError("odd"), OSError(5, "Input/output error"), ZeroDivisionError()]
)
def test_what_stays_is_not_tried_again_and_stops_nobody(time: list[float], act: Exception) -> None:
    first, second = sender(act, GOOD), sender(GOOD, name="elsewhere")
    outcomes, problems = deliver([first, second], Path(), 5)
    assert [outcome.state for outcome in outcomes] == ["failed", "done"]
    assert (len(first.attempts), len(problems), time) == (1, 1, [])


CHANGED = """\
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
It is also possible that a host key has just been changed.
Offending ED25519 key in /home/u/.ssh/known_hosts:7
  ssh-keygen -f "/home/u/.ssh/known_hosts" -R "web"
Host key for web has changed and you have requested strict checking.
Host key verification failed.
fatal: Could not read from remote repository.
"""
OPEN = """\
@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @
Permissions 0644 for '/home/u/key' are too open.
Load key "/home/u/key": bad permissions
git@github.com: Permission denied (publickey).
"""


@pytest.mark.parametrize(
    ("said", "shown", "advice"),
    [
        (
            CHANGED,
            "Offending ED25519 key in /home/u/.ssh/known_hosts:7 Host key for web has changed and you have requested "
            "strict checking. Host key verification failed.",
            "ssh-keygen -R HOST",
        ),
        (
            "Host key verification failed.\nfatal: no",
            "Host key verification failed. fatal: no",
            "is not known here yet",
        ),
        (
            OPEN,
            'Load key "/home/u/key": bad permissions git@github.com: Permission denied (publickey).',
            "nobody else may read a private key",
        ),
        (
            "Bad owner or permissions on /home/u/.ssh/config\nfatal: Could not read from remote repository.",
            "Bad owner or permissions on /home/u/.ssh/config fatal: Could not read from remote repository.",
            "must be yours",
        ),
        (
            "remote: error: GH006: Protected branch update failed for refs/heads/x.\nremote: error: Cannot force-push",
            "remote: error: GH006: Protected branch update failed for refs/heads/x. remote: error: Cannot force-push",
            "receive.denyNonFastForwards = false there, or the rules of the branch",
        ),
        (
            "Received disconnect from h: Too many authentication failures\nConnection closed by h",
            "Received disconnect from h: Too many authentication failures Connection closed by h",
            "as before",
        ),
    ],
)
def test_the_telling_line_is_shown_and_what_to_do(said: str, shown: str, advice: str) -> None:
    found = failure("it failed", said, "as before")
    assert (found.why, advice in found.todo) == (shown, True)
    assert not isinstance(found, MayPassError), "another try would fare no better"


def test_no_secret_gets_out(time: list[float]) -> None:
    outcomes, problems = deliver([sender(OSError("https://me:s3cr3t@h/x\033[31m\nline"))], Path(), 5)
    assert "s3cr3t" not in repr((outcomes, problems))
    assert outcomes[0].reason == "there: OSError: https://h/x [31m line"


def test_a_check_stops_everything_before_it_leaves(time: list[float]) -> None:
    seen: list[Path] = []

    def names(site: Path) -> None:
        seen.append(site)
        raise PublishError("a real name is on the site")

    checks: list[Callable[[Path], None]] = [seen.append, names]
    senders = [sender(GOOD), sender(GOOD, name="elsewhere")]
    outcomes, problems = deliver(senders, Path("site"), 5, checks)
    assert seen == [Path("site"), Path("site")]
    assert [(one.state, one.reason) for one in outcomes] == [("failed", "a real name is on the site")] * 2
    assert [str(problem) for problem in problems] == ["a real name is on the site"]
    assert [one.attempts for one in senders] == [[], []]


def test_how_they_fared_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.publish.json"
    keep(path, [Outcome("ssh", "a", "done", 1.25, 9), Outcome("ssh", "b", "waits", 0.1, 0, "soon")], 100)
    keep(path, [Outcome("ssh", "a", "failed", 2.0, None, "no route"), Outcome("folder", "a", "unchanged", 0)], 4000)
    assert read(path) == [
        Record("ssh", "a", "failed", 4000, 100, 2.0, None, "no route"),
        Record("folder", "a", "unchanged", 4000, 4000, 0, None, ""),
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"\xff{")
    assert read(path) == []
    assert read(tmp_path / "nosuch") == []


@given(
    st.builds(
        Record,
        *map(st.just, ("k", "t", "done")),
        st.integers(),
        st.none() | st.integers(),
        st.just(1.0),
        st.none(),
        st.text(),
    )
)
def test_records_come_back_as_they_were(one: Record) -> None:
    assert from_json(to_json([one, one]).decode()) == [one, one]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schema_version": 2, "publishers": []}', '{"schema_version": 1, "publishers": [{}]}', "null"],
)
def test_damaged_records_are_none(text: str) -> None:
    assert from_json(text) == []


def test_who_may_show_too_much_does_not_wait(time: list[float]) -> None:
    """Until it has delivered a site of these rules, whatever else happens."""
    one = sender(GOOD, Delivered("waits", 0), MayPassError("no network"), Delivered("unchanged", 0), GOOD, retries=0)
    known: list[Record] = []
    told = []
    for now, rules in enumerate(("old", "new", "new", "new", "new")):
        outcomes, _ = deliver([one], Path(), now, at_once=shows_more(known, rules))
        known = [record(outcome, known, now, rules) for outcome in outcomes]
        told.append((one.attempts[-1].at_once, known[0].rules))
    assert told == [(True, "old"), (True, "old"), (True, "old"), (True, "new"), (False, "new")]
    assert from_json(to_json(known).decode()) == known
    older = to_json(known).decode().replace('"rules": "new"', '"x": 1')
    assert [one.rules for one in from_json(older)] == [""]
