"""What a report is built from, by the names that readers may see.

All is renamed before the report is built: so no table, picture or file can show more than another. Users who share a
name are summed, and cannot be told apart any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from librarian.core.jobs import coded, codes
from librarian.core.usage import Usage


def renamed_column(column: pd.Series, names: Mapping[str, str]) -> pd.Categorical:
    """A text column of a jobs table with each text renamed; texts that get one name become one."""
    frame = pd.DataFrame({"text": column})
    code, texts = codes(frame, "text")
    public = [names.get(text, text) for text in texts]
    distinct = sorted(set(public))
    place = np.array([distinct.index(name) for name in public] or [0])
    return coded(place[code] if len(code) else np.zeros(0, dtype=np.intp), distinct)


def renamed_usage(usage: Usage, names: Mapping[str, str]) -> Usage:
    """Usage by public name: the rows of users who share one are summed."""
    public = [names.get(user, user) for user in usage.users]
    users = tuple(sorted(set(public)))
    place = np.array([users.index(name) for name in public], dtype=np.intp)
    integrals = np.zeros((usage.integrals.shape[0], len(users), usage.integrals.shape[2]))
    holding = np.zeros((usage.holding.shape[0], len(users)))
    for row in range(len(public)):
        integrals[:, place[row], :] += usage.integrals[:, row, :]
        holding[:, place[row]] += usage.holding[:, row]
    return replace(usage, users=users, integrals=integrals, holding=holding)
