"""`librarian jobs`: what became of somebody's jobs, from the store alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from librarian.cli import main
from librarian.cli.jobs_text import HEAD
from librarian.config import setup as configfile
from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.scope import Scope
from librarian.store import opened
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import Flag, Peak, Run, Source, Use, UsedRun
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.jobs.runaway_facts import Runaway
from librarian.subjects.jobs.unended import KnownRunaways
from librarian.system import host
from tests.unit.cli.test_cli import AS_A_SCRIPT, imported
from tests.unit.runs import T0
from tests.unit.tables import jobs_table

CONFIG = """
[cluster]
name = "demo"
timezone = "UTC"
[paths]
state = "state"
site = "site"
[[qos]]
name = "avery"
"""
SCOPE = Scope("demo", "avery")
NOW = T0 + 5 * 86400
HOSTILE = "=b\x1b[31m\nb"
GIB = 1 << 30
Jobs = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.clock


def row(number: int, **changes: object) -> dict[str, object]:
    """A job of alice's that ended an hour ago."""
    times = {"submit": NOW - 7260, "eligible": NOW - 7260, "start": NOW - 7200, "end": NOW - 3600, "elapsed": 3600}
    names = {"user": "alice", "account": "a", "qos": "avery", "partition": "cpu", "state": "COMPLETED"}
    held = {"alloc_tres": "cpu=4,mem=4G,gres/gpu=2,gres/gpu:a100=2,node=1"}
    place = {"array": 0, "task": -1, "tasks": 1, "exit_code": 0}
    return {"dbindex": number, "jobid": 100 + number, "suspended": 0, **place, **times, **names, **held, **changes}


def used(told: dict[str, object], limit: int | None = 7200, **use: object) -> UsedRun:
    run = Run(
        **{key: told[key] for key in ("dbindex", "jobid", "qos", "state", "start", "end", "elapsed", "alloc_tres")},  # type: ignore[arg-type]
        user=UserName(str(told["user"])),
        account=AccountName(str(told["account"])),
        partition=PartitionName(str(told["partition"])),
        limit=limit,
    )
    return UsedRun(run, Use(**use))  # type: ignore[arg-type]


HALF = {"cpu": 7_200_000, "cpu_source": Source.STEPS, "memory": GIB, "memory_source": Source.STEPS}
OPEN = {"end": UNKNOWN, "state": "RUNNING"}
PENDING = {"start": UNKNOWN, "end": UNKNOWN, "elapsed": 0, "state": "PENDING", "alloc_tres": ""}
ROWS = [
    row(1),
    row(2, state="FAILED", end=NOW - 3500, elapsed=3700),
    row(3, **OPEN, elapsed=7200),
    row(4, **PENDING),
    row(5, end=NOW - 2 * 86400, start=NOW - 3 * 86400, submit=NOW - 4 * 86400, eligible=NOW - 4 * 86400),
    row(6, user=HOSTILE, end=NOW - 3000, elapsed=4200),
    row(7, **OPEN, start=NOW - 7000, elapsed=100),
    row(8, state="TIMEOUT", end=NOW - 3400, elapsed=3800),
    row(9, user="carol"),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "librarian.toml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def jobs(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Jobs:
    """Runs `librarian jobs` as alice with these arguments: its status, what it wrote and what it said."""
    monkeypatch.setattr(host, "clock", lambda: NOW + 60)
    monkeypatch.setattr(host, "user_name", lambda: "alice")

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["--config", str(place / "librarian.toml"), "jobs", *arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def collected(place: Path) -> None:
    """The rows of above, with the use of all that ended but the time-out; of one a part of the steps was measured."""
    setup = configfile.load(place / "librarian.toml", {})
    setup.places.store.parent.mkdir(parents=True, exist_ok=True)
    with opened(setup.places.store, "demo") as store:
        JobRuns(store).add(SCOPE, Asked(NOW - 8 * 86400, NOW, 1.0, full=True), jobs_table(*ROWS), [])
        partly = {**HALF, "flags": frozenset({Flag.PARTLY})}
        known = [used(ROWS[0], **HALF), used(ROWS[1], **partly), used(ROWS[5], **HALF), used(ROWS[7])]
        known.append(used(ROWS[8], **{**HALF, "peak": Peak.TASK}))
        RunUses(store).take([SCOPE], (NOW - 86400, NOW), known)
        KnownRunaways(store).keep(SCOPE, [Runaway(7, NOW - 7000, NOW - 600, NOW - 6900, True)], NOW, NOW)


def ids(text: str) -> list[str]:
    return [one["id"] for one in json.loads(text)["jobs"]]


def test_ones_own_of_a_week_the_newest_last(jobs: Jobs, collected: None) -> None:
    status, out, said = jobs()
    head, *lines, foot = out.splitlines()
    assert (status, said) == (0, "")
    assert head.split() == [name for name in HEAD if name not in ("USER", "TASKS")]
    assert [line.split()[0] for line in lines] == ["105", "107", "101", "102", "108", "103", "104"]
    assert lines[2].split()[:7] == ["101", "COMPLETED", "0:0", "4", "2", "a100", "4"]
    assert lines[2].split()[-8:] == ["1:00:00", "50", "%", "50", "%", "25", "%", "?"]
    assert foot.startswith("7 jobs of alice since ")
    assert "?: not measured." in foot


def test_what_is_not_measured_is_never_0(jobs: Jobs, collected: None) -> None:
    lines = {line.split()[0]: line for line in jobs()[1].splitlines()}
    assert lines["108"].split()[-3:] == ["?", "?", "?"]
    assert "≥ 49 %" in lines["102"]
    assert jobs()[1].splitlines()[-1].endswith("?: not measured. ≥: at least, since only part of the job was measured.")
    assert " 0 %" not in "".join(lines.values())
    assert jobs("--user", "carol")[1].splitlines()[1].split()[-4:] == ["≥", "25", "%", "?"], "the largest task"
    assert lines["103"].endswith("2:00:00"), "what runs is not judged"
    assert lines["104"].split() == ["104", "PENDING"]


def test_a_runaway_does_not_run(jobs: Jobs, collected: None) -> None:
    found = {one["id"]: one for one in json.loads(jobs("--json")[1])["jobs"]}
    assert found["107"]["state"] == "RUNAWAY"
    assert (found["107"]["ended"], found["107"]["elapsed_seconds"]) == (NOW - 6900, 100)
    assert (found["103"]["state"], found["103"]["ended"]) == ("RUNNING", None)


def test_as_one_jobs_card_has_it(jobs: Jobs, collected: None) -> None:
    told = json.loads(jobs("--json", "--since", "2h")[1])
    assert (told["as_of"], told["since"], told["user"]) == (NOW, NOW + 60 - 7200, "alice")
    first = next(one for one in told["jobs"] if one["id"] == "101")
    assert first["cpu"] == {
        **{"allocated": 14400, "used": 7200.0, "efficiency": 0.5, "source": "steps"},
        **{"user": None, "system": None},
    }
    assert first["gpu"]["efficiency"] is None
    assert (first["waited_seconds"], first["limit_seconds"]) == (60, 7200)
    assert "name" not in first


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--failed"], ["102", "108"]),
        (["--since", "90h", "--user", "bob"], []),
        (["--since", "2h"], ["107", "101", "102", "108", "103", "104"]),
        (["--everybody", "AVERY"], ["105", "107", "101", "109", "102", "108", "106", "103", "104"]),
        (["--user", HOSTILE], ["106"]),
        (["--since", "2100-01-01"], ["103", "104"]),
    ],
)
def test_which(jobs: Jobs, collected: None, arguments: list[str], wanted: list[str]) -> None:
    assert ids(jobs("--json", *arguments)[1]) == wanted


def test_a_hostile_name(jobs: Jobs, collected: None) -> None:
    text = jobs("--everybody")[1]
    assert "\x1b" not in text
    assert "=b\ufffd[31m\ufffdb" in text
    rows = list(csv.DictReader(io.StringIO(jobs("--everybody", "--csv")[1])))
    assert [one["user"] for one in rows if one["job"] == "106"] == ["'=b\ufffd[31m\ufffdb"]
    assert "No job of \ufffdx since" in jobs("--user", "\x1bx")[1]


def test_csv_leaves_empty_what_is_not_known(jobs: Jobs, collected: None) -> None:
    rows = {one["job"]: one for one in csv.DictReader(io.StringIO(jobs("--csv")[1]))}
    assert (rows["101"]["cpu_efficiency"], rows["101"]["gpu_efficiency"]) == ("0.5", "")
    assert rows["108"]["cpu_efficiency"] == ""
    assert rows["104"]["started"] == rows["104"]["ended"] == rows["104"]["limit_seconds"] == ""
    assert rows["102"]["notes"] == "some steps not measured"


def test_what_is_older_than_what_is_kept_is_said(jobs: Jobs, collected: None) -> None:
    status, _, said = jobs("--since", "2w")
    assert status == 0
    assert said.startswith("librarian: jobs of avery are known only since ")
    assert said.count("\n") == 1


def test_what_is_found_follows_the_configuration(jobs: Jobs, collected: None, place: Path) -> None:
    def found() -> list[str]:
        return [one["rule"] for told in json.loads(jobs("--json")[1])["jobs"] for one in told["findings"]]

    assert "cpu-low" in found()
    with (place / "librarian.toml").open("a") as config:
        config.write("[efficiency]\ncpu_below = 0.1\n")
    assert "cpu-low" not in found()


@pytest.mark.usefixtures("collected")
def test_it_waits_for_no_columns(place: Path) -> None:
    for form in ([], ["--csv"], ["--json"]):
        started = imported(AS_A_SCRIPT, "jobs", "--everybody", *form, folder=place)
        assert "librarian.subjects.efficiency.job_list" in started
        assert not started & {"pandas", "matplotlib", "jinja2"}


@pytest.mark.parametrize("text", ["", "7", "7x", "-1d", "yesterday", "2026-02-30", "７d", "99999d"])
def test_what_is_no_time(jobs: Jobs, text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        jobs(f"--since={text}")
    assert ended.value.code == 2


def test_mistakes(jobs: Jobs, place: Path, collected: None) -> None:
    status, out, said = jobs("kim")
    assert (status, out) == (2, "")
    assert "kim is not a configured QoS" in said


def test_nothing_was_collected_yet(jobs: Jobs) -> None:
    status, out, said = jobs()
    assert (status, out) == (4, "")
    assert "nothing was collected yet" in said


def task(number: int, **changes: object) -> dict[str, object]:
    return row(20 + number, array=121, task=number, **changes)


TASKS = [
    task(0),
    task(1, state="FAILED", exit_code=256, end=NOW - 3500, elapsed=3700),
    task(2, state="FAILED", exit_code=256),
    task(3, state="REQUEUED", start=NOW - 7200, end=NOW - 6600, elapsed=600, submit=NOW - 7300),
    row(28, array=121, task=3, jobid=124, **OPEN, submit=NOW - 6600, start=NOW - 6500, elapsed=6500),
    row(29, array=121, tasks=96, jobid=121, **PENDING),
    row(30, array=131, task=7, exit_code=-1),
    row(31, array=-1, tasks=-1, exit_code=-1),
]


@pytest.fixture
def arrays(place: Path) -> None:
    setup = configfile.load(place / "librarian.toml", {})
    setup.places.store.parent.mkdir(parents=True, exist_ok=True)
    with opened(setup.places.store, "demo") as store:
        JobRuns(store).add(SCOPE, Asked(NOW - 8 * 86400, NOW, 1.0, full=True), jobs_table(*TASKS), [])
        RunUses(store).take([SCOPE], (NOW - 86400, NOW), [used(one, **HALF) for one in TASKS[:4]])


def test_a_job_array_is_one_row_with_counts(jobs: Jobs, arrays: None) -> None:
    head, *lines, foot = jobs()[1].splitlines()
    assert head.split()[:4] == ["JOB", "TASKS", "STATE", "EXIT"]
    found = {line.split()[0]: line for line in lines}
    assert list(found) == ["131_7", "131", "121"], "an array of one task stays that task"
    assert found["121"].split()[1] == "100"
    assert "96 PENDING, 2 FAILED, 1 RUNNING, 1 COMPLETED  1:0, 0:0" in found["121"]
    assert "1:48:20" in found["121"], "the longest run"
    assert found["121"].split()[-3:-1] == ["25", "%"], "of all that ended: 4 x 1 of 4 GiB"
    assert [found[one].split()[2] for one in ("131_7", "131")] == ["?", "?"], "kept before exit codes were asked for"
    assert "Of a job array: the longest wait and run" in foot


def test_a_row_a_task_where_that_is_wanted(jobs: Jobs, arrays: None) -> None:
    head, *lines, foot = jobs("--tasks")[1].splitlines()
    wanted = ["121_3", "121_0", "121_2", "131_7", "131", "121_1", "121_3", "121"]
    assert [line.split()[0] for line in lines] == wanted
    assert "TASKS" in head
    assert lines[-1].split()[:3] == ["121", "96", "PENDING"]
    assert "Of a job array" not in foot


def test_exit_codes_for_programs(jobs: Jobs, arrays: None) -> None:
    found = {one["id"]: one["exit_code"] for one in json.loads(jobs("--json")[1])["jobs"]}
    assert (found["121_0"], found["121_1"], found["131"], found["121"]) == ("0:0", "1:0", None, None)
    rows = {one["job"]: one["exit_code"] for one in csv.DictReader(io.StringIO(jobs("--csv")[1]))}
    assert (rows["121_1"], rows["131_7"], rows["121"]) == ("1:0", "", "")
