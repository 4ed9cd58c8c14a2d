"""The page: what joining refuses, what gets into the HTML and what must not, and the policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
import pytest

from librarian.render.html.page import data_script, joined, styled
from librarian.render.html.templates import embedded
from librarian.render.json.run_length import decoded
from librarian.render.plotly import Plotly
from librarian.site import assets
from tests.places import ROOT
from tests.unit import rendering

GOLDEN = ROOT / "tests/data/golden"
BASIC = Plotly("4.1.1", Path("/x/plotly-basic.min.js"), "plotly-basic-4.1.1.min.js", None, None, "basic")
CDN = Plotly("4.1.1", None, "plotly-basic.min.js", "https://cdn.example.org/p@4/plotly.js", "sha384-abc", "cdn")
EVIL = "</script><script>alert(1)</script><!-- & \"quoted\" 'x' {{ 7 * 6 }} \u2028"


class Elements(HTMLParser):
    """The elements of a page: name and attributes, and the text inside scripts and style sheets as a browser has it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.raw: list[tuple[str, dict[str, str], str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag in {"script", "style"}:
            self.raw.append((*self.found[-1], ""))

    def handle_data(self, data: str) -> None:
        if self.raw and self.cdata_elem:
            name, attributes, text = self.raw.pop()
            self.raw.append((name, attributes, text + data))
        else:
            self.text += data

    def all(self, tag: str) -> Iterator[dict[str, str]]:
        return (attributes for name, attributes in self.found if name == tag)


def golden_index() -> dict[str, Any]:
    index: dict[str, Any] = json.loads((GOLDEN / "index.json").read_text())
    return index


def golden_datasets() -> dict[str, bytes]:
    data = (GOLDEN / "data_avery.json").read_bytes()
    return {"data_avery.json": data, "data_bruno.json": data}


def rendered(index: dict[str, Any] | None = None, plotly: Plotly = BASIC, **changes: Any) -> str:
    parts: dict[str, Any] = {"templates": assets.templates(), "dashboard": assets.dashboard()} | changes
    datasets = parts.pop("datasets", golden_datasets())
    return rendering.render_page(index or golden_index(), datasets, plotly=plotly, **parts)


def modules(**texts: str) -> dict[str, str]:
    """Modules in the folder of the entry, which is called `entry`."""
    return {f"page/{name}.js": text for name, text in texts.items()}


def policy_of(page: Elements) -> dict[str, str]:
    metas = (meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    return {name: rest for name, _, rest in (rule.partition(" ") for rule in next(metas)["content"].split("; "))}


def sha(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# --- joining -------------------------------------------------------------------------------------------------------


def test_modules_come_after_those_they_import_each_once() -> None:
    script = joined(
        modules(
            entry='import { a } from "./a.js";\nimport {\n  b, c,\n} from "./b.js";\na(b, c);\n',
            a='import { b } from "./b.js";\nexport function a() { return b; }\n',
            b="export const b = 1;\nexport async function c() {}\n",
            other="not needed, not even JavaScript",
        )
    )
    assert script.index("const b = 1") < script.index("function a()") < script.index("a(b, c);")
    assert script.count("const b = 1") == 1
    assert "not needed" not in script
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)


def test_what_the_script_defines_stays_in_it() -> None:
    script = joined(modules(entry="export const a = 1;\n"))
    assert script.startswith('(() => {\n"use strict";\n')
    assert script.endswith("})();\n")


@pytest.mark.parametrize(
    "line",
    [
        'import a from "./a.js";',
        'import * as a from "./a.js";',
        'import "./a.js";',
        'import { a } from "a";',
        'import { a } from "https://example.org/a.js";',
        "import { a } from './a.js';",
        'const a = await import("./a.js");',
        "const a = import.meta.url;",
        "export default 1;",
        "export { b };",
        'export * from "./a.js";',
        "export let b = 1;",
        "  export const b = 1;",
    ],
)
def test_other_forms_of_import_and_export_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"^page/entry\.js has an import or export of "):
        joined(modules(entry=f"{line}\n", a="export const a = 1;\n"))


def test_a_path_is_that_from_the_folder_of_the_module() -> None:
    script = joined(
        {
            "page/entry.js": 'import { a } from "../subjects/queue/a.js";\nimport { x } from "./a.js";\na(x);\n',
            "page/a.js": "export const x = 1;\n",
            "subjects/queue/a.js": 'import { deep } from "../../common/deep.js";\nexport function a() { deep(); }\n',
            "common/deep.js": "export function deep() {}\n",
        }
    )
    assert script.index("function deep()") < script.index("function a()") < script.index("a(x);")
    assert "import" not in script


@pytest.mark.parametrize("path", ["../../outside.js", "../a.js", "./queue/a.js", "./../page/../../page/a.js"])
def test_a_path_that_leads_to_no_module_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"^page/entry\.js imports [\w./]+, which is not there$"):
        joined(modules(entry=f'import {{ a }} from "{path}";\n', a="export const a = 1;\n"))


def test_renaming_an_import_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^page/entry\.js imports a as b, which page/a\.js does not export$"):
        joined(modules(entry='import { a as b } from "./a.js";\n', a="export const a = 1;\n"))


def test_an_import_of_what_is_not_exported_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^page/entry\.js imports hidden, which page/a\.js does not export$"):
        joined(modules(entry='import { a, hidden } from "./a.js";\n', a="export const a = 1;\nconst hidden = 2;\n"))


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^page/entry\.js imports page/a\.js, which is not there$"):
        joined(modules(entry='import { a } from "./a.js";\n'))


def test_a_circle_is_refused_with_its_way() -> None:
    ring = modules(
        entry='import { a } from "./a.js";\n',
        a='import { b } from "./b.js";\nexport const a = 1;\n',
        b='import { a } from "./a.js";\nexport const b = 1;\n',
    )
    with pytest.raises(ValueError, match=r"circle: page/entry\.js -> page/a\.js -> page/b\.js -> page/a\.js$"):
        joined(ring)


@pytest.mark.parametrize("one", ["const x = 1;", "function x() {}", "async function x() {}", "class x {}", "let x;"])
@pytest.mark.parametrize("other", ["const x = 2;", "export function x() {}", "let x = 3;", "class x extends Map {}"])
def test_a_name_that_two_modules_define_is_refused(one: str, other: str) -> None:
    with pytest.raises(ValueError, match=r"^page/entry\.js and page/a\.js both define x$"):
        joined(modules(entry=f'import {{ a }} from "./a.js";\n{other}\n', a=f"export const a = 1;\n{one}\n"))


def test_names_inside_functions_are_nobodys_business() -> None:
    inside = "function a() {\n  const x = 1;\n}\n"
    script = joined(modules(entry='import { a } from "./a.js";\nconst x = a;\n', a=f"export {inside}"))
    assert "function a() {\nconst x = 1;\n}\nconst x = a;\n" in script


@pytest.mark.parametrize("line", ["const { x, y } = z;", "let x, y;", "const [x] = z;", "var x, y;"])
def test_declarations_of_several_names_are_refused(line: str) -> None:
    with pytest.raises(
        ValueError, match=r"^page/entry\.js has a declaration at its top level that declares more than one"
    ):
        joined(modules(entry=f"{line}\n"))


@pytest.mark.parametrize("text", ["</script>", "</SCRIPT ", "<!-- x"])
def test_text_that_would_end_the_script_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="would end a script element"):
        joined(modules(entry=f'const x = "{text}";\n'))


def test_the_first_script_stands_above_all_that_is_painted_and_may_not_end_its_element() -> None:
    first = assets.dashboard()["page/theme_boot.js"]
    page = rendered()
    assert page.index(first) < page.index("<body>")
    assert sha(first) in policy_of(Elements(page))["script-src"]
    with pytest.raises(ValueError, match="would end a script element"):
        rendered(dashboard=assets.dashboard() | {"page/theme_boot.js": "// </script>"})


def test_text_that_would_end_the_style_is_refused() -> None:
    dashboard = assets.dashboard() | {"page/style.css": "a { content: '</STYLE>'; }"}
    with pytest.raises(ValueError, match=r"page/style\.css holds text that would end a style element"):
        rendered(dashboard=dashboard)


def test_the_styles_of_parts_stand_between_the_frame_s_and_that_of_paper() -> None:
    style = styled(assets.dashboard())
    marks = [":root {", "/* the first screen", ".legend {", "thead th {", "forced-colors"]
    first, glance, chart, table, last = (style.find(mark) for mark in marks)
    queue = style.index(".reasons {")
    assert first < glance < chart < table < queue < last
    assert all(sheet in style for path, sheet in assets.dashboard().items() if path.endswith(".css"))


def test_a_last_line_without_its_end_is_whole() -> None:
    script = joined(modules(entry='import { a } from "./a.js";\na(); // done', a="export function a() {} // one"))
    assert re.search(r"^a\(\); // done$", script, re.MULTILINE)
    assert script.endswith("\n})();\n")


def test_indentation_and_lines_of_comment_are_left_out() -> None:
    first = "// of a\nconst a = 1; // one\n\n  // more\n"
    script = joined(modules(entry=first + 'function b() {\n    return `x ${a ? `// ${a}` : "y"}`\n\t+ 1\n}\n// end'))
    assert script.split("\n")[2:-2] == [
        "const a = 1; // one", "function b() {", 'return `x ${a ? `// ${a}` : "y"}`', "+ 1", "}",
    ]  # fmt: skip


def test_comments_of_several_lines_are_left_out_whatever_they_say() -> None:
    types = '/** @import { A } from "../types/model.js" */\n/**\n * `x\nexport default import("x")\n */\n'
    script = joined(modules(entry=types + "function b() {\n  /* one */\n  /** @type {A} */\n  const c = 1;\n}\n"))
    assert script.split("\n")[2:-2] == ["function b() {", "const c = 1;", "}"]


def test_code_after_such_a_comment_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^page/entry\.js has code after a comment: /\* a \*/ b\(\);$"):
        joined(modules(entry="/* a */ b();\n"))


def test_a_comment_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^page/entry\.js has a comment without an end$"):
        joined(modules(entry="a();\n/* a\nb();\n"))


@pytest.mark.parametrize("line", ["a = `", "a = `x ${b(`", "a = `${`", "const b = /`/;", 'a = "x\\', "`a` + `${ {"])
def test_a_text_that_goes_on_in_the_next_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"^page/entry\.js has a text that goes on in the next line: "):
        joined(modules(entry=f"{line}\n  // not a comment\n`;\n"))


@pytest.mark.parametrize(
    "line", [r"a = `\`${b}`;", "a = `${b({ c: `${d}` })}$`;", "f(`${x}`, `${y.map((z) => { z })}`);"]
)
def test_texts_that_end_on_their_line_are_fine(line: str) -> None:
    assert line in joined(modules(entry=f"  {line}\n"))


# --- what gets into the page ---------------------------------------------------------------------------------------


def test_the_data_of_the_page_are_the_data_of_the_files() -> None:
    page = Elements(rendered())
    scripts = {attributes.get("id") or attributes.get("data-slug"): text for _, attributes, text in page.raw}
    assert json.loads(scripts["index"]) == golden_index()
    first = decoded(json.loads(scripts["avery"]))
    assert {"metadata", "notes", "limits", "now"} <= set(first)
    assert not {"observables", "edges", "waits", "months"} & set(first), "they come when the QoS is opened"
    whole = json.loads(golden_datasets()["data_avery.json"])
    assert first == {name: whole[name] for name in first}
    assert "____new_~025cfb5d2b" not in scripts


def left_by(script: bytes) -> tuple[str, Any]:
    """The slug and the data that a script with data leaves."""
    match = re.fullmatch(
        rb"""\(globalThis\.librarianReports \?\?= new Map\(\)\)\.set\(("[^"]*"), '((?:[^'\\\n]|\\['\\])*)'\);\n""",
        script,
    )
    assert match
    return json.loads(match[1]), decoded(json.loads(re.sub(rb"\\(.)", rb"\1", match[2])))


def test_the_data_of_a_script_are_the_data_of_the_files() -> None:
    data = golden_datasets()["data_avery.json"]
    script = data_script("avery", data)
    assert left_by(script) == ("avery", json.loads(data))
    assert len(script) < len(data)


@pytest.mark.parametrize("name", [EVIL, "it's", "\\", "\\'); alert(1); ('", "a\nb\u2028\u2029", "__proto__", "\ud800"])
def test_data_end_no_script(name: str) -> None:
    data = {name: [name], "x": {name: 1}}
    assert left_by(data_script("a", json.dumps(data).encode())) == ("a", data)


def test_style_and_script_have_another_address_when_they_are_others() -> None:
    page = Elements(rendered())
    (style,) = [one["href"] for one in page.all("link") if one["rel"] == "stylesheet"]
    (script,) = [one["src"] for one in page.all("script") if one.get("src", "").startswith("page.js")]
    other = {**assets.dashboard(), "page/style.css": "body {}"}
    (changed,) = [one["href"] for one in Elements(rendered(dashboard=other)).all("link") if one["rel"] == "stylesheet"]
    assert (style[:11], script[:10], changed[:11]) == ("page.css?v=", "page.js?v=", "page.css?v=")
    assert changed != style
    assert script in rendered(dashboard=other)


def test_how_the_runs_fare_is_in_the_page_where_the_site_tells_it() -> None:
    told = {"schema_version": 1, "error": "</script><!-- \u2028 & <b>"}
    page = Elements(rendered(status=json.dumps(told).encode()))
    (status,) = [text for _, attributes, text in page.raw if attributes.get("id") == "status"]
    assert json.loads(status) == told
    assert not [one for one in Elements(rendered()).raw if one[1].get("id") == "status"]


def test_json_in_the_page_says_the_same_and_ends_nothing() -> None:
    value = {EVIL: [EVIL, "\u2029", "\ud800", 1.5, None], "]]>": "<!--<script>"}
    text = embedded(json.dumps(value).encode())
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(embedded(json.dumps(value["]]>"], ensure_ascii=False).encode())) == value["]]>"]


def test_hostile_names_are_text_wherever_they_stand() -> None:
    index = golden_index()
    plain = Elements(rendered())
    for entry in index["qos"]:
        entry |= {"title": EVIL, "name": EVIL, "reason": EVIL}
    index |= {"cluster": EVIL, "zone": "UTC", "generator": EVIL}
    data = json.loads(golden_datasets()["data_avery.json"]) | {"users": [EVIL]}
    hostile = Elements(rendered(index, datasets=dict.fromkeys(golden_datasets(), json.dumps(data).encode())))
    assert len(list(hostile.all("script"))) == len(list(plain.all("script")))
    assert {tag for tag, _ in hostile.found} <= {tag for tag, _ in plain.found} | {"small"}
    assert EVIL in hostile.text
    assert "{{ 7 * 6 }}" in hostile.text
    assert not [names for _, names in hostile.found if any(name.startswith("on") for name in names)]


def test_titles_are_in_the_head_too() -> None:
    assert "<title>Avery Lab &amp; &#34;Friends&#34;, Bruno Lab, New on tillicum</title>" in rendered()


def test_every_qos_has_a_tab_and_a_panel_that_name_each_other() -> None:
    page = Elements(rendered())
    tabs = [one for one in page.all("button") if one.get("role") == "tab"]
    panels = {one["id"]: one for one in page.all("section") if one.get("role") == "tabpanel"}
    assert [tab["data-slug"] for tab in tabs] == [entry["slug"] for entry in golden_index()["qos"]]
    assert [panels[tab["aria-controls"]]["aria-labelledby"] for tab in tabs] == [tab["id"] for tab in tabs]


def test_every_file_of_a_qos_is_linked_and_nothing_else() -> None:
    page = Elements(rendered())
    wanted = {"plain.html"}
    for entry in golden_index()["qos"][:2]:
        wanted |= {entry["data"], entry["csv"]}
        wanted |= {name for picture in entry["figures"].values() for name in picture.values()}
    parts = {
        f"#section={name}" for name in ("overview", "usage", "limits", "queue", "efficiency", "jobs", "months", "files")
    }
    assert {link["href"] for link in page.all("a")} == wanted | parts
    assert {image["src"] for image in page.all("img")} == {"overview_avery.png", "overview_bruno.png"}


def test_a_qos_without_data_tells_why() -> None:
    page = Elements(rendered())
    assert "nothing was collected yet" in page.text
    (tab,) = [one for one in page.all("button") if "title" in one]
    assert tab["title"] == "no data yet: nothing was collected yet"


def test_without_a_script_each_qos_tells_how_old_it_is() -> None:
    html = rendered()
    told = re.findall(r"<noscript><p>(.*?)</p></noscript>", html, re.DOTALL)
    assert [text.strip() for text in told] == [
        "Updated 2026-11-01 14:10 EST.",
        "Nothing newer since 2026-10-31 15:10 EDT: Slurm did not answer.",
    ]


def test_a_dataset_that_is_missing_is_left_out() -> None:
    page = Elements(rendered(datasets={"data_avery.json": golden_datasets()["data_avery.json"]}))
    slugs = [attributes["data-slug"] for _, attributes, _ in page.raw if "data-slug" in attributes]
    assert slugs == ["avery"]


@pytest.mark.parametrize("broken", [b'{"users": [', b"[" * 100_000, b"\xff\xfe", b"NaN, no", b"[1]", b"{}"])
def test_of_a_dataset_that_is_broken_the_page_has_nothing_inside(broken: bytes) -> None:
    page = Elements(rendered(datasets={"data_avery.json": broken}))
    assert not [text for _, attributes, text in page.raw if "data-slug" in attributes]


@pytest.mark.parametrize("broken", [b'{"users": [', b"[" * 100_000, b"\xff\xfe", b"NaN, 'no", b"a\r\nb\\"])
def test_data_that_are_broken_are_the_pages_to_tell(broken: bytes) -> None:
    assert data_script("a", broken).decode("ascii").count("\n") == 1


def test_a_site_without_a_qos_has_a_page() -> None:
    page = Elements(rendered(golden_index() | {"qos": []}))
    assert "No QoS is shown here." in page.text


def test_a_template_that_asks_for_what_is_not_there_fails() -> None:
    templates = assets.templates() | {"panel.html.j2": "{{ entry.colour_of_the_sky }}"}
    with pytest.raises(jinja2.UndefinedError, match="colour_of_the_sky"):
        rendered(templates=templates)


def test_the_same_data_make_the_same_page() -> None:
    assert rendered() == rendered()


# --- the policy ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plotly", [BASIC, CDN], ids=["basic", "cdn"])
def test_the_policy_allows_what_is_inside_by_its_hash_and_what_is_beside(plotly: Plotly) -> None:
    page = Elements(rendered(plotly=plotly))
    rules = policy_of(page)
    scripts = [
        text for name, attributes, text in page.raw if name == "script" and not {"type", "src"} & set(attributes)
    ]
    elsewhere = {plotly.url} if plotly.url else set()
    assert set(rules["script-src"].split()) == {"'self'"} | {sha(text) for text in scripts} | elsewhere
    assert set(rules["style-src"].split()) == {"'self'", sha("")}
    assert (rules["default-src"], rules["base-uri"], rules["form-action"]) == ("'none'", "'none'", "'none'")
    assert (rules["connect-src"], rules["img-src"]) == ("'self'", "'self' data:")
    assert not any("unsafe" in rule or "*" in rule for rule in rules.values())


def test_nothing_in_the_page_needs_more_than_the_policy_allows() -> None:
    page = Elements(rendered())
    assert not [attributes for _, attributes in page.found if "style" in attributes]
    assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]


def test_plotly_is_loaded_from_beside_the_page() -> None:
    ours, plotly = [one for one in Elements(rendered()).all("script") if "src" in one]
    assert plotly == {"defer": "", "id": "plotly", "src": "plotly-basic-4.1.1.min.js"}
    assert ours["src"].startswith("page.js?v="), "the first screen does not wait for Plotly"


def test_plotly_from_elsewhere_is_checked_and_told() -> None:
    page = Elements(rendered(plotly=CDN))
    (plotly,) = [one for one in page.all("script") if "integrity" in one]
    assert plotly["src"] == CDN.url
    assert plotly["integrity"] == "sha384-abc"
    assert plotly["crossorigin"] == "anonymous"
    assert "cdn.example.org" in page.text


def test_nothing_else_is_loaded_from_elsewhere() -> None:
    for plotly in (BASIC, CDN):
        page = Elements(rendered(plotly=plotly))
        addresses = [one[name] for _, one in page.found for name in ("src", "href") if name in one]
        assert [url for url in addresses if "//" in url] == ([CDN.url] if plotly is CDN else [])
