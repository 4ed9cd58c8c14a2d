"""Numbers and tables as a person reads them in text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table as text: names of columns, a row for each line (its first cell is a name), and a last row of sums."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: tuple[str, ...] = ()


def amount(value: float) -> str:
    """A number for people: whole from 100 on, two places below 10."""
    if 0 < value < 0.005:
        return "< 0.01"
    text = f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount_in_full(value: float) -> str:
    """A number for people, with all that counts: whole ones with commas, others to two places."""
    if abs(value) >= 1e9:
        return f"{value:.3g}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}".rstrip("0")


def percent(part: float, whole: float) -> str:
    """A share for people. 100 % is said only where nothing is left."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 99.5 <= share < 99.9999:
        return "> 99 %"
    return f"{share:.0f} %" if share >= 9.95 or not part else f"{share:.1f} %" if share >= 0.1 else "< 0.1 %"


def counted(count: float, thing: str, things: str | None = None) -> str:
    """A number of things: "1 job", "2 jobs"."""
    return f"{amount(count)} {thing if count == 1 else things or f'{thing}s'}"


def lasting(seconds: float) -> str:
    """How long something lasts: "45 s", "12 min", "3 h 20 min", "2 d 4 h"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    big, small, one, other = (3600, 60, "h", "min") if whole < 86400 else (86400, 3600, "d", "h")
    rest = whole % big // small
    return f"{whole // big} {one}" + (f" {rest} {other}" if rest else "")
