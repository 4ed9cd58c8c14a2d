"""`librarian.toml`: text to frozen dataclasses, or every mistake at once.

docs/configuration.md is the reference. Nothing here knows the environment: paths stay text until the edge resolves
them. What there is to set stands in `settings`, what a key may hold in `keys`; `problems` holds a text against these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from librarian.config import digest_options, rule_options, run_options
from librarian.config.keys import AMOUNTS, DAY, day
from librarian.config.mail_options import MailOptions
from librarian.config.problems import problems_of
from librarian.config.run_options import RunOptions, StoreOptions
from librarian.config.settings import (
    Campaigns,
    Cluster,
    Config,
    Head,
    Paths,
    Publish,
    Qos,
    ReportOptions,
    Scrontab,
    SlurmTools,
)
from librarian.config.toml_reader import reader
from librarian.errors import ConfigError
from librarian.privacy.rules import Rules
from librarian.subjects.efficiency import options as efficiency
from librarian.subjects.months.grants import Allocation

__all__ = ["DAY", "Config", "Qos", "parse", "tables"]
_RESOURCES = {"cpu": "cpu", "gpu": "gres/gpu", "mem_gib": "mem", "jobs": "jobs"}


def tables(text: str, source: str = "librarian.toml") -> Mapping[str, Any]:
    """What a configuration holds, as it stands there. Raises `ConfigError` when it is not TOML."""
    if text.startswith("\ufeff"):
        why = "it begins with a byte order mark (BOM), as some editors write it"
        raise ConfigError(f"{source} is not TOML", why, "save it as UTF-8 without one")
    toml = reader()
    try:
        return toml.loads(text)
    except RecursionError as error:
        raise ConfigError(f"{source} is nested too deeply") from error
    except ValueError as error:  # what TOML calls a mistake, and a number of more digits than Python reads
        raise ConfigError(f"{source} is not TOML", str(error)) from error


def parse(text: str, source: str = "librarian.toml") -> Config:
    """Read a configuration; `source` names it in messages. Raises `ConfigError` with all mistakes."""
    table = tables(text, source)
    found = problems_of(table)
    if found:
        count = "a mistake" if len(found) == 1 else f"{len(found)} mistakes"
        raise ConfigError(f"{source} has {count}", problems=tuple(found))
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
        head=Head(**table.get("site", {})),
        run=RunOptions(**table.get("run", {})),
        store=StoreOptions(**table.get("store", {})),
        efficiency=efficiency.of_table(table.get("efficiency", {})),
        mail=MailOptions(**table.get("mail", {})),
        campaigns=Campaigns(**table.get("campaigns", {})),
        digest=digest_options.options(table["digest"]) if "digest" in table else None,
        alert=run_options.alert(table.get("alert", {})),
        rules=tuple(rule_options.rule(entry) for entry in table.get("rule", [])),
        channels=tuple(rule_options.channel(entry) for entry in table.get("channel", [])),
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
    start = day(table.get("from"))
    chosen = {name.lower() for name in table.get("qos") or names}
    shared = tuple(name for name in names if name.lower() in chosen)
    amounts = ((AMOUNTS[key], table[key]) for key in AMOUNTS if key in table)
    return tuple(Allocation(key, float(value), start, shared, always) for (key, always), value in amounts if start)
