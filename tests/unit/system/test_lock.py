"""The lock of a cluster's state: one owner, whoever dies, on one machine or on several with one folder."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from librarian.errors import BusyError, StoreError
from librarian.system import host as system
from librarian.system import lock
from librarian.system.lock import EXPIRY, LostLockError, Owner, locked
from tests.patience import CEILING, wait_for

pytestmark = pytest.mark.clock
CONTEXT = multiprocessing.get_context("fork")
SOON = 10  # seconds: longer than a machine that does much else lets a process, or a write to its disk, wait


def on(host: str) -> Owner:
    """This process as another machine's: its ids say nothing to anybody else."""
    return replace(Owner.me(), host=host, kernel=f"kernel of {host}")


def claims(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.*"))


@pytest.fixture(params=[True, False], ids=["record locks", "none"])
def record_locks_or_none(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system with record locks, and one without."""
    if not request.param:

        def refuse(*_: object) -> None:
            raise OSError(37, "No locks available")

        monkeypatch.setattr(system.fcntl, "lockf", refuse)


def hold(path: Path, host: str, ready: multiprocessing.synchronize.Event) -> None:
    with locked(path, "a run", me=on(host) if host else None):
        ready.set()
        time.sleep(CEILING)


def held_by_another(path: Path, host: str = "") -> multiprocessing.process.BaseProcess:
    ready = CONTEXT.Event()
    other = CONTEXT.Process(target=hold, args=(path, host, ready))
    other.start()
    assert ready.wait(CEILING)
    return other


def make_old(path: Path, seconds: float) -> None:
    newest = claims(path)[-1]
    moment = newest.stat().st_mtime - seconds
    os.utime(newest, (moment, moment))


@pytest.mark.usefixtures("record_locks_or_none")
def test_a_live_owner_is_respected_and_a_dead_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "state" / "hpg.lock"
    other = held_by_another(path)
    with pytest.raises(BusyError, match=f"process {other.pid} on {system.host_name()}"), locked(path, "a run"):
        pass
    assert lock.owner_of(path) == f"a run, process {other.pid} on {system.host_name()}"
    other.kill()
    other.join()
    assert lock.owner_of(path) == ""
    with locked(path, "a run") as mine:
        mine.check()
        assert str(os.getpid()) in lock.owner_of(path)
    assert lock.owner_of(path) == ""


def test_an_owner_of_another_machine_lives_as_long_as_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "hpg.lock"
    other = held_by_another(path, "node7")
    other.kill()
    other.join()
    with pytest.raises(BusyError, match=r"a run, process \d+ on node7"), locked(path, "a run", me=on("node8")):
        pass
    make_old(path, EXPIRY + 1)
    with locked(path, "a run", me=on("node8")):
        pass


def test_a_dead_owner_of_the_future_grows_old_from_the_first_look_on(tmp_path: Path) -> None:
    path = tmp_path / "hpg.lock"
    other = held_by_another(path, "node7")
    other.kill()
    other.join()
    make_old(path, -10 * 86400)  # its clock was ten days ahead
    with pytest.raises(BusyError, match="on node7"), locked(path, "a run", me=on("node8")):
        pass
    make_old(path, EXPIRY + 1)  # as time goes by
    with locked(path, "a run", me=on("node8")):
        pass
    assert abs(claims(path)[0].stat().st_mtime - claims(path)[-1].stat().st_mtime) < 2 * EXPIRY


def test_a_live_owner_whose_clock_is_ahead_is_respected(tmp_path: Path) -> None:
    path = tmp_path / "hpg.lock"
    with locked(path, "a run") as mine:
        for _ in range(3):
            mine.freshen()
            make_old(path, -3600)
            with pytest.raises(BusyError), locked(path, "a run", me=on("node8")):
                pass
        mine.check()


def test_old_claims_of_the_future_are_swept_once_that_is_past(tmp_path: Path) -> None:
    path = tmp_path / "hpg.lock"
    for ahead in (86400, 0):
        with locked(path, "a run"):
            pass
        make_old(path, -ahead)
    assert claims(path)[0].stat().st_mtime <= claims(path)[1].stat().st_mtime


def test_an_owner_that_hangs_is_replaced_and_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "hpg.lock"
    with locked(path, "a run") as first:
        first.freshen()
        make_old(path, EXPIRY + 1)
        with locked(path, "a run", me=on("node8")):
            with pytest.raises(LostLockError, match="taken over by another process: a run"):
                first.freshen()
            with pytest.raises(LostLockError):
                first.check()
        assert lock.owner_of(path) == ""
    with locked(path, "a run"):
        pass


def test_a_claim_that_is_kept_fresh_does_not_expire(tmp_path: Path) -> None:
    path = tmp_path / "hpg.lock"
    with locked(path, "a run") as mine:
        make_old(path, EXPIRY + 1)
        mine.freshen()
        with pytest.raises(BusyError), locked(path, "a run", me=on("node8")):
            pass


def test_a_process_id_that_was_used_again_is_another_process(tmp_path: Path) -> None:
    path = tmp_path / "hpg.lock"
    stranger = replace(Owner.me(), began="1")  # our id, of a process that began at another time
    with pytest.raises(KeyError), locked(path, "a run", me=stranger):
        raise KeyError  # let go of
    (tmp_path / "hpg.lock.2").write_text(claims(path)[-1].read_text().replace("true", "false"))
    assert json.loads((tmp_path / "hpg.lock.2").read_text())["released"] is False
    with locked(path, "a run"):
        pass


def test_a_claim_that_cannot_be_read_is_somebody_s(tmp_path: Path) -> None:
    path = tmp_path / "hpg.lock"
    (tmp_path / "hpg.lock.1").write_bytes(b"\0" * 50)
    with pytest.raises(BusyError, match="an unknown host"), locked(path, "a run"):
        pass
    make_old(path, EXPIRY + 1)
    with locked(path, "a run"):
        pass


def test_a_sleeper_that_wakes_finds_its_number_taken_or_too_low(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and claiming the others came and went, and what it saw has been swept away."""
    path = tmp_path / "hpg.lock"
    for _ in range(5):
        with locked(path, "a run"):
            pass
    real = lock._respect

    def sleep(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        for number in (6, 7, 8):
            (tmp_path / f"hpg.lock.{number}").write_bytes((tmp_path / "hpg.lock.5").read_bytes())
        (tmp_path / "hpg.lock.6").unlink()

    monkeypatch.setattr(lock, "_respect", sleep)
    with pytest.raises(BusyError), locked(path, "a run"):
        pass
    assert not (tmp_path / "hpg.lock.6").exists()


def test_old_claims_are_swept_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "hpg.lock"
    for _ in range(4):
        with locked(path, "a run"):
            pass
        make_old(path, 2 * 3600)
    assert [file.name for file in claims(path)] == ["hpg.lock.4"], "only the newest, since the rest were old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["hpg.lock", "hpg.lock.4"]


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StoreError, match=r"lock .* cannot be used"), locked(tmp_path / "state" / "hpg.lock", "a run"):
        pass


def race(path: Path, host: str, rounds: int, seed: int, log: Path) -> None:
    """Take the lock again and again, and write down each entry; the fourth of these processes dies as the owner."""
    dice = random.Random(seed)
    done = 0
    while done < rounds:
        try:
            with locked(path, "a run", me=on(f"{host}, {seed}"), expiry=SOON) as mine:
                done += 1
                inside = path.with_name("inside")
                os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # fails where somebody else is inside
                time.sleep(dice.random() / 500)
                mine.check()
                inside.unlink()
                with log.open("a") as file:
                    file.write(f"{host}\n")
                if seed == 3 and done > rounds / 2:
                    os.kill(os.getpid(), signal.SIGKILL)
        except BusyError:
            time.sleep(dice.random() / 1000)


@pytest.mark.slow
@pytest.mark.usefixtures("record_locks_or_none")
def test_two_machines_that_race_never_both_own_it(tmp_path: Path) -> None:
    """Two at a time that take all others for another machine's, on one folder; the claim of one that dies as the owner
    has to expire, as nobody can see that it is gone."""
    path, log = tmp_path / "hpg.lock", tmp_path / "log"
    log.touch()
    running: dict[str, multiprocessing.process.BaseProcess] = {}
    seeds = iter(range(10_000))
    deaths = 0

    def entered(host: str) -> int:
        return log.read_text().split().count(host)

    def go_on() -> bool:
        nonlocal deaths
        for host in ("one", "two"):
            worker = running.get(host)
            if worker is None or not worker.is_alive():
                assert worker is None or worker.exitcode in (0, -signal.SIGKILL), "the owner was not alone"
                deaths += worker is not None and worker.exitcode != 0
                running[host] = CONTEXT.Process(target=race, args=(path, host, 20, next(seeds), log))
                running[host].start()
        return entered("one") >= 100 and entered("two") >= 100 and deaths == 1

    try:
        wait_for(go_on, "100 entries of each, and a death", lambda: log.stat().st_size)
    finally:
        for worker in running.values():
            worker.kill()
            worker.join()
