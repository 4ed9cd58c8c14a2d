"""The picture of limits: what it shows of each, and what it says where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from librarian.shared.words import amount
from librarian.subjects.limits.model import QosLimits
from librarian.subjects.limits.pictures import hit
from librarian.subjects.limits.rules import Account
from librarian.subjects.limits.section import LimitsSection
from librarian.subjects.usage.section import UsageSection
from tests.unit import reports
from tests.unit.subjects.usage.test_figures import CASES, figure_of, texts


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_it_is_drawn_whatever_there_is(case: str) -> None:
    report = CASES[case]()
    figure = figure_of(report, "pressure")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    limited = [
        one.name
        for one in report[UsageSection].pictured
        if one.key in report[LimitsSection].pressure.shares and one.key not in report[UsageSection].untracked
    ]
    assert [axes.get_title(loc="left").partition(":")[0] for axes in figure.axes[::2]] == limited
    said = {"no limits are set", "the limits are not known"} & {text.get_text() for text in figure.texts}
    assert len(said) == (not limited), "where there is no limit, that is said"
    colours = np.ascontiguousarray(canvas.buffer_rgba()).view(np.uint32)
    assert len(np.unique(colours)) > 9, "and there is ink on it"


def test_each_limit_has_a_row_with_its_line_and_its_holders() -> None:
    limits = QosLimits({"cpu": 40.0, "gres/gpu": 3.0}, None)
    report = reports.busy(12, days=7, limits=limits)
    figure = figure_of(report, "pressure")
    titles = [axes.get_title(loc="left") for axes in figure.axes[::2]]
    assert titles == ["CPUs: limit 40 CPUs", "GPUs: limit 3 GPUs"]
    cpus = report[LimitsSection].pressure.totals["NCPUS"]
    said = figure.axes[1].get_title(loc="right")
    assert said == f"at ≥ 95 % for {amount(cpus.near / 3600)} h of {amount(cpus.limited / 3600)} h"
    names = [text.get_text() for text in figure.axes[1].texts[::2]]
    assert names == [*(holder.user for holder in cpus.holders[:4]), "others"]
    for axes in figure.axes[::2]:
        (line,) = (line for line in axes.lines if line.get_linestyle() == "--")
        assert set(line.get_ydata()) == {0.95}


def test_a_limit_that_was_never_hit_says_so() -> None:
    figure = figure_of(reports.busy(1, days=2), "pressure")
    assert {axes.get_title(loc="right") for axes in figure.axes[1::2]} == {"never at the limit"}


@pytest.mark.parametrize(
    ("near", "shared", "words"),
    [
        (0, False, "never at the limit"),
        (0, True, "shared with other QoS"),
        (7200, False, "at ≥ 95 % for 2 h of 10 h"),
        (7200, True, "at ≥ 95 % for at least 2 h of 10 h"),
    ],
)
def test_for_how_long_a_limit_was_hit(near: int, shared: bool, words: str) -> None:
    known = reports.busy(1, days=2)[LimitsSection].pressure.totals["NCPUS"]
    assert hit(replace(known, near=near, limited=36000), shared=shared) == words


def test_without_limits_it_says_why_there_is_nothing() -> None:
    assert "no limits are set" in texts(figure_of(reports.busy(1, limits=QosLimits({}, None)), "pressure"))
    assert "the limits are not known" in texts(figure_of(reports.busy(1, limits=None), "pressure"))


def test_hostile_names_stay_text() -> None:
    figure = figure_of(reports.hostile(limits=QosLimits({"cpu": 40.0}, None)), "pressure")
    names = [text.get_text() for text in figure.axes[1].texts[::2]]
    assert names[-1] == "others"
    assert "\n" not in "".join(names)


def test_untracked_gpus_have_no_row() -> None:
    figure = figure_of(reports.busy(3, gpus=False, gpus_tracked=False, limits=reports.LIMITS), "pressure")
    assert [axes.get_title(loc="left").split(":")[0] for axes in figure.axes[::2]] == ["CPUs", "Memory"]


def test_who_sets_a_limit_is_named_where_it_is_not_the_qos() -> None:
    account = Account("l$ab\n", "", {"GrpJobs": {"jobs": 9.0}}, True)
    limits = QosLimits({"cpu": 40.0}, None, accounts=(account,), elsewhere=(True, False))
    figure = figure_of(reports.empty(limits=limits, overrides={"mem": 7.0}), "pressure")
    assert [axes.get_title(loc="left").replace(r"\$", "$") for axes in figure.axes[::2]] == [
        "CPUs: limit 40 CPUs",
        "Memory: limit 7 GiB (configuration)",
        "Running jobs: limit 9 jobs (GrpJobs of association l$ab)",
    ]
