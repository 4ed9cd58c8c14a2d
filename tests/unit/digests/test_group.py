"""The group's digest, from the data of a site; and what jobs may still hold."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from librarian.digests import group, shown
from librarian.digests.committed import FIELDS, ask, committed
from librarian.digests.document import Document, Frame
from librarian.digests.group import Source
from librarian.digests.model import Committed
from librarian.digests.period import last
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.slurm.squeue import DELIMITER
from librarian.system.processes import Answer

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "data_avery.json"
NOW = 1_793_560_200 + 600
FRAME = Frame("tillicum", "Zoë's Lab")


@pytest.fixture
def data() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(GOLDEN.read_bytes())
    span = {"from": told["edges"][0], "to": told["edges"][0] + 7 * 86400, "jobs": 6, "failed": 3, "median_wait": 60}
    hours = {"NCPUS": 500.0, "NGPUS": 70.0, "MEMORY": 1000.0}
    changes = [{"user": "zoë\u202e", "key": "NGPUS", "hours": 50.0, "before": 0.0}]
    told["weeks"] = {"spans": [{**span, "hours": hours}, {**span, "hours": hours, "failed": 0}], "changes": changes}
    told["efficiency"]["ranges"]["7d"] = {"total": told["efficiency"]["total"]}
    return told


def digest(data: Any, held: Committed | None = None, kind: str = "week") -> Document:
    sources = [Source("avery", "Avery", data, held)]
    document = group.digest(sources, last(kind, NOW, "US/Eastern"), FRAME, NOW, "US/Eastern")
    assert document is not None
    return document


def words(data: Any, held: Committed | None = None, kind: str = "week") -> str:
    return " ".join(shown.text(digest(data, held, kind)).split())


def test_all_of_it_is_there(data: dict[str, Any]) -> None:
    told = words(data, Committed({"NGPUS": 20000.0, "NCPUS": 100.0}, 4, 1))
    assert "CPU-hours 500 500 same" in told
    assert "50 GPU-hours, 0 the week before" in told
    assert "CPUs 17 of 430 29 0 %" in told
    assert "GPUs 2 of 39 4 28 %" in told
    assert "At the pace so far it lasts until its period ends on 2027-06-30." in told
    assert "may hold 20,000 GPU-hours more by their time limits (2,555 more than is left)." in told
    assert "Of 1 job it is not known" in told
    assert "CPU allocation: 522 of 90,000 CPU-hours used" in told
    assert "before its period ends" in told
    assert "GPU-hours not known not known 0 %" in told, "what is not measured is never 0"
    assert "3 of 6 jobs failed in 7 days" in told
    assert "1 ran out of memory" in told
    assert "43 jobs pending; the longest waits since 2 h." in told
    assert "\u202e" not in told
    assert digest(data).subject.endswith("; CPU allocation ends early")


def test_what_slurm_does_not_tell_is_said(data: dict[str, Any]) -> None:
    assert "What running and pending jobs may still hold is not known." in words(data)


def test_old_data_are_told(data: dict[str, Any]) -> None:
    data["staleness"] = {"stale": True, "since": NOW - 7200, "reason": "Slurm did not answer"}
    assert "The data are stale since 2026-11-01 12:20 EST (2 h): Slurm did not answer." in words(data)


def test_a_month_beside_the_one_before(data: dict[str, Any]) -> None:
    told = words(data, kind="month")
    assert "2026-10 2026-09 change" in told
    assert "CPU-hours 255 not known" in told
    assert "Not all of this month is known." in told


@pytest.mark.parametrize(
    "field", ["weeks", "pressure", "allocations", "efficiency", "waits", "ended", "queue", "notes"]
)
@pytest.mark.parametrize("value", [None, 7, "x", [3], {"a": 1}])
def test_whatever_a_field_holds_the_rest_is_told(data: dict[str, Any], field: str, value: object) -> None:
    broken = copy.deepcopy(data)
    broken[field] = value
    assert "Sent by Librarian" in words(broken)


def test_a_qos_without_data_is_named() -> None:
    period = last("week", NOW, "UTC")
    assert group.digest([Source("a", "A", None)], period, FRAME, NOW, "UTC") is None
    full = group.digest(
        [Source("a", "A", None), Source("b", "B", json.loads(GOLDEN.read_bytes()))], period, FRAME, NOW, "UTC"
    )
    assert full is not None
    assert "There are no data of A." in shown.text(full)


def test_running_by_what_is_left_pending_by_its_limit_and_tasks() -> None:
    rows = [
        ("1", "RUNNING", "10:00:00", "2:00:00", "cpu=4,mem=8G,gres/gpu=1"),
        ("2_[1-5,9%2]", "PENDING", "1-00:00:00", "1-00:00:00", "cpu=2"),
        ("2_[1-5,9%2]", "PENDING", "1-00:00:00", "1-00:00:00", "cpu=2"),
        ("3", "RUNNING", "UNLIMITED", "UNLIMITED", "cpu=100"),
        ("4", "RUNNING", "10:00", "INVALID", "cpu=100"),
        ("5", "PENDING", "NOT_SET", "", "cpu=1"),
    ]
    found = committed([*rows, ("broken",)])
    assert found.hours == {"NCPUS": 8 + 6 * 24 * 2, "NGPUS": 2, "MEMORY": 16}
    assert (found.jobs, found.unknown) == (10, 4)


def test_squeue_is_asked_for_each_scope() -> None:
    asked: list[list[str]] = []
    header = ["JOBID", "STATE", "TIME_LIMIT", "TIME_LEFT", "TRES_ALLOC"]

    def runner(argv: Any, **_: Any) -> Answer:
        asked.append(list(argv))
        lines = [header, ["7", "RUNNING", "1:00:00", "30:00", "cpu=2"]]
        return Answer(0, "".join(f"{DELIMITER.join(line)}{DELIMITER}\n" for line in lines).encode(), "")

    found = ask(Slurm(runner=runner), [Scope("demo", "avery"), Scope("demo", "b", ("lab",))])
    assert found.hours["NCPUS"] == 1, "the same job once"
    assert len(asked) == 2
    assert "--account=lab" in asked[1]
    assert f"TimeLeft:{DELIMITER}" in asked[0][-1]
    assert len(FIELDS) == 5
