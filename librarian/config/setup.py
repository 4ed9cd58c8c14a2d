"""Finds, reads and writes `librarian.toml`, and resolves its paths."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from librarian import config
from librarian.config.keys import is_zone
from librarian.errors import ConfigError
from librarian.shared.text import file_safe
from librarian.system import host

NAME = "librarian.toml"


@dataclass(frozen=True)
class Places:
    """Where things are: the folder of the configuration file (relative paths start there), the state, the site."""

    base: Path
    state: Path
    site: Path
    store: Path

    @property
    def lock(self) -> Path:
        """The lock of everything that writes the state or the site."""
        return self.store.with_suffix(".lock")

    @property
    def deliveries(self) -> Path:
        """How each publisher fared; a file a cluster, as the store is."""
        return self.store.with_suffix(".publish.json")

    @property
    def pictures(self) -> Path:
        """What the pictures of the site were drawn from."""
        return self.store.with_suffix(".pictures.json")

    @property
    def scratch(self) -> Path:
        """What publishers keep between runs."""
        return self.state / "publish" / self.store.stem


@dataclass(frozen=True)
class Setup:
    """A configuration with its places and the zone of its readers."""

    config: config.Config
    places: Places
    zone: str

    @property
    def campaigns(self) -> Path:
        """The folder that campaigns are in."""
        named = self.config.campaigns.path
        return self.places.base / host.expanded(named) if named else self.places.state / "campaigns"


def find(explicit: str | None, environment: Mapping[str, str]) -> Path:
    """The configuration file: --config, $LIBRARIAN_CONFIG, ./librarian.toml, $XDG_CONFIG_HOME/librarian/librarian.toml.

    Raises `ConfigError` when the one that is named, or every one, is missing.
    """
    path, is_named = _looked_for(explicit, environment)
    if path.is_file():
        return path
    if is_named:
        raise ConfigError(f"there is no configuration {path}", todo="write one with: librarian init")
    raise ConfigError("there is no configuration", f"looked for {NAME}, {path}", "write one with: librarian init")


def to_write(explicit: str | None, environment: Mapping[str, str]) -> Path:
    """Where a configuration belongs: where `find` finds it, now or once it is there, from any folder."""
    return _looked_for(explicit, environment)[0]


def _looked_for(explicit: str | None, environment: Mapping[str, str]) -> tuple[Path, bool]:
    """The configuration file, or where it could be; and whether somebody named it."""
    named = explicit or environment.get("LIBRARIAN_CONFIG")
    if named:
        return host.expanded(named), True
    here = Path(NAME)
    return here if here.is_file() else in_home(environment), False


def in_home(environment: Mapping[str, str]) -> Path:
    """The configuration of a user who named none, and has none in the working folder."""
    return _home(environment, "XDG_CONFIG_HOME", ".config") / "librarian" / NAME


def load(path: Path, environment: Mapping[str, str]) -> Setup:
    """Read the configuration at `path`. Raises `ConfigError`."""
    return setup(config.parse(text_of(path), str(path)), path.resolve().parent, environment)


def text_of(path: Path) -> str:
    """What a configuration file holds. Raises `ConfigError`."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read", error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} cannot be read", str(error), "save it as UTF-8") from error


def write(path: Path, text: str) -> None:
    """Write a configuration file, with the folder that it is in. Raises `ConfigError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # a token may stand in it: who could not read it before cannot now
        host.write_atomic(path, text.encode(), path.stat().st_mode & 0o777 if path.exists() else 0o644)
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"{path} cannot be written", why, "name another file with --output") from error


def setup(parsed: config.Config, base: Path, environment: Mapping[str, str]) -> Setup:
    """A configuration whose relative paths start at `base`."""
    default_state = _home(environment, "XDG_STATE_HOME", ".local/state") / "librarian"
    state = base / host.expanded(parsed.paths.state) if parsed.paths.state else default_state
    site = base / host.expanded(parsed.paths.site) if parsed.paths.site else state / "site"
    store = state / f"{file_safe(parsed.cluster.name)}.sqlite"
    places = Places(base, state, site, store)
    _refuse_overlaps(places, _copies(parsed, base))
    return Setup(parsed, places, parsed.cluster.timezone or local_zone())


def _copies(parsed: config.Config, base: Path) -> list[Path]:
    """Folders of this machine that the site is copied to."""
    paths = [str(target.options.get("path", "")) for target in parsed.publish if target.kind == "folder"]
    return [base / host.expanded(path) for path in paths if path]


def _refuse_overlaps(places: Places, copies: Sequence[Path]) -> None:
    """Raise `ConfigError` where a folder that is replaced whole holds one that must not be there, links followed."""
    kept = {"the state": places.state, "the configuration": places.base}
    pairs = [("the site", places.site, kept | {f"its copy {copy}": copy for copy in copies})]
    pairs += [(f"the copy of the site in {copy}", copy, {"the site": places.site, **kept}) for copy in copies]
    for name, outer, all_inner in pairs:
        for what, inner in all_inner.items():
            if _real(inner).is_relative_to(_real(outer)):
                why = f"{inner} is in {outer}, which is replaced whole in each run"
                raise ConfigError(f"{what} must not be in {name}", why, "name a folder of its own")


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def local_zone() -> str:
    """Name of the machine's time zone, from $TZ, the link /etc/localtime or /etc/timezone; UTC when none tells.

    The link comes first, since the clock follows it; the file can be left over from an earlier setting.
    """
    candidates = [host.environment().get("TZ", "").lstrip(":")]
    with contextlib.suppress(OSError):
        candidates.append(str(Path("/etc/localtime").resolve()).rpartition("/zoneinfo/")[2])
    with contextlib.suppress(OSError):
        candidates.append(Path("/etc/timezone").read_text(encoding="utf-8").strip())
    return next(filter(is_zone, candidates), "UTC")


def _home(environment: Mapping[str, str], name: str, default: str) -> Path:
    # the XDG specification: a relative path there is to be ignored
    folder = Path(environment.get(name, ""))
    return folder if folder.is_absolute() else host.expanded("~") / default
