"""Options of sbatch that come behind `--`: which may not stand there, and more memory or time for a retry. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from librarian.errors import ConfigError

# What Librarian gives itself, and what would make something else of the array; with what to do in its place.
_OURS = {
    **dict.fromkeys(("--array", "-a"), "rows are what campaign add makes"),
    **dict.fromkeys(("--job-name", "-J"), "the array is found again by its name"),
    **dict.fromkeys(("--output", "-o", "--error", "-e"), "see: librarian campaign log"),
    **dict.fromkeys(("--parsable", "--wrap", "--test-only", "--wait", "-W"), "it is not for arrays of a campaign"),
    **dict.fromkeys(("--clusters", "--cluster", "-M"), "a campaign is on one cluster"),
    **dict.fromkeys(("--help", "-h", "--usage", "--version", "-V"), "ask sbatch itself"),
}
# Options without a value: a word behind one of them would be taken for a script.
_ALONE = {
    *("--contiguous", "--exclusive", "--hold", "-H", "--ignore-pbs", "--no-kill", "-k", "--no-requeue", "--overcommit"),
    *("-O", "--oversubscribe", "-s", "--quiet", "-Q", "--reboot", "--requeue", "--spread-job", "--use-min-nodes"),
    *("--verbose", "-v", "--get-user-env", "--nice", "--propagate"),
}
_MEMORY = re.compile(r"([0-9]{1,12})([KMGT]?)B?", re.IGNORECASE)
_MEMORIES = ("--mem", "--mem-per-cpu", "--mem-per-gpu")


def check(options: Sequence[str]) -> None:
    """Raise `ConfigError` for options that cannot be handed to sbatch."""
    before = ""
    for option in options:
        if not option.startswith("-"):
            if not before.startswith("-") or "=" in before or before in _ALONE or _glued(before):
                raise ConfigError(f"sbatch would take {option!r} for a script", todo="write options as --name=value")
            before = ""
            continue
        if option == "--":
            raise ConfigError("-- stands twice")
        before = option
        name = option.partition("=")[0]
        for key in (name, option[:2]) if not option.startswith("--") else _meant(name):
            if key in _OURS:
                raise ConfigError(f"{key} cannot be given", _OURS[key])


def _glued(option: str) -> bool:
    """Whether a short option has its value with it, as in -pgpu."""
    return not option.startswith("--") and len(option) > 2


def _meant(name: str) -> list[str]:
    """The options of ours that a long one may be an abbreviation of: getopt_long(3) takes them."""
    return [key for key in _OURS if len(name) > 3 and key.startswith(name)] if name not in _ALONE else []


def more(options: Sequence[str], factors: Mapping[str, float]) -> tuple[str, ...]:
    """Options with so many times the memory or time that they ask for. Raises `ConfigError` where they ask for none."""
    found = list(options)
    for what, factor in factors.items():
        names = _MEMORIES if what == "memory" else ("--time", "-t")
        scaled = _scaled_memory if what == "memory" else _scaled_time
        if not any(_scale(found, name, factor, scaled) for name in names):
            why = f"the options of the last array have no {' or '.join(names)}"
            raise ConfigError(f"more {what} cannot be asked for", why, "give options behind --")
    return tuple(found)


def _scale(options: list[str], name: str, factor: float, scaled: Callable[[str, float], str]) -> bool:
    done = False
    for place, option in enumerate(options):
        if option == name and place + 1 < len(options):
            options[place + 1] = scaled(options[place + 1], factor)
            done = True
        elif option.startswith(f"{name}="):
            options[place] = f"{name}={scaled(option.partition('=')[2], factor)}"
            done = True
        elif name == "-t" and re.fullmatch(r"-t[0-9].*", option):
            options[place] = f"-t{scaled(option[2:], factor)}"
            done = True
    return done


def _scaled_memory(text: str, factor: float) -> str:
    match = _MEMORY.fullmatch(text)
    if match is None or not int(match[1]):
        raise ConfigError(f"the memory {text!r} cannot be multiplied")
    kilos = int(match[1]) * 1024 ** "KMGT".index((match[2] or "M").upper())
    return f"{-int(-kilos * factor // 1)}K"


def _scaled_time(text: str, factor: float) -> str:
    """A time as sbatch takes it (`M`, `M:S`, `H:M:S`, `D-H`, `D-H:M`, `D-H:M:S`), multiplied, in whole minutes."""
    days, dash, clock = text.rpartition("-")
    parts = clock.split(":")
    if not all(part.isascii() and part.isdigit() for part in [*parts, days or "0"]) or len(parts) > 3:
        raise ConfigError(f"the time {text!r} cannot be multiplied")
    units = (3600, 60, 1) if dash or len(parts) == 3 else (60, 1)
    seconds = int(days or 0) * 86400 + sum(int(part) * unit for part, unit in zip(parts, units, strict=False))
    return str(max(1, -int(-seconds * factor // 60)))


def factors(text: str) -> dict[str, float]:
    """`memory=1.5,time=2` as numbers. Raises `ConfigError`."""
    found = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name not in ("memory", "time") or not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", value) or float(value) < 1:
            raise ConfigError(f"{part!r} says not how much more", "as in memory=1.5,time=2, from 1 on")
        found[name] = float(value)
    return found
