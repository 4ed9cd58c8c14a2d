"""How much is in use and the files to take away, as people see them in a real browser."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from librarian.shared.files import file_names
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.limits.model import QosLimits
from tests.e2e.browser import browser, visit, web
from tests.e2e.sites import NOW, Site
from tests.e2e.test_page_browser import AXE, Open, Publish, panel, publish
from tests.unit import reports
from tests.unit.rendering import PICTURES

__all__ = ["browser", "publish", "visit", "web"]
HOUR = 3600
OWN_LIMITS = QosLimits({"cpu": 430.0, "gres/gpu": 8.0, "gres/gpu:a100": 4.0, "gres/gpu:b200": 0.0}, None)


def gpus(kind: str, count: int, end: int = UNKNOWN) -> reports.Run:
    """A run with GPUs of a type that began six hours ago and runs on unless told."""
    tres = f"billing=4,cpu=4,mem=16G,node=1,gres/gpu:{kind}={count},gres/gpu={count}"
    return reports.Run("alice", NOW - 6 * HOUR, end, tres, "RUNNING" if end == UNKNOWN else "COMPLETED")


def types(page: Any, slug: str = "avery") -> list[str]:
    panel(page, slug)
    found: list[str] = page.locator(f"#panel-{slug} [data-key=NGPUS] .types li").all_inner_texts()
    return [" ".join(text.split()) for text in found]


def site_of(*runs: reports.Run, limits: QosLimits | None = OWN_LIMITS) -> Site:
    return Site([reports.report_of(runs, seconds=86400, limits=limits, qos="avery", title="Avery Lab")])


def test_each_type_of_gpu_has_its_own_figure_and_limit(visit: Open, publish: Publish) -> None:
    site = site_of(gpus("a100", 3), gpus("b200", 1, NOW - HOUR), gpus("v100", 2))
    page = visit(publish(site).address).page
    assert types(page) == ["a100 3 of 4", "b200 0, limit 0: none may be used", "v100 2, no limit of its own"]
    gauge = page.locator("#panel-avery [data-key=NGPUS]")
    meter = gauge.get_by_role("meter", name="GPUs a100 in use")
    assert meter.get_attribute("aria-valuetext") == "3 of 4"
    filled, whole = (part.bounding_box()["width"] for part in (meter.locator("span"), meter))
    assert filled / whole == pytest.approx(3 / 4, abs=0.02)
    assert gauge.get_by_role("meter").count() == 2, "one of all GPUs, one of those with a limit above 0"
    assert gauge.locator(".types .shut").count() == 1


def test_a_single_type_says_nothing_that_all_gpus_do_not_say(visit: Open, publish: Publish) -> None:
    page = visit(publish(site_of(gpus("v100", 2))).address).page
    assert types(page) == []
    page = visit(publish(site_of(gpus("a100", 2))).address).page
    assert types(page) == ["a100 2 of 4"]


def test_limits_of_types_that_are_not_known(visit: Open, publish: Publish) -> None:
    page = visit(publish(site_of(gpus("a100", 2), gpus("v100", 1), limits=None)).address).page
    assert types(page) == ["a100 2, limit not known", "v100 1, limit not known"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_types_keep_nobody_out(visit: Open, publish: Publish, scheme: str) -> None:
    site = site_of(gpus("a100", 4), gpus("b200", 1), gpus("v" * 60, 2))
    options = {"color_scheme": scheme, "bypass_csp": True, "viewport": {"width": 360, "height": 800}}
    page = visit(publish(site).address, **options).page
    panel(page, "avery")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run(document.querySelector('.open .headroom'))")
    assert not found["violations"], [entry["id"] for entry in found["violations"]]


def test_every_picture_and_table_is_there_to_take_away(visit: Open, publish: Publish) -> None:
    site = publish(site_of(gpus("a100", 3)))
    page = visit(site.address).page
    links = page.locator("#panel-avery .files a")
    hrefs = [unquote(href) for href in links.evaluate_all("links => links.map(link => link.getAttribute('href'))")]
    names = file_names("avery")
    expected = {names.data, names.csv, *(names.picture(key, end) for key in PICTURES for end in ("png", "pdf"))}
    assert sorted(hrefs) == sorted(expected)
    for href in hrefs:
        assert page.request.get(f"{site.address}{href}").status == 200, href
    told = links.evaluate_all("links => links.map(link => link.textContent)")
    assert len(set(told)) == len(told), "each link says what it leads to, read without what stands beside it"


@pytest.mark.parametrize("server", ["plain", "unpacks", "old browser", "fails"])
def test_the_table_is_handed_over_plain(visit: Open, publish: Publish, server: str) -> None:
    """Also by a server that unpacks it on its way; where that cannot be, the file comes as it is."""
    site = publish(site_of(gpus("a100", 3)))
    packed = (site.folder / file_names("avery").csv).read_bytes()

    def before(page: Any) -> None:
        if server == "unpacks":
            page.route("**/*.csv.gz", lambda route: route.fulfill(body=gzip.decompress(packed)))
        if server == "old browser":
            page.add_init_script("delete globalThis.DecompressionStream")
        if server == "fails":
            page.add_init_script("globalThis.DecompressionStream = class { constructor() { throw new TypeError(); } }")

    page = visit(site.address, before=before).page
    with page.expect_download() as started:
        page.locator("#panel-avery .files a", has_text="CSV").click()
    data = Path(started.value.path()).read_bytes()
    if server in ("plain", "unpacks"):
        assert started.value.suggested_filename == "usage_avery.csv"
        assert data == gzip.decompress(packed)
        assert data.startswith(b"start,")
    else:
        assert started.value.suggested_filename == "usage_avery.csv.gz"
        assert data == packed
