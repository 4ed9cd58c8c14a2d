"""The rules of a configuration after a site was made: looked at on what the site tells, so by the names that readers
see, and told to whom it concerns."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from librarian.config.setup import Setup
from librarian.cycle.parts import rules_file
from librarian.errors import LibrarianError, StoreError
from librarian.rules import channels, statefile
from librarian.rules.evaluate import Evaluated, evaluate, logged
from librarian.rules.payloads import message
from librarian.rules.statefile import RulesState
from librarian.shared.files import file_names
from librarian.shared.window import isoformat
from librarian.site import folder

log = logging.getLogger(__name__)


def told(setup: Setup) -> dict[str, dict[str, Any] | None]:
    """The JSON of each QoS as it lies in the site; None where there is none of it."""
    cluster, site = setup.config.cluster.name, setup.places.site
    found: dict[str, dict[str, Any] | None] = {}
    for entry in setup.config.qos:
        data = folder.read_json(site, file_names(entry.name).data) if folder.is_site(site) else None
        head = data.get("metadata") if data else None
        ours = isinstance(head, dict) and head.get("qos") == entry.name and head.get("cluster") == cluster
        found[entry.name] = data if ours else None
    return found


def looked_at(setup: Setup, data: Mapping[str, Any], state: RulesState, now: int) -> tuple[RulesState, Evaluated]:
    """What comes of all rules at `now`, and the state after it; nothing is written or told."""
    config = setup.config
    state = statefile.current(state, config.rules, list(data), now)
    found = evaluate(config.rules, data, state.memory, now, config.report.interval_seconds)
    spans = logged(state.spans, found.changes, now)
    return RulesState(found.memory, spans, state.pending, state.channels, state.laws), found


def rule(setup: Setup, now: int) -> list[LibrarianError]:
    """Look at all rules at `now` and tell what is to be told; returns what failed. The caller holds the lock."""
    config, file = setup.config, rules_file(setup)
    state, found = looked_at(setup, told(setup), file.read(), now)
    when = isoformat(now, setup.zone)
    messages = {
        name: message(config.head.title, config.cluster.name, config.head.homepage, events, when)
        for name, events in statefile.recipients(found.events, [one.name for one in config.channels]).items()
    }
    for event in found.changes:
        log.info("rule %s %s: %s", event.key.rule, event.what, event.text)
    try:
        state = statefile.queued(state, messages, now)
        file.write(state)
        state, problems = channels.deliver(config.channels, state, setup.places.base, now, file.write, config.mail)
        file.write(state)
    except OSError as error:  # nobody is told what could not be remembered
        return [StoreError("the state of the rules could not be written", error.strerror or str(error))]
    return problems
