"""`librarian status`, `store`, the log, and the end by a signal, as a person and as Slurm see them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from tests.patience import communicate, wait_for
from tests.unit.cli.test_cli import AS_A_MODULE, AS_A_SCRIPT, HEAVY, furnished, imported, place
from tests.unit.frozen import ROOT, STOPPED, command, environment, librarian
from tests.unit.orphans import end_commands, is_there
from tests.unit.runs import T0

__all__ = ["place"]
TIMINGS = json.loads((ROOT / "docs/timings.schema.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((ROOT / "docs/status.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after a run that went well. To be read only."""
    folder = furnished(tmp_path_factory.mktemp("ran"))
    assert librarian(folder, "run").returncode == 0
    return folder


@pytest.fixture
def ran(once: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    folder = shutil.copytree(once, tmp_path / "ran")
    config = folder / "librarian.toml"
    config.write_text(config.read_text().replace(str(once), str(folder)))
    return folder


@pytest.mark.slow
def test_status_in_words_and_as_json(ran: Path) -> None:
    told = librarian(ran, "status")
    assert told.returncode == 0
    assert told.stdout.startswith("LIBRARIAN OK: demo: data ")
    assert " | age=" in told.stdout.splitlines()[0]
    done = librarian(ran, "status", "--json")
    found = json.loads(done.stdout)
    jsonschema.validate(found, SCHEMA)
    assert (found["state"], done.returncode) == ("ok", 0)
    assert librarian(ran, "status", "--rejects").returncode == 0
    (ran / "librarian.toml").write_text((ran / "librarian.toml").read_text() + '[[qos]]\nname = "new"\n')
    told = librarian(ran, "status")
    assert (told.returncode, "new: no data yet" in told.stdout) == (2, True)


@pytest.mark.slow
def test_what_cycles_spent_in_words_as_json_and_as_a_picture(ran: Path) -> None:
    told = librarian(ran, "status", "--timings")
    assert told.returncode == 0, told.stderr
    assert "the whole run" in told.stdout
    assert "sacctmgr show qos" in told.stdout
    assert "commands to slurmdbd: " in told.stdout
    done = librarian(ran, "status", "--timings", "--json", "--picture", "spent.png")
    found = json.loads(done.stdout)
    jsonschema.validate(found, TIMINGS)
    assert (found["cycles"], done.returncode) == ({"day": 1, "days_30": 1}, 0)
    assert (ran / "spent.png").read_bytes().startswith(b"\x89PNG")
    assert librarian(ran, "status", "--picture", "spent.png").returncode == 2
    assert librarian(ran, "status", "--timings", "--rejects").returncode == 2
    done = librarian(ran, "status", "--timings", "--picture", "no/such/folder.png")
    assert (done.returncode, "cannot be written" in done.stderr) == (5, True)
    (ran / "state" / "timings.jsonl.gz").unlink()
    assert "no cycles measured" in librarian(ran, "status", "--timings").stdout
    assert "nothing to draw" in librarian(ran, "status", "--timings", "--picture", "spent.png").stderr


@pytest.mark.slow
def test_what_cycles_spent_needs_no_heavy_parts(ran: Path) -> None:
    started = imported(AS_A_MODULE, "status", "--timings", folder=ran)
    assert "librarian.health.timings" in started
    assert not started & {*HEAVY, "librarian.slurm", "librarian.health.overview"}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["status", "watchdog"])
def test_what_looks_after_runs_needs_no_heavy_parts(ran: Path, command: str) -> None:
    code = (
        "import sys\n"
        f"for name in {sorted(HEAVY)}: sys.modules[name] = None\n{STOPPED}\n"
        f"from librarian.cli import main; sys.exit(main(['{command}']))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ran, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("code", [AS_A_SCRIPT, AS_A_MODULE])
def test_what_looks_after_runs_loads_no_more_than_it_needs(ran: Path, code: str) -> None:
    started = imported(code, "status", folder=ran)
    assert "librarian.health.overview" in started
    assert not started & {
        *HEAVY,
        "hashlib",
        "secrets",
        "subprocess",
        "tempfile",
        "librarian.health.alerts",
        "librarian.health.timings",
        "librarian.slurm",
    }
    started = imported(code, "watchdog", folder=ran)
    assert "librarian.scrontab.watchdog" in started
    assert not started & {*HEAVY, "librarian.health.alerts", "librarian.health.overview", "librarian.scrontab.install"}


@pytest.mark.slow
def test_rejected_rows_are_listed(place: Path) -> None:
    sacct = place / "bin" / "sacct"
    sacct.write_text(sacct.read_text().replace("answer.stdout)", "answer.stdout.replace(b'cpu=4', b'cpu=?', 1))"))
    assert librarian(place, "run").returncode == 0
    told = librarian(place, "status", "--rejects")
    assert "  1 rejected: AllocTRES is not understood" in told.stdout
    assert told.stdout.count("avery: AllocTRES is not understood: demo|") == 1


@pytest.mark.slow
def test_runaways_are_listed(place: Path) -> None:
    sacct = place / "bin" / "sacct"
    lost = f"answer.stdout.replace(b'{T0 + 5000}', b'Unknown', 1))"
    sacct.write_text(sacct.read_text().replace("answer.stdout)", lost))
    assert librarian(place, "run").returncode == 0
    told = librarian(place, "status", "--runaways")
    assert "  1 job open in accounting that Slurm does not run (librarian status --runaways)" in told.stdout
    assert told.stdout.count("avery: job ") == 1
    assert "COMPLETED in accounting: no sign of life for" in told.stdout
    site = json.loads((place / "site" / "data_avery.json").read_text())
    assert [note["kind"] for note in site["notes"]].count("runaways") == 1


@pytest.mark.slow
def test_the_log_tells_of_each_run_and_may_be_elsewhere_or_nowhere(ran: Path) -> None:
    log = ran / "state" / "librarian.log"
    lines = log.read_text().splitlines()
    assert lines[0].endswith(" INFO a run begins")
    assert "INFO the run ends: all went well" in lines[-1]
    assert all(line[:20].endswith("Z") for line in lines)
    (ran / "bin" / "down").touch()
    config = (ran / "librarian.toml").read_text()
    (ran / "librarian.toml").write_text(config.replace("[run]\n", "[run]\nretry_seconds = 0\n"))
    done = librarian(ran, "run")
    assert "slurmdbd is down" in log.read_text()
    assert done.stderr.count("\n") == len(done.stderr.splitlines()), "cron hears what failed, and no more"
    assert "INFO" not in done.stderr
    before = log.read_text()
    for name in ("", "no/such/folder"):
        options = f"[run]\nretry_seconds = 0\nlog = {json.dumps(name)}\n"
        (ran / "librarian.toml").write_text(config.replace("[run]\n", options))
        assert librarian(ran, "collect").returncode == 3, "a log that cannot be written troubles nobody"
    assert log.read_text() == before


@pytest.mark.slow
def test_the_log_is_bounded(ran: Path) -> None:
    log = ran / "state" / "librarian.log"
    for name in ("", ".1", ".2", ".3"):
        Path(f"{log}{name}").write_text("x" * 1_000_000)
    librarian(ran, "collect")
    assert sorted(path.name for path in log.parent.glob("librarian.log*")) == [
        "librarian.log",
        "librarian.log.1",
        "librarian.log.2",
        "librarian.log.3",
    ]
    assert log.stat().st_size < 10_000


@pytest.mark.slow
def test_store_check_export_import(ran: Path) -> None:
    done = librarian(ran, "store", "check")
    assert (done.returncode, "it is whole" in done.stdout, "job: 2 rows" in done.stdout) == (0, True, True)
    assert librarian(ran, "store", "export", "copy.sqlite").returncode == 0
    (ran / "state" / "demo.sqlite").write_bytes(b"garbage" * 999)
    done = librarian(ran, "store", "check")
    assert (done.returncode, "damaged: file is not a database" in done.stdout) == (4, True)
    done = librarian(ran, "store", "import", "copy.sqlite")
    assert done.returncode == 0, done.stderr
    assert librarian(ran, "store", "check").returncode == 0
    done = librarian(ran, "store", "import", "librarian.toml")
    assert (done.returncode, "damaged" in done.stderr) == (4, True)
    assert librarian(ran, "run").returncode == 0


@pytest.fixture
def hanging(ran: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A run whose sacct hangs, with a child of its own; the parameter is what SIGHUP does to it at first."""
    (ran / "bin" / "sacct").write_text(f"#!/bin/sh\nsleep 3210 &\necho $! >{ran}/child\nsleep 3210\n")
    argv = command("run", hangup=getattr(request, "param", "SIG_DFL"))
    with subprocess.Popen(argv, cwd=ran, env=environment(ran), text=True, stderr=subprocess.PIPE) as process:
        wait_for(lambda: (ran / "child").exists() and bool((ran / "child").read_text()), "sacct to hang")
        yield process
        process.kill()
    end_commands(int((ran / "child").read_text()), ran)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_run_and_the_commands_that_it_runs(
    ran: Path, hanging: subprocess.Popen[str], number: signal.Signals, status: int
) -> None:
    index = (ran / "site" / "index.json").read_bytes()
    child = int((ran / "child").read_text())
    assert is_there(child)
    told = librarian(ran, "status")
    assert f"at work: a run, process {hanging.pid} on" in told.stdout
    hanging.send_signal(number)
    assert communicate(hanging)[1] == f"librarian: ended by {number.name}\n"
    assert hanging.returncode == status
    wait_for(lambda: not is_there(child), "the child's end")
    assert (ran / "site" / "index.json").read_bytes() == index
    told = librarian(ran, "status")
    assert (told.returncode, "ended by " + number.name in told.stdout) == (1, True)
    assert "at work" not in told.stdout
    left = [
        path.name for path in (ran / "state").iterdir() if path.name.startswith(".") or path.name.endswith("-journal")
    ]
    assert left == []
    assert not list(ran.glob(".site*"))


@pytest.mark.slow
@pytest.mark.parametrize("hanging", ["SIG_IGN"], indirect=True)
def test_a_run_begun_with_nohup_does_not_end_with_its_terminal(hanging: subprocess.Popen[str]) -> None:
    hanging.send_signal(signal.SIGHUP)
    hanging.send_signal(signal.SIGTERM)  # of two signals that wait, the one of the lower number comes first
    assert communicate(hanging)[1] == "librarian: ended by SIGTERM\n"
    assert hanging.returncode == 143


@pytest.mark.slow
def test_a_run_that_was_killed_holds_no_lock(ran: Path, hanging: subprocess.Popen[str]) -> None:
    hanging.kill()
    hanging.wait()
    assert is_there(int((ran / "child").read_text())), "what a run had started does not hold it either"
    assert librarian(ran, "render").returncode == 0
