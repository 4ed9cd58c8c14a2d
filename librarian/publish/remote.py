"""A folder on another machine, reached by ssh: what is in its place, and how a new one gets there.

Two ways: `Shell`, where the other side runs commands (the files go by rsync), and `sftp.Sftp`, where it does not.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from librarian.errors import PublishError
from librarian.publish.base import Attempt, Tool, failure
from librarian.shared.targets import home_path, no_option
from librarian.site.folder import files_of
from librarian.site.manifest import foreign
from librarian.system.processes import Answer

# Ours first: ssh takes the first value that it meets, so the table's options cannot undo these.
_FIRST = ("BatchMode=yes", "ControlMaster=no", "ClearAllForwardings=yes")
_LAST = ("ConnectTimeout=15", "ServerAliveInterval=15", "ServerAliveCountMax=3")
_MARK = "librarian looks"
_RSYNC = 30  # the protocol's version; 29 has no --protect-args, without which a path would reach a shell


@dataclass(frozen=True)
class Host:
    """A host and ssh's options for it (`Port=2222`)."""

    name: str
    options: tuple[str, ...] = ()
    tool: Tool = field(default=Tool({"SSH_ASKPASS": ""}))

    def command(self, program: str) -> list[str]:
        """`ssh` or `sftp` with all options, without the host."""
        return [program, *(part for option in (*_FIRST, *self.options, *_LAST) for part in ("-o", option))]

    def shell(self, script: str, attempt: Attempt) -> Answer:
        """Run a script in the other side's /bin/sh, whatever the login shell is.

        It is one function, so that sh has read all of it before it begins: a connection that breaks leaves no half.
        """
        text = f"LC_ALL=C\nexport LC_ALL\nwork() {{\n{script}\n}}\nwork\n".encode("utf-8", "surrogateescape")
        argv = [*self.command("ssh"), "-T", self.name, "exec /bin/sh -s"]
        return self.tool.run(argv, attempt, stdin=text)


@dataclass(frozen=True)
class Place:
    """A folder on the other side, and the names beside it that a publisher uses."""

    path: str

    @classmethod
    def of(cls, path: str) -> Place:
        """From a path as configured."""
        return cls(home_path(path))

    @property
    def name(self) -> str:
        """The folder's own name."""
        return PurePosixPath(self.path).name

    @property
    def above(self) -> str:
        """The folder that it is in."""
        return no_option(str(PurePosixPath(self.path).parent))

    @property
    def retired(self) -> str:
        """Where the old folder is for the moment between two renames."""
        return self.beside(".old")

    def beside(self, ending: str) -> str:
        """A hidden neighbour."""
        return self.neighbour(f".{self.name}.librarian{ending}")

    def neighbour(self, name: str) -> str:
        """What lies beside it by that name."""
        return no_option(str(PurePosixPath(self.above) / name))

    def fresh(self, now: int) -> str:
        """The folder that is filled before it takes the place; its name tells when it was begun."""
        return self.beside(f"-{now}")

    def leftovers(self, names: Sequence[str], before: int) -> list[str]:
        """Those of the neighbours' `names` that runs before the epoch `before` left behind."""
        pattern = re.compile(rf"\.{re.escape(self.name)}\.librarian-(\d+)")
        found = ((name, pattern.fullmatch(name)) for name in names)
        return [self.neighbour(name) for name, match in found if match and int(match[1]) < before]


@dataclass(frozen=True)
class RemoteState:
    """What is in a place: "missing", "empty", "files", "link" or "file"; its index.json; the names in and beside it.

    `rsync` is the version of its protocol on the other side, 0 where there is none. `free` counts KiB, None: not told.
    """

    kind: str
    index: str = ""
    neighbours: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    odd: bool = False  # whether a name in it has a line break, and is left out of `names`
    writable: bool = True
    rsync: int = 0
    free: int | None = None

    def is_tidy(self, place: Place) -> bool:
        """Whether there is a folder, and nothing of a swap that was cut short."""
        return self.kind in ("files", "empty") and PurePosixPath(place.retired).name not in self.neighbours

    @property
    def foreign(self) -> list[str]:
        """The names of what is in it and not ours."""
        return foreign(self.names, _index(self.index))

    def refuse_foreign(self, where: str) -> None:
        """Raise `PublishError` when it is something that a site must not replace."""
        if self.kind in ("link", "file"):
            raise PublishError(f"{where} is not a folder", "the site replaces it whole", "name another folder")
        if self.kind == "files" and not str(_index(self.index).get("generator", "")).startswith("librarian"):
            todo = "name an empty folder, or one that Librarian wrote"
            raise PublishError(f"{where} holds other files", "the site would replace them", todo)
        if self.odd:
            why = "what is not ours is carried over by its name"
            raise PublishError(f"{where} holds a file with a line break in its name", why, "rename it")


def _index(text: str) -> Mapping[str, Any]:
    """An index.json; empty where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Shell:
    """The way through a shell on the other side; the files go by rsync."""

    host: Host
    name: str = "rsync"

    def look(self, place: Place, attempt: Attempt) -> RemoteState | None:
        """What is in the place; None where the other side runs no commands. Raises `PublishError`."""
        answer = self.host.shell(_LOOK.format(**_words(place)), attempt)
        text = answer.stdout.decode("utf-8", "surrogateescape")  # names there need not be UTF-8
        if f"{_MARK}\n" not in text:
            if answer.status == 255:
                todo = f"try it by hand: {shlex.join([*self.host.command('ssh'), self.host.name])}"
                raise failure(f"{self.host.name} could not be reached", answer.stderr, todo)
            return None
        return _parse_look(text.rpartition(f"{_MARK}\n")[2] if text.count(_MARK) == 1 else text)

    def prepare(self, place: Place, seen: RemoteState, leftovers: Sequence[str], attempt: Attempt) -> None:
        """Make the folder above, complete a swap that was cut short, remove what killed runs left."""
        if seen.is_tidy(place) and not leftovers:
            return
        remove = "".join(f"rm -rf {shlex.quote(name)}\n" for name in leftovers)
        self._do(_PREPARE.format(**_words(place)) + remove, f"{place.path} could not be prepared", attempt)

    def fill(self, site: Path, place: Place, seen: RemoteState, attempt: Attempt) -> int | None:
        """Send the site into the place's fresh folder; returns the bytes that went out.

        What the present site has already is taken from there. Files are compared by content, not by their times: a
        file that did not change stays the same one, with the time that readers' caches know.
        """
        options = [f"--link-dest=../{place.name}"] if seen.kind == "files" else []
        return self._rsync(site, _sources(files_of(site)), f"{place.fresh(attempt.now)}/", options, attempt)

    def swap(self, place: Place, seen: RemoteState, attempt: Attempt) -> None:
        """Exchange the fresh folder with the present one, and remove that; what is not ours is in both before.

        Raises `PublishError`, with the old one in its place.
        """
        theirs = " ".join(shlex.quote(f"./{name}") for name in seen.foreign)
        words = {**_words(place), "new": shlex.quote(place.fresh(attempt.now)), "theirs": theirs}
        self._do(_SWAP.format(**words), f"{place.path} could not be replaced", attempt)

    def add(self, site: Path, names: Sequence[str], place: Place, attempt: Attempt) -> int | None:
        """Replace single files in a folder that may hold others; each is whole at any time."""
        self._do(f"mkdir -p {shlex.quote(place.path)}", f"{place.path} could not be made", attempt)
        return self._rsync(site, _sources(names), f"{place.path}/", ["--delay-updates"], attempt)

    def abandon(self, place: Place, attempt: Attempt) -> None:
        """Remove what was sent of a site that cannot take its place."""
        self.host.shell(f"rm -rf {shlex.quote(place.fresh(attempt.now))}", attempt)

    def changed(self, site: Path, place: Place, attempt: Attempt) -> list[str] | None:
        """The files that are not there as they are here."""
        names = files_of(site)
        options = ["--dry-run", "--out-format=%n"]
        answer = self._run_rsync(site, _sources(names), f"{place.path}/", options, attempt)
        return sorted(set(names) & set(answer.text.splitlines())) if answer.status == 0 else None

    def _rsync(self, site: Path, sources: list[str], target: str, options: list[str], attempt: Attempt) -> int | None:
        answer = self._run_rsync(site, sources, target, [*options, "--stats"], attempt)
        if answer.status != 0:
            raise failure(f"rsync to {self.host.name} failed with status {answer.status}", answer.stderr)
        sent = re.search(r"Total bytes sent: ([\d,.]+)", answer.text)
        return int(re.sub(r"\D", "", sent[1])) if sent else None

    def _run_rsync(self, site: Path, sources: list[str], target: str, options: list[str], attempt: Attempt) -> Answer:
        # modes are those that the umask there gives, so that a web server's folder has the modes that are usual in it
        common = ["--checksum", "--compress", "--protect-args", "--chmod=D777,F666", "--no-human-readable"]
        remote_shell = " ".join(map(shlex.quote, self.host.command("ssh")))
        argv = ["rsync", *common, *options, "-e", remote_shell, "--", *sources, f"{self.host.name}:{target}"]
        return self.host.tool.run(argv, attempt, cwd=site)

    def _do(self, script: str, what: str, attempt: Attempt) -> None:
        answer = self.host.shell(script, attempt)
        if answer.status != 0:
            raise failure(f"{self.host.name}: {what}", answer.stderr)


def has_rsync(seen: RemoteState, tool: Tool, attempt: Attempt) -> bool:
    """Whether both sides have an rsync that can be trusted with any path."""
    if seen.rsync < _RSYNC:
        return False
    try:
        return _protocol(tool.run(["rsync", "--version"], attempt).text) >= _RSYNC
    except PublishError:
        return False


def _protocol(version: str) -> int:
    found = re.search(r"^rsync\s+version .* protocol version (\d+)", version, re.MULTILINE)
    return int(found[1]) if found else 0


def _sources(names: Iterable[str]) -> list[str]:
    return [f"./{name}" for name in names]


def _words(place: Place) -> Mapping[str, str]:
    words = {"mark": _MARK, "place": place.path, "above": place.above, "retired": place.retired}
    return {key: shlex.quote(word) for key, word in words.items()}


def _parse_look(text: str) -> RemoteState:
    lines, *index = re.split(r"^index:\n", text, maxsplit=1, flags=re.MULTILINE)
    facts = [line.partition(": ") for line in lines.splitlines()]
    told = {key: value for key, _, value in facts}
    free = told.get("free", "")
    return RemoteState(
        kind=told.get("place", "missing"),
        index="".join(index),
        odd="odd" in told,
        neighbours=tuple(value for key, _, value in facts if key == "beside"),
        names=tuple(value for key, _, value in facts if key == "in"),
        writable="writable" in told,
        rsync=_protocol(told.get("rsync", "")),
        free=int(free) if free.isdigit() else None,
    )


_LOOK = """\
echo {mark}
rsync --version 2>/dev/null | sed -n '/^rsync  *version/s/^/rsync: /p'
break='
'
near={above}
while [ ! -d "$near" ] && [ "$near" != / ] && [ "$near" != . ]; do near=$(dirname "$near"); done
if [ -w "$near" ]; then echo "writable: yes"; fi
df -Pk "$near" 2>/dev/null | awk 'NR == 2 {{ print "free: " $4 }}'
for one in {above}/.*; do
    case "$one" in *.librarian*) echo "beside: ${{one##*/}}" ;; esac
done
if [ -h {place} ]; then echo "place: link"
elif [ -d {place} ]; then
    if [ -n "$(ls -A {place})" ]; then echo "place: files"; else echo "place: empty"; fi
    for one in {place}/* {place}/.[!.]* {place}/..?*; do
        if [ ! -e "$one" ] && [ ! -h "$one" ]; then continue; fi
        case "${{one##*/}}" in
            *"$break"*) echo "odd: name" ;;
            *) printf 'in: %s\\n' "${{one##*/}}" ;;
        esac
    done
elif [ -e {place} ]; then echo "place: file"
else echo "place: missing"
fi
if [ -f {place}/index.json ]; then echo "index:"; cat {place}/index.json; fi
"""

_PREPARE = """\
mkdir -p {above} || return 1
if [ ! -e {place} ] && [ -d {retired} ]; then mv {retired} {place} || return 1; fi
rm -rf {retired}
"""

# One step where the other side can exchange two folders: by coreutils 9.5 or by Python. Else two renames; what is cut
# short between them is completed by the next run's _PREPARE.
# What is not ours is linked into the new folder first, or copied where that cannot be.
_SWAP = """\
trap '' HUP
for one in {theirs}; do
    if [ -e {new}/"$one" ] || [ -h {new}/"$one" ]; then continue; fi
    if cp -RPpl {place}/"$one" {new}/ 2>/dev/null; then continue; fi
    rm -rf {new}/"$one"
    cp -RPp {place}/"$one" {new}/ || return 1
done
exchange='import ctypes, os, sys
call = getattr(ctypes.CDLL(None), "renameat2", None)
one, other = map(os.fsencode, sys.argv[1:])
sys.exit(call is None or call(-100, one, -100, other, 2) != 0)'
if [ ! -e {place} ]; then
    mv {new} {place}
    return
fi
if mv --exchange -T {new} {place} 2>/dev/null || python3 -c "$exchange" {new} {place} 2>/dev/null; then
    rm -rf {new}
    return 0
fi
rm -rf {retired}
mv {place} {retired} || return 1
if mv {new} {place}; then rm -rf {retired}; return 0; fi
mv {retired} {place}
return 1
"""
