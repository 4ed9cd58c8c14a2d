"""What cycles spent: the lines that are kept, what they come to, how it is told."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from librarian.health import timings, timings_file
from librarian.health.timings import KEPT, WHOLE, Cycle, Part, Spent, profile
from librarian.shared.window import DAY
from tests.places import ROOT

NOW = 1_793_100_000
TOGETHER = NOW - NOW % 86400 + 3 * 3600  # the hour in which all are put together
COLLECT, JOBS, SACCT = ("collect", "", ""), ("collect", "jobs", ""), ("collect", "jobs", "sacct")
QOS, SQUEUE = ("collect", "limits", "sacctmgr show qos"), ("collect", "queue", "squeue")
SCHEMA = json.loads((ROOT / "docs/timings.schema.json").read_text(encoding="utf-8"))


def cycle(at: int, seconds: float = 1.0, sacct: int = 2, **more: Spent) -> Cycle:
    parts: dict[Part, Spent] = {WHOLE: Spent(1, 3 * seconds, 2 * seconds), COLLECT: Spent(1, seconds, 0.5)}
    parts |= {JOBS: Spent(1, seconds / 2, 0.25), SACCT: Spent(sacct, seconds / 4)} if sacct else {}
    return Cycle(at, {**parts, QOS: Spent(1, 0.01), SQUEUE: Spent(1, 0.02)})


def test_a_cycle_comes_out_of_its_line_as_it_went_in() -> None:
    assert timings.from_line(timings.to_line(cycle(NOW, 2.0))) == cycle(NOW, 2.0)
    idle = Cycle(NOW, {("collect", "weeks", ""): Spent(1, 0.0001, 0.0), SACCT: Spent(1, 0.0)})
    assert timings.from_line(timings.to_line(idle)) == Cycle(NOW, {SACCT: Spent(1, 0.0)})


@pytest.mark.parametrize("line", ["", "{", "[]", "[1]", '[1,[["a","b","c",1]]]', '["x",[]]', "null", "[1,2]"])
def test_a_line_that_is_not_understood_is_left_out(line: str) -> None:
    assert timings.from_line(line) is None


def test_what_is_kept_is_bounded_by_age_and_number() -> None:
    lines = [timings.to_line(cycle(NOW - age)) for age in (KEPT + 1, KEPT, KEPT - 1, 600)]
    kept = timings.added([*lines, "odd"], cycle(NOW))
    assert kept == [*lines[2:], timings.to_line(cycle(NOW))]
    many = [f"[{NOW - 1},[]]"] * (timings.MOST + 5)
    assert len(timings.added(many, cycle(NOW))) == timings.MOST


def test_medians_and_largest_of_a_day_and_of_thirty() -> None:
    cycles = [cycle(NOW - DAY, 100), *(cycle(NOW - 600 * k, seconds) for k, seconds in enumerate([4.0, 1.0, 3.0]))]
    found = profile([*cycles, cycle(NOW - KEPT, 1e6), cycle(NOW + 5, 1e6)], NOW)
    assert (len(found.cycles), found.of_the_day) == (4, 3)
    row = next(row for row in found.rows if row.part == COLLECT)
    assert row.last == Spent(1, 4.0, 0.5)
    assert (row.day.median.seconds, row.day.largest.seconds, row.day.count) == (3.0, 4.0, 3)
    assert (row.days_30.median.seconds, row.days_30.largest.seconds) == (3.5, 100.0)
    assert [row.part for row in found.rows] == [WHOLE, COLLECT, JOBS, SACCT, QOS, SQUEUE]


def test_a_cycle_that_did_without_a_part_counts_as_none_of_it() -> None:
    found = profile([cycle(NOW - 1200, sacct=0), cycle(NOW - 600, sacct=0), cycle(NOW)], NOW)
    row = next(row for row in found.rows if row.part == SACCT)
    assert (row.day.median, row.day.largest.count, row.day.count) == (Spent(0, 0.0, None), 2, 2)
    rows = {row.part: row for row in profile([cycle(NOW - 600), cycle(NOW, sacct=0)], NOW).rows}
    assert (rows[SACCT].last, rows[JOBS].day.median) == (None, Spent(0, 0.25, 0.125))


def test_commands_are_counted_by_the_daemon_that_answers_them() -> None:
    found = profile([cycle(NOW - 5 * DAY, sacct=17), cycle(NOW - 600, sacct=4), cycle(NOW)], NOW)
    assert found.load["slurmdbd"] == timings.Load(3, 4.0, 5, 8, (18 + 5 + 3) / 5)
    assert found.load["slurmctld"] == timings.Load(1, 1.0, 1, 2, 3 / 5)


def test_it_is_told_as_a_table() -> None:
    lines = timings.as_text(profile([cycle(NOW - 600), cycle(NOW, 2.0)], NOW), "noon")
    assert lines[0] == "the last cycle: noon; 2 in the last day, 2 in 30 days"
    assert lines[4].split() == ["the", "whole", "run", "6.00", "4.00", "4.50", "6.00", "4.50", "6.00"]
    assert lines[7].split() == ["sacct", "2", "0.50", "0.38", "0.50", "0.38", "0.50"]
    assert "    sacctmgr show qos" in lines[8]
    assert lines[-2] == (
        "commands to slurmdbd: 3 in the last cycle, 3 in the median one of the last day, 3 at most; "
        "6 in the last day, 6 a day over 30 days"
    )
    assert "librarian run" in timings.as_text(profile([], NOW), "")[0]


def test_it_is_told_to_programs() -> None:
    for cycles in ([], [cycle(NOW - 600), cycle(NOW, 2.0)]):
        told = json.loads(timings.as_json(profile(cycles, NOW), "hpg"))
        jsonschema.validate(told, SCHEMA)
    assert (told["last"], told["commands"]["slurmdbd"]["last"]) == (NOW, 3)
    assert told["parts"][3]["last"] == {"count": 2, "seconds": 0.5, "cpu_seconds": None}


def test_the_file_holds_them_for_its_owner_alone(tmp_path: Path) -> None:
    assert timings_file.read(tmp_path) == []
    for k in range(3):
        timings_file.keep(tmp_path, cycle(NOW + 600 * k))
    assert [one.at for one in timings_file.read(tmp_path)] == [NOW, NOW + 600, NOW + 1200]
    path = tmp_path / timings_file.NAME
    assert path.stat().st_mode & 0o077 == 0
    whole = path.read_bytes()
    for damaged, left in ((b"", 0), (b"odd", 0), (whole[:-40], 2), (whole[:20] + b"\xff" * 30 + whole[50:], 0)):
        path.write_bytes(damaged)
        assert len(timings_file.read(tmp_path)) == left
        timings_file.keep(tmp_path, cycle(TOGETHER))
        assert len(timings_file.read(tmp_path)) == left + 1
    path.write_bytes(b"x" * 3_000_000)
    timings_file.keep(tmp_path, cycle(NOW))
    assert len(timings_file.read(tmp_path)) == 1, "what grew too large is put together at any time"


def test_they_are_put_together_once_a_day_and_old_ones_go(tmp_path: Path) -> None:
    begin = TOGETHER - 31 * DAY
    for at in (begin, begin + DAY // 2, TOGETHER - 7200, TOGETHER - 3600):
        timings_file.keep(tmp_path, cycle(at))
    assert len(timings_file.read(tmp_path)) == 4
    before = (tmp_path / timings_file.NAME).stat().st_size
    timings_file.keep(tmp_path, cycle(TOGETHER))
    assert [one.at for one in timings_file.read(tmp_path)] == [TOGETHER - 7200, TOGETHER - 3600, TOGETHER]
    assert (tmp_path / timings_file.NAME).stat().st_size < before


def test_thirty_days_of_it_are_a_small_file(tmp_path: Path) -> None:
    parts = {
        (stage, subject, command): Spent(1, 0.123 * number, 0.1)
        for stage in ("collect", "render")
        for subject in ("jobs", "usage", "limits", "queue", "weeks", "months")
        for number, command in enumerate(("", "sacct", "squeue"))
    }
    lines = [
        timings.to_line(Cycle(NOW + 600 * k, {**parts, WHOLE: Spent(1, k * 0.001, k * 0.002)})) for k in range(4320)
    ]
    path = tmp_path / timings_file.NAME
    timings_file.write(path, lines)
    assert path.stat().st_size < 1_000_000
