"""The card of one job as one HTML file: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from librarian.render.html import templates as html
from librarian.render.html.templates import hashed, trusted
from librarian.shared.calendar import clock
from librarian.shared.text import shown
from librarian.shared.words import amount, lasting
from librarian.subjects.efficiency import card
from librarian.subjects.efficiency.ask_job import Told
from librarian.subjects.efficiency.model import GIB
from librarian.subjects.efficiency.options import Rules

STYLE = "plain.css"


def page(
    told: Told,
    rules: Rules,
    zone: str,
    now: int,
    earlier: Sequence[Told] = (),
    *,
    templates: Mapping[str, str],
    version: str,
) -> str:
    """The card; `now` (UTC epoch) is when Slurm was asked."""
    style = templates[STYLE]
    return html.filled(
        templates,
        "job.html.j2",
        job=told.id,
        rows=card.rows(told, zone, earlier),
        bars=list(_bars(told, rules, earlier)),
        verdicts=[{"words": one.words, "advice": one.advice} for one in card.found(told, rules)],
        nothing=card.nothing_found(told, rules),
        steps=[_step(told, place, zone) for place in range(len(told.steps))],
        now=clock(now, zone),
        zone=zone,
        policy=html.policy({"style-src": hashed(style)}),
        style=trusted(style),
        version=version,
    )


def _bars(told: Told, rules: Rules, earlier: Sequence[Told]) -> list[dict[str, object]]:
    """What is known of each resource as a share: more than all of it is told as that, and the meter is full."""
    found = card.card_json(told, rules, earlier)
    bars = []
    for key, name in (("cpu", "CPU"), ("memory", "Memory"), ("gpu", "GPU")):
        one = found[key]
        share = one["efficiency"] if isinstance(one, dict) else None
        if isinstance(share, float):
            bars.append({"name": name, "share": min(share, 1.0), "percent": f"{100 * share:.0f} %"})
    return bars


def _step(told: Told, place: int, zone: str) -> tuple[str, str, str, str, str]:
    step = told.steps[place]
    took = lasting(step.end - step.start) if step.start is not None and step.end is not None else "–"
    return (
        shown(step.name),
        "–" if step.start is None else clock(step.start, zone),
        took,
        "not measured" if step.cpu is None else lasting(step.cpu / 1000),
        "not measured" if step.memory is None else f"{amount(step.memory / GIB)} GiB",
    )
