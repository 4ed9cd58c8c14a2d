"""`librarian scrontab` and the watchdog on a made-up scrontab: what they do to the table, and what they leave alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from librarian import config
from librarian.cli import scheduling
from librarian.cli.main import main
from librarian.cli.scheduling import entries_of
from librarian.config import setup as configfile
from librarian.config.setup import Setup
from librarian.errors import ConfigError, LibrarianError, SlurmError
from librarian.scrontab import ask, install, watchdog
from librarian.scrontab.installed import recorded
from librarian.site import assets
from librarian.slurm.command import Slurm
from librarian.system.host import locked
from librarian.system.processes import Answer
from tests.e2e.processes import in_a_child

pytestmark = pytest.mark.clock
NOW = 1_800_000_000
FOREIGN = b"# caf\xe9, not UTF-8\n0 0 * * * /usr/bin/true\n"
CONFIG = """
[cluster]
name = "hpg"
timezone = "US/Eastern"
[paths]
state = "my state"
[scrontab]
partition = "cron"
modules = ["python3/3.12"]
[[qos]]
name = "avery"
"""


class FakeCron:
    """scrontab, squeue and scontrol of one user; refuses what it does not know."""

    def __init__(self, table: bytes = FOREIGN) -> None:
        self.table: bytes | None = table
        self.states: dict[str, tuple[str, str, str]] = {}  # name of a job -> state, reason, time used
        self.foreign = [("900", "librarian-run-fake", "PENDING", "JobHeldUser", "N/A", "0:00")]
        self.requeued: list[str] = []
        self.puts = 0
        self.broken = ""

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        command = argv[0]
        if command == self.broken:
            return Answer(1, b"", "Unable to contact slurm controller (connect failure)")
        return {"scrontab": self._scrontab, "squeue": self._squeue, "scontrol": self._scontrol}[command](list(argv[1:]))

    def _scrontab(self, arguments: list[str]) -> Answer:
        if arguments == ["-l"]:
            return Answer(1, b"", "no crontab for alice") if self.table is None else Answer(0, self.table, "")
        self.table = Path(arguments[0]).read_bytes()
        self.puts += 1
        self.states = {}
        return Answer(0, b"", "")

    def _names(self) -> list[str]:
        lines = (self.table or b"").decode("utf-8", "surrogateescape").splitlines()
        return [found[1] for line in lines if (found := re.match(r"#SCRON -J (\S+)", line))]

    def _squeue(self, arguments: list[str]) -> Answer:
        assert arguments[:2] == ["--noheader", "--me"]
        wanted = arguments[2].removeprefix("--name=").split(",")
        rows = [
            (str(100 + place), name, state, reason, str(NOW + 60), used)
            for place, name in enumerate(self._names())
            for state, reason, used in [self.states.get(name, ("PENDING", "BeginTime", "0:00"))]
        ]
        shown = [row for row in rows if row[1] in wanted]
        return Answer(0, "".join("\x1f".join(row) + "\x1f\n" for row in shown).encode(), "")

    def _scontrol(self, arguments: list[str]) -> Answer:
        if arguments[0] == "requeue":
            self.requeued.append(arguments[1])
            return Answer(0, b"", "")
        assert arguments[:2] == ["show", "job"]
        return Answer(0, b"JobId=1 CronJob=Yes CrontabSpec=x\n", "")


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    (tmp_path / "librarian.toml").write_text(CONFIG)
    return configfile.setup(config.parse(CONFIG), tmp_path, {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "librarian.toml"


def checked(setup: Setup, cron: FakeCron, path: Path, now: int = NOW) -> tuple[str, str]:
    decision = watchdog.check(Slurm(runner=cron), setup.places.state, entries_of(setup, path).name, now)
    return decision.action, decision.why


def test_install_is_idempotent_and_keeps_what_is_not_ours(setup: Setup, path: Path) -> None:
    cron = FakeCron()
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    first = cron.table
    assert first is not None
    assert first.startswith(FOREIGN)
    assert install.install(entries_of(setup, path), Slurm(runner=cron), NOW) == ["the table has our entries already"]
    assert (cron.table, cron.puts) == (first, 1)
    text = first.decode("utf-8", "surrogateescape")
    assert "-t 8 -c 1 --mem=2G -p cron" in text
    assert re.search(r"^\*/10 \* \* \* \* '/.*/my state/run-hpg-[0-9a-f]{6}\.sh'$", text, re.MULTILINE)
    install.remove(entries_of(setup, path), Slurm(runner=cron), NOW)
    assert cron.table == FOREIGN
    assert not list(setup.places.state.glob("*.sh"))


def test_scripts_run_this_program_with_this_configuration(setup: Setup, path: Path) -> None:
    install.install(entries_of(setup, path), Slurm(runner=FakeCron()), NOW)
    (script,) = setup.places.state.glob("watchdog-*.sh")
    assert script.stat().st_mode & 0o777 == 0o700
    assert script.with_suffix(".log").stat().st_mode & 0o777 == 0o600, "Slurm would make it for all to read"
    assert "module load python3/3.12" in script.read_text()
    done = subprocess.run([str(script)], capture_output=True, text=True, timeout=60, check=False, cwd="/")
    assert "scrontab" in done.stderr, done  # it is not installed here
    assert done.returncode == 3


def test_a_dry_run_says_what_would_change_and_changes_nothing(setup: Setup, path: Path) -> None:
    cron = FakeCron()
    lines = install.difference(entries_of(setup, path), Slurm(runner=cron))
    assert [line for line in lines if line.startswith("+*/5")]
    assert (cron.table, cron.puts) == (FOREIGN, 0)


@pytest.mark.parametrize("bad", ["a%b", "new\nline"])
def test_a_path_that_means_something_else_to_cron_is_refused(tmp_path: Path, path: Path, bad: str) -> None:
    made = configfile.setup(config.parse(CONFIG), tmp_path / bad, {})
    with pytest.raises(ConfigError, match="cannot stand in a table"):
        install.block(entries_of(made, path))


def test_each_stuck_entry_is_put_right(setup: Setup, path: Path) -> None:
    cron, name = FakeCron(), entries_of(setup, path).name
    assert checked(setup, cron, path) == ("none", "our entries are not installed")
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    whole = cron.table
    assert whole is not None
    assert checked(setup, cron, path)[1] == "all is well"

    lines = whole.split(b"\n")
    entry = next(n for n, line in enumerate(lines) if b"-J librarian-run" in line)
    cron.table = b"\n".join(
        [*lines[:entry], b"#DISABLED: " + lines[entry], b"#DISABLED: " + lines[entry + 1], *lines[entry + 2 :]]
    )
    assert checked(setup, cron, path, NOW + 1000)[0] == "put"
    assert cron.table == whole

    cron.table = None
    assert checked(setup, cron, path, NOW + 10_000)[0] == "put"
    assert cron.table == whole[len(FOREIGN) :]

    cron.states = {f"librarian-run-{name}": ("PENDING", "job requeued in held state", "0:00")}
    puts = cron.puts
    assert checked(setup, cron, path, NOW + 20_000)[0] == "put"
    assert cron.puts == puts + 1

    cron.states = {f"librarian-run-{name}": ("RUNNING", "None", "1:00:00")}
    assert checked(setup, cron, path, NOW + 30_000)[0] == "requeue"
    assert cron.requeued == ["100"]


def test_a_block_that_was_changed_by_hand_stays(setup: Setup, path: Path) -> None:
    cron = FakeCron()
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    assert cron.table is not None
    cron.table = cron.table.replace(b"*/10", b"*/20")
    changed = cron.table
    assert "changed by hand" in checked(setup, cron, path)[1]
    assert cron.table == changed
    cron.table = changed.replace(b"#SCRON -J librarian-run", b"#DISABLED: #SCRON -J librarian-run").replace(
        b"*/20", b"#DISABLED: */20"
    )
    assert checked(setup, cron, path, NOW + 5000)[0] == "put"
    assert cron.table == changed


def test_an_emptied_table_is_looked_at_twice_before_it_is_believed(setup: Setup, path: Path) -> None:
    cron = FakeCron()
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    whole = cron.table
    assert whole is not None
    for later, action in ((0, "none"), (300, "none"), (600, "put")):
        cron.table = b""  # scrontab prints nothing and ends with 0
        assert checked(setup, cron, path, NOW + later)[0] == action
    assert cron.table == whole[len(FOREIGN) :]


def test_an_answer_without_our_block_is_not_believed_while_our_jobs_wait(setup: Setup, path: Path) -> None:
    class Torn(FakeCron):
        shown: bytes | None = None

        def _scrontab(self, arguments: list[str]) -> Answer:
            if arguments == ["-l"] and self.shown is not None:
                return Answer(0, self.shown, "")
            return super()._scrontab(arguments)

    cron = Torn()
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    whole = cron.table
    for place, shown in enumerate((b"", FOREIGN)):
        cron.shown = shown
        for later in (0, 600, 1200):
            assert "a strange answer" in checked(setup, cron, path, NOW + 5000 * place + later)[1]
    assert (cron.table, cron.puts) == (whole, 1)


def test_each_command_of_slurm_has_a_minute(setup: Setup, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed: list[float] = []
    cron = FakeCron()

    def timed(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        allowed.append(timeout)
        return cron(argv, timeout=timeout, env=env)

    monkeypatch.setattr(scheduling, "Slurm", lambda *options: Slurm(*options, runner=timed))
    assert main(["--config", str(path), "scrontab", "install"]) == 0
    cron.table = FOREIGN
    assert main(["--config", str(path), "watchdog"]) == 0
    assert cron.puts == 2
    assert set(allowed) == {60}
    path.write_text(CONFIG + "[slurm]\ntimeout_seconds = 20\n")
    assert main(["--config", str(path), "watchdog"]) == 0
    assert set(allowed) == {60, 20}


@pytest.mark.parametrize("table", [None, b"", FOREIGN])
def test_where_nothing_is_installed_the_watchdog_writes_nothing(
    setup: Setup, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: bytes | None
) -> None:
    cron = FakeCron(table or b"")
    cron.table = table
    monkeypatch.setattr(scheduling, "Slurm", lambda *options: Slurm(*options, runner=cron))
    assert main(["--config", str(path), "watchdog"]) == 0
    assert watchdog.check_on(Slurm(runner=cron), setup.places.state, "x", NOW) is None
    assert list(tmp_path.iterdir()) == [path]
    assert (cron.table, cron.puts) == (table, 0)


def test_a_dry_run_of_remove_tells_what_remove_does(setup: Setup, path: Path) -> None:
    cron = FakeCron()
    slurm = Slurm(runner=cron)
    assert install.difference(entries_of(setup, path), slurm, removed=True) == []
    install.install(entries_of(setup, path), slurm, NOW)
    lines = install.difference(entries_of(setup, path), slurm, removed=True)
    assert [line for line in lines if line.startswith("-*/5")]
    assert not [line for line in lines if line.startswith("+*")]
    assert cron.puts == 1


@pytest.mark.parametrize("command", ["scrontab", "squeue"])
def test_when_slurm_does_not_answer_nothing_is_changed(setup: Setup, path: Path, command: str) -> None:
    cron = FakeCron()
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    before, cron.broken = cron.table, command
    with pytest.raises(SlurmError):
        checked(setup, cron, path)
    assert (cron.table, cron.puts) == (before, 1)


def test_paused_stays_paused_until_it_is_resumed(setup: Setup, path: Path) -> None:
    cron = FakeCron()
    slurm = Slurm(runner=cron)
    with pytest.raises(SlurmError, match="no entries of ours"):
        install.pause(entries_of(setup, path), slurm, NOW, on=True)
    install.install(entries_of(setup, path), slurm, NOW)
    whole = cron.table
    install.pause(entries_of(setup, path), slurm, NOW, on=True)
    assert cron._names() == []
    assert "paused" in checked(setup, cron, path, NOW + 99_999)[1]
    cron.table = FOREIGN
    assert checked(setup, cron, path, NOW + 99_999)[0] == "none"
    install.pause(entries_of(setup, path), slurm, NOW + 3640, on=False)
    assert cron.table == whole
    assert checked(setup, cron, path, NOW + 3650)[1] == "all is well", "they could not fire before"


def test_a_pause_that_slurm_refuses_is_none(setup: Setup, path: Path) -> None:
    class Refusing(FakeCron):
        refuses = False

        def _scrontab(self, arguments: list[str]) -> Answer:
            if self.refuses and arguments != ["-l"]:
                return Answer(1, b"", "There was an issue with the job submission")
            return super()._scrontab(arguments)

    cron = Refusing()
    slurm = Slurm(runner=cron)
    install.install(entries_of(setup, path), slurm, NOW)
    known = recorded(setup.places.state, entries_of(setup, path).name)
    cron.refuses = True
    with pytest.raises(SlurmError, match="an issue with the job submission"):
        install.pause(entries_of(setup, path), slurm, NOW, on=True)
    assert recorded(setup.places.state, entries_of(setup, path).name) == known
    assert checked(setup, cron, path)[1] == "all is well"


def test_a_pause_that_is_ended_in_its_middle_is_none(setup: Setup, path: Path) -> None:
    class Ended(FakeCron):
        ends = False

        def _scrontab(self, arguments: list[str]) -> Answer:
            if self.ends and arguments != ["-l"]:
                raise KeyboardInterrupt
            return super()._scrontab(arguments)

    cron = Ended()
    slurm = Slurm(runner=cron)
    install.install(entries_of(setup, path), slurm, NOW)
    cron.ends = True
    with pytest.raises(KeyboardInterrupt):
        install.pause(entries_of(setup, path), slurm, NOW, on=True)
    cron.ends = False
    known = recorded(setup.places.state, entries_of(setup, path).name)
    assert known
    assert not known.paused
    assert checked(setup, cron, path)[1] == "all is well"


def test_the_lines_of_a_table_outlive_one_that_is_empty(setup: Setup, path: Path) -> None:
    cron = FakeCron()
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    with_lines = cron.table
    backup = setup.places.state / "scrontab-before"
    install.remove(entries_of(setup, path), Slurm(runner=cron), NOW)
    assert backup.read_bytes() == with_lines
    cron.table = b""
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    assert backup.read_bytes() == with_lines


def test_a_table_that_somebody_edits_meanwhile_is_left_alone(setup: Setup, path: Path) -> None:
    class Edited(FakeCron):
        reads = 0

        def _scrontab(self, arguments: list[str]) -> Answer:
            self.reads += arguments == ["-l"]
            if self.reads == 2:
                self.table = b"* * * * * new\n"
            return super()._scrontab(arguments)

    cron = Edited()
    with pytest.raises(SlurmError, match="changed meanwhile"):
        install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    assert cron.table == b"* * * * * new\n"


def test_two_watchdogs_do_not_act_at_once(setup: Setup, path: Path) -> None:
    cron, name = FakeCron(), entries_of(setup, path).name
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    cron.table = FOREIGN
    program = f"""
import sys; sys.path.insert(0, {str(assets.code_root())!r})
from pathlib import Path
from librarian.system.host import locked
with locked(Path({str(setup.places.state / f"watchdog-{name}.lock")!r}), "x"):
    print("held", flush=True); sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(LibrarianError, match="already going on"):
            checked(setup, cron, path)
        assert other.stdin is not None
        other.stdin.close()
    assert cron.table == FOREIGN
    assert checked(setup, cron, path)[0] == "put"


def test_the_report_looks_after_a_silent_watchdog(setup: Setup, path: Path) -> None:
    cron, name, state = FakeCron(), entries_of(setup, path).name, setup.places.state
    slurm = Slurm(runner=cron)
    assert watchdog.check_on(slurm, state, name, NOW) is None
    install.install(entries_of(setup, path), slurm, NOW)
    assert watchdog.check_on(slurm, state, name, NOW + 600) is None
    cron.table = FOREIGN
    decision = watchdog.check_on(slurm, state, name, NOW + 3601)
    assert decision is not None
    assert decision.action == "put"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"acted": "x", "missing_since": []}'])
def test_a_damaged_memory_is_none(setup: Setup, path: Path, text: str) -> None:
    cron, name = FakeCron(), entries_of(setup, path).name
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    (setup.places.state / watchdog.MEMORY.format(name)).write_text(text)
    assert checked(setup, cron, path)[1] == "all is well"
    assert json.loads((setup.places.state / watchdog.MEMORY.format(name)).read_text())["checked_at"] == NOW


def test_jobs_of_our_name_that_are_no_cron_jobs_are_not_ours(setup: Setup, path: Path) -> None:
    class Science(FakeCron):
        def _scontrol(self, arguments: list[str]) -> Answer:
            return Answer(0, b"JobId=1 JobName=librarian-run\n", "")

    cron = Science()
    install.install(entries_of(setup, path), Slurm(runner=cron), NOW)
    known = recorded(setup.places.state, entries_of(setup, path).name)
    assert known
    assert ask.jobs(Slurm(runner=cron), known.jobs) == ()


def test_without_scrontab_the_other_forms_are_offered(
    tmp_path: Path, path: Path, setup: Setup, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--config", str(path), "scrontab", "install"]) == 3
    told = capsys.readouterr().err
    assert "--form crontab" in told
    assert "scrontab cannot be used here" in told
    assert main(["--config", str(path), "scrontab", "install", "--form", "crontab"]) == 0
    assert re.search(r"^\*/10 \* \* \* \* '.*run-hpg-.*\.sh' >>'.*\.log' 2>&1$", capsys.readouterr().out, re.MULTILINE)
    assert main(["--config", str(path), "scrontab", "install", "--form", "systemd"]) == 0
    assert "OnCalendar=*-*-* *:0/10\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("schedule_of_cron", "of_systemd"),
    [
        ("*/10 * * * *", "*-*-* *:0/10"),
        ("* * * * *", "*-*-* *:*"),
        ("5,35 7-19 * * *", "*-*-* 7..19:5,35"),
        ("0 */2 * * *", "*-*-* 0/2:0"),
        ("@hourly", "hourly"),
    ],
)
def test_a_schedule_is_the_same_for_systemd(schedule_of_cron: str, of_systemd: str) -> None:
    assert install.calendar(schedule_of_cron) == of_systemd


@pytest.mark.parametrize("odd", ["0 4 * * 1", "0 4 1 * *", "0 4 * 6 *", "@weekly", "@elevenses", "0 4 * * Mon-Fri"])
def test_what_systemd_would_take_for_something_else_is_refused(odd: str) -> None:
    with pytest.raises(ConfigError, match="cannot be told to systemd"):
        install.calendar(odd)


def test_it_starts_without_the_heavy_parts(setup: Setup, path: Path) -> None:
    code = f"""
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"numpy", "pandas", "matplotlib", "jinja2", "sqlite3"}}:
            raise ImportError(name)
sys.meta_path.insert(0, Block())
from librarian.cli import scheduling
from librarian.cli.main import main
sys.exit(main(["--config", {str(path)!r}, "watchdog"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "not installed" in done.stdout) == (0, True), done.stderr


def test_a_large_log_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "run.log"
    watchdog.rotate(file)
    file.write_bytes(b"x" * 1_000_001)
    watchdog.rotate(file)
    assert (file.stat().st_size, (tmp_path / "run.log.1").stat().st_size) == (0, 1_000_001)


def test_a_lock_is_let_go(tmp_path: Path) -> None:
    def take() -> None:
        with locked(tmp_path / "x", "a"):
            pass

    with locked(tmp_path / "x", "a"):
        assert in_a_child(take) == 1, "it is held"
    assert in_a_child(take) == 0
