"""The page: an HTML file with what its first screen tells, and beside it the style, the script, and the data, which
come when a QoS is opened.

ES modules do not load from file://, so those of dashboard/ are joined into one classic script; dashboard/README.md
tells the rules that this asks of them. Nor may a page read files there: so the data are a script too, which only such
a page loads.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from librarian.render.html import templates as html
from librarian.render.html.plain import NO_HEAD, Teller, glances
from librarian.render.html.templates import embedded, hashed, trusted
from librarian.render.json.run_length import encoded
from librarian.render.plotly import Plotly
from librarian.shared.calendar import clock
from librarian.shared.files import PLAIN, SCRIPT, STYLE

ENTRY = "page/entry.js"
# The page's style, in this order: rules of a later one stand above those of the same weight in an earlier one.
_STYLES = ("page/style.css", "page/", "charts/", "tables/", "subjects/")
_LAST_STYLE = "page/media.css"  # print and forced colours, whatever a part says
_FRAME = ("schema_version", "metadata", "staleness", "notes")  # what the frame shows of a report at first
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
    pictures by their names, who has parts of the first screen, and the fields of the data that the script needs for
    it."""

    charts: Mapping[str, Mapping[str, str]]
    pictures: Mapping[str, str]
    tellers: Sequence[Teller] = ()
    first: Sequence[str] = ()


@dataclass(frozen=True)
class Inside:
    """What a page that is one file has in it: plotly.js, `contained`, or "" where there is none; and pictures.

    `addresses` has a data URI for the name of each file that comes along; links to others are left out. `pieces` are
    further data by the names of their files, in base64.
    """

    library: str
    addresses: Mapping[str, str]
    pieces: Mapping[str, str] = field(default_factory=dict)


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
    beside it, with all data, asks nobody for anything, and looks for no newer data. Raises `ValueError` when the
    dashboard's modules break the rules of joining.
    """
    beside = beside_page(dashboard)
    first_script, script, style = _script(dashboard[THEME_BOOT]), beside[SCRIPT], beside[STYLE]
    part_of = (lambda data: data) if inside else (lambda data: first_part(data, titles.first))
    return html.filled(
        templates,
        "index.html.j2",
        index=index,
        site=index.get("site") or NO_HEAD,
        index_text=embedded(json.dumps(index, separators=(",", ":")).encode("ascii")),
        status=embedded(status or b""),
        datasets={
            entry["slug"]: embedded(_encoded(part_of(datasets[entry["data"]])))
            for entry in index["qos"]
            if entry["data"] in datasets and part_of(datasets[entry["data"]])
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
        script=trusted(script) if inside else _address(SCRIPT, script),  # `joined` refuses what could end the element
        style=trusted(style) if inside else _address(STYLE, style),
        plain=PLAIN,
    )


def beside_page(dashboard: Mapping[str, str]) -> dict[str, str]:
    """The script and the style by the names of their files. Raises `ValueError` as `render_page` does."""
    return {SCRIPT: joined(dashboard), STYLE: styled(dashboard)}


def styled(dashboard: Mapping[str, str]) -> str:
    """All style sheets as one. Raises `ValueError` where one holds text that would end a style element."""

    def place(path: str) -> tuple[bool, int, str]:
        return path == _LAST_STYLE, next(i for i, start in enumerate(_STYLES) if path.startswith(start)), path

    sheets = sorted((path for path in dashboard if path.endswith(".css")), key=place)
    for path in sheets:
        if "</style" in dashboard[path].lower():
            raise ValueError(f"{path} holds text that would end a style element")
    return "\n".join(dashboard[path] for path in sheets)


def _address(name: str, text: str) -> str:
    """Where a file beside the page is: another text has another address, so none that was kept is taken for it."""
    return f"{name}?v={hashlib.sha256(text.encode()).hexdigest()[:12]}"


def first_part(data: bytes, fields: Sequence[str]) -> bytes:
    """Those fields of a dataset, and the frame's; nothing of one that is broken."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return b""
    wanted = {name: value[name] for name in (*_FRAME, *fields) if name in value} if isinstance(value, dict) else {}
    return json.dumps(wanted, separators=(",", ":")).encode("ascii") if wanted else b""


def data_script(slug: str, data: bytes) -> bytes:
    """A dataset as a script that leaves it, as a text, for the page to find."""
    text = re.sub(r"[\r\n]", " ", _encoded(data).decode("ascii", "replace"))
    text = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"(globalThis.librarianReports ??= new Map()).set({json.dumps(slug)}, '{text}');\n".encode(
        "ascii", "replace"
    )


def _encoded(data: bytes) -> bytes:
    """A dataset as the page has it inside; one that is broken stays so, and is the page's to tell."""
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return data
    return json.dumps(encoded(value), separators=(",", ":")).encode("ascii")


def _policy(scripts: tuple[str, ...], style: str, plotly: Plotly, inside: Inside | None) -> str:
    """The Content-Security-Policy: what is inside the page by its hash, the files beside it and, where Plotly comes
    from the CDN, that one address elsewhere; none of these for a page that is one file. `scripts`: the one that runs
    before anything is painted, and the page's."""
    # Plotly makes an empty style element and adds its rules to it by script, which no directive forbids
    # (the full bundle adds styles for maps too: they are refused, and the console says so; no chart needs them)
    if inside:
        hashes = [hashed(text) for text in (*scripts, inside.library) if text]
        styles = f"{hashed(style)} {hashed('')}"
        return html.policy({"script-src": " ".join(hashes), "style-src": styles, "img-src": "data:"})
    elsewhere = [plotly.url] if plotly.kind == "cdn" and plotly.url else []
    return html.policy(
        {
            "script-src": " ".join(["'self'", hashed(scripts[0]), *elsewhere]),
            "style-src": f"'self' {hashed('')}",
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
