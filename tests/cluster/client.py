"""What a test does with the cluster: start it, run commands in it as its users, ask its database."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests import patience
from tests.patience import CEILING, wait_for

COMMAND = Path(__file__).parent / "cluster"
CHECKOUT = Path(__file__).resolve().parents[2]
# The checkout as `python3 -m librarian` needs it; without node_modules, as on a machine that has no npm.
PROGRAM = ("librarian", "templates", "dashboard", "scripts", "pyproject.toml")
Ran = subprocess.CompletedProcess[str]
SLURM = ("22.05", "24.11")
"""The versions that the tests run on."""
WITHOUT_SCRONTAB = ("22.05",)
"""Versions that Debian built without scrontab."""
LATER = ("26.05",)
"""Versions of a release of Debian that is not out yet: they are tried when somebody asks for it."""
LOGS = "var/log/slurm"


class Cluster:
    """A running cluster; every start is a fresh one.

    Its name keeps it apart from a cluster that somebody runs by hand from the same root folder. `slurm` is one of the
    versions that the command `cluster` knows.
    """

    def __init__(self, name: str, slurm: str) -> None:
        self.slurm = slurm
        self._environment = {**os.environ, "LIBRARIAN_CLUSTER_NAME": name, "LIBRARIAN_CLUSTER_SLURM": slurm}
        self._program: tempfile.TemporaryDirectory[str] | None = None

    def start(self) -> None:
        """Stop a cluster that runs, build what is not built, start it, and put the program at /opt/librarian."""
        for verb in ("down", "build", "up"):
            self._do(verb)
        self._program = tempfile.TemporaryDirectory(prefix="librarian-program-")
        copy_program(Path(self._program.name))
        self._compile(self._program.name)
        self.bind(Path(self._program.name), "/opt/librarian")

    def _compile(self, program: str) -> None:
        """Compile the program with the cluster's Python: users cannot write there, and each run would do it again."""
        self._do("bind", program, "/opt/compiled")
        self.run("root", "python3", "-m", "compileall", "-q", "/opt/compiled", check=False)

    def stop(self) -> None:
        """Stop the cluster; nothing of it is left but the root folder."""
        self._do("down")
        if self._program is not None:
            self._program.cleanup()

    @property
    def root(self) -> Path:
        """The cluster's / as a path on this machine."""
        return Path(patience.run([COMMAND, "root"], check=True, text=True, env=self._environment).stdout.strip())

    def sign(self) -> object:
        """What changes while the cluster is at work: what its daemons write down, and their and its jobs' CPU time."""
        try:
            root = self.root
            return patience.effort(int(root.parts[2])), [path.stat().st_size for path in (root / LOGS).glob("*.log")]
        except (AssertionError, OSError):  # it is down
            return None

    def wait_for(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until `ready()`, for as long as the cluster is at work."""
        wait_for(ready, what, self.sign)

    def bind(self, source: Path, target: str) -> None:
        """Show the folder `source` of this machine at `target` in the cluster, read-only."""
        self._do("bind", "--ro", str(source), target)

    def _do(self, *verb: str) -> None:
        patience.run([COMMAND, *verb], check=True, stdout=None, stderr=None, env=self._environment)

    def run(
        self, user: str, *argv: str, check: bool = True, folder: str = "", text: str = "", ceiling: float = CEILING
    ) -> Ran:
        """Run `argv` as `user` with `text` as standard input; with `check` a failure raises with what it printed.

        It may take as long as it or the cluster is at work, `ceiling` seconds at most.
        """
        where = ["-C", folder] if folder else []
        return patience.run(
            [COMMAND, "exec", *where, user, *argv],
            check=check,
            input=text,
            sign=self.sign,
            ceiling=ceiling,
            encoding="utf-8",
            errors="surrogateescape",
            env=self._environment,
        )

    def shell(self, user: str, script: str, check: bool = True) -> Ran:
        """Run `script` with bash as `user`."""
        return self.run(user, "bash", "-c", script, check=check)

    def sql(self, query: str) -> list[list[str]]:
        """The rows of a query to slurmdbd's database; a tab or newline in a value comes as `\\t`, `\\n`."""
        done = self.run("root", "mariadb", "--batch", "--skip-column-names", "slurm_acct_db", "--execute", query)
        return [line.split("\t") for line in done.stdout.splitlines()]

    @property
    def has_scrontab(self) -> bool:
        """Whether a user can have cron jobs of Slurm's."""
        return self.slurm not in WITHOUT_SCRONTAB

    def wrappers(self, user: str, folder: Path) -> None:
        """Put commands of Slurm's into `folder` that any program of this machine can run: as `user`, in the cluster."""
        environment = {name: value for name, value in self._environment.items() if name.startswith("LIBRARIAN_CLUSTER")}
        known = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
        passed = " ".join(f'${{{name}+{name}="${name}"}}' for name in ("TZ", "SLURM_TIME_FORMAT", "SLURM_BITSTR_LEN"))
        for name in ("sacct", "sacctmgr", "scontrol", "squeue"):
            script = f'#!/bin/sh\nexec env {known} {COMMAND} exec {user} env {passed} {name} "$@"\n'
            (folder / name).write_text(script, encoding="utf-8")
            (folder / name).chmod(0o755)

    def stop_slurmctld(self) -> None:
        """End slurmctld and wait until it is gone."""
        self._end("slurmctld")

    def start_slurmctld(self) -> None:
        """Start slurmctld and wait until it answers."""
        self.run("root", "slurmctld")
        self.wait_for(lambda: self.run("root", "scontrol", "ping", check=False).returncode == 0, "slurmctld")

    def stop_slurmdbd(self) -> None:
        """End slurmdbd and wait until it is gone."""
        self._end("slurmdbd")

    def start_slurmdbd(self) -> None:
        """Start slurmdbd and wait until it answers."""
        self.run("root", "slurmdbd")
        asked = ("sacctmgr", "-n", "show", "cluster")
        self.wait_for(lambda: self.run("root", *asked, check=False).returncode == 0, "slurmdbd")

    def runs(self, daemon: str) -> bool:
        """Whether one of Slurm's daemons runs."""
        return self.run("root", "pgrep", "-x", _process(daemon), check=False).returncode == 0

    def _end(self, daemon: str) -> None:
        self.run("root", "pkill", "-x", _process(daemon))
        self.wait_for(lambda: not self.runs(daemon), f"{daemon} gone")


def _process(daemon: str) -> str:
    """Its name or, once it was configured anew, Debian's name for it, as a pattern."""
    return f"{daemon}(-wlm)?"


def copy_program(target: Path) -> None:
    """Copy the program into `target`, readable by everybody whatever the umask the checkout was made with.

    A copy, because other users of the cluster must be able to read it where the checkout is private, and because
    it must stay the same while the tests run.
    """
    for name in PROGRAM:
        if (CHECKOUT / name).is_dir():
            leave_out = shutil.ignore_patterns("node_modules", "__pycache__")
            shutil.copytree(CHECKOUT / name, target / name, ignore=leave_out)
        elif (CHECKOUT / name).exists():
            shutil.copy(CHECKOUT / name, target / name)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def why_not(commands: Sequence[str] = ("debootstrap",)) -> str:
    """Why there can be no cluster on this machine and what helps, or ""."""
    system = Path("/etc/os-release").read_text(encoding="utf-8") if Path("/etc/os-release").exists() else ""
    if not any(name in system.lower() for name in ("id=debian", "id=ubuntu", "id_like=debian", 'id_like="ubuntu')):
        return "the Slurm cluster needs Debian or Ubuntu; run the tests in a container or machine of it"
    if os.geteuid() != 0:
        return "the Slurm cluster needs root: sudo scripts/test"
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        return f"the Slurm cluster needs {missing[0]}: apt-get install {' '.join(missing)}"
    return ""
