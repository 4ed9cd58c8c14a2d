"""What runs came to in bins that are over, as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from librarian import __version__
from librarian.shared import arrays as bytes_of
from librarian.shared.arrays import Arrays, stacked
from librarian.shared.names import AccountName, PartitionName, Place, UserName
from librarian.shared.resources import OBSERVABLES, gpu_type, gpus_of
from librarian.shared.window import Window
from librarian.subjects.jobs.changes import NEVER
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.bins import Tally
from librarian.subjects.usage.places import Mask
from librarian.subjects.usage.starts import Starts

_FORMAT = f"{__version__} 4"  # counted up when the same runs come to something else, or are written otherwise
_STARTS = ("at", "wait", "user", "kind_size")


def pack(tally: Tally) -> bytes:
    """As bytes. What is held now is not kept."""
    usage, bins = tally.usage, tally.window.bins
    told = {
        "format": [_FORMAT, *(o.key for o in OBSERVABLES)],
        "zone": tally.window.zone,
        "bin_seconds": tally.window.bin_seconds,
        "gpu_types": [gpu_type(o) for o in usage.observables if gpu_type(o)],
        "users": usage.users,
        "ended": [(user, state) for user, states in tally.ended.items() for state in states],
        "starts": tally.starts.users,
        "seen": [(resource, *place) for resource, places in tally.seen.items() for place in places],
    }
    arrays = {
        "edges": tally.window.edges,
        "integrals": usage.integrals,
        "ended": stacked([row for rows in tally.ended.values() for row in rows.values()], bins, np.int64),
        "seen": stacked([row for rows in tally.seen.values() for row in rows.values()], bins, np.bool_),
        "paused": tally.paused,
        **{f"start_{name}": getattr(tally.starts, name) for name in _STARTS},
    }
    return bytes_of.pack(told, arrays)


def unpack(data: bytes) -> Tally | None:
    """What was packed; None where another version did it, or where it is damaged: it can be made again."""
    return bytes_of.unpack(data, _understood)


def _understood(told: Mapping[str, Any], arrays: Arrays) -> Tally:
    if told["format"] != [_FORMAT, *(o.key for o in OBSERVABLES)]:
        raise ValueError("bins of another version")
    edges = arrays["edges"]
    window = Window(edges, int(edges[-1]), told["zone"], told["bin_seconds"])
    observables = (*OBSERVABLES, *gpus_of(told["gpu_types"]))
    users = tuple(map(UserName, told["users"]))
    usage = Usage(window, observables, users, arrays["integrals"], np.zeros((len(observables), len(users))))
    if usage.integrals.shape != (len(observables), len(users), window.bins):
        raise ValueError("bins of another shape")
    fields = {name: arrays[f"start_{name}"] for name in _STARTS}
    starts = Starts(**fields, users=tuple(map(UserName, told["starts"])))
    ended: dict[UserName, dict[str, npt.NDArray[np.int64]]] = {}
    for (user, state), row in zip(told["ended"], arrays["ended"], strict=True):
        ended.setdefault(UserName(user), {})[state] = row
    seen: dict[str, dict[Place, Mask]] = {}
    for (resource, partition, account), row in zip(told["seen"], arrays["seen"], strict=True):
        seen.setdefault(resource, {})[PartitionName(partition), AccountName(account)] = row
    return Tally(usage, ended, starts, seen, arrays["paused"], NEVER)
