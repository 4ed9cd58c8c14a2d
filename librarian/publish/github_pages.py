"""Publish to GitHub Pages: a branch of exactly one commit, written anew and pushed with a lease."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from librarian.errors import LibrarianError, PublishError
from librarian.publish.base import (
    DONE,
    NO_FORCE,
    UNCHANGED,
    WAITS,
    Attempt,
    Delivered,
    Finding,
    MayPassError,
    Patience,
    Preview,
    failure,
)
from librarian.publish.scratch import FOUND, PUSHED, Scratch, ScratchError, Tree, TreeEntry
from librarian.shared.targets import split_remote
from librarian.shared.window import isoformat
from librarian.site import folder
from librarian.system.host import expanded, remove_tree

INTERVAL = 360  # seconds: GitHub Pages allows about ten builds an hour
_ROUNDS = 3  # of looking, making and pushing, while somebody else pushes at the same time
_OLDEST_GIT = (2, 25)
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
Result = TypeVar("Result")
log = logging.getLogger(__name__)


class _StaleError(PublishError):
    """The branch is not what it was when we looked."""


@dataclass(frozen=True)
class GithubPages:
    """Pushes the site to `branch`, into `directory` of it ("": all of the branch); at most once in `interval` seconds.

    With a directory, all else in the branch stays. Any git remote will do.
    """

    scratch: Scratch
    branch: str = "gh-pages"
    directory: str = ""
    cname: str = ""
    interval: int = INTERVAL
    patience: Patience = field(default=Patience())
    kind: str = "github-pages"

    @classmethod
    def of(cls, options: Mapping[str, Any], base: Path, scratch: Path) -> Sequence[GithubPages]:
        """From a `[[publish]]` table: `remote`, `branch`, `directory`, `cname`, `identity`, `min_interval_seconds`."""
        remote = split_remote(_resolved(str(options["remote"]), base))
        branch = str(options.get("branch", cls.branch))
        digest = hashlib.sha256(f"{remote.url}\n{branch}".encode()).hexdigest()[:16]
        identity = str(options.get("identity", ""))
        key = str(base / expanded(identity)) if identity else ""
        return [
            cls(
                Scratch.at(scratch.absolute() / f"{digest}.git", remote, key),
                branch,
                str(options.get("directory", "")),
                str(options.get("cname", "")),
                int(options.get("min_interval_seconds", INTERVAL)),
                Patience.of(options),
            )
        ]

    def describe(self) -> str:
        """The remote, without credentials, and the branch."""
        inside = f", directory {self.directory}" if self.directory else ""
        return f"{self.scratch.remote.url}, branch {self.branch}{inside}"

    def publish(self, site: Path, attempt: Attempt) -> Delivered:
        """Push `site`. Raises `PublishError`, with the branch as it was."""
        return self._mended(lambda: self._publish(site, attempt), attempt)

    def plan(self, site: Path, attempt: Attempt) -> Preview:
        """What a push would bring that the branch has not; pushes nothing."""
        return self._mended(lambda: self._plan(site, attempt), attempt)

    def check(self, site: Path, attempt: Attempt) -> list[Finding]:
        """Whether git is there, the remote answers, the branch may be written, and a push would be let in."""
        return self._mended(lambda: self._check(attempt), attempt)

    def _mended(self, work: Callable[[], Result], attempt: Attempt) -> Result:
        """`work`, once more on a new scratch repository where the old one turns out to be damaged."""
        try:
            self.scratch.prepare(attempt)
            return work()
        except ScratchError as error:
            log.info("the scratch repository is made anew: %s", error)
        except PublishError:
            # a damaged object may show only as a fetch or a push that fails, and look as if the other side had hung up
            if attempt.is_over() or self.scratch.healthy(attempt):
                raise
            log.info("the scratch repository has damaged objects, and is made anew")
        try:
            remove_tree(self.scratch.folder)
            self.scratch.prepare(attempt)
            return work()
        except ScratchError as error:
            raise PublishError(error.what, error.why, "check the disk, its quota and the state folder") from error

    # publish

    def _publish(self, site: Path, attempt: Attempt) -> Delivered:
        content = self.scratch.add_files(site, list(folder.files_of(site)), attempt)
        ours = self.scratch.commit_of(PUSHED, attempt)
        if ours:
            tree, _, pushed_at = self.scratch.told(ours, attempt)
            if 0 <= attempt.now - pushed_at < self.interval and not attempt.at_once:
                same = self._tree(content, ours, attempt).object == tree
                note = f"the last push was {attempt.now - pushed_at} s ago, the least is {self.interval} s"
                return Delivered(UNCHANGED, 0) if same else Delivered(WAITS, 0, note)
        for _ in range(_ROUNDS):
            try:
                return self._push_once(site, content, ours, attempt)
            except _StaleError as error:
                log.info("%s: %s; looking again", self.describe(), error)
        raise MayPassError(f"{self.describe()} was changed by somebody else at each of {_ROUNDS} tries")

    def _push_once(self, site: Path, content: Tree, ours: str | None, attempt: Attempt) -> Delivered:
        head = self._head(ours, attempt)
        self._refuse_foreign(head, ours, attempt)
        tree = self._tree(content, head, attempt)
        if head:
            held, has_parents, _ = self.scratch.told(head, attempt)
            if held == tree.object and not has_parents:
                self.scratch.remember(head, attempt)
                return Delivered(UNCHANGED, 0)
        commit = self.scratch.ask(["commit-tree", tree.object, "-m", _message(site, attempt.now)], attempt).text.strip()
        sent = self._push(commit, head, attempt)
        self.scratch.remember(commit, attempt)
        try:
            self.scratch.tidy(attempt)
        except LibrarianError as error:  # it is published; the next run tidies
            log.info("%s", error)
        return Delivered(DONE, sent)

    def _push(self, commit: str, head: str | None, attempt: Attempt, *options: str) -> int | None:
        """Push `commit` where the branch still is `head`; returns about how many bytes went out."""
        ref = f"refs/heads/{self.branch}"
        lease = f"--force-with-lease={ref}:{head or ''}"
        self.scratch.mark_known(head)
        command = ["push", "--porcelain", "--progress", "--no-verify", *options, lease]
        answer = self.scratch.reach([*command, self.scratch.remote.url, f"{commit}:{ref}"], attempt)
        if answer.status == 0:
            return _sent(answer.stderr)
        said = "\n".join(line for line in answer.text.splitlines() if line.startswith("!")) + "\n" + answer.stderr
        if "(stale info)" in said:
            raise _StaleError("somebody else pushed")
        raise failure(f"git push to {self.describe()} failed", said.strip() or f"status {answer.status}")

    def _head(self, ours: str | None, attempt: Attempt) -> str | None:
        """The commit of the remote's branch, fetched where it is not the one that we pushed; None without a branch."""
        url, ref = self.scratch.remote.url, f"refs/heads/{self.branch}"
        listed = self.scratch.reach(["ls-remote", url, ref], attempt)
        if listed.status != 0:
            raise failure(f"{url} did not list its branches", listed.stderr)
        rows = (line.split("\t") for line in listed.text.splitlines() if "\t" in line)
        head = next((name for name, found in rows if found == ref), None)
        if head is None or head == ours:
            return head
        arguments = ["fetch", "--quiet", "--depth=1", "--no-tags", url, f"+{ref}:{FOUND}"]
        fetched = self.scratch.reach(arguments, attempt)
        if fetched.status != 0:
            raise failure(f"{self.describe()} could not be fetched", fetched.stderr)
        return self.scratch.commit_of(FOUND, attempt)

    def _refuse_foreign(self, head: str | None, ours: str | None, attempt: Attempt) -> None:
        """Raise `PublishError` when what would be replaced is not ours: neither now nor when we pushed last."""
        if head == ours and not self.directory:
            return
        there = self.scratch.folder_of(head, self.directory, attempt)
        if not set(there) - {".nojekyll", "CNAME"} or self._is_site(there, attempt):
            return
        if self._is_site(self.scratch.folder_of(ours, self.directory, attempt), attempt):
            return
        todo = "name another branch or directory, or delete what is there"
        raise PublishError(f"{self.describe()} holds other files", "the site would replace them", todo)

    def _is_site(self, tree: Tree, attempt: Attempt) -> bool:
        row = tree.get(folder.INDEX)
        try:
            index = json.loads(self.scratch.blob(row, attempt)) if row else {}
        except ValueError:
            return False
        return isinstance(index, dict) and str(index.get("generator", "")).startswith("librarian")

    def _tree(self, content: Tree, head: str | None, attempt: Attempt) -> TreeEntry:
        """The tree to push: the site, .nojekyll and CNAME; with a directory, on top of what the branch holds.

        A CNAME that is there stays, since GitHub itself writes one when somebody sets a domain on its pages. In a
        branch that others fill too, only they know whether Jekyll is wanted.
        """
        held = self.scratch.tree_of(head, attempt) if head else {}
        own: dict[str, TreeEntry] = {}
        if not self.directory or not held:
            own[".nojekyll"] = self.scratch.add_blob(b"", attempt)
        if self.cname:
            own["CNAME"] = self.scratch.add_blob(f"{self.cname}\n".encode(), attempt)
        elif "CNAME" in held:
            own["CNAME"] = held["CNAME"]
        if not self.directory:
            return self.scratch.add_tree({**content, **own}, attempt)
        return self.scratch.graft({**held, **own}, self.directory.split("/"), content, attempt)

    # look

    def _plan(self, site: Path, attempt: Attempt) -> Preview:
        files = folder.files_of(site)
        content = self.scratch.add_files(site, list(files), attempt)
        sizes = {name: path.stat().st_size for name, path in files.items()}
        ours = self.scratch.commit_of(PUSHED, attempt)
        head = self._head(ours, attempt)
        self._refuse_foreign(head, ours, attempt)
        there = self.scratch.folder_of(head, self.directory, attempt)
        changed = [name for name, row in content.items() if there.get(name) != row]
        return Preview(self.describe(), sizes, changed, "" if head else "the branch would be made")

    def _check(self, attempt: Attempt) -> list[Finding]:
        version = self.scratch.ask(["version"], attempt).text.strip()
        numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
        findings = [Finding(numbers >= _OLDEST_GIT, f"{version} is installed, 2.25 is needed")]
        try:
            ours = self.scratch.commit_of(PUSHED, attempt)
            head = self._head(ours, attempt)
            findings.append(Finding(True, f"{self.scratch.remote.url} answers"))
            self._refuse_foreign(head, ours, attempt)
            findings.append(Finding(True, f"branch {self.branch} {'is ours to write' if head else 'will be made'}"))
            empty = self.scratch.add_tree({}, attempt)
            commit = self.scratch.ask(["commit-tree", empty.object, "-m", "check"], attempt).text.strip()
            self._push(commit, head, attempt, "--dry-run")
            findings.append(Finding(True, "a push is let in (the remote's own rules show only when it is done)"))
            if self.scratch.refuses_force(attempt):
                findings.append(Finding(False, f"it lets nobody push with force: {NO_FORCE}"))
        except PublishError as error:
            findings.append(Finding(False, str(error)))
        finally:
            self.scratch.tidy(attempt)
        return findings


def _resolved(remote: str, base: Path) -> str:
    """A remote that is a path, made absolute from the folder of the configuration; others as they are."""
    is_path = ":" not in remote.partition("/")[0]
    return str((base / expanded(remote)).absolute()) if is_path else remote


def _message(site: Path, now: int) -> str:
    made = (folder.read_json(site, folder.INDEX) or {}).get("generated_at")
    return f"Usage as of {isoformat(made if isinstance(made, int) else now, 'UTC')}"


def _sent(progress: str) -> int | None:
    """What the progress of a push tells of the bytes that went out, rounded as it is there."""
    found = re.findall(r"Writing objects: 100% \(\d+/\d+\), ([\d.]+) (bytes|[KMG]iB)", progress)
    return round(float(found[-1][0]) * _UNITS[found[-1][1]]) if found else None
