"""A life unattended: kills at any moment, a full disk, a whole day with a clock change and all kinds of trouble."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from librarian.cli import common
from librarian.config.setup import Setup
from librarian.cycle import stages
from librarian.cycle.parts import facts, status_file
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.errors import LibrarianError, StoreError
from librarian.health import overview, statusfile
from librarian.shared.window import DAY
from librarian.site import folder as sitefolder
from librarian.slurm.command import Slurm
from librarian.system.processes import Answer
from tests.patience import wait_for
from tests.unit import cycles
from tests.unit.cycles import AVERY, BASE, NOW, WEB, configured, leave_out_pictures
from tests.unit.runs import run_of

pytestmark = pytest.mark.slow
CONTEXT = multiprocessing.get_context("fork")
AUTUMN, SPRING = 1_793_512_800, 1_773_471_600  # the changes of 2026 in US/Eastern, as UTC epochs
CONFIG = f"{BASE}[report]\nwindow_days = 3\n[run]\nretry_seconds = 0\n{AVERY}{WEB}"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_pictures(monkeypatch)


def runs_around(moment: int) -> list[Run]:
    """A run every half hour for five days around `moment`, of 1 to 7 hours, by three users."""
    dice, made = random.Random(1), []
    for number in range(240):
        start = moment - 3 * DAY + 1800 * number + dice.randrange(600)
        times = {
            "submit": start - 60,
            "eligible": start - 60,
            "start": start,
            "end": start + dice.randrange(3600, 25_200),
        }
        made.append(run_of(number + 1, user=dice.choice(("alice", "bob", "carol")), **times))
    return made


def cycle(setup: Setup, runs: Sequence[Run], now: int) -> list[LibrarianError]:
    """A run as the command line does it, at another time."""
    with common.alone(setup) as guard:
        return stages.run(setup, Slurm(runner=DemoSlurm(runs, now=now, user="alice")), now, guard)


def picture(setup: Setup) -> dict[str, Any]:
    """What the site shows that must not depend on what happened on the way."""
    data = json.loads((setup.places.site / "data_avery.json").read_text())
    parts = ("edges", "users", "observables", "totals", "ended", "now", "staleness")
    return {part: data[part] for part in parts}


def assert_whole(setup: Setup) -> None:
    """A reader of site, copy and store finds each of them whole."""
    for site in (setup.places.site, setup.places.base / "web"):
        index = json.loads((site / "index.json").read_text())
        for entry in index["qos"]:
            assert json.loads((site / entry["data"]).read_text())["metadata"]["qos"] == entry["name"]
            assert gzip.decompress((site / entry["csv"]).read_bytes()).endswith(b"\n")
        assert (site / "index.html").read_text().rstrip().endswith("</html>")
        json.loads((site / "status.json").read_text())
    with closing(sqlite3.connect(setup.places.store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert status_file(setup).read().last_try is not None


# kills


def killed(work: Callable[[], object], after: float | None = None) -> int:
    """Do `work` in a process of its own, which is killed after so many seconds; returns its exit status."""
    process = CONTEXT.Process(target=work)
    process.start()
    process.join(after)
    process.kill()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


STEPS = {**cycles.STEPS, "the status": (statusfile, "write_atomic")}


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_each_step(tmp_path: Path, step: str) -> None:
    setup, runs = configured(tmp_path / "tried", CONFIG), runs_around(NOW)
    cycle(setup, runs, NOW)
    place, name = STEPS[step]
    real = getattr(place, name)

    def work() -> None:
        def ends(*arguments: Any, **options: Any) -> Any:
            real(*arguments, **options)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(place, name, ends)
        cycle(setup, runs, NOW + DAY)

    assert killed(work) == -signal.SIGKILL
    assert_whole(setup)
    assert cycle(setup, runs, NOW + DAY + 600) == []
    assert_whole(setup)
    assert_as_new(setup, runs, NOW + DAY + 600, tmp_path / "new")


def assert_as_new(setup: Setup, runs: Sequence[Run], now: int, folder: Path) -> None:
    """The site shows what one that begins today shows."""
    new = configured(folder, CONFIG)
    assert cycle(new, runs, now) == []
    assert picture(setup) == picture(new)


def test_fifty_kills_at_random(tmp_path: Path) -> None:
    setup, runs, dice = configured(tmp_path / "tried", CONFIG), runs_around(NOW), random.Random(7)
    cycle(setup, runs, NOW)
    began = time.monotonic()
    assert killed(lambda: cycle(setup, runs, NOW + 600)) == 0
    whole = time.monotonic() - began
    ended_early = 0
    for number in range(50):
        now = NOW + 600 * (number + 2)
        code = killed(lambda now=now: cycle(setup, runs, now), dice.uniform(0.02, 1.1 * whole))  # type: ignore[misc]
        ended_early += code != 0
        assert_whole(setup)
    assert ended_early > 25, "most of them ran to their end: the test proves little"
    assert cycle(setup, runs, NOW + DAY) == []
    assert_as_new(setup, runs, NOW + DAY, tmp_path / "new")
    left = {re.sub(r"\d+", "N", path.name) for path in setup.places.state.iterdir()}
    allowed = {"demo.sqlite", "demo.sqlite.daily-N", "demo.lock", "demo.lock.N", "demo.publish.json", "librarian.log"}
    allowed |= {"names.json", "status.json", "demo.pictures.json", "timings.jsonl.gz"}
    odd = {name for name in left - allowed if not name.startswith(".")}
    assert odd == set()
    assert sorted(path.name for path in setup.places.base.iterdir()) == ["site", "state", "web"]


# a full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few MiB."""
    if os.geteuid() != 0:
        pytest.skip("a file system of its own needs root: sudo scripts/test")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))


def test_a_full_disk_is_said_and_harms_nothing(small_disk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    setup, runs = configured(small_disk, CONFIG), runs_around(NOW)
    assert cycle(setup, runs, NOW) == []
    before = picture(setup)
    fill(small_disk)
    for number in (1, 2):
        with pytest.raises(StoreError) as error:
            cycle(setup, runs, NOW + 600 * number)
        assert "\n" not in str(error.value)
        assert re.search(r"No space left|full", str(error.value))
    assert capfd.readouterr().err == "", "the log, the status and the alert stay silent: there is one line, the error's"
    assert_whole(setup)
    assert picture(setup) == before
    told, code = overview.describe(status_file(setup), NOW + 4 * 3600, setup.zone, facts(setup))
    assert (code, "the last run was 4 h ago" in told[0]) == (2, True)
    (small_disk / "ballast").unlink()
    assert cycle(setup, runs, NOW + 1800) == []
    assert_as_new(setup, runs, NOW + 1800, small_disk.parent / "new")
    assert [path.name for path in setup.places.state.iterdir() if path.name.startswith(".")] == []


def test_a_disk_that_fills_up_while_the_site_is_written(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup, runs = configured(small_disk, CONFIG), runs_around(NOW)
    cycle(setup, runs, NOW)
    real = sitefolder._fill

    def full(folder: Path, files: Mapping[str, bytes], copies: Mapping[str, Path]) -> None:
        if not (small_disk / "ballast").exists():
            fill(small_disk)
        real(folder, files, copies)

    with monkeypatch.context() as patch:
        patch.setattr(sitefolder, "_fill", full)
        with pytest.raises(LibrarianError, match="No space left"):
            cycle(setup, runs, NOW + 600)
    assert_whole(setup)
    (small_disk / "ballast").unlink()
    assert cycle(setup, runs, NOW + 1200) == []
    assert_whole(setup)


# a day


class Day:
    """Cycles of ten minutes, with trouble at some of them."""

    def __init__(self, folder: Path, around: int) -> None:
        keep = f"import sys; open({str(folder / 'mails')!r}, 'a').write(sys.stdin.readline())"
        alert = f"[alert]\nafter_failures = 3\ncommand = {json.dumps([sys.executable, '-c', keep])}\n"
        self.setup, self.runs = configured(folder, CONFIG + alert), runs_around(around)
        self.failed: list[int] = []

    def cycle(self, now: int, fault: str = "") -> None:
        """A run; a failure is noted."""
        slurm = DemoSlurm(self.runs, now=now, user="alice")

        def answers(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
            return (
                Answer(1, b"", "Connection refused") if fault == "slurmdbd" else slurm(argv, timeout=timeout, env=env)
            )

        with common.alone(self.setup) as guard:
            if stages.run(self.setup, Slurm(runner=answers), now, guard):
                self.failed.append(now)

    @property
    def log(self) -> list[str]:
        return (self.setup.places.state / "librarian.log").read_text().splitlines()


def test_a_day_with_the_clock_change_of_autumn(tmp_path: Path) -> None:
    """144 cycles, read to the end: the log, the status, what was mailed, and a picture that shows none of it."""
    day = Day(tmp_path, AUTUMN)
    begin = AUTUMN - 12 * 3600
    for number in range(144):
        now = begin + 600 * number
        web = tmp_path / "web"
        if number == 60:
            web.rename(tmp_path / "aside")
            web.write_text("in the way")
        if number == 61:
            web.unlink()
            (tmp_path / "aside").rename(web)
        if number == 100:
            day.setup.places.store.write_bytes(b"garbage" * 2000)
        if number in (80, 81):
            now -= 3600  # the machine's clock goes back for a while
        day.cycle(now, "slurmdbd" if 20 <= number < 26 else "")
        if number % 12 == 0 and number != 60:
            assert_whole(day.setup)
        assert overview.describe(status_file(day.setup), now, day.setup.zone, facts(day.setup))[1] == int(
            now in day.failed
        )
    assert day.failed == [begin + 600 * number for number in (*range(20, 26), 60)]
    new = configured(tmp_path / "new", CONFIG)
    assert cycle(new, day.runs, begin + 600 * 143) == []
    assert picture(day.setup) == picture(new)
    edges = picture(day.setup)["edges"]
    assert AUTUMN - 3600 in edges
    assert AUTUMN in edges, "the hour that the clocks repeat is there twice"
    assert (tmp_path / "mails").read_text().splitlines() == [
        "Librarian on demo: 3 runs in a row have failed",
        "Librarian on demo: all is well again",
    ]
    read_to_the_end(day)


def read_to_the_end(day: Day) -> None:
    log = day.log
    assert sum(line.endswith("INFO a run begins") for line in log) == 144
    ends = [line.partition("the run ends: ")[2] for line in log if "the run ends: " in line]
    assert len(ends) == 144
    assert sum(end.startswith("all went well") for end in ends) == 144 - len(day.failed)
    assert sum("Connection refused" in end for end in ends) == 6
    assert sum("is damaged" in line and "set aside" in line for line in log) == 1
    odd = [line for line in log if " INFO " not in line and "set aside" not in line and "the queue of" not in line]
    assert odd == []
    status = status_file(day.setup).read()
    assert (status.state, status.failures, status.failing_since, status.error) == ("ok", 0, None, None)
    assert status.last_try == status.last_success == status.qos[0].last_success
    assert len(list(day.setup.places.state.glob("demo.sqlite.damaged-*"))) == 1


def test_the_clock_change_of_spring(tmp_path: Path) -> None:
    day = Day(tmp_path, SPRING)
    for number in range(24):
        day.cycle(SPRING - 2 * 3600 + 600 * number)
    assert day.failed == []
    new = configured(tmp_path / "new", CONFIG)
    cycle(new, day.runs, SPRING - 2 * 3600 + 600 * 23)
    assert picture(day.setup) == picture(new)
    assert SPRING in picture(day.setup)["edges"]


def test_runs_that_meet_are_refused_and_harm_nothing(tmp_path: Path) -> None:
    setup, runs = configured(tmp_path, CONFIG), runs_around(NOW)
    cycle(setup, runs, NOW)
    held, done = CONTEXT.Event(), CONTEXT.Event()

    def hold() -> None:
        with common.alone(setup):
            held.set()
            done.wait(60)

    other = CONTEXT.Process(target=hold)
    other.start()
    assert held.wait(60)
    with pytest.raises(LibrarianError, match="a run is already going on"):
        cycle(setup, runs, NOW + 600)
    assert status_file(setup).read().failures == 0, "the status is the other's"
    done.set()
    wait_for(lambda: not other.is_alive(), "the other's end")
    assert cycle(setup, runs, NOW + 1200) == []
