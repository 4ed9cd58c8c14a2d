"""Two machines with one shared folder race for the lock: two host names, two spaces of process ids, one kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.patience import communicate

CHECKOUT = Path(__file__).resolve().parents[2]
ENTRIES = 60
APART = ("unshare", "--uts", "--pid", "--net", "--ipc", "--mount-proc", "--fork", "--kill-child")
# Owners write down that they are inside, and would fail if they were not alone. Some die there.
RACE = """
import os, random, signal, sys, time
sys.path.insert(0, {checkout!r})
from pathlib import Path
from librarian.errors import BusyError
from librarian.system.lock import locked
from librarian.system.host import host_name
folder = Path({folder!r})
inside, log, dice = folder / "inside", folder / "log", random.Random(host_name())
while log.read_text().split().count(host_name()) < {entries}:
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            sys.exit(f"{{host_name()}}: the owner was not alone")
        continue
    try:
        with locked(folder / "hpg.lock", "a run", expiry=0.5) as mine:
            os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
            time.sleep(dice.random() / 500)
            mine.check()
            inside.unlink()
            with log.open("a") as file:
                file.write(f"{{host_name()}}\\n")
            if os.getpid() % 50 == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    except BusyError:
        time.sleep(dice.random() / 1000)
    except BaseException as error:
        print(type(error).__name__, error, file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="name spaces need root and unshare")
def test_two_hosts_never_both_own_the_lock(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    program = tmp_path / "race.py"
    program.write_text(RACE.format(checkout=str(CHECKOUT), folder=str(tmp_path), entries=ENTRIES))
    hosts = [
        subprocess.Popen(
            [*APART, "sh", "-c", 'hostname "$0" && exec "$@"', name, sys.executable, str(program)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    try:
        said = [communicate(host)[1] for host in hosts]
    finally:
        for host in hosts:
            host.kill()
    assert [host.returncode for host in hosts] == [0, 0], said
    entered = Counter((tmp_path / "log").read_text().split())
    assert min(entered["one"], entered["two"]) >= ENTRIES
    assert set(entered) == {"one", "two"}
