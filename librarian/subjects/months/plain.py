"""The picture of the months in words, for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from librarian.shared.text import visible
from librarian.shared.words import amount, percent

Json = Mapping[str, Any]
_KEYS = ("NCPUS", "NGPUS")


def describe_months(data: Json) -> str:
    """The two newest months and the allocations of a QoS's data, which may be of an older release."""
    parts = [*(_month(month, data) for month in reversed(data.get("months", ())[-2:]))]
    parts += [*_allocations(data)]
    return f"Hours by user in this month and the last. {' '.join(parts)}".rstrip()


def _month(month: Json, data: Json) -> str:
    name = datetime.strptime(month["month"], "%Y-%m").strftime("%B %Y")  # noqa: DTZ007 (a month, no moment)
    keys = [key for key in _KEYS if key not in data["untracked"]]
    sums = month["total"]["hours"]
    told = ", ".join(f"{amount(sums[key])} {data['units'][key]['hours']}" for key in keys)
    first = next(iter(month["users"]), None)
    most = f", most by {visible(first)}" if first is not None else ""
    return f"{name}{'' if month['complete'] else ', as far as it is known'}: {told}{most}."


def _allocations(data: Json) -> Iterator[str]:
    for one in data.get("allocations", ()):
        used, even = (percent(one[key], one["amount"]) for key in ("used", "even"))
        yield f"Of the {one['name']} of {amount(one['amount'])} {one['unit']} {used} is used; even use would be {even}."
