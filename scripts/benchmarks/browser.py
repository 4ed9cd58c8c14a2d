"""The page in Chromium beside one made the plain way."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.table import Row

FIRST_CHART = """
(() => {
  const look = () => {
    if (document.querySelector(".js-plotly-plot .scatterlayer .trace")) window.firstChart = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
UNTIL_DRAWN = """([press, slug]) => new Promise((done) => {
  const panel = document.getElementById(`panel-${slug}`);
  const began = performance.now();
  delete panel.dataset.drawn;
  document.querySelector(press).click();
  const look = () => (panel.dataset.drawn ? done(performance.now() - began) : requestAnimationFrame(look));
  look();
})"""


def rows() -> Iterator[Row]:
    """The first live chart of 41 users beside the plain page's, and what a click costs with 500 users."""
    from playwright.sync_api import sync_playwright

    from tests.e2e import naive
    from tests.e2e.browser import ARGUMENTS, chromium_path, served
    from tests.e2e.sites import Site
    from tests.unit import reports

    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as address, sync_playwright() as playwright:
        few, many = reports.busy(41, qos="few"), reports.busy(500, qos="many")
        Site([few]).write(Path(folder) / "ours")
        Site([many, few]).write(Path(folder) / "many")
        data = next(iter(Site([few]).datasets().values()))
        naive.write(json.loads(data), Path(folder) / "plain")
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        both = [(first_chart(browser, f"{address}/ours/"), first_chart(browser, f"{address}/plain/")) for _ in range(5)]
        ours, plain = (min(times) for times in zip(*both, strict=True))
        yield Row("first live chart, 41 users × 720 bins × 4", ours, plain, "full Plotly, a trace a user")
        yield Row("the data of it, gzip", len(gzip.compress(data)) / 1000, None, "", 100, "KB")
        page = browser.new_page()
        page.goto(f"{address}/many/")
        page.wait_for_selector("#panel-many[data-drawn]")
        for what, presses in (
            ("range", ("[data-range='24h']", "[data-range='7d']")),
            ("QoS", ("#tab-few", "#tab-many")),
        ):
            slugs = ("many", "many") if what == "range" else ("few", "many")
            times = [page.evaluate(UNTIL_DRAWN, [press, slug]) for press, slug in zip(presses, slugs, strict=True)]
            yield Row(f"another {what}, 500 users, until the charts stand", max(times) / 1000, None, "", 0.3)
        browser.close()


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
