"""Publish to a folder on another machine by ssh: sent beside its place, then swapped in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from librarian.errors import PublishError
from librarian.publish.base import DONE, Attempt, Delivered, Finding, Patience, Preview
from librarian.publish.remote import Host, Place, RemoteState, Shell, has_rsync
from librarian.publish.sftp import Sftp
from librarian.shared.words import amount, counted
from librarian.site import folder as sitefolder


@dataclass(frozen=True)
class Ssh:
    """Puts the site at `path` on a host, and the pictures of a QoS into folders of their own there."""

    host: Host
    path: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)
    patience: Patience = field(default=Patience())
    kind: str = "ssh"

    @classmethod
    def of(cls, options: Mapping[str, Any], _base: Path, _scratch: Path) -> Sequence[Ssh]:
        """From a `[[publish]]` table: `host` (one or a list), `path`, `options`, `pictures`."""
        hosts = options["host"] if isinstance(options["host"], list) else [options["host"]]
        extra = tuple(map(str, options.get("options", ())))
        pictures = dict(options.get("pictures", {}))
        path, patience = str(options.get("path", "")), Patience.of(options)
        return [cls(Host(str(host), extra), path, pictures, patience) for host in hosts]

    def describe(self) -> str:
        """The host and the folder."""
        return f"{self.host.name}:{self.path or ', '.join(self.pictures.values())}"

    def publish(self, site: Path, attempt: Attempt) -> Delivered:
        """Send `site`, then swap; then the pictures. Raises `PublishError`; a site that was there then stays."""
        pictures = self._pictures(site)
        way, seen = self._way(self._places()[0], attempt)
        sent = [self._site(way, site, seen, attempt)] if self.path else []
        for folder, names in pictures.items():
            sent.append(way.add(site, names, Place.of(folder), attempt))
        return Delivered(DONE, None if None in sent else sum(filter(None, sent)), f"by {way.name}")

    def plan(self, site: Path, attempt: Attempt) -> Preview:
        """What would go out: with rsync what differs, else all."""
        place = self._places()[0]
        way, seen = self._way(place, attempt)
        files = sitefolder.files_of(site)
        changed: Sequence[str] | None = []
        if self.path:
            seen.refuse_foreign(self.describe())
            changed = sorted(files) if seen.kind in ("missing", "empty") else way.changed(site, place, attempt)
        note = "".join(
            f"; {counted(len(names), 'picture')} to {folder}" for folder, names in self._pictures(site).items()
        )
        sizes = {name: path.stat().st_size for name, path in files.items()} if self.path else {}
        return Preview(self.describe(), sizes, changed, f"by {way.name}{note}")

    def check(self, site: Path, attempt: Attempt) -> list[Finding]:
        """Whether the host lets us in, how the files would go, and whether the folder is ours and can be written."""
        findings = []
        try:
            self._pictures(site)
            way, seen = self._way(self._places()[0], attempt)
            findings.append(Finding(True, f"{self.host.name} lets us in; the files go by {way.name}"))
            for place in self._places():
                seen = way.look(place, attempt) or seen
                if self.path and place == Place.of(self.path):
                    seen.refuse_foreign(self.describe())
                findings += self._room(way, place, seen, site, attempt)
        except PublishError as error:
            findings.append(Finding(False, str(error)))
        return findings

    def _site(self, way: Shell | Sftp, site: Path, seen: RemoteState, attempt: Attempt) -> int | None:
        place = Place.of(self.path)
        seen.refuse_foreign(self.describe())
        # a run ends after twice its time limit; what is older has nobody any more
        old = place.leftovers(seen.neighbours, attempt.now - int(2 * self.patience.timeout))
        way.prepare(place, seen, old, attempt)
        if not seen.is_tidy(place):  # what a swap that was cut short had put aside is there again
            seen = way.look(place, attempt) or seen
            seen.refuse_foreign(self.describe())
        try:
            sent = way.fill(site, place, seen, attempt)
            way.swap(place, seen, attempt)
        except PublishError:
            if not attempt.is_over():
                way.abandon(place, attempt)
            raise
        return sent

    def _way(self, place: Place, attempt: Attempt) -> tuple[Shell | Sftp, RemoteState]:
        shell = Shell(self.host)
        seen = shell.look(place, attempt)
        if seen and has_rsync(seen, self.host.tool, attempt):
            return shell, seen
        sftp = Sftp(self.host)
        return sftp, sftp.look(place, attempt)

    def _places(self) -> list[Place]:
        return [Place.of(path) for path in (self.path, *self.pictures.values()) if path]

    def _pictures(self, site: Path) -> dict[str, list[str]]:
        """Folder -> names of pictures. Raises `PublishError` when the site has none of a QoS."""
        index = sitefolder.read_json(site, sitefolder.INDEX) or {}
        drawn = {
            entry["name"]: [name for both in entry["figures"].values() for name in both.values()]
            for entry in index.get("qos", [])
        }
        missing = [name for name in self.pictures if name not in drawn]
        if missing:
            raise PublishError(
                f"there is no QoS {missing[0]} on the site", todo="see pictures in its [[publish]] table"
            )
        folders: dict[str, list[str]] = {}
        for name, folder in self.pictures.items():
            folders.setdefault(folder, []).extend(drawn[name])
        return {folder: names for folder, names in folders.items() if names}

    def _room(self, way: Shell | Sftp, place: Place, seen: RemoteState, site: Path, attempt: Attempt) -> list[Finding]:
        writable = seen.writable if isinstance(way, Shell) else way.may_write(place, attempt)
        found = [Finding(writable, f"{place.path} can{'' if writable else 'not'} be written")]
        if seen.free is not None:
            needed = sum(path.stat().st_size for path in sitefolder.files_of(site).values()) // 1024
            enough = seen.free > 2 * needed
            found.append(
                Finding(
                    enough, f"{amount(seen.free / 1024)} MiB are free there, a copy has {amount(needed / 1024)} MiB"
                )
            )
        return found
