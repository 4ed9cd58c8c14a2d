"""The pictures: what they show, what they say, and that nothing from outside spoils them.

Any warning fails a test here, matplotlib's on missing glyphs and hidden labels included.
"""

from __future__ import annotations

import io
import itertools
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import matplotlib
import numpy as np
import pytest
import pytz
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from PIL import Image

from librarian.render.pictures import captions, chart
from librarian.render.pictures import figure as figures
from librarian.render.pictures.figure import styled
from librarian.render.pictures.style import drawable
from librarian.render.pictures.ticks import time_ticks
from librarian.shared import palette
from librarian.shared.report import Report, Staleness
from librarian.shared.window import Window, window_until
from librarian.shared.words import amount
from librarian.subjects.limits.model import Change, QosLimits
from librarian.subjects.usage.section import UsageSection
from librarian.subjects.usage.stack import layers, legend_layers, top_users
from tests.places import ROOT
from tests.unit import rendering, reports
from tests.unit.rendering import PICTURES

NOW = reports.NOW
HOUR, DAY = 3600, 86400
STREAM = re.compile(rb"stream\n(.*?)\nendstream", re.DOTALL)
SIZES = {"overview": (1560, 960), "pressure": (1560, 960), "queue": (1200, 945), "efficiency": (1560, 960)}


def figure_of(report: Report, key: str) -> Figure:
    """The figure of one chart, or of the overview, before it becomes a file."""
    with styled():
        drawn: Figure = rendering.subject_of(key).draw(report, key)
    return drawn


def axes_of(report: Report, key: str) -> Axes:
    return figure_of(report, key).axes[0]


def texts(figure: Figure) -> list[str]:
    found = [text.get_text() for text in (*figure.texts, *(text for axes in figure.axes for text in axes.texts))]
    return [text.replace(r"\$", "$") for text in found]


def legend(figure: Figure) -> list[str]:
    return [text.get_text().replace(r"\$", "$") for box in figure.legends for text in box.get_texts()]


def limit_lines(axes: Axes) -> list[float]:
    """What the limit's line shows, a step at a time, without its gaps."""
    heights = [line.get_ydata()[::2] for line in axes.lines if line.get_linestyle() == "--"]
    return [float(height) for step in heights for height in step if not np.isnan(height)]


def limit_labels(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_text().startswith("limit")]


CASES = {
    "one user": lambda: reports.busy(1),
    "12 users": lambda: reports.busy(12),
    "40 users, all shown": lambda: reports.busy(40, top_users=40),
    "500 users": lambda: reports.busy(500, days=7),
    "100 users, all shown": lambda: reports.busy(100, days=7, top_users=100),
    "empty": reports.empty,
    "empty, no limits": lambda: reports.empty(limits=None),
    "stale": reports.stale,
    "untracked": lambda: reports.busy(3, gpus=False, gpus_tracked=False),
    "hostile": reports.hostile,
    "golden": reports.golden,
    "six hours": lambda: reports.report_of([reports.Run("a", NOW - 9000)], seconds=6 * HOUR),
    "three months": lambda: reports.busy(5, days=90),
}


@cache
def drawn() -> tuple[figures.Picture, ...]:
    """All pictures of the golden report, made once: drawing takes two seconds."""
    return tuple(rendering.draw(reports.golden()))


class TestFiles:
    @pytest.mark.slow
    def test_a_chart_for_each_observable_then_the_overview(self) -> None:
        pictures = drawn()
        assert [picture.name for picture in pictures] == list(PICTURES)
        for picture in pictures:
            with Image.open(io.BytesIO(picture.png)) as image:
                image.verify()
                assert image.size == {**SIZES, "month": (1560, image.height)}.get(picture.name, (1200, 675))
            assert picture.pdf.startswith(b"%PDF-")
            assert picture.pdf.rstrip().endswith(b"%%EOF")

    def test_they_are_drawn_when_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn: list[str] = []
        real = figures.saved
        monkeypatch.setattr(figures, "saved", lambda name, figure: drawn.append(name) or real(name, figure))
        pictures = rendering.draw(reports.empty())
        next(pictures)
        assert drawn == ["NCPUS"]

    @pytest.mark.slow
    def test_equal_reports_give_equal_bytes_and_no_file_tells_when_or_by_what(self) -> None:
        first, second = drawn(), tuple(rendering.draw(reports.golden()))
        assert first == second
        for picture in first:
            for word in (b"CreationDate", b"Producer", b"Creator", b"atplotlib", b"tEXt", b"tIME"):
                assert word not in picture.png + picture.pdf

    @pytest.mark.slow
    def test_sizes_for_40_users_and_a_month(self) -> None:
        for picture in rendering.draw(reports.busy(40, top_users=12)):
            assert len(picture.png) < 120_000, picture.name
            assert len(picture.pdf) < 200_000, picture.name

    @pytest.mark.slow
    def test_no_matplotlibrc_has_a_say(self) -> None:
        expected = drawn()[0]
        with matplotlib.rc_context():
            mine = {"text.usetex": True, "savefig.dpi": 20, "axes.facecolor": "red", "savefig.bbox": "tight"}
            matplotlib.rcParams.update(mine)
            assert next(rendering.draw(reports.golden())) == expected
            assert {key: matplotlib.rcParams[key] for key in mine} == mine

    @pytest.mark.slow
    def test_pyplot_is_never_loaded(self) -> None:
        program = (
            "import sys; from tests.unit import rendering, reports\n"
            "list(rendering.draw(reports.golden())); sys.exit('matplotlib.pyplot' in sys.modules)"
        )
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)

    @pytest.mark.slow
    @pytest.mark.parametrize("case", CASES)
    def test_every_case_is_drawn_inside_the_picture_and_no_labels_touch(self, case: str) -> None:
        report = CASES[case]()
        for key in ("NCPUS", "overview"):
            figure = figure_of(report, key)
            renderer = FigureCanvasAgg(figure).get_renderer()
            with styled():
                figure.draw(renderer)
                box = figure.get_tightbbox(renderer)
            width, height = figure.get_size_inches()
            assert (box.x0, box.y0) >= (0, 0)
            assert box.x1 <= width + 0.01
            assert box.y1 <= height + 0.01
            for axes in figure.axes:
                labels = [label.get_window_extent(renderer) for label in axes.get_xticklabels()]
                assert all(a.x1 < b.x0 for a, b in itertools.pairwise(labels)), case
            for box_ in figure.legends:
                left = box_.get_window_extent(renderer).x0
                assert all(axes.get_window_extent(renderer).x1 < left for axes in figure.axes)


class TestLayers:
    def test_the_users_who_come_first_have_their_own_and_the_rest_share_one(self) -> None:
        report = reports.busy(20, days=3)
        stack = layers(report, "NCPUS")
        assert [layer.user for layer in stack] == [*report[UsageSection].users[:12], None]
        assert stack[-1].users == set(report[UsageSection].users[12:])
        assert [layer.colour for layer in stack] == [
            *(report.colours[u] for u in report[UsageSection].users[:12]),
            palette.OTHERS,
        ]

    def test_no_two_areas_share_a_colour(self) -> None:
        report = reports.busy(20, days=3)
        report = replace(report, colours=dict.fromkeys(report[UsageSection].users, "#332288"))
        colours = [layer.colour for layer in layers(report, "NCPUS")]
        assert len(set(colours)) == len(colours) == 13
        assert colours[0] == "#332288"

    def test_together_they_are_all_that_was_held(self) -> None:
        report = reports.busy(20, days=3)
        for row, observable in enumerate(report[UsageSection].usage.observables):
            stack = layers(report, observable.key)
            assert np.allclose(sum(layer.means for layer in stack), report[UsageSection].usage.means[row].sum(axis=0))

    def test_users_without_a_colour_look_like_the_others(self) -> None:
        report = replace(reports.busy(2, days=1), colours={})
        assert {layer.colour for layer in layers(report, "NCPUS")} == {palette.OTHERS}

    def test_who_held_nothing_has_no_layer(self) -> None:
        report = reports.golden()
        assert "eve" not in top_users(report)
        assert [layer.user for layer in layers(report, "NGPUS")] == ["alice", "bob"]
        assert layers(reports.empty(), "NCPUS") == ()

    def test_the_common_legend_keeps_the_order_and_counts_each_other_user_once(self) -> None:
        report = reports.busy(20, days=3)
        charts = [layers(report, key) for key in ("NGPUS", "NCPUS")]
        entries = legend_layers(report, charts)
        assert [layer.user for layer in entries] == [*report[UsageSection].users[:12], None]
        assert len(entries[-1].users) == 8


class Places(RendererAgg):
    """Notes where each path is drawn."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(*figure.canvas.get_width_height(), figure.dpi)
        self.paths: list[Any] = []

    def draw_path(self, gc: Any, path: Any, transform: Any, *colour: Any) -> None:
        self.paths.append(transform.transform(path.vertices))
        super().draw_path(gc, path, transform, *colour)


class TestChart:
    def test_areas_have_the_size_of_what_was_held(self) -> None:
        edges, values = np.array([0.0, 10, 20, 30, 45]), np.array([2.0, 2.0, 0.0, 4.0])
        x, y = chart.outline(edges, values).T
        assert abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2 == 2 * 20 + 4 * 15
        assert len(x) == 8  # equal neighbours are one step

    def test_the_areas_are_stacked_in_order_and_end_at_now(self) -> None:
        report = reports.busy(3, days=2)
        axes, stack = axes_of(report, "NCPUS"), layers(report, "NCPUS")
        top = sum(layer.means for layer in stack)
        corners = [patch.get_xy() for patch in axes.patches if isinstance(patch, Polygon)]
        assert max(c[:, 1].max() for c in corners) == pytest.approx(top.max())
        assert corners[-1][:, 1].max() == pytest.approx(stack[0].means.max())  # the lowest is drawn last
        assert {float(c[:, 0].max()) for c in corners} == {float(report.window.now)}
        assert axes.get_xlim() == (report.window.start, report.window.now)

    def test_places_are_told_in_tenths_and_follow_the_scale(self) -> None:
        axes = axes_of(reports.busy(3, days=2), "NCPUS")
        patch = axes.patches[0]
        exact = axes.transData.transform(patch.get_xy())
        drawn = patch.get_transform().transform(patch.get_xy())
        assert np.abs(drawn - exact).max() <= 0.05 + 1e-9
        assert np.array_equal(drawn, np.round(drawn, 1))

    def test_lines_and_areas_follow_each_change_of_the_scale(self) -> None:
        axes = axes_of(reports.busy(3, days=2), "NCPUS")
        for dpi in (100, 72, 50):
            axes.figure.set_dpi(dpi)
            drawn = Places(axes.figure)
            axes.figure.draw(drawn)
            for patch in axes.patches:
                exact = axes.transData.transform(patch.get_path().vertices)
                paths = [path for path in drawn.paths if path.shape == exact.shape]
                assert any(np.allclose(exact, path, atol=0.05 + 1e-9, equal_nan=True) for path in paths), dpi

    def test_a_pdf_has_few_digits(self) -> None:
        picture = next(rendering.draw(reports.busy(12, days=30)))
        page = max((zlib.decompress(part) for part in STREAM.findall(picture.pdf) if part[:1] == b"x"), key=len)
        numbers = [number for pair in re.findall(rb"(\S+) (\S+) l\n", page) for number in pair]
        long = [number for number in numbers if len(number.partition(b".")[2]) > 1]
        assert len(numbers) > 1000
        assert len(long) < len(numbers) / 20, "scales and marks are few"

    def test_lines_between_areas_only_where_both_are_and_only_long_ones(self) -> None:
        edges = np.array([0.0, 10, 20, 30, 40])
        means = np.array([[1.0, 1.0, 1.0, 2.0], [1.0, 1.0, 0.0, 1.0]])
        x, y = chart.separators(edges, means, 15)
        assert (x[:2].tolist(), y[:2].tolist(), len(x)) == ([0, 20], [1, 1], 3)
        x, y = chart.separators(edges, means, 10)
        assert (x[3:5].tolist(), y[3:5].tolist(), len(x)) == ([30, 40], [2, 2], 6)

    @pytest.mark.parametrize("limit", [0.0, 1.0, 430.0, 3.5e6])
    def test_a_limit_and_its_label_are_inside(self, limit: float) -> None:
        axes = axes_of(reports.busy(3, days=2, limits=QosLimits({"cpu": limit}, None)), "NCPUS")
        assert limit_lines(axes) == [limit]
        label = next(text for text in axes.texts if text.get_text().startswith("limit"))
        renderer = FigureCanvasAgg(axes.figure).get_renderer()
        inside, written = axes.get_window_extent(renderer), label.get_window_extent(renderer)
        assert inside.y0 <= written.y0
        assert written.y1 <= inside.y1 + 1
        assert inside.x0 <= written.x0
        assert label.get_text() == f"limit {amount(limit)} CPUs"

    def test_a_limit_that_changed_is_drawn_in_steps_each_with_its_label(self) -> None:
        later = QosLimits({"cpu": 430.0}, None)
        changes = [Change(NOW - 9 * DAY, QosLimits({"cpu": 300.0}, None), {}), Change(NOW - DAY, later, {})]
        axes = axes_of(reports.busy(3, days=3, limits=later, changes=tuple(changes)), "NCPUS")
        (line,) = [line for line in axes.lines if line.get_linestyle() == "--"]
        start = int(axes.get_xlim()[0])
        assert line.get_xdata().tolist() == [start, NOW - DAY, NOW - DAY, NOW]
        assert line.get_ydata().tolist() == [300, 300, 430, 430]
        assert limit_labels(axes) == ["limit 430 CPUs", "limit 300 CPUs"]
        assert axes.get_ylim()[1] >= 430

    def test_a_limit_that_is_over_leaves_a_gap_and_the_scale(self) -> None:
        axes = axes_of(reports.golden(), "NJOBS")
        assert limit_lines(axes) == [20]
        assert limit_labels(axes) == ["limit 20 jobs"]
        assert axes.get_ylim()[1] >= 20

    @pytest.mark.parametrize("changed", [0, 60, 600, 20 * HOUR])
    def test_labels_of_steps_stay_inside_and_touch_no_other(self, changed: int) -> None:
        now = QosLimits({"cpu": 430.0}, None)
        changes = [(9 * DAY, 300.0), (HOUR + changed, 410.0), (changed, 430.0)]
        kept = tuple(Change(NOW - ago, QosLimits({"cpu": cpus}, None), {}) for ago, cpus in changes)
        axes = axes_of(reports.busy(3, days=3, limits=now, changes=kept), "NCPUS")
        renderer = FigureCanvasAgg(axes.figure).get_renderer()
        boxes = [text.get_window_extent(renderer) for text in axes.texts if text.get_text().startswith("limit")]
        assert limit_labels(axes)[0] == "limit 430 CPUs"
        assert all(box.x1 <= axes.get_window_extent(renderer).x1 for box in boxes)
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))

    def test_no_line_where_there_is_no_limit_or_none_is_known(self) -> None:
        assert limit_lines(axes_of(reports.busy(2, days=1), "NJOBS")) == []
        unknown = figure_of(reports.busy(2, days=1, limits=None), "NCPUS")
        assert limit_lines(unknown.axes[0]) == []
        assert any("limits not known" in text for text in texts(unknown))

    def test_what_is_not_tracked_has_a_sentence_and_no_scale(self) -> None:
        figure = figure_of(reports.busy(2, days=1, gpus=False, gpus_tracked=False), "NGPUS")
        assert "GPUs are not tracked on this cluster" in texts(figure)
        assert list(figure.axes[0].get_yticks()) == []
        assert limit_lines(figure.axes[0]) == []

    def test_nothing_used_is_said_and_the_limit_stays(self) -> None:
        figure = figure_of(reports.empty(), "NCPUS")
        assert "no jobs in this window" in texts(figure)
        assert limit_lines(figure.axes[0]) == [430.0]
        assert legend(figure) == []
        assert "no GPUs in use in this window" in texts(figure_of(reports.busy(1, days=1, gpus=False), "NGPUS"))


class TestWords:
    def test_title_axes_and_foot(self) -> None:
        figure = figure_of(reports.busy(2, days=1), "MEMORY")
        assert texts(figure)[0] == "Memory · Avery Lab"
        assert (figure.axes[0].get_ylabel(), figure.axes[0].get_xlabel()) == ("GiB", "US/Eastern")
        assert "tillicum · hourly means · updated 2026-11-20 14:10 EST" in texts(figure)
        assert not any("STALE" in text for text in texts(figure))

    def test_stale_since_when_and_why(self) -> None:
        expected = "STALE since 2026-11-20 09:10 EST — Slurm did not answer"
        assert expected in texts(figure_of(reports.stale(), "NCPUS"))
        assert expected in texts(figure_of(reports.stale(), "overview"))
        assert "STALE" in texts(figure_of(reports.empty(staleness=Staleness(True)), "NCPUS"))

    def test_the_legend_is_in_the_order_of_the_stack(self) -> None:
        report = reports.busy(20, days=3)
        assert legend(figure_of(report, "NCPUS")) == ["others (8 users)", *reversed(report[UsageSection].users[:12])]
        assert legend(figure_of(report, "overview")) == ["others (8 users)", *reversed(report[UsageSection].users[:12])]

    def test_the_overview_has_all_charts_and_one_legend(self) -> None:
        figure = figure_of(reports.busy(3, days=1), "overview")
        assert [axes.get_title(loc="left") for axes in figure.axes] == ["CPUs", "GPUs", "Memory", "Running jobs"]
        assert len(figure.legends) == 1

    def test_hostile_names_are_shown_as_they_are_as_far_as_they_can_be(self) -> None:
        names = legend(figure_of(reports.hostile(top_users=20), "NCPUS"))
        assert {"$alpha_{1}$", "_hidden", "__proto__", "back\\slash$", "two\ufffdlines", "undecoded\ufffd"} <= set(
            names
        )
        assert {"zoë-\ufffd\ufffd", "reversed\ufffdeman", "<script>alert(…</script>"} <= set(names)
        assert len(set(names)) == len(reports.HOSTILE)  # the ends of long names tell them apart

    def test_a_dollar_is_a_dollar(self) -> None:
        """What is drawn is as wide as its characters: no sign is taken for mathematics, none is added."""
        figure = Figure()
        renderer = FigureCanvasAgg(figure).get_renderer()
        for text in ("$a$", "a$", "$$", r"\$a\$", "$a_{1}$ b$"):
            signs = [figure.text(0, 0, text.replace("$", sign)) for sign in ("S", "0")]
            drawn = figure.text(0, 0, drawable(text)).get_window_extent(renderer).width
            assert drawn == pytest.approx(signs[1].get_window_extent(renderer).width, rel=0.05), text

    @pytest.mark.parametrize(
        ("value", "text"), [(0, "0"), (0.25, "0.25"), (1500, "1,500"), (15000, "15k"), (2.5e6, "2.5M"), (4e9, "4G")]
    )
    def test_ticks(self, value: float, text: str) -> None:
        assert captions.tick(value) == text

    @pytest.mark.parametrize(
        ("bin_seconds", "word"), [(3600, "hourly"), (DAY, "daily"), (900, "15-minute"), (6 * HOUR, "6-hour")]
    )
    def test_the_foot_names_the_bins(self, bin_seconds: int, word: str) -> None:
        assert f"{word} means" in captions.foot(reports.empty(bin_seconds=bin_seconds))


def window(now: str, hours: float, zone: str = reports.ZONE) -> Window:
    return window_until(reports.epoch(now, zone), seconds=int(hours * HOUR), bin_seconds=HOUR, zone=zone)


class TestTimeAxis:
    @pytest.mark.parametrize(
        "hours", [1, 2, 6, 12, 24, 48, 72, 73, 24 * 5, 24 * 10, 24 * 14, 24 * 30, 24 * 90, 24 * 400]
    )
    @pytest.mark.parametrize("most", [4, 8])
    def test_neither_too_many_nor_none(self, hours: int, most: int) -> None:
        axis = window("2026-11-20 14:10", hours)
        ticks = time_ticks(axis, most)
        assert 1 <= len(ticks.at) <= most + 1 or hours > 24 * 100
        assert all(axis.start <= at <= axis.now for at in (*ticks.at, *ticks.minor))
        assert len(ticks.at) == len(ticks.labels)

    @pytest.mark.parametrize(("now", "day"), [("2026-11-01 20:00", "Nov 1"), ("2026-03-08 20:00", "Mar 8")])
    def test_hours_are_those_on_the_wall_when_the_clocks_change(self, now: str, day: str) -> None:
        ticks = time_ticks(window(now, 24), 8)
        assert day in ticks.labels
        for at, label in zip(ticks.at, ticks.labels, strict=True):
            local = datetime.fromtimestamp(at, pytz.timezone(reports.ZONE))
            assert label in (f"{local:%H:%M}", f"{local:%b} {local.day}")
            assert (local.hour % 3, local.minute) == (0, 0)

    def test_days_are_local_midnights_across_the_change(self) -> None:
        ticks = time_ticks(window("2026-11-05 20:00", 24 * 7), 8)
        local = [datetime.fromtimestamp(at, pytz.timezone(reports.ZONE)) for at in ticks.at]
        assert {(time.hour, time.minute) for time in local} == {(0, 0)}
        assert ticks.labels[:3] == ("Fri Oct 30", "Sat Oct 31", "Sun Nov 1")
        assert sorted(set(np.diff(ticks.at).tolist())) == [DAY, 25 * HOUR]

    def test_weeks_begin_on_mondays_and_stay_where_they_are_from_run_to_run(self) -> None:
        first, second = (time_ticks(window(now, 24 * 30), 8) for now in ("2026-11-20 14:10", "2026-11-20 14:20"))
        assert first.labels == ("Mon Oct 26", "Mon Nov 2", "Mon Nov 9", "Mon Nov 16")
        assert first == second
        assert set(first.at) <= set(first.minor)

    def test_half_an_hour_of_change_and_odd_offsets(self) -> None:
        for zone, now in (("Australia/Lord_Howe", "2026-10-04 20:00"), ("Asia/Kathmandu", "2026-10-04 20:00")):
            ticks = time_ticks(window(now, 24, zone), 8)
            assert "12:00" in ticks.labels
            assert len(ticks.at) >= 7


@pytest.fixture(autouse=True)
def _nothing_is_left_changed() -> Iterator[None]:
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
