"""Rows of numbers as short texts: what comes out is what went in, here, by another reader, and by the page's own."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
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
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(NUMBERS, st.booleans(), TEXTS, ROWS),
    lambda inner: st.one_of(st.lists(inner, max_size=20), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=20,
)


def text_of(value: object) -> str:
    """As JSON, which tells 1 from 1.0 and from true."""
    return json.dumps(value)


def read(value: Any) -> Any:
    """A second reader, from the description alone."""
    if isinstance(value, dict) and "*" in value:
        row: list[Any] = []
        for run in value["*"].split(" "):
            parts = run.split("*")
            row.extend([json.loads(parts[0])] * (int(parts[1]) if len(parts) == 2 else 1))
        return row
    if isinstance(value, dict):
        return {key[1:] if key and set(key) == {"*"} else key: read(item) for key, item in value.items()}
    return [read(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
@example([0.0, -0.0] * LEAST)
@example([1, 1.0, 1e16, 10**16, 1e-7, 5e-324] * LEAST)
@example([True] * LEAST)
@example({"*": "1*6", "**": [0] * LEAST, "": {"*": [1] * LEAST}})
def test_what_comes_out_is_what_went_in(value: Any) -> None:
    through_json = json.loads(json.dumps(encoded(value), allow_nan=False))
    assert text_of(decoded(through_json)) == text_of(value)
    assert text_of(read(through_json)) == text_of(value)


def test_rows_are_plain_to_read() -> None:
    row = [1] * 6 + [1.321111] + [2] * 10 + [None] * 13 + [-0.5]
    assert encoded({"a": row}) == {"a": {"*": "1*6 1.321111 2*10 null*13 -0.5"}}


@pytest.mark.parametrize("row", [[0] * (LEAST - 1), ["0"] * LEAST, [0] * LEAST + [[]], [0] * LEAST + [float("inf")]])
def test_other_rows_stay(row: list[Any]) -> None:
    assert encoded(row) == row


@pytest.mark.parametrize("value", [{"*": ""}, {"*": "1 "}, {"*": 5}, {"*": "1*2", "a": 1}, {"*": "x*2"}, {"*": "1-2"}])
def test_what_was_never_encoded_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not a encoded row|could not convert"):
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
    plain = {"report": json.loads((GOLDEN / "data_avery.json").read_bytes()), "made": value, "text": "1*6 2", "no": []}
    paths = {"LIBRARIAN_PLAIN": tmp_path / "plain.json", "LIBRARIAN_ENCODED": tmp_path / "encoded.json"}
    paths["LIBRARIAN_PLAIN"].write_text(json.dumps(plain))
    paths["LIBRARIAN_ENCODED"].write_text(json.dumps(encoded(plain)))
    program = [node, "--test", "--test-reporter=tap", "page/run_length.test.js"]
    environment = os.environ | {name: str(path) for name, path in paths.items()}
    told = subprocess.run(
        program, cwd=ROOT / "dashboard", env=environment, capture_output=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stdout.decode()
    assert b"ok 5 - what Python encoded is decoded\n" in told.stdout
