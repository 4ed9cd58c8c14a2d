"""Rows of numbers as short texts: what comes out is what went in, here, by another reader, and by the page's own."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from librarian.render.json.run_length import LEAST, decoded, encoded
from tests.places import ROOT

GOLDEN = ROOT / "tests/data/golden"
NUMBERS = st.one_of(
    st.sampled_from([0, 1, 0.5]), st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
)
ROWS = st.lists(st.tuples(NUMBERS, st.integers(1, 9)), max_size=12).map(
    lambda runs: [number for number, count in runs for _ in range(count)]
)
NAMES = st.one_of(st.text(max_size=5), st.sampled_from(["*", "**", "***", "*x", "__proto__"]))
TEXTS = st.one_of(st.text(max_size=5), st.sampled_from(["1*6", "0*13 2.5", "null*3"]))
FEW = st.lists(st.one_of(st.none(), st.sampled_from(["cpu", "gpu", "*", "0*13"])), min_size=LEAST, max_size=40)
STEPS = st.builds(
    lambda begin, step, count, more: [*(begin + step * place for place in range(count)), *more],
    st.integers(),
    st.integers(-9, 9),
    st.integers(0, 40),
    st.lists(st.integers(), max_size=3),
)
MEANS = st.lists(st.integers(0, 10**9).map(lambda seconds: float(f"{seconds / 3600:.7g}")), min_size=LEAST, max_size=40)
TIMES = st.builds(
    lambda begin, count, minutes: [
        datetime.fromtimestamp(begin + 3600 * place, timezone(timedelta(minutes=minutes))).isoformat()
        for place in range(count)
    ],
    st.integers(0, 4 * 10**9),
    st.integers(LEAST, 40),
    st.sampled_from([0, -300, 330, -1]),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(NUMBERS, st.booleans(), TEXTS, ROWS, FEW, STEPS, MEANS, TIMES),
    lambda inner: st.one_of(st.lists(inner, max_size=20), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=20,
)


def text_of(value: object) -> str:
    """As JSON, which tells 1 from 1.0 and from true."""
    return json.dumps(value)


def read(value: Any) -> Any:
    """A second reader, from the description alone."""
    if isinstance(value, dict) and "*" in value:
        row = read_row(value["*"])
        if "of" in value:
            return [value["of"][place] for place in row]
        if "minutes" in value:
            zones = [timezone(timedelta(minutes=minutes)) for minutes in read_row(value["minutes"])]
            return [datetime.fromtimestamp(at, zone).isoformat() for at, zone in zip(row, zones, strict=True)]
        return row
    if isinstance(value, dict):
        return {key[1:] if key and set(key) == {"*"} else key: read(item) for key, item in value.items()}
    return [read(item) for item in value] if isinstance(value, list) else value


def read_row(text: str) -> list[Any]:
    row: list[Any] = []
    for run in text.split(" "):
        item, _, count = run.partition("*")
        begin, _, step = item.partition("~")
        for place in range(int(count or 1)):
            if step:
                row.append(int(begin) + int(step) * place)
            elif item.endswith("/"):
                row.append(float(f"{int(item[:-1]) / 3600:.7g}"))
            else:
                row.append(json.loads(item))
    return row


@given(VALUES)
@example([0.0, -0.0] * LEAST)
@example([1, 1.0, 1e16, 10**16, 1e-7, 5e-324] * LEAST)
@example([True] * LEAST)
@example(["2026-02-30T00:00:00+00:00"] * LEAST)
@example(["2026-02-28T00:00:00+00:00", None] * LEAST)
@example(["2026-02-28T24:00:00+00:00"] * LEAST)
@example({"*": "1*6", "**": [0] * LEAST, "": {"*": [1] * LEAST}})
def test_what_comes_out_is_what_went_in(value: Any) -> None:
    through_json = json.loads(json.dumps(encoded(value), allow_nan=False))
    assert text_of(decoded(through_json)) == text_of(value)
    assert text_of(read(through_json)) == text_of(value)


def test_rows_are_plain_to_read() -> None:
    row = [1] * 6 + [1.321111] + [2] * 10 + [None] * 13 + [-0.5]
    assert encoded({"a": row}) == {"a": {"*": "1*6 4756/ 2*10 null*13 -0.5"}}
    edges = [1_795_200_000 + 3600 * place for place in range(720)]
    assert encoded([*edges, edges[-1] + 600]) == {"*": "1795200000~3600*720 1797789000"}
    assert encoded(["cpu", "cpu", None, "cpu"] * 4)["of"] == ["cpu", None]
    winter = [f"2026-11-01T{hour:02}:00:00-05:00" for hour in range(1, 24)]
    clocks = ["2026-11-01T00:00:00-04:00", "2026-11-01T01:00:00-04:00", *winter]
    assert encoded(clocks) == {"*": "1793505600~3600*25", "minutes": "-240*2 -300*23"}


@pytest.mark.parametrize("sixteenths", [16001, 19745, 99999, 159999])
def test_what_lies_half_way_is_no_part_of_an_hour(sixteenths: int) -> None:
    """Python rounds it to the even digit, a browser away from 0."""
    half = float(f"{sixteenths / 16:.7g}")
    assert half != sixteenths / 16
    assert encoded([half] * LEAST) == {"*": f"{half}*{LEAST}"}


@pytest.mark.parametrize(
    "row",
    [[0] * (LEAST - 1), list("abcdefghijklmnop"), ["0", 0] * LEAST, [0] * LEAST + [[]], [0] * LEAST + [float("inf")]],
)
def test_other_rows_stay(row: list[Any]) -> None:
    assert encoded(row) == row


@pytest.mark.parametrize(
    "value",
    [
        *({"*": text} for text in ("", "1 ", 5, "x*2", "1-2", "1~2", "1.5/", "1~2~3*4")),
        {"*": "1*2", "a": 1},
        {"*": "0 2", "of": ["a", "b"]},
        {"*": "0 0.5", "of": ["a", "b"]},
        {"*": "0*2", "of": 5},
        {"*": "0*2", "minutes": "0"},
        {"*": "0*2", "minutes": "1441*2"},
        {"*": "null", "minutes": "0"},
    ],
)
def test_what_was_never_encoded_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        decoded(value)


def test_a_report_gets_smaller() -> None:
    data = (GOLDEN / "data_avery.json").read_bytes()
    assert len(json.dumps(encoded(json.loads(data)), separators=(",", ":"))) < len(data)


def test_the_page_reads_what_is_encoded(tmp_path: Path) -> None:
    """dashboard/page/run_length.test.js, with made-up values and a report of ours."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node")
    chance = random.Random(5)
    rows = [
        [chance.choice([0, 1, None, 0.5, 13.14222, -2e-9, 1e21, 2**53, chance.random() * 1e3])] * chance.randrange(9)
        for _ in range(3000)
    ]
    names = ["*", "**", "__proto__", "constructor", "", "1*6", "x"]
    value = {name: [number for row in rows[place::7] for number in row] for place, name in enumerate(names)}
    plain: dict[str, Any] = {
        "report": json.loads((GOLDEN / "data_avery.json").read_bytes()),
        "made": value,
        "text": "1*6 2",
        "no": [],
    }
    plain["means"] = [float(f"{chance.randrange(10**9) / 3600:.7g}") for _ in range(5000)]
    plain["steps"], plain["few"] = list(range(-50, 5000, 7)), [chance.choice(["a", "b", None]) for _ in range(99)]
    paths = {"LIBRARIAN_PLAIN": tmp_path / "plain.json", "LIBRARIAN_ENCODED": tmp_path / "encoded.json"}
    paths["LIBRARIAN_PLAIN"].write_text(json.dumps(plain))
    paths["LIBRARIAN_ENCODED"].write_text(json.dumps(encoded(plain)))
    program = [node, "--test", "--test-reporter=tap", "page/run_length.test.js"]
    environment = os.environ | {name: str(path) for name, path in paths.items()}
    told = subprocess.run(
        program, cwd=ROOT / "dashboard", env=environment, capture_output=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stdout.decode()
    assert b"ok 6 - what Python encoded is decoded\n" in told.stdout
