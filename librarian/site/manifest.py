"""Which files in a folder are of a site that Librarian wrote, and which are somebody else's and stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from librarian.shared.files import INDEX, PAGE, PLAIN, STATUS

# What 0.1.0 wrote, whose index names no files: these, and of each QoS what its slug is in.
_FIXED = re.compile("|".join(map(re.escape, (INDEX, PAGE, PLAIN, STATUS))) + r"|plotly-[\w.-]+\.min\.js")
_OF_QOS = r"data_{0}\.json|usage_{0}\.csv\.gz|\w+_{0}\.(?:png|pdf)"
_DRAFT = re.compile(r"\.(.+)\.\w{6,16}")  # a file that was being written when its run was killed


def foreign(names: Iterable[str], index: Mapping[str, Any]) -> list[str]:
    """Those of the `names` in a folder that are not of the site whose `index.json` is there."""
    listed = index.get("files")
    ours = {str(name) for name in listed} if isinstance(listed, list) else None
    before = None if ours is not None else _of_0_1_0(index)

    def is_ours(name: str) -> bool:
        return name == INDEX or (name in ours if ours is not None else bool(before and before.fullmatch(name)))

    def is_draft(name: str) -> bool:
        draft = _DRAFT.fullmatch(name)
        return draft is not None and is_ours(draft[1])

    return [name for name in names if not is_ours(name) and not is_draft(name)]


def _of_0_1_0(index: Mapping[str, Any]) -> re.Pattern[str]:
    rows = index.get("qos")
    slugs = [row.get("slug") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    of_qos = [_OF_QOS.format(re.escape(slug)) for slug in slugs if isinstance(slug, str)]
    return re.compile("|".join([_FIXED.pattern, *of_qos]))
