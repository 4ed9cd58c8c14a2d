"""The page: one HTML file with its styles, its script and a first copy of all data. The only room that knows Jinja2.

ES modules do not load from file://, so those of dashboard/ are joined into one classic script; dashboard/README.md
tells the rules that this asks of them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup

from librarian.core.observables import OBSERVABLES
from librarian.render.files import OVERVIEW
from librarian.render.plotly import Plotly

ENTRY = "page.js"
STYLE = "style.css"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|const|class) )", re.MULTILINE)
_DEFINED = re.compile(r"^(?:async )?(?:function\*?|const|let|var|class) +([\w$]+)", re.MULTILINE)


def render_page(
    index: Mapping[str, Any],
    datasets: Mapping[str, bytes],
    *,
    templates: Mapping[str, str],
    dashboard: Mapping[str, str],
    plotly: Plotly,
) -> str:
    """The page of a site. `index` is the parsed index.json, `datasets` maps a data file's name to its JSON.

    Raises `ValueError` when the dashboard's modules break the rules of joining.
    """
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=False,
        keep_trailing_newline=True,
    )
    script, style = joined(dashboard), dashboard[STYLE]
    cdn = plotly.kind == "cdn"
    charts = {observable.key: observable.name for observable in OBSERVABLES if observable.pictured}
    return environment.get_template("index.html.j2").render(
        index=index,
        index_text=embedded(json.dumps(index, separators=(",", ":")).encode()),
        datasets={entry["slug"]: embedded(datasets[entry["data"]]) for entry in index["qos"] if entry["data"]},
        charts=charts,
        pictures={**charts, OVERVIEW: "all four"},
        plotly=plotly,
        cdn_host=urlsplit(plotly.url or "").netloc,
        policy=policy(script, style, plotly.url if cdn else None),
        script=Markup(script),  # noqa: S704 (our own module texts; `joined` refuses what could end the element)
        style=Markup(style),  # noqa: S704
    )


def embedded(data: bytes) -> Markup:
    """JSON for inside a script element: no character in it can end the element or begin a comment."""
    text = data.decode("utf-8")
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704


def policy(script: str, style: str, plotly_url: str | None) -> str:
    """The Content-Security-Policy: our script and our style by their hashes, files beside the page, nothing else.

    `plotly_url` is the one address elsewhere, for a page whose Plotly comes from the CDN.
    """
    elsewhere = f" {plotly_url}" if plotly_url else ""
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' '{_hash(script)}'{elsewhere}",
        # Plotly makes an empty style element and adds its rules to it by script, which no directive forbids
        "style-src": f"'{_hash(style)}' '{_hash('')}'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def joined(dashboard: Mapping[str, str]) -> str:
    """The modules that `page.js` needs as one classic script, each after those it imports.

    Raises `ValueError` for an import of anything but names from a module of ours, for a circle, for a name that two
    modules define, and for text that would end a script element.
    """
    order: list[str] = []
    _visit(ENTRY, dashboard, order, ())
    bodies = [_EXPORT.sub("", _IMPORT.sub("", dashboard[name])) for name in order]
    seen: dict[str, str] = {}
    for name, body in zip(order, bodies, strict=True):
        if re.search(r"^\s*(?:import|export)\b", body, re.MULTILINE) or "import(" in body:
            raise ValueError(f"{name} has an import or export of another form than joining knows")
        for defined in _DEFINED.findall(body):
            if defined in seen:
                raise ValueError(f"{name} and {seen[defined]} both define {defined}")
            seen[defined] = name
    script = "(() => {\n" + '"use strict";\n' + "\n".join(bodies) + "})();\n"
    if re.search(r"</script|<!--", script, re.IGNORECASE):
        raise ValueError("a module holds text that would end a script element")
    return script


def _visit(name: str, dashboard: Mapping[str, str], order: list[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"modules import each other in a circle: {' -> '.join((*above, name))}")
    if name in order:
        return
    if name not in dashboard:
        raise ValueError(f"{above[-1] if above else 'the page'} imports {name}, which is not there")
    for needed in _IMPORT.findall(dashboard[name]):
        _visit(needed, dashboard, order, (*above, name))
    order.append(name)
