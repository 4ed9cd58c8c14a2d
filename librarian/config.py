"""`librarian.toml`: text to frozen dataclasses, and every mistake at once: the key, the value, what is allowed.

docs/configuration.md is the reference. Nothing here knows the environment: paths stay text until the edge resolves
them.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pytz

from librarian import targets
from librarian.core import upkeep
from librarian.core.grants import Allocation
from librarian.core.privacy import MODES, OTHERS, Rules
from librarian.core.upkeep import Alert, RunOptions, StoreOptions
from librarian.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DAY = 86400


@dataclass(frozen=True)
class Cluster:
    """The cluster's name as accounting knows it, and the zone of its readers ("": the machine's)."""

    name: str
    timezone: str = ""


@dataclass(frozen=True)
class SlurmTools:
    """Where Slurm's commands are ("": on PATH) and how long one may take."""

    bin_dir: str = ""
    timeout_seconds: int = 120


@dataclass(frozen=True)
class Paths:
    """The two folders that are written; relative to the configuration file. "": a default of the machine's."""

    state: str = ""
    site: str = ""


@dataclass(frozen=True)
class ReportOptions:
    """The window and its bins, how the page shows them, and how much of the machine a run takes."""

    window_days: int = 30
    bin_seconds: int = 3600
    top_users: int = 12
    refresh_seconds: int = 300
    interval_seconds: int = 600
    processes: int = 1
    nice: int = 10


@dataclass(frozen=True)
class Qos:
    """A QoS to report on; `limits` are keyed as GrpTRES (sizes in GiB) or "jobs", and override Slurm's."""

    name: str
    title: str = ""
    accounts: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Scrontab:
    """How the entries of `librarian scrontab install` are scheduled and what they ask of Slurm ("": its defaults)."""

    schedule: str = "*/10 * * * *"
    watchdog_schedule: str = "*/5 * * * *"
    partition: str = ""
    qos: str = ""
    account: str = ""
    time_limit_minutes: int = 8
    cpus: int = 1
    memory: str = "2G"
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Publish:
    """A place where the site goes: the kind of publisher and its own options."""

    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Config:
    """A whole configuration."""

    cluster: Cluster
    slurm: SlurmTools
    paths: Paths
    report: ReportOptions
    qos: tuple[Qos, ...]
    publish: tuple[Publish, ...]
    privacy: Rules
    scrontab: Scrontab
    run: RunOptions
    store: StoreOptions
    alert: Alert
    allocations: tuple[Allocation, ...] = ()


@dataclass(frozen=True)
class Key:
    """What a key may hold: `check` accepts a value, `allowed` says in words what it accepts.

    A `secret` value may hold a password, and is not repeated in messages.
    """

    allowed: str
    check: Callable[[Any], bool]
    required: bool = False
    secret: bool = False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_name(value: object) -> bool:
    # Slurm separates lists with commas, and a name that begins with a dash would be an option
    return _is_text(value) and bool(value) and "," not in str(value) and not str(value).startswith("-")


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(_is_name(item) for item in value)


def _is_zone(value: object) -> bool:
    return value == "" or value in pytz.all_timezones_set


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15


def _is_day(value: object) -> bool:
    return _day(value) is not None


def _day(value: object) -> date | None:
    """A date of TOML's, or the same as text, from 1970 to 2100."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return None
    good = isinstance(value, date) and not isinstance(value, datetime) and 1970 <= value.year <= 2100
    return value if good and isinstance(value, date) else None


def _whole(low: int, high: int) -> Key:
    def check(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return Key(f"a whole number from {low} to {high}", check)


def _is_bin(value: object) -> bool:
    return _whole(300, DAY).check(value) and DAY % int(str(value)) == 0


def _is_word(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_][\w./+:@-]*|", value) is not None


def _is_memory(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,8}[KMGT]?|", value) is not None


def _is_schedule(value: object) -> bool:
    fields = r"[0-9A-Za-z*,/-]+( [0-9A-Za-z*,/-]+){4}"
    return isinstance(value, str) and re.fullmatch(rf"{fields}|@[a-z]+", value) is not None


def _is_aliases(value: object) -> bool:
    if not isinstance(value, dict) or not all(
        _is_text(alias) and alias and alias != OTHERS for alias in value.values()
    ):
        return False
    return len(set(value.values())) == len(value)


_TEXT = Key("text on one line", _is_text)
_NAME = Key("a name without commas that does not begin with a dash", _is_name, required=True)
_NAMES = Key('a list of names, e.g. ["one", "two"]', _is_names)
_YES_OR_NO = Key("true or false", lambda value: isinstance(value, bool))
_AMOUNT = Key("a number that is not negative; leave the key out for no override", _is_amount)

SECTIONS: dict[str, Mapping[str, Key]] = {
    "cluster": {
        "name": _NAME,
        "timezone": Key('a time zone such as "US/Eastern", or "" for the machine\'s', _is_zone),
    },
    "slurm": {"bin_dir": _TEXT, "timeout_seconds": _whole(1, 3600)},
    "paths": {"state": _TEXT, "site": _TEXT},
    "report": {
        "window_days": _whole(1, 366),
        "bin_seconds": Key("whole seconds that divide a day, from 300 to 86400", _is_bin),
        "top_users": _whole(1, 40),
        "refresh_seconds": _whole(10, 86400),
        "interval_seconds": _whole(60, 86400),
        "processes": _whole(1, 64),
        "nice": _whole(0, 19),
    },
}
SECTIONS |= {
    "privacy": {
        "users": Key(", ".join(f'"{mode}"' for mode in MODES), lambda value: value in MODES),
        "aliases": Key('a table [privacy.aliases] of user = "alias", each alias once', _is_aliases),
        "show": _NAMES,
        "hide": _NAMES,
        "min_share": Key("a share from 0 to 1", lambda value: _is_amount(value) and value <= 1),
        "min_others": _whole(0, 1000),
        "accounts": _YES_OR_NO,
        "partitions": _YES_OR_NO,
        "nodes": _YES_OR_NO,
    }
}
SECTIONS |= {
    "scrontab": {
        **dict.fromkeys(
            ("schedule", "watchdog_schedule"), Key("five fields as of cron, or @hourly and the like", _is_schedule)
        ),
        **dict.fromkeys(
            ("partition", "qos", "account"), Key('a name without blanks, or "" for Slurm\'s default', _is_word)
        ),
        "time_limit_minutes": _whole(2, 1440),
        "cpus": _whole(1, 256),
        "memory": Key('a number with K, M, G or T, such as "2G", or "" for Slurm\'s default', _is_memory),
        "modules": Key(
            'a list of modules to load, e.g. ["python3"]',
            lambda value: isinstance(value, list) and all(value) and all(map(_is_word, value)),
        ),
    }
}
SECTIONS |= {name: {key: Key(*rule) for key, rule in rules.items()} for name, rules in upkeep.RULES.items()}
QOS: Mapping[str, Key] = {
    "name": _NAME,
    "title": _TEXT,
    "accounts": _NAMES,
    "partitions": _NAMES,
    "limits": Key("a table [qos.limits]", lambda value: isinstance(value, dict)),
}
LIMITS: Mapping[str, Key] = dict.fromkeys(("cpu", "gpu", "mem_gib", "jobs"), _AMOUNT)
_PATIENCE = {"timeout_seconds": _whole(1, 3600), "retries": _whole(0, 10)}
PUBLISHERS: Mapping[str, Mapping[str, Key]] = {
    "folder": {
        "path": Key("text: the folder to write", targets.is_line, required=True),
        "mode": Key('a mode of folders such as "2775"', targets.is_folder_mode),
        "file_mode": Key('a mode of files such as "664"', targets.is_file_mode),
        "group": _TEXT,
        **_PATIENCE,
    },
    "github-pages": {
        "remote": Key("a remote of git's: host:path, ssh://…, https://… or a path", targets.is_remote, True, True),
        "branch": Key('a plain name of a branch such as "gh-pages"', targets.is_branch),
        "directory": Key('a folder inside the branch such as "docs/usage", or ""', targets.is_directory),
        "cname": Key('a domain such as "usage.example.org", or ""', targets.is_domain),
        "identity": _TEXT,
        "min_interval_seconds": _whole(0, 86400),
        **_PATIENCE,
    },
    "ssh": {
        "host": Key('"host", "user@host" or a list of such', targets.is_hosts, required=True),
        "path": Key("a folder on the host: absolute, or relative to the home there", targets.is_remote_path),
        "options": Key('a list of ssh\'s options, e.g. ["Port=2222"], that ask nobody', targets.is_ssh_options),
        "pictures": Key("a table of QoS and folders on the host", targets.is_pictures),
        **_PATIENCE,
    },
}
# The keys of [allocation] that tell how much: the observable, and whether it is so many for all of the year.
AMOUNTS = {
    "gpu_hours": ("NGPUS", False),
    "gpu_years": ("NGPUS", True),
    "cpu_hours": ("NCPUS", False),
    "cpu_years": ("NCPUS", True),
}
ALLOCATION: Mapping[str, Key] = {
    **dict.fromkeys(AMOUNTS, Key("a number above 0", lambda value: _is_amount(value) and value > 0)),
    "from": Key("a date from 1970 to 2100, e.g. 2026-07-01", _is_day, required=True),
    "qos": _NAMES,
}
_RESOURCES = {"cpu": "cpu", "gpu": "gres/gpu", "mem_gib": "mem", "jobs": "jobs"}


def tables(text: str, source: str = "librarian.toml") -> Mapping[str, Any]:
    """What a configuration holds, as it stands there. Raises `ConfigError` when it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is not TOML", str(error)) from error


def parse(text: str, source: str = "librarian.toml") -> Config:
    """Read a configuration; `source` names it in messages. Raises `ConfigError` with all mistakes."""
    table = tables(text, source)
    problems = _problems(table)
    if problems:
        count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        raise ConfigError(f"{source} has {count}", problems=tuple(problems))
    return Config(
        cluster=Cluster(**table["cluster"]),
        slurm=SlurmTools(**table.get("slurm", {})),
        paths=Paths(**table.get("paths", {})),
        report=ReportOptions(**table.get("report", {})),
        qos=tuple(_qos(entry) for entry in table["qos"]),
        publish=tuple(
            Publish(entry["kind"], {key: value for key, value in entry.items() if key != "kind"})
            for entry in table.get("publish", [])
        ),
        privacy=_privacy(table.get("privacy", {})),
        scrontab=Scrontab(
            **{**table.get("scrontab", {}), "modules": tuple(table.get("scrontab", {}).get("modules", ()))}
        ),
        allocations=_allocations(table.get("allocation", {}), [entry["name"] for entry in table["qos"]]),
        run=RunOptions(**table.get("run", {})),
        store=StoreOptions(**table.get("store", {})),
        alert=upkeep.alert(table.get("alert", {})),
    )


def _privacy(section: Mapping[str, Any]) -> Rules:
    lists = {key: tuple(section.get(key, ())) for key in ("show", "hide")}
    return Rules(**{**section, **lists})


def _qos(entry: Mapping[str, Any]) -> Qos:
    return Qos(
        name=entry["name"],
        title=entry.get("title", "") or entry["name"],
        accounts=tuple(entry.get("accounts", ())),
        partitions=tuple(entry.get("partitions", ())),
        limits={_RESOURCES[key]: float(value) for key, value in entry.get("limits", {}).items()},
    )


def _allocations(table: Mapping[str, Any], names: list[str]) -> tuple[Allocation, ...]:
    """One for each resource; `names` are the configured QoS, which share it unless some are named."""
    start = _day(table.get("from"))
    chosen = {name.lower() for name in table.get("qos") or names}
    shared = tuple(name for name in names if name.lower() in chosen)
    amounts = ((AMOUNTS[key], table[key]) for key in AMOUNTS if key in table)
    return tuple(Allocation(key, float(value), start, shared, always) for (key, always), value in amounts if start)


def _problems(table: Mapping[str, Any]) -> list[str]:
    found = _unknown("", table, [*SECTIONS, "qos", "publish", "allocation"])
    for name, keys in SECTIONS.items():
        section = table.get(name, {})
        if isinstance(section, dict):
            found += _check(name, section, keys)
        else:
            found.append(f"{name} = {section!r}: allowed is a table [{name}]")
    found += _qos_problems(table.get("qos", [])) + _publish_problems(table.get("publish", []))
    return found + (_allocation_problems(table["allocation"], table.get("qos")) if "allocation" in table else [])


def _allocation_problems(table: Any, entries: Any) -> list[str]:
    if not isinstance(table, dict):
        return ["allocation: allowed is one table [allocation]"]
    found = _check("allocation", table, ALLOCATION)
    for resource in ("gpu", "cpu"):
        if f"{resource}_hours" in table and f"{resource}_years" in table:
            found.append(f"allocation.{resource}_years is beside {resource}_hours: allowed is one of them")
    if not any(key in table for key in AMOUNTS):
        found.append(f"allocation tells no amount: allowed are {', '.join(AMOUNTS)}")
    known = [str(entry.get("name")) for entry in entries] if _is_tables(entries) else []
    named = table["qos"] if _is_names(table.get("qos")) else []
    strange = [name for name in named if name.lower() not in (one.lower() for one in known)]
    allowed = f"allowed are the QoS of this file: {', '.join(known)}"
    return found + [f"allocation.qos = {name!r}: {allowed}" for name in strange]


def _qos_problems(entries: Any) -> list[str]:
    if not _is_tables(entries) or not entries:
        return ["qos: at least one table [[qos]] is needed"]
    found: list[str] = []
    for number, entry in enumerate(entries, start=1):
        place = f"qos[{number}]"
        found += _check(place, entry, QOS)
        if isinstance(entry.get("limits"), dict):
            found += _check(f"{place}.limits", entry["limits"], LIMITS)
    names = [str(entry.get("name")).lower() for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    return found + [f"qos.name = {name!r}: is there twice; allowed is one table a QoS" for name in twice]


def _publish_problems(entries: Any) -> list[str]:
    if not _is_tables(entries):
        return ["publish: allowed are tables [[publish]]"]
    found: list[str] = []
    for number, entry in enumerate(entries, start=1):
        kind = entry.get("kind")
        if kind not in PUBLISHERS:
            kinds = ", ".join(f'"{name}"' for name in PUBLISHERS)
            found.append(f"publish[{number}].kind = {kind!r}: allowed: {kinds}")
        else:
            options = {key: value for key, value in entry.items() if key != "kind"}
            found += _check(f"publish[{number}]", options, PUBLISHERS[kind])
            if kind == "ssh" and not options.get("path") and not options.get("pictures"):
                found.append(f"publish[{number}].path is missing: a folder on the host for the site, or pictures")
    return found


def _is_tables(entries: object) -> bool:
    return isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)


def _check(place: str, table: Mapping[str, Any], keys: Mapping[str, Key]) -> list[str]:
    found = _unknown(f"{place}.", table, list(keys))
    for name, key in keys.items():
        if name in table and not key.check(table[name]):
            shown = "…" if key.secret else repr(table[name])
            found.append(f"{place}.{name} = {shown}: allowed is {key.allowed}")
        if key.required and name not in table:
            found.append(f"{place}.{name} is missing: {key.allowed}")
    return found


def _unknown(place: str, table: Mapping[str, Any], known: list[str]) -> list[str]:
    found = []
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            advice = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}"
            found.append(f"{place}{name} is not a key; {advice}")
    return found
