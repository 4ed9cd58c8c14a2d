"""The way to a folder on a machine that runs no commands, or has no rsync: sftp's batches."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from librarian.errors import PublishError
from librarian.publish.base import Attempt, failure
from librarian.publish.remote import Host, Place, RemoteState
from librarian.site.folder import files_of
from librarian.system.processes import Answer

_ECHO = ("sftp>", "Fetching ")  # what is no answer in sftp's output
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_HALF = ".librarian-half."  # a single file on its way


@dataclass(frozen=True)
class Sftp:
    """The way by sftp. Each time all files are sent, and the swap is two renames."""

    host: Host
    name: str = "sftp"

    def look(self, place: Place, attempt: Attempt) -> RemoteState:
        """What is in the place. Raises `PublishError`."""
        listed = self._batch([f"cd {quoted(place.above)}", "ls -lan"], attempt)
        if listed.status != 0:
            if _is_missing(listed):
                return RemoteState("missing")
            raise self._failure("could not be looked at", place, listed)
        rows = [line.split(None, 8) for line in listed.text.splitlines() if not line.startswith(_ECHO)]
        kinds = {_as_it_is(row[8].removeprefix("./")): row[0][0] for row in rows if len(row) == 9}
        hidden = tuple(name for name in kinds if name.startswith("."))
        kind = kinds.get(place.name)
        if kind is None:
            return RemoteState("missing", neighbours=hidden)
        if kind != "d":
            return RemoteState("link" if kind == "l" else "file", neighbours=hidden)
        names, index = self._inside(place, place.path, attempt)
        return RemoteState("files" if names else "empty", index, hidden, names)

    def _inside(self, place: Place, path: str, attempt: Attempt) -> tuple[tuple[str, ...], str]:
        """The names in a folder, and its index.json."""
        with tempfile.TemporaryDirectory(prefix="librarian-") as folder:
            index = Path(folder) / "index.json"
            lines = [f"cd {quoted(path)}", "ls -1a", f"-get index.json {quoted(str(index))}"]
            inside = self._batch(lines, attempt)
            if inside.status != 0:
                raise self._failure("could not be looked at", place, inside)
            lines = [line for line in inside.text.splitlines() if not line.startswith(_ECHO)]
            names = {_as_it_is(line) for line in lines} - {"", ".", ".."}
            text = index.read_text(encoding="utf-8", errors="replace") if index.is_file() else ""
        return tuple(sorted(names)), text

    def prepare(self, place: Place, seen: RemoteState, leftovers: Sequence[str], attempt: Attempt) -> None:
        """Make the folder above, complete a swap that was cut short, remove what killed runs left."""
        if seen.is_tidy(place) and not leftovers:
            return
        above = [place.above, *map(str, PurePosixPath(place.above).parents)]
        lines = [f"-mkdir {quoted(folder)}" for folder in reversed(above) if folder not in ("/", ".")]
        if PurePosixPath(place.retired).name in seen.neighbours:
            lines += [f"rename {quoted(place.retired)} {quoted(place.path)}"] if seen.kind == "missing" else []
            lines += self._cleared(place, seen, attempt) if seen.kind != "missing" else []
        for folder in leftovers:
            lines += _removal(folder)
        self._do(lines, "could not be prepared", place, attempt)

    def _cleared(self, place: Place, seen: RemoteState, attempt: Attempt) -> list[str]:
        """The lines that remove the folder which a run did not get to remove, but for what is in it and not ours."""
        names, index = self._inside(place, place.retired, attempt)
        left = RemoteState("files", index, names=names).foreign
        return _carried(place, [name for name in left if name not in seen.names]) + _removal(place.retired)

    def fill(self, site: Path, place: Place, seen: RemoteState, attempt: Attempt) -> int:
        """Send the site into the place's fresh folder; returns the bytes that went out."""
        files = {name: path.stat().st_size for name, path in files_of(site).items()}
        fresh = place.fresh(attempt.now)
        lines = [*_removal(fresh), f"mkdir {quoted(fresh)}", f"cd {quoted(fresh)}"]
        lines += [f"put {quoted(name)} {quoted(name)}" for name in files]
        self._do(lines, "could not be filled", place, attempt, site)
        return sum(files.values())

    def swap(self, place: Place, seen: RemoteState, attempt: Attempt) -> None:
        """Two renames: without a folder there in between, for the time that one message takes. Then what is not ours
        is moved from the old folder into the new one; a run that is killed before that leaves it to the next."""
        fresh, retired, path = (quoted(name) for name in (place.fresh(attempt.now), place.retired, place.path))
        lines = [f"-rename {path} {retired}", f"rename {fresh} {path}", *_carried(place, seen.foreign)]
        lines += _removal(place.retired)
        try:
            self._do(lines, "could not be replaced", place, attempt)
        except PublishError:
            self._batch([f"-rename {retired} {path}"], attempt)
            raise

    def add(self, site: Path, names: Sequence[str], place: Place, attempt: Attempt) -> int:
        """Replace single files in a folder that may hold others; each is whole at any time."""
        folders = [place.path, *map(str, PurePosixPath(place.path).parents)]
        lines = [f"-mkdir {quoted(folder)}" for folder in reversed(folders) if folder not in ("/", ".")]
        lines += [f"cd {quoted(place.path)}", *(f"put {quoted(name)} {quoted(_HALF + name)}" for name in names)]
        lines += [f"rename {quoted(_HALF + name)} {quoted(name)}" for name in names]
        self._do(lines, "could not be filled", place, attempt, site)
        return sum((site / name).stat().st_size for name in names)

    def abandon(self, place: Place, attempt: Attempt) -> None:
        """Remove what was sent of a site that cannot take its place."""
        self._batch(_removal(place.fresh(attempt.now)), attempt)

    def may_write(self, place: Place, attempt: Attempt) -> bool:
        """Whether a folder can be made beside the place, or above it where nothing is there yet."""
        fresh = quoted(place.fresh(attempt.now))
        tried = self._batch([f"mkdir {fresh}", f"rmdir {fresh}"], attempt)
        return tried.status == 0 or _is_missing(tried)

    def changed(self, site: Path, place: Place, attempt: Attempt) -> list[str] | None:
        """Not known: nothing is compared."""
        return None

    def _do(self, lines: Sequence[str], what: str, place: Place, attempt: Attempt, cwd: Path | None = None) -> None:
        answer = self._batch(lines, attempt, cwd)
        if answer.status != 0:
            raise self._failure(what, place, answer)

    def _batch(self, lines: Sequence[str], attempt: Attempt, cwd: Path | None = None) -> Answer:
        """Run a batch, which ends at the first line that fails, but for those that begin with a dash."""
        argv = [*self.host.command("sftp"), "-b", "-", self.host.name]
        text = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
        return self.host.tool.run(argv, attempt, stdin=text, cwd=cwd)

    def _failure(self, what: str, place: Place, answer: Answer) -> PublishError:
        return failure(f"{self.host.name}: {place.path} {what} by sftp", answer.stderr)


def quoted(path: str) -> str:
    """A word for sftp's batches: quotes keep blanks and what else stands for several names."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _as_it_is(name: str) -> str:
    """A name as sftp lists it: bytes that are no ASCII come as \\303\\251."""
    plain = _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), name.encode("utf-8", "surrogateescape"))
    return plain.decode("utf-8", "surrogateescape")


def _carried(place: Place, names: Sequence[str]) -> list[str]:
    """Move what is not ours; the batch ends where that cannot be, so that it is not removed."""
    folders = (place.retired, place.path)
    pairs = [[quoted(f"{folder}/{name}") for folder in folders] for name in names]
    return [f"rename {old} {new}" for old, new in pairs]


def _removal(folder: str) -> list[str]:
    """A folder of files, whatever is there of it."""
    return [f"-rm {quoted(folder)}/*", f"-rm {quoted(folder)}/.*", f"-rmdir {quoted(folder)}"]


def _is_missing(answer: Answer) -> bool:
    return "no such file" in answer.stderr.lower() and answer.status != 255
