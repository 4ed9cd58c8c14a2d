"""That the page keeps nobody out: WCAG 2.2 AA as far as a machine can tell, at three widths, in two schemes, with
forced colours, and in the states that a reader opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.browser import Visit, browser, visit, web
from tests.e2e.sites import Site
from tests.e2e.test_page_browser import Publish, publish
from tests.e2e.test_page_overview import until
from tests.e2e.test_page_plain import violations
from tests.unit import reports

__all__ = ["browser", "publish", "visit", "web"]

Open = Callable[..., Visit]
DRAWN = "document.querySelector('[role=tabpanel].open[data-drawn]')"
WIDTHS = (1440, 390, 320)
# Where something can be pressed or typed into, and is seen; links inside sentences may be as high as their line.
SMALL = """() => [...document.querySelectorAll('button, summary, select, input, nav a, [role=tab]')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('.modebar'))
  .map((one) => [one.outerHTML.slice(0, 120), one.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.width < 24 || box.height < 24))
  .map(([name, box]) => `${name} ${box.width} x ${box.height}`)"""
# The element with the focus, if another one lies over its middle, or if it is out of sight.
HIDDEN = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  if (one === document.body || !box.width) return '';
  const x = Math.min(Math.max(box.x + box.width / 2, 1), innerWidth - 1), y = box.y + Math.min(box.height / 2, 12);
  const over = document.elementFromPoint(x, y);
  const seen = over && (one.contains(over) || over.contains(one) || over.closest('label')?.control === one);
  return seen ? '' : `${one.outerHTML.slice(0, 120)} at ${Math.round(y)} below ${over?.outerHTML.slice(0, 80)}`;
}"""


def site() -> Site:
    """A QoS with all that can be shown, one without data."""
    return Site([reports.golden(), reports.busy(14, days=20, qos="bruno", title="Bruno")], {"new": "no answer"})


def opened(visit: Open, publish: Publish, width: int, **options: Any) -> Any:
    height = 900 if width > 1000 else 740
    page = visit(publish(site()).address, viewport={"width": width, "height": height}, **options).page
    until(page, DRAWN)
    page.locator("#tab-bruno").click()
    until(page, f"document.querySelector('#panel-bruno.open') && {DRAWN}")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_keeps_anybody_out_at_any_width_and_state(
    visit: Open, publish: Publish, width: int, scheme: str
) -> None:
    address = publish(site()).address + "#qos=bruno&range=7d&compare=before&me=user001"
    page = visit(address, viewport={"width": width, "height": 740}, color_scheme=scheme).page
    until(page, f"document.querySelector('#panel-bruno.open') && {DRAWN}")
    page.locator(".me summary").click()
    assert violations(page) == []
    mine = ".open tr.mine > :first-child"
    assert page.evaluate(f"[...document.querySelectorAll('{mine}')].every((one) => one.scrollWidth <= one.clientWidth)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", WIDTHS)
def test_what_can_be_pressed_is_24_pixels_in_size(visit: Open, publish: Publish, width: int) -> None:
    page = opened(visit, publish, width)
    page.locator(".me summary").click()
    assert page.evaluate(SMALL) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_navigation_covers_nothing_that_has_the_focus(visit: Open, publish: Publish, width: int) -> None:
    """Forwards and back again, when what was above comes into view below the navigation."""
    page = opened(visit, publish, width)
    page.locator("h1").click()
    covered, steps = set(), 60
    for key in ("Tab", "Shift+Tab"):
        for _ in range(steps):
            page.keyboard.press(key)
            covered.add(page.evaluate(HIDDEN))
    assert covered == {""}


def colours(page: Any, selector: str, name: str) -> list[str]:
    """Computed values of a property of all that is found in the open panel or the head."""
    found: list[str] = page.evaluate(
        "([selector, name]) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility())"
        ".map((one) => getComputedStyle(one).getPropertyValue(name))",
        [selector, name],
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_what_colour_tells(visit: Open, publish: Publish, scheme: str) -> None:
    page = opened(visit, publish, 1440, forced_colors="active", color_scheme=scheme)
    (canvas,) = set(colours(page, "body", "background-color"))
    bars = set(colours(page, ".gauge .bar:not(.none, .unknown, .shut) > span", "background-color"))
    assert bars and canvas not in bars, "how full a bar is"
    assert len(set(colours(page, ".open .legend .swatch", "background-color"))) > 8, "who has which colour"
    for chosen, other in (
        ("[role=tab][aria-selected=true]", "[role=tab][aria-selected=false]"),
        (".sections [aria-current]", ".sections a:not([aria-current])"),
    ):
        edge = "border-bottom-color" if chosen.startswith("[") else "border-left-color"
        assert not set(colours(page, chosen, edge)) & set(colours(page, other, edge)), chosen
    pressed = set(colours(page, ".open .tools [aria-pressed=true]", "background-color"))
    assert pressed and not pressed & set(colours(page, ".open .tools [aria-pressed=false]", "background-color"))
    page.locator("#tab-bruno").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert violations(page) == []


def test_who_wants_less_motion_gets_none(visit: Open, publish: Publish) -> None:
    page = opened(visit, publish, 1440, reduced_motion="reduce")
    moving = page.evaluate(
        "[...document.querySelectorAll('.open *')].filter((one) => !one.closest('.modebar')"
        " && getComputedStyle(one).transitionDuration !== '0s').map((one) => one.outerHTML.slice(0, 100))"
    )
    assert moving == []
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
