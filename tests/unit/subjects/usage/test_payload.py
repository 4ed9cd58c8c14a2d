"""The data files: their shape, their numbers, what hostile names do to them, and the golden copies.

The golden files are what the code writes for `reports.golden()`; after a change that is meant, write them again with
    LIBRARIAN_UPDATE_GOLDEN=1 python -m pytest tests/unit/subjects/usage/test_payload.py
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from librarian.demo.group import simulate
from librarian.demo.slurm import DemoSlurm
from librarian.errors import Trouble
from librarian.render.json import numbers, scalars
from librarian.render.json.index import IndexEntry
from librarian.render.plotly import Plotly
from librarian.shared import files
from librarian.shared.report import Report, Staleness
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, isoformat
from librarian.slurm.command import Slurm
from librarian.subjects.jobs import ask
from librarian.subjects.jobs.ask import Query
from librarian.subjects.usage.section import UsageSection
from tests.places import ROOT
from tests.unit import rendering, reports
from tests.unit.rendering import PICTURES

GOLDEN = ROOT / "tests/data/golden"
KEYS = ["NCPUS", "NGPUS", "MEMORY", "NJOBS", "BILLING"]
CHARTED = KEYS[:4]
CDN = Plotly("4.1.1", None, "plotly-basic.min.js", "https://example.org/plotly.js", "sha384-x", "cdn")
BASIC = Plotly("4.1.1", Path("/x/plotly-basic.min.js"), "plotly-basic-4.1.1.min.js", None, None, "basic")


def data_bytes(report: Report) -> bytes:
    return rendering.data_json(report, next_expected=report.window.now + 600, version="0.1.0")


def data_of(report: Report) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(data_bytes(report))
    return data


def index_bytes(plotly: Plotly = BASIC, files: frozenset[str] | None = None) -> bytes:
    now = reports.golden().window.now
    entries = [
        IndexEntry("avery", 'Avery Lab & "Friends"', now, Staleness(), files),
        IndexEntry("bruno", "Bruno Lab", now - DAY, Staleness(True, now - DAY, Trouble.NO_ANSWER)),
        IndexEntry("../<new>", "New", None, Staleness(True, None, Trouble.NOTHING_YET)),
    ]
    facts = {"cluster": "tillicum", "zone": reports.ZONE, "version": "0.1.0"}
    times = {"now": now, "next_expected": now + 600, "refresh_seconds": 600}
    return rendering.index_json(entries, plotly=plotly, **facts, **times)


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((ROOT / f"docs/{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


class TestGolden:
    @pytest.mark.parametrize("name", ["data_avery.json", "index.json"])
    def test_what_is_written_is_the_golden_file(self, name: str) -> None:
        written = index_bytes() if name == files.INDEX else data_bytes(reports.golden())
        if os.environ.get("LIBRARIAN_UPDATE_GOLDEN") == "1":
            (GOLDEN / name).write_bytes(written)
        assert written == (GOLDEN / name).read_bytes()


CASES = {
    "golden": reports.golden,
    "one user": lambda: reports.busy(1, days=2),
    "40 users": lambda: reports.busy(40, days=2),
    "empty": reports.empty,
    "hostile": reports.hostile,
    "stale": reports.stale,
    "no limits known": lambda: reports.busy(2, days=1, limits=None),
    "untracked": lambda: reports.busy(2, days=1, gpus=False, gpus_tracked=False),
    "a quarter of an hour": lambda: reports.busy(2, days=1, bin_seconds=900),
}


class TestSchemas:
    @pytest.mark.slow
    @pytest.mark.parametrize("case", CASES)
    def test_data_are_as_the_schema_says(self, case: str) -> None:
        validator("data").validate(data_of(CASES[case]()))

    @pytest.mark.parametrize("plotly", [BASIC, CDN])
    def test_so_is_the_index(self, plotly: Plotly) -> None:
        validator("index").validate(json.loads(index_bytes(plotly)))

    @pytest.mark.slow
    @pytest.mark.parametrize(("schema", "least"), [("data", 120), ("index", 40)])
    def test_a_missing_field_is_noticed(self, schema: str, least: int) -> None:
        """Every field that the schema requires by name is taken away once, wherever it occurs. The part that it is
        taken from is looked at, and all of it only where it is taken from the top, since that takes long."""
        check = validator(schema)
        whole = json.loads(index_bytes()) if schema == "index" else data_of(reports.golden())
        tried = 0
        for path, key, part in fields(check.schema, whole):
            parent = whole
            for step in path:
                parent = parent[step]
            taken = parent.pop(key)
            assert not check.evolve(schema=part).is_valid(parent), f"{path} without {key}"
            assert path or not check.is_valid(whole), f"{path} without {key}"
            parent[key] = taken
            assert check.evolve(schema=part).is_valid(parent), path
            tried += 1
        check.validate(whole)
        assert tried >= least

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (["metadata", "last_updated"], "2026-11-20T14:10:00"),
            (["metadata", "extra"], 1),
            (["observables", "NCPUS", "alice", 0], None),
            (["observables", "NCPUS", "alice", 0], -1),
            (["limits", "NCPUS", "value"], None),
            (["limits", "NJOBS", "value"], 0),
            (["schema_version"], 1),
            (["colours", "alice"], "red"),
        ],
    )
    def test_a_wrong_value_is_noticed(self, path: list[Any], value: object) -> None:
        data = data_of(reports.golden())
        parent = data
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = value
        assert not validator("data").is_valid(data)


def fields(schema: Any, value: Any, whole: Any = None, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, str, Any]]:
    """(path of an object in `value`, key, the object's schema) of every field that the schema requires by name."""
    whole = whole or schema
    while "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, list):
        for place, item in enumerate(value[:3]):
            yield from fields(schema["items"], item, whole, (*path, place))
    if not isinstance(value, dict):
        return
    for key in schema.get("required", ()):
        yield path, key, schema
    for key, item in value.items():
        inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
        if isinstance(inner, dict):
            yield from fields(inner, item, whole, (*path, key))


class TestData:
    def test_what_older_dashboards_read(self) -> None:
        report = reports.golden()
        data = data_of(report)
        assert data["metadata"]["qos"] == "avery"
        assert data["metadata"]["last_updated"] == "2026-11-01T14:10:00-05:00"
        assert data["metadata"]["time_resolution_seconds"] == 3600
        assert data["users"] == list(report[UsageSection].users)
        assert list(data["observables"]) == CHARTED
        assert list(data["thresholds"]) == list(data["nice_names"]) == list(data["observables"])
        assert all(set(rows) == set(data["users"]) for rows in data["observables"].values())
        bins = len(data["time_idxs"])
        assert {len(row) for rows in data["observables"].values() for row in rows.values()} == {bins}
        assert data["thresholds"] == {"NCPUS": 430, "NGPUS": 39, "MEMORY": 3359.5, "NJOBS": 0}

    def test_times_tell_the_repeated_hour_apart(self) -> None:
        data = data_of(reports.golden())
        ones = [text for text in data["time_idxs"] if text.startswith("2026-11-01T01")]
        assert ones == ["2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00"]
        assert data["edges"][:-1] == [int(pd.Timestamp(text).timestamp()) for text in data["time_idxs"]]
        assert data["edges"][-2] < data["metadata"]["last_updated_epoch"] <= data["edges"][-1]

    def test_means_times_hours_are_the_totals(self) -> None:
        data = data_of(reports.busy(14, days=3))
        length = np.minimum(data["edges"][1:], data["now"]["at"]) - data["edges"][:-1]
        for key in CHARTED:
            for user in data["users"]:
                hours = float(np.dot(data["observables"][key][user], length)) / 3600
                assert hours == pytest.approx(data["totals"]["users"][user]["hours"][key], rel=1e-6)

    def test_what_ended_by_bin_adds_up_to_the_totals(self) -> None:
        data = data_of(reports.busy(14, days=3))
        assert data["ended"]
        for user in data["users"]:
            states = data["ended"].get(user, {})
            sums = {state: sum(told["runs"]) for state, told in states.items()}
            assert sums == data["totals"]["users"][user]["ended"]
            for told in states.values():
                assert told["bins"] == sorted(set(told["bins"]))
                assert len(told["bins"]) == len(told["runs"])
                assert 0 <= told["bins"][0] <= told["bins"][-1] < len(data["time_idxs"])

    def test_the_numbers_of_one_user(self) -> None:
        """carol: 2 CPUs from 13:00 to 17:00, suspended for half of it; the window begins at 14:00."""
        data = data_of(reports.golden())
        assert data["time_idxs"][0] == "2026-10-31T14:00:00-04:00"
        assert data["observables"]["NCPUS"]["carol"] == [1, 1, 1] + [0] * (len(data["time_idxs"]) - 3)
        assert data["totals"]["users"]["carol"]["ended"] == {"COMPLETED": 1}

    def test_a_user_who_held_nothing_has_rows_of_zeros_and_what_ended(self) -> None:
        data = data_of(reports.golden())
        assert set(data["observables"]["NJOBS"]["eve"]) == {0}
        assert data["totals"]["users"]["eve"]["ended"] == {"CANCELLED": 1}
        assert data["ended"]["eve"] == {"CANCELLED": {"bins": [1], "runs": [1]}}
        assert all("eve" not in [*held["only"], *held["users"]] for held in data["gpu_types"].values())

    def test_gpu_types_have_only_those_who_held_some(self) -> None:
        types = data_of(reports.golden())["gpu_types"]
        assert types == {"a100": {"only": ["alice"], "users": {}}, "v100": {"only": ["bob"], "users": {}}}

    def test_who_held_several_types_of_gpu_has_a_row_for_each(self) -> None:
        def run(user: str, begin: int, tres: str) -> reports.Run:
            return reports.Run(user, reports.NOW - begin, reports.NOW - begin + 1800, f"cpu=1,{tres}")

        of_a100, of_v100 = "gres/gpu=2,gres/gpu:a100=2", "gres/gpu=4,gres/gpu:v100=4"
        runs = [run("both", 9000, of_a100), run("both", 5400, of_v100), run("one", 9000, of_a100)]
        data = data_of(reports.report_of([*runs, run("none", 9000, "mem=1G")], seconds=DAY))
        types, gpus = data["gpu_types"], data["observables"]["NGPUS"]
        assert {kind: (held["only"], list(held["users"])) for kind, held in types.items()} == {
            "a100": (["one"], ["both"]),
            "v100": ([], ["both"]),
        }
        rows = [types[kind]["users"]["both"] for kind in ("a100", "v100")]
        assert [sum(both) for both in zip(*rows, strict=True)] == pytest.approx(gpus["both"], rel=1e-6)
        assert [any(row) for row in rows] == [True, True]

    def test_now_and_totals_are_in_full(self) -> None:
        report = reports.busy(9, days=2)
        data, use = data_of(report), report[UsageSection]
        assert data["now"]["total"] == use.now_total
        assert data["now"]["users"] == use.now
        assert data["totals"]["total"]["hours"] == use.total.hours
        assert (data["totals"]["from"], data["totals"]["to"]) == (report.window.start, report.window.now)

    def test_no_limit_zero_and_unknown_are_three_things(self) -> None:
        known, unknown = data_of(reports.golden())["limits"], data_of(reports.empty(limits=None))["limits"]
        assert known["NJOBS"].items() >= {"kind": "none", "value": None, "source": "GrpJobs"}.items()
        assert known["NGPUS:a100"].items() >= {"kind": "limit", "value": 0, "source": "GrpTRES gres/gpu:a100"}.items()
        assert known["MEMORY"].items() >= {"kind": "limit", "value": 3359.5, "source": "configuration"}.items()
        assert unknown["NCPUS"].items() >= {"kind": "unknown", "value": None, "source": ""}.items()

    def test_limits_are_told_as_they_were(self) -> None:
        data = data_of(reports.golden())
        start, changed = data["edges"][0], reports.epoch("2026-10-31 21:10")
        assert data["limits"]["NCPUS"]["history"] == [
            {"from": start, "kind": "limit", "value": 400, "source": "GrpTRES cpu"},
            {"from": changed, "kind": "limit", "value": 430, "source": "GrpTRES cpu"},
        ]
        assert [step["value"] for step in data["limits"]["NJOBS"]["history"]] == [20, None]
        assert [step["kind"] for step in data["limits"]["MEMORY"]["history"]] == ["none", "limit"]
        assert [step["kind"] for step in data["limits"]["NGPUS:a100"]["history"]] == ["none", "limit"]
        assert [step["from"] for step in data["limits"]["NGPUS"]["history"]] == [start, changed]
        for limit in data["limits"].values():
            assert {key: limit[key] for key in ("kind", "value", "source")}.items() <= limit["history"][-1].items()

    def test_what_is_missing_is_told(self) -> None:
        data = data_of(reports.golden())
        assert data["rejects"] == {"count": 2, "reasons": {"end before start": 2}}
        assert data["notes"][0]["kind"] == "runaway"
        stale = data_of(reports.stale())["staleness"]
        assert stale["stale"] is True
        assert stale["since"] == reports.NOW - 5 * 3600
        assert data_of(CASES["untracked"]())["untracked"] == ["NGPUS"]

    def test_whole_numbers_have_no_point_and_bytes_are_compact_ascii(self) -> None:
        text = data_bytes(reports.golden()).decode("ascii")
        outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
        assert not re.search(r"\d\.0\b|\s", outside)

    @pytest.mark.slow
    def test_a_month_of_41_users_is_small_when_it_is_compressed(self) -> None:
        """The demo's month, each person's jobs dealt out to three or four: at most 100 kB, as web servers send it."""
        runs = [run for run in simulate(reports.NOW) if run.qos == "avery"]
        people = sorted({run.user for run in runs if run.end is None or run.end > reports.NOW - 30 * DAY})
        parts = {user: len(range(place, 41, len(people))) for place, user in enumerate(people)}
        dealt = [replace(run, user=f"{run.user}{run.jobid % parts.get(run.user, 1)}") for run in runs]
        query = Query(Scope("demo", "avery"), reports.NOW - 31 * DAY, reports.NOW)
        jobs = ask.ask(Slurm(runner=DemoSlurm(dealt, now=reports.NOW)), query).jobs
        data = data_bytes(reports.report_on(jobs))
        assert 38 <= len(json.loads(data)["users"]) <= 41
        assert len(json.loads(data)["time_idxs"]) == 720
        assert len(gzip.compress(data, 6)) <= 100_000

    def test_equal_reports_give_equal_bytes(self) -> None:
        assert data_bytes(reports.busy(5)) == data_bytes(reports.busy(5))

    def test_names_survive_whatever_they_hold(self) -> None:
        data = data_of(reports.hostile())
        assert set(data["users"]) == set(reports.HOSTILE)
        assert data["metadata"]["title"] == "$x^2$ _<b>\n实验室 {title}"

    def test_a_number_that_is_none_is_never_written(self) -> None:
        report = reports.golden()
        report[UsageSection].usage.integrals[0, 0, 0] = np.nan
        with pytest.raises(ValueError, match="JSON"):
            data_bytes(report)

    def test_the_documentation_reads_the_files_as_they_are(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = (ROOT / "docs/data-format.md").read_text(encoding="utf-8")
        program = re.search(r"```python\n(.*?)```", page, re.DOTALL)
        assert program
        (tmp_path / "data_avery.json").write_bytes(data_bytes(reports.busy(3, days=2)))
        monkeypatch.chdir(tmp_path)
        names: dict[str, Any] = {}
        exec(program[1], names)
        assert list(names["cpus"].columns) == names["data"]["users"]
        assert names["cpus"].index[-1].isoformat() == names["data"]["time_idxs"][-1]


class TestNumbers:
    def test_seven_digits_and_the_nearest_float(self) -> None:
        values = np.random.default_rng(3).random(2000) * 10.0 ** np.arange(-10, 10).repeat(100)
        assert numbers.rounded(values).tolist() == [float(f"{value:.6e}") for value in values]

    def test_odd_ones(self) -> None:
        assert numbers.rounded(np.array([0.0, -0.0, 9999999.6, 1 / 3])).tolist() == [0.0, 0.0, 1e7, 0.3333333]
        assert str(numbers.rounded(np.array([-0.0]))[0]) == "0.0"

    @given(st.floats(-1e20, 1e20))
    def test_one_alone_is_as_in_an_array(self, value: float) -> None:
        assert scalars.short(value) == numbers.rounded(np.array([value])).tolist()[0]

    def test_whole_ones_are_ints(self) -> None:
        assert str(numbers.plain(np.array([[2.0, 2.5], [0.0, 1e17]]))) == "[[2, 2.5], [0, 1e+17]]"
        assert [str(scalars.exact(value)) for value in (2.0, 0.1, 1e17)] == ["2", "0.1", "1e+17"]


class TestIndex:
    def test_a_qos_with_data_names_its_files(self) -> None:
        index = json.loads(index_bytes())
        avery = index["qos"][0]
        assert (avery["data"], avery["csv"]) == ("data_avery.json", "usage_avery.csv.gz")
        assert avery["figures"]["overview"] == {"png": "overview_avery.png", "pdf": "overview_avery.pdf"}
        assert list(avery["figures"]) == list(PICTURES)
        assert avery["stale"] is False
        assert index["generated"] == isoformat(index["generated_at"], reports.ZONE)

    def test_a_file_that_is_not_there_is_not_named(self) -> None:
        there = frozenset({"NCPUS_avery.png", "overview_avery.png", "overview_avery.pdf", "NCPUS_other.pdf"})
        index = json.loads(index_bytes(files=there))
        validator("index").validate(index)
        avery = index["qos"][0]
        assert (avery["data"], avery["csv"]) == ("data_avery.json", None)
        assert avery["figures"] == {
            "NCPUS": {"png": "NCPUS_avery.png"},
            "overview": {"png": "overview_avery.png", "pdf": "overview_avery.pdf"},
        }

    def test_a_qos_without_data_says_why(self) -> None:
        new = json.loads(index_bytes())["qos"][2]
        assert (new["data"], new["csv"], new["figures"], new["last_updated"]) == (None, None, {}, None)
        assert new["reason"] == "nothing was collected yet"

    def test_a_script_from_elsewhere_has_no_file(self) -> None:
        assert json.loads(index_bytes(CDN))["plotly"] == {"kind": "cdn", "version": "4.1.1", "file": None}
        assert json.loads(index_bytes(BASIC))["plotly"]["file"] == "plotly-basic-4.1.1.min.js"


class TestFiles:
    NAMES = ("avery", "../avery", "a/b", "a\nb", "", ".", "overview", "a_NCPUS", "x" * 300, "zoë\udcff")

    def test_all_files_of_all_qos_have_names_of_their_own(self) -> None:
        every = [name for qos in self.NAMES for name in self.of(qos)]
        assert len(set(every)) == len(every) == len(self.NAMES) * (2 + 2 * len(PICTURES))
        assert all(re.fullmatch(r"[A-Za-z0-9_~][A-Za-z0-9_.~-]{0,200}", name) for name in every)
        assert not {files.INDEX, "index.html"} & set(every)

    @staticmethod
    def of(qos: str) -> list[str]:
        names = files.file_names(qos)
        return [names.data, names.csv, *(names.picture(name, end) for name in PICTURES for end in ("png", "pdf"))]
