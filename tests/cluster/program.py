"""The program as a user of the cluster runs it: a folder of files and `python3 -m librarian`, nothing installed."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.cluster.client import Cluster, Ran
from tests.patience import CEILING

Json = dict[str, Any]
ZONE = "US/Eastern"
# A machine with much to do is no reason for a run to leave a stage unfinished.
LIMITLESS = """[run]
time_limit_seconds = 86400
collect_seconds = 86400
render_seconds = 86400
publish_seconds = 86400
"""


def configuration(qos: Sequence[str], more: str = "") -> str:
    """A configuration for these QoS, with titles that would be markup; state and site are in its folder."""
    tables = "".join(f'\n[[qos]]\nname = "{name}"\ntitle = "Group <{name}>"\n' for name in qos)
    paths = '[paths]\nstate = "state"\nsite = "site"\n[privacy]\naccounts = true\n'
    limits = "" if "[run]" in more else LIMITLESS
    return f'[cluster]\nname = "hpg"\ntimezone = "{ZONE}"\n\n{paths}{limits}{tables}{more}'


@dataclass
class Program:
    """Librarian for one user, with one configuration; all it keeps is in the folder `place` in the cluster."""

    cluster: Cluster
    user: str
    place: str
    source: str = "/opt/librarian"
    """The folder of the program in the cluster."""

    @property
    def config(self) -> str:
        return f"{self.place}/librarian.toml"

    def configure(self, qos: Sequence[str], more: str = "") -> None:
        """Write the configuration."""
        self.cluster.run(self.user, "mkdir", "-p", self.place)
        self.cluster.run(self.user, "tee", self.config, text=configuration(qos, more))

    def begin(self) -> None:
        """Begin as a user does, with `init`; state and site in the same folder, and a page that looks often."""
        self.cluster.run(self.user, "mkdir", "-p", self.place)
        self.plain("--config", self.config, "init", folder=self.place)
        text = self.cluster.run(self.user, "cat", self.config).stdout
        text = text.replace("\n[paths]\n", '\n[paths]\nstate = "state"\nsite = "site"\n')
        text = text.replace("\n[report]\n", "\n[report]\nrefresh_seconds = 10\n")
        self.cluster.run(self.user, "tee", self.config, text=text)

    def run(self, *arguments: str, check: bool = True, ceiling: float = CEILING) -> Ran:
        """Run `librarian --config … ARGUMENTS`; with `check` a status other than 0 fails with what it said."""
        return self.plain("--config", self.config, *arguments, check=check, ceiling=ceiling)

    def plain(self, *arguments: str, check: bool = True, folder: str = "", ceiling: float = CEILING) -> Ran:
        """Run `librarian ARGUMENTS` in `folder`."""
        command = ("env", f"PYTHONPATH={self.source}", "python3", "-m", "librarian", *arguments)
        return self.cluster.run(self.user, *command, check=check, folder=folder, ceiling=ceiling)

    def file(self, name: str) -> bytes:
        """A file of the site."""
        return (self.cluster.root / self.place.lstrip("/") / "site" / name).read_bytes()

    def index(self) -> Json:
        """The site's index.json."""
        index: Json = json.loads(self.file("index.json"))
        return index

    def entry(self, qos: str) -> Json:
        """The row of a QoS in the index."""
        found: list[Json] = [entry for entry in self.index()["qos"] if entry["name"] == qos]
        assert len(found) == 1, f"{qos} is in index.json {len(found)} times"
        return found[0]

    def data(self, qos: str) -> Json:
        """The data of a QoS, by the name that the index gives."""
        data: Json = json.loads(self.file(self.entry(qos)["data"]))
        return data

    def table(self, qos: str) -> list[dict[str, str]]:
        """The rows of a QoS's table, by the name that the index gives."""
        text = gzip.decompress(self.file(self.entry(qos)["csv"])).decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))
