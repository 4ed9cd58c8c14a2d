"""The queue and the waits in the data file, and in the picture."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from matplotlib.figure import Figure

from librarian.render.pictures.captions import label
from librarian.render.pictures.figure import styled
from librarian.shared import palette
from librarian.shared.report import Report
from librarian.subjects.queue import pictures
from librarian.subjects.queue.model import LastQueue
from librarian.subjects.queue.pictures import IN_USE, queue_layers
from librarian.subjects.queue.section import QueueSection
from librarian.subjects.queue.table import queue_table
from tests.unit import rendering, reports
from tests.unit.subjects.usage.test_payload import data_of, validator

USERS = [f"user{number:03d}" for number in range(41)]


def many() -> Report:
    """A busy month of 41 users, all of whom wait, for every reason, in many sizes."""
    kinds = ("QOSGrpCpuLimit", "QOSGrpGRES", "Priority", "Resources", "JobHeldUser", "Dependency", "BeginTime")
    rows = [
        reports.pending(user, reason, f"cpu={1 + n % 9},mem={n}G", job=f"{user} {reason}")
        for n, user in enumerate(USERS)
        for reason in kinds
    ]
    return reports.busy(
        41, queue=LastQueue(reports.NOW, queue_table(rows)), samples=reports.wishes([*USERS[:12], "newcomer"], days=30)
    )


class TestData:
    def test_golden(self) -> None:
        data = data_of(reports.golden())
        queue = data["queue"]
        assert (queue["at"], queue["jobs"]) == (data["metadata"]["last_updated_epoch"], 43)
        assert {name: group["jobs"] for name, group in queue["groups"].items()} == {
            **{"competing": 34, "held": 7, "dependency": 1, "begin": 1}
        }
        assert queue["oldest"] == {"user": "zoë", "since": queue["at"] - 7200}
        assert queue["next_start"] == queue["at"] + 3600
        texts = {cause["reason"]: cause["text"] for cause in queue["reasons"]}
        assert "17 of the group's 430 CPUs are in use: alice holds 16, bob 1." in texts["QOSGrpCpuLimit"]
        assert "One job asks for more than that alone" in texts["QOSGrpCpuLimit"]
        assert "c[01-02]" in texts["ReqNodeNotAvail"]
        assert "SomethingNew <b>" in texts
        assert [waiter["user"] for waiter in queue["users"]][:2] == ["__proto__", "zoë"]

    def test_history_is_null_where_nobody_looked(self) -> None:
        data = data_of(reports.golden())
        waiting = data["waiting"]
        assert waiting["sampled"][-2:] == [3, 1]
        assert waiting["NCPUS"] == {
            "bob": [None] * (len(waiting["sampled"]) - 2) + [4, 0],
            "__proto__": [None] * (len(waiting["sampled"]) - 2) + [0.6666667, 0],
        }
        assert list(waiting["NGPUS"]) == ["__proto__"]

    def test_who_only_waits_has_a_colour_and_no_row_elsewhere(self) -> None:
        data = data_of(reports.golden())
        assert "<i>" not in data["users"]
        assert set(data["colours"]) == {*data["users"], "zoë", "__proto__", "<i>"}
        assert data["colours"]["<i>"] != palette.OTHERS

    def test_names_of_the_page_s_own_objects_survive(self) -> None:
        text = rendering.data_json(reports.golden(), next_expected=0, version="1").decode()
        assert json.loads(text)["queue"]["reasons"][0]["users"]
        assert '"__proto__":30' in text

    def test_never_looked_at(self) -> None:
        data = data_of(reports.empty())
        assert (data["queue"]["at"], data["queue"]["jobs"], data["waiting"]["NCPUS"]) == (None, 0, {})
        assert set(data["waiting"]["sampled"]) == {0}
        assert data["waits"]["still"] == {kind: {"jobs": 0, "median": None} for kind in ("cpu", "gpu")}

    @pytest.mark.slow
    def test_a_full_queue_of_41_users_is_as_the_schema_says_and_small(self) -> None:
        check: Draft202012Validator = validator("data")
        data = data_of(many())
        check.validate(data)
        parts: dict[str, Any] = {name: data[name] for name in ("queue", "waiting", "waits")}
        assert len(gzip.compress(json.dumps(parts, separators=(",", ":")).encode(), 6)) <= 30_000
        columns = data["waits"]["ranges"]["all"]["columns"]
        assert len(columns["user"]) > 41
        assert {len(column) for column in columns.values()} == {len(columns["user"])}


def drawn(report: Report) -> Figure:
    with styled():
        return pictures.draw(report)


class TestPicture:
    @pytest.mark.slow
    def test_use_below_and_wishes_by_user_above(self) -> None:
        layers = queue_layers(many(), "NCPUS")
        assert label(layers[0]) == IN_USE
        own = [layer.user for layer in layers if layer.user]
        assert len(own) == len({layer.colour for layer in layers if layer.user}) <= 12
        report = many()
        means = sum(layer.means for layer in layers[1:])
        assert means == pytest.approx(report[QueueSection].wanted.means["NCPUS"].sum(axis=0), nan_ok=True)

    def test_no_colour_stands_for_two(self) -> None:
        report = reports.busy(40, samples=reports.wishes([f"user{n:03d}" for n in range(40)], days=3))
        colours = [layer.colour for layer in queue_layers(report, "NCPUS")]
        assert len(colours) == len(set(colours))

    @pytest.mark.parametrize(
        "report",
        [reports.empty(), reports.busy(3, days=2), reports.golden(), many(),
         reports.hostile(samples=reports.wishes(reports.HOSTILE, days=2)),
         reports.busy(2, days=1, gpus=False, gpus_tracked=False, samples=reports.wishes(["user000"], days=1))],
        ids=["empty", "never looked", "golden", "many", "hostile", "untracked"],
    )  # fmt: skip
    def test_it_can_be_drawn(self, report: Report) -> None:
        figure = drawn(report)
        assert len(figure.axes) == 2
        assert figure.axes[0].get_title(loc="left") == "CPUs in use, and waited for"

    def test_that_nobody_looked_is_said(self) -> None:
        def words(report: Report) -> list[str]:
            return [text.get_text() for axes in drawn(report).axes for text in axes.texts]

        assert "queue not looked at" in words(reports.busy(3, days=2))
        assert "queue not looked at" not in words(reports.busy(3, days=2, samples=reports.wishes([], days=3)))

    def test_what_is_not_tracked_is_not_drawn(self) -> None:
        report = reports.busy(2, days=1, gpus=False, gpus_tracked=False, samples=reports.wishes(["user000"], days=1))
        assert queue_layers(report, "NGPUS") == ()
