"""Findings as sums, the distribution of efficiency, and what to ask for next time, as fields of the JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from librarian.render.json.scalars import exact
from librarian.shared.words import percent
from librarian.subjects.efficiency.asking import Evidence, in_words, memory_option, slurm_time
from librarian.subjects.efficiency.costs import KILLED
from librarian.subjects.efficiency.facts import Tallied
from librarian.subjects.efficiency.model import FRACTION, GIB
from librarian.subjects.efficiency.options import Prices, Rules

Json = dict[str, object]
MOST = 100
"""Shapes of jobs that are told, those with most runs."""
_ORDER = (
    "out-of-memory",
    "time-out",
    "failures",
    "gpu-idle",
    "gpu-low",
    "serial",
    "cpu-low",
    "memory-low",
    "time-low",
    "short",
)
_LESS = {"gpu-low": "gpu_below", "cpu-low": "cpu_below", "memory-low": "memory_below", "time-low": "time_below"}
_THRESHOLD = {
    **_LESS,
    "gpu-idle": "gpu_below",
    "serial": "cpu_below",
    "short": "short_seconds",
    "failures": "failures_in_a_row",
}


def words_of(rule: str, rules: Rules) -> tuple[str, str]:
    """A rule in plain words, and what to write instead."""
    share = percent(getattr(rules, _LESS[rule]), 1) if rule in _LESS else ""
    return {
        "out-of-memory": ("Ran out of memory and were killed", "Ask for more memory (--mem)."),
        "time-out": (
            "Reached their time limit and were killed",
            "Ask for a longer --time, or save the state and continue in the next job.",
        ),
        "failures": (
            f"Failed {rules.failures_in_a_row} or more in a row, of one user",
            "Look why the first one failed (librarian jobs --failed) before more are started.",
        ),
        "gpu-idle": ("Never used their GPUs", "Request no GPU, or see why the program did not use it."),
        "gpu-low": (
            f"Used less than {share} of the GPU time",
            "Ask for fewer GPUs, or see what keeps them waiting.",
        ),
        "serial": ("Kept one of their CPUs busy", "Ask for one CPU (--ntasks=1 --cpus-per-task=1)."),
        "cpu-low": (f"Used less than {share} of the CPU time", "Ask for fewer CPUs (--ntasks, --cpus-per-task)."),
        "memory-low": (f"Used less than {share} of their memory", "Ask for less memory (--mem)."),
        "time-low": (f"Needed less than {share} of their time limit", "Ask for a shorter --time: jobs start earlier."),
        "short": (f"Completed in less than {rules.short_seconds} s", "Do the work of several such jobs in one."),
    }[rule]


def told_json(told: Tallied) -> Json:
    """What is found, the distribution, and what to ask for; `from` and `to` say of which time."""
    span = {"from": told.begin, "to": told.until, "jobs": told.runs}
    return {
        "findings": {
            **span,
            "rules": _findings(told.found, told.rules),
            "ranges": {
                name: {"from": one.begin, "to": told.until, "jobs": one.runs, "rules": _findings(one.found, told.rules)}
                for name, one in told.ranges.items()
            },
        },
        "distribution": {
            **span,
            "resources": {
                key: {"jobs": [runs for runs, _ in bins], "hours": [_hours(amount) for _, amount in bins]}
                for key, bins in sorted(told.spread.items())
            },
        },
        "ask_next": {**span, "shapes": [_shape(one) for one in _worth_telling(told)]},
    }


def _findings(found: Mapping[tuple[str, str], tuple[int, int]], rules: Rules) -> list[Json]:
    ordered = sorted(found.items(), key=lambda item: (_ORDER.index(item[0][0]), item[0][1]))
    return [_finding(rule, key, *tally, rules) for (rule, key), tally in ordered]


def _worth_telling(told: Tallied) -> list[Evidence]:
    found = [one for one in told.shapes if one.time is not None or one.gib is not None]
    return sorted(found, key=lambda one: -one.runs)[:MOST]


def prices_json(prices: Prices) -> Json:
    """Prices and grams of CO2 an hour, by resource; empty where none are told."""
    price, co2 = prices.of("price"), prices.of("co2")
    return {"prices": {"currency": prices.currency, "hour": dict(price), "co2_hour": dict(co2)}} if price or co2 else {}


def _finding(rule: str, key: str, runs: int, amount: int, rules: Rules) -> Json:
    words, advice = words_of(rule, rules)
    return {
        "rule": rule,
        "words": words,
        "threshold": getattr(rules, _THRESHOLD[rule]) if rule in _THRESHOLD else None,
        "advice": advice,
        "jobs": runs,
        "resource": key or None,
        "hours": _hours(amount) if key else None,
        "killed": rule in KILLED,
    }


def _shape(one: Evidence) -> Json:
    shape = one.shape
    return {
        "user": shape.user,
        "partition": shape.partition,
        "cpus": exact(float(shape.cpus)),
        "gpus": exact(float(shape.gpus)),
        "memory_gib": exact(float(shape.memory)),
        "nodes": shape.nodes,
        "jobs": one.runs,
        "longest_seconds": one.longest,
        "limit_seconds": one.limit,
        "memory_jobs": one.measured,
        "largest_gib": None if one.memory is None else exact(round(one.memory / GIB, 3)),
        "time": None if one.time is None else slurm_time(one.time),
        "memory": None if one.gib is None else memory_option(one.gib).removeprefix("--mem="),
        "words": in_words(one),
    }


def _hours(amount: int) -> object:
    return exact(round(amount / FRACTION / 3600, 4))
