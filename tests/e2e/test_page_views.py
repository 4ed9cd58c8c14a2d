"""Tables and the map of the week, as people use them, in a real browser."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from librarian.subjects.usage.section import UsageSection
from tests.e2e.browser import browser, visit, web
from tests.e2e.sites import DEMO_AT, NOW, Site
from tests.e2e.test_page_browser import AXE, NAMES, Open, Publish, Published, demo, live, pair, publish
from tests.unit import reports

__all__ = ["browser", "demo", "publish", "visit", "web"]
HOUR = 3600


def members(*names: str) -> Site:
    """A site of one QoS in which these users run a job each."""
    runs = [reports.Run(name, NOW - 40 * HOUR + 60 * place) for place, name in enumerate(names)]
    return Site([reports.report_of(runs, seconds=3 * 86400, qos="avery", title="Avery Lab", top_users=20)])


def users(page: Any, table: str = ".totals") -> list[str]:
    found: list[str] = page.locator(f"[role=tabpanel].open {table} tbody th bdi").all_inner_texts()
    return found


def column(page: Any, name: str) -> Any:
    return page.locator("[role=tabpanel].open .totals thead button").filter(has_text=name).first


def data_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "data_avery.json").read_text())
    return found


def test_a_head_sorts_and_the_address_says_so(demo: Published, visit: Open) -> None:
    page = visit(demo.address, now=DEMO_AT + 60).page
    as_it_came = users(page)
    hours = data_of(demo.folder)["totals"]["users"]
    by_jobs = sorted(as_it_came, key=lambda user: -hours[user]["hours"]["NJOBS"])
    column(page, "job-hours").click()
    assert users(page) == by_jobs
    assert page.locator('.totals th[aria-sort="descending"]').first.inner_text().startswith("job-")
    assert "table.totals-sort=NJOBS" in page.url
    column(page, "job-hours").focus()
    page.keyboard.press("Enter")
    assert users(page)[0] == by_jobs[-1]
    page.keyboard.press("Enter")
    assert users(page) == as_it_came
    assert "totals-sort" not in page.url
    column(page, "User").click()
    assert users(page) == sorted(as_it_came, key=str.lower)


def test_a_link_shows_the_same_rows(demo: Published, visit: Open) -> None:
    first = visit(demo.address, now=DEMO_AT + 60).page
    first.get_by_label("Users in “Totals of the window”").first.fill("EN")
    column(first, "CPU-hours").click()
    there = users(first)
    assert there
    assert all("en" in name.lower() for name in there)
    assert first.get_by_label("Users in “Totals of the window”").first.evaluate("field => field.value") == "EN"
    assert users(visit(first.url, now=DEMO_AT + 60).page) == there


def test_a_filter_that_finds_nobody_says_so(demo: Published, visit: Open) -> None:
    page = visit(demo.address, now=DEMO_AT + 60).page
    page.get_by_label("Users in “Totals of the window”").first.fill("no-such-user")
    assert page.locator(".totals .nobody").first.inner_text() == "no such user"
    assert "users" in page.locator(".totals tfoot th").first.inner_text()


def test_totals_follow_the_range(demo: Published, visit: Open) -> None:
    data = data_of(demo.folder)
    page = visit(f"{demo.address}#range=24h", now=DEMO_AT + 60).page
    end = data["metadata"]["last_updated_epoch"]
    edges = [*data["edges"][:-1], end]
    touched = [stop > end - 24 * HOUR for stop in edges[1:]]
    seconds = [(stop - start) * inside for (start, stop), inside in zip(pairwise(edges), touched, strict=True)]
    rows = data["observables"]["NCPUS"].values()
    expected = sum(mean * part for row in rows for mean, part in zip(row, seconds, strict=True)) / HOUR
    said = page.locator(".totals tfoot td").first.inner_text().replace(",", "")
    assert float(said) == pytest.approx(expected, abs=0.6)
    runs = sum(
        sum(count for at, count in zip(told["bins"], told["runs"], strict=True) if touched[at])
        for states in data["ended"].values()
        for told in states.values()
    )
    ended = page.locator(".totals tfoot td.number").all_inner_texts()[4:]
    assert sum(int(text.replace(",", "")) for text in ended) == runs
    assert page.locator(".totals h3").first.inner_text().startswith("Totals of the range")


def test_a_range_that_is_chosen_names_the_table_anew(demo: Published, visit: Open) -> None:
    page = visit(demo.address, now=DEMO_AT + 60).page
    title = page.locator(".open .totals h3")
    assert title.inner_text().startswith("Totals of the window")
    page.get_by_role("button", name="24h", exact=True).click()
    assert title.inner_text().startswith("Totals of the range")
    labels = page.locator(".open .totals [aria-label]").evaluate_all(
        "parts => parts.map(part => part.getAttribute('aria-label'))"
    )
    assert "Totals of the range" in labels
    assert not [label for label in labels if "window" in label]


def test_an_empty_range_says_so(demo: Published, visit: Open) -> None:
    page = visit(f"{demo.address}#from=2001-01-01T00:00Z&to=2001-01-02T00:00Z", now=DEMO_AT + 60).page
    told = page.locator(".open .totals").inner_text().split("\n")
    assert [line.strip() for line in told if line.strip()] == [
        "Totals of the range",
        "There are no data in this range of time.",
    ]
    assert "no data in this range" in page.locator(".heat .quiet").first.inner_text()


def test_a_range_in_which_nobody_ran_anything_says_so(visit: Open, publish: Publish) -> None:
    day = {"from": "2026-11-18T06:00Z", "to": "2026-11-18T12:00Z"}
    runs = [reports.Run("alice", NOW - 20 * HOUR, NOW - 10 * HOUR)]
    site = publish(Site([reports.report_of(runs, seconds=3 * 86400)]))
    page = visit(f"{site.address}#from={day['from']}&to={day['to']}").page
    told = page.locator(".open .totals").inner_text()
    assert "Wed, Nov 18, 01:00 EST to Wed, Nov 18, 07:00 EST" in told
    assert told.rstrip().endswith("No jobs in this range of time.")
    assert page.locator(".open .heat .quiet").first.inner_text().startswith("None in use at any hour.")


def test_a_table_can_be_saved_and_copied(visit: Open, publish: Publish) -> None:
    site = publish(pair())
    seen = visit(site.address, permissions=["clipboard-read", "clipboard-write"])
    page = seen.page
    with page.expect_download() as started:
        page.locator(".open .totals .grid-tools").get_by_role("button", name="CSV").click()
    assert re.fullmatch(r"usage-totals_avery_(-?2026-1\d-\d\dT\d{4}){2}\.csv", started.value.suggested_filename)
    rows = list(csv.reader(io.StringIO(Path(started.value.path()).read_text(encoding="utf-8"))))
    totals = data_of(site.folder)["totals"]["users"]
    assert rows[0][:3] == ["User", "CPU-hours", "share of CPU-hours (fraction)"]
    assert len(set(rows[0])) == len(rows[0])
    assert {row[0]: float(row[1]) for row in rows[1:]} == pytest.approx(
        {user: told["hours"]["NCPUS"] for user, told in totals.items()}
    )
    page.locator(".open .totals .grid-tools").get_by_role("button", name="Copy").click()
    page.locator(".open .totals [role=status]", has_text="copied").wait_for()
    pasted = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert [line.split("\t")[0] for line in pasted[1:]] == [row[0] for row in rows[1:]]


def test_names_are_text_in_tables_that_are_sorted_and_taken_away(visit: Open, publish: Publish) -> None:
    page = visit(publish(members(*NAMES, "=HYPERLINK(1)")).address).page
    column(page, "User").click()
    assert len(users(page)) == len(NAMES) + 1
    with page.expect_download() as started:
        page.locator(".open .totals .grid-tools").get_by_role("button", name="CSV").click()
    rows = list(csv.reader(io.StringIO(Path(started.value.path()).read_text(encoding="utf-8"), newline="")))
    assert {"'=HYPERLINK(1)", "<script>alert(1)</script>", "__proto__"} <= {row[0] for row in rows}


def test_long_tables_begin_short(visit: Open, publish: Publish) -> None:
    page = visit(publish(members(*(f"user{n:03d}" for n in range(60)))).address).page
    assert len(users(page)) == 25
    page.locator(".open .totals").get_by_role("button", name="Show all 60").click()
    assert len(users(page)) == 60
    page.get_by_label("Users in “Totals of the window”").first.fill("user05")
    assert len(users(page)) == 10


def test_the_week_is_that_of_the_data(demo: Published, visit: Open) -> None:
    page = visit(demo.address, now=DEMO_AT + 60).page
    cells = page.locator(".open .heat tbody td")
    assert cells.count() == 7 * 24
    assert "of the limit" in page.locator(".open .heat .quiet").first.inner_text()
    titles = [cells.nth(place).get_attribute("title") for place in range(0, 168, 13)]
    assert all(title.split(":")[0].split()[0] in "Mon Tue Wed Thu Fri Sat Sun" for title in titles)
    before = cells.all_inner_texts()
    page.locator(".open .heat select").select_option("NGPUS")
    assert cells.all_inner_texts() != before
    assert "GPUs" in (cells.first.get_attribute("title") or "")


def test_whose_week_is_shown_is_in_the_address(visit: Open, publish: Publish) -> None:
    without = reports.busy(2, days=2, qos="cpus", gpus=False, gpus_tracked=False)
    page = visit(publish(Site([reports.busy(3, days=3), without])).address).page
    chosen = page.locator(".open .heat select")
    assert "table.heat" not in page.url
    chosen.select_option("NGPUS")
    assert page.url.endswith("table.heat=NGPUS")
    there = page.locator(".open .heat tbody").inner_html()
    again = visit(page.url).page
    assert again.locator(".open .heat select").input_value() == "NGPUS"
    assert again.locator(".open .heat tbody").inner_html() == there
    page.locator("#tab-cpus").click()
    assert chosen.input_value() == "NCPUS"
    page.locator("#tab-avery").click()
    assert chosen.input_value() == "NGPUS"
    chosen.select_option("NCPUS")
    assert "table.heat" not in page.url
    page.goto(f"{page.url.partition('#')[0]}#table.heat=constructor")
    assert chosen.input_value() == "NCPUS"


def test_what_is_typed_stays_when_newer_data_come(visit: Open, publish: Publish) -> None:
    seen, renew = live(visit, publish)
    page = seen.page
    field = page.locator(".open .totals input")
    field.fill("er00")
    assert field.evaluate("field => document.activeElement === field")
    newer = renew()
    assert field.input_value() == "er00"
    assert users(page) == list(newer.reports[0][UsageSection].users)
    assert field.evaluate("field => document.activeElement === field")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tables_and_the_week_keep_nobody_out(demo: Published, visit: Open, scheme: str) -> None:
    page = visit(f"{demo.address}#table.totals-sort=NCPUS", now=DEMO_AT + 60, color_scheme=scheme, bypass_csp=True).page
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run(document.querySelector('.open .tables'))")
    serious = [entry for entry in found["violations"] if entry["impact"] in ("serious", "critical")]
    assert not serious, [(entry["id"], [node["html"] for node in entry["nodes"]][:3]) for entry in serious]
