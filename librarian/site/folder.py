"""The site folder: written beside its place and swapped in whole, so that a reader never sees half of it.

What somebody else put into it (an `.htaccess`, say) is carried over before the swap.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from librarian.errors import SiteError
from librarian.site.manifest import foreign
from librarian.system.host import exchange_folders, give, remove_tree, sync_folder, umask

INDEX = "index.json"


@dataclass(frozen=True)
class Access:
    """Modes and group of the folder and its files; None: as the umask and the folder above have it."""

    folder_mode: int | None = None
    file_mode: int | None = None
    group: int | None = None


PLAIN = Access()


def put(target: Path, files: Mapping[str, bytes], copies: Mapping[str, Path], access: Access = PLAIN) -> None:
    """Make `target` a folder of `files`, `copies` (name -> file to copy), with `access` from the start, and what is
    there that is not ours.

    Raises `SiteError`, with the old folder still in place. A folder that is neither empty nor a site of ours is never
    replaced: a slip of the pen in the configuration must not cost somebody their home.
    """
    fresh = target.with_name(f".{target.name}.new")
    retired = target.with_name(f".{target.name}.old")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        recover(target)
        refuse_foreign(target)
        remove_tree(fresh)
        _clear(retired, target)
        _fill(fresh, files, copies)
        _open_up(fresh, access)
        _carry_over(target, fresh)
        _swap(fresh, target, retired)
        _clear(retired, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            recover(target)
        remove_tree(fresh)
        why = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
        todo = "check the disk, its quota and the folder"
        raise SiteError(f"the site could not be written to {target}", why, todo) from error
    except BaseException:  # the run was told to end: the site must be there
        recover(target)
        remove_tree(fresh)
        if target.exists():
            remove_tree(retired)
        raise


def recover(target: Path) -> None:
    """Put the old folder back where a run was killed between the two halves of a swap."""
    retired = target.with_name(f".{target.name}.old")
    if not target.exists() and retired.is_dir():
        retired.rename(target)


def files_of(site: Path) -> dict[str, Path]:
    """The files of a site that are ours, by name, in order. Raises `SiteError` when it cannot be read."""
    try:
        there = {path.name: path for path in sorted(site.iterdir()) if path.is_file() and not path.is_symlink()}
        theirs = set(foreign(there, read_json(site, INDEX) or {}))
        return {name: path for name, path in there.items() if name not in theirs}
    except OSError as error:
        raise SiteError(f"the site {site} cannot be read", error.strerror or str(error)) from error


def read_json(site: Path, name: str) -> dict[str, Any] | None:
    """A JSON object of the site, or None where it is missing or broken."""
    try:
        value = json.loads((site / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def is_site(folder: Path) -> bool:
    """Whether `folder` is a site that Librarian wrote."""
    return str((read_json(folder, INDEX) or {}).get("generator", "")).startswith("librarian")


def refuse_foreign(target: Path) -> None:
    """Raise `SiteError` when `target` is something that a site must not replace."""
    if not target.exists() and not target.is_symlink():
        return
    if target.is_symlink() or not target.is_dir():
        raise SiteError(f"{target} is not a folder", "the site replaces it whole", "name another folder")
    if any(target.iterdir()) and not is_site(target):
        todo = "name an empty folder, or one that Librarian wrote"
        raise SiteError(f"{target} holds other files", "the site would replace them", todo)


def _fill(folder: Path, files: Mapping[str, bytes], copies: Mapping[str, Path]) -> None:
    folder.mkdir()
    folder.chmod(0o777 & ~umask())
    for name, data in files.items():
        with (folder / name).open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    for name, source in copies.items():
        with source.open("rb") as old, (folder / name).open("xb") as new:
            shutil.copyfileobj(old, new)
            new.flush()
            os.fsync(new.fileno())
    sync_folder(folder)


def _open_up(folder: Path, access: Access) -> None:
    give(folder, access.folder_mode, access.group)
    for path in folder.iterdir():
        give(path, access.file_mode, access.group)


def _carry_over(old: Path, new: Path) -> None:
    """Put what is in the `old` folder and not ours into the `new` one too. Raises `OSError`, with both as they are."""
    if not old.is_dir():
        return
    for name in foreign([path.name for path in old.iterdir()], read_json(old, INDEX) or {}):
        source, copy = old / name, new / name
        if os.path.lexists(copy):  # a file of ours has that name now
            continue
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, copy, symlinks=True, copy_function=_same_file)
        else:
            _same_file(str(source), str(copy))


def _same_file(source: str, copy: str) -> str:
    """The same file under another name, or where that is not allowed a copy."""
    try:
        os.link(source, copy, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, copy, follow_symlinks=False)
    return copy


def _clear(retired: Path, target: Path) -> None:
    """Remove the folder that was replaced, but for what came into it since it was looked at."""
    with contextlib.suppress(OSError):
        if target.is_dir():
            _carry_over(retired, target)
    remove_tree(retired)


def _swap(fresh: Path, target: Path, retired: Path) -> None:
    """One step where the file system can exchange two folders; else two renames, which `recover` completes."""
    if not target.exists():
        fresh.rename(target)
    elif exchange_folders(fresh, target):
        with contextlib.suppress(OSError):
            fresh.rename(retired)
    else:
        target.rename(retired)
        fresh.rename(target)
    sync_folder(target.parent)
