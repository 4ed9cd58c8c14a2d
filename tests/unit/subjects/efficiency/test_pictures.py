"""The picture of efficiency: what it shows, and that what is not known is never drawn as nothing used."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Polygon

from librarian.shared.report import Report
from librarian.shared.resources import by_key
from librarian.shared.spans import Spans
from librarian.subjects.efficiency.model import Hours
from librarian.subjects.efficiency.pictures import NOT_KNOWN, title, unknown
from librarian.subjects.efficiency.section import EfficiencySection
from tests.unit import reports
from tests.unit.subjects.usage.test_figures import CASES, figure_of, legend, texts

WORDS = ["used", "allocated, unused", "allocated, not measured"]


def with_known(report: Report, known: Spans) -> Report:
    section = replace(report[EfficiencySection], known=known)
    return replace(report, sections={**report.sections, "efficiency": section})


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_it_is_drawn_whatever_there_is(case: str) -> None:
    report = CASES[case]()
    figure = figure_of(report, "efficiency")
    FigureCanvasAgg(figure).draw()
    held = report[EfficiencySection].whole.total
    names = [by_key(key).name for key in ("NCPUS", "NGPUS", "MEMORY") if key in held]
    assert [axes.get_title(loc="left").partition(":")[0] for axes in figure.axes] == names
    assert ("no job has ended in the time that is known" in texts(figure)) == (not names)


def test_each_resource_says_how_much_is_known_and_hatches_what_is_not_measured() -> None:
    report = reports.busy(5, days=3)
    figure = figure_of(report, "efficiency")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[1] == "GPUs: not measured on this cluster"
    assert " % used (known for " in titles[0]
    assert "0 % used" not in titles
    for axes, key in zip(figure.axes, ("NCPUS", "NGPUS", "MEMORY"), strict=True):
        hatched, *plain = (one for one in axes.get_children() if isinstance(one, Polygon) and len(one.get_xy()) > 4)
        allocated = report[EfficiencySection].bins[key][0]
        assert hatched.get_hatch()
        assert max(hatched.get_xy()[:, 1]) == pytest.approx(allocated.max())
        assert not any(one.get_hatch() for one in plain)
    assert sorted(legend(figure)) == sorted(WORDS)


def test_time_of_which_nothing_is_known_is_shaded_and_said() -> None:
    report = reports.busy(2, days=4)
    window = report.window
    figure = figure_of(with_known(report, ((window.start + 2 * 86400, window.now),)), "efficiency")
    assert sorted(legend(figure)) == sorted([*WORDS, NOT_KNOWN])
    assert texts(figure).count(NOT_KNOWN) == len(figure.axes) > 0


def test_more_used_than_allocated_is_not_cut_off() -> None:
    report = reports.busy(1, days=2)
    section = report[EfficiencySection]
    bins = {key: np.array([rows[0], rows[1], rows[0] * 3]) for key, rows in section.bins.items()}
    figure = figure_of(
        replace(report, sections={**report.sections, "efficiency": replace(section, bins=bins)}), "efficiency"
    )
    for axes, rows in zip(figure.axes, bins.values(), strict=False):
        assert axes.get_ylim()[1] > min(float(rows[2].max()), 1)
    cpus = by_key("NCPUS")
    assert title(cpus, Hours(100, 50, 150)) == "CPUs: 300 % used (known for 50 % of the CPU-hours)"
    assert title(cpus, Hours(100)) == "CPUs: not measured on this cluster"
    assert title(cpus, Hours(100, 100)) == "CPUs: 0 % used (known for 100 % of the CPU-hours)"


SPANS = st.lists(st.integers(0, 50), unique=True, max_size=12).map(
    lambda ends: tuple(pairwise(sorted(ends)))[::2]  # in order, none touches another
)


@given(SPANS)
def test_what_is_unknown_is_all_that_is_not_known(known: Spans) -> None:
    edges = np.array([10.0, 20.0, 40.0])
    dark = list(unknown(edges, known))
    for second in range(10, 40):
        told = any(begin <= second < end for begin, end in known)
        assert told != any(begin <= second < end for begin, end in dark)
