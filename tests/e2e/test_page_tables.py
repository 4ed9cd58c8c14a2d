"""Tables and the map of the week where it is harder: many users, no mouse, a phone, paper, a shut clipboard."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest

from librarian.subjects.queue.model import LastQueue
from librarian.subjects.queue.table import queue_table
from librarian.subjects.usage.section import UsageSection
from tests.e2e.browser import browser, visit, web
from tests.e2e.sites import NOW, Site
from tests.e2e.test_page_browser import AXE, Open, Publish, panel, publish
from tests.e2e.test_page_views import column, members, users
from tests.unit import reports

__all__ = ["browser", "publish", "visit", "web"]
HOUR = 3600
MANY = [f"user{number:03d}" for number in range(500)]
READABLE = 4.5  # WCAG 2.2, 1.4.3
CLIPBOARD_SHUT = "Object.defineProperty(navigator, 'clipboard', {value: undefined})"
LOCAL = "epoch => new Date((epoch - 5 * 3600) * 1000).toISOString().slice(0, 16).replace(':', '')"
COUNT_WORK = """() => {
  window.work = {charts: 0, bodies: 0};
  const react = Plotly.react, body = document.querySelector('.open .totals tbody'), put = body.replaceChildren;
  Plotly.react = (...given) => { work.charts += 1; return react(...given); };
  body.replaceChildren = function (...given) { work.bodies += 1; return put.apply(this, given); };
}"""


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG has it, of a colour as the browser computes it: `rgb(…)` or `color(srgb …)`."""
    parts = [float(part) for part in re.findall(r"[\d.]+(?:e-?\d+)?", colour)[:3]]
    parts = parts if colour.startswith("color(") else [part / 255 for part in parts]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def in_focus(page: Any) -> str:
    found: str = page.evaluate("document.activeElement.textContent || document.activeElement.tagName")
    return found


def test_sorting_and_typing_leave_the_charts_alone(visit: Open, publish: Publish) -> None:
    page = visit(publish(members(*MANY)).address).page
    panel(page, "avery")
    page.evaluate(COUNT_WORK)
    page.locator(".open .totals input").press_sequentially("us")
    column(page, "job-hours").click()
    assert len(users(page)) == 500
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("work") == {"charts": 0, "bodies": 3}
    assert "table.totals-filter=us" in page.url
    assert page.locator(".open .totals [role=status]").inner_text() == "500 of 500"


def test_a_user_without_a_mouse_sorts_and_reads_all(visit: Open, publish: Publish) -> None:
    page = visit(publish(members(*MANY[:60])).address).page
    panel(page, "avery")
    page.locator(".open .totals input").focus()
    for _ in range(5):  # copy, save, the table, the first head, the second
        page.keyboard.press("Tab")
    assert in_focus(page) == "CPU-hours"
    assert page.locator(".open .totals th[aria-sort=descending]").inner_text() == "CPU-hours", "without a choice"
    page.keyboard.press("Space")
    assert in_focus(page) == "CPU-hours"
    assert page.locator(".open .totals th[aria-sort=ascending]").inner_text() == "CPU-hours"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "share of CPU-hours"
    page.locator(".open .totals").get_by_role("button", name="Show all 60").focus()
    page.keyboard.press("Enter")
    assert len(users(page)) == 60
    assert page.evaluate("document.activeElement.matches('.open .totals .scroll')"), "not lost with the button"


def test_copying_works_where_the_clipboard_is_shut(visit: Open, publish: Publish) -> None:
    site = publish(members("alice", "bob"))
    page = visit(site.file, before=lambda page: page.add_init_script(CLIPBOARD_SHUT)).page
    panel(page, "avery")
    copy = page.locator(".open .totals .grid-tools button").first
    copy.click()
    page.locator(".open .totals [role=status]", has_text="copied").wait_for()
    assert copy.evaluate("button => button === document.activeElement")
    page.evaluate("document.body.append(document.createElement('textarea'))")
    page.locator("body > textarea").press("Control+v")
    lines = page.locator("body > textarea").input_value().split("\n")
    assert lines[0].split("\t")[:3] == ["User", "CPU-hours", "share of CPU-hours (fraction)"]
    assert {line.split("\t")[0] for line in lines[1:]} == {"alice", "bob"}
    assert {len(line.split("\t")) for line in lines} == {len(lines[0].split("\t"))}


def saved(page: Any, table: str) -> tuple[str, list[dict[str, str]]]:
    """The name of the file that a table is saved as, and its rows."""
    with page.expect_download() as started:
        page.locator(f".open {table} .grid-tools").get_by_role("button", name="CSV").click()
    text = Path(started.value.path()).read_text(encoding="utf-8")
    return started.value.suggested_filename, list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_saved_table_tells_units_and_leaves_empty_what_is_not_known(visit: Open, publish: Publish) -> None:
    runs = [reports.Run("alice", NOW - 5 * HOUR, tres="cpu=4,mem=8G")]
    waiting = reports.pending("=bob", "Priority", tasks=2)
    queue = LastQueue(NOW, queue_table([waiting]))
    report = reports.report_of(runs, seconds=2 * 86400, qos="../a/very", title="Avery", queue=queue)
    page = visit(publish(Site([report])).address).page
    now = page.evaluate(LOCAL, NOW)
    name, (row,) = saved(page, ".now")
    assert name == f"usage-now___a_very_{now}.csv"
    assert (row["CPUs held now"], row["Memory held now (GiB)"]) == ("4", "8")
    name, (row,) = saved(page, ".waiting")
    assert name == f"queue-waiting___a_very_{now}.csv"
    assert (row["User"], row["pending jobs"], row["expected next start"]) == ("'=bob", "2", "")
    assert int(row["oldest job waits for (s)"]) >= 0
    name, (row,) = saved(page, ".waits-by-user")
    assert re.fullmatch(r"queue-waits___a_very_[\dT-]+\.csv", name)
    assert (row["User"], row["GPU jobs: median wait (s)"]) == ("alice", "")
    assert float(row["CPU jobs: median wait (s)"]) >= 0
    name, rows = saved(page, ".month-users")
    assert name == "month-users___a_very_2026-11.csv"
    assert rows[0]["failed share of the runs (fraction)"] == "", "nothing has ended"


def short_site() -> Site:
    """Ann holds most CPUs, bob all GPUs, of which most of the limit is in use; both have waited and used something."""
    runs = [
        reports.Run("ann", NOW - 30 * HOUR, tres="cpu=90,mem=8G"),
        reports.Run("bob", NOW - 30 * HOUR, tres="cpu=4,mem=64G,gres/gpu=36"),
        reports.Run("u" * 60, NOW - 9 * HOUR, NOW - HOUR, tres="cpu=20,mem=1G", state="FAILED"),
    ]
    queue = LastQueue(NOW, queue_table([reports.pending("ann", "Priority"), reports.pending("bob", "Priority")]))
    return Site([reports.report_of(runs, seconds=3 * 86400, qos="avery", title="Avery", queue=queue)])


def order_of(page: Any, table: str) -> str:
    found: str = page.locator(f".open {table} .order").inner_text()
    return found


def test_tables_are_sorted_by_what_is_short_and_say_so(visit: Open, publish: Publish) -> None:
    page = visit(publish(short_site()).address).page
    panel(page, "avery")
    assert users(page, "section.now") == ["bob", "ann"]
    assert order_of(page, "section.now") == "Sorted by GPUs, largest first. Nearest to a limit now: GPUs, 92 % in use."
    for table in ("section.now", ".totals", ".month-users"):
        head = page.locator(f".open {table} th[aria-sort=descending]")
        assert head.all_inner_texts() in (["GPUs"], ["GPU-hours"])
        mark = head.locator("button").evaluate("button => getComputedStyle(button, '::after').content")
        assert "▾" in mark
    column(page, "CPU-hours").click()
    assert order_of(page, ".totals") == "Sorted by CPU-hours, largest first."
    assert users(page)[0] == "ann"
    assert order_of(page, ".waits-by-user") == "Sorted by jobs started, largest first."


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_a_row_is_read_without_scrolling_to_the_side(visit: Open, publish: Publish, width: int) -> None:
    page = visit(publish(short_site()).address, viewport={"width": width, "height": 844}).page
    panel(page, "avery")
    for table in ("section.now", ".totals", ".waiting", ".waits-by-user", ".month-users", ".month-accounts"):
        place = page.locator(f".open {table} .scroll")
        assert place.evaluate("place => place.scrollWidth <= place.clientWidth"), table
    small = page.locator(".open .plain")
    assert small.count() >= 5
    for place in small.all():
        fits = place.evaluate("table => table.parentElement.scrollWidth <= table.parentElement.clientWidth")
        assert fits, place.get_attribute("aria-label")
    limits = page.get_by_role("table", name="How close use came to the limits")
    assert limits.get_by_role("row").count() == limits.locator("tr").count(), "a table for screen readers, too"
    shown = page.locator(".open .totals thead th:visible").all_inner_texts()
    assert shown == ["User", *(["CPU-hours"] if width == 390 else []), "GPU-hours", "share"]
    page.get_by_label("Sort “Totals of the window” by").select_option("NJOBS")
    assert order_of(page, ".totals") == "Sorted by job-hours, largest first."
    assert "job-hours" in page.locator(".open .totals thead th:visible").all_inner_texts()
    assert "table.totals-sort=NJOBS" in page.url


def test_the_rest_of_a_row_opens_by_tap_and_by_key(visit: Open, publish: Publish) -> None:
    live = publish(short_site())
    page = visit(live.address, viewport={"width": 390, "height": 844}, has_touch=True).page
    panel(page, "avery")
    totals = page.locator(".open .totals")
    button = totals.get_by_role("button", name="The rest of bob")
    assert button.get_attribute("aria-expanded") == "false"
    totals.locator("tbody tr", has_text="bob").locator("td").nth(2).tap()
    assert button.get_attribute("aria-expanded") == "true"
    rest = totals.locator("tr.rest")
    told = dict(
        zip(rest.locator("dt:visible").all_inner_texts(), rest.locator("dd:visible").all_inner_texts(), strict=True)
    )
    heads = totals.locator("thead th:visible").all_inner_texts()
    assert "GiB-hours" in told and "runs failed" in told
    assert not told.keys() & set(heads), "nothing twice"
    button.focus()
    page.keyboard.press("Enter")
    assert rest.count() == 0
    page.keyboard.press("Space")
    assert rest.count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("The rest of ")
    page.get_by_role("button", name="24h", exact=True).evaluate("button => button.click()")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("The rest of "), "it is kept"
    assert rest.count() == 1, "and what was open"
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run('.tables').then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))"
    )
    assert found == []
    page.set_viewport_size({"width": 1440, "height": 900})
    assert not rest.is_visible()
    assert not button.is_visible()


def colours_in(page: Any, rows: str) -> dict[str, str]:
    """The colour of each name in some rows, or entries of a legend."""
    pairs: list[list[str]] = page.locator(f".open {rows}").evaluate_all(
        """rows => rows.map(row => [
          row.querySelector('bdi').textContent, getComputedStyle(row.querySelector('.swatch')).backgroundColor,
        ])"""
    )
    return dict(map(tuple, pairs))  # type: ignore[arg-type]


def test_who_is_shown_by_choice_shares_no_colour_with_anybody(visit: Open, publish: Publish) -> None:
    names = MANY[:40]
    runs = [reports.Run(name, NOW - (80 - place) * HOUR // 2) for place, name in enumerate(names)]
    report = reports.report_of(runs, seconds=3 * 86400, qos="avery", title="Avery Lab", top_users=12)
    colour_of = report.colours
    first = {colour_of[user] for user in report[UsageSection].users[:12]}
    same = [user for user in report[UsageSection].users[12:] if colour_of[user] in first][:4]
    address = publish(Site([report])).address
    page = visit(f"{address}#qos=avery&pin={'&pin='.join(same)}").page
    panel(page, "avery")
    page.locator(".open .totals").get_by_role("button", name="Show all 40").click()
    legend = colours_in(page, ".legend li")
    assert set(same) <= set(legend)
    assert len(legend) == len(set(legend.values())) == 17, "twelve, four by choice, and the others"
    for rows in ("section.now tbody tr", ".totals tbody tr", ".month-users tbody tr"):
        table = colours_in(page, rows)
        assert {user: table[user] for user in same if user in table} == {u: legend[u] for u in same if u in table}
        assert all(colour == legend.get(user, "rgb(187, 187, 187)") for user, colour in table.items())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_of_the_scale_is_read_and_told_apart(visit: Open, publish: Publish, scheme: str) -> None:
    page = visit(publish(members("alice")).address, color_scheme=scheme).page
    panel(page, "avery")
    steps = page.evaluate(
        """() => Array.from({length: 11}, (_, step) => {
          const cell = document.querySelector('.open .heat tbody td');
          cell.className = `heat-${step}`;
          const {backgroundColor, color} = getComputedStyle(cell);
          return [backgroundColor, color];
        })"""
    )
    assert min(contrast(*step) for step in steps) >= READABLE, steps
    grounds = [luminance(ground) for ground, _ in steps]
    assert grounds == sorted(grounds, reverse=scheme == "light")
    assert len(set(grounds)) == 11


def test_a_use_that_never_changes_has_no_best_hour(visit: Open, publish: Publish) -> None:
    runs = [reports.Run("alice", NOW - 100 * HOUR, tres="billing=4,cpu=4,mem=16G,node=1", state="RUNNING")]
    page = visit(publish(Site([reports.report_of(runs, seconds=3 * 86400, limits=None)])).address).page
    panel(page, "avery")
    words = page.locator(".open .heat .quiet").first
    assert words.inner_text().startswith("The same at every hour.")
    page.locator(".open .heat select").select_option("NGPUS")
    assert words.inner_text().startswith("None in use at any hour.")


def test_hours_that_are_just_as_free_are_counted(visit: Open, publish: Publish) -> None:
    runs = [reports.Run("alice", NOW - 20 * HOUR - 600, NOW - 18 * HOUR - 600)]  # 18:00 to 20:00 on Thursday
    page = visit(publish(Site([reports.report_of(runs, seconds=2 * 86400)])).address).page
    panel(page, "avery")
    words = page.locator(".open .heat .quiet").first.inner_text()
    free = sum(text == "0" for text in page.locator(".open .heat tbody td").all_inner_texts())
    assert words.startswith(f"Least in use: Wed 15:00 and {free - 1} other hours (0 % of the limit). "), words
    assert "Most: Thu 18:00 and 1 other hour (0.9 % of the limit). " in words


def test_long_names_are_told_in_full(visit: Open, publish: Publish) -> None:
    page = visit(publish(members("u" * 60 + "1", "u" * 60 + "2")).address).page
    panel(page, "avery")
    titles = page.locator(".open .totals tbody th").evaluate_all("cells => cells.map(cell => cell.title)")
    assert sorted(titles) == ["u" * 60 + "1", "u" * 60 + "2"]


def test_on_a_phone_nothing_is_wider_than_the_screen(visit: Open, publish: Publish) -> None:
    page = visit(publish(members(*MANY[:30], "u" * 60)).address, viewport={"width": 360, "height": 800}).page
    panel(page, "avery")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    heat = page.locator(".open .heat .scroll")
    assert heat.evaluate("place => place.scrollWidth > place.clientWidth"), "it scrolls inside itself"
    heat.focus()
    assert heat.evaluate("place => place === document.activeElement")
    tops = page.locator(".open .heat-key span").evaluate_all("steps => steps.map(step => step.offsetTop)")
    assert len(set(tops)) == 1, "the scale stays in one line"


def test_paper_has_the_first_rows_below_their_heads_or_all_that_are_shown(visit: Open, publish: Publish) -> None:
    page = visit(publish(members(*MANY[:60])).address).page
    panel(page, "avery")
    rows = page.locator(".open .month-users tbody tr")
    assert rows.count() == 25
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert rows.count() == 8
    order = page.locator(".open .month-users .order")
    assert "The first 8 of 60." in order.evaluate("line => getComputedStyle(line, '::after').content")
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert rows.count() == 25
    page.locator(".open .month-users").get_by_role("button", name="Show all 60").click()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert rows.count() == 60
    cells = page.locator(".open .month-users thead th, .open .month-users tfoot td")
    assert set(cells.evaluate_all("cells => cells.map(cell => getComputedStyle(cell).position)")) == {"static"}
    head, foot = (page.locator(f".open .month-users {part}").bounding_box() for part in ("thead", "tfoot"))
    assert foot["y"] - head["y"] > 60 * 10
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert rows.count() == 60
