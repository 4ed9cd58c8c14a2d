"""`librarian init --pages`: the publisher for GitHub Pages in the configuration, and what remains to be done there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from librarian import config
from librarian.config import initial
from librarian.errors import ConfigError
from librarian.privacy.rules import Mode
from librarian.publish.base import Finding
from librarian.shared import targets

BRANCH = "gh-pages"
KEY = "github_pages_key"
_PRIVACY = re.compile(r"^[ \t]*\[[ \t]*privacy[ \t]*\][ \t]*(?:#.*)?$", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_USERS = re.compile(r"^([ \t]*users[ \t]*=[ \t]*)(?:\"[^\"\n]*\"|'[^'\n]*')", re.MULTILINE)


def repository(text: str) -> tuple[str, str]:
    """Owner and repository of `OWNER/REPO`. Raises `ConfigError`."""
    found = targets.pages_repository(text)
    if found is None:
        raise ConfigError(f"--pages {text!r} is no repository", todo="name it as OWNER/REPO, without .git")
    return found


def remote_of(owner: str, name: str) -> str:
    """The repository's address for ssh."""
    return f"git@github.com:{owner}/{name}.git"


def with_pages(text: str, source: str, remote: str, key: Path) -> str:
    """The configuration `text` with a publisher to `remote`; as it is where it has one. Raises `ConfigError`."""
    parsed = config.parse(text, source)
    if any(entry.kind == "github-pages" and entry.options["remote"] == remote for entry in parsed.publish):
        return text
    table = (
        "\n# GitHub Pages: whoever can open the page's address sees it; most often that is everybody.\n"
        f'[[publish]]\nkind = "github-pages"\nremote = "{remote}"\nbranch = "{BRANCH}"\n'
        f"# identity = {config_text(str(key))}   # a deploy key of its own; default: ssh's own\n"
    )
    section = "" if "privacy" in config.tables(text, source) else f"\n{initial.privacy('pseudonym')}"
    added = text.rstrip("\n") + "\n" + section + table
    config.parse(added, source)
    return added


def openly(text: str, source: str, remote: str) -> str:
    """How a configuration that is to publish to `remote` shows its users, where that is by their names, or by a part of
    them; "" where it is not, where nothing says how, or where it publishes there already. Raises `ConfigError`."""
    parsed = config.parse(text, source)
    if "privacy" not in config.tables(text, source) or parsed.privacy.users not in ("real", "short"):
        return ""
    there = any(entry.options.get("remote") == remote for entry in parsed.publish)
    return "" if there else parsed.privacy.users


def with_users(text: str, source: str, mode: Mode) -> str:
    """The configuration `text` with users shown in this `mode`. Raises `ConfigError` where it cannot be changed so."""
    parsed = config.parse(text, source)
    if "privacy" not in config.tables(text, source):
        return f"{text.rstrip(chr(10))}\n\n{initial.privacy(mode)}"
    header = _PRIVACY.search(text)
    begin = header.end() if header else len(text)
    following = _TABLE.search(text, begin)
    end = following.start() if following else len(text)
    body, count = _USERS.subn(lambda match: f'{match[1]}"{mode}"', text[begin:end], count=1)
    changed = text[:begin] + (body if count else f'\nusers = "{mode}"{body}') + text[end:]
    try:
        if header and config.parse(changed, source) == replace(parsed, privacy=replace(parsed.privacy, users=mode)):
            return changed
    except ConfigError:
        pass
    raise ConfigError(f"{source} could not be changed", todo=f'write users = "{mode}" into its [privacy]')


def config_text(value: str) -> str:
    """A TOML literal string where that can hold it; else the value is left for the reader to write."""
    return f"'{value}'" if "'" not in value and value.isprintable() else '"…"'


def steps(owner: str, name: str, findings: Sequence[Finding], key: Path) -> list[str]:
    """What is left to do, in order, and the address of the page."""
    web = f"https://github.com/{owner}/{name}"
    lines = []
    if not all(found.well for found in findings):
        lines += [
            f"Make the repository, if there is none: https://github.com/new?owner={owner}&name={name}",
            "Let this machine push to it. Either with a key of your own that GitHub knows, or with one for this alone:",
            f"  ssh-keygen -q -t ed25519 -N '' -C librarian -f {shlex.quote(str(key))}",
            f"  cat {shlex.quote(str(key))}.pub      # add it on {web}/settings/keys, with write access",
            "  and take the # off identity in the configuration",
            "Let ssh know the host: ssh -T git@github.com, and compare its fingerprint with docs.github.com",
            "Look whether it works now: librarian publish --check",
        ]
    lines += [
        "Publish once, which makes the branch: librarian run",
        f"On {web}/settings/pages choose: Deploy from a branch, {BRANCH}, / (root)",
        f"The page is then at {targets.pages_url(owner, name)}",
    ]
    return lines
