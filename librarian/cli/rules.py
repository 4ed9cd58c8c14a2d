"""`librarian rules`: the rules of the configuration and how they stand, or how they would have."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from librarian.cli import common
from librarian.errors import one_line
from librarian.shared.words import counted
from librarian.system import host

if TYPE_CHECKING:
    from librarian.config.setup import Setup
    from librarian.rules.evaluate import Key, Now, Span

MOST_USERS = 20  # lines of one rule; how many more there are is told


def rules(options: argparse.Namespace) -> int:
    """List the rules and how they stand; with --test, what would fire and would have fired."""
    from librarian.cycle import ruling
    from librarian.cycle.parts import rules_file
    from librarian.rules.evaluate import replayed, standing

    setup, now = common.setup_of(options), host.clock()
    if not setup.config.rules:
        print("[]" if options.json else "no rules are configured: add [[rule]] to librarian.toml (docs/rules.md)")
        return 0
    data = ruling.told(setup)
    kept = rules_file(setup).read()
    _, found = ruling.looked_at(setup, data, kept, now)
    known = {key for key, memory in kept.memory.items() if memory.firing}
    told = standing(setup.config.rules, found)
    rows = []
    for rule in setup.config.rules:
        for qos in [name for name in data if not rule.qos or name in rule.qos]:
            stands = [one for one in told if (one.key.rule, one.key.qos) == (rule.name, qos)]
            logged = [one for one in kept.spans if (one.key.rule, one.key.qos) == (rule.name, qos)]
            content = data[qos]
            again = replayed(rule, qos, content) if options.test and content else None
            rows.append(_Row(rule.name, qos, stands, logged, again, rule.to, known))
    table = [row.as_json() for row in rows]
    print(json.dumps(table) if options.json else "\n".join(_lines(rows, setup, test=options.test)))
    return 0


@dataclass(frozen=True)
class _Row:
    """A rule on a QoS: how it stands, when it fired, when it would have (None: its number has no history). `known` are
    those that fired in the last run."""

    name: str
    qos: str
    stands: Sequence[Now]
    logged: Sequence[Span]
    again: Sequence[Span] | None
    to: Sequence[str]
    known: Set[Key]

    @property
    def state(self) -> str:
        """In one word; a rule on users is quiet where nobody makes it fire."""
        return self.stands[0].state if self.stands else "quiet"

    def as_json(self) -> dict[str, Any]:
        def spans(rows: Sequence[Span]) -> list[dict[str, Any]]:
            return [{"user": one.key.whom or None, "from": one.start, "to": one.end, "text": one.text} for one in rows]

        return {
            "rule": self.name,
            "qos": self.qos,
            "state": self.state,
            "now": [
                {
                    "user": one.key.whom or None,
                    "state": one.state,
                    "since": one.since if one.key in self.known else None,
                    "text": one.text,
                }
                for one in self.stands
            ],
            "fired": spans(self.logged),
            "would_have_fired": None if self.again is None else spans(self.again),
        }


def _lines(rows: Sequence[_Row], setup: Setup, *, test: bool) -> list[str]:
    from librarian.shared.window import isoformat

    def when(epoch: int | None) -> str:
        return "now" if epoch is None else isoformat(epoch, setup.zone)

    lines: list[str] = []
    for row in rows:
        lines.append(f"{row.state:8} {one_line(row.name, 80)} ({row.qos})")
        for one in row.stands[:MOST_USERS]:
            since = f", since {when(one.since)}" if one.since else ""
            since = since if one.key in row.known or not since else "; fires in the next run"
            lines.append(f"         {one_line(one.text, 300)}{since}")
        if len(row.stands) > MOST_USERS:
            lines.append(f"         and {len(row.stands) - MOST_USERS:,} more")
        if not test:
            lines.append(
                f"         goes to {', '.join(row.to or [one.name for one in setup.config.channels]) or 'nobody'}"
            )
            continue
        spans = row.logged if row.again is None else row.again
        times = counted(len(spans), "time")
        if row.again is None:
            lines.append(f"         its number has no history; the rule itself fired {times} in the last 30 days")
        else:
            lines.append(f"         would have fired {times} in the report's window (by hourly values)")
        lines += [f"           {when(one.start)} to {when(one.end)}: {one_line(one.text, 200)}" for one in spans[-10:]]
    return lines
