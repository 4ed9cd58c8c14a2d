"""The pictures of a QoS: drawn, or taken from the last site where the same picture is there already.

Drawing takes most of a cycle's time, so by default a picture is drawn when a bin is over, or when something changed
that is not of the running bin alone ([report] pictures); the time of its data is in its foot.

Beside the store is kept what each picture of the site was drawn from, as a digest, with the size and the digest of its
files. It is private, as the store is.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from librarian import __version__
from librarian.config.setup import Places
from librarian.errors import TooSlowError
from librarian.render.pictures.digest import digest, settled_digest
from librarian.shared.files import file_names
from librarian.shared.report import Report
from librarian.subjects.subject import Subject
from librarian.system import workers
from librarian.system.host import write_atomic

if TYPE_CHECKING:
    from librarian.render.pictures.figure import Picture

SCHEMA_VERSION = 2
ENDINGS = ("png", "pdf")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """A file of a picture: what it was drawn from and what of that is final, its size, and what is in it (all but the
    size are digests as hexadecimal text)."""

    drawn_from: str
    settled: str
    size: int
    content: str


@dataclass(frozen=True)
class Pictures:
    """Those of one QoS, by file name: drawn ones, those to be taken from the last site, and what to remember of all.
    Of subjects in `failed`, by key, there are none."""

    drawn: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, Path] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)

    def without(self, names: Collection[str]) -> Pictures:
        """The others."""
        drawn = {name: data for name, data in self.drawn.items() if name not in names}
        kept = {name: path for name, path in self.kept.items() if name not in names}
        made = {name: one for name, one in self.made.items() if name not in names}
        return Pictures(drawn, kept, made, self.failed)


def pictures_of(
    report: Report,
    subjects: Sequence[Subject],
    site: Path,
    known: Mapping[str, Made],
    processes: int = 1,
    *,
    hourly: bool = False,
) -> Pictures:
    """All pictures of `subjects` that have a section in a report; `known` is what is remembered of those in `site`.

    Those that would differ in the running bin alone stay as they are where they are wanted `hourly` only.
    They are drawn by up to `processes` workers. One that a worker does not bring is drawn here once more.
    """
    files, found = file_names(report.header.qos), Pictures()
    missing: dict[str, tuple[Subject, tuple[str, str]]] = {}
    every = [(subject, name) for subject in subjects if subject.key in report.sections for name in subject.pictures()]
    for subject, name in every:
        try:
            digests = (
                digest(report, name, subject.inputs(report, name), *_versions()),
                settled_digest(report, name, subject.settled(report, name), *_versions()),
            )
        except Exception as error:
            found.failed[subject.key] = error
            continue
        both = [files.picture(name, ending) for ending in ENDINGS]
        if all(_is_there(site / file, known.get(file), digests, hourly) for file in both):
            found.kept.update({file: site / file for file in both})
            found.made.update({file: known[file] for file in both})
        else:
            missing[name] = subject, digests
    wanted = {name: subject for name, (subject, _) in missing.items() if subject.key not in found.failed}
    for name, picture in _drawn(report, wanted, processes):
        if isinstance(picture, Exception):
            found.failed[missing[name][0].key] = picture
            continue
        for ending, data in zip(ENDINGS, (picture.png, picture.pdf), strict=True):
            file = files.picture(name, ending)
            found.drawn[file] = data
            found.made[file] = Made(*missing[name][1], len(data), hashlib.sha256(data).hexdigest())
    log.info("%s: %d pictures drawn, %d as they were", report.header.qos, len(wanted), len(every) - len(missing))
    failed = [name for subject, name in every if subject.key in found.failed]
    return found.without({files.picture(name, ending) for name in failed for ending in ENDINGS})


def draw_one(subject: Subject, report: Report, name: str) -> Picture:
    """One picture of a subject."""
    from librarian.render.pictures import figure  # matplotlib is loaded only where there is something to draw

    with figure.styled():
        return figure.saved(name, subject.draw(report, name))


def _drawn(report: Report, by_name: Mapping[str, Subject], processes: int) -> Iterable[tuple[str, Picture | Exception]]:
    """Each picture, or why it could not be drawn."""

    def draw(name: str) -> Picture:
        return draw_one(by_name[name], report, name)

    names = list(by_name)
    done = workers.spread(draw, names, processes)
    for place, name in enumerate(names):
        try:
            yield name, done[place] if place in done else draw(name)
        except TooSlowError:
            raise
        except Exception as error:
            yield name, error


def _is_there(path: Path, made: Made | None, digests: tuple[str, str], hourly: bool) -> bool:
    """Whether the last site has this file whole, drawn from the same, or where that is enough from the same final
    bins."""
    if made is None or not (made.drawn_from == digests[0] or (hourly and made.settled == digests[1])):
        return False
    try:
        return path.stat().st_size == made.size and hashlib.sha256(path.read_bytes()).hexdigest() == made.content
    except OSError:
        return False


def _versions() -> tuple[str, ...]:
    """What else decides how a picture looks."""
    return (__version__, *(_version(name) for name in ("matplotlib", "PIL")))


@functools.cache
def _version(name: str) -> str:
    """The version of a package as its own files have it, so that neither it, which may be broken, nor all that is
    installed need be loaded."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        spec = None
    main = Path(spec.origin) if spec and spec.origin else Path()
    for file in (main.with_name("_version.py"), main) if main.name else ():
        with contextlib.suppress(OSError, ValueError):
            return file.read_text("utf-8")
    return ""


# what is remembered


def recall(places: Places) -> dict[str, Made]:
    """What is remembered of the pictures in the last site; nothing where that is missing or damaged."""
    try:
        body = json.loads(places.pictures.read_text(encoding="utf-8"))
        rows = body["files"].items() if body["schema_version"] == SCHEMA_VERSION else ()
        return {
            str(name): Made(str(row["drawn_from"]), str(row["settled"]), int(row["size"]), str(row["content"]))
            for name, row in rows
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return {}


def remember(places: Places, made: Mapping[str, Made]) -> None:
    """Keep it for the next run; where that fails, the next run draws everything."""
    body = {"schema_version": SCHEMA_VERSION, "files": {name: asdict(one) for name, one in sorted(made.items())}}
    try:
        write_atomic(places.pictures, (json.dumps(body) + "\n").encode(), 0o600)
    except OSError as error:
        log.info("what the pictures were drawn from is not kept: %s", error)


def still(known: Mapping[str, Made], names: Collection[str]) -> dict[str, Made]:
    """What is remembered of those files that stay in the site."""
    return {name: known[name] for name in names if name in known}
