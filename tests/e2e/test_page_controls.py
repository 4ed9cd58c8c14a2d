"""The page's controls in a real browser: range, clock, legend, search, theme, and the address that holds them all."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.e2e.browser import browser, visit, web
from tests.e2e.sites import NOW, Site
from tests.e2e.test_page_browser import (
    AXE,
    CHARTS,
    NAMES,
    Open,
    Publish,
    brightness,
    live,
    pair,
    panel,
    plot_of,
    publish,
    tab,
    traces,
    wait_for_text,
)
from tests.e2e.test_page_overview import until
from tests.unit import reports

__all__ = ["browser", "publish", "visit", "web"]

HOUR = 3600
EASTERN_TO_BERLIN = 6 * HOUR
AREAS = ".areas"


def ranges(page: Any) -> list[list[float]]:
    """What the axes of the charts in view show, as seconds on the clock that they show."""
    found: list[list[float]] = page.evaluate(
        "[...document.querySelectorAll('.open .chart')].filter(chart => chart.layout).map(chart =>"
        " chart.layout.xaxis.range.map(time => Date.parse(String(time).replace(' ', 'T').slice(0, 19) + 'Z') / 1000))"
    )
    return found


def wall(text: str) -> float:
    """The seconds of "2026-11-20T14:10" on a clock, as `ranges` has them."""
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


def wait_for_range(page: Any, begin: str, end: str) -> None:
    """All four charts show the same stretch, to the minute."""
    page.wait_for_function(
        """([begin, end]) => {
          const charts = [...document.querySelectorAll('.open .chart')].filter(chart => chart.layout);
          const minute = time => String(time).replace(' ', 'T').slice(0, 16);
          const ends = charts.map(chart => chart.layout.xaxis.range.map(minute));
          return charts.length && ends.every(([from, to]) => from === begin && to === end);
        }""",
        arg=[begin, end],
    )


def said(page: Any) -> dict[str, list[str]]:
    """What the address says."""
    return parse_qs(urlsplit(page.url).fragment)


def pressed(group: Any) -> list[str]:
    """The texts of the buttons that are pressed."""
    texts: list[str] = group.locator("button[aria-pressed=true]:visible").all_inner_texts()
    return texts


def picture(page: Any) -> str:
    """All that a view decides, to compare two visits by."""
    found: str = page.evaluate(
        """() => {
          const all = (selector, told) => [...document.querySelectorAll(selector)].map(told);
          return JSON.stringify([
            all('.open .chart', ({data, layout: l}) => l && [data.map(({name, y}) => [name, y]), l.xaxis, l.yaxis]),
            all('.open [aria-pressed]', button => [button.textContent, button.getAttribute('aria-pressed')]),
            all('.open .tools input, .open .tools select, #theme select', field => field.value),
            all('[aria-selected=true]', one => one.textContent),
            document.documentElement.dataset.theme,
          ]);
        }"""
    )
    return found


def drag(page: Any, box: dict[str, float], start: float, end: float) -> None:
    """Draw from one part of a chart's width to another."""
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], height)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], height + 5, steps=5)
    page.mouse.up()


# --- time ----------------------------------------------------------------------------------------------------------


def test_a_range_is_shown_by_all_charts_and_named_by_the_address(visit: Open, publish: Publish) -> None:
    site = publish(pair())
    page = visit(site.address).page
    shown = panel(page, "avery")
    group = shown.get_by_role("group", name="Time range")
    assert group.locator("button:visible").all_inner_texts() == ["‹", "6h", "12h", "24h", "Everything", "›"]
    assert pressed(group) == ["Everything"]
    whole = ranges(page)[0]
    for name, begin in {"24h": "2026-11-19T14:10", "6h": "2026-11-20T08:10"}.items():
        group.get_by_role("button", name=name).click()
        wait_for_range(page, begin, "2026-11-20T14:10")
        assert said(page) == {"qos": ["avery"], "range": [name]}
        assert pressed(group) == [name]
        assert shown.get_by_label("From", exact=True).input_value() == begin
    tab(page, "bruno").click()
    panel(page, "bruno")
    wait_for_range(page, "2026-11-20T08:10", "2026-11-20T14:10")
    assert said(page) == {"qos": ["bruno"], "range": ["6h"]}
    page.locator(".open").get_by_role("button", name="Everything").click()
    wait_for_range(page, "2026-11-17T15:00", "2026-11-20T14:10")
    assert ranges(page) == [whole] * 4
    assert said(page) == {"qos": ["bruno"]}


def test_the_scale_fits_what_is_in_view(visit: Open, publish: Publish) -> None:
    begin = NOW - 60 * HOUR
    runs = [
        reports.Run("early", begin, begin + 10 * HOUR, "cpu=900,mem=9G,node=1,billing=1"),
        reports.Run("late", NOW - 3 * HOUR, NOW - HOUR, "cpu=9,mem=1G,node=1,billing=1"),
    ]
    page = visit(publish(Site([reports.report_of(runs, seconds=3 * 86400, limits=None)])).file).page
    shown = panel(page, "avery")
    top = "document.querySelector('[data-chart=NCPUS]').layout.yaxis.range[1]"
    assert page.evaluate(top) == pytest.approx(900 * 1.14)
    shown.get_by_role("button", name="6h").click()
    page.wait_for_function(f"() => {top} < 20")
    assert page.evaluate(top) == pytest.approx(9 * 1.14)
    assert shown.locator(".legend button").all_inner_texts() == ["late"]


def test_a_range_in_which_nothing_ran_says_so(visit: Open, publish: Publish) -> None:
    runs = [reports.Run("early", NOW - 40 * HOUR, NOW - 30 * HOUR)]
    site = publish(Site([reports.report_of(runs, seconds=3 * 86400)]))
    page = visit(site.file).page
    shown = panel(page, "avery")
    shown.get_by_role("button", name="6h").click()
    for key in CHARTS:
        wait_for_text(page, f"[data-chart={key}]", "no jobs in this range")
    shown.get_by_role("button", name="Everything").click()
    page.wait_for_function(f"() => document.querySelector('[data-chart=NCPUS]'){AREAS}.length === 1")
    elsewhere = visit(f"{site.file}#from=2026-01-01T00:00Z&to=2026-02-01T00:00Z").page
    told = "no data of this time: they go from Tue, Nov 17, 15:00 EST to Fri, Nov 20, 14:10 EST"
    wait_for_text(elsewhere, "[data-chart=NCPUS]", told)
    assert elsewhere.locator(".open .said").is_hidden()


def test_from_and_to_are_taken_from_fields(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).address).page
    shown = panel(page, "avery")
    begin, end = (shown.get_by_label(name, exact=True) for name in ("From", "To"))
    assert (begin.input_value(), end.input_value()) == ("2026-11-17T15:00", "2026-11-20T14:10")
    begin.fill("2026-11-19T09:30")
    begin.press("Enter")
    wait_for_range(page, "2026-11-19T09:30", "2026-11-20T14:10")
    end.fill("2026-11-19T21:00")
    wait_for_range(page, "2026-11-19T09:30", "2026-11-19T21:00")  # after a moment, without a key
    assert said(page) == {"qos": ["avery"], "from": ["2026-11-19T14:30Z"], "to": ["2026-11-20T02:00Z"]}
    assert pressed(shown.get_by_role("group", name="Time range")) == []
    for wrong in ("2026-11-19T09:30", "2027-01-01T00:00", ""):
        end.fill(wrong)
        end.press("Enter")
        wait_for_text(page, ".open .said", "There are data from Tue, Nov 17, 15:00 EST to Fri, Nov 20, 14:10 EST")
        assert end.get_attribute("aria-invalid") == "true"
        assert said(page)["to"] == ["2026-11-20T02:00Z"]
        end.fill("2026-11-19T22:00")
        end.press("Enter")
        page.wait_for_url("**to=2026-11-20T03:00Z")
        assert shown.locator(".said").is_hidden()
        assert end.get_attribute("aria-invalid") is None
        end.fill("2026-11-19T21:00")
        end.press("Enter")
        page.wait_for_url("**to=2026-11-20T02:00Z")


def test_earlier_and_later(visit: Open, publish: Publish) -> None:
    page = visit(f"{publish(pair()).address}#range=24h").page
    shown = panel(page, "avery")
    earlier, later_on = (shown.get_by_role("button", name=name) for name in ("Earlier", "Later"))
    assert later_on.get_attribute("aria-disabled") == "true"
    earlier.click()
    wait_for_range(page, "2026-11-19T02:10", "2026-11-20T02:10")
    for _ in range(3):
        earlier.click()
    wait_for_range(page, "2026-11-17T15:00", "2026-11-18T15:00")
    assert earlier.get_attribute("aria-disabled") == "true"
    later_on.click()
    wait_for_range(page, "2026-11-18T03:00", "2026-11-19T03:00")


def test_the_readers_own_clock(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).address, timezone_id="Europe/Berlin").page
    shown = panel(page, "avery")
    cluster = ranges(page)[0]
    shown.get_by_role("button", name="My time").click()
    wait_for_range(page, "2026-11-17T21:00", "2026-11-20T20:10")
    assert ranges(page)[0] == [time + EASTERN_TO_BERLIN for time in cluster]
    assert said(page) == {"qos": ["avery"], "zone": ["mine"]}
    assert "time in Europe/Berlin" in shown.locator("[data-chart=NCPUS] .xtitle").text_content()
    assert shown.get_by_label("To", exact=True).input_value() == "2026-11-20T20:10"
    assert page.get_attribute("#state time", "title") == "Fri, Nov 20, 20:10 GMT+1"
    assert "Times are those of Europe/Berlin" in page.inner_text("footer")
    shown.get_by_label("From", exact=True).fill("2026-11-20T00:00")
    page.wait_for_url("**#qos=avery&from=2026-11-19T23:00Z&*")
    wait_for_range(page, "2026-11-20T00:00", "2026-11-20T20:10")
    shown.get_by_role("button", name="Cluster time").click()
    wait_for_range(page, "2026-11-19T18:00", "2026-11-20T14:10")


def test_who_has_the_clusters_clock_is_not_asked(visit: Open, publish: Publish) -> None:
    page = visit(f"{publish(pair()).address}#zone=mine", timezone_id="America/New_York").page
    shown = panel(page, "avery")
    assert not shown.get_by_role("button", name="My time").is_visible()
    wait_for_range(page, "2026-11-17T15:00", "2026-11-20T14:10")


def test_the_night_in_which_the_clocks_go_back(visit: Open, publish: Publish) -> None:
    golden = reports.golden()
    address = publish(Site([golden])).address
    night = "#from=2026-11-01T05:00Z&to=2026-11-01T07:00Z"  # 01:00 EDT to 02:00 EST
    page = visit(f"{address}{night}", now=golden.window.now, timezone_id="Europe/Berlin").page
    shown = panel(page, "avery")
    wait_for_range(page, "2026-11-01T01:00", "2026-11-01T02:00")
    shown.get_by_role("button", name="My time").click()
    wait_for_range(page, "2026-11-01T06:00", "2026-11-01T08:00")


# --- the mouse -----------------------------------------------------------------------------------------------------


def test_drawing_in_one_chart_zooms_all_and_a_double_click_leads_back(visit: Open, publish: Publish) -> None:
    page = visit(f"{publish(pair()).address}#range=24h").page
    box = plot_of(panel(page, "avery"), "NGPUS")
    drag(page, box, 0.25, 0.5)
    page.wait_for_url("**&from=*")
    span = [datetime.fromisoformat(said(page)[name][0]).timestamp() for name in ("from", "to")]
    assert span[0] == pytest.approx(NOW - 18 * HOUR, abs=600)
    assert span[1] == pytest.approx(NOW - 12 * HOUR, abs=600)
    begin, end = (datetime.fromtimestamp(epoch - 5 * HOUR, timezone.utc).strftime("%Y-%m-%dT%H:%M") for epoch in span)
    wait_for_range(page, begin, end)
    page.wait_for_timeout(400)  # or Plotly takes the next press for a double click
    first = said(page)["from"][0]
    drag(page, box, 0.5, 0.9)
    page.wait_for_function("from => !location.hash.includes(from)", arg=first)
    page.wait_for_timeout(400)
    page.mouse.dblclick(box["x"] + 50, box["y"] + 50)
    wait_for_range(page, "2026-11-19T14:10", "2026-11-20T14:10")
    assert said(page) == {"qos": ["avery"], "range": ["24h"]}


def test_dragging_with_shift_moves_all_charts_but_not_beyond_the_data(visit: Open, publish: Publish) -> None:
    page = visit(f"{publish(pair()).address}#range=24h").page
    box = plot_of(panel(page, "avery"), "NCPUS")
    page.keyboard.down("Shift")
    drag(page, box, 0.3, 0.8)
    page.wait_for_url("**&from=*")
    drawn = [tuple(one) for one in ranges(page)]
    page.wait_for_function(
        "() => new Set([...document.querySelectorAll('.chart')].map(c => c.layout?.xaxis.range.join())).size === 2"
    )  # one for the charts in view, none for the others
    assert drawn[0][0] == pytest.approx(wall("2026-11-19T02:10"), abs=900)
    assert drawn[0][1] - drawn[0][0] == pytest.approx(24 * HOUR, abs=120)
    drag(page, box, 0.9, 0.1)
    page.keyboard.up("Shift")
    wait_for_range(page, "2026-11-19T14:10", "2026-11-20T14:10")


def test_areas_lie_in_the_plot_and_follow_what_is_dragged(visit: Open, publish: Publish) -> None:
    page = visit(f"{publish(pair()).address}#range=24h").page
    box = plot_of(panel(page, "avery"), "NCPUS")
    chart = "document.querySelector('.open [data-chart=NCPUS]')"
    corners = (
        f"['.areas', '.nsewdrag'].map(part => {chart}.querySelector(part).getBoundingClientRect())"
        ".map(({left, top, width, height}) => [left, top, width, height])"
    )
    apart = f"(([one, other]) => Math.max(...one.map((at, side) => Math.abs(at - other[side]))))({corners})"
    until(page, f"{apart} < 1.5")
    page.set_viewport_size({"width": 1000, "height": 700})
    until(page, f"{apart} < 1.5 && {corners}[0][2] !== {box['width']}")
    page.set_viewport_size({"width": 1280, "height": 900})
    until(page, f"{apart} < 1.5 && Math.abs({corners}[0][2] - {box['width']}) < 1")
    box = plot_of(panel(page, "avery"), "NCPUS")
    spans = f"{chart}.querySelector('.areas').getAttribute('viewBox').split(' ').map(Number)"
    before = page.evaluate(spans)
    assert before[2] == 24 * HOUR
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 50, steps=4)
    until(page, f"Math.abs({before[0]} - {spans}[0] - 12 * {HOUR}) < 900")
    assert "from=" not in page.url, "the button is still down"
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_url("**&from=*")
    until(page, f"Math.abs({before[0]} - {spans}[0] - 12 * {HOUR}) < 900 && Math.abs({spans}[2] - {before[2]}) < 120")


# --- the legend ----------------------------------------------------------------------------------------------------


def names_drawn(page: Any, slug: str) -> set[str]:
    return {area["name"] for key in CHARTS for area in traces(page, slug, key)}


def wait_for_names(page: Any, *names: str) -> None:
    """The charts in view have the areas of these users and no others."""
    page.wait_for_function(
        """names => {
          const charts = [...document.querySelectorAll('.open .chart')];
          const found = charts.flatMap(({areas}) => areas ?? []).map(area => area.name);
          return JSON.stringify([...new Set(found)].sort()) === JSON.stringify(names);
        }""",
        arg=sorted(names),
    )


ALL = ("user000", "user001", "user004", "others (2 users)")


@pytest.mark.parametrize("way", ["mouse", "keys"])
def test_one_user_alone_and_all_again(visit: Open, publish: Publish, way: str) -> None:
    page = visit(publish(pair()).address).page
    legend = panel(page, "avery").locator(".legend")
    button = legend.get_by_role("button", name="user001")

    def alone() -> None:
        if way == "mouse":
            button.dblclick()
        else:
            button.focus()
            page.keyboard.press("Shift+Enter")

    alone()
    wait_for_names(page, "user001")
    assert pressed(legend) == ["user001"]
    assert said(page)["only"] == ["user001"]
    legend.get_by_role("button", name="user004").click()
    wait_for_names(page, "user001", "user004")
    alone()
    wait_for_names(page, "user001")
    alone()
    wait_for_names(page, *ALL)
    assert said(page) == {"qos": ["avery"]}


def test_a_double_click_on_who_is_hidden_shows_them_alone(visit: Open, publish: Publish) -> None:
    page = visit(f"{publish(pair()).address}#hide=user001&hide=*").page
    legend = panel(page, "avery").locator(".legend")
    wait_for_names(page, "user000", "user004")
    legend.get_by_role("button", name="user001").dblclick()
    wait_for_names(page, "user001")
    page.get_by_role("button", name="Show all").click()
    wait_for_names(page, *ALL)
    assert not page.get_by_role("button", name="Show all").is_visible()


@pytest.mark.parametrize("way", ["mouse", "keys"])
def test_a_user_stands_out_in_all_charts_without_a_redraw(visit: Open, publish: Publish, way: str) -> None:
    page = visit(publish(pair()).file).page
    shown = panel(page, "avery")
    dim = (
        "() => [...document.querySelectorAll('.open .chart:not([data-chart^=WANTED])')]"
        ".map(c => [...c.querySelectorAll('.area')]"
        ".map((area, place) => [c.areas[place].name, area.classList.contains('dim')]))"
    )
    page.evaluate("document.querySelectorAll('.open .area').forEach(area => (area.marked = true))")
    first = shown.locator(".legend button").first
    if way == "mouse":
        shown.get_by_role("button", name="user004").hover()
    else:
        first.focus()
        page.keyboard.press("Tab")
    charts = page.evaluate(dim)
    assert len(charts) == len(CHARTS)
    for chart in charts:
        assert chart
        assert all(dimmed == (name != "user004") for name, dimmed in chart), chart
    opacity = "getComputedStyle(document.querySelector('.open .area.dim')).opacity"
    page.wait_for_function(f"() => Number({opacity}) < 0.2")
    assert page.evaluate("[...document.querySelectorAll('.open .area')].every(area => area.marked)")
    if way == "mouse":
        page.mouse.move(1, 1)
    else:
        page.get_by_label("Find a user").focus()
    assert not page.locator(".area.dim").count()


def test_who_stands_out_still_does_when_newer_data_come(visit: Open, publish: Publish) -> None:
    seen, renew = live(visit, publish)
    page = seen.page
    panel(page, "avery").get_by_role("button", name="user001").hover()
    renew()
    assert page.locator("[data-chart=NJOBS] .area.dim").count() == 3


# --- who has an area -----------------------------------------------------------------------------------------------


def test_how_many_have_an_area_of_their_own(visit: Open, publish: Publish) -> None:
    site = publish(Site([reports.busy(30, days=3, top_users=3)]))
    page = visit(site.address).page
    shown = panel(page, "avery")
    choice = shown.get_by_label("Show first")
    assert choice.locator("option").all_inner_texts() == ["3", "5", "8", "12", "20", "all"]
    assert choice.input_value() == "3"
    whole = sum(sum(area["y"]) for area in traces(page, "avery", "NJOBS"))
    for number, areas in {"5": 6, "all": 30, "3": 4}.items():
        choice.select_option(label=number)
        page.wait_for_function(f"() => document.querySelectorAll('.open .legend li').length === {areas}")
        page.wait_for_function(f"() => document.querySelector('[data-chart=NJOBS]'){AREAS}.length === {areas}")
        assert sum(sum(area["y"]) for area in traces(page, "avery", "NJOBS")) == pytest.approx(whole)
        assert said(page).get("top") == {"5": ["5"], "all": ["50"], "3": None}[number]
    colours = page.evaluate(f"document.querySelector('[data-chart=NJOBS]'){AREAS}.map(area => area.colour)")
    data = json.loads((site.folder / "data_avery.json").read_text())
    assert colours == [*(data["colours"][user] for user in data["users"][:3]), "#BBBBBB"]


def test_any_user_is_found_and_pinned(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).address).page
    shown = panel(page, "avery")
    field = page.get_by_label("Find a user")
    offered = page.evaluate("[...document.querySelectorAll('#findable option[label=user]')].map(o => o.value).sort()")
    assert offered == [f"user00{number}" for number in range(5)]
    field.fill("003")
    field.press("Enter")
    wait_for_names(page, *ALL[:3], "user003", "others (1 user)")
    assert said(page)["pin"] == ["user003"]
    assert "user003 has an area of their own" in page.locator("#find .said").inner_text()
    assert field.input_value() == ""
    assert shown.locator(".legend .pinned").all_inner_texts() == ["user003\n×"]
    shown.get_by_role("button", name="6h").click()
    page.wait_for_url("**range=6h*")
    assert "user003" in shown.locator(".legend .pinned").inner_text()
    shown.get_by_role("button", name="Everything").click()
    tab(page, "bruno").click()
    panel(page, "bruno")
    assert not page.locator(".open .pinned").count()
    assert page.evaluate("document.querySelectorAll('#findable option[label=user]').length") == 3
    tab(page, "avery").click()
    shown.get_by_role("button", name="Unpin user003").click()
    wait_for_names(page, *ALL)
    assert page.evaluate("document.activeElement.textContent").startswith("user")
    for nobody in ("nobody", "user0"):
        field.fill(nobody)
        field.press("Enter")
        wait_for_text(page, "#find .said", f"No match for “{nobody}”.")
        assert "pin" not in said(page)


def test_a_user_is_pinned_by_choosing_from_the_list(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).address).page
    page.get_by_label("Find a user").focus()
    page.evaluate(
        """() => {
          const field = document.activeElement;
          field.value = 'user003';
          field.dispatchEvent(new InputEvent('input', { inputType: 'insertReplacementText', bubbles: true }));
        }"""
    )
    wait_for_names(page, *ALL[:3], "user003", "others (1 user)")


def test_hostile_names_in_controls_and_address(visit: Open, publish: Publish) -> None:
    names = (*NAMES, "*", "a,b", "x=1&y=2#z")
    runs = [reports.Run(name, NOW - 40 * HOUR + 60 * place) for place, name in enumerate(names)]
    page = visit(publish(Site([reports.report_of(runs, seconds=3 * 86400, top_users=2)])).address).page
    shown = panel(page, "avery")
    for name in names:
        page.get_by_label("Find a user").fill(name.replace("\u202e", "\ufffd").replace("\u200f", "\ufffd"))
        page.get_by_label("Find a user").press("Enter")
    page.wait_for_function(f"() => document.querySelectorAll('.open .pinned').length === {len(names)}")
    assert len(said(page)["pin"]) == len(names)
    again = visit(page.url).page
    panel(again, "avery")
    assert picture(again) == picture(page)
    shown.locator(".pinned [data-does=toggle]").nth(3).dblclick()
    page.wait_for_function(f"() => document.querySelector('[data-chart=NJOBS]'){AREAS}.length === 1")
    assert page.locator("main script, main b, main img:not(.overview img)").count() == 0


# --- the address ---------------------------------------------------------------------------------------------------


def test_a_colleague_sees_the_same(visit: Open, publish: Publish) -> None:
    site = publish(pair())
    page = visit(site.address, timezone_id="Europe/Berlin").page
    shown = panel(page, "avery")
    tab(page, "bruno").click()
    shown = panel(page, "bruno")
    shown.get_by_role("button", name="24h").click()
    shown.get_by_role("button", name="Earlier").click()
    shown.get_by_role("button", name="My time").click()
    page.get_by_label("Find a user").fill("user002")
    page.get_by_label("Find a user").press("Enter")
    shown.locator(".legend button", has_text="user001").click()
    page.get_by_label("Theme").select_option("dark")
    wait_for_range(page, "2026-11-19T08:10", "2026-11-20T08:10")
    wait_for_names(page, "user000", "user002")
    other = visit(page.url, timezone_id="Europe/Berlin").page
    panel(other, "bruno")
    assert picture(other) == picture(page)
    assert set(said(other)) == {"qos", "from", "to", "zone", "hide", "pin", "theme"}


def test_an_address_that_changes_is_followed(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).address).page
    panel(page, "avery")
    page.evaluate("location.hash = '#qos=avery&range=12h&only=user004'")
    wait_for_range(page, "2026-11-20T02:10", "2026-11-20T14:10")
    wait_for_names(page, "user004")
    page.evaluate("location.hash = '#qos=bruno&theme=dark'")
    panel(page, "bruno")
    wait_for_range(page, "2026-11-17T15:00", "2026-11-20T14:10")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.go_back()
    page.wait_for_selector("#panel-avery.open")
    wait_for_names(page, "user004")


@pytest.mark.parametrize(
    "end",
    [
        "range=9d&top=-1&zone=%00&theme=javascript:alert(1)",
        "qos=__proto__&range=constructor&hide=__proto__&pin=constructor&only=toString",
        "from=Infinity&to=NaN&top=1e99&%E0%A4%A",
        "hide=" + "%3Cscript%3E" * 30 + "&" + "pin=x&" * 3000,
        "from=2026-11-20T14:10Z&to=2026-11-17T14:10Z",
        "table.__proto__=1&=&&&#?range=6h",
    ],
)
def test_a_nonsensical_address_does_no_harm(visit: Open, publish: Publish, end: str) -> None:
    page = visit(f"{publish(pair()).address}#{end}").page
    shown = panel(page, "avery")
    assert pressed(shown.get_by_role("group", name="Time range")) == ["Everything"]
    assert names_drawn(page, "avery") == set(ALL)
    shown.get_by_role("button", name="6h").click()
    wait_for_range(page, "2026-11-20T08:10", "2026-11-20T14:10")


# --- the theme -----------------------------------------------------------------------------------------------------

LOOKS = "getComputedStyle(document.body).backgroundColor"


def test_the_theme_is_kept_and_there_before_anything_is_painted(visit: Open, publish: Publish) -> None:
    site = publish(pair())
    page = visit(site.address, color_scheme="light").page
    panel(page, "avery")
    assert brightness(page.evaluate(LOOKS)) > 600
    page.get_by_label("Theme").select_option("dark")
    assert brightness(page.evaluate(LOOKS)) < 200
    ink = "getComputedStyle(document.querySelector('[data-chart=NCPUS] .xtick text')).fill"
    page.wait_for_function(f"() => Number({ink}.match(/\\d+/)[0]) > 200")
    page.goto("about:blank")
    page.add_init_script(
        "document.addEventListener('readystatechange', () => (window.early ??= document.documentElement.dataset.theme))"
    )
    page.goto(site.address)
    assert page.evaluate("window.early") == "dark"
    assert page.get_by_label("Theme").input_value() == "dark"
    assert "theme" not in said(page)
    page.get_by_label("Theme").select_option("system")
    assert brightness(page.evaluate(LOOKS)) > 600
    page.emulate_media(color_scheme="dark")
    assert brightness(page.evaluate(LOOKS)) < 200
    page.get_by_label("Theme").select_option("light")
    assert brightness(page.evaluate(LOOKS)) > 600
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_a_theme_in_the_address_is_for_this_visit_alone(visit: Open, publish: Publish) -> None:
    site = publish(pair())
    page = visit(f"{site.address}#theme=dark", color_scheme="light").page
    panel(page, "avery")
    assert brightness(page.evaluate(LOOKS)) < 200
    page.goto("about:blank")
    page.goto(site.address)
    assert brightness(page.evaluate(LOOKS)) > 600


def test_a_browser_that_keeps_nothing(visit: Open, publish: Publish) -> None:
    refuse = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError'); } });"
    )
    page = visit(publish(pair()).file, color_scheme="light", before=lambda page: page.add_init_script(refuse)).page
    panel(page, "avery")
    page.get_by_label("Theme").select_option("dark")
    assert brightness(page.evaluate(LOOKS)) < 200
    page.reload()
    assert brightness(page.evaluate(LOOKS)) < 200  # the address has it


# --- newer data ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["range=24h", "from=2026-11-19T19:10Z&to=2026-11-20T19:10Z"])
def test_a_range_moves_on_with_newer_data_and_a_span_stays(visit: Open, publish: Publish, end: str) -> None:
    seen, renew = live(visit, publish, f"#{end}&hide=user001")
    page = seen.page
    shown = panel(page, "avery")
    wait_for_range(page, "2026-11-19T14:10", "2026-11-20T14:10")
    focused = shown.locator(".legend button", has_text="user004")
    focused.focus()
    page.evaluate("scrollTo({top: 200, behavior: 'instant'})")
    renew()
    if end.startswith("range"):
        wait_for_range(page, "2026-11-19T14:20", "2026-11-20T14:20")
    else:
        wait_for_range(page, "2026-11-19T14:10", "2026-11-20T14:10")
    assert focused.evaluate("button => button === document.activeElement")
    assert page.evaluate("scrollY") == 200
    assert shown.locator(".legend [aria-pressed=false]").all_inner_texts() == ["user001"]
    assert "user001" not in names_drawn(page, "avery")


def test_a_field_in_which_somebody_writes_is_left_alone(visit: Open, publish: Publish) -> None:
    seen, renew = live(visit, publish, "#range=24h")
    page = seen.page
    field = page.get_by_label("Find a user")
    field.press_sequentially("user0")
    renew()
    assert field.input_value() == "user0"
    assert field.evaluate("field => field === document.activeElement")


# --- limits --------------------------------------------------------------------------------------------------------


def test_a_limit_that_changed_is_a_line_with_steps(visit: Open, publish: Publish) -> None:
    site = pair()
    datasets = site.datasets()
    data = json.loads(datasets["data_avery.json"])
    start, limit = data["edges"][0], data["limits"]["NCPUS"]
    limit["history"] = [{**limit, "from": start, "value": 200}, {**limit, "from": start + 36 * HOUR}]
    page = visit(publish(site, {**datasets, "data_avery.json": json.dumps(data).encode()}).file).page
    shown = panel(page, "avery")
    labels = shown.locator("[data-chart=NCPUS] .annotation-text").all_text_contents()
    assert labels == ["limit 200 CPUs", "limit 430 CPUs"]
    line = shown.locator("[data-chart=NCPUS] .shapelayer path").last.bounding_box()
    plot = plot_of(shown, "NCPUS")
    assert line["width"] == pytest.approx(plot["width"], abs=10)  # with its ends
    assert line["height"] == pytest.approx(plot["height"] * 230 / (430 * 1.14), abs=10)
    flat = shown.locator("[data-chart=NGPUS] .shapelayer path").last.bounding_box()
    assert flat["height"] < 5
    shown.get_by_role("button", name="24h").click()
    page.wait_for_function("() => document.querySelectorAll('[data-chart=NCPUS] .annotation-text').length === 1")


# --- for everybody -------------------------------------------------------------------------------------------------


def test_everything_works_with_the_keyboard_alone(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).address, timezone_id="Europe/Berlin").page
    panel(page, "avery")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.tagName") != "SELECT":
        page.keyboard.press("Tab")
    page.keyboard.press("End")  # the theme: dark
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"

    def reach(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            found = page.evaluate(
                "(({ariaLabel, labels, textContent}) =>"
                " ariaLabel ?? labels?.[0]?.firstChild.textContent.trim() ?? textContent)(document.activeElement)"
            )
            if found == name:
                outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none", name
                return
        raise AssertionError(name)

    reach("24h")
    page.keyboard.press("Enter")
    page.wait_for_url("**range=24h*")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Earlier"
    page.keyboard.press("Space")
    wait_for_range(page, "2026-11-19T02:10", "2026-11-20T02:10")
    reach("My time")
    page.keyboard.press("Enter")
    page.wait_for_url("**zone=mine*")
    reach("Show first")
    page.keyboard.press("End")
    page.wait_for_url("**top=50*")
    page.keyboard.press("/")
    page.keyboard.type("user002")
    page.keyboard.press("Enter")
    page.wait_for_url("**pin=user002*")
    reach("user001")
    page.keyboard.press("Enter")
    page.wait_for_url("**hide=user001*")
    page.keyboard.press("Shift+Enter")
    page.wait_for_url("**only=user001*")
    assert page.evaluate("document.activeElement.textContent") == "user001"
    reach("Unpin user002")
    page.keyboard.press("Enter")
    page.wait_for_function("() => !location.hash.includes('pin=')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_controls_keep_nobody_out(visit: Open, publish: Publish, scheme: str, width: int) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is missing: npm ci --prefix dashboard")
    end = "#range=24h&pin=user002&hide=user001&zone=mine"
    options: dict[str, Any] = {"timezone_id": "Europe/Berlin", "viewport": {"width": width, "height": 900}}
    page = visit(f"{publish(pair()).address}{end}&theme={scheme}", **options).page
    shown = panel(page, "avery")
    shown.get_by_label("From", exact=True).fill("2026-11-20T23:00")
    shown.get_by_label("From", exact=True).press("Enter")
    wait_for_text(page, ".open .said", "There are data from")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    serious = [one for one in found if one["impact"] in {"serious", "critical"}]
    assert not [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in serious]


@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize("width", [360, 768, 3840])
def test_the_controls_stay_on_the_screen(visit: Open, publish: Publish, width: int, touch: bool) -> None:
    names = [f"{name}{'x' * 60}" for name in ("alice", "bob")]
    runs = [reports.Run(name, NOW - 20 * HOUR) for name in names]
    site = publish(Site([reports.report_of(runs, seconds=3 * 86400)]))
    end = "#" + "&".join(f"pin={quote(name)}" for name in names)
    options: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "has_touch": touch, "is_mobile": touch}
    page = visit(f"{site.address}{end}", timezone_id="Europe/Berlin", **options).page
    shown = panel(page, "avery")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in shown.locator(".tools button:visible, .tools input, .tools select, .legend button").all():
        box = control.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert min(box["width"], box["height"]) >= 24  # what a finger hits
    if touch:
        shown.locator(".legend button").first.tap()
        page.wait_for_url("**hide=*")
        shown.get_by_role("button", name="24h").tap()
        wait_for_range(page, "2026-11-19T14:10", "2026-11-20T14:10")


def test_what_is_printed_has_no_controls(visit: Open, publish: Publish) -> None:
    page = visit(f"{publish(pair()).address}#theme=dark").page
    panel(page, "avery")
    page.emulate_media(media="print")
    assert not page.locator(".tools:visible, #theme:visible, .legend:visible, .keys:visible").count()
    assert brightness(page.evaluate("getComputedStyle(document.querySelector('h2')).color")) < 200
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_nothing_moves_for_those_who_want_no_motion(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).file, reduced_motion="reduce").page
    panel(page, "avery")
    assert page.evaluate("getComputedStyle(document.querySelector('.area')).transitionDuration") in {"0s", "none"}


def test_a_page_without_qos_has_a_theme(visit: Open, publish: Publish) -> None:
    page = visit(publish(Site([])).file, color_scheme="light").page
    page.get_by_label("Theme").select_option("dark")
    assert brightness(page.evaluate(LOOKS)) < 200


@pytest.mark.slow
def test_the_charts_of_five_hundred_users_follow_the_range(visit: Open, publish: Publish) -> None:
    page = visit(publish(Site([reports.busy(500, qos="many"), reports.busy(2, days=2, qos="few")])).file).page
    panel(page, "many")

    for range_, begin in (("7d", "2026-11-13T14:10"), ("24h", "2026-11-19T14:10"), ("all", "2026-10-21")):
        page.locator(f".open [data-range='{range_}']").click()
        page.wait_for_function(
            """begin => [...document.querySelectorAll('.open .chart:not(.empty)')]
              .every(({layout}) => layout?.xaxis.range[0].startsWith(begin))""",
            arg=begin,
        )
