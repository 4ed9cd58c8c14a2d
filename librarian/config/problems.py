"""Every mistake of a configuration at once: the key, the value, what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from librarian.config import mail_options, rule_options
from librarian.config.keys import ALLOCATION, AMOUNTS, LIMITS, PUBLISHERS, QOS, SECTIONS, Key, is_names
from librarian.config.run_options import RunOptions


def problems_of(table: Mapping[str, Any]) -> list[str]:
    """What is wrong with a whole configuration, a line a mistake: the key, its value, what is allowed."""
    found = _unknown("", table, [*SECTIONS, "qos", "publish", "allocation", "rule", "channel"])
    for name, keys in SECTIONS.items():
        section = table.get(name, {})
        if isinstance(section, dict):
            found += _check(name, section, keys)
        else:
            found.append(f"{name} = {_shown(section)}: allowed is a table [{name}]")
    found += _stage_problems(table.get("run")) + _mail_problems(table.get("mail"), found)
    found += _qos_problems(table.get("qos", [])) + _publish_problems(table.get("publish", []))
    found += _channel_problems(table.get("channel", [])) + _rule_problems(table)
    return found + (_allocation_problems(table["allocation"], table.get("qos")) if "allocation" in table else [])


def _stage_problems(section: Any) -> list[str]:
    """A stage that may take longer than its run: a mistake where somebody wrote it; a default ends with it."""
    run = section if isinstance(section, dict) else {}
    whole = run.get("time_limit_seconds", RunOptions.time_limit_seconds)
    stages = {f"{stage}_seconds": run.get(f"{stage}_seconds") for stage in ("collect", "render", "publish")}
    return [
        f"run.{name} = {_shown(seconds)}: allowed is no more than the whole run may take, time_limit_seconds = {whole}"
        for name, seconds in stages.items()
        if all(_fits(SECTIONS["run"][name], one) for one in (seconds, whole)) and seconds > whole
    ]


def _mail_problems(section: Any, found: list[str]) -> list[str]:
    """What the keys of [mail] are together, once each of them is right."""
    is_right = isinstance(section, dict) and not any(one.startswith("mail.") for one in found)
    return mail_options.problems(section) if is_right else []


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
    named = table["qos"] if is_names(table.get("qos")) else []
    strange = [name for name in named if name.lower() not in (one.lower() for one in known)]
    allowed = f"allowed are the QoS of this file: {', '.join(known)}"
    return found + [f"allocation.qos = {name!r}: {allowed}" for name in strange]


def _qos_problems(entries: Any) -> list[str]:
    if not _is_tables(entries):
        return [f'qos = {_shown(entries)}: allowed are tables [[qos]], in each the name of one: name = "avery"']
    if not entries:
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
        if not isinstance(kind, str) or kind not in PUBLISHERS:
            kinds = ", ".join(f'"{name}"' for name in PUBLISHERS)
            found.append(f"publish[{number}].kind = {_shown(kind)}: allowed: {kinds}")
        else:
            options = {key: value for key, value in entry.items() if key != "kind"}
            found += _check(f"publish[{number}]", options, PUBLISHERS[kind])
            if kind == "ssh" and not options.get("path") and not options.get("pictures"):
                found.append(f"publish[{number}].path is missing: a folder on the host for the site, or pictures")
    return found


def _channel_problems(entries: Any) -> list[str]:
    if not _is_tables(entries):
        return ["channel: allowed are tables [[channel]]"]
    found: list[str] = []
    for number, entry in enumerate(entries, start=1):
        place, kind = f"channel[{number}]", entry.get("kind")
        if kind not in rule_options.CHANNELS:
            kinds = ", ".join(f'"{name}"' for name in rule_options.CHANNELS)
            found.append(f"{place}.kind = {_shown(kind)}: allowed: {kinds}")
            continue
        options = {key: value for key, value in entry.items() if key != "kind"}
        needed = ("name", *([kind] if kind in ("mail", "command") else ()))
        found += _check(place, options, _keys(rule_options.channel_keys(kind), needed))
        if kind in rule_options.WEBHOOKS and ("url" in options) == ("url_file" in options):
            found.append(f"{place}: allowed is one of url and url_file, a file that its owner alone can read")
    return found + _twice("channel", entries)


def _rule_problems(table: Mapping[str, Any]) -> list[str]:
    entries = table.get("rule", [])
    if not _is_tables(entries):
        return ["rule: allowed are tables [[rule]]"]
    found: list[str] = []
    known = {key: _names_in(table.get(table_name)) for key, table_name in (("qos", "qos"), ("to", "channel"))}
    for number, entry in enumerate(entries, start=1):
        place, kind = f"rule[{number}]", entry.get("kind", "")
        if kind not in ("", *rule_options.KINDS) or ("kind" in entry) == ("when" in entry):
            kinds = ", ".join(f'"{name}"' for name in rule_options.KINDS)
            found.append(f"{place}: allowed is one of when, a condition, and kind: {kinds}")
            continue
        options = {key: value for key, value in entry.items() if key != "kind"}
        wrong = _check(place, options, _keys(rule_options.rule_keys(kind), rule_options.rule_required(kind)))
        if isinstance(entry.get("when"), str):
            why = rule_options.condition_problem(entry["when"])
            wrong += [f"{place}.when: {why}"] if why else []
        why = "" if wrong else rule_options.clears_problem(entry, kind)
        found += [*wrong, *([f"{place}.clears = {_shown(entry['clears'])}: {why}"] if why else [])]
        found += [
            f"{place}.{key} = {_shown(name)}: known: {', '.join(names) or 'none'}"
            for key, names in known.items()
            for name in (entry[key] if is_names(entry.get(key)) else [])
            if name not in names
        ]
    return found + _twice("rule", entries)


def _keys(checks: Mapping[str, rule_options.Check], needed: tuple[str, ...]) -> dict[str, Key]:
    """Keys from what is allowed; an address of a webhook is a secret."""
    return {name: Key(*check, name in needed, name == "url") for name, check in checks.items()}


def _names_in(entries: Any) -> list[str]:
    return [str(entry.get("name")) for entry in entries] if _is_tables(entries) else []


def _twice(what: str, entries: Any) -> list[str]:
    names = _names_in(entries)
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"{what}.name = {_shown(name)}: is there twice; each needs a name of its own" for name in twice]


def _is_tables(entries: object) -> bool:
    return isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)


def _check(place: str, table: Mapping[str, Any], keys: Mapping[str, Key]) -> list[str]:
    found = _unknown(f"{place}.", table, list(keys))
    for name, key in keys.items():
        if name in table and not _fits(key, table[name]):
            shown = "…" if key.secret else _shown(table[name])
            found.append(f"{place}.{name} = {shown}: allowed is {key.allowed}")
        if key.required and name not in table:
            found.append(f"{place}.{name} is missing: {key.allowed}")
    return found


def _fits(key: Key, value: Any) -> bool:
    """Whether a key may hold a value; one that Python itself cannot handle is none that it may."""
    try:
        return key.check(value)
    except (RecursionError, TypeError, ValueError):
        return False


def _shown(value: Any) -> str:
    """A value as somebody wrote it, where that can be said: numbers may have any length, and tables any depth."""
    try:
        return repr(value)
    except (RecursionError, ValueError):
        return "…"


def _unknown(place: str, table: Mapping[str, Any], known: list[str]) -> list[str]:
    import difflib  # here: most configurations have no mistake

    found = []
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            advice = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}"
            found.append(f"{place}{name} is not a key; {advice}")
    return found
