"""The index of a site: its QoS and their files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from librarian.render.json.values import SCHEMA_VERSION, Json, as_bytes, staleness_json
from librarian.render.plotly import Plotly
from librarian.shared.files import FileNames, file_names
from librarian.shared.report import Staleness
from librarian.shared.window import isoformat


@dataclass(frozen=True)
class SiteHead:
    """What stands at the head of a site; None where nothing is set. `logo` is a file of the site."""

    title: str | None = None
    homepage: str | None = None
    logo: str | None = None


@dataclass(frozen=True)
class IndexEntry:
    """A QoS in the index of a site. `last_updated` (UTC epoch) is None while there is nothing to show of it.

    `files` are the names of its files that are there, for one whose files may have gone lost; None means all.
    """

    name: str
    title: str
    last_updated: int | None
    staleness: Staleness
    files: frozenset[str] | None = None


def index_json(  # noqa: PLR0913 (each is a field)
    entries: Sequence[IndexEntry],
    pictures: Iterable[str],
    *,
    cluster: str,
    zone: str,
    now: int,
    next_expected: int,
    refresh_seconds: int,
    version: str,
    plotly: Plotly,
    status: str | None = None,
    agreed: int | None = None,
    head: SiteHead | None = None,
    files: Iterable[str] = (),
) -> bytes:
    """What a site holds: its QoS in the order of `entries`, and their files; `pictures` names all there may be.

    `now`, `next_expected`: UTC epochs; `status`: the file that tells how the runs fare, where there is one; `agreed`:
    when all was last found to be as sreport has it (None: never); `head`: what stands above all; `files` are all that
    the site is made of: what else lies beside them is not ours.
    """
    script = plotly.file_name if plotly.path is not None else None
    return as_bytes(
        {
            "schema_version": SCHEMA_VERSION,
            "generator": f"librarian {version}",
            "version": version,
            "cluster": cluster,
            "zone": zone,
            "generated_at": now,
            "generated": isoformat(now, zone),
            "next_expected": next_expected,
            "refresh_seconds": refresh_seconds,
            "status": status,
            "agreed": agreed,
            "site": asdict(head or SiteHead()),
            "plotly": {"kind": plotly.kind, "version": plotly.version, "file": script},
            "files": sorted(files),
            "qos": [_entry(entry, list(pictures)) for entry in entries],
        }
    )


def _entry(entry: IndexEntry, pictures: Sequence[str]) -> Json:
    names, there = file_names(entry.name), entry.last_updated is not None
    return {
        "name": entry.name,
        "title": entry.title,
        "slug": names.slug,
        "data": names.data if there else None,
        "script": names.script if there else None,
        "csv": names.csv if there and _is_there(entry, names.csv) else None,
        "figures": _figures(entry, names, pictures) if there else {},
        "last_updated": entry.last_updated,
        **staleness_json(entry.staleness),
    }


def _figures(entry: IndexEntry, names: FileNames, pictures: Sequence[str]) -> dict[str, dict[str, str]]:
    """File names by picture and ending, of those that are there."""
    every = {name: {ending: names.picture(name, ending) for ending in ("png", "pdf")} for name in pictures}
    there = {name: {end: file for end, file in both.items() if _is_there(entry, file)} for name, both in every.items()}
    return {name: both for name, both in there.items() if both}


def _is_there(entry: IndexEntry, file: str) -> bool:
    return entry.files is None or file in entry.files
