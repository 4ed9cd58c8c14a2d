"""The door to the world: time limits, locks, atomic files."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from librarian.errors import BusyError, LibrarianError, Terminated, one_line
from librarian.system import host, processes
from tests.patience import CEILING, wait_for
from tests.places import ROOT
from tests.unit.orphans import end_commands, is_there
from tests.unit.signals import signals

__all__ = ["signals"]


def test_a_command_gives_status_output_and_errors() -> None:
    code = "import os, sys; print(os.environ['X']); print('oops', file=sys.stderr); sys.exit(3)"
    answer = processes.run_command([sys.executable, "-c", code], timeout=CEILING, env={"X": "y"})
    assert (answer.status, answer.text, answer.stderr) == (3, "y\n", "oops\n")


def test_a_command_gets_input_a_folder_and_no_more_of_the_environment_than_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNWANTED", "x")
    code = "import os, sys; print(sys.stdin.read(), os.getcwd(), os.environ.get('UNWANTED'))"
    command = [sys.executable, "-c", code]
    answer = processes.run_command(command, timeout=CEILING, env={}, unset={"UNWANTED"}, stdin=b"in", cwd=tmp_path)
    assert answer.text == f"in {tmp_path} None\n"
    assert processes.run_command(command, timeout=CEILING, env={}).text == f" {Path.cwd()} x\n"
    many = b"x" * 1_000_000
    assert processes.run_command(["true"], timeout=CEILING, env={}, stdin=many).status == 0, "it need not be read"


def test_a_command_that_hangs_is_ended_with_its_children() -> None:
    began = time.monotonic()
    with pytest.raises(LibrarianError, match=r"sh did not answer: stopped after 0\.3 s"):
        processes.run_command(["sh", "-c", "sleep 60 & sleep 60"], timeout=0.3, env={})
    assert time.monotonic() - began < 10


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(LibrarianError, match="nosuch-sacct could not be started"):
        processes.run_command(["/opt/nosuch-sacct"], timeout=1, env={})


def test_atomic_writes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    host.write_atomic(path, b"one")
    host.write_atomic(path, b"two", mode=0o600)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    with pytest.raises(OSError, match="directory"):
        host.write_atomic(tmp_path, b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def _hold(path: Path, held: multiprocessing.synchronize.Event, done: multiprocessing.synchronize.Event) -> None:
    with host.locked(path, "a run"):
        held.set()
        done.wait(CEILING)


def test_a_lock_is_held_by_one_and_ends_with_its_process(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "lock", held, done))
    other.start()
    assert held.wait(CEILING)
    with pytest.raises(BusyError, match=f"process {other.pid}"), host.locked(tmp_path / "lock", "a run"):
        pass
    other.kill()
    other.join()
    with host.locked(tmp_path / "lock", "a run"):
        assert str(os.getpid()) in (tmp_path / "lock").read_text()


def test_messages_are_one_line() -> None:
    error = LibrarianError("a\nb", "c\x1b[31m\td", "e")
    assert str(error) == "a b: c [31m d (e)"
    assert len(one_line("x" * 999)) == 400


def streamed(code: str, sink: object, timeout: float = CEILING) -> processes.Answer:
    with processes.Stream([sys.executable, "-c", code], env={}) as stream:
        return stream.into(sink, timeout=timeout)  # type: ignore[arg-type]


def test_output_comes_while_the_command_still_writes() -> None:
    blocks: list[bytes] = []
    code = "import sys; w = sys.stdout.buffer; [w.write(b'x' * 99_999 + b'\\n') for _ in range(300)]; sys.exit('done')"
    answer = streamed(code, blocks.append)
    assert b"".join(blocks) == (b"x" * 99_999 + b"\n") * 300
    assert max(map(len, blocks)) <= 1 << 20
    assert (answer.status, answer.stderr) == (1, "done\n")
    assert answer.stdout == blocks[0]


@pytest.mark.slow
def test_a_stream_that_hangs_is_ended() -> None:
    blocks: list[bytes] = []
    with pytest.raises(LibrarianError, match="did not answer"):
        streamed("import time; print('x' * 2**20, flush=True); time.sleep(60)", blocks.append, timeout=2.0)
    assert b"".join(blocks) == b"x" * 2**20


@pytest.mark.slow
def test_what_the_reader_takes_is_not_the_commands_time() -> None:
    code = "import time; print('x' * 2**20, flush=True); time.sleep(5); print('y')"
    blocks: list[bytes] = []

    def slow(block: bytes) -> None:
        time.sleep(5)
        blocks.append(block)

    assert streamed(code, slow, timeout=5.0).status == 0
    assert b"".join(blocks).endswith(b"x\ny\n")


def test_what_the_reader_cannot_take_ends_the_command(tmp_path: Path) -> None:
    mark = tmp_path / "went on"

    def refuse(_: bytes) -> None:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        streamed(f"import time; print('x' * 5_000_000, flush=True); time.sleep(5); open({str(mark)!r}, 'w')", refuse)
    assert not mark.exists()


def test_a_stream_that_cannot_start_says_so() -> None:
    with pytest.raises(LibrarianError, match="could not be started"):
        processes.Stream(["/nonexistent/sacct"], env={})


def test_a_stream_that_nobody_reads_is_ended_with_all_that_it_began(tmp_path: Path) -> None:
    told = tmp_path / "number"
    script = f"(echo $$ >{told}; exec sleep 600) & wait; head -c 100000000 /dev/zero; sleep 600"
    with processes.Stream(["sh", "-c", script], env={}):
        wait_for(lambda: told.exists() and bool(told.read_text()), "the command's beginning")
    assert not is_there(int(told.read_text()))


@pytest.mark.slow
def test_a_stream_whose_command_leaves_a_child_behind_is_ended(tmp_path: Path) -> None:
    told = tmp_path / "number"
    script = f"sleep 600 & echo $! >{told}; exit 0"
    with (
        pytest.raises(LibrarianError, match="did not answer"),
        processes.Stream(["sh", "-c", script], env={}) as stream,
    ):
        stream.into(print, timeout=1.0)
    wait_for(lambda: not is_there(int(told.read_text())), "the child's end")


@pytest.mark.slow
def test_a_child_that_left_the_group_holds_nobody_up(tmp_path: Path) -> None:
    told = tmp_path / "number"
    script = f"setsid sh -c 'echo $$ >{told}; exec sleep 600' & wait"
    try:
        with (
            pytest.raises(LibrarianError, match="did not answer"),
            processes.Stream(["sh", "-c", script], env={}) as left,
        ):
            wait_for(lambda: told.exists() and bool(told.read_text()), "the child's beginning")
            left.into(print, timeout=0.3)
        assert is_there(int(told.read_text())), "it is not ours to end"
    finally:
        os.kill(int(told.read_text()), signal.SIGKILL)


@pytest.mark.slow
def test_nor_where_all_its_output_is_read_at_once(tmp_path: Path) -> None:
    told = tmp_path / "number"
    script = f"setsid sh -c 'echo $$ >{told}; exec sleep 600' & sleep 600"
    try:
        with pytest.raises(LibrarianError, match="did not answer"):
            processes.run_command(["sh", "-c", script], timeout=3.0, env={})
        assert is_there(int(told.read_text())), "it is not ours to end"
    finally:
        os.kill(int(told.read_text()), signal.SIGKILL)


def test_a_command_that_nobody_can_read_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "number"

    def refused(*_: object) -> None:
        wait_for(lambda: told.exists() and bool(told.read_text()), "the command's beginning")
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", refused)
    with pytest.raises(LibrarianError, match="can't start new thread"):
        processes.Stream(["sh", "-c", f"echo $$ >{told}; exec sleep 600"], env={})
    assert not is_there(int(told.read_text()))


def test_a_signal_within_a_lock_of_pythons_ends_the_wait_for_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals: None
) -> None:
    told = tmp_path / "number"
    real = threading.Condition._acquire_restore  # type: ignore[attr-defined]

    def interrupted(condition: threading.Condition, saved: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        real(condition, saved)

    monkeypatch.setattr(threading.Condition, "_acquire_restore", interrupted)
    with (
        pytest.raises(Terminated, match="ended by SIGTERM"),
        processes.Stream(["sh", "-c", f"echo $$ >{told}; exec sleep 600"], env={}) as stream,
    ):
        os.kill(os.getpid(), signal.SIGTERM)  # the thread was so quick that nothing waited for it
        stream.into(len, timeout=CEILING)
    assert not told.exists() or not is_there(int(told.read_text() or 0))


@pytest.mark.parametrize(
    "run", ["run_command({}, timeout=900, env={{}})", "Stream({}, env={{}}).into(len, timeout=9e2)"]
)
def test_a_command_whose_reader_was_killed_ends_when_it_writes(tmp_path: Path, run: str) -> None:
    told = tmp_path / "number"
    command = ["sh", "-c", f"echo $$ >{told}; while sleep 0.1; do echo more; done"]
    code = f"from librarian.system.processes import *; {run.format(command)}"
    reader = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    wait_for(lambda: told.exists() and bool(told.read_text()), "the command's beginning")
    number = int(told.read_text())
    try:
        assert is_there(number)
        reader.kill()
        reader.wait()
        wait_for(lambda: not is_there(number), "the command's end")
    finally:
        reader.kill()
        end_commands(number, tmp_path)
