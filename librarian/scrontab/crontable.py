"""A user's table of scheduled commands, and our block in it between two marker lines.

Every byte that is not ours is kept: a table is only ever replaced whole. Lines end with a line feed.
"""

from __future__ import annotations

from dataclasses import dataclass

DISABLED = "#DISABLED: "
"""scrontab puts it before each line of an entry whose job was cancelled."""
PAUSED = "#PAUSED: "
"""`librarian pause` puts it before each line of ours."""


@dataclass(frozen=True)
class CronTable:
    """A table in three parts: what stands before our block, the block with its markers ("" where there is none), and
    what stands behind it."""

    before: str
    block: str
    after: str

    @property
    def text(self) -> str:
        """The whole table."""
        return self.before + self.block + self.after

    @property
    def disabled(self) -> bool:
        """Whether Slurm disabled an entry of ours."""
        return any(line.startswith(DISABLED) for line in self.block.splitlines())

    @property
    def paused(self) -> bool:
        """Whether our entries are paused on purpose."""
        return any(line.startswith(PAUSED) for line in self.block.splitlines())


def markers(name: str) -> tuple[str, str]:
    """The lines that begin and end the block of the installation `name`."""
    return f"# >>> librarian {name} >>>", f"# <<< librarian {name} <<<"


def parted(text: str, name: str) -> CronTable:
    """Find our block. A beginning without an end, or the other way round, is nobody's block and stays as it is."""
    first, last = markers(name)
    lines = text.splitlines(keepends=True)
    begin = None
    for place, line in enumerate(lines):
        bare = line.rstrip("\r\n")
        if bare == first:
            begin = place
        elif bare == last and begin is not None:
            return CronTable(*("".join(part) for part in (lines[:begin], lines[begin : place + 1], lines[place + 1 :])))
    return CronTable(text, "", "")


def block_of(name: str, entries: str) -> str:
    """Our block with its markers; `entries` are whole lines."""
    first, last = markers(name)
    return f"{first}\n{entries.rstrip()}\n{last}\n"


def with_block(text: str, name: str, block: str) -> str:
    """The table with our block in its old place, or at its end; with "" it is taken out."""
    table = parted(text, name)
    if table.block:
        return table.before + block + table.after
    if not block:
        return text
    gap = "" if not text or text.endswith("\n") else "\n"
    return text + gap + block


def paused(block: str) -> str:
    """The block with every line of ours switched off on purpose; the markers stay."""
    lines = block.splitlines()
    return "".join(f"{line}\n" for line in [lines[0], *(f"{PAUSED}{line}" for line in lines[1:-1]), lines[-1]])


def difference(before: str, after: str) -> list[str]:
    """What would change, as a unified diff, line by line."""
    import difflib  # here: the watchdog has no use for it

    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "the table now", "the table then", lineterm=""
    )
    return list(lines)
