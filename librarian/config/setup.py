"""Finds `librarian.toml` and resolves its paths."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
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


def find(explicit: str | None, environment: Mapping[str, str]) -> Path:
    """The configuration file: --config, $LIBRARIAN_CONFIG, ./librarian.toml, $XDG_CONFIG_HOME/librarian/librarian.toml.

    Raises `ConfigError` when the one that is named, or every one, is missing.
    """
    named = explicit or environment.get("LIBRARIAN_CONFIG")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise ConfigError(f"there is no configuration {path}", todo="write one with: librarian init")
        return path
    home = _home(environment, "XDG_CONFIG_HOME", ".config")
    candidates = [Path(NAME), home / "librarian" / NAME]
    for path in candidates:
        if path.is_file():
            return path
    looked = ", ".join(str(path) for path in candidates)
    raise ConfigError("there is no configuration", f"looked for {looked}", "write one with: librarian init")


def load(path: Path, environment: Mapping[str, str]) -> Setup:
    """Read the configuration at `path`. Raises `ConfigError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read", str(error)) from error
    return setup(config.parse(text, str(path)), path.resolve().parent, environment)


def setup(parsed: config.Config, base: Path, environment: Mapping[str, str]) -> Setup:
    """A configuration whose relative paths start at `base`."""
    default_state = _home(environment, "XDG_STATE_HOME", ".local/state") / "librarian"
    state = base / Path(parsed.paths.state).expanduser() if parsed.paths.state else default_state
    site = base / Path(parsed.paths.site).expanduser() if parsed.paths.site else state / "site"
    store = state / f"{file_safe(parsed.cluster.name)}.sqlite"
    return Setup(parsed, Places(base, state, site, store), parsed.cluster.timezone or local_zone())


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
    return folder if folder.is_absolute() else Path.home() / default
