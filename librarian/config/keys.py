"""What each key of a configuration may hold, table by table; docs/configuration.md tells the same in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytz

from librarian.config import digest_options, mail_options, run_options, schedules
from librarian.privacy.rules import MODES
from librarian.shared import targets
from librarian.shared.crowd import OTHERS
from librarian.shared.files import IMAGES

DAY = 86400


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


def is_names(value: object) -> bool:
    return isinstance(value, list) and all(_is_name(item) for item in value)


def _is_zone(value: object) -> bool:
    return value == "" or is_zone(value)


def is_zone(value: object) -> bool:
    """Whether `value` is the name of a zone as pytz has it, with its data; other spellings are none."""
    try:
        return isinstance(value, str) and pytz.timezone(value).zone == value
    except (pytz.UnknownTimeZoneError, OSError):  # some systems have pytz without the data of all zones that it lists
        return False


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15


def _is_day(value: object) -> bool:
    return day(value) is not None


def day(value: object) -> date | None:
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


def _is_web_address(value: object) -> bool:
    """An address that a link may lead to: of the web, without a name and password, and with nothing to escape."""
    return (
        isinstance(value, str)
        and re.fullmatch(r"https?://[A-Za-z0-9][\w.:-]*(?:/[\w./~%+,;:=&?#-]*)?|", value) is not None
    )


def _is_image(value: object) -> bool:
    return value == "" or (_is_text(value) and str(value).lower().endswith(tuple(IMAGES)))


def _is_memory(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,8}[KMGT]?|", value) is not None


def _is_aliases(value: object) -> bool:
    if not isinstance(value, dict) or not all(
        _is_text(alias) and alias and alias != OTHERS for alias in value.values()
    ):
        return False
    return len(set(value.values())) == len(value)


_TEXT = Key("text on one line", _is_text)
_NAME = Key("a name without commas that does not begin with a dash", _is_name, required=True)
_NAMES = Key('a list of names, e.g. ["one", "two"]', is_names)
_YES_OR_NO = Key("true or false", lambda value: isinstance(value, bool))
_SHARE = Key("a share from 0 to 1", lambda value: _is_amount(value) and value <= 1)
_NOT_NEGATIVE = Key("a number that is not negative", _is_amount)
_AMOUNT = Key("a number that is not negative; leave the key out for no override", _is_amount)

SECTIONS: dict[str, Mapping[str, Key]] = {
    "cluster": {
        "name": _NAME,
        "timezone": Key('a time zone such as "US/Eastern", or "" for the machine\'s', _is_zone),
    },
    "slurm": {"bin_dir": _TEXT, "timeout_seconds": _whole(1, 3600)},
    "paths": {"state": _TEXT, "site": _TEXT},
    "campaigns": {"path": _TEXT},
    "report": {
        "window_days": _whole(1, 366),
        "bin_seconds": Key("whole seconds that divide a day, from 300 to 86400", _is_bin),
        "top_users": _whole(1, 40),
        "refresh_seconds": _whole(10, 86400),
        "interval_seconds": _whole(60, 86400),
        "pictures": Key('"hourly" or "cycle"', lambda value: value in run_options.PICTURES),
        "processes": _whole(1, 64),
        "nice": _whole(0, 19),
        "count_runaways": _YES_OR_NO,
    },
}
SECTIONS |= {
    "site": {
        "title": _TEXT,
        "homepage": Key('an address such as "https://lab.example.org", or ""', _is_web_address),
        "logo": Key(f'a file that ends in {", ".join(IMAGES)}, or ""', _is_image),
    }
}
SECTIONS |= {
    "privacy": {
        "users": Key(", ".join(f'"{mode}"' for mode in MODES), lambda value: value in MODES),
        "aliases": Key('a table [privacy.aliases] of user = "alias", each alias once', _is_aliases),
        "show": _NAMES,
        "hide": _NAMES,
        "min_share": _SHARE,
        "min_others": _whole(0, 1000),
        "accounts": _YES_OR_NO,
        "partitions": _YES_OR_NO,
        "nodes": _YES_OR_NO,
        "jobs": _YES_OR_NO,
    }
}
SECTIONS |= {
    "scrontab": {
        **dict.fromkeys(("schedule", "watchdog_schedule"), Key(schedules.ALLOWED, schedules.is_schedule)),
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
SECTIONS |= {
    "efficiency": {
        "enabled": _YES_OR_NO,
        "collect_seconds": _whole(1, 600),
        **dict.fromkeys(("cpu_below", "gpu_below", "memory_below", "time_below"), _SHARE),
        "short_seconds": _whole(0, 3600),
        "failures_in_a_row": _whole(0, 10_000),
        **dict.fromkeys(("min_minutes", "min_memory_gib", "gpu_memory_gib"), _NOT_NEGATIVE),
        **dict.fromkeys(("min_hours", "min_gpu_hours", "min_gib_hours"), _NOT_NEGATIVE),
        "currency": _TEXT,
        **dict.fromkeys(
            (f"{what}_{unit}_hour" for what in ("price", "co2") for unit in ("cpu", "gpu", "gib")), _NOT_NEGATIVE
        ),
    }
}
SECTIONS |= {name: {key: Key(*rule) for key, rule in rules.items()} for name, rules in run_options.RULES.items()}
SECTIONS |= {"mail": {key: Key(*rule) for key, rule in mail_options.RULES.items()}}
SECTIONS |= {"digest": {key: Key(*rule) for key, rule in digest_options.RULES.items()}}
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
