"""The status: what is written is read again, what readers see of it, and what it says to people and monitors."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.errors import Trouble
from librarian.health.overview import as_json, describe
from librarian.health.status import (
    FAILED,
    OK,
    PublisherStatus,
    QosStatus,
    Stage,
    Status,
    after_run,
    after_stage,
    from_json,
    public,
    to_json,
)
from librarian.health.statusfile import StatusFile
from librarian.health.verdict import CRITICAL, WARNING, judged
from tests.places import ROOT

NOW = 1_793_100_000
ZONE = "US/Eastern"
SCHEMA = json.loads((ROOT / "docs/status.schema.json").read_text(encoding="utf-8"))
GOOD = Status(
    "hpg",
    600,
    version="0.1.0",
    host="node7",
    state=OK,
    last_try=NOW - 60,
    last_success=NOW - 60,
    seconds=3.2,
    next_expected=NOW + 540,
    stages={"collect": Stage(NOW - 60, NOW - 60, 1.0)},
    qos=(QosStatus(NOW - 60, NOW - 60, 0.5, name="avery", rows=12),),
)
WEB = PublisherStatus(NOW, NOW, 1.04, None, "ssh", "web:/srv", "done", 9, "by scp")
SENT = replace(GOOD, publishers=(WEB,))

epochs = st.none() | st.integers(0, 2**40)
lines = st.none() | st.text()
rows: dict[str, Any] = {
    "last_try": epochs,
    "last_success": epochs,
    "seconds": st.none() | st.floats(0, 1e6),
    "error": lines,
    "troubles": st.lists(st.sampled_from(Trouble)).map(tuple),
}
statuses = st.builds(
    Status,
    cluster=st.text(),
    interval_seconds=st.integers(1, 86400),
    version=st.text(),
    host=st.text(),
    state=st.sampled_from(["ok", "partial", "failed", "never"]),
    failures=st.integers(0, 99),
    failing_since=epochs,
    next_expected=epochs,
    **rows,
    stages=st.dictionaries(st.sampled_from(["collect", "render", "publish"]), st.builds(Stage, **rows)),
    qos=st.lists(
        st.builds(
            QosStatus,
            **rows,
            name=st.text(),
            rows=st.none() | st.integers(0, 10**9),
            rejects=st.dictionaries(st.text(), st.integers(1, 99)),
        )
    ).map(tuple),
    publishers=st.lists(
        st.builds(
            PublisherStatus,
            **{**rows, **dict.fromkeys(("kind", "target", "state", "note"), st.text())},
            bytes_sent=st.none() | st.integers(0, 2**50),
        )
    ).map(tuple),
)


@pytest.mark.slow
@given(statuses)
def test_what_is_written_is_read_again_and_fits_the_schema(status: Status) -> None:
    data = to_json(status)
    assert from_json(data) == status
    jsonschema.validate(json.loads(data), SCHEMA)


@given(statuses, st.integers(0, 2**40))
def test_any_status_is_judged(status: Status, now: int) -> None:
    told, code = judged(status, now, ZONE)
    assert code in (0, 1, 2)
    assert re.fullmatch(r"LIBRARIAN (OK|WARNING|CRITICAL): .* \| age=.*", told[0], re.DOTALL)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        to_json(GOOD).replace(b'"schema_version": 1', b'"schema_version": 2'),
        to_json(GOOD).replace(b'"failures": 0', b'"failures": "many"'),
        to_json(GOOD).replace(b'"last_try": 1793099940', b'"last_try": "now"'),
        to_json(GOOD).replace(b'"name": "avery"', b'"name": 7'),
        to_json(SENT).replace(b'"bytes_sent": 9', b'"bytes_sent": "much"'),
        to_json(SENT).replace(b'"note": "by scp"', b'"note": null'),
        to_json(GOOD)[:-40],
    ],
)
def test_what_is_damaged_is_not_read(damage: bytes) -> None:
    assert damage not in (to_json(GOOD), to_json(SENT))
    assert from_json(damage) is None


def test_a_file_from_before_publishers_told_what_they_sent_is_read() -> None:
    body = json.loads(to_json(SENT))
    for name in ("bytes_sent", "note"):
        del body["publishers"][0][name]
    assert from_json(json.dumps(body)) == replace(SENT, publishers=(replace(WEB, bytes_sent=None, note=""),))
    del body["publishers"][0]["target"]
    assert from_json(json.dumps(body)) is None


def test_failures_are_counted_until_a_run_goes_well() -> None:
    status = Status("hpg", 600)
    for number in range(3):
        status = after_run(status, NOW + 600 * number, 1.0, FAILED, "the disk is full")
    assert (status.failures, status.failing_since, status.last_success) == (3, NOW, None)
    status = after_run(status, NOW + 1800, 1.0, OK, None)
    assert (status.failures, status.failing_since, status.last_success) == (0, None, NOW + 1800)
    assert status.next_expected == NOW + 2400
    status = after_run(status, NOW + 2400, 1.0, FAILED, "x")
    assert (status.last_success, status.failing_since) == (NOW + 1800, NOW + 2400)


def test_a_stage_that_fails_keeps_its_last_success() -> None:
    status = after_stage(GOOD, "render", NOW, 2.0, None)
    status = after_stage(status, "render", NOW + 600, 3.0, "no font")
    assert status.stages["render"] == Stage(NOW + 600, NOW, 3.0, "no font", troubles=(Trouble.FAILED,))
    assert status.stages["collect"] == GOOD.stages["collect"]


def test_readers_see_kinds_of_failures_and_no_targets() -> None:
    said = "the store /home/alice/my state/hpg.sqlite cannot be used: /etc/x/y.conf (alice) https://a.example/b/c"
    status = replace(
        GOOD,
        error=said,
        troubles=(Trouble.NO_ANSWER, Trouble.STORE),
        stages={"collect": Stage(NOW, None, 1.0, said, troubles=(Trouble.NO_ANSWER,)), "render": Stage(error=said)},
        qos=(QosStatus(name="avery", error=said, troubles=(Trouble.CUT_OFF,)), QosStatus(name="kim")),
        publishers=(
            PublisherStatus(NOW, None, 1.0, said, "ssh", "alice@web:/srv/www", FAILED),
            PublisherStatus(NOW, NOW, 1.0, None, "folder", "/srv", "done", 9, said),
        ),
    )
    shown = public(status, host=False)
    text = to_json(shown).decode()
    for secret in ("/home", "alice", "my state", "/etc", "/srv", "node7", "web:", "hpg.sqlite", "a.example"):
        assert secret not in text, secret
    assert shown.error == "Slurm did not answer; the stored data cannot be used"
    told = (shown.stages["collect"], shown.stages["render"], *shown.qos)
    assert [one.error for one in told] == ["Slurm did not answer", "a step failed", "Slurm's answer was cut off", None]
    assert (shown.publishers[0].target, shown.publishers[0].error) == ("ssh", "failed")
    assert public(status, host=True).host == "node7"
    jsonschema.validate(json.loads(text), SCHEMA)


def first(status: Status, now: int = NOW) -> tuple[str, int]:
    told, code = judged(status, now, ZONE)
    return told[0], code


def test_the_first_line_is_a_monitoring_plugin_s() -> None:
    expected = "LIBRARIAN OK: hpg: data 1 min old | age=60s;1800;10800;0 duration=3.2s;;;0 failures=0;;;0 rejects=0;;;0"
    assert first(GOOD) == (expected, 0)
    late = first(GOOD, NOW + 1900)
    assert late[1] == WARNING
    assert "LIBRARIAN WARNING: hpg: data 32 min old, the last run was 32 min ago | age=1960s;" in late[0]
    assert first(GOOD, NOW + 4 * 3600)[1] == CRITICAL
    nothing = first(Status("hpg", 600))
    assert nothing[1] == CRITICAL
    assert "nothing was run yet" in nothing[0]
    assert "age=U;" in nothing[0]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, ""),
        (to_json(GOOD), ""),
        (to_json(replace(GOOD, cluster="another")), ""),
        (b"{", " is damaged, or of another release"),
        ("a folder", ": Is a directory"),
    ],
)
def test_a_state_that_cannot_be_read_is_not_one_without_runs(
    content: bytes | str | None, why: str, tmp_path: Path
) -> None:
    for path in (tmp_path / "status.json", tmp_path / "hpg.publish.json"):
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content:
            path.mkdir()
    file = StatusFile(tmp_path / "status.json", "hpg", 600, ("avery",), tmp_path / "hpg.publish.json")
    told, code = describe(file, NOW, ZONE, {})
    text = "\n".join(told)
    assert (f"LIBRARIAN CRITICAL: hpg: the state cannot be read: {tmp_path}/status.json{why} |" in text) == bool(why)
    assert ("last run: not known" in text) == bool(why)
    if why:
        assert (code, "nothing was" in text, "no data yet" in text) == (CRITICAL, False, False)
        assert f"publishers: how they fared cannot be read: {tmp_path}/hpg.publish.json{why}" in text
        found = json.loads(as_json(file, NOW, ZONE)[0])
        jsonschema.validate(found, SCHEMA)
        assert (found["state"], found["troubles"]) == ("failed", ["failed"])


@pytest.mark.parametrize(
    ("rejects", "rows", "code"),
    [(9, 9, 0), (10, 100, WARNING), (10, 101, 0), (10, None, WARNING), (99, 991, 0), (100, 10**6, WARNING)],
)
def test_many_rejected_rows_are_never_all_right(rejects: int, rows: int | None, code: int) -> None:
    row = replace(GOOD.qos[0], rejects={"torn": rejects - 3, "of another cluster": 3}, rows=rows)
    line, told = first(replace(GOOD, qos=(row, *GOOD.qos[1:])))
    assert told == code
    assert (f"data 1 min old, {rejects} rows of {row.name} rejected | age=60s" in line) == (code == WARNING)


def test_what_failed_is_said_where_it_failed() -> None:
    row = replace(GOOD.qos[0], error="sacct hung", last_success=NOW - 700, rejects={"torn": 2})
    bad = replace(GOOD, state="partial", qos=(row, QosStatus(name="kim")), failures=4, error="QoS avery: sacct hung")
    bad = replace(bad, publishers=(PublisherStatus(NOW, NOW - 7200, 1.0, "refused", "ssh", "web:/srv", FAILED),))
    told, code = judged(bad, NOW, ZONE, {"at work": "process 7"})
    text = "\n".join(told)
    assert code == CRITICAL, "a QoS has no data"
    assert "a QoS has no data yet, 4 runs failed in a row" in told[0]
    assert "rejects=2" in told[0]
    assert "avery: complete up to 2026-10-27T" in text
    assert "the last try failed: sacct hung\n  2 rejected: torn" in text
    assert "kim: no data yet" in text
    assert "web:/srv: FAILED, just now: refused; it last worked: 2 h ago" in text
    assert "at work: process 7" in text
    only = replace(GOOD, publishers=bad.publishers)
    assert judged(only, NOW, ZONE)[1] == WARNING
    assert judged(replace(GOOD, last_success=None, error="x", failures=9), NOW, ZONE)[1] == WARNING, (
        "the data are fresh"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "done, just now; 9 bytes in 1.04 s; by scp"),
        ({"bytes_sent": 2_500_000, "note": ""}, "done, just now; 2.38 MiB in 1.04 s"),
        ({"bytes_sent": 2048, "last_try": NOW - 7200}, "done, 2 h ago; 2 KiB in 1.04 s; by scp"),
        ({"bytes_sent": None}, "done, just now; by scp"),
        ({"state": "unchanged", "bytes_sent": 0, "note": ""}, "unchanged, just now"),
        ({"state": "waits", "bytes_sent": 0, "note": "the least is 600 s"}, "waits, just now; the least is 600 s"),
    ],
)
def test_a_publisher_tells_how_much_went_out_and_how_long_it_took(changes: dict[str, Any], told: str) -> None:
    lines, code = judged(replace(GOOD, publishers=(replace(WEB, **changes),)), NOW, ZONE)
    assert (lines[-1], code) == (f"ssh: web:/srv: {told}", 0)
