"""Between store and report: the names that readers may see, and a last look that no other name leaves.

The store keeps real names. `PublicNames` says how what reports are built from is renamed, and `leak_check` reads the
finished site.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from librarian.errors import StoreError
from librarian.privacy.renaming import Renaming
from librarian.privacy.rules import Rules, folded, public_names
from librarian.shared.names import UserName
from librarian.system.host import write_atomic

KEY_FILE = "privacy.key"
NAMES_FILE = "names.json"
_KEY_BYTES = 32
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublicNames:
    """Public names of users by real ones, and what else may be seen."""

    names: Mapping[str, str]
    rules: Rules

    @property
    def secret(self) -> frozenset[str]:
        """The names of users that must not be seen anywhere."""
        public = set(self.names.values())
        return frozenset(name for name, shown in self.names.items() if name != shown and name not in public)

    @property
    def changes(self) -> bool:
        """Whether anybody has another name."""
        return any(real != shown for real, shown in self.names.items())

    def renaming(self, accounts: Iterable[str]) -> Renaming:
        """How what is known of a QoS is renamed, in which these accounts occur."""
        return Renaming(
            users=self.names if self.changes else {},
            accounts={} if self.rules.accounts else numbered(accounts),
            shows_accounts=self.rules.accounts,
            shows_nodes=self.rules.nodes,
            shows_partitions=self.rules.partitions,
        )


def numbered(accounts: Iterable[str]) -> dict[str, str]:
    """Accounts told apart, and no more: account 1, account 2."""
    return {name: f"account {number}" for number, name in enumerate(sorted(set(accounts) - {""}), start=1)}


def choose(rules: Rules, weights: Mapping[UserName, float], known: Iterable[str], state: Path, me: str) -> PublicNames:
    """Who is called what on the site: `weights` are the largest share (0 to 1) of each user who held something, `known`
    are all users that the store knows, `me` the one who reports.

    Raises `StoreError` where the key of the pseudonyms cannot be kept in `state`.
    """
    everyone = {*known, *weights, me}
    ranked = [(user, weights.get(UserName(user), 0.0)) for user in sorted(everyone)]
    key = secret_key(state) if rules.users in ("alias", "pseudonym") else b""
    return PublicNames(public_names(everyone, rules, key, folded(ranked, rules)), rules)


def secret_key(state: Path) -> bytes:
    """The key that makes pseudonyms, from the state folder; made where there is none, readable by its owner alone.

    Raises `StoreError` when it cannot be read or made: a new one would give everybody a new name.
    """
    path = state / KEY_FILE
    try:
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
            return bytes.fromhex(path.read_text(encoding="ascii").strip())
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = secrets.token_bytes(_KEY_BYTES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except (OSError, ValueError) as error:
        todo = "put the file back from a backup; without it all pseudonyms change (then delete it)"
        raise StoreError(f"the key of the pseudonyms, {path}, cannot be used", str(error), todo) from error
    return key


def keep(state: Path, mask: PublicNames) -> bool:
    """Write down who is called what, for the last look and for `librarian whois`; readable by its owner alone.

    Returns whether the rules are those of the last site: else its files may show what must not be seen.
    """
    try:
        before = _read(state)
    except StoreError as error:  # who is called what is known anew; what the last site showed is not
        log.warning("%s: %s; it is written anew", error.what, error.why)
        site, is_same = None, mask.rules == Rules()
    else:
        site = before[1] if before else None
        is_same = (site if before else Rules()) == mask.rules
    _put(state, mask, site)
    return is_same


def shown(state: Path, mask: PublicNames) -> None:
    """Write down that the site is whole under these rules. Raises `StoreError`; its files are not kept then."""
    _put(state, mask, mask.rules)


def kept(state: Path, rules: Rules | None = None) -> PublicNames | None:
    """What was written down at the last rendering, or None before it.

    Raises `StoreError` where it cannot be read, unless `rules` are those under which there is nothing to keep back.
    """
    try:
        found = _read(state)
    except StoreError:
        if rules != Rules():
            raise
        return None
    return found[0] if found else None


def _put(state: Path, mask: PublicNames, site: Rules | None) -> None:
    """As `_write`; where nothing is kept back it may fail."""
    try:
        _write(state, mask, site)
    except StoreError as error:
        if mask.rules != Rules():
            raise
        log.warning("%s", error)


def _write(state: Path, mask: PublicNames, site: Rules | None) -> None:
    value = {"rules": asdict(mask.rules), "names": dict(mask.names), "site": site and asdict(site)}
    with guarded(state / NAMES_FILE):
        write_atomic(state / NAMES_FILE, json.dumps(value, sort_keys=True).encode(), mode=0o600)


def _read(state: Path) -> tuple[PublicNames, Rules | None] | None:
    """What was written down, and the rules of the last site that became whole."""
    path = state / NAMES_FILE
    with guarded(path):
        try:
            value = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        if not isinstance(value, dict) or not isinstance(value["names"], dict):
            raise TypeError("it is no table of names")
        if not all(isinstance(name, str) for name in value["names"].values()):
            raise TypeError("a name in it is none")
        site = value.get("site", value["rules"])  # older releases did not write it
        return PublicNames(value["names"], _rules(value["rules"])), None if site is None else _rules(site)


def _rules(told: Mapping[str, Any]) -> Rules:
    return Rules(**{**told, "show": tuple(told["show"]), "hide": tuple(told["hide"])})


@contextlib.contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Errors of the file of names as ours."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        todo = "delete it if it is damaged, and run: librarian render"
        raise StoreError(f"the names that readers see, {path}, cannot be used", str(error), todo) from error


def whois(names: PublicNames, asked: Sequence[str]) -> list[tuple[str, str]]:
    """(public name, real name) of each user whose public or real name is asked for; all of them when nothing is."""
    pairs = sorted((shown, real) for real, shown in names.names.items())
    return [pair for pair in pairs if not asked or set(pair) & set(asked)]
