"""`librarian init --pages`: the publisher for GitHub Pages in the configuration, and what remains to be done there."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from librarian import config
from librarian.config import initial
from librarian.errors import ConfigError
from librarian.publish.base import Finding
from librarian.shared import targets

BRANCH = "gh-pages"
KEY = "github_pages_key"


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
