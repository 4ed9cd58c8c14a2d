"""Where a site may go: remotes, branches, hosts, paths and modes as the configuration names them. Pure.

A remote may carry credentials (`https://user:token@host/…`). They are taken off here, and nothing that a person reads
is made from a remote that still has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

_CREDENTIALS = re.compile(r"((?:https?|ftps?)://)[^/\s'\"]*@", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^/\s:@'\"]+):[^/\s'\"]*@")
_BRANCH = re.compile(r"(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)|[./]$))[A-Za-z0-9_][A-Za-z0-9_./@+-]{0,199}")
_HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]*@)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
_OPTION = re.compile(r"([A-Za-z][A-Za-z0-9]+)=(.+)")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_PAGES = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))/([A-Za-z0-9_.-]{1,100})")
# What an option of ssh's must not switch off: a publisher has nobody to ask, and trusts no host that is not known.
_KEPT = {"batchmode", "stricthostkeychecking", "controlmaster"}


@dataclass(frozen=True)
class Remote:
    """A git remote without its credentials, and those beside it; they show in no text of this object."""

    url: str
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Remote({self.url!r})"


def split_remote(remote: str) -> Remote:
    """`remote` with the credentials of an http address taken off it."""
    if not re.match(r"https?://", remote, re.IGNORECASE):
        return Remote(remote)
    parts = urlsplit(remote)
    credentials, at, host = parts.netloc.rpartition("@")
    if not at:
        return Remote(remote)
    user, _, password = credentials.partition(":")
    return Remote(urlunsplit(parts._replace(netloc=host)), unquote(user), unquote(password))


def redacted(text: str) -> str:
    """`text` without the credentials of any address in it."""
    return _PASSWORD.sub(r"\1@", _CREDENTIALS.sub(r"\1", text))


def is_line(value: object) -> bool:
    """Whether `value` is text on one line, and not empty."""
    return isinstance(value, str) and value.isprintable() and bool(value.strip())


def is_remote(value: object) -> bool:
    """Whether `value` is a remote of git's: http(s), ssh, `host:path` or a path; no option, no remote helper."""
    text = str(value)
    if not is_line(value) or text.startswith("-") or "::" in text.partition("/")[0]:
        return False
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", text)
    if scheme is None:
        return True
    try:
        urlsplit(text)
    except ValueError:  # a bracket that is not closed
        return False
    return scheme[1].lower() in ("http", "https", "ssh", "file") and " " not in text


def is_branch(value: object) -> bool:
    """Whether `value` is a plain name of a branch, as `git check-ref-format` allows it."""
    return isinstance(value, str) and _BRANCH.fullmatch(value) is not None


def is_directory(value: object) -> bool:
    """Whether `value` is "" or a relative path that stays inside a branch."""
    parts = str(value).split("/")
    plain = all(part not in ("", ".", "..") and part.lower() != ".git" for part in parts)
    return value == "" or (is_line(value) and plain)


def is_domain(value: object) -> bool:
    """Whether `value` is "" or a host name for a CNAME file."""
    labels = str(value).split(".")
    return value == "" or (isinstance(value, str) and len(labels) > 1 and all(map(_LABEL.fullmatch, labels)))


def is_host(value: object) -> bool:
    """Whether `value` is `[user@]host`; a port or a literal address belongs into ssh's options."""
    return isinstance(value, str) and _HOST.fullmatch(value) is not None


def is_hosts(value: object) -> bool:
    """Whether `value` is a host or a list of different ones."""
    if isinstance(value, list):
        return bool(value) and all(map(is_host, value)) and len(set(value)) == len(value)
    return is_host(value)


def is_ssh_options(value: object) -> bool:
    """Whether `value` is a list of ssh's options such as `Port=2222`, none of which takes away what protects."""
    return isinstance(value, list) and all(map(_is_ssh_option, value))


def _is_ssh_option(value: object) -> bool:
    found = _OPTION.fullmatch(value) if isinstance(value, str) and value.isprintable() else None
    return found is not None and found[1].lower() not in _KEPT


def is_remote_path(value: object) -> bool:
    """Whether `value` is a folder on another machine: absolute, or relative to the home there (`~/` may be said)."""
    text = str(value)
    named = PurePosixPath(text).name not in ("", "..", "~")
    return is_line(value) and named and (not text.startswith("~") or text.startswith("~/"))


def home_path(path: str) -> str:
    """A remote path of a configuration as it is used where the home is the current folder: see `no_option`."""
    return no_option(path[2:].lstrip("/") if path.startswith("~/") else path)


def no_option(path: str) -> str:
    """The same path, never beginning with a dash or `~`: a folder may be called so."""
    plain = str(PurePosixPath(path))
    return f"./{plain}" if plain.startswith(("-", "~")) else plain


def is_pictures(value: object) -> bool:
    """Whether `value` is a table of QoS names and folders on another machine."""
    return isinstance(value, dict) and all(is_line(name) and is_remote_path(path) for name, path in value.items())


def is_folder_mode(value: object) -> bool:
    """Whether `value` is "" or a mode of folders, in octal, that lets its owner in."""
    return value == "" or (_is_octal(value) and int(str(value), 8) & 0o700 == 0o700)


def is_file_mode(value: object) -> bool:
    """Whether `value` is "" or a mode of files, in octal: readable and writable by the owner, nothing special."""
    return value == "" or (_is_octal(value) and int(str(value), 8) & 0o600 == 0o600 and int(str(value), 8) < 0o1000)


def _is_octal(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"0?[0-7]{3,4}", value) is not None


def pages_repository(text: str) -> tuple[str, str] | None:
    """Owner and repository of `OWNER/REPO`, or None."""
    found = _PAGES.fullmatch(text)
    if not found or found[2] in (".", "..") or found[2].endswith(".git"):
        return None
    return found[1], found[2]


def pages_url(owner: str, repository: str) -> str:
    """Where GitHub shows the pages of a repository, as docs.github.com/pages tells."""
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if repository.lower() == host else f"https://{host}/{repository}/"
