"""The page as people use it, in a real browser: over http below a sub-path, and from a file."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from librarian.render.plotly import Plotly
from librarian.shared.files import file_names
from librarian.shared.report import Report
from librarian.site import assets
from librarian.subjects.limits.model import QosLimits
from librarian.subjects.usage.section import UsageSection
from tests.e2e.browser import Visit, browser, visit, web
from tests.e2e.sites import DEMO_AT, INTERVAL, NOW, Site
from tests.unit import reports
from tests.unit.rendering import PICTURES

__all__ = ["browser", "visit", "web"]

CHECKOUT = Path(__file__).resolve().parents[2]
AXE = CHECKOUT / "dashboard/node_modules/axe-core/axe.min.js"
CHARTS = ("NCPUS", "NGPUS", "MEMORY", "NJOBS")
NAMES = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(2)">',
    "\"double\" 'single' `back`",
    "a&b&lt;c",
    "owl🦉用户",
    "reversed\u202eeman\u200f",
    "__proto__",
    "constructor",
    "$x_1$ %{y} ${z}",
    "u" * 60,
    "others",
)
Open = Callable[..., Visit]
Publish = Callable[..., "Published"]


class Published:
    """A site in a folder that can be looked at over http and as a file, and written anew."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.file = f"{folder.as_uri()}/index.html"

    def write(self, site: Site, embed: dict[str, bytes] | None = None) -> Published:
        site.write(self.folder, embed)
        return self

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)


@pytest.fixture
def publish(web: tuple[Path, str], tmp_path: Path) -> Publish:
    """`publish(site)` writes a site below two folders of a web server."""
    root, address = web
    numbers = count()

    def at(site: Site, embed: dict[str, bytes] | None = None) -> Published:
        path = f"{tmp_path.name}/{next(numbers)}/a b/ü"
        return Published(root / path, f"{address}/{quote(path)}/").write(site, embed)

    return at


@pytest.fixture(scope="module")
def demo(web: tuple[Path, str], demo_folder: Path) -> Published:
    """The demo's site below the web server."""
    folder = web[0] / "demo/site"
    shutil.copytree(demo_folder, folder)
    return Published(folder, f"{web[1]}/demo/site/")


def pair(**options: Any) -> Site:
    """Two QoS with data and one without."""
    made = [
        reports.busy(5, days=3, qos="avery", title="Avery Lab", top_users=3),
        reports.busy(3, days=3, seed=8, qos="bruno", title="Bruno Lab"),
    ]
    return Site(made, {"new": "sacct: error: Unknown QoS"}, **options)


def later(site: Site) -> Site:
    """The site of `pair` as the next run writes it: newer, and with one more user of the first QoS."""
    made = [
        reports.busy(6, days=3, qos="avery", title="Avery Lab", top_users=3, now=NOW + INTERVAL),
        reports.busy(3, days=3, seed=8, qos="bruno", title="Bruno Lab", now=NOW + INTERVAL),
    ]
    return replace(site, reports=made, generated_at=NOW + INTERVAL)


def live(visit: Open, publish: Publish, end: str = "") -> tuple[Visit, Callable[[], Site]]:
    """A page with the site of `pair` that looks for newer data all the time, and what makes some: the site of the next
    run, once the page shows it. `end` is that of the page's address."""
    site = pair(refresh_seconds=1)
    published = publish(site)
    seen = visit(published.address + end)

    def renew() -> Site:
        newer = later(site)
        published.write(newer)
        seen.page.wait_for_selector(f"#panel-avery[data-drawn='{newer.generated_at}']")
        return newer

    return seen, renew


def panel(page: Any, slug: str) -> Any:
    """The panel of a QoS, once its charts stand."""
    page.wait_for_selector(f'[id="panel-{slug}"][data-drawn]')
    return page.locator(f'[id="panel-{slug}"]')


def tab(page: Any, slug: str) -> Any:
    return page.locator(f"#tab-{slug}")


def traces(page: Any, slug: str, key: str) -> list[dict[str, Any]]:
    """The areas of a chart: name and means."""
    found: list[dict[str, Any]] = page.evaluate(
        "([slug, key]) => document.querySelector(`#panel-${slug} [data-chart=${key}]`)"
        ".areas.map(({name, y}) => ({name, y}))",
        [slug, key],
    )
    return found


def plot_of(shown: Any, key: str) -> dict[str, float]:
    """Where on the screen the areas of a chart are."""
    plot = shown.locator(f"[data-chart={key}] .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box: dict[str, float] = plot.bounding_box()
    return box


def cells(table: Any) -> list[list[str]]:
    """The texts of a table's rows, its head first."""
    rows: list[list[str]] = table.evaluate(
        "table => [...table.rows].map(row => [...row.cells].map(c => c.textContent))"
    )
    return rows


def number(text: str) -> float:
    return float(text.replace(",", "").replace("< 0.01", "0"))


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s).textContent.includes(t)", arg=[selector, text])


def data_of(published: Published, slug: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((published.folder / f"data_{slug}.json").read_text())
    return data


# --- what is shown -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["http", "file"])
def test_every_qos_of_the_demo_stands_with_its_numbers(demo: Published, visit: Open, way: str) -> None:
    page = visit(demo.address if way == "http" else demo.file, now=DEMO_AT + 60).page
    index = json.loads((demo.folder / "index.json").read_text())
    for entry in index["qos"]:
        tab(page, entry["slug"]).click()
        shown = panel(page, entry["slug"])
        data = json.loads((demo.folder / entry["data"]).read_text())
        for key in CHARTS:
            wanted = sum(map(sum, data["observables"][key].values()))
            if not wanted:
                assert "in use in this window" in shown.locator(f"[data-chart={key}]").inner_text()
                continue
            areas = traces(page, entry["slug"], key)
            assert sum(sum(area["y"]) for area in areas) == pytest.approx(wanted)
            assert len(areas) <= data["metadata"]["top_users"] + 1
            assert shown.locator(f"[data-chart={key}] svg").first.bounding_box()["height"] > 150
        assert not shown.locator(".overview").is_visible()


def test_the_tables_say_what_the_files_say(demo: Published, visit: Open) -> None:
    page = visit(demo.address, now=DEMO_AT + 60).page
    shown, data = panel(page, "avery"), data_of(demo, "avery")
    _, *rows, total = cells(shown.locator(".now table"))
    assert {row[0]: [number(text) for text in row[1:]] for row in rows} == {
        user: pytest.approx([held[key] for key in CHARTS], rel=0.006) for user, held in data["now"]["users"].items()
    }
    assert total[0] == f"{len(rows)} user{'s' * (len(rows) != 1)}"
    assert [number(text) for text in total[1:]] == pytest.approx(
        [data["now"]["total"][key] for key in CHARTS], rel=0.006
    )

    head, *rows, total = cells(shown.locator(".totals table"))
    hours = [head.index(f"{name}-hours") for name in ("CPU", "GPU", "GiB", "job")]
    assert sorted(row[0] for row in rows) == sorted(data["users"]), "in the order of what is short now"
    users = [data["totals"]["users"][row[0]] for row in rows]
    for row, told in zip([*rows, total], [*users, data["totals"]["total"]], strict=True):
        wanted = [told["hours"][key] for key in CHARTS]
        assert [number(row[place]) for place in hours] == pytest.approx(wanted, rel=0.006, abs=0.006)
    whole = data["totals"]["total"]["hours"]["NCPUS"]
    share = float(rows[0][hours[0] + 1].removesuffix(" %"))
    assert share == pytest.approx(100 * data["totals"]["users"][rows[0][0]]["hours"]["NCPUS"] / whole, abs=0.5)
    assert str(max(data["totals"]["total"]["ended"].values())) in "".join(total).replace(",", "")


def test_limits_are_told_apart(visit: Open, publish: Publish) -> None:
    limited = reports.busy(2, days=2, qos="limited", limits=QosLimits({"cpu": 430.0, "mem": 0.0}, None))
    unknown = reports.busy(2, days=2, qos="unknown", limits=None, gpus=False, gpus_tracked=False)
    page = visit(publish(Site([limited, unknown])).file).page
    gauge = "#panel-{} .gauge[data-key={}]"
    data = limited[UsageSection].now_total
    panel(page, "limited")
    cpus = page.inner_text(gauge.format("limited", "NCPUS"))
    assert re.search(rf"^{data['NCPUS']:g} of 430 CPUs$", cpus, re.MULTILINE)
    assert f"{430 - data['NCPUS']:g} free" in cpus
    assert (
        page.get_attribute(f"{gauge.format('limited', 'NCPUS')} [role=meter]", "aria-valuenow") == f"{data['NCPUS']:g}"
    )
    assert "limit 0: none may be used" in page.inner_text(gauge.format("limited", "MEMORY"))
    assert "no limit" in page.inner_text(gauge.format("limited", "NJOBS"))
    tab(page, "unknown").click()
    panel(page, "unknown")
    assert "limit not known" in page.inner_text(gauge.format("unknown", "NCPUS"))
    assert "not tracked" in page.inner_text(gauge.format("unknown", "NGPUS"))
    assert "not tracked" in page.inner_text("#panel-unknown [data-chart=NGPUS]")
    assert "GPU" not in page.inner_text("#panel-unknown .now thead")
    assert len({page.locator(gauge.format("limited", key)).inner_html() for key in CHARTS}) == 4


def test_nobody_and_nothing(visit: Open, publish: Publish) -> None:
    page = visit(publish(Site([reports.empty(qos="calm")])).file).page
    shown = panel(page, "calm")
    assert "Nobody runs anything now." in shown.inner_text()
    assert shown.inner_text().count("No jobs in this window") == 1 + len(CHARTS)


def test_the_card_tells_of_the_bin_below_the_mouse(visit: Open, publish: Publish) -> None:
    page = visit(publish(Site([reports.golden()])).file, now=reports.golden().window.now).page
    shown = panel(page, "avery")
    box = plot_of(shown, "NJOBS")
    page.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2)
    card = shown.locator(".card:visible")
    card.wait_for()
    assert " ".join(card.inner_text().split()) == "Sat, Oct 31, 14:00 EDT – 15:00 4 jobs alice 2 bob 1 carol 1"
    page.mouse.move(1, 1)
    card.wait_for(state="hidden")


def test_what_was_not_understood_is_counted(visit: Open, publish: Publish) -> None:
    page = visit(publish(Site([reports.golden()])).file, now=reports.golden().window.now).page
    panel(page, "avery")
    assert "2 records of Slurm's not understood" in page.inner_text("#state")
    assert "1 job runs for Slurm's accounting alone" in page.inner_text(".notes")


# --- moving about --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["http", "file"])
def test_tabs_by_click_by_keys_and_by_address(visit: Open, publish: Publish, way: str) -> None:
    site = publish(pair())
    address = site.address if way == "http" else site.file
    page = visit(address).page

    def opened() -> list[str]:
        found: list[str] = page.locator("[role=tabpanel]:visible h2").all_inner_texts()
        return found

    assert opened() == ["Avery Lab QoS avery"]
    tab(page, "bruno").click()
    assert opened() == ["Bruno Lab QoS bruno"]
    assert page.url == f"{address}#qos=bruno"
    for key, wanted in {
        "ArrowRight": "new",
        "ArrowRight ": "Avery",
        "ArrowLeft": "new",
        "Home": "Avery",
        "End": "new",
    }.items():
        page.keyboard.press(key.strip())
        assert opened()[0].startswith(wanted), key
        assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    assert [one.get_attribute("tabindex") for one in page.locator("[role=tab]").all()] == ["-1", "-1", "0"]
    page.evaluate("location.hash = '#qos=avery'")
    page.wait_for_selector("#panel-avery:visible")
    assert opened() == ["Avery Lab QoS avery"]
    for name, title in {"bruno": "Bruno Lab", "nobody": "Avery Lab"}.items():
        page.goto("about:blank")
        page.goto(f"{address}#qos={name}")
        assert page.inner_text("[role=tab][aria-selected=true]") == title


def test_a_qos_with_an_odd_name_has_an_address(visit: Open, publish: Publish) -> None:
    odd = reports.hostile(qos="../ä+b&c=d#<e>\n%41")
    page = visit(publish(Site([reports.stale(), odd])).address).page
    page.locator("[role=tab]").nth(1).click()
    address = page.url
    again = visit(address).page
    assert again.get_attribute("[role=tab][aria-selected=true]", "data-slug") == file_names(odd.header.qos).slug


def test_a_qos_without_data_says_why(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).address).page
    assert tab(page, "new").inner_text().split() == ["new", "no", "data"]
    colour = "tab => getComputedStyle(tab).color"
    assert tab(page, "new").evaluate(colour) != tab(page, "avery").evaluate(colour)
    tab(page, "new").click()
    assert "sacct: error: Unknown QoS" in page.inner_text("#panel-new")
    assert page.inner_text("#state") == "no data yet"


# --- the legend ----------------------------------------------------------------------------------------------------


def test_the_legend_hides_a_user_everywhere_and_shows_them_again(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).file).page
    shown = panel(page, "avery")
    button = shown.locator(".legend button", has_text="user000")
    before = {key: traces(page, "avery", key) for key in CHARTS}
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    for key in CHARTS:
        page.wait_for_function(
            f"() => !document.querySelector('[data-chart={key}]').areas.some(t => t.name === 'user000')"
        )
        assert traces(page, "avery", key) == [area for area in before[key] if area["name"] != "user000"]
    tab(page, "bruno").click()
    other = panel(page, "bruno").locator(".legend button", has_text="user000")
    assert other.get_attribute("aria-pressed") == "false"
    assert "user000" not in [area["name"] for area in traces(page, "bruno", "NCPUS")]
    other.click()
    tab(page, "avery").click()
    assert button.get_attribute("aria-pressed") == "true"
    page.wait_for_function("() => document.querySelector('[data-chart=NJOBS]').areas.some(t => t.name === 'user000')")
    assert {key: traces(page, "avery", key) for key in CHARTS} == before


def test_the_legend_works_with_the_keyboard(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).file).page
    button = panel(page, "avery").locator(".legend button", has_text="others (2 users)")
    button.focus()
    for pressed in ("false", "true", "false"):
        page.keyboard.press("Space")
        assert page.evaluate("document.activeElement.textContent") == "others (2 users)"
        assert button.get_attribute("aria-pressed") == pressed


def test_all_users_hidden_is_no_mistake(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).file).page
    for button in panel(page, "avery").locator(".legend button").all():
        button.click()
    page.wait_for_function("() => document.querySelector('[data-chart=NJOBS]').areas.length === 0")


# --- names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["http", "file"])
def test_hostile_names_are_text(visit: Open, publish: Publish, way: str) -> None:
    runs = [reports.Run(name, NOW - 40 * 3600 + 60 * place) for place, name in enumerate(NAMES)]
    title = '<b onmouseover="alert(3)">T</b> &amp; \u202eevil'
    report = reports.report_of(
        runs, seconds=3 * 86400, qos="<i>q</i>", title=title, cluster="</script><u>c", top_users=20
    )
    site = publish(Site([report], {"<u>none</u>": "<script>alert(4)</script>"}))
    page = visit(site.address if way == "http" else site.file).page
    shown = panel(page, file_names("<i>q</i>").slug)
    names = [name.replace("\u202e", "\ufffd").replace("\u200f", "\ufffd") for name in NAMES]
    names[names.index("u" * 60)] = "u" * 47 + "…"
    assert sorted(shown.locator(".legend button").all_inner_texts()) == sorted(names)
    for table in (".now", ".totals"):
        assert sorted(row[0] for row in cells(shown.locator(f"{table} table"))[1:-1]) == sorted(names)
    box = plot_of(shown, "NJOBS")
    page.mouse.move(box["x"] + box["width"] - 30, box["y"] + 20)
    shown.locator(".card:visible").wait_for()
    for key in ("NCPUS", "MEMORY", "NJOBS"):
        assert len(page.evaluate(f"document.querySelector('[data-chart={key}]').areas")) == len(NAMES)
    assert page.inner_text("h1 bdi") == "</script><u>c"
    assert page.locator("body u, body i, body b, body img:not(.overview img), main script").count() == 0
    page.locator("[role=tab]").nth(1).click()
    assert "<script>alert(4)</script>" in page.inner_text("[role=tabpanel]:visible")


# --- newer data ----------------------------------------------------------------------------------------------------


STILL = """() => new Promise((done) => {
    let last = "", same = 0;
    const look = () => {
        const now = `${document.documentElement.scrollHeight} ${scrollY}`;
        same = now === last ? same + 1 : 0;
        last = now;
        if (same > 30) done();
        else requestAnimationFrame(look);
    };
    look();
})"""


def settle(page: Any) -> None:
    """Wait until the charts have the size that they get in a window of another size."""
    page.evaluate(STILL)


def test_newer_data_come_by_themselves_and_the_reader_stays_where_they_were(visit: Open, publish: Publish) -> None:
    seen, renew = live(visit, publish)
    page = seen.page
    panel(page, "avery").locator(".legend button", has_text="user000").click()
    table = page.locator("#panel-avery .totals .scroll")
    box = "document.querySelector('#panel-avery .totals .scroll')"
    places = f"[scrollY, {box}.scrollLeft, {box}.scrollTop]"
    page.set_viewport_size({"width": 660, "height": 500})  # as narrow as a table may be that scrolls to the side
    settle(page)
    page.evaluate("scrollTo(0, 700)")
    page.evaluate("box => { box.scrollTo(60, 20); box.focus({preventScroll: true}); }", table.element_handle())
    settle(page)
    scrolled = page.evaluate(f"() => {places}")
    assert scrolled[1] == 60
    newer = renew()
    assert [row[0] for row in cells(page.locator("#panel-avery .totals table"))[1:-1]] == list(
        newer.reports[0][UsageSection].users
    )
    assert page.evaluate(f"() => {places}") == scrolled
    assert page.evaluate(f"() => document.activeElement === {box}")
    assert page.locator("#panel-avery .legend [aria-pressed=false]").inner_text() == "user000"
    assert "user000" not in [area["name"] for area in traces(page, "avery", "NCPUS")]
    documents = [url for url in seen.requests if url == seen.folder]
    assert len(documents) == 1


def test_the_others_stay_hidden_when_they_become_more(visit: Open, publish: Publish) -> None:
    seen, renew = live(visit, publish)
    page = seen.page
    panel(page, "avery").locator(".legend button", has_text="others (2 users)").click()
    renew()
    button = page.locator("#panel-avery .legend button", has_text="others (3 users)")
    assert button.get_attribute("aria-pressed") == "false"


def test_a_look_that_fails_keeps_what_is_shown_and_says_so(visit: Open, publish: Publish) -> None:
    published = publish(pair(refresh_seconds=1))
    seen = visit(published.address)
    seen.expected.append("Failed to load resource")
    page = seen.page
    before = cells(panel(page, "avery").locator(".totals table"))
    for name in ("index.json", "data_avery.json", "data_bruno.json"):
        (published.folder / name).rename(published.folder / f"away-{name}")
    wait_for_text(page, "#state", "could not look for newer data: index.json: the server answered 404")
    assert cells(page.locator("#panel-avery .totals table")) == before
    assert len(traces(page, "avery", "NCPUS")) == 4
    for name in ("index.json", "data_avery.json", "data_bruno.json"):
        (published.folder / f"away-{name}").rename(published.folder / name)
    page.wait_for_function("() => !document.querySelector('#state').textContent.includes('could not')")


def test_a_server_that_is_gone(visit: Open, publish: Publish) -> None:
    seen = visit(publish(pair(refresh_seconds=1)).address)
    seen.expected.append("Failed to load resource")
    panel(seen.page, "avery")
    seen.page.context.set_offline(True)
    wait_for_text(seen.page, "#state", "index.json: no answer")
    seen.page.context.set_offline(False)
    seen.page.wait_for_function("() => !document.querySelector('#state').textContent.includes('could not')")


@pytest.mark.parametrize("broken", ["", '{"schema_version": 2, "users": []}', "<html>login</html>"])
def test_broken_data_of_one_qos_are_its_trouble_alone(visit: Open, publish: Publish, broken: str) -> None:
    published = publish(pair(refresh_seconds=1))
    page = visit(published.address).page
    before = cells(panel(page, "avery").locator(".totals table"))
    published.put("data_avery.json", broken)
    wait_for_text(page, "#state", "could not look for newer data: data_avery.json: ")
    assert cells(page.locator("#panel-avery .totals table")) == before
    assert len(traces(page, "avery", "NCPUS")) == 4
    tab(page, "bruno").click()
    assert "could not" not in page.inner_text("#state")
    panel(page, "bruno")


def test_missing_data_of_one_qos_are_its_trouble_alone(visit: Open, publish: Publish) -> None:
    published = publish(pair(refresh_seconds=1))
    seen = visit(published.address)
    seen.expected.append("Failed to load resource")
    page = seen.page
    (published.folder / "data_avery.json").unlink()
    wait_for_text(page, "#state", "data_avery.json: the server answered 404")
    assert len(traces(page, "avery", "NCPUS")) == 4
    tab(page, "bruno").click()
    assert "could not" not in page.inner_text("#state")


@pytest.mark.parametrize("broken", ["{", '{"schema_version": 2, "users": [], "edges": []}', "null"])
def test_a_broken_copy_in_the_page_leaves_the_other_qos_usable(visit: Open, publish: Publish, broken: str) -> None:
    site = pair()
    published = publish(site, {**site.datasets(), "data_avery.json": broken.encode()})
    page = visit(published.file).page
    wait_for_text(page, "#panel-avery .problem", "cannot be shown: data_avery.json")
    assert page.locator("#panel-avery .files a").count() == 2 + 2 * len(PICTURES)
    assert page.locator("#panel-avery .overview img").is_visible()
    tab(page, "bruno").click()
    panel(page, "bruno")
    assert len(traces(page, "bruno", "NCPUS")) == 3
    mended = visit(published.address).page
    panel(mended, "avery")  # over http, the file beside the page is whole
    assert "cannot be shown" not in mended.inner_text("#panel-avery")


@pytest.mark.parametrize("change", ["came", "went", "first data"])
def test_the_page_is_made_anew_when_its_tabs_are_not_right_any_more(visit: Open, publish: Publish, change: str) -> None:
    site = pair(refresh_seconds=1)
    published = publish(site)
    page = visit(f"{published.address}#qos=bruno").page
    panel(page, "bruno")
    third = reports.busy(2, days=2, qos="new" if change == "first data" else "third", title="Third")
    changed = {
        "came": replace(site, reports=[*site.reports, third]),
        "went": replace(site, reports=site.reports[1:]),
        "first data": replace(site, reports=[*site.reports, third], missing={}),
    }[change]
    published.write(changed)
    tabs = len(changed.reports) + len(changed.missing)
    page.wait_for_function(
        f"() => document.querySelectorAll('[role=tab]:not(.no-data)').length === {len(changed.reports)}"
    )
    assert page.locator("[role=tab]").count() == tabs
    assert page.inner_text("[role=tab][aria-selected=true]") == "Bruno Lab"


def test_from_a_file_nothing_is_fetched(visit: Open, publish: Publish) -> None:
    seen = visit(publish(pair(refresh_seconds=1)).file)
    panel(seen.page, "avery")
    seen.page.wait_for_timeout(1500)
    assert not [url for url in seen.requests if url.endswith(".json")]


def test_what_the_reader_zoomed_into_stays(visit: Open, publish: Publish) -> None:
    seen, renew = live(visit, publish)
    page = seen.page
    box = plot_of(panel(page, "avery"), "NCPUS")
    zoomed = "document.querySelector('[data-chart=NCPUS]').layout.xaxis.range"
    whole = page.evaluate(zoomed)
    page.mouse.move(box["x"] + 100, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_function(f"() => {zoomed}[0] !== '{whole[0]}'")
    before = page.evaluate(zoomed)
    renew()
    assert page.evaluate(zoomed) == before


# --- age -----------------------------------------------------------------------------------------------------------


def test_old_data_say_since_when_and_why(visit: Open, publish: Publish) -> None:
    page = visit(publish(Site([reports.stale(), reports.busy(2, days=2, qos="fresh")])).address).page
    banner = page.locator("#banner")
    assert banner.inner_text().startswith("Nothing newer since Fri, Nov 20, 09:10 EST (5 h ago)")
    assert banner.inner_text().endswith("Slurm did not answer.")
    tab(page, "fresh").click()
    assert not banner.is_visible()


def test_a_page_that_is_not_renewed_says_so(visit: Open, publish: Publish) -> None:
    site = publish(pair())
    assert not visit(site.file, now=NOW + 3 * INTERVAL - 30).page.locator("#banner").is_visible()
    page = visit(site.file, now=NOW + 3 * INTERVAL + 60).page
    assert page.inner_text("#banner").startswith("Nothing newer since Fri, Nov 20, 14:10 EST (31 min ago)")
    assert "was expected Fri, Nov 20, 14:20 EST (21 min ago): load the page again." in page.inner_text("#banner")
    assert page.inner_text("#state") == "updated 31 min ago"


def test_age_counts_up_by_itself(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).file).page
    assert page.inner_text("#state") == "updated 1 min ago"
    page.clock.fast_forward("40:00")
    wait_for_text(page, "#state", "updated 41 min ago")
    assert page.locator("#banner").is_visible()


# --- without this and that -----------------------------------------------------------------------------------------


def test_without_plotly_the_picture_stands_in(visit: Open, publish: Publish) -> None:
    published = publish(pair())
    (published.folder / assets.plotly().file_name).unlink()
    seen = visit(published.address)
    seen.expected.append("Failed to load resource")
    page = seen.page
    page.locator("#panel-avery .overview img").wait_for()
    assert "could not be loaded" in page.inner_text("#panel-avery .overview")
    assert not page.locator("#panel-avery .charts").first.is_visible()
    assert page.locator("#panel-avery .gauge").count() == 4
    assert len(cells(page.locator("#panel-avery .totals table"))) == 1 + 5 + 1


def test_plotly_from_elsewhere_is_asked_for_there_and_its_absence_is_borne(visit: Open, publish: Publish) -> None:
    cdn = Plotly("4.1.1", None, "plotly.js", "https://cdn.example.invalid/plotly.js", "sha384-x", "cdn")
    asked: list[str] = []

    def refuse(route: Any) -> None:
        asked.append(route.request.url)
        route.abort()

    site = publish(pair(plotly=cdn))
    seen = visit(site.address, before=lambda page: page.route("https://cdn.example.invalid/**", refuse))
    seen.expected += ["Failed to load resource", "integrity"]
    seen.page.locator("#panel-avery .overview figcaption").wait_for()
    assert asked == [cdn.url]
    assert "cdn.example.invalid" in seen.page.inner_text("footer")
    seen.requests = [url for url in seen.requests if url != cdn.url]


def test_without_javascript_every_qos_has_its_picture_and_files(demo: Published, visit: Open) -> None:
    page = visit(demo.address, java_script_enabled=False).page
    index = json.loads((demo.folder / "index.json").read_text())
    for entry in index["qos"]:
        shown = page.locator(f"#panel-{entry['slug']}")
        assert shown.locator("h2 bdi").first.inner_text() == entry["title"]
        picture = shown.locator(".overview img")
        picture.scroll_into_view_if_needed()
        assert picture.bounding_box()["height"] > 100
        assert not shown.locator(".charts").first.is_visible()
        for link in shown.locator(".files a").all():
            assert (demo.folder / link.get_attribute("href")).is_file()
    assert not page.locator("[role=tablist]").is_visible()
    assert "JavaScript" in page.inner_text(".without-script")
    boxes = page.locator("main section, main .tables").all()
    assert not [
        box for box in boxes if box.is_visible() and not box.inner_text().strip() and not box.locator("img").count()
    ]


def test_every_link_leads_to_a_file(demo: Published, visit: Open) -> None:
    page = visit(demo.address, now=DEMO_AT + 60).page
    panel(page, "avery")
    for link in page.locator("a:not([data-to])").all():
        answer = page.request.get(demo.address + link.get_attribute("href"))
        assert answer.ok
        assert answer.body() == (demo.folder / link.get_attribute("href")).read_bytes()


# --- how it looks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [360, 768, 1440, 3840])
def test_nothing_hangs_over_the_edge(visit: Open, publish: Publish, width: int) -> None:
    wide = [
        reports.hostile(qos="h"),
        reports.stale(qos="s"),
        *(reports.empty(qos=f"q{place}" * 9) for place in range(3)),
    ]
    page = visit(publish(Site(wide, {"n" * 90: "x" * 300})).file, viewport={"width": width, "height": 900}).page
    for one in page.locator("[role=tab]").all():
        one.click()
        slug = one.get_attribute("data-slug")
        if not slug.startswith("n"):
            panel(page, slug)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), slug
    widths = page.evaluate(
        "[...document.querySelectorAll('#panel-h .chart svg')].map(s => s.getBoundingClientRect().right)"
    )
    assert max(widths) <= width


@pytest.mark.parametrize("width", [360, 1440])
def test_the_labels_of_the_axis_stand_side_by_side(visit: Open, publish: Publish, width: int) -> None:
    windows = {1: 3600, 2: 3600, 30: 3600, 300: 86400}
    made = [reports.busy(1, days=days, qos=f"d{days}", bin_seconds=seconds) for days, seconds in windows.items()]
    page = visit(publish(Site(made)).file, viewport={"width": width, "height": 900}).page
    for days in windows:
        tab(page, f"d{days}").click()
        chart = panel(page, f"d{days}").locator("[data-chart=NCPUS]")
        boxes = sorted(
            chart.locator(".xtick text").evaluate_all(
                "texts => texts.map(t => t.getBoundingClientRect()).map(box => [box.left, box.right, box.bottom])"
            )
        )
        assert len(boxes) >= 3
        assert all(right < left for (_, right, _), (left, _, _) in pairwise(boxes)), days
        assert max(bottom for _, _, bottom in boxes) <= chart.locator(".xtitle").bounding_box()["y"] + 1


def test_dark_is_dark_in_the_charts_too(visit: Open, publish: Publish) -> None:
    page = visit(publish(pair()).file).page
    panel(page, "avery")
    looks = (
        "() => [getComputedStyle(document.body).backgroundColor,"
        " getComputedStyle(document.querySelector('.gauge')).backgroundColor,"
        " getComputedStyle(document.querySelector('[data-chart=NCPUS] .xtick text')).fill]"
    )
    light = page.evaluate(looks)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => ({looks})()[2] !== {json.dumps(light[2])}")
    dark = page.evaluate(looks)
    paper, card, ink = zip(*([brightness(colour) for colour in look] for look in (light, dark)), strict=True)
    for bright, dim in (paper, card, ink[::-1]):
        assert bright > 600
        assert dim < 200


def brightness(colour: str) -> int:
    """Of "rgb(230, 235, 242)": 0 is black, 765 white."""
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(visit: Open, publish: Publish, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is missing: npm ci --prefix dashboard")
    site = publish(Site([reports.golden(), reports.stale(qos="s"), reports.empty(qos="e")], {"new": "no answer"}))
    page = visit(site.address, color_scheme=scheme).page
    page.evaluate(AXE.read_text())
    for slug in ("avery", "s", "e", "new"):
        tab(page, slug).click()
        if slug != "new":
            panel(page, slug)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        serious = [
            (one["id"], [node["html"][:200] for node in one["nodes"]][:3])
            for one in found
            if one["impact"] in {"serious", "critical"}
        ]
        assert not serious, slug


def test_printing_works(demo: Published, visit: Open) -> None:
    page = visit(demo.address, now=DEMO_AT + 60, color_scheme="dark").page
    panel(page, "avery")
    assert page.pdf().startswith(b"%PDF")
    page.emulate_media(media="print")
    assert not page.locator(".legend:visible, .charts:visible, [role=tablist]:visible").count()
    assert page.locator("#panel-avery .overview img").bounding_box()["height"] > 200
    assert page.locator("#panel-avery .glance table").first.is_visible()
    assert page.locator("#panel-avery .month-users table").is_visible()
    assert not page.locator("#panel-avery .totals table").is_visible(), "paper is for a meeting"
    assert brightness(page.evaluate("getComputedStyle(document.querySelector('h2')).color")) < 200
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_five_hundred_users_of_a_month(visit: Open, publish: Publish) -> None:
    many: Report = reports.busy(500, qos="many")
    page = visit(publish(Site([many, reports.busy(2, days=2, qos="few")])).file).page
    shown = panel(page, "many")
    assert len(cells(shown.locator(".totals table"))) == 1 + 25 + 1
    shown.locator(".totals").get_by_role("button", name="Show all 500").click()
    assert len(cells(shown.locator(".totals table"))) == 1 + 500 + 1
    assert len(traces(page, "many", "NCPUS")) == many.header.top_users + 1
    assert sum(sum(area["y"]) for area in traces(page, "many", "NCPUS")) == pytest.approx(
        sum(map(sum, json.loads(Site([many]).datasets()["data_many.json"])["observables"]["NCPUS"].values()))
    )
    tab(page, "few").click()
    panel(page, "few")
    tab(page, "many").click()
    assert shown.is_visible()
