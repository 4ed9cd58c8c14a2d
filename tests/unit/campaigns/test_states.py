"""Status, retry, stop, collect, and runs without Slurm."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from librarian.system.host import process_began
from tests.places import ROOT
from tests.unit.campaigns.fakes import Home

ODD = [
    'it\'s "quoted"',
    "two\nlines\r",
    ";rm -rf ~",
    "$(id)`id`",
    "héλλo 🙂",
    "NaN",
    "-n",
    "",
    " x ",
    "a\\b",
    "x" * 102_400,
]


@pytest.fixture
def sweep(home: Home) -> Home:
    home.script("#!/bin/sh\necho $PARAM_lr\n")
    home("new", "s", "work.sh")
    home("add", "s", "lr=1,2,3", "seed=1..4", "--repeat", "2")
    return home


def test_each_task_is_one_of_five(sweep: Home) -> None:
    sweep("submit", "s", "--limit", "20")
    slurm = sweep.slurm
    slurm.end("RUNNING", rows=range(0, 3))
    slurm.end("COMPLETED", rows=range(3, 8))
    slurm.end("FAILED", "3:0", rows=range(8, 12))
    slurm.end("TIMEOUT", "0:15", rows=range(12, 14))
    told = sweep.json()
    assert told["tasks"] == {"total": 24, "not_submitted": 4, "pending": 6, "running": 3, "done": 5, "failed": 6}
    assert told["failed_by"] == {"FAILED": {"3:0": 4}, "TIMEOUT": {"0:15": 2}}
    assert told["pending_by"] == {"Resources": 6}
    assert told["cpu_hours"]["done"] == pytest.approx(5 * 120 / 3600, abs=1e-4)
    shown = sweep("status", "s", "-v")
    assert "24 tasks: 4 not submitted, 6 pending, 3 running, 5 done, 6 failed" in shown
    assert "failed: 4 FAILED, exit code 3:0" in shown
    assert sweep("tasks", "s", "--failed", "--where", "lr=2", "--where", "repeat=1").count("\n") == 1 + 3


def test_one_squeue_and_one_sacct_for_all(sweep: Home) -> None:
    sweep.slurm.write(max_array=5)
    sweep("submit", "s")
    sweep("new", "other", "work.sh")
    sweep("add", "other", "x=1..9")
    sweep("submit", "other")
    before = len(sweep.slurm.calls("squeue")), len(sweep.slurm.calls("sacct"))
    assert sweep("status").splitlines() == ["other: 9 tasks: 9 pending", "s: 24 tasks: 24 pending"]
    assert (len(sweep.slurm.calls("squeue")), len(sweep.slurm.calls("sacct"))) == (before[0] + 1, before[1] + 1)


def test_what_was_known_stays_when_slurm_forgets_or_is_down(sweep: Home) -> None:
    sweep("submit", "s")
    sweep.slurm.end("COMPLETED", rows=range(0, 10))
    sweep.slurm.end("FAILED", "3:0", rows=range(10, 12))
    sweep.slurm.end("RUNNING", rows=range(12, 14))
    counts = sweep.counts()
    assert counts == [24, 0, 10, 2, 10, 2]
    for names in (["squeue"], ["sacct"], ["squeue", "sacct"]):
        sweep.slurm.down(*names)
        told = json.loads(sweep("status", "s", "--json", status=3))
        assert (list(told["tasks"].values()), told["slurm_answered"]) == (counts, False)
        assert "last that is known" in sweep.err
        sweep.slurm.up()
    for state in ("COMPLETED", "FAILED"):
        rows = range(0, 10) if state == "COMPLETED" else range(10, 12)
        sweep.slurm.end(state, "9:9", rows=rows, purged=True)
    assert sweep.counts() == counts


def test_a_task_that_slurm_knows_nothing_of_is_lost(sweep: Home) -> None:
    sweep("submit", "s", "--limit", "1")
    sweep.slurm.end("COMPLETED", purged=True)
    assert sweep.counts() == [24, 23, 1, 0, 0, 0], "it may have come too late for accounting"
    path = sweep.folder / "c" / "s" / "submissions.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]
    events[0]["at"] -= 3600
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert sweep.json()["failed_by"] == {"LOST": {"": 1}}


def test_a_requeued_task_counts_once(sweep: Home) -> None:
    sweep("submit", "s")
    sweep.slurm.end("NODE_FAIL", "0:0", rows=range(0, 1))
    sweep.slurm.end("REQUEUED", rows=range(1, 2))
    assert sweep.json()["tasks"]["pending"] == 23


def test_a_task_that_was_requeued_after_it_had_ended_is_not_ended(sweep: Home) -> None:
    sweep("submit", "s")
    sweep.slurm.end("FAILED", "1:0", rows=range(0, 2))
    assert sweep.counts() == [24, 0, 22, 0, 0, 2]
    sweep.slurm.end("PENDING", rows=range(0, 1))
    assert sweep.counts() == [24, 0, 23, 0, 0, 1]
    sweep.slurm.end("COMPLETED")
    assert sweep.counts() == [24, 0, 0, 0, 24, 0]
    sweep.slurm.end("COMPLETED", purged=True)


@pytest.mark.parametrize(
    "line",
    [
        {"event": "array", "id": "../../../x", "kind": "slurm", "rows": "1", "by": "me", "at": 1},
        {"event": "job", "id": "ID", "job": "--user=somebody"},
        {"event": "job", "id": "nobody", "job": "7"},
        {"event": "array", "id": "0123456789ab", "kind": "slurm", "rows": "1-99999999", "by": "me", "at": 1},
        ["array"],
    ],
)
def test_what_another_member_wrote_is_no_path_and_no_option(sweep: Home, line: object) -> None:
    sweep("submit", "s")
    path = sweep.folder / "c" / "s" / "submissions.jsonl"
    first = json.loads(path.read_text().splitlines()[0])["id"]
    path.write_text(path.read_text() + json.dumps(line).replace('"ID"', f'"{first}"') + "\n")
    for words in (["status", "s"], ["stop", "s", "--yes"], ["tidy", "s", "--yes"], ["retry", "s"]):
        sweep(*words, status=4)
    assert sweep.slurm.calls("scancel") == []


def test_retry_submits_exactly_what_failed(sweep: Home) -> None:
    sweep("submit", "s", "--", "--mem=2G", "-t", "10")
    sweep.slurm.end("COMPLETED")
    sweep.slurm.end("FAILED", "3:0", rows=range(3, 6))
    sweep.slurm.end("TIMEOUT", rows=range(20, 22))
    assert "2 tasks, rows 21-22" in sweep("retry", "s", "--state", "timeout", "--more", "time=1.5")
    assert sweep.slurm.jobs[1]["argv"][:3] == ["--mem=2G", "-t", "15"]
    assert sweep.counts() == [24, 0, 2, 0, 19, 3]
    sweep.slurm.end("COMPLETED")
    assert "3 tasks, rows 4-6" in sweep("retry", "s")
    sweep.slurm.end("FAILED", "4:0")
    assert sweep.json()["failed_by"] == {"FAILED": {"4:0": 3}}
    told = sweep("retry", "s", "--max", "2")
    assert "3 tasks had 2 tries already" in told
    assert "nothing is left" in told
    assert json.loads(sweep("tasks", "s", "--where", "lr=1", "--json"))[3]["tries"] == ["100_3", "102_0"]


def test_done_only_with_its_output(home: Home) -> None:
    home.script("#!/bin/sh\n")
    home("new", "s", "work.sh", "--output", "out/{x}-{repeat}.txt")
    home("add", "s", "x=1..3")
    (home.folder / "out").mkdir()
    (home.folder / "out" / "2-1.txt").touch()
    home("submit", "s")
    home.slurm.end("COMPLETED")
    assert home.json()["failed_by"] == {"NO_OUTPUT": {"0:0": 2}}
    assert "rows 1,3" in home("retry", "s")


def test_stop_cancels_and_remove_needs_rest(sweep: Home) -> None:
    sweep("submit", "s")
    sweep("remove", "s", "--yes", status=2)
    sweep("stop", "s", status=2)
    assert "say --yes" in sweep.err
    assert "cancelled 100" in sweep("stop", "s", "--yes")
    assert sweep.json()["failed_by"] == {"CANCELLED": {"0:0": 24}}
    sweep("stop", "s", "--yes")
    sweep("remove", "s", "--yes")
    assert not (sweep.folder / "c" / "s").exists()
    sweep("status", "s", status=2)


def test_values_arrive_byte_for_byte(home: Home) -> None:
    home.script(
        "#!" + sys.executable + "\nimport json, os, sys\n"
        "one = json.load(open(os.environ['CAMPAIGN_PARAMS'], encoding='utf-8'))\n"
        "argument = sys.argv[1].encode('utf-8', 'surrogateescape').decode()\n"
        "variable = os.environb[b'PARAM_value'].decode()\n"
        "json.dump([one['value'], variable, argument], open(f\"out{os.environ['CAMPAIGN_ROW']}\", 'w'))\n",
        "odd name.py",
    )
    (home.folder / "v.jsonl").write_text("".join(json.dumps({"value": value}) + "\n" for value in ODD))
    home("new", "s", "odd name.py")
    home("add", "s", "@v.jsonl")
    home("run", "s", "--local", "2")
    for row, value in enumerate(ODD, 1):
        assert json.loads((home.folder / f"out{row}").read_text()) == [value, value, f"--value={value}"]
    home("tasks", "s")
    home("submit", "s")
    home("retry", "s")
    assert home.slurm.jobs == []


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_a_task_of_slurms_gets_them_in_any_locale(home: Home, locale: str) -> None:
    home.script('#!/bin/sh\nprintf %s "$PARAM_v" >out; printf %s "$1" >arg\n')
    home("new", "s", "work.sh", "--arguments", "values")
    home("add", "s", "v=é'🙂\n;x")
    home("submit", "s")
    environment = {
        "PATH": os.environ["PATH"],
        "SLURM_ARRAY_TASK_ID": "0",
        "SLURM_ARRAY_JOB_ID": "100",
        "LC_ALL": locale,
    }
    subprocess.run([home.slurm.jobs[0]["script"]], env=environment, check=True, cwd=home.folder)
    assert (home.folder / "out").read_bytes() == (home.folder / "arg").read_bytes() == "é'🙂\n;x".encode()


def test_run_here_and_collect(home: Home) -> None:
    home.script(
        f"#!/bin/sh\n[ $PARAM_x = 2 ] && exit 3\n[ $PARAM_x = 4 ] && exit 0\n"
        f"result='{sys.executable} -m librarian result'\n$result loss=0.$PARAM_x x=7 && $result note='a,b\"c'\n"
    )
    home("new", "s", "work.sh")
    home("add", "s", "x=1..4")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)
    try:
        home("run", "s", "--local", "2", status=1)
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    assert home.counts() == [4, 0, 0, 0, 3, 1]
    results = home.folder / "c" / "s" / "results"
    (results / "2.json").write_text('{"loss"')
    (results / "03.json").write_text("{}")
    (results / "99.json").write_text("{}")
    table = home("collect", "s").splitlines()
    assert table[0] == "row,repeat,x,state,loss,result_x,note"
    assert table[1] == '1,1,1,done,0.1,7,"a,b""c"'
    assert "task 2: 2.json is torn" in home.err
    assert "task 3 has two results" in home.err
    assert "99.json is of no task" in home.err
    assert "task 4: done, without a result" in home.err
    home("collect", "s", "-o", "t.json")
    assert json.loads((home.folder / "t.json").read_text())[0]["loss"] == 0.1
    home("collect", "s", "-o", "t.xls", status=2)
    home("run", "s", "--local", "1", "--failed", status=1)
    assert home("tidy", "s", "--yes").startswith("removed")
    assert home.counts() == [4, 0, 0, 0, 3, 1]


def test_a_runner_that_is_killed_leaves_what_ran_as_lost(home: Home) -> None:
    home.script("#!/bin/sh\n[ $PARAM_x = 1 ] && exit 0\necho $$ >pid\nexec sleep 600\n")
    home("new", "s", "work.sh")
    home("add", "s", "x=1..4")
    words = ["run", "--path", str(home.folder / "c"), "s", "--local", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    going = subprocess.Popen([sys.executable, "-m", "librarian", "campaign", *words], env=environment)
    deadline = time.monotonic() + 60
    while not (home.folder / "pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert home.counts() == [4, 0, 2, 1, 1, 0]
    going.kill()
    going.wait()
    assert home.counts() == [4, 2, 0, 0, 1, 1]
    assert home.json()["failed_by"] == {"LOST": {"": 1}}
    pid = int((home.folder / "pid").read_text())
    deadline = time.monotonic() + 60
    while process_began(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process_began(pid) is None, "what it started does not go on alone"


def test_a_group_shares_a_folder(home: Home) -> None:
    (home.folder / "c").mkdir()
    (home.folder / "c").chmod(0o2770)
    home.script("#!/bin/sh\n")
    home("new", "s", "work.sh")
    home("add", "s", "x=1")
    home("submit", "s")
    folder = home.folder / "c" / "s"
    for path in [folder, *folder.rglob("*")]:
        mode = path.stat().st_mode
        if path.is_dir() or path.name in ("tasks.csv", "submissions.jsonl") or path.name.startswith("lock"):
            assert mode & 0o060 == 0o060, (path, stat.filemode(mode))


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "a b", "x" * 65, "a\n"])
def test_names_are_folders_and_job_names(home: Home, name: str) -> None:
    home.script("#!/bin/sh\n")
    home("new", name, "work.sh", status=2)


def test_what_cannot_be_a_script(home: Home) -> None:
    home.script("echo\n", "plain")
    home("new", "s", "plain", status=2)
    home.script("#!/bin/sh\r\n", "dos.sh")
    home("new", "s", "dos.sh", status=2)
    home("new", "s", "missing.sh", status=2)


def test_nothing_heavy_is_loaded(home: Home) -> None:
    code = (
        "import sys; from librarian.cli.main import main; "
        f"main(['campaign', 'status', '--path', {str(home.folder)!r}]); "
        "print(sorted({'pandas', 'numpy', 'matplotlib', 'pytz', 'jinja2', 'sqlite3'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_the_place_of_a_configuration(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from librarian.cli.main import main

    home.script("#!/bin/sh\n")
    config = home.folder / "librarian.toml"
    config.write_text('[cluster]\nname = "c"\n[campaigns]\npath = "group"\n[[qos]]\nname = "q"\n')
    monkeypatch.setenv("LIBRARIAN_CONFIG", str(config))
    assert main(["campaign", "new", "s", "work.sh"]) == 0
    assert (home.folder / "group" / "s" / "campaign.json").exists()
    assert Path(home.folder / "group" / "s" / "script").read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize("words", [["--local"], []])
def test_the_demo(home: Home, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from librarian.cli import campaign_look

    looks: list[float] = []

    def meanwhile(seconds: float) -> None:
        looks.append(seconds)
        home.slurm.end("RUNNING" if len(looks) == 1 else "COMPLETED")

    if not words:
        monkeypatch.setattr(campaign_look.host, "pause", meanwhile)
    told = home("demo", *words)
    if words:
        assert "demo: 6 tasks: 4 done, 2 failed" in told
        assert "1,1,0.1,1,done,0.1" in told
        home("demo", *words, status=2)
    else:
        assert "demo: 6 tasks: 6 pending" in told
        assert "demo: 6 tasks: 6 running" in told
        assert "demo: 6 tasks: 6 done" in told
