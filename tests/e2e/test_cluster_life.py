"""The whole life of it: init, a first run, an entry in scrontab that fires each minute, a page that is kept open."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from librarian.site import assets
from tests.cluster.client import Cluster
from tests.cluster.fixture import ODD_QOS, ODD_USER, Under
from tests.e2e.browser import Visit, browser, served, visit
from tests.patience import stretched

__all__ = ["browser", "visit"]
pytestmark = [pytest.mark.slow, pytest.mark.scrontab]
A_FIRING = 240  # seconds: a minute, the job's start, the run, and the page's next look


def test_new_jobs_appear_on_the_open_page_at_the_next_firing(
    cluster: Cluster, workload: Under, visit: Callable[..., Visit]
) -> None:
    """Nobody does anything but submit a job and look. QoS, user and folder have odd names."""
    reporter = workload.reporter
    site = cluster.root / reporter.place.lstrip("/") / "site"
    first = cluster.run(ODD_USER, "cat", f"{reporter.place}/first-run").stdout
    cluster.wait_for(lambda: str(reporter.entry(ODD_QOS)["last_updated"]) != first, "scrontab to run librarian")
    with served(site) as address:
        seen = visit(f"{address}/index.html", now=None, before=lambda page: page.route(assets.BASIC_URL, library))
        page = seen.page
        page.locator("[role=tabpanel].live").wait_for()
        assert page.locator("[role=tabpanel] h2").inner_text().startswith(ODD_QOS)
        assert re.fullmatch(r"updated (just now|\d+ (s|min)( ago)?).*", page.locator("#state").inner_text())
        assert not page.locator(".now tbody tr", has_text="3").count(), "nothing of 3 CPUs runs yet"
        cluster.run(ODD_USER, "sbatch", "-o", "/dev/null", "-c", "3", "--mem=1G", "--wrap", "sleep 200")
        held = page.locator(".now tbody tr", has_text=ODD_USER).locator("td").first
        # the reporter is itself a job, of one CPU
        held.filter(has_text=re.compile("^[34]$")).wait_for(timeout=1000 * stretched(A_FIRING))
        assert page.locator(".totals tbody tr", has_text=ODD_USER).count() == 1
    # the cluster has no plotly, so the page asks for it elsewhere, and for nothing else
    assert [url for url in seen.requests if url.startswith("https:")] == [assets.BASIC_URL]
    seen.requests.remove(assets.BASIC_URL)
    cluster.run(ODD_USER, "scrontab", "-r")
    assert cluster.run(ODD_USER, "cat", f"{reporter.place}/log").stdout == "", "in cron there is nothing to say"


def library(route: Any) -> None:
    """Answers as the host does that the page takes Plotly from; anything but the right file would not be run."""
    route.fulfill(path=bundle(), headers={"Access-Control-Allow-Origin": "*"})


def bundle() -> Path:
    """The small Plotly bundle that npm has put into the checkout."""
    found = assets.plotly()
    if found.kind != "basic" or found.path is None:
        pytest.skip("the small Plotly bundle is missing: (cd dashboard && npm ci)")
    return found.path
