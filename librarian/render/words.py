"""Numbers as people read them."""

from __future__ import annotations


def amount(value: float) -> str:
    """A number for people: whole from 100 on, two places below 10."""
    if 0 < value < 0.005:
        return "< 0.01"
    text = f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(part: float, whole: float) -> str:
    """A share for people."""
    if not whole:
        return "–"
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 9.95 or not part else f"{share:.1f} %" if share >= 0.1 else "< 0.1 %"
