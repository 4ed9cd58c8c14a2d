"""A run among troubles: silent daemons, time limits, signals; what it leaves, and what its status says."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from librarian.config.run_options import StoreOptions
from librarian.config.setup import Setup
from librarian.cycle import housekeeping, pictures, stages
from librarian.cycle.parts import status_file
from librarian.demo.slurm import DemoSlurm
from librarian.errors import LibrarianError, Terminated
from librarian.health.status import QosStatus, Status
from librarian.shared.window import DAY
from librarian.site import folder
from librarian.slurm.command import Slurm
from librarian.store import opened
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.usage.keep import Hours
from librarian.system import interrupts
from librarian.system.interrupts import Guard
from librarian.system.lock import locked
from librarian.system.processes import Answer, run_command
from tests.places import ROOT
from tests.unit import cycles
from tests.unit.cycles import AVERY, AVERY_B, BASE, NOW, TWO_DAYS, WEB, configured, ended, leave_out_pictures
from tests.unit.signals import signals

__all__ = ["signals"]

SCHEMA = json.loads((ROOT / "docs/status.schema.json").read_text(encoding="utf-8"))
CONFIG = BASE + TWO_DAYS + AVERY + AVERY_B + WEB
DOWN = Answer(1, b"", "sacct: error: Connection refused")


RUNS = [ended(1), ended(2, user="bob"), ended(3, qos="avery-b", alloc_tres="cpu=64")]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_pictures(monkeypatch)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long runs would have paused."""
    made: list[float] = []
    monkeypatch.setattr(stages, "pause", made.append)
    return made


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return configured(tmp_path, CONFIG)


@pytest.fixture
def armed() -> Iterator[Guard]:
    with Guard().armed() as guard:
        yield guard


def limited(setup: Setup, **options: int) -> Setup:
    """The same with limits shorter than a configuration may set."""
    return replace(setup, config=replace(setup.config, run=replace(setup.config.run, **options)))


class Answers:
    """A Slurm with a fault; `asked` are the QoS that sacct was asked for."""

    def __init__(self, fault: Callable[[Sequence[str]], Answer | None], now: int = NOW) -> None:
        self.asked: list[str] = []
        self._fault, self._inner = fault, DemoSlurm(RUNS, now=now, user="alice")

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        if argv[0] == "sacct":
            self.asked += [word.removeprefix("--qos=") for word in argv if word.startswith("--qos=")]
        return self._fault(argv) or self._inner(argv, timeout=timeout, env=env)


def cycle(
    setup: Setup, now: int = NOW, fault: Callable[[Sequence[str]], Answer | None] = lambda argv: None, **more: Any
) -> tuple[list[LibrarianError], list[str]]:
    slurm = Answers(fault, now)
    return stages.run(setup, Slurm(runner=slurm), now, **more), slurm.asked


def rows(setup: Setup) -> dict[str, QosStatus]:
    return {row.name: row for row in status_file(setup).read().qos}


def site_status(setup: Setup) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((setup.places.site / "status.json").read_bytes())
    jsonschema.validate(found, SCHEMA)
    return found


def assert_whole(setup: Setup) -> None:
    """Site and store are as a run leaves them, and nothing else lies about."""
    index = json.loads((setup.places.site / "index.json").read_text())
    for entry in index["qos"]:
        json.loads((setup.places.site / entry["data"]).read_text())
    assert (setup.places.site / "index.html").read_text().rstrip().endswith("</html>")
    with contextlib.closing(sqlite3.connect(setup.places.store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    base = setup.places.base
    odd = [path for path in base.rglob("*") if path.name.startswith(".") or path.name.endswith("-journal")]
    assert odd == []


# what the status says


def test_the_status_tells_of_each_part(setup: Setup) -> None:
    assert cycle(setup)[0] == []
    status = status_file(setup).read()
    assert (status.state, status.last_try, status.last_success, status.failures) == ("ok", NOW, NOW, 0)
    assert status.next_expected == NOW + 600
    assert set(status.stages) == {"collect", "render", "publish"}
    assert all(stage.last_success == NOW and stage.error is None for stage in status.stages.values())
    assert [(row.name, row.rows, row.last_success) for row in status.qos] == [("avery", 2, NOW), ("avery-b", 1, NOW)]
    jsonschema.validate(json.loads(status_file(setup).path.read_bytes()), SCHEMA)
    shown = site_status(setup)
    assert (shown["state"], shown["host"]) == ("ok", ""), "[privacy] nodes is false"
    assert json.loads((setup.places.site / "index.json").read_bytes())["status"] == "status.json"
    assert '<script type="application/json" id="status">{' in (setup.places.site / "index.html").read_text()


@pytest.mark.slow
def test_what_was_published_tells_of_the_run_that_published_it(setup: Setup) -> None:
    cycle(setup)
    published = setup.places.base / "web" / "status.json"
    told = json.loads(published.read_bytes())
    assert (told["state"], told["last_try"], told["next_expected"]) == ("ok", NOW, NOW + 600)
    assert told["qos"] == site_status(setup)["qos"]
    cycle(setup, NOW + 600, lambda argv: Answer(1, b"", "odd") if "--qos=avery" in argv else None)
    told = json.loads(published.read_bytes())
    assert (told["state"], told["failures"], told["failing_since"]) == ("partial", 1, NOW + 600)
    assert (told["error"], told["troubles"]) == ("a command of Slurm's failed", ["command"])
    cycle(setup, NOW + 1200)
    told = json.loads(published.read_bytes())
    assert (told["state"], told["failures"], told["error"]) == ("ok", 0, None)


@pytest.mark.slow
def test_a_qos_that_fails_is_told_and_the_rest_goes_on(setup: Setup) -> None:
    cycle(setup)
    problems, _ = cycle(setup, NOW + 600, lambda argv: Answer(1, b"", "odd") if "--qos=avery" in argv else None)
    assert len(problems) == 1
    status = status_file(setup).read()
    assert (status.state, status.failures, status.last_success, status.failing_since) == ("partial", 1, NOW, NOW + 600)
    assert "QoS avery: sacct failed" in (status.error or "")
    told = rows(setup)
    assert (told["avery"].last_success, told["avery-b"].last_success) == (NOW, NOW + 600)
    assert "odd" in (told["avery"].error or "")
    assert told["avery-b"].error is None
    assert site_status(setup)["stages"]["render"]["error"] is None


def test_a_run_that_ends_half_way_is_told(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    cycle(setup)

    def broken(*_: object) -> None:
        raise RuntimeError("a bug in /home/alice/librarian")

    monkeypatch.setattr(stages, "render", broken)
    with pytest.raises(RuntimeError):
        cycle(setup, NOW + 600)
    status = status_file(setup).read()
    assert (status.state, status.failures, status.last_try) == ("failed", 1, NOW + 600)
    assert status.stages["render"].error == "RuntimeError: a bug in /home/alice/librarian"
    assert rows(setup)["avery"].last_success == NOW + 600, "what was collected was collected"
    assert site_status(setup)["error"] == site_status(setup)["stages"]["render"]["error"] == "an unexpected error"


def test_what_is_not_configured_any_more_leaves_the_status(setup: Setup) -> None:
    cycle(setup)
    less = replace(setup, config=replace(setup.config, qos=setup.config.qos[:1]))
    cycle(less, NOW + 600)
    assert list(rows(less)) == ["avery"]


def test_a_status_of_another_cluster_or_none_is_a_fresh_one(setup: Setup) -> None:
    status_file(setup).write(Status("other", 600, failures=7))
    assert status_file(setup).read() == Status("demo", 600)
    status_file(setup).path.write_bytes(b"\xff{")
    assert status_file(setup).read() == Status("demo", 600)


@pytest.mark.slow
def test_publishers_are_told_from_the_file_that_they_keep(setup: Setup) -> None:
    cycle(setup)
    web = setup.places.base / "web"
    web.rename(setup.places.base / "aside")
    web.write_text("in the way")
    cycle(setup, NOW + 600)
    (told,) = status_file(setup).read().publishers
    assert (told.kind, told.state, told.last_try, told.last_success) == ("folder", "failed", NOW + 600, NOW)
    assert f"{web} is not a folder" in (told.error or "")
    assert status_file(setup).read().stages["publish"].last_success == NOW
    (shown,) = site_status(setup)["publishers"]
    assert (shown["target"], shown["error"]) == ("folder", "failed")
    assert str(setup.places.base) not in json.dumps(site_status(setup))


def test_what_publishers_sent_is_told_and_a_damaged_file_tells_nothing(setup: Setup) -> None:
    cycle(setup)
    (told,) = status_file(setup).read().publishers
    assert told.bytes_sent == sum(path.stat().st_size for path in (setup.places.base / "web").iterdir())
    assert site_status(setup)["publishers"][0]["bytes_sent"] == told.bytes_sent
    kept = json.loads(setup.places.deliveries.read_text())
    assert len(status_file(setup).publishers()) == 1
    for name in ("last_try", "bytes_sent", "reason"):
        damaged = [{**row, name: ["odd"]} for row in kept["publishers"]]
        setup.places.deliveries.write_text(json.dumps({**kept, "publishers": damaged}))
        assert status_file(setup).publishers() == [], name


@pytest.mark.slow
def test_hidden_names_are_not_in_the_site_s_status(tmp_path: Path) -> None:
    setup = configured(tmp_path, CONFIG + '[privacy]\nusers = "pseudonym"\n')
    assert cycle(setup)[0] == []
    cycle(setup, NOW + 600, lambda argv: Answer(1, b"", "bob has no rights") if argv[0] == "sacct" else None)
    assert "bob has no rights" in (rows(setup)["avery"].error or "")
    assert "has no rights" not in str(site_status(setup))
    assert "bob" not in str(site_status(setup))


# nobody answers


def test_a_daemon_that_restarts_is_asked_again_within_the_run(setup: Setup, pauses: list[float]) -> None:
    left = [2]

    def fault(argv: Sequence[str]) -> Answer | None:
        left[0] -= 1
        return DOWN if left[0] >= 0 else None

    problems, _ = cycle(setup, fault=fault)
    assert problems == []
    assert pauses == [20]
    assert status_file(setup).read().state == "ok"


def test_a_daemon_that_stays_away_is_asked_twice_and_the_others_not_at_all(setup: Setup, pauses: list[float]) -> None:
    cycle(setup)
    problems, asked = cycle(setup, NOW + 600, lambda argv: DOWN)
    assert pauses == [20]
    assert asked == ["avery", "avery-b"], "one QoS each time, and then another one"
    assert [problem.exit_status for problem in problems] == [3, 3], "what is asked once a day is not asked"
    assert str(problems[-1]).startswith("QoS avery was not asked for: QoS avery-b: sacct failed")
    assert all("Connection refused" in (row.error or "") for row in rows(setup).values())
    index = json.loads((setup.places.site / "index.json").read_text())
    assert [(entry["stale"], entry["since"]) for entry in index["qos"]] == [(True, NOW), (True, NOW)]


def test_a_pause_can_be_ruled_out_and_costs_no_time_that_is_gone(
    setup: Setup, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    cycle(limited(setup, retry_seconds=0), fault=lambda argv: DOWN)
    watch = iter(range(0, 10**6, 100))
    monkeypatch.setattr(stages, "stopwatch", lambda: float(next(watch)))
    cycle(setup, fault=lambda argv: DOWN)
    assert pauses == []


def test_a_question_that_always_hangs_does_not_keep_the_others_from_being_asked(
    setup: Setup, pauses: list[float]
) -> None:
    def hangs(argv: Sequence[str]) -> Answer | None:
        if "--qos=avery" in argv:
            raise LibrarianError("sacct did not answer", "stopped after 120 s")
        return None

    cycle(limited(setup, retry_seconds=0), NOW, hangs)
    _, asked = cycle(limited(setup, retry_seconds=0), NOW + 600, hangs)
    assert asked == ["avery-b", "avery"]
    _, asked = cycle(limited(setup, retry_seconds=0), NOW + 1200, hangs)
    assert asked == ["avery-b", "avery"]
    assert rows(setup)["avery-b"].last_success == NOW + 1200


# time limits


@pytest.mark.slow
def test_a_stage_that_takes_too_long_ends_and_the_next_one_begins(setup: Setup, armed: Guard) -> None:
    cycle(setup)

    def hangs(argv: Sequence[str]) -> Answer | None:
        return run_command(["sleep", "300"], timeout=600, env={}) if argv[0] == "sacct" else None

    began = time.monotonic()
    problems, _ = cycle(limited(setup, collect_seconds=1, retry_seconds=0), NOW + 600, hangs, guard=armed)
    assert time.monotonic() - began < 60
    assert "the stage collect took longer than 1 s" in str(problems)
    assert status_file(setup).read().stages["render"].last_success == NOW + 600
    assert rows(setup)["avery"].last_success == NOW
    assert json.loads((setup.places.site / "index.json").read_text())["qos"][0]["stale"] is True
    assert_whole(setup)
    assert cycle(setup, NOW + 1200, guard=armed)[0] == []


@pytest.mark.slow
def test_a_drawing_that_hangs_keeps_the_last_pictures_alone(
    setup: Setup, armed: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycle(setup)
    real = pictures._drawn

    def drawn(report: Any, *others: Any) -> Any:
        if report.header.qos == "avery":
            time.sleep(300)
        return real(report, *others)

    monkeypatch.setattr(pictures, "_drawn", drawn)
    problems, _ = cycle(limited(setup, render_seconds=10), NOW + 600, guard=armed)
    assert " could not be drawn: TooSlowError: the stage render took longer than 10 s" in str(problems[0])
    index = json.loads((setup.places.site / "index.json").read_text())
    assert [entry["last_updated"] for entry in index["qos"]] == [NOW + 600, NOW + 600]
    data = json.loads((setup.places.site / "data_avery.json").read_text())
    assert [note["kind"] for note in data["notes"]].count("pictures") == 1
    assert_whole(setup)


@pytest.mark.slow
def test_a_run_that_takes_too_long_ends_and_says_so(
    setup: Setup, armed: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycle(setup)
    monkeypatch.setattr(stages, "publish", lambda setup, now: time.sleep(300))
    with pytest.raises(Terminated, match="the run took longer than 3 s") as ended:
        cycle(limited(setup, time_limit_seconds=3), NOW + 600, guard=armed)
    assert ended.value.exit_status == 143
    assert (status_file(setup).read().state, status_file(setup).read().failures) == ("failed", 1)
    assert_whole(setup)


def test_limits_end_with_their_block_and_the_beat_goes_on() -> None:
    beats: list[float] = []
    guard = Guard(lambda: beats.append(time.monotonic()))
    guard._next_beat = time.monotonic() + 0.05
    with guard.armed():
        with guard.limit("a", 60), guard.limit("b", 0.2), pytest.raises(LibrarianError, match="b took longer"):
            time.sleep(30)
        assert len(beats) == 1
        with guard.limit("c", 0.05):
            pass
        time.sleep(0.2)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_run_that_goes_on_after_its_signal_is_told_again(signals: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_LOOK", 0.1)
    with Guard().armed():
        with contextlib.suppress(Terminated):  # as a library loses it
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Terminated, match="ended by SIGTERM"):
            time.sleep(30)


def test_what_is_closed_on_the_way_out_is_not_interrupted(signals: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_LOOK", 0.05)
    closed = False

    def work() -> None:
        nonlocal closed
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            time.sleep(0.5)
            closed = True

    with Guard().armed(), pytest.raises(Terminated):
        work()
    assert closed


def test_a_signal_that_turned_into_another_error_is_told_again(signals: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_LOOK", 0.1)
    monkeypatch.setattr(interrupts, "GRACE", 0.5)
    kept: list[Exception] = []
    with Guard().armed():
        try:
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                raise RuntimeError("release unlocked lock")
        except RuntimeError as error:
            kept.append(error)  # with the signal's as its context
        with pytest.raises(Terminated, match="ended by SIGTERM"):
            time.sleep(30)


def test_a_run_that_lost_its_lock_stops_and_leaves_the_status_alone(setup: Setup) -> None:
    cycle(setup)
    before = status_file(setup).path.read_bytes()
    with locked(setup.places.lock, "a run") as mine:
        newest = max(setup.places.state.glob("demo.lock.*"))
        successor = newest.with_name("demo.lock.99")
        successor.write_bytes(newest.read_bytes())
        with pytest.raises(LibrarianError, match="taken over by another process"):
            cycle(setup, NOW + 600, guard=Guard(check=mine.check))
    assert status_file(setup).path.read_bytes() == before


# signals


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "behind"), [*((step, False) for step in cycles.STEPS), ("the answer's end", True), ("the swap", True)]
)
def test_sigterm_at_any_step_leaves_everything_whole(
    setup: Setup, signals: None, monkeypatch: pytest.MonkeyPatch, step: str, behind: bool
) -> None:
    cycle(setup)
    place, name = cycles.STEPS[step]
    real = getattr(place, name)

    def ended(*arguments: Any, **options: Any) -> Any:
        if not behind:
            os.kill(os.getpid(), signal.SIGTERM)
        made = real(*arguments, **options)
        if behind:
            os.kill(os.getpid(), signal.SIGTERM)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(place, name, ended)
        with pytest.raises(Terminated, match="ended by SIGTERM") as error:
            cycle(setup, NOW + DAY)
    assert error.value.exit_status == 143
    status = status_file(setup).read()
    assert (status.state, status.error, status.last_try) == ("failed", "ended by SIGTERM", NOW + DAY)
    assert_whole(setup)
    assert cycle(setup, NOW + DAY + 600)[0] == []
    assert status_file(setup).read().failures == 0
    assert_whole(setup)


@pytest.mark.slow
def test_sigterm_between_the_two_renames_of_a_swap(
    setup: Setup, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where folders cannot be exchanged in one step."""
    cycle(setup)

    def refused(one: Path, other: Path) -> bool:
        return False

    monkeypatch.setattr(folder, "exchange_folders", refused)
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        made = real(path, target)
        if path == setup.places.site:
            os.kill(os.getpid(), signal.SIGTERM)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(Terminated):
            cycle(setup, NOW + 600)
    assert_whole(setup)
    assert cycle(setup, NOW + 1200)[0] == []


def test_a_second_signal_does_not_disturb_the_end(signals: None) -> None:
    with pytest.raises(Terminated, match="SIGHUP"):
        try:
            os.kill(os.getpid(), signal.SIGHUP)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGHUP)


# housekeeping


@pytest.mark.slow
def test_old_runs_go_once_their_hours_are_written_and_the_picture_stays(setup: Setup) -> None:
    cycle(setup)
    with opened(setup.places.store, setup.config.cluster.name) as store:
        known = Hours(store).usage(setup.config.scope(setup.config.qos[0]), 0, NOW)
        assert len(JobRuns(store).jobs(setup.config.scope(setup.config.qos[0]), 0)) == 2
    later = NOW + 10 * DAY
    cycle(setup, later)
    with opened(setup.places.store, setup.config.cluster.name) as store:
        assert len(JobRuns(store).jobs(setup.config.scope(setup.config.qos[0]), 0)) == 0, (
            "nine days are kept: two and seven"
        )
        assert Hours(store).usage(setup.config.scope(setup.config.qos[0]), 0, NOW).equals(known), (
            "hours are kept for good"
        )
        coverage = JobRuns(store).coverage(setup.config.scope(setup.config.qos[0]))
        assert coverage
        assert coverage.covered_from >= later - 9 * DAY


@pytest.mark.slow
def test_how_long_runs_are_kept_is_configurable(setup: Setup) -> None:
    longer = replace(setup, config=replace(setup.config, store=StoreOptions(keep_days=30)))
    assert (housekeeping.keep_seconds(setup), housekeeping.keep_seconds(longer)) == (9 * DAY, 30 * DAY)
    short = replace(setup, config=replace(setup.config, store=StoreOptions(keep_days=1)))
    assert housekeeping.keep_seconds(short) == 9 * DAY
    cycle(longer)
    cycle(longer, NOW + 10 * DAY)
    with opened(longer.places.store, longer.config.cluster.name) as store:
        assert len(JobRuns(store).jobs(longer.config.scope(longer.config.qos[0]), 0)) == 2


def test_it_is_done_once_a_day_and_takes_left_over_drafts(setup: Setup) -> None:
    cycle(setup)
    state = setup.places.state
    old, fresh, other = state / ".status.json.abc12345", state / ".hpg.lock.0123456789ab", state / ".netrc"
    for path in (old, fresh, other):
        path.write_text("")
    for path in (old, other):
        os.utime(path, (1, 1))
    assert housekeeping.tidy(setup, NOW + 600) is False
    assert housekeeping.tidy(setup, NOW + DAY) is True
    assert (old.exists(), fresh.exists(), other.exists()) == (False, True, True)
    assert housekeeping.tidy(setup, NOW) is True, "the clock went back"
