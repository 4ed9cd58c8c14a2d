"""What a member is told: from the store, by real names, and only where there is something to say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from librarian.digests import member, shown
from librarian.digests.document import Document, Frame
from librarian.digests.member_facts import members
from librarian.digests.model import Members
from librarian.digests.period import last
from librarian.shared.names import UserName
from librarian.shared.scope import Scope
from librarian.site import assets
from librarian.store import Store, opened
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import Source, Use, UsedRun
from librarian.subjects.efficiency.options import Rules
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.queue.keep import QueueSamples
from librarian.subjects.queue.table import Row
from librarian.subjects.usage.sums import USAGE
from tests.unit.subjects.efficiency.used import run
from tests.unit.tables import jobs_table

AVERY, OTHER = Scope("demo", "avery"), Scope("demo", "other")
NOW = 1_795_435_200  # Monday 2026-11-23 12:00 UTC
WEEK = last("week", NOW, "UTC")
HOUR, DAY = 3600, 86400
HOSTILE = "=b\x1b[31m\n<img src=x>\u202eb"
FRAME = Frame("demo", "Zoë's Lab", "https://lab.example.org", "stop@example.org")


def hold(store: Store, user: str, begin: int, key: str, hours: float, scope: Scope = AVERY) -> None:
    row = (store.key(scope), begin, HOUR, key, user, hours * HOUR)
    store.execute("INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?)", row)


def used(number: int, user: str, cpu: int, **changes: object) -> UsedRun:
    end = WEEK.begin + 2 * DAY
    times = {"start": end - 100 * HOUR, "end": end, "elapsed": 100 * HOUR, "limit": 200 * HOUR}
    names = {"user": UserName(user), "alloc_tres": "cpu=16,mem=4G,node=1", "jobid": number, "dbindex": number}
    made = run(**{**times, **names, **changes})
    return UsedRun(made, Use(cpu=1000 * cpu * 100 * HOUR, cpu_source=Source.STEPS))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Alice held and failed; bob's queue is all that he has; carol was there four weeks ago."""
    with opened(tmp_path / "s.sqlite", "demo") as one:
        with one.transaction():
            hold(one, "alice", WEEK.begin, "NCPUS", 100)
            hold(one, "alice", WEEK.begin + HOUR, "NCPUS", 60, OTHER)
            hold(one, "alice", WEEK.end, "NCPUS", 1000)
            for number, (begin, _) in enumerate(WEEK.before):
                hold(one, "alice", begin, "NCPUS", 40 * number)
            hold(one, "carol", WEEK.before[3][0], "NCPUS", 1)
            for user, state, runs in (("alice", "TIMEOUT", 1), ("alice", "COMPLETED", 6), (HOSTILE, "FAILED", 2)):
                row = (one.key(AVERY), WEEK.begin, HOUR, user, "lab", state, runs)
                columns = [name for _, name, *_ in one.all("PRAGMA table_info(ended)")]
                given = dict(zip(("scope", "start", "seconds", "user", "account", "state", "runs"), row, strict=True))
                names = [name for name in columns if name in given]
                sql = f"INSERT INTO ended ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
                one.execute(sql, [given[name] for name in names])
        for scope in (AVERY, OTHER):
            one.add_known(scope, USAGE, (WEEK.before[3][0], NOW))
        at = WEEK.begin + DAY
        times = {"submit": at - 9 * HOUR, "eligible": at - 5 * HOUR, "start": at, "end": at + HOUR, "elapsed": HOUR}
        row = {"suspended": 0, "account": "lab", "partition": "cpu", "state": "COMPLETED", "alloc_tres": "cpu=4"}
        rows = [
            {"dbindex": 1, "jobid": 101, "user": "alice", "qos": "avery", **times, **row},
            {"dbindex": 2, "jobid": 102, "user": "alice", "qos": "avery", **times, "eligible": at - 60, **row},
        ]
        JobRuns(one).add(AVERY, Asked(WEEK.before[3][0], NOW, 1.0, full=True), jobs_table(*rows), [])
        JobRuns(one).add(OTHER, Asked(WEEK.before[3][0], NOW, 1.0, full=True), jobs_table(), [])
        runs = [used(1, "alice", 2), used(2, "alice", 3), *(used(n, "alice", 16) for n in range(3, 7))]
        RunUses(one).take([AVERY, OTHER], (WEEK.begin, WEEK.end), runs)
        waits = Row("77_[1-9]", "PENDING", "bob", "lab", "avery", "cpu", "QOSGrpCpuLimit", "cpu=4", "", 9,
                    NOW - 3 * DAY, NOW - 2 * DAY, -1, 5)  # fmt: skip
        QueueSamples(one).keep(AVERY, NOW, (waits,))
        yield one


def found(store: Store, only: tuple[str, ...] | None = None) -> Members:
    return members(store, [AVERY, OTHER], WEEK, Rules(), only)


def said(store: Store, user: str, told: tuple[str, ...] = ()) -> Document:
    every = found(store)
    document = member.digest(every.by_user[UserName(user)], every, FRAME, told.__contains__)
    assert document is not None
    return document


def test_held_beside_the_four_weeks_before(store: Store) -> None:
    [part] = [one for one in said(store, "alice").parts if one.title == "Held and used"]
    assert part.rows == (("CPU-hours", "160", "60", "72 %"),), "of both QoS; (0 + 40 + 80 + 120) / 4"
    assert said(store, "alice").subject == ("Your week on demo, 16–22 Nov 2026: 160 CPU-hours, 1 thing to change")


def test_what_is_not_known_before_is_never_0(store: Store) -> None:
    store.execute("DELETE FROM known WHERE scope = ? AND what = ?", (store.key(OTHER), USAGE))
    document = said(store, "alice")
    assert document.parts[0].rows[0][2] == "not known"
    assert "Of a part of this week the hours are not known" in document.parts[-1].sentences[0]


def test_findings_cost_and_say_what_to_write(store: Store) -> None:
    document = said(store, "alice")
    [part] = [one for one in document.parts if one.title == "What cost most"]
    assert part.items[0].words.startswith("2,700 CPU-hours unused, in 2 jobs. The worst, job 1: ")
    assert "CPUs" in part.items[0].advice
    assert "cpu-low:NCPUS" in document.told
    [ask] = [one for one in document.parts if one.title == "Ask for less next time"]
    assert ask.items[0].words.startswith("16 CPUs, 4 GiB in ")
    assert ask.items[0].advice == "Ask for --time=5-00:00:00."


def test_nobody_is_told_the_same_again(store: Store) -> None:
    first = said(store, "alice")
    second = said(store, "alice", first.told)
    assert second.told == ()
    assert {part.title for part in first.parts} - {part.title for part in second.parts} == {
        "What cost most",
        "Ask for less next time",
    }


def test_failures_and_waits_have_causes(store: Store) -> None:
    words = shown.text(said(store, "alice"))
    assert "1 of 7 jobs failed" in words
    assert "* 1 reached its time limit" in words
    assert "Job 101 waited 5 h for room or priority, after 4 h in which it could not start" in " ".join(words.split())
    assert "102" not in words, "a minute is no wait"
    bob = shown.text(said(store, "bob"))
    assert "Job 77_[1-9] has waited 2 d: " in bob
    assert "CPUs" in bob


def test_who_has_nothing_to_say_gets_nothing(store: Store) -> None:
    every = found(store)
    assert UserName("carol") not in every.by_user
    silent = replace(every.by_user[UserName("bob")], waiting=[])
    assert member.digest(silent, every, FRAME, lambda _: False) is None


def test_one_of_them_alone(store: Store) -> None:
    assert set(found(store, ("bob",)).by_user) == {"bob"}


def test_hostile_names_stay_words(store: Store) -> None:
    document = said(store, HOSTILE)
    page, words = shown.html(document, assets.templates(), inside=False), shown.text(document)
    assert "<img src=x>" not in page
    assert "\x1b" not in words + page
    bad = replace(document, title="<b>\x00\u202e", subject="a\nBcc: x@example.org\r\n")
    assert "<b>" not in shown.html(bad, assets.templates(), inside=True)
    assert "\n" not in shown.letter(bad, assets.templates(), "", "k").subject


def test_text_fits_a_terminal_and_a_mail_has_a_foot(store: Store) -> None:
    words = shown.text(said(store, "alice"))
    assert max(map(len, words.splitlines())) <= shown.WIDTH
    assert "usage report of Zoë's Lab on demo" in words
    assert words.endswith("To get it no more, write to stop@example.org.\n")


def test_the_foot_always_says_how_to_stop() -> None:
    assert Frame("demo").foot()[1].endswith("they add you to opt_out.")
    assert "open https://example.org/stop" in Frame("demo", unsubscribe="https://example.org/stop").foot()[1]
