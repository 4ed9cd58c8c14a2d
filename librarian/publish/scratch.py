"""A bare git repository of our own, in which the next commit of a branch is made by plumbing alone.

No checkout, no index, no hooks; the user's configuration counts only where it tells how a remote is reached. The
repository holds nothing that cannot be made again: where it is damaged, it is thrown away.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from librarian.errors import LibrarianError
from librarian.publish.base import Attempt, Tool
from librarian.shared.targets import Remote
from librarian.system.host import environment, remove_tree, write_atomic
from librarian.system.processes import Answer

PUSHED = "refs/librarian/pushed"
FOUND = "refs/librarian/found"
AUTHOR = ("Librarian", "librarian@localhost")
BLOB, TREE = ("100644", "blob"), ("040000", "tree")
# What of git's environment tells how to reach a remote. The rest would lead it to another repository, to another
# author, or (GIT_TRACE_CURL) to print passwords.
_KEPT = re.compile(
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|EXEC_PATH|PROXY_COMMAND|PROXY_SSL_\w+|SSL_\w+|HTTP_\w+|ALLOW_PROTOCOL"
    r"|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))"
)
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.logAllRefUpdates": "false",
    "core.fsmonitor": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "push.gpgSign": "false",
    "push.followTags": "false",
    "push.recurseSubmodules": "no",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "transfer.unpackLimit": "1000000",  # objects stay loose, so that `git prune` alone bounds the repository
    "fetch.unpackLimit": "1000000",
    "protocol.ext.allow": "never",
    "pack.threads": "1",  # a login node belongs to everybody
}
# A publisher has nobody to ask. A connection that ssh keeps for later would hold our pipes open.
_SSH = (
    "ssh -o BatchMode=yes -o ControlMaster=no -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=3"
)
_HELPER = (
    '!f() { test "$1" = get || exit 0; '
    'printf \'username=%s\\npassword=%s\\n\' "$LIBRARIAN_GIT_USER" "$LIBRARIAN_GIT_PASSWORD"; }; f'
)


class ScratchError(LibrarianError):
    """The scratch repository is damaged."""


@dataclass(frozen=True)
class TreeEntry:
    """A row of a tree."""

    mode: str
    kind: str
    object: str


Tree = Mapping[str, TreeEntry]


@dataclass(frozen=True)
class Scratch:
    """The repository at `folder`, for one branch of one remote. `identity` is a private key for ssh, or ""."""

    folder: Path
    remote: Remote
    identity: str = ""
    tool: Tool = field(default_factory=Tool)

    @classmethod
    def at(cls, folder: Path, remote: Remote, identity: str = "") -> Scratch:
        """With the environment that git gets here.

        The credentials of an http address go to git by the environment, which only its owner can read: arguments show
        in the list of processes, and an address that is stored shows in files.
        """
        name, mail = AUTHOR
        outside = environment()
        env = {
            **{f"GIT_{role}_NAME": name for role in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{role}_EMAIL": mail for role in ("AUTHOR", "COMMITTER")},
            "GIT_TERMINAL_PROMPT": "0",
            "GCM_INTERACTIVE": "never",
            "SSH_ASKPASS": "",
            "GIT_DEFAULT_HASH": "sha1",
            "GIT_DEFAULT_REF_FORMAT": "files",
        }
        if remote.user is not None:
            env |= {"LIBRARIAN_GIT_USER": remote.user, "LIBRARIAN_GIT_PASSWORD": remote.password or ""}
        if identity:
            env["GIT_SSH_COMMAND"] = f"{_SSH} -o IdentitiesOnly=yes -i {shlex.quote(identity)}"
        unset = {key for key in outside if key.startswith("GIT_") and not _KEPT.fullmatch(key)}
        return cls(folder, remote, identity, Tool(env, frozenset(unset)))

    # running git

    def git(
        self, arguments: Sequence[str], attempt: Attempt, *, stdin: bytes | None = None, cwd: Path | None = None
    ) -> Answer:
        """Run a git command, whatever its exit status; dates of commits are those of the attempt."""
        dates = {f"GIT_{role}_DATE": f"{attempt.now} +0000" for role in ("AUTHOR", "COMMITTER")}
        settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        argv = ["git", f"--git-dir={self.folder}", *settings, *self._credentials(), *arguments]
        # what git keeps here is its owner's alone; a push to a folder writes into a repository that others may share
        umask = -1 if arguments[0] == "push" else 0o077
        return Tool({**self.tool.env, **dates}, self.tool.unset).run(argv, attempt, stdin=stdin, cwd=cwd, umask=umask)

    def reach(self, arguments: Sequence[str], attempt: Attempt) -> Answer:
        """Run a git command that speaks to the remote; ssh asks nothing, unless the user has set a command for it."""
        outside = {**environment(), **self.tool.env}
        if "GIT_SSH_COMMAND" in outside or "GIT_SSH" in outside or self._ssh_command(attempt):
            return self.git(arguments, attempt)
        patient = Scratch(
            self.folder, self.remote, self.identity, Tool({**self.tool.env, "GIT_SSH_COMMAND": _SSH}, self.tool.unset)
        )
        return patient.git(arguments, attempt)

    def refuses_force(self, attempt: Attempt) -> bool:
        """Whether the remote is known to refuse what is no fast-forward, as one of `git init --shared` does. Only a
        folder of this machine tells."""
        folder = self.remote.url.removeprefix("file://")
        if not folder.startswith("/"):
            return False
        asked = ["git", "-C", folder, "config", "--type=bool", "--get", "receive.denyNonFastForwards"]
        return self.tool.run(asked, attempt).text.strip() == "true"

    def _ssh_command(self, attempt: Attempt) -> str:
        if self.remote.url.startswith(("/", "file:", "http:", "https:")):
            return "not needed"
        return self.git(["config", "--get", "core.sshCommand"], attempt).text.strip()

    def _credentials(self) -> list[str]:
        if self.remote.user is None:
            return []
        scheme, _, rest = self.remote.url.partition("://")
        key = f"credential.{scheme}://{rest.partition('/')[0]}.helper"
        return ["-c", f"{key}=", "-c", f"{key}={_HELPER}"]

    def ask(
        self, arguments: Sequence[str], attempt: Attempt, *, stdin: bytes | None = None, cwd: Path | None = None
    ) -> Answer:
        """The answer of a command that speaks to nobody. Raises `ScratchError` when it fails."""
        answer = self.git(arguments, attempt, stdin=stdin, cwd=cwd)
        if answer.status != 0:
            raise ScratchError(f"git {arguments[0]} failed in {self.folder}", answer.stderr)
        return answer

    # the repository

    def prepare(self, attempt: Attempt) -> None:
        """Make the repository where there is none, and clear away what a run that was killed left in it."""
        if not (self.folder / "HEAD").is_file() or not (self.folder / "objects").is_dir():
            remove_tree(self.folder)
            self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.ask(["init", "--quiet", "--bare", "--template="], attempt)
        for lock in [*self.folder.glob("*.lock"), *(self.folder / "refs").rglob("*.lock")]:
            lock.unlink(missing_ok=True)
        self._forget_found()
        pushed = self.folder / PUSHED
        if pushed.is_file() and not pushed.read_bytes().strip():  # after a power cut
            pushed.unlink()

    def healthy(self, attempt: Attempt) -> bool:
        """Whether all objects are there and whole."""
        return self.git(["fsck", "--no-dangling", "--no-progress"], attempt).status == 0

    def tidy(self, attempt: Attempt) -> None:
        """Remove all objects but those of the commit that was pushed last: the repository does not grow."""
        self._forget_found()
        self.ask(["prune", "--expire=now"], attempt)

    def _forget_found(self) -> None:
        # refs are files here: nothing ever packs them
        self.mark_known(None)
        (self.folder / FOUND).unlink(missing_ok=True)

    def mark_known(self, commit: str | None) -> None:
        """Mark a commit as the edge of a shallow history, so that a push sends nothing of what it holds.

        git leaves out what the ancestors of a new commit hold, and ours has none. In a shallow repository it also
        leaves out what the commits hold that the other side has. Without a mark, each push would send all files again.
        """
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "shallow").unlink()
        if commit:
            write_atomic(self.folder / "shallow", f"{commit}\n".encode("ascii"), mode=0o600)

    def commit_of(self, ref: str, attempt: Attempt) -> str | None:
        """The commit that a ref of the repository names."""
        answer = self.git(["rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"], attempt)
        return answer.text.strip() if answer.status == 0 else None

    def remember(self, commit: str, attempt: Attempt) -> None:
        """Keep `commit` as the one that was pushed last."""
        self.ask(["update-ref", PUSHED, commit], attempt)

    def told(self, commit: str, attempt: Attempt) -> tuple[str, bool, int]:
        """The tree of a commit, whether it has parents, and its date as a UTC epoch."""
        # the object itself: `git log` hides the parents of a commit that was fetched alone
        head = self.ask(["cat-file", "commit", commit], attempt).text.partition("\n\n")[0].splitlines()
        facts = dict(line.split(" ", 1) for line in head if not line.startswith(" "))
        return facts["tree"], "parent" in facts, int(facts["committer"].split(" ")[-2])

    # objects

    def add_files(self, site: Path, names: Sequence[str], attempt: Attempt) -> dict[str, TreeEntry]:
        """Write files of the folder `site` as blobs."""
        if not all(name.isprintable() for name in names):
            raise LibrarianError("a file of the site has a name that cannot be published")
        text = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
        answer = self.ask(["hash-object", "-w", "--no-filters", "--stdin-paths"], attempt, stdin=text, cwd=site)
        found = answer.text.split()
        if len(found) != len(names):
            raise ScratchError(f"git hash-object answered {len(found)} times for {len(names)} files")
        return {name: TreeEntry(*BLOB, blob) for name, blob in zip(names, found, strict=True)}

    def add_blob(self, data: bytes, attempt: Attempt) -> TreeEntry:
        """Write a blob."""
        return TreeEntry(*BLOB, self.ask(["hash-object", "-w", "--stdin"], attempt, stdin=data).text.strip())

    def add_tree(self, tree: Tree, attempt: Attempt) -> TreeEntry:
        """Write a tree."""
        rows = (f"{row.mode} {row.kind} {row.object}\t{name}\0" for name, row in tree.items())
        data = "".join(rows).encode("utf-8", "surrogateescape")
        # --missing: a submodule's commit is not in this repository
        return TreeEntry(*TREE, self.ask(["mktree", "-z", "--missing"], attempt, stdin=data).text.strip())

    def tree_of(self, object_name: str, attempt: Attempt) -> dict[str, TreeEntry]:
        """The rows of a commit's or a tree's top folder."""
        answer = self.ask(["ls-tree", "-z", object_name], attempt)
        tree = {}
        for row in answer.stdout.decode("utf-8", "surrogateescape").split("\0"):
            facts, tab, name = row.partition("\t")
            if tab:
                tree[name] = TreeEntry(*facts.split(" "))
        return tree

    def folder_of(self, commit: str | None, directory: str, attempt: Attempt) -> dict[str, TreeEntry]:
        """The rows of a folder inside a commit; empty where there is none."""
        tree = self.tree_of(commit, attempt) if commit else {}
        for part in directory.split("/") if directory else ():
            row = tree.get(part)
            tree = self.tree_of(row.object, attempt) if row and row.kind == "tree" else {}
        return tree

    def graft(self, tree: Tree, parts: Sequence[str], content: Tree, attempt: Attempt) -> TreeEntry:
        """A copy of `tree` in which the folder `parts` is `content`, and all else stays."""
        if not parts:
            return self.add_tree(content, attempt)
        row = tree.get(parts[0])
        inner = self.tree_of(row.object, attempt) if row and row.kind == "tree" and len(parts) > 1 else {}
        return self.add_tree({**tree, parts[0]: self.graft(inner, parts[1:], content, attempt)}, attempt)

    def blob(self, entry: TreeEntry, attempt: Attempt) -> bytes:
        """The content of a blob."""
        return self.ask(["cat-file", "blob", entry.object], attempt).stdout
