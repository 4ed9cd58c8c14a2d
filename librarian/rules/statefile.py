"""What is known of rules between runs: memories, what fired in the last 30 days, what is still to be told, how each
channel fared. It holds names as readers see them, and no address of any channel."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from librarian.config.rule_options import ChannelOptions, RuleOptions
from librarian.errors import one_line
from librarian.rules.evaluate import Event, Key, Span
from librarian.rules.hysteresis import Memory
from librarian.rules.payloads import Message
from librarian.system.host import write_atomic

NAME = "rules.json"
VERSION = 1
WAITING = 20  # messages that a channel holds
LARGEST = 20_000_000  # bytes: what is larger is not ours
Row = TypeVar("Row")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pending:
    """A message that a channel has not taken yet: since when, how often it was tried, and when it was last."""

    channel: str
    message: Message
    since: int
    tries: int = 0
    last: int | None = None


@dataclass(frozen=True)
class ChannelStatus:
    """How a channel fared: its last try and the last that went well (UTC epochs), why the last one failed ("": it did
    not), and how many messages it never took."""

    last_try: int | None = None
    last_success: int | None = None
    error: str = ""
    lost: int = 0


@dataclass(frozen=True)
class RulesState:
    """All of it. `laws` is what each rule was made of, by name: one that is another now begins anew."""

    memory: Mapping[Key, Memory] = field(default_factory=dict)
    spans: Sequence[Span] = ()
    pending: Sequence[Pending] = ()
    channels: Mapping[str, ChannelStatus] = field(default_factory=dict)
    laws: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RulesFile:
    """Where the state of a cluster's rules is kept."""

    path: Path
    cluster: str

    def read(self) -> RulesState:
        """The state; where there is none, or it is damaged, as much of it as can be understood."""
        try:
            if self.path.stat().st_size > LARGEST:
                raise ValueError("it is too large")
            body = json.loads(self.path.read_bytes())
            if not isinstance(body, dict) or body.get("version") != VERSION or body.get("cluster") != self.cluster:
                raise ValueError("it is of another release or cluster")
        except FileNotFoundError:
            return RulesState()
        except (OSError, ValueError, RecursionError) as error:
            log.warning("what was known of rules cannot be read, and begins anew: %s", one_line(str(error), 200))
            return RulesState()
        return RulesState(
            dict(_rows(body.get("memory"), _memory)),
            _rows(body.get("spans"), _span),
            _rows(body.get("pending"), _pending),
            dict(_rows(body.get("channels"), _channel)),
            dict(_rows(body.get("laws"), lambda row: (_text(row[0]), _text(row[1])))),
        )

    def write(self, state: RulesState) -> None:
        """Keep the state. Raises `OSError`."""
        body = {
            "version": VERSION,
            "cluster": self.cluster,
            "memory": [[*asdict(key).values(), asdict(memory)] for key, memory in state.memory.items()],
            "spans": [[*asdict(one.key).values(), one.start, one.end, one.text] for one in state.spans],
            "pending": [asdict(one) for one in state.pending],
            "channels": [[name, asdict(one)] for name, one in state.channels.items()],
            "laws": list(state.laws.items()),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(self.path, json.dumps(body).encode("ascii"), mode=0o600)


def _rows(rows: object, of: Callable[[Any], Row]) -> list[Row]:
    """What each row is, without those that are damaged."""
    found: list[Row] = []
    for row in rows if isinstance(rows, list) else []:
        try:
            found.append(of(row))
        except (KeyError, TypeError, ValueError, IndexError):
            log.debug("a row of what was known of rules is damaged")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _epoch(value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise TypeError
    return value


def _whole(value: object) -> int:
    number = _epoch(value)
    if number is None or number < 0:
        raise TypeError
    return number


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _memory(row: Any) -> tuple[Key, Memory]:
    rule, qos, whom, one = row
    value = one["value"]
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise TypeError
    checked: dict[str, Any] = {name: _flag(one[name]) for name in ("firing", "turning", "unknown", "told")}
    checked |= {name: _epoch(one[name]) for name in ("at", "since", "told_at")}
    memory = Memory(**checked, held=_whole(one["held"]), value=value)
    return Key(_text(rule), _text(qos), _text(whom)), memory


def _span(row: Any) -> Span:
    rule, qos, whom, start, end, text = row
    return Span(Key(_text(rule), _text(qos), _text(whom)), _whole(start), _epoch(end), _text(text))


def _pending(row: Any) -> Pending:
    told = row["message"]
    message = Message(_text(told["subject"]), tuple(map(_text, told["lines"])), tuple(map(dict, told["events"])))
    return Pending(_text(row["channel"]), message, _whole(row["since"]), _whole(row["tries"]), _epoch(row["last"]))


def _channel(row: Any) -> tuple[str, ChannelStatus]:
    name, one = row
    status = ChannelStatus(
        _epoch(one["last_try"]), _epoch(one["last_success"]), _text(one["error"]), _whole(one["lost"])
    )
    return _text(name), status


def law_text(rule: RuleOptions) -> str:
    """Tells one rule from another of the same name."""
    import hashlib  # here: the status does without

    return hashlib.sha256(repr(replace(rule, to=(), tell_end=True, quiet_hours=0.0)).encode()).hexdigest()[:16]


def current(state: RulesState, rules: Sequence[RuleOptions], qos: Sequence[str], now: int) -> RulesState:
    """The state without what is of rules, QoS or channels that are gone or others now; what fired then has ended."""
    laws = {rule.name: law_text(rule) for rule in rules}
    same = {name for name, law in laws.items() if state.laws.get(name, law) == law}
    memory = {key: one for key, one in state.memory.items() if key.rule in same and key.qos in qos}
    firing = {key for key, one in memory.items() if one.firing}
    spans = [
        replace(span, end=max(now, span.start)) if span.end is None and span.key not in firing else span
        for span in state.spans
    ]
    return replace(state, memory=memory, spans=spans, laws=laws)


def queued(state: RulesState, told: Mapping[str, Message], now: int) -> RulesState:
    """The state with a message for each of some channels; a channel holds the newest `WAITING` of them."""
    pending = [*state.pending, *(Pending(name, message, now) for name, message in told.items())]
    kept: list[Pending] = []
    for name in dict.fromkeys(one.channel for one in pending):
        kept += [one for one in pending if one.channel == name][-WAITING:]
    return replace(state, pending=kept)


def recipients(events: Sequence[Event], channels: Sequence[str]) -> dict[str, list[Event]]:
    """The events that each channel is told, without those that are told nothing."""
    by_channel = {name: [event for event in events if not event.to or name in event.to] for name in channels}
    return {name: found for name, found in by_channel.items() if found}


def described(channels: Sequence[ChannelOptions], state: RulesState) -> dict[str, str]:
    """What `librarian status` tells of channels: those whose last message was not taken."""
    found = {}
    for channel in channels:
        status = state.channels.get(channel.name)
        if status and status.error:
            waiting = sum(one.channel == channel.name for one in state.pending)
            found[f"channel {one_line(channel.name, 80)}"] = f"{status.error}; {waiting} to be told"
    return found
