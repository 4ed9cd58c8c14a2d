"""Stand-ins for Slurm's commands: each prints a file at once, so that what is measured is ours alone.

The file is the command's name with the word behind it that tells its questions apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

COMMANDS = ("sacct", "sacctmgr", "scontrol", "squeue")
_WORDS = ("qos", "assoc", "account", "tres", "cluster", "config", "partition", "assoc_mgr", "--version")


def put(folder: Path, qos: Sequence[str] = ()) -> None:
    """Write the stand-ins into `folder`, which is made; sacct answers for each of `qos`, where some are named."""
    folder.mkdir()
    for name in COMMANDS:
        words = "|".join(_words(name, qos))
        script = f'#!/bin/sh\nfor word; do case $word in {words}) exec cat "$0.$word" ;; esac; done\nexec cat "$0."\n'
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)


def keep(argv: Sequence[str], answer: bytes, qos: Sequence[str] = ()) -> None:
    """Let the stand-in `argv[0]` answer this to such a command."""
    words = _words(Path(argv[0]).name, qos)
    word = next((word for word in argv[1:] if word in words), "")
    Path(f"{argv[0]}.{word}").write_bytes(answer)


def _words(name: str, qos: Sequence[str]) -> Sequence[str]:
    """What tells the questions of a command apart."""
    return (*_WORDS, *(f"--qos={one}" for one in qos)) if name == "sacct" else _WORDS
