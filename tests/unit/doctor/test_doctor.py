"""`librarian doctor`: everything a newcomer gets wrong, and that one thing that is missing hides no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from librarian import doctor
from librarian.config.setup import load
from librarian.cycle.parts import status_file
from librarian.demo.group import LIMITS
from librarian.demo.slurm import DemoSlurm
from librarian.doctor import Finding, cluster, machine, own
from librarian.errors import LibrarianError, SlurmError, Trouble
from librarian.health.status import OK, QosStatus, Status, after_run
from librarian.scrontab.installed import Installed, installation
from librarian.shared.window import DAY
from librarian.slurm.command import Slurm
from librarian.store import keep_copy, opened, rescue
from librarian.subjects.efficiency.keep import RunUses
from librarian.system import lock
from librarian.system.host import clock, utc
from librarian.system.processes import Answer
from tests.places import ROOT
from tests.unit.cycles import AVERY, BASE

pytestmark = pytest.mark.clock
CONFIG = BASE + AVERY
TABLE = "0 0 * * * /usr/bin/true\n# >>> librarian {0} >>>\n*/10 * * * * run\n# <<< librarian {0} <<<\n"


class FakeSlurm:
    """The demo's Slurm, with scrontab and squeue as they are told to be."""

    def __init__(self, table: str | None = "", jobs: str = "", **options: object) -> None:
        self._inner = DemoSlurm([], now=clock(), user="alice", limits=LIMITS, **options)  # type: ignore[arg-type]
        self._table, self._jobs = table, jobs

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        if argv[0] == "scrontab":
            if self._table is None:
                raise LibrarianError("scrontab could not be started", "No such file or directory")
            return Answer(0, self._table.encode(), "")
        if argv[0] == "squeue":
            return Answer(0, self._jobs.encode(), "")
        if argv[:3] == ["scontrol", "show", "job"]:
            return Answer(0, b"CronJob=Yes", "")
        return self._inner(argv, timeout=timeout, env=env)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "librarian.toml"
    path.write_text(CONFIG)
    return path


def examined(place: Path, slurm: FakeSlurm | None = None) -> dict[str, Finding]:
    made = doctor.examine(str(place), os.environ, clock(), Slurm(runner=slurm or FakeSlurm()))
    return {finding.name: finding for finding in made}


def states(found: Mapping[str, Finding], *names: str) -> list[str]:
    return [found[name].state for name in names]


def test_a_machine_where_nothing_was_done_yet(place: Path) -> None:
    found = examined(place, FakeSlurm(table=""))
    fine = ["python", "pandas", "matplotlib", "jinja2", "pytz", "sqlite", "configuration", "slurm sacct", "slurm clock"]
    fine += ["cluster", "qos avery", "hidden jobs", "gpus", "scrontab", "lock", "zone", "disk state", "disk site"]
    assert states(found, *fine) == ["ok"] * len(fine), found
    assert states(found, "entries", "last run", "store", "site") == ["warn"] * 4
    assert found["entries"].todo == "librarian scrontab install"
    assert doctor.verdict(list(found.values())) == 1
    assert not (place.parent / "state").exists(), "a look makes nothing"


def test_what_is_wrong_in_slurm_is_said(place: Path) -> None:
    place.write_text(CONFIG.replace('"avery"', '"aveyr"').replace('"demo"', '"dmeo"', 1))
    found = examined(place, FakeSlurm(private=True, tracked=False))
    assert states(found, "cluster", "qos aveyr", "hidden jobs", "gpus") == ["fail", "fail", "warn", "warn"]
    assert "it knows demo" in found["cluster"].text
    assert doctor.verdict(list(found.values())) == 2


def test_without_slurm_each_command_is_named(place: Path) -> None:
    def nothing(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        raise LibrarianError(f"{argv[0]} could not be started", "No such file or directory")

    made = doctor.examine(str(place), os.environ, clock(), Slurm(runner=nothing))
    found = {finding.name: finding for finding in made}
    assert states(found, "slurm sacct", "slurm sacctmgr", "slurm scontrol") == ["fail"] * 3
    assert "bin_dir" in found["slurm sacct"].todo
    assert states(found, "cluster", "qos", "scrontab", "disk state") == ["fail", "fail", "warn", "ok"]


def test_a_clock_that_is_wrong_is_said() -> None:
    slow = DemoSlurm([], now=clock() - 300)
    (finding,) = [check() for name, check in cluster.checks(Slurm(runner=slow), None, 0) if name == "slurm clock"]
    assert isinstance(finding, Finding)
    assert (finding.state, "differ by 30" in finding.text) == ("warn", True)


@pytest.mark.parametrize(
    ("said", "state"),
    [("", "skip"), ("as of 2020-01-01T00:00:00", "warn"), ("as of NOW", "ok"), ("as of Unknown", "skip")],
)
def test_what_scontrol_says_of_its_time(said: str, state: str) -> None:
    answer = Answer(0, f"Configuration data {said.replace('NOW', str(clock()))}\n".encode(), "")
    assert cluster._clock(Slurm(runner=lambda argv, timeout, env: answer)).state == state


def test_mistakes_in_the_configuration_are_found_and_slurm_looked_at_all_the_same(place: Path) -> None:
    place.write_text('[cluster]\nnmae = "x"\n')
    found = examined(place)
    assert found["configuration"].state == "fail"
    assert "nmae" in found["configuration"].todo
    assert found["slurm sacct"].state == "ok"
    place.unlink()
    assert "librarian init" in examined(place)["configuration"].todo


def installed(place: Path, *, at: int, paused: bool = False) -> str:
    """Our entries as `librarian scrontab install` leaves them; returns the table."""
    name = installation("demo", place.resolve())
    table = TABLE.format(name)
    block = table.partition("\n")[2]
    known = Installed(name, block, ("librarian-report", "librarian-watchdog"), paused, 600, 600, at)
    state = place.parent / "state"
    state.mkdir(exist_ok=True)
    (state / f"scrontab-{name}.json").write_text(json.dumps(asdict(known)))
    return table


def jobs(reason: str, *names: str) -> str:
    return "".join("\x1f".join(("7", name, "PENDING", reason, "N/A", "0:00", "\n")) for name in names)


BOTH = ("librarian-report", "librarian-watchdog")


def test_entries_that_are_alive_and_have_fired(place: Path) -> None:
    table = installed(place, at=clock() - 9000)
    setup = load(place, os.environ)
    row = QosStatus(clock() - 60, clock() - 60, 1.0, name="avery")
    status = after_run(Status("demo", 600, qos=(row,)), clock() - 60, 1.0, OK, None)
    status_file(setup).write(status)
    found = examined(place, FakeSlurm(table, jobs("BeginTime", *BOTH)))
    assert states(found, "scrontab", "entries", "fired", "last run") == ["ok"] * 4, found


def test_entries_in_trouble(place: Path) -> None:
    table = installed(place, at=clock() - 9000)

    def seen(table: str, told: str) -> Finding:
        return examined(place, FakeSlurm(table, told))["entries"]

    assert "gone" in seen("", "").text
    assert "disabled" in seen(table.replace("*/10", "#DISABLED: */10"), "").text
    held = seen(table, jobs("launch failed requeued held", *BOTH))
    assert (held.state, "librarian-report is held" in held.text) == ("fail", True)
    assert "librarian-watchdog has no job" in seen(table, jobs("BeginTime", "librarian-report")).text
    changed = seen(table.replace("*/10", "*/20"), jobs("BeginTime", *BOTH))
    assert (changed.state, "changed by hand" in changed.text) == ("warn", True)
    found = examined(place, FakeSlurm(table, jobs("BeginTime", *BOTH)))
    assert (found["fired"].state, found["fired"].text) == ("fail", "they never fired")
    installed(place, at=clock() - 60)
    assert examined(place, FakeSlurm(table, jobs("BeginTime", *BOTH)))["fired"].state == "skip"
    installed(place, at=clock() - 9000, paused=True)
    assert "librarian resume" in examined(place, FakeSlurm(table))["entries"].todo


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a run every 600 s, each within 450 s"),
        ('[scrontab]\nschedule = "0,30 7-19 * * *"', "a run every 600 s, each within 450 s"),
        ('[scrontab]\nschedule = "*/30 * * * *"', "fires every 30 min, but a run is expected every 600 s"),
        ('[scrontab]\nschedule = "* * * * *"', "fires every 1 min, but a run is expected every 600 s"),
        ("[scrontab]\ntime_limit_minutes = 7", "Slurm ends the job of a run after 420 s"),
    ],
)
def test_a_schedule_that_does_not_fit_the_runs_is_said(place: Path, text: str, told: str) -> None:
    place.write_text(place.read_text() + text + "\n")
    finding = examined(place)["pace"]
    assert told in finding.text
    assert finding.state == ("ok" if told.startswith("a run") else "warn")


def test_without_scrontab_other_ways_are_told(place: Path) -> None:
    finding = examined(place, FakeSlurm(table=None))["scrontab"]
    assert (finding.state, "--form crontab" in finding.todo) == ("warn", True)


def test_store_site_lock_and_disk(place: Path) -> None:
    setup = load(place, os.environ)
    with opened(setup.places.store, setup.config.cluster.name):
        pass
    assert examined(place)["store"].state == "ok"
    setup.places.store.write_bytes(b"no database" * 99)
    assert "damaged" in examined(place)["store"].text
    setup.places.site.mkdir()
    (setup.places.site / "thesis.tex").write_text("")
    assert "holds other files" in examined(place)["site"].text
    with lock.locked(setup.places.lock, "a run"):
        assert f"process {os.getpid()}" in examined(place)["lock"].text


def test_use_that_is_not_told_is_a_finding(place: Path) -> None:
    setup = load(place, os.environ)
    assert examined(place)["efficiency"].state == "skip", "nothing was asked yet"
    scope = setup.config.scope(setup.config.qos[0])
    with opened(setup.places.store, setup.config.cluster.name) as store:
        RunUses(store).take([scope], (clock() - 900, clock()), ())
    assert examined(place)["efficiency"].state == "ok"
    with opened(setup.places.store, setup.config.cluster.name) as store:
        RunUses(store).note({"error": Trouble.NO_ANSWER.value}, clock())
    found = examined(place)["efficiency"]
    assert found.state == "warn"
    assert "Slurm did not answer" in found.text
    place.write_text(place.read_text() + "\n[efficiency]\nenabled = false\n")
    assert examined(place)["efficiency"].state == "skip"


def test_copies_of_the_store_and_what_took_its_place(place: Path) -> None:
    setup, today = load(place, os.environ), clock()
    name = setup.config.cluster.name

    def told() -> tuple[str, str]:
        finding = examined(place)["store"]
        return finding.state, finding.text

    with opened(setup.places.store, name) as store:
        assert told()[1].endswith("no copy was made yet")
        copy = keep_copy(store, today)
    assert told() == ("ok", f"{told()[1].partition('; ')[0]}; the last copy is of {utc(today)}")
    assert copy
    copy.rename(setup.places.store.with_name(f"{setup.places.store.name}.daily-{today - 3 * DAY}"))
    assert told()[0] == "warn"
    setup.places.store.unlink()
    assert told() == ("fail", f"it is gone: {setup.places.store}; the last copy is of {utc(today - 3 * DAY)}")
    setup.places.store.write_bytes(b"no store" * 99)
    rescue(setup.places.store, name, today)
    assert told()[0] == "warn"
    assert "when it was damaged" in told()[1]


def test_a_folder_that_cannot_be_written(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own.os, "access", lambda path, mode: False)
    found = examined(place)
    assert states(found, "disk state", "disk site", "site") == ["fail"] * 3
    assert f"{place.parent} cannot be written" in found["disk state"].text


def test_little_room_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(own, "_LOW", 2**80)
    (finding,) = own._disk("state", tmp_path / "not" / "yet")
    assert (finding.state, f"free at {tmp_path}," in finding.text) == ("warn", True)
    monkeypatch.setattr(own, "_LOW", 0)
    monkeypatch.setattr(own, "file_time", lambda folder: clock() - 3600)
    room, skew = own._disk("state", tmp_path)
    assert (room.state, skew.state, skew.name) == ("ok", "warn", "disk state clock")

    def full(folder: Path) -> float:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(own, "file_time", full)
    assert own._disk("state", tmp_path)[0].text == f"{tmp_path}: No space left on device"


def test_channels_that_could_tell_nobody(place: Path) -> None:
    rule = '[[rule]]\nname = "old"\nkind = "data-age"\n'
    place.write_text(CONFIG + rule)
    assert examined(place)["channels"].state == "warn"
    place.write_text(CONFIG + rule + '[[channel]]\nname = "chat"\nkind = "slack"\nurl_file = "nosuch"\n')
    assert examined(place)["channel chat"].state == "fail"
    place.write_text(CONFIG + rule + '[[channel]]\nname = "chat"\nkind = "slack"\nurl = "https://h/s3cret"\n')
    assert examined(place)["channel chat"].text == "slack; nothing was sent"


def test_alerts_that_nobody_could_get(place: Path) -> None:
    place.write_text(CONFIG + '[alert]\ncommand = ["/nosuch/program"]\n')
    assert examined(place)["alert"].state == "fail"
    place.write_text(CONFIG + f'[alert]\ncommand = ["{sys.executable}", "x"]\n')
    assert examined(place)["alert"].text == sys.executable


def test_packages_that_are_missing_or_old() -> None:
    assert machine.package("no_such_package", (1,)).state == "fail"
    assert "is older than 999" in machine.package("pandas", (999,)).text
    assert machine._numbers("2.2.3.dev1+x") == (2, 2, 3)


def test_a_check_that_breaks_is_a_finding() -> None:
    def broken() -> Finding:
        raise RuntimeError("oh\nno")

    def told() -> Finding:
        raise SlurmError("sacct failed", "no answer", "ask the admins")

    assert doctor._made("odd", broken) == [Finding("odd", "fail", "RuntimeError: oh no")]
    assert doctor._made("odd", told) == [Finding("odd", "fail", "sacct failed: no answer", "ask the admins")]


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["pandas", "matplotlib", "sqlite3"])
def test_it_works_where_heavy_parts_are_missing(place: Path, missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"from librarian.cli import main; sys.exit(main(['doctor', '--json', '--config', {str(place)!r}]))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    found = {row["name"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 2
    assert found[{"sqlite3": "sqlite"}.get(missing, missing)]["state"] == "fail"
    assert found["configuration"]["state"] == "ok"
    assert found["disk state"]["state"] == "ok"


def test_as_text() -> None:
    findings = [Finding("a", "ok", "fine", "unneeded"), Finding("b", "fail", "broken", "mend it")]
    assert doctor.as_text(findings) == [
        "ok    a: fine",
        "fail  b: broken",
        "        -> mend it",
        "2 checks: 1 ok, 1 fail",
    ]
