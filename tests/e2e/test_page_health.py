"""What the page tells of the runs that make it: its banner, from status.json and from the clock."""

from __future__ import annotations

from typing import Any

import pytest

from librarian.health.status import QosStatus, Stage, Status, to_json
from librarian.site.single_file import write_single
from tests.e2e.browser import browser, visit, web
from tests.e2e.sites import INTERVAL, NOW
from tests.e2e.test_page_browser import Open, Publish, pair, panel, publish, tab, wait_for_text
from tests.unit.rendering import TITLES

__all__ = ["browser", "publish", "visit", "web"]

EVIL = "<img src=x onerror=alert(1)></script><!-- \u202e"


def banner(page: Any) -> str:
    text: str = page.locator("#banner").text_content()
    return text


def fared(now: int = NOW, error: str | None = None, **qos: str | None) -> bytes:
    """status.json of a run at `now`: drawing failed with `error`, asking for the QoS with theirs."""
    rows = tuple(QosStatus(now, NOW if said else now, 1.0, said, name) for name, said in qos.items())
    stages = {"collect": Stage(now, now, 1.0), "render": Stage(now, NOW if error else now, 1.0, error)}
    return to_json(Status("tillicum", INTERVAL, "0.1.0", last_try=now, stages=stages, qos=rows))


@pytest.mark.parametrize("way", ["http", "file", "copy"])
def test_what_failed_with_a_qos_is_told_as_text(visit: Open, publish: Publish, way: str) -> None:
    published = publish(pair(status=fared(avery=f"sacct: {EVIL}", bruno=None)))
    copy = published.folder.parent / "copy.html"
    write_single(published.folder, copy, TITLES)
    page = visit({"http": published.address, "file": published.file, "copy": copy.as_uri()}[way]).page
    wait_for_text(page, "#banner", "Slurm could not be asked about this QoS at the last try, Fri, Nov 20, 14:10 EST")
    assert banner(page).endswith("sacct: <img src=x onerror=alert(1)></script><!-- \ufffd.")
    tab(page, "bruno").click()
    assert not page.locator("#banner").is_visible()


def test_a_newer_status_is_told_though_the_page_is_as_it_was(visit: Open, publish: Publish) -> None:
    published = publish(pair(refresh_seconds=1, status=fared(avery=None, bruno=None)))
    seen = visit(published.address)
    panel(seen.page, "avery")
    assert not seen.page.locator("#banner").is_visible()
    published.put("status.json", fared(NOW + INTERVAL, "the disk is full", avery=None, bruno=None).decode())
    wait_for_text(seen.page, "#banner", "This page could not be made anew")
    assert banner(seen.page).endswith("the disk is full.")
    seen.expected.append("Failed to load resource")
    asked = len(seen.requests)
    for broken in ("", "<html>login</html>", None):
        (published.folder / "status.json").unlink() if broken is None else published.put("status.json", broken)
        seen.page.wait_for_timeout(1500)
        assert banner(seen.page).endswith("the disk is full."), "what was known stays known"
    assert [url for url in seen.requests[asked:] if url.endswith("/status.json")]
    assert "could not look" not in seen.page.inner_text("#state")


def test_runs_that_have_stopped_are_told_by_the_clock(visit: Open, publish: Publish) -> None:
    published = publish(pair(status=fared(NOW + INTERVAL, avery=None, bruno=None)))
    page = visit(published.address, now=NOW + 3 * INTERVAL + 60).page
    wait_for_text(page, "#banner", "Nothing newer since Fri, Nov 20, 14:10 EST (31 min ago).")
    assert "expected" not in banner(page), "a run came, only its data did not"
    page = visit(published.address, now=NOW + 4 * INTERVAL + 60).page
    wait_for_text(page, "#banner", "The next update was expected Fri, Nov 20, 14:30 EST (21 min ago) and has not come")
