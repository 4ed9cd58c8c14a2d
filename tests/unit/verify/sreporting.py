"""A made-up Slurm whose sreport sums up its runs, one at a time and in whole numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from librarian.demo.slurm import DemoSlurm
from librarian.shared.tres import parse_tres
from librarian.system.processes import Answer
from tests.unit.runs import T0

HOUR = 3600
TURN = T0 - T0 % HOUR  # the full hour before the runs of `tests.unit.runs`


class Sreporting(DemoSlurm):
    """sreport of 24.11, or with `knows_qos` False that of 22.05; it knows hours up to `until` only.

    slurmdbd has kept which QoS hours are of from `since_when_qos` on, as one does that was upgraded then.

    `more` is what it counts beside the runs: seconds by user, TRES and QoS. `tells` are the users whom it shows this
    account, None for all.
    """

    knows_qos = True
    since_when_qos = 0
    until = 2**40
    tells: tuple[str, ...] | None = None
    reservations = ""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.more: Counter[tuple[str, str, str]] = Counter()
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        command, arguments = PurePosixPath(argv[0]).name, list(argv[1:])
        self.asked.append((command, *arguments))
        if command == "sreport":
            return self._sreport(arguments)
        if command == "sacctmgr" and "reservation" in arguments:
            return Answer(0, self.reservations.encode(), "")
        if command == "sacctmgr" and "config" in arguments and self.tells is not None:
            return Answer(0, b"SlurmDBD configuration:\nPrivateData = usage\n", "")
        if command == "sacct" and "-S" in arguments and not any(word.startswith("--qos=") for word in arguments):
            arguments.append(f"--qos={','.join(self._limits)}")
        return super().__call__([argv[0], *arguments], timeout=timeout, env=env)

    def _sreport(self, arguments: Sequence[str]) -> Answer:
        said = dict(word.partition("=")[::2] for word in arguments if "=" in word)
        begin, end = (int(said[name].removeprefix("uts")) for name in ("Start", "End"))
        assert begin % HOUR == end % HOUR == 0, "sreport would cut them"
        if "Utilization" in arguments:
            return Answer(0, b"demo|100\n" if end <= self.until else b"", "")
        fields = said["Format"].split(",")
        if "QOS" in fields and not self.knows_qos:
            return Answer(1, b"", " Unknown field 'QOS'\n")
        named = said["Accounts"].split(",") if "Accounts" in said else None
        sums: Counter[tuple[str, ...]] = Counter()
        for (user, account, tres, qos), used in self._sums(begin, min(end, self.until), named).items():
            if "QOS" not in fields:
                sums[user, account, tres] += used
            elif qos == said["Qos"]:
                sums[user, account, tres, qos] += used
        rows = [(*names[:3], str(used), *names[3:]) for names, used in sums.items()]
        rows = [("", "a", "cpu", "1", "avery")[: len(fields)], *rows]  # the sum of an account
        shown = [row for row in rows if self.tells is None or row[0] in self.tells]
        return Answer(0, "".join(f"{'|'.join(row)}\n" for row in shown).encode(), "")

    def _sums(self, begin: int, end: int, accounts: Sequence[str] | None) -> Counter[tuple[str, str, str, str]]:
        """By user, account, TRES and QoS; of all accounts where none are named."""
        sums: Counter[tuple[str, str, str, str]] = Counter()
        for (user, tres, qos), seconds in self.more.items():
            sums[user, "a", tres, qos] += seconds
        for run in self.runs:
            if run.start is None or (accounts is not None and run.account not in accounts):
                continue
            last = min(end, self.now if run.end is None else run.end)
            turn = min(max(self.since_when_qos, begin), end)
            for qos, since, until in (("", begin, turn), (run.qos, turn, last)):
                seconds = max(min(until, last) - max(run.start, since), 0)
                for tres, count in parse_tres(run.alloc_tres).items() if seconds else ():
                    sums[run.user, run.account, tres, qos] += round(seconds * count * (1024 if tres == "mem" else 1))
        return sums
