"""Limits, the queue, waiting times and months, as people see them in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from librarian.subjects.usage.section import UsageSection
from tests.e2e.browser import browser, visit, web
from tests.e2e.limits_site import LimitsSite
from tests.e2e.sites import NOW, Site
from tests.e2e.test_page_browser import AXE, Open, Publish, panel, publish
from tests.unit import reports

__all__ = ["browser", "publish", "visit", "web"]


def site_of(**options: Any) -> LimitsSite:
    return LimitsSite([reports.busy(6, days=5, qos="avery", title="Avery Lab")], **options)


def text_of(page: Any, part: str) -> str:
    return " ".join(page.locator(f"#panel-avery {part}").inner_text().split())


def users_of(site: Site) -> list[str]:
    return list(site.reports[0][UsageSection].users)


def test_who_waits_why_and_until_when(visit: Open, publish: Publish) -> None:
    site = site_of()
    one, two, three = users_of(site)[:3]
    page = visit(publish(site).address).page
    panel(page, "avery")
    queue = text_of(page, ".queue")
    assert (
        f"5 jobs wait for their turn and want 40 CPUs, 2 GPUs, 160 GiB; the oldest, {one}'s, has waited 2 h." in queue
    )
    assert "Besides, 1 held." in queue
    assert f"The group's 100 CPUs are in use; {one} holds 60." in queue
    assert f"Of {one} 4, {two} 1." in queue
    assert page.locator("#panel-avery .queue .reason").count() == 2
    rows = page.locator("#panel-avery .waiting tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == [one, two, three]
    assert rows[0].split()[1:5] == ["4", "32", "2", "128"]


def test_waiters_are_sorted_filtered_and_in_the_address(visit: Open, publish: Publish) -> None:
    site = site_of()
    page = visit(publish(site).address).page
    panel(page, "avery")
    page.locator("#panel-avery .waiting thead button", has_text="User").click()
    rows = page.locator("#panel-avery .waiting tbody th").all_inner_texts()
    assert rows == sorted(users_of(site)[:3])
    assert "table.waiting-sort=user" in page.url


def test_what_waiting_jobs_want_has_charts_that_zoom_with_the_others(visit: Open, publish: Publish) -> None:
    page = visit(publish(site_of()).address).page
    panel(page, "avery")
    charts = page.locator("#panel-avery [data-chart='WANTED:NCPUS']")
    charts.locator(".area").first.wait_for(state="attached")
    label = charts.get_attribute("aria-label")
    assert "now 40, highest mean 64" in label
    told = page.locator("#panel-avery [data-chart='WANTED:NGPUS']").inner_text()
    assert told == "No waiting job wanted GPUs in this window"
    assert page.locator("#panel-avery .legend").inner_text().find("only waits") >= 0
    page.get_by_role("button", name="24h").click()
    page.wait_for_function(
        "document.querySelector(\"#panel-avery [data-chart='WANTED:NCPUS']\").layout.xaxis.range[0].startsWith('20')"
    )
    drawn = "[...document.querySelectorAll('#panel-avery .chart:not(.empty)')]"
    ranges = page.evaluate(f"{drawn}.map((chart) => chart.layout.xaxis.range.join())")
    assert len(set(ranges)) == 1


def test_the_time_at_the_limit_follows_the_range_and_all_limits_are_told(visit: Open, publish: Publish) -> None:
    site = site_of()
    one, two = users_of(site)[:2]
    page = visit(publish(site).address).page
    panel(page, "avery")
    pressure = text_of(page, ".pressure")
    assert "77 (77 %)" in pressure
    assert "30 min" in pressure
    assert f"{one} 75 %, {two} 25 %" in pressure
    limits = page.locator("#panel-avery .policy tbody tr").all_inner_texts()
    assert limits[0].split("\t") == ["all together", "CPUs", "100", "40 (40 %)", "QoS avery"]
    assert limits[1].split("\t")[-1] == "association lab"
    assert f"30 (60 %), {one}" in limits[2]
    assert limits[3].split("\t")[:3] == ["a job", "walltime", "14 d"]
    assert page.locator("#panel-avery .policy strong").all_inner_texts() == ["100", "50", "14 d"]
    assert "DenyOnLimit" in text_of(page, ".policy")
    page.goto(f"{page.url.split('#')[0]}#from={NOW - 4 * 86400}&to={NOW - 3 * 86400}")
    page.wait_for_function("document.querySelector('#panel-avery .pressure').innerText.includes('in the range')")
    assert "never" in text_of(page, ".pressure")
    assert "10 (10 %)" in text_of(page, ".pressure")


def test_waits_are_those_of_the_range(visit: Open, publish: Publish) -> None:
    site = site_of()
    page = visit(publish(site).address).page
    panel(page, "avery")
    assert page.locator("#panel-avery .waits tbody tr").first.inner_text().split("\t") == [
        "GPU jobs",
        "10 jobs",
        "10 min",
        "1 h 40 min",
    ]
    assert "CPU jobs 15 min" in text_of(page, ".waits")
    assert page.locator("#panel-avery .waits svg[role=img]").count() == 2
    page.get_by_role("button", name="24h").click()
    assert page.locator("#panel-avery .waits tbody tr").first.inner_text().split("\t")[1] == "2 jobs"
    page.get_by_role("button", name="6h").click()
    assert "the nearest that is known" in text_of(page, ".waits")
    rows = page.locator("#panel-avery .waits-by-user tbody th").all_inner_texts()
    assert rows == [users_of(site)[1], users_of(site)[0]]


def test_a_month_is_chosen_and_the_address_keeps_it(visit: Open, publish: Publish) -> None:
    site = site_of()
    one, two = users_of(site)[:2]
    page = visit(publish(site).address).page
    panel(page, "avery")
    assert "November 2026 by user" in text_of(page, ".months")
    page.get_by_role("combobox", name="Month").select_option("2026-10")
    assert "table.month=2026-10" in page.url
    rows = page.locator("#panel-avery .month-users tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == [one, two]
    assert rows[0].split()[1:4] == ["75", "75", "%"]
    assert rows[1].split()[-2:] == ["50", "%"]
    page.reload()
    page.wait_for_function("document.querySelector('#panel-avery .months').innerText.includes('October 2026 by user')")
    assert page.locator("#panel-avery .month-accounts tbody th").all_inner_texts() == ["lab"]


def test_an_allocation_says_where_it_leads(visit: Open, publish: Publish) -> None:
    page = visit(publish(site_of()).address).page
    panel(page, "avery")
    words = text_of(page, ".allocation > p")
    assert "400 of 1,000 GPU-hours used since" in words
    assert "146 % of the pace" in words
    assert page.locator("#panel-avery .allocation svg").get_attribute("aria-label") == words


def without(data: dict[str, Any]) -> None:
    for key in ("peaks", "near", "pressure", "policy", "flags", "queue", "waiting", "waits", "months", "allocations"):
        del data[key]


def test_data_of_before_this_was_told_are_shown_all_the_same(visit: Open, publish: Publish) -> None:
    page = visit(publish(site_of(change=without)).address).page
    panel(page, "avery")
    assert "These data tell nothing of the queue." in text_of(page, ".queue")
    assert "These data tell nothing of it." in text_of(page, ".pressure")
    assert page.locator("#panel-avery .months").is_hidden()
    assert page.locator("#panel-avery .now tbody tr").count() > 0


def test_an_empty_queue_and_one_that_is_not_known(visit: Open, publish: Publish) -> None:
    def empty(data: dict[str, Any]) -> None:
        nobody = {"jobs": 0, "NCPUS": 0, "NGPUS": 0, "MEMORY": 0}
        groups = dict.fromkeys(("competing", "held", "dependency", "begin"), nobody)
        data["queue"] = {
            **data["queue"],
            "jobs": 0,
            "groups": groups,
            "users": [],
            "reasons": [],
            "oldest": None,
            "next_start": None,
        }

    page = visit(publish(site_of(change=empty)).address).page
    panel(page, "avery")
    assert text_of(page, ".queue") == "Waiting now Nothing waits."
    assert "Nobody waits." in text_of(page, ".waiting")
    page = visit(
        publish(site_of(change=lambda data: data["queue"].update(at=None, error="squeue did not answer"))).address
    ).page
    panel(page, "avery")
    assert "The queue is not known: squeue did not answer." in text_of(page, ".queue")


HOSTILE = '<img src=x onerror="alert(1)">\u202egnp'


def test_hostile_texts_are_text(visit: Open, publish: Publish) -> None:
    def hostile(data: dict[str, Any]) -> None:
        for row in data["queue"]["reasons"]:
            row.update(reason=HOSTILE, text=HOSTILE, todo=HOSTILE, users={HOSTILE: 1, "__proto__": 2, "constructor": 3})
        data["queue"]["users"] = [
            {**row, "user": name}
            for row, name in zip(data["queue"]["users"], (HOSTILE, "constructor", "hasOwnProperty"), strict=True)
        ]
        for row in data["policy"]:
            row.update(name=HOSTILE, of=HOSTILE, by=HOSTILE, setting=HOSTILE)
        data["flags"] = [HOSTILE]
        data["waiting"]["NCPUS"] = {HOSTILE: data["waiting"]["NCPUS"]["only waits"]}
        for one in data["months"]:
            one["users"] = {HOSTILE: one["total"], "constructor": one["total"]}
            one["accounts"] = {HOSTILE: one["total"]}
        data["allocations"][0]["name"] = HOSTILE

    page = visit(publish(site_of(change=hostile)).address).page
    panel(page, "avery")
    page.locator("#panel-avery [data-chart='WANTED:NCPUS'] .area").first.wait_for(state="attached")
    assert page.locator("#panel-avery img[src=x]").count() == 0
    assert "constructor" in text_of(page, ".waiting")
    assert "\u202e" not in text_of(page, ".queue")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_keeps_nobody_out(visit: Open, publish: Publish, scheme: str, width: int) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is missing: npm ci --prefix dashboard")
    options = {"color_scheme": scheme, "bypass_csp": True, "viewport": {"width": width, "height": 900}}
    page = visit(publish(site_of()).address, **options).page
    panel(page, "avery")
    page.locator("#panel-avery [data-chart='WANTED:NCPUS'] .area").first.wait_for(state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert not found["violations"], [
        (entry["id"], [node["html"][:120] for node in entry["nodes"]]) for entry in found["violations"]
    ]


def test_the_plain_page_tells_the_same(visit: Open, publish: Publish) -> None:
    site = site_of()
    one = users_of(site)[0]
    address = publish(site).address
    page = visit(f"{address.rpartition('/')[0]}/plain.html", java_script_enabled=False).page
    words = " ".join(page.locator("main").inner_text().split())
    for told in (
        f"5 jobs wait for their turn and want 40 CPUs, 2 GPUs, 160 GiB; the oldest, {one}'s, since ",
        f"The group's 100 CPUs are in use; {one} holds 60. Wait. Slurm expects the first to start ",
        "Flags of the QoS: DenyOnLimit.",
        "2,000 (another one binds first)",
        "everybody: GPU jobs, ",
        "400 of 1,000 GPU-hours used since",
        "2026-10 by account",
    ):
        assert told.rstrip(", ") in words, told
