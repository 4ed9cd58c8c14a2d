"""The page: one HTML file with its styles, its script and a first copy of all data.

ES modules do not load from file://, so those of dashboard/ are joined into one classic script; dashboard/README.md
tells the rules that this asks of them.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from librarian.render.html import templates as html
from librarian.render.html.plain import NO_HEAD, Teller, glances
from librarian.render.html.templates import clock, embedded, hashed, trusted
from librarian.render.json.run_length import encoded
from librarian.render.plotly import Plotly
from librarian.shared.files import PLAIN

ENTRY = "page/entry.js"
STYLE = "page/style.css"
THEME_BOOT = "page/theme_boot.js"  # runs before anything is painted
_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.\.?/[\w./-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|const|class) )", re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async function|function|const|class) ([\w$]+)", re.MULTILINE)
_DEFINED = re.compile(r"^(?:(?:async )?function|const|let|class) ([\w$]+)(?= =|\(| \{|;| extends )", re.MULTILINE)
_DECLARATION = re.compile(r"^(?:(?:async )?function|const|let|var|class)\b", re.MULTILINE)
_LEFT_OVER = re.compile(r"^\s*(?:import|export)\b|\bimport\s*[(.]", re.MULTILINE)
_COMMENT = re.compile(r"//(?!.*\*/)")
# a template literal that ends on its line, with no other inside
_TEMPLATE = re.compile(r"`(?:[^`\\$]|\\.|\$(?!\{)|\$\{(?:[^`{}]|\{[^`{}]*\})*\})*`")


@dataclass(frozen=True)
class Titles:
    """What subjects show on the page: titles of live charts by the key of the subject and of the chart, titles of
    pictures by their names, and who has parts of the first screen."""

    charts: Mapping[str, Mapping[str, str]]
    pictures: Mapping[str, str]
    tellers: Sequence[Teller] = ()


@dataclass(frozen=True)
class Inside:
    """What a page that is one file has in it: plotly.js, `contained`, or "" where there is none; and pictures.

    `addresses` has a data URI for the name of each file that comes along; links to others are left out.
    """

    library: str
    addresses: Mapping[str, str]


def render_page(
    index: Mapping[str, Any],
    datasets: Mapping[str, bytes],
    titles: Titles,
    *,
    status: bytes | None = None,
    templates: Mapping[str, str],
    dashboard: Mapping[str, str],
    plotly: Plotly,
    inside: Inside | None = None,
) -> str:
    """The page of a site. `index` is the parsed index.json, `datasets` maps a data file's name to its JSON; `status` is
    the site's status.json, where it has one.

    A dataset that is missing or broken is the page's to tell. With `inside` the page is a copy that needs no file
    beside it, asks nobody for anything, and looks for no newer data. Raises `ValueError` when the dashboard's modules
    break the rules of joining.
    """
    first_script, script, style = _script(dashboard[THEME_BOOT]), joined(dashboard), dashboard[STYLE]
    if "</style" in style.lower():
        raise ValueError(f"{STYLE} holds text that would end a style element")
    return html.filled(
        templates,
        "index.html.j2",
        index=index,
        site=index.get("site") or NO_HEAD,
        index_text=embedded(json.dumps(index, separators=(",", ":")).encode("ascii")),
        status=embedded(status or b""),
        datasets={
            entry["slug"]: embedded(_encoded(datasets[entry["data"]]))
            for entry in index["qos"]
            if entry["data"] in datasets
        },
        charts=titles.charts,
        glances=glances(index, datasets, titles.tellers),
        pictures=titles.pictures,
        clock=lambda epoch: clock(epoch, index["zone"]),
        plotly=plotly,
        cdn_host=urlsplit(plotly.url or "").netloc,
        policy=_policy((first_script, script), style, plotly, inside),
        inside=inside,
        library=trusted(inside.library if inside else ""),
        address=inside.addresses.get if inside else quote,
        first_script=trusted(first_script),
        script=trusted(script),  # our own module texts; `joined` refuses what could end the element
        style=trusted(style),
        plain=PLAIN,
    )


def _encoded(data: bytes) -> bytes:
    """A dataset as the page has it inside; one that is broken stays so, and is the page's to tell."""
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return data
    return json.dumps(encoded(value), separators=(",", ":")).encode("ascii")


def _policy(scripts: tuple[str, ...], style: str, plotly: Plotly, inside: Inside | None) -> str:
    """The Content-Security-Policy: our scripts and our style by their hashes, and nothing else than the files beside
    the page and, where Plotly comes from the CDN, that one address elsewhere; not even these for a page that is one
    file."""
    hashes = [hashed(script) for script in scripts]
    # Plotly makes an empty style element and adds its rules to it by script, which no directive forbids
    # (the full bundle adds styles for maps too: they are refused, and the console says so; no chart needs them)
    styles = f"{hashed(style)} {hashed('')}"
    if inside:
        hashes += [hashed(inside.library)] if inside.library else []
        return html.policy({"script-src": " ".join(hashes), "style-src": styles, "img-src": "data:"})
    elsewhere = [plotly.url] if plotly.kind == "cdn" and plotly.url else []
    return html.policy(
        {
            "script-src": " ".join(["'self'", *hashes, *elsewhere]),
            "style-src": styles,
            "img-src": "'self' data:",
            "connect-src": "'self'",
        }
    )


def contained(script: str) -> str:
    """A script of somebody else's for inside a script element, meaning the same: nothing in it ends the element.

    `</script` and `<!--` can only stand in texts, patterns and comments, where a backslash changes nothing. Line ends
    become those that a browser makes of them, or its hash would be another.
    """
    plain = script.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"<(?=/script|!--)", r"<\\", plain, flags=re.IGNORECASE)


def joined(dashboard: Mapping[str, str]) -> str:
    """The modules that the entry needs as one classic script, each after those it imports.

    `dashboard` maps a path below dashboard/, with "/", to a text. Raises `ValueError` for what breaks the rules in
    dashboard/README.md.
    """
    order: list[str] = []
    _visit(ENTRY, dashboard, order, ())
    bodies = {name: _EXPORT.sub("", _IMPORT.sub("", _without_blocks(name, dashboard[name]))) for name in order}
    owners: dict[str, str] = {}
    for name, body in bodies.items():
        _check_forms(name, body)
        for defined in _DEFINED.findall(body):
            if defined in owners:
                raise ValueError(f"{name} and {owners[defined]} both define {defined}")
            owners[defined] = name
    code = (line for name, body in bodies.items() for line in _slim(name, body))
    return _script("(() => {\n" + '"use strict";\n' + "\n".join(code) + "\n})();\n")


def _slim(name: str, body: str) -> Iterator[str]:
    """The lines of code, without their indentation and without those that are a comment or empty: a fifth of the bytes.

    Each line break between two parts of the code stays, since it may end a statement.
    """
    for line in filter(None, map(str.strip, body.split("\n"))):
        if _COMMENT.match(line):
            continue
        if "`" in _without_templates(line) or line.endswith("\\"):
            raise ValueError(f"{name} has a text that goes on in the next line: {line}")
        yield line


def _without_blocks(name: str, text: str) -> str:
    """The text without the lines of its block comments, such as those with types, which may look like code."""
    kept: list[str] = []
    inside = False
    for line in text.split("\n"):
        inside = inside or line.lstrip().startswith("/*")
        if not inside:
            kept.append(line)
        elif "*/" in line:
            if line.partition("*/")[2].strip():
                raise ValueError(f"{name} has code after a comment: {line.strip()}")
            inside = False
    if inside:
        raise ValueError(f"{name} has a comment without an end")
    return "\n".join(kept)


def _without_templates(line: str) -> str:
    before = ""
    while before != line:  # from the innermost ones outwards
        before, line = line, _TEMPLATE.sub('""', line)
    return line


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
    for names, path in _IMPORT.findall(_without_blocks(name, dashboard[name])):
        needed = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
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
