"""What a report says beside what the database holds."""

from __future__ import annotations

import math

import pytest

from tests.cluster import oracle
from tests.cluster.client import Cluster
from tests.cluster.program import Json


def assert_equals_oracle(cluster: Cluster, data: Json) -> None:
    """Every user's hours of every observable, and nobody else's, to 1e-6; no row of Slurm's was refused."""
    assert data["rejects"]["count"] == 0, data["rejects"]
    expected = oracle.hours(cluster, data["metadata"]["last_updated_epoch"])[data["metadata"]["qos"]]
    told = {user: totals["hours"] for user, totals in data["totals"]["users"].items() if any(totals["hours"].values())}
    assert set(told) == set(expected)
    for user, hours in expected.items():
        assert {key: told[user][key] for key in oracle.KEYS} == pytest.approx(hours, rel=1e-6, abs=1e-9), user
    for key in oracle.KEYS:
        whole = math.fsum(hours[key] for hours in expected.values())
        assert data["totals"]["total"]["hours"][key] == pytest.approx(whole, rel=1e-6, abs=1e-9), key
