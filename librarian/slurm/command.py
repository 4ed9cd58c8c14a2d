"""How each command of Slurm's is run: environment, time limit, and what its failures mean."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from librarian.errors import LibrarianError, NoAnswerError, SlurmError, StoreError, TooWideError, Trouble
from librarian.system.host import stopwatch
from librarian.system.processes import Answer, Runner, Stream, run_command

# Epochs instead of local times, array ranges uncut, one language. An alias in the user's environment must not change
# what is asked, so formats are always given as options.
ENVIRONMENT = {"TZ": "UTC", "SLURM_TIME_FORMAT": "%s", "SLURM_BITSTR_LEN": "0", "LC_ALL": "C.UTF-8"}
# What the commands say when there is nobody at the other end, in lower case.
_NOBODY = (
    "connection refused",
    "connection timed out",
    "no route to host",
    "unable to contact",
    "connection failure",
    "can't be reached",
)
_WORD = re.compile("[a-z_]{1,20}")
# What they say of a question that is longer than MaxQueryTimeRange, or whose answer is larger than slurmdbd sends.
_TOO_WIDE = ("too wide of a date range", "query result exceeds size limit")


def nobody(name: str, seconds: float) -> None:
    """Who wants to know nothing of what was asked."""


@dataclass(frozen=True)
class Slurm:
    """Slurm's commands: where they are ("" means PATH), how long they may take, and who runs them.

    `told` is called behind each command with its name (see `name_of`) and the seconds that were waited for it.
    """

    bin_dir: str = ""
    timeout: float = 120.0
    runner: Runner = field(default=run_command)
    told: Callable[[str, float], None] = field(default=nobody, compare=False, repr=False)
    _begun: dict[tuple[str, ...], Stream] = field(default_factory=dict, compare=False, repr=False)

    @property
    def environment(self) -> Mapping[str, str]:
        """What is added to the environment of each command."""
        return ENVIRONMENT

    def argv(self, command: str, arguments: Sequence[str]) -> list[str]:
        """The command line."""
        return [str(PurePosixPath(self.bin_dir) / command) if self.bin_dir else command, *arguments]

    def run(
        self,
        command: str,
        arguments: Sequence[str],
        zone: str = "UTC",
        *,
        environment: Mapping[str, str] = ENVIRONMENT,
    ) -> Answer:
        """Run a command, in `zone` where its hours are those of a zone, with `environment` added to ours; where that
        is empty, in ours as it is.

        Raises `SlurmError` when it fails, `NoAnswerError` when nobody answers it in time.
        """
        began = stopwatch()
        try:
            answer = self.runner(
                self.argv(command, arguments),
                timeout=self.timeout,
                env={**environment, "TZ": zone} if environment else {},
            )
        except StoreError:  # what the answer is written into, and not the command
            raise
        except LibrarianError as error:
            raise NoAnswerError(error.what, error.why, error.todo) from error
        finally:
            self.told(name_of(command, arguments), stopwatch() - began)
        if answer.status != 0:
            raise _failure(command, answer)
        return answer

    def read(self, command: str, arguments: Sequence[str], sink: Callable[[bytes], None]) -> Answer:
        """Run a command and give its output to `sink` as it comes; the answer has the first of it only.

        Raises as `run` does, and what `sink` raises; then the command is ended.
        """
        if self.runner is not run_command:
            answer = self.run(command, arguments)
            sink(answer.stdout)
            return answer

        def stream(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
            with self._begun.pop(tuple(argv), None) or Stream(argv, env=env) as running:
                return running.into(sink, timeout=timeout)

        return replace(self, runner=stream).run(command, arguments)

    def begin(self, command: str, arguments: Sequence[str]) -> None:
        """Start a command already that will be read next, within a block of `ending`.

        What goes wrong is told by the `read` of the same command with the same arguments.
        """
        argv = tuple(self.argv(command, arguments))
        if self.runner is run_command and argv not in self._begun:
            with contextlib.suppress(LibrarianError):
                self._begun[argv] = Stream(argv, env=ENVIRONMENT)

    def begun(self, command: str, arguments: Sequence[str]) -> float | None:
        """When a command that has begun and is not read yet was started, by the clock of `stopwatch`."""
        stream = self._begun.get(tuple(self.argv(command, arguments)))
        return stream.began if stream else None

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        """At the end of the block no command goes on that was begun and not read."""
        try:
            yield
        finally:
            while self._begun:
                with self._begun.popitem()[1]:
                    pass


def _failure(command: str, answer: Answer) -> SlurmError:
    """What it means that a command failed: nobody was there, or the question was too wide, where it says so."""
    what, said = f"{command} failed with status {answer.status}", complaint(answer)
    for kind, known in ((NoAnswerError, _NOBODY), (TooWideError, _TOO_WIDE)):
        if any(word in said.lower() for word in known):
            return kind(what, said)
    return SlurmError(what, said, trouble=Trouble.COMMAND)


def name_of(command: str, arguments: Sequence[str]) -> str:
    """What a command is called where it is counted: its name, and what it shows, such as `sacctmgr show qos`."""
    shown = arguments[arguments.index("show") + 1 :][:1] if "show" in arguments else []
    return " ".join([command, *(f"show {what}" for what in shown if _WORD.fullmatch(what))])


def complaint(answer: Answer) -> str:
    """What a failed command said: its errors, else the start of its output."""
    lines = [line for line in (answer.stderr or answer.text[:2000]).splitlines() if line.strip()]
    return " ".join(lines[:3]) or "no message"
