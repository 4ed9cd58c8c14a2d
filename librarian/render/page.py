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
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import jinja2
import pytz
from markupsafe import Markup

from librarian.core.observables import OBSERVABLES
from librarian.errors import one_line
from librarian.render.files import OVERVIEW
from librarian.render.plotly import Plotly

ENTRY = "page.js"
STYLE = "style.css"
FIRST = "first.js"  # runs before anything is painted
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|const|class) )", re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async function|function|const|class) ([\w$]+)", re.MULTILINE)
_DEFINED = re.compile(r"^(?:(?:async )?function|const|let|class) ([\w$]+)(?= =|\(| \{|;| extends )", re.MULTILINE)
_DECLARATION = re.compile(r"^(?:(?:async )?function|const|let|var|class)\b", re.MULTILINE)
_LEFT_OVER = re.compile(r"^\s*(?:import|export)\b|\bimport\s*[(.]", re.MULTILINE)


def render_page(
    index: Mapping[str, Any],
    datasets: Mapping[str, bytes],
    *,
    templates: Mapping[str, str],
    dashboard: Mapping[str, str],
    plotly: Plotly,
) -> str:
    """The page of a site. `index` is the parsed index.json, `datasets` maps a data file's name to its JSON.

    A dataset that is missing or broken is the page's to tell. Raises `ValueError` when the dashboard's modules break
    the rules of joining.
    """
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(templates), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["line"] = one_line
    first_script, script, style = _script(dashboard[FIRST]), joined(dashboard), dashboard[STYLE]
    if "</style" in style.lower():
        raise ValueError(f"{STYLE} holds text that would end a style element")
    charts = {observable.key: observable.name for observable in OBSERVABLES if observable.pictured}
    return environment.get_template("index.html.j2").render(
        index=index,
        index_text=embedded(json.dumps(index, separators=(",", ":")).encode("ascii")),
        datasets={
            entry["slug"]: embedded(datasets[entry["data"]]) for entry in index["qos"] if entry["data"] in datasets
        },
        charts=charts,
        pictures={**charts, OVERVIEW: "Overview"},
        clock=lambda epoch: clock(epoch, index["zone"]),
        plotly=plotly,
        cdn_host=urlsplit(plotly.url or "").netloc,
        policy=policy((first_script, script), style, plotly.url if plotly.kind == "cdn" else None),
        first_script=Markup(first_script),  # noqa: S704
        script=Markup(script),  # noqa: S704 (our own module texts; `joined` refuses what could end the element)
        style=Markup(style),  # noqa: S704
    )


def clock(epoch: int, zone: str) -> str:
    """An instant as a reader without JavaScript sees it, e.g. `2026-11-20 14:10 EST`."""
    return datetime.fromtimestamp(epoch, pytz.timezone(zone)).strftime("%Y-%m-%d %H:%M %Z")


def embedded(data: bytes) -> Markup:
    """JSON for inside a script element: no character in it can end the element or begin a comment."""
    text = data.decode("utf-8", "replace")
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704


def policy(scripts: tuple[str, ...], style: str, plotly_url: str | None) -> str:
    """The Content-Security-Policy: our scripts and our style by their hashes, files beside the page, nothing else.

    `plotly_url` is the one address elsewhere, for a page whose Plotly comes from the CDN.
    """
    hashes = [f"'{_hash(script)}'" for script in scripts]
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", *hashes, *([plotly_url] if plotly_url else [])]),
        # Plotly makes an empty style element and adds its rules to it by script, which no directive forbids
        # (the full bundle adds styles for maps too: they are refused, and the console says so; no chart needs them)
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

    Raises `ValueError` for what breaks the rules in dashboard/README.md.
    """
    order: list[str] = []
    _visit(ENTRY, dashboard, order, ())
    bodies = {name: _EXPORT.sub("", _IMPORT.sub("", dashboard[name])) for name in order}
    owners: dict[str, str] = {}
    for name, body in bodies.items():
        _check_forms(name, body)
        for defined in _DEFINED.findall(body):
            if defined in owners:
                raise ValueError(f"{name} and {owners[defined]} both define {defined}")
            owners[defined] = name
    return _script("(() => {\n" + '"use strict";\n' + "\n".join(bodies.values()) + "\n})();\n")


def _script(text: str) -> str:
    """The text, where it may stand in a script element."""
    if re.search(r"</script|<!--", text, re.IGNORECASE):
        raise ValueError("a module holds text that would end a script element")
    return text


def _visit(name: str, dashboard: Mapping[str, str], order: list[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"modules import each other in a circle: {' -> '.join((*above, name))}")
    if name in order:
        return
    for names, needed in _IMPORT.findall(dashboard[name]):
        if needed not in dashboard:
            raise ValueError(f"{name} imports {needed}, which is not there")
        wanted = {part.strip() for part in names.split(",")} - {""}
        missing = wanted - set(_EXPORTED.findall(dashboard[needed]))
        if missing:
            raise ValueError(f"{name} imports {', '.join(sorted(missing))}, which {needed} does not export")
        _visit(needed, dashboard, order, (*above, name))
    order.append(name)


def _check_forms(name: str, body: str) -> None:
    """Refuse what joining would get wrong: other forms of import and export, declarations of several names."""
    left_over = _LEFT_OVER.search(body)
    if left_over:
        raise ValueError(f"{name} has an import or export of a form that joining does not know: {left_over.group()!r}")
    if len(_DECLARATION.findall(body)) != len(_DEFINED.findall(body)):
        raise ValueError(f"{name} has a declaration at its top level that declares more than one plain name")
