"""The command line as a person and as cron use it, with stand-ins for Slurm's commands on PATH."""

from __future__ import annotations

import argparse
import json
import os
import re
import stat
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from librarian.cli import main
from librarian.cli.main import function_of
from librarian.cli.parser import COMMANDS, parser
from librarian.config import parse
from librarian.config.initial import Discovered, compose, discover
from librarian.demo.group import LIMITS
from librarian.demo.slurm import DemoSlurm
from librarian.errors import ConfigError
from librarian.slurm.command import Slurm
from librarian.subjects.limits.model import QosLimits
from tests.unit.cycles import NOW
from tests.unit.frozen import ROOT, STOPPED, librarian
from tests.unit.rendering import PICTURES

# Nothing ends what a machine that does much else is slow to do.
LIMITLESS = """[run]
time_limit_seconds = 86400
collect_seconds = 86400
render_seconds = 86400
publish_seconds = 86400
"""
# Slurm's commands, answered by the demo's Slurm: one quiet user, two runs.
STAND_IN = f"""#!{sys.executable}
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from librarian.demo.slurm import DemoSlurm
from tests.unit.runs import run_of
if os.path.exists(os.path.join(os.path.dirname(__file__), "down")):
    sys.exit("slurmdbd is down")
now = int(os.environ.get("NOW", "{NOW}"))
answer = DemoSlurm([run_of(1), run_of(2, user="bob")], now=now)(sys.argv, timeout=1, env=os.environ)
sys.stdout.buffer.write(answer.stdout)
sys.stderr.write(answer.stderr)
sys.exit(answer.status)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a configuration and with stand-ins for Slurm's commands in bin/."""
    return furnished(tmp_path)


def furnished(folder: Path) -> Path:
    """`folder`, with a configuration and with stand-ins for Slurm's commands in bin/."""
    (folder / "bin").mkdir()
    for name in ("sacct", "sacctmgr", "scontrol", "squeue"):
        path = folder / "bin" / name
        path.write_text(STAND_IN)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    (folder / "librarian.toml").write_text(
        f'[cluster]\nname = "demo"\ntimezone = "UTC"\n[slurm]\nbin_dir = "{folder}/bin"\n'
        f"timeout_seconds = 3600\n{LIMITLESS}"
        '[paths]\nstate = "state"\nsite = "site"\n[[qos]]\nname = "avery"\n'
    )
    return folder


@pytest.mark.slow
def test_run_status_and_failure(place: Path) -> None:
    done = librarian(place, "run", drawn=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "cron hears nothing when all is well"
    index = json.loads((place / "site" / "index.json").read_text())
    assert index["qos"][0]["data"] == "data_avery.json"
    told = librarian(place, "status")
    assert told.returncode == 0
    assert "avery: complete up to" in told.stdout

    (place / "bin" / "down").touch()
    done = librarian(place, "--config", "librarian.toml", "run")
    assert done.returncode == 3
    assert "librarian: QoS avery: sacct failed with status 1: slurmdbd is down\n" in done.stderr
    assert "Traceback" not in done.stderr
    told = librarian(place, "status")
    assert told.returncode == 1
    assert "the last try failed" in told.stdout


@pytest.mark.slow
def test_a_broken_matplotlib_holds_back_pictures_alone(place: Path) -> None:
    broken = place / "broken" / "matplotlib"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('numpy.core.multiarray failed to import')")
    done = librarian(place, "run", drawn=True, PYTHONPATH=f"{broken.parent}:{ROOT}")
    assert (done.returncode, done.stderr.count("\n")) == (5, 1)
    assert "could not be drawn: ImportError: numpy.core.multiarray failed to import" in done.stderr
    entry = json.loads((place / "site" / "index.json").read_text())["qos"][0]
    assert (entry["data"], entry["stale"], entry["figures"]) == ("data_avery.json", False, {})
    told = librarian(place, "status")
    assert "avery: complete up to" in told.stdout
    assert "ImportError" in told.stdout


@pytest.mark.slow
def test_stages_by_themselves(place: Path) -> None:
    assert librarian(place, "collect", "--full").returncode == 0
    assert not (place / "site").exists()
    assert librarian(place, "render").returncode == 0
    assert (place / "site" / "index.html").is_file()
    done = librarian(place, "publish")
    assert (done.returncode, "nothing to publish to" in done.stderr) == (2, True)


@pytest.mark.slow
def test_the_page_in_one_file(place: Path) -> None:
    assert librarian(place, "collect").returncode == 0
    done = librarian(place, "render", "--single-file", "usage.html", drawn=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (place / "site" / "plain.html").is_file()
    page = (place / "usage.html").read_text()
    assert page.startswith("<!doctype html>")
    # the overview is shown, and every picture is linked; Plotly's own code may hold such an address too
    assert len(re.findall(r' (?:href|src)="data:image/png;base64,', page)) == len(PICTURES) + 1
    done = librarian(place, "render", "--single-file", "nowhere/usage.html")
    assert done.returncode == 5
    assert "usage.html could not be written: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_two_at_once(place: Path) -> None:
    holder = (
        "import sys, time; from pathlib import Path; from librarian.system.lock import locked\n"
        "with locked(Path('state/demo.lock'), 'a run'): print('held', flush=True); time.sleep(60)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", holder], cwd=place, env=env, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        done = librarian(place, "run")
        other.kill()
    assert done.returncode == 75
    assert f"a run is already going on: a run, process {other.pid} on" in done.stderr
    assert librarian(place, "collect").returncode == 0


@pytest.mark.slow
def test_mistakes_are_lines_and_not_tracebacks(place: Path) -> None:
    (place / "librarian.toml").write_text('[cluster]\nnmae = "x"\n')
    done = librarian(place, "run")
    assert done.returncode == 2
    assert 'cluster.nmae is not a key; did you mean "name"?' in done.stderr
    assert "qos: at least one table" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in librarian(place, "run", "--debug").stderr
    (place / "librarian.toml").unlink()
    done = librarian(place, "run")
    assert (done.returncode, "write one with: librarian init" in done.stderr) == (2, True)


@pytest.mark.slow
def test_slurm_that_is_not_there(place: Path) -> None:
    text = (place / "librarian.toml").read_text().replace(f"{place}/bin", "/opt/nosuch")
    text = text.replace("[run]", "[run]\nretry_seconds = 0")  # nobody waits here for a second try
    (place / "librarian.toml").write_text(text)
    done = librarian(place, "run")
    assert done.returncode == 3
    assert "sacct could not be started: No such file or directory" in done.stderr


@pytest.mark.slow
def test_status_lists_rejects(place: Path) -> None:
    text = STAND_IN.replace("answer.stdout)", "answer.stdout.replace(b'cpu=4', b'cpu=\\x1b[31mmuch'))")
    (place / "bin" / "sacct").write_text(text)
    done = librarian(place, "collect")
    assert (done.returncode, "none of its 2 rows is understood" in done.stderr) == (3, True)
    told = librarian(place, "status", "--rejects").stdout
    assert "2 rejected: AllocTRES is not understood" in told
    assert "cpu=\ufffd[31mmuch" in told
    assert "\x1b" not in told


def test_status_without_data(place: Path) -> None:
    told = librarian(place, "status")
    assert (told.returncode, "nothing was run yet" in told.stdout) == (2, True)


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for argument in ("--version", "--help"):
        with pytest.raises(SystemExit) as ended:
            main([argument])
        assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "librarian 0." in text
    for command in ("init", "run", "collect", "render", "publish", "demo", "serve", "status", "exit status"):
        assert command in text


HEAVY = {"jinja2", "matplotlib", "numpy", "pandas", "plotly", "sqlite3"}
OF_THE_COMMANDS = {"dataclasses", "hashlib", "json", "pytz", "subprocess", "tempfile", "tomllib", "tomli"} | HEAVY
AS_A_SCRIPT = "from librarian.cli import main; main()"  # what pip writes
AS_A_MODULE = "import runpy; runpy.run_module('librarian', run_name='__main__')"


def imported(code: str, *arguments: str, folder: Path = ROOT) -> set[str]:
    """The modules that a new interpreter has after `code`, called with `arguments`, and had not before."""
    program = (
        f"{STOPPED}\nimport sys; before = set(sys.modules)\n"
        f"try:\n    {code}\nexcept SystemExit:\n    pass\n"
        "print('', *(set(sys.modules) - before), file=sys.stderr)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("code", [AS_A_SCRIPT, AS_A_MODULE])
@pytest.mark.parametrize("arguments", [["--help"], ["status", "--help"], ["watchdog", "--nonsense"]])
def test_the_command_line_starts_without_what_the_commands_need(code: str, arguments: list[str]) -> None:
    started = imported(code, *arguments)
    rooms = {"librarian", "librarian.cli", "librarian.errors"}
    rooms |= {f"librarian.cli.{name}" for name in ("campaign_options", "main", "options", "parser")}
    assert {name for name in started if name.partition(".")[0] == "librarian"} - {"librarian.__main__"} == rooms
    assert not started & OF_THE_COMMANDS


@pytest.mark.slow
@pytest.mark.parametrize("before", ["", "-q", "--config run", "--config --debug", "--config=run", "-h", "run", "--"])
def test_a_command_is_parsed_as_among_all_of_them(before: str, capsys: pytest.CaptureFixture[str]) -> None:
    def parsed(made: argparse.ArgumentParser, words: list[str]) -> tuple[object, ...]:
        try:
            return (vars(made.parse_args(words)),)
        except SystemExit as end:
            return end.code, *capsys.readouterr()

    whole = parser()
    for name in (*(row[0] for row in COMMANDS), "nonsense", "--version"):
        for after in ("--help", "one --debug"):
            words = f"{before} {name} {after}".split()
            assert parsed(parser(words), words) == parsed(whole, words), words


def test_each_command_is_where_its_row_says() -> None:
    for name, place, _, _ in COMMANDS:
        assert callable(function_of(place)), name


def demo_slurm() -> Slurm:
    return Slurm(runner=DemoSlurm([], now=0, user="alice", limits=LIMITS))


def test_init_writes_what_it_finds() -> None:
    text = compose(discover(demo_slurm(), "alice", []))
    found = parse(text)
    assert found.cluster.name == "demo"
    assert [entry.name for entry in found.qos] == ["avery", "avery-b"]
    assert "Slurm says: cpu=430, gres/gpu=39, mem=3359 GiB" in text
    assert "your default QoS" in text


def test_init_takes_wanted_qos_and_refuses_strange_ones() -> None:
    assert [q.name for q in parse(compose(discover(demo_slurm(), "nobody", ["normal"]))).qos] == ["normal"]
    with pytest.raises(ConfigError, match="there is no QoS x: Slurm knows normal, avery"):
        discover(demo_slurm(), "alice", ["x"])
    with pytest.raises(ConfigError, match="name one with --qos"):
        discover(demo_slurm(), "nobody", [])


def test_init_escapes_what_slurm_says() -> None:
    name = 'a"\\b\x7f\u202e\n[x]'
    text = compose(Discovered("c", "UTC", {name: QosLimits({}, None)}, (name,), "", ("line\nbreak",)))
    assert "\n[x]" not in text.replace("\\n[x]", "")


@pytest.mark.slow
def test_init_never_overwrites(place: Path) -> None:
    done = librarian(place, "init", PATH=f"{place}/bin:{os.environ['PATH']}")
    assert (done.returncode, "is there already" in done.stderr) == (2, True)
    done = librarian(place, "init", "--output", "-", "--qos", "avery", PATH=f"{place}/bin:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert parse(done.stdout).qos[0].name == "avery"
    arguments = ("init", "--qos", "avery", "--pages", "a/nosuch", "--output")
    assert librarian(place, *arguments, "-", PATH=f"{place}/bin:{os.environ['PATH']}").returncode == 2


@pytest.mark.slow
def test_init_writes_where_the_other_commands_look(place: Path) -> None:
    here, outside = place / "librarian.toml", {"PATH": f"{place}/bin:{os.environ['PATH']}", "LIBRARIAN_CONFIG": ""}
    homes = {"XDG_CONFIG_HOME": f"{place}/the settings", "XDG_STATE_HOME": f"{place}/state"}
    text = here.read_text()
    done = librarian(place, "init", "--qos", "avery", **outside, **homes)
    assert (done.returncode, here.read_text()) == (2, text), "nothing shadows what is here, and it is named"
    assert done.stderr.startswith("librarian: librarian.toml is there already (")
    here.unlink()
    done = librarian(place, "init", "--qos", "avery", **outside, **homes)
    written = place / "the settings" / "librarian" / "librarian.toml"
    assert (done.stdout, done.stderr) == (f"wrote {written}; look through it, then: librarian run\n", "")
    assert not here.exists()
    told = librarian(place / "bin", "status", **outside, **homes, HOME=str(place))
    assert "nothing was run yet" in told.stdout, "from any folder"
    named = place / "a file.toml"
    done = librarian(place, "--config", str(named), "init", "--qos", "avery", **outside, **homes)
    assert done.stdout == f"wrote {named}; look through it, then: librarian --config '{named}' run\n"
    outside["LIBRARIAN_CONFIG"] = str(named)
    assert f"{named} is there already" in librarian(place, "init", **outside, **homes).stderr
    done = librarian(place, "init", "--qos", "avery", "--output", "librarian.toml", **outside, **homes)
    assert done.stdout == "wrote librarian.toml; look through it, then: librarian --config librarian.toml run\n"


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_one_line(place: Path) -> None:
    (place / "librarian.toml").rename(place / "kept.toml")
    outside = {"PATH": f"{place}/bin:{os.environ['PATH']}", "XDG_CONFIG_HOME": f"{place}/kept.toml"}
    done = librarian(place, "init", "--qos", "avery", **outside)
    assert (done.returncode, done.stdout) == (2, "")
    why = "cannot be written: Not a directory (name another file with --output)"
    assert done.stderr == f"librarian: {place}/kept.toml/librarian/librarian.toml {why}\n"
    text = (place / "kept.toml").read_text().replace('site = "site"', 'site = "~nobody-of-that-name/site"')
    (place / "librarian.toml").write_text(text)
    done = librarian(place, "status")
    why = "is in a home that is not known (write the whole path)"
    assert (done.returncode, done.stderr) == (2, f"librarian: '~nobody-of-that-name/site' {why}\n")


@pytest.mark.parametrize(
    ("error", "line", "status"),
    [
        (PermissionError(13, "Permission denied", "/x/y"), "/x/y: Permission denied (--debug tells where)", 74),
        (OSError(28, "No space left on device"), "No space left on device (--debug tells where)", 74),
        (OSError(18, "Cross-device link", "a\nb", None, b"c"), "a b: c: Cross-device link (--debug tells where)", 74),
        (OSError("odd"), "OSError: odd (a bug; run it again with --debug and report it)", 1),
        (
            ModuleNotFoundError("No module named 'pandas'", name="pandas"),
            "No module named 'pandas' (load or install what is missing; librarian doctor names it)",
            74,
        ),
        (
            ImportError("cannot import name 'x' from 'librarian.y'", name="librarian.y"),
            "ImportError: cannot import name 'x' from 'librarian.y' (a bug; run it again with --debug and report it)",
            1,
        ),
        (KeyError(5), "KeyError: 5 (a bug; run it again with --debug and report it)", 1),
    ],
)
def test_what_the_system_refuses_is_no_bug(
    error: Exception, line: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(options: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(import_module("librarian.cli.main"), "function_of", lambda place: refuses)
    monkeypatch.setattr("librarian.system.interrupts.end_on_signals", lambda: None)
    assert main(["status"]) == status
    assert capsys.readouterr().err == f"librarian: {line}\n"


@pytest.mark.slow
def test_init_writes_a_configuration_with_pages(place: Path) -> None:
    (place / ".gitconfig").write_text(f'[url "{place}/nowhere/"]\n insteadOf = git@github.com:\n')
    target = place / "librarian.toml"
    target.unlink()
    asked = ("--qos", "avery", "--pages", "a/b")
    done = librarian(place, "--config", str(target), "init", *asked, PATH=f"{place}/bin:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    found = parse(target.read_text())
    assert (found.qos[0].name, found.publish[0].options["remote"]) == ("avery", "git@github.com:a/b.git")
    assert done.stdout.endswith("- The page is then at https://a.github.io/b/\n")
