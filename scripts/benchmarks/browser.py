"""The page in Chromium beside one made the plain way."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.table import Row
from benchmarks.tools import progress

FIRST_CHART = """
(() => {
  const look = () => {
    const drawn = document.querySelector(".js-plotly-plot .area, .js-plotly-plot .js-fill"); // ours, Plotly's
    if (drawn) window.firstChart = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
UNTIL_DRAWN = """([press, slug]) => new Promise((done) => {
  const panel = document.getElementById(`panel-${slug}`);
  const began = performance.now();
  delete panel.dataset.drawn;
  document.querySelector(press).click();
  const look = () => (panel.dataset.drawn ? done(performance.now() - began) : requestAnimationFrame(look));
  look();
})"""


TURNS = 5  # of which the quickest counts
RANGES = ("24h", "7d", "14d", "all")
SEVERAL = ((500, 0.1), (3000, 0.3))  # users, and the seconds that a change may take
MEMORY = 150  # MB of a page of the first of them


def rows() -> Iterator[Row]:
    """The first live chart of 41 users beside the plain page's, what is there before a script, and what a click costs
    with hundreds and thousands of users."""
    from playwright.sync_api import sync_playwright

    from tests.e2e import naive
    from tests.e2e.browser import ARGUMENTS, chromium_path, served
    from tests.e2e.sites import Site
    from tests.unit import reports

    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as address, sync_playwright() as playwright:
        few = reports.busy(41, qos="few")
        Site([few]).write(Path(folder) / "ours")
        data = next(iter(Site([few]).datasets().values()))
        naive.write(json.loads(data), Path(folder) / "plain")
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        both = [(first_chart(browser, f"{address}/ours/"), first_chart(browser, f"{address}/plain/")) for _ in range(5)]
        ours, plain = (min(times) for times in zip(*both, strict=True))
        yield Row("first live chart, 41 users × 720 bins × 4", ours, plain, "full Plotly, a trace a user", 0.5)
        yield from overview(browser, f"{address}/ours/")
        yield Row("the data of it, gzip", len(gzip.compress(data)) / 1000, None, "", 100, "KB")
        for users, goal in SEVERAL:
            progress(f"a site of {users} users")
            Site([reports.busy(users, qos="many"), few]).write(Path(folder) / str(users))
            yield from changes(browser, f"{address}/{users}/", users, goal)
        browser.close()


def overview(browser: Any, address: str) -> Iterator[Row]:
    """What of the first screen is there where no script runs, and when it can be read."""
    told = {}
    for scripts in (True, False):
        context = browser.new_context(viewport={"width": 1440, "height": 900}, java_script_enabled=scripts)
        page = context.new_page()
        page.goto(address)
        if scripts:
            page.wait_for_selector("[data-drawn]")
            yield Row("the Overview can be read", page.evaluate(FIRST_PAINT) / 1000)
        told[scripts] = {text for text in page.locator("[role=tabpanel] .glance h3").all_inner_texts() if text}
        context.close()
    missing = len(told[True] - told[False])
    yield Row("cards of the Overview that need a script, of " + str(len(told[True])), missing, None, "", 0, "")


def changes(browser: Any, address: str, users: int, goal: float) -> Iterator[Row]:
    """Another range, another user, another QoS, until the charts stand and were shown; and the memory of the page."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(address)
    page.wait_for_selector("#panel-many[data-drawn]")
    page.evaluate("document.querySelector('#panel-many .charts').scrollIntoView()")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    ranges = [f"#panel-many [data-range='{name}']" for name in RANGES]
    legend = [f"#panel-many .legend li:nth-child({place}) button" for place in (2, 2, 5, 5)]
    for what, presses in (("range", ranges), ("user", legend)):
        turns = [[pressed(page, session, press) for press in presses] for _ in range(TURNS)]
        wall, cpu = max(min(times) for times in zip(*turns, strict=True))
        yield Row(f"another {what}, {users:,} users, until the charts stand", wall, None, "", goal, cpu=cpu)
    if (users, goal) != SEVERAL[0]:
        page.close()
        return
    yield Row(f"memory of the page, {users:,} users", memory(page), None, "", MEMORY, "MB")
    both = [("#tab-few", "few"), ("#tab-many", "many")]
    times = [page.evaluate(UNTIL_DRAWN, [press, slug]) for press, slug in both]
    yield Row(f"another QoS, {users:,} users, until the charts stand", max(times) / 1000, None, "", 0.3)
    page.close()


def pressed(page: Any, session: Any, press: str) -> tuple[float, float]:
    """Seconds from a click until the charts stand, and of the page's main thread, since others may use the machine."""
    before = main_thread(session)
    wall: float = page.evaluate(UNTIL_DRAWN, [press, "many"]) / 1000
    return wall, main_thread(session) - before


def main_thread(session: Any) -> float:
    """CPU seconds of the page's main thread so far."""
    metrics = {metric["name"]: float(metric["value"]) for metric in session.send("Performance.getMetrics")["metrics"]}
    return metrics["TaskDuration"]


def memory(page: Any) -> float:
    """Megabytes that the page holds once what it needs no more is gone: scripts' values, elements, buffers."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    use = session.send("Runtime.getHeapUsage")
    parts = ("usedSize", "embedderHeapUsedSize", "backingStorageSize")
    return sum(float(use.get(part, 0)) for part in parts) / 1e6


def first_chart(browser: Any, address: str) -> float:
    """Seconds from the beginning of a visit, with nothing kept from another, until a chart has its areas."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(FIRST_CHART)
    page.goto(address)
    page.wait_for_function("window.firstChart")
    taken: float = page.evaluate("window.firstChart") / 1000
    context.close()
    return taken
