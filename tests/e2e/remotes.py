"""What publishers' tests publish, and where to: sites, bare repositories, an sshd, programs that kill their callers."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import patience

NOW = 1_795_000_000
LARGE = random.Random(7).randbytes(300_000)
NAMES = ["NCPUS_avery.pdf", "NCPUS_avery.png", "data_avery.json", "index.html", "index.json", "plotly-9.min.js"]


def site(folder: Path, number: int) -> Path:
    """A site of the `number`-th run: all files but the large one differ from those of any other run."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"NCPUS": {"png": "NCPUS_avery.png", "pdf": "NCPUS_avery.pdf"}}
    qos = [{"name": "avery", "figures": figures}]
    index = {"generator": "librarian 9", "generated_at": NOW + number, "files": NAMES, "qos": qos}
    texts = {
        "index.html": f"<p>{number}",
        "data_avery.json": json.dumps({"number": number}),
        "NCPUS_avery.pdf": f"%{number}",
    }
    files = {name: text.encode() for name, text in texts.items()}
    files |= {"index.json": json.dumps(index).encode(), "NCPUS_avery.png": b"\x89PNG" + str(number).encode()}
    for name, data in {**files, "plotly-9.min.js": LARGE}.items():
        (folder / name).write_bytes(data)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """A folder's files."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names(folder: Path) -> list[str]:
    """The names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def git(*arguments: str, at: Path) -> str:
    """Run git as somebody else would, with nothing of the user's configuration."""
    return git_bytes(*arguments, at=at).decode().strip()


def git_bytes(*arguments: str, at: Path) -> bytes:
    """The same, with its output as it is."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    who = {f"GIT_{role}_{what}": "somebody" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", **who}
    command = ["git", "-c", "init.defaultBranch=main", "-C", str(at), *arguments]
    output: bytes = patience.run(command, env=env, check=True).stdout
    return output


@dataclass(frozen=True)
class Bare:
    """A bare repository."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> Bare:
        """An empty one."""
        path.mkdir(parents=True)
        git("init", "-q", "--bare", at=path)
        return cls(path)

    def commits(self, branch: str = "gh-pages") -> list[str]:
        """Subjects of a branch's commits, newest first."""
        return git("log", "--format=%s", branch, "--", at=self.path).splitlines()

    def files(self, branch: str = "gh-pages") -> dict[str, bytes]:
        """All files of a branch, by their paths."""
        rows = [row.split("\t") for row in git("ls-tree", "-rz", branch, at=self.path).split("\0") if row]
        return {path: self.blob(facts.split()[2]) for facts, path in rows}

    def blob(self, name: str) -> bytes:
        """The content of a blob."""
        return git_bytes("cat-file", "blob", name, at=self.path)

    def commit(self, files: Mapping[str, str], branch: str = "gh-pages", *, more: bool = True) -> str:
        """Somebody else's commit: on top of what is there, or instead of all of it."""
        work = self.path.with_name(f"{self.path.name}-work")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        git("init", "-q", at=work)
        if more and f"refs/heads/{branch}" in git("for-each-ref", "--format=%(refname)", at=self.path).split():
            git("fetch", "-q", str(self.path), branch, at=work)
            git("checkout", "-q", "FETCH_HEAD", at=work)
        for name, text in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)
        git("add", "-A", at=work)
        git("commit", "-qm", "somebody's", at=work)
        git("push", "-qf", str(self.path), f"HEAD:refs/heads/{branch}", at=work)
        return git("rev-parse", "HEAD", at=work)

    def hook(self, script: str) -> None:
        """A pre-receive hook."""
        path = self.path / "hooks" / "pre-receive"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def size(self) -> int:
        """Bytes of its objects once all that nobody needs is gone."""
        git("reflog", "expire", "--all", "--expire=now", at=self.path)
        git("gc", "-q", "--prune=now", at=self.path)
        return size_of(self.path / "objects")


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder and below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def wrapper(folder: Path, program: str, script: str) -> None:
    """A program of this name in `folder`, a script that may call the real one as "$real"."""
    real = shutil.which(program)
    folder.mkdir(exist_ok=True)
    path = folder / program
    path.write_text(f"#!/bin/sh\nreal={real}\n{script}\n")
    path.chmod(0o755)


def killer(folder: Path, program: str, *, finishes: bool) -> Callable[[int], None]:
    """Puts a `program` into `folder` that kills its caller at a call, before or after it has done what it should.

    Returns what sets at which call, counted from one over all such programs in `folder`.
    """
    (folder / "count").parent.mkdir(exist_ok=True)
    last = '"$real" "$@"; kill -9 $PPID' if finishes else "kill -9 $PPID"
    count = f"n=$(($(cat {folder}/count) + 1)); echo $n >{folder}/count"
    wrapper(folder, program, f'{count}\nif [ "$n" = "$(cat {folder}/at)" ]; then {last}; exit 1; fi\nexec "$real" "$@"')

    def at(call: int) -> None:
        (folder / "count").write_text("0")
        (folder / "at").write_text(str(call))

    return at


def is_running(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return False
    return state != "Z"


@dataclass(frozen=True)
class Sshd:
    """A real sshd on the loopback address, and how to reach it."""

    port: int
    key: Path
    known: Path
    has_shell: bool

    @property
    def options(self) -> list[str]:
        """The options of ssh that lead there, and to nothing of the user's."""
        return [
            f"Port={self.port}",
            f"IdentityFile={self.key}",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            f"UserKnownHostsFile={self.known}",
            "GlobalKnownHostsFile=/dev/null",
        ]


@contextmanager
def sshd(folder: Path, more: str = "") -> Iterator[Sshd]:
    """Start an sshd with keys of its own in `folder`; `more` are lines of its configuration."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("sshd is missing: apt-get install openssh-server")
    folder.mkdir()
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "key.pub", folder / "authorized")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # without it, sshd as root does not start
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "config").write_text(
        f'Port {port}\nListenAddress 127.0.0.1\nHostKey "{folder}/host"\nAuthorizedKeysFile "{folder}/authorized"\n'
        f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n"
        f"PrintMotd no\nMaxStartups 100\n{more}\n"
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "-D", "-e", "-f", folder / "config"], stdout=log, stderr=log)
    try:
        patience.wait_for(lambda: _answers(port) or server.poll() is not None, "sshd to listen")
        assert server.poll() is None, (folder / "log").read_text()
        yield Sshd(port, folder / "key", folder / "known", "internal-sftp" not in more)
    finally:
        server.terminate()
        patience.communicate(server)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
