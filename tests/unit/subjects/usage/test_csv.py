"""The table: its numbers, its names, and what of its bytes stays the same from one cycle to the next."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from librarian.shared.report import Report
from librarian.shared.window import DAY
from librarian.subjects.usage.csv import usage_gzip
from librarian.subjects.usage.section import UsageSection
from tests.unit import reports
from tests.unit.subjects.usage.test_payload import CHARTED, data_of


def usage_csv(report: Report) -> bytes:
    return gzip.decompress(usage_gzip(report))


def table_of(report: Report) -> list[dict[str, str]]:
    text = usage_csv(report).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_its_first_lines() -> None:
    lines = usage_csv(reports.golden()).decode("utf-8").split("\n")
    assert lines[0] == "start,start_epoch,seconds,user,NCPUS,NGPUS,MEMORY,NJOBS,BILLING,NGPUS:a100,NGPUS:v100"
    assert lines[1] == "2026-10-31T14:00:00-04:00,1793469600,3600,alice,20,2,74,2,20,2,0"
    assert lines[-1] == ""


def test_it_has_the_numbers_of_the_json_and_nothing_else() -> None:
    report = reports.busy(9, days=3)
    data, table = data_of(report), table_of(report)
    place = {text: number for number, text in enumerate(data["time_idxs"])}
    for key in CHARTED:
        rows = {(place[row["start"]], row["user"]): float(row[key]) for row in table if float(row[key])}
        means = data["observables"][key]
        assert rows == {(n, user): mean for user in data["users"] for n, mean in enumerate(means[user]) if mean}


def test_what_has_no_chart_is_here_and_adds_up_to_the_totals() -> None:
    report = reports.busy(9, days=3)
    data, sums = data_of(report), dict.fromkeys(report[UsageSection].users, 0.0)
    assert "BILLING" not in data["observables"]
    for row in table_of(report):
        sums[row["user"]] += float(row["BILLING"]) * int(row["seconds"]) / 3600
    hours = {user: totals["hours"]["BILLING"] for user, totals in data["totals"]["users"].items()}
    assert sums == pytest.approx(hours, rel=1e-6)
    assert any(hours.values())


def test_rows_are_by_time_then_by_name() -> None:
    report = reports.busy(9, days=3)
    order = [(int(row["start_epoch"]), row["user"]) for row in table_of(report)]
    assert order == sorted(set(order))
    assert list(report[UsageSection].users) != sorted(report[UsageSection].users)


def test_seconds_of_the_last_bin_are_those_that_have_passed() -> None:
    table = table_of(reports.golden())
    assert {row["seconds"] for row in table} == {"3600", "600"}
    hours = sum(float(row["NCPUS"]) * int(row["seconds"]) / 3600 for row in table)
    assert hours == pytest.approx(reports.golden()[UsageSection].total.hours["NCPUS"])


def test_names_come_back_as_they_were_and_none_is_a_formula() -> None:
    names = {row["user"] for row in table_of(reports.hostile())}
    expected = {name.replace("\udcff", "\\udcff") for name in reports.HOSTILE} - {"=HYPERLINK(1)"}
    assert names == expected | {"'=HYPERLINK(1)"}


def test_a_carriage_return_in_a_name_does_not_end_the_line() -> None:
    report = reports.report_of([reports.Run("a\rb", reports.NOW - 7200, reports.NOW - 3600)], seconds=DAY)
    assert b'"a\rb"' in usage_csv(report)
    assert {row["user"] for row in table_of(report)} == {"a\rb"}


def test_nobody_leaves_the_header_alone() -> None:
    assert usage_csv(reports.empty()) == b"start,start_epoch,seconds,user,NCPUS,NGPUS,MEMORY,NJOBS,BILLING\n"


# --- compressed ----------------------------------------------------------------------------------------------------


def later(hours: int) -> Report:
    """Twenty days of runs, looked at `hours` later; in these one user overtakes all others."""
    chance = np.random.default_rng(5)
    starts = reports.NOW - 25 * DAY + chance.integers(0, 25 * DAY, 900)
    lengths, users = chance.integers(600, 40_000, 900), chance.integers(0, 20, 900)
    runs = [
        reports.Run(f"user{user}", begin, min(begin + length, reports.NOW - 3600))
        for user, begin, length in zip(users.tolist(), starts.tolist(), lengths.tolist(), strict=True)
        if begin < reports.NOW - 7200
    ]
    if hours:
        runs.append(reports.Run("user0", reports.NOW, reports.NOW + 600, "billing=4,cpu=900000,mem=1G,node=1"))
    return reports.report_of(runs, seconds=20 * DAY, now=reports.NOW + hours * 3600)


@pytest.mark.slow
def test_what_is_compressed_is_the_table(tmp_path: Path) -> None:
    path = tmp_path / "usage_avery.csv.gz"
    path.write_bytes(usage_gzip(later(0)))
    frame = pd.read_csv(path, keep_default_na=False)
    assert len(frame) == len(table_of(later(0)))
    assert frame["NCPUS"].tolist() == [float(row["NCPUS"]) for row in table_of(later(0))]
    program = shutil.which("gzip")
    if program:
        unpacked = subprocess.run([program, "-dc", str(path)], check=True, capture_output=True, timeout=60)
        assert unpacked.stdout == usage_csv(later(0))
        assert not unpacked.stderr


def test_equal_tables_have_equal_bytes_which_know_neither_time_nor_name() -> None:
    made = usage_gzip(later(0))
    assert made == usage_gzip(later(0))
    assert made[:3] == b"\x1f\x8b\x08"
    assert made[3:8] == bytes(5), "no name, no time"


def test_hours_later_only_the_first_and_the_last_day_are_others() -> None:
    flushed = b"\x00\x00\xff\xff"  # where the compression began anew
    report, next_one = later(0), later(2)
    assert report[UsageSection].users != next_one[UsageSection].users
    one, other = usage_gzip(report), usage_gzip(next_one)
    days, again = one.split(flushed), other.split(flushed)
    assert len(days) > 20
    assert days[2:-2] == again[2:-2]
    kept = sum(map(len, days[2:-2]))
    assert kept > 0.85 * len(one)
    assert len(set(days[2:-2])) == len(days[2:-2])


def test_a_day_can_be_read_alone() -> None:
    report = later(0)
    rest = usage_gzip(report).split(b"\x00\x00\xff\xff")[2]
    text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(rest)
    assert text in usage_csv(report)
    assert len({int(line.split(b",")[1]) // DAY for line in text.splitlines()}) == 1


def test_it_is_much_smaller() -> None:
    assert len(usage_gzip(later(0))) < 0.2 * len(usage_csv(later(0)))
