"""The plain page: that all of it is there, in words, without a script, whatever the names and the data are."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from librarian.render.html import plain
from librarian.render.html.parts import ROWS, shortened
from librarian.shared.report import Report
from librarian.shared.words import amount, percent
from librarian.site import assets
from librarian.subjects.limits.model import Change, QosLimits
from librarian.subjects.limits.rules import Account
from tests.unit import rendering, reports
from tests.unit.render.test_page import EVIL, Elements, golden_datasets, golden_index, policy_of, sha
from tests.unit.rendering import PICTURES
from tests.unit.subjects.usage.test_payload import data_of


def rendered(index: dict[str, Any] | None = None, datasets: dict[str, bytes] | None = None) -> str:
    data = golden_datasets() if datasets is None else datasets
    return rendering.render_plain(index or golden_index(), data, templates=assets.templates())


def page_of(report: Report) -> str:
    """The page of a site with the data of one report as its first QoS."""
    return rendered(datasets={**golden_datasets(), "data_avery.json": json.dumps(data_of(report)).encode()})


def rows_of(html: str, heading: str) -> list[list[str]]:
    """The texts of the rows of the first table below a heading."""
    found = re.search(rf"<h[45][^>]*>{re.escape(heading)}[^<]*</h[45]>.*?<table.*?</table>", html, re.DOTALL)
    assert found, heading
    rows = re.findall(r"<tr>(.*?)</tr>", found[0], re.DOTALL)
    return [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_a_script_is_neither_there_nor_allowed() -> None:
    page = Elements(rendered())
    assert not list(page.all("script"))
    (style,) = [text for name, _, text in page.raw if name == "style"]
    assert policy_of(page) == {
        "default-src": "'none'",
        "style-src": sha(style),
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not [names for _, names in page.found if "style" in names or any(name.startswith("on") for name in names)]


def test_it_is_light() -> None:
    assert len(rendered().encode()) < 60_000


def test_headroom_tells_no_limit_zero_and_unknown_apart() -> None:
    html = rendered()
    rows = {row[0]: row[1:] for row in rows_of(html, "In use now, and limits")}
    assert rows["CPUs"] == ["17 (4 %)", "430", "413"]
    assert rows["GPUs a100"] == ["2", "0: none allowed", "2 over"]
    assert rows["GPUs v100"] == ["0", "no limit", ""]
    assert rows["Memory (GiB)"] == ["64.5 (1.9 %)", "3,360, by configuration", "3,295"]
    assert rows["Running jobs"][1:] == ["no limit", ""]
    assert rows_of(page_of(reports.empty(limits=None)), "In use now, and limits")[1] == ["CPUs", "0", "not known", ""]
    untracked = page_of(reports.busy(2, days=1, gpus=False, gpus_tracked=False))
    assert rows_of(untracked, "In use now, and limits")[2] == ["GPUs", "not tracked", "", ""]
    assert rows_of(untracked, "Who holds what now")[0] == ["User", "CPUs", "Memory (GiB)", "Running jobs"]


def test_headroom_is_what_slurm_counts() -> None:
    runs = [
        reports.Run("alice", reports.NOW - 7200, tres="billing=27,cpu=27,node=1", state="RUNNING"),
        reports.Run("bob", reports.NOW - 7200, tres="billing=5,cpu=5,node=1", state="SUSPENDED", suspended=60),
    ]
    html = page_of(reports.report_of(runs, limits=QosLimits({"cpu": 430.0}, None)))
    assert rows_of(html, "In use now, and limits")[1] == ["CPUs", "32 (7.4 %), 5 of them suspended", "430", "398"]
    elsewhere = QosLimits({}, None, {}, (), {}, (Account("lab", "", {"GrpTRES": {"cpu": 40.0}}, True),), (True, False))
    html = page_of(reports.report_of(runs, limits=elsewhere))
    assert rows_of(html, "In use now, and limits")[1] == ["CPUs", "27", "40, shared with other QoS", "not known"]
    near = [cell for row in rows_of(html, "At the limit in the window")[1:] for cell in row]
    assert "not known" in near, "other QoS can have filled it"
    assert "never" not in near


def test_limits_that_changed_are_told_in_words() -> None:
    assert "The limit of CPUs changed: 400 before, then 430 since 2026-10-31 21:10 EDT." in rendered()
    assert "The limit of Running jobs changed: 20 before, then none since 2026-10-31 21:10 EDT." in rendered()
    limits = QosLimits({"cpu": 4.0}, None)
    override = (Change(0, limits, {}), Change(reports.NOW - 60, limits, {"cpu": 4.0}))
    same = page_of(reports.busy(1, limits=limits, overrides={"cpu": 4.0}, changes=override))
    assert "changed" not in same.partition('id="qos-bruno"')[0], "another source of the same limit"


def test_tables_have_the_numbers_of_the_json() -> None:
    html, data = rendered(), json.loads(golden_datasets()["data_avery.json"])
    now, totals = rows_of(html, "Who holds what now"), rows_of(html, "Totals and shares")
    assert [row[0] for row in now] == ["User", "alice", "bob", "2 users"]
    assert now[1][1:] == ["16", "2", "64", "1"]
    assert now[-1][1:] == [amount(data["now"]["total"][key]) for key in ("NCPUS", "NGPUS", "MEMORY", "NJOBS")]
    assert totals[0] == ["User", "CPU-hours", "GPU-hours", "GiB-hours", "job-hours"]
    assert len(totals) == len(data["users"]) + 2
    hours = data["totals"]["users"]["alice"]["hours"]["NCPUS"]
    whole = data["totals"]["total"]["hours"]["NCPUS"]
    assert totals[1][:2] == ["alice", f"{amount(hours)} ({percent(hours, whole)})"]
    assert totals[-1][1] == amount(whole)
    assert "<p>6 runs ended: " in html


def test_it_has_the_order_of_the_page() -> None:
    """The first screen, then the sections; on both pages, under the same names."""
    html = rendered()
    qos = html[html.index('<section class="qos"') : html.index('id="qos-bruno"')]
    sections = ["Overview", "Usage", "Limits", "Queue", "Efficiency", "Months"]
    assert re.findall(r"<h3[^>]*>(.*?)</h3>", qos) == sections
    page = rendering.render_page(
        golden_index(),
        golden_datasets(),
        templates=assets.templates(),
        dashboard=assets.dashboard(),
        plotly=assets.plotly(),
    )
    navigation = page[page.index('<nav class="sections"') : page.index("</nav>")]
    named = [name for name in re.findall(r">(\w+)</a>", navigation) if name != "Jobs"]  # hidden where there are none
    assert named[: len(sections)] == sections
    overview = re.findall(r"<h4[^>]*>(.*?)</h4>", qos.partition("Usage</h3>")[0])
    assert overview == ["In use now, and limits", "Who holds what now", "Why jobs wait", "Most in November 2026"]


def test_a_long_table_has_its_largest_rows_and_the_sums_of_the_rest() -> None:
    """With all its rows, where it is short enough: never a row that stands for a single one."""
    users = {f"user{number:02}": number for number in range(1, 21)}
    runs = [
        reports.Run(user, reports.NOW - 7200, tres=f"billing={cpus},cpu={cpus},node=1", state="RUNNING")
        for user, cpus in users.items()
    ]
    html = page_of(reports.report_of(runs))
    first, second = rows_of(html, "Who holds what now"), rows_of(html, "Who else holds something now")
    assert [row[:2] for row in first[1:3]] == [["user20", "20"], ["user19", "19"]]
    assert first[-1][:2] == ["20 users", "210"]
    assert [row[0] for row in first[1:-1] + second[1:-1]] == [f"user{number:02}" for number in range(20, 6, -1)]
    assert second[-1][:2] == ["and 6 more, in the JSON", str(sum(range(1, 7)))]
    totals = rows_of(html, "Totals and shares")
    assert len(totals) == 1 + ROWS + 2
    assert totals[-2][:2] == ["and 12 more, in the CSV", f"{amount(2 * sum(range(1, 13)))} ({percent(78, 210)})"]
    assert totals[-1][0] == "20 users"
    months = rows_of(html, "2026-11 by user")
    assert (months[-2][0], months[-1][0]) == ("and 12 more, in the JSON", "20 users")
    assert shortened(range(ROWS + 1)) == (range(ROWS + 1), ())
    assert [*map(len, shortened(range(ROWS + 2)))] == [ROWS, 2]


def test_pictures_have_their_contents_in_words() -> None:
    images = list(Elements(rendered()).all("img"))
    shown = [name for name in PICTURES if name not in ("NCPUS", "NGPUS", "MEMORY", "NJOBS")]
    assert [image["src"] for image in images] == [f"{name}_{qos}.png" for qos in ("avery", "bruno") for name in shown]
    assert all(len(image["alt"]) > 60 for image in images)
    assert images[0]["alt"].startswith(
        "CPUs over time by user, 2026-10-31 14:00 EDT to 2026-11-01 14:10 EST: 20.7 CPUs on average, at most 29 over "
        "an hour. Most by alice 80 %, bob 19 %, zoë\ufffd 0.8 %."
    )


@pytest.mark.parametrize(
    ("report", "key", "words"),
    [
        (reports.empty(), "NCPUS", "none in use."),
        (reports.busy(2, days=1, gpus=False, gpus_tracked=False), "NGPUS", "not tracked on this cluster."),
        (reports.busy(2, days=1, bin_seconds=900), "NJOBS", "over 15 minutes. Most by"),
    ],
    ids=["nothing", "untracked", "short bins"],
)
def test_what_a_chart_shows(report: Report, key: str, words: str) -> None:
    assert words in rendering.subject_of(key).describe(data_of(report), key, reports.ZONE).words


def test_how_old_the_data_are_and_what_was_left_out_is_said() -> None:
    html = rendered()
    assert "<p>Updated 2026-11-01 14:10 EST.</p>" in html
    old = "Old data: nothing newer has come since 2026-10-31 15:10 EDT: Slurm did not answer. All below is as it was"
    assert f'<p class="old">{old} then.</p>' in html
    assert "There are no data of this QoS yet: nothing was collected yet." in html
    assert "Note: 2 records of Slurm&#39;s not understood and left out: end before start (2)." in html
    assert "Note: 1 job runs for Slurm&#39;s accounting alone and is left out" in html
    assert "the next is due 2026-11-01 14:20 EST" in html


def test_the_list_of_contents_leads_everywhere() -> None:
    page = Elements(rendered())
    ids = [names["id"] for _, names in page.found if "id" in names]
    assert len(ids) == len(set(ids))
    anchors = [link["href"][1:] for link in page.all("a") if link["href"].startswith("#")]
    sections = ("qos", "overview", "usage", "limits", "queue", "efficiency", "months")
    wanted = [f"{part}-{qos}" for qos in ("avery", "bruno") for part in sections]
    assert [anchor for anchor in anchors if "~" not in anchor] == wanted
    assert set(anchors) <= set(ids)


def test_every_file_is_linked_or_shown() -> None:
    page, wanted = Elements(rendered()), {"index.html"}
    for entry in golden_index()["qos"][:2]:
        wanted |= {entry["data"], entry["csv"], *(name for both in entry["figures"].values() for name in both.values())}
    links = {link["href"] for link in page.all("a") if not link["href"].startswith(("#", "data:"))}
    assert links | {image["src"] for image in page.all("img")} == wanted


def test_hostile_names_are_text() -> None:
    index = golden_index()
    for entry in index["qos"]:
        entry |= {"title": EVIL, "name": EVIL, "reason": EVIL, "stale": True}
    index |= {"cluster": EVIL, "generator": EVIL}
    html = rendered(index, {name: json.dumps(data_of(reports.hostile())).encode() for name in golden_datasets()})
    page, ordinary = Elements(html), Elements(rendered())
    assert {tag for tag, _ in page.found} <= {tag for tag, _ in ordinary.found}
    assert not list(page.all("script"))
    assert "{{ 7 * 6 }}" in page.text
    assert not set("\u202e\udcff") & set(html)
    for user in ("constructor", "__proto__", "reversed\u202eeman"):
        made = page_of(reports.report_of([reports.Run(user, reports.NOW - 7200, state="RUNNING")]))
        assert rows_of(made, "Who holds what now")[1][0] == user.replace("\u202e", "\ufffd")


@pytest.mark.parametrize(
    "data", [b"", b"not JSON", b"[]", b"null", b'{"totals": 1}', b'{"totals": {"users": {}}, "users": [1]}']
)
def test_broken_data_are_that_qos_alone(data: bytes) -> None:
    html = rendered(datasets={**golden_datasets(), "data_avery.json": data})
    assert html.count("The data of this QoS cannot be read.") == 1
    assert "Old data: nothing newer" in html
    assert "cannot be read" in rendered(datasets={})


def test_data_of_an_older_release_have_no_history_and_no_runs_by_bin() -> None:
    data = json.loads(golden_datasets()["data_avery.json"])
    del data["ended"]
    for limit in data["limits"].values():
        del limit["history"]
    html = rendered(datasets={**golden_datasets(), "data_avery.json": json.dumps(data).encode()})
    assert rows_of(html, "In use now, and limits")[1] == ["CPUs", "17 (4 %)", "430", "413"]
    assert "The limit of CPUs changed" not in html.partition('id="qos-bruno"')[0]


def test_pictures_that_are_not_there_are_left_out() -> None:
    index = golden_index()
    index["qos"][0] |= {
        "csv": None,
        "figures": {"NCPUS": {"png": "NCPUS_avery.png"}, "NJOBS": {"pdf": "NJOBS_avery.pdf"}},
    }
    page = Elements(rendered(index))
    assert [image["src"] for image in page.all("img") if "avery" in image["src"]] == ["NCPUS_avery.png"]
    assert "usage_avery.csv.gz" not in {link["href"] for link in page.all("a")}
    index["qos"][0]["figures"] = {}
    assert not [image for image in Elements(rendered(index)).all("img") if "avery" in image["src"]]


def test_nothing_runs_and_nothing_ran() -> None:
    html = page_of(reports.empty())
    assert "Nobody runs anything." in html
    assert "No jobs in this window." in html
    assert "No QoS is shown here." in rendered(golden_index() | {"qos": []})


def test_the_style_is_one_of_the_templates() -> None:
    assert plain.STYLE in assets.templates()
    assert "</" not in assets.templates()[plain.STYLE]
