"""What a subject is: something that the page tells, from its question to Slurm to its place on the page.

A subject is a folder. A class of its own says what the cycle may ask of it; each method is optional, and the cycle
calls them for all of `listed.SUBJECTS` in their order, each failing alone:

    collect   ask Slurm, and keep the answer in the store
    read      from the store to facts: values in which names are types of their own (`shared.names`), or which know
              how to rename themselves
    together  what facts of one QoS take from those of others
    standing  who holds so little that there is no row for them, where there are very many users
    build     from facts, by the names that readers see, to the section of the report
    to_json   the section's fields of the QoS's JSON; whatever shows them reads them there
    plain     its parts of the page without a script, from the JSON
    glance    its parts of the first screen, from the JSON
    draw      its pictures
    tidy      what is dropped from the store once a day
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from librarian.errors import LibrarianError, Trouble
from librarian.render.html.parts import Part, Shown
from librarian.shared.crowd import Standing
from librarian.shared.names import UserName
from librarian.shared.report import Report, Section, Staleness
from librarian.shared.scope import Watched
from librarian.shared.window import Window

if TYPE_CHECKING:
    from librarian.shared.scope import Scope
    from librarian.slurm.command import Slurm
    from librarian.store import Store

__all__ = [
    "ACCOUNTING",
    "CONTROLLER",
    "NEVER",
    "Asked",
    "Asking",
    "Data",
    "Facts",
    "Ground",
    "Json",
    "Problems",
    "Reading",
    "Subject",
    "Tidying",
    "Watched",
]

Json = dict[str, object]
Data = Mapping[str, Any]
Problems = list[LibrarianError]
Kind = TypeVar("Kind")
ACCOUNTING = "slurmdbd"  # the daemon that sacct and sacctmgr ask
CONTROLLER = "slurmctld"  # the one that squeue asks
NEVER = 2**62  # a time that does not come


@dataclass(frozen=True)
class Asking:
    """One round of questions to Slurm at `now`, for windows that begin at `begin` (both UTC epochs); `full`: whatever
    is known already. With `count_runaways` runs count as running that accounting has open and Slurm does not run.

    `options` are what the configuration says to subjects, by their keys.
    Whoever gets no answer notes in `silent` which daemon that was, and what was told of it; who then asks it nothing,
    since that would wait as long, notes its key in `skipped`. What subjects hand to those after them, and nobody keeps,
    goes through `shared`.
    """

    slurm: Slurm
    store: Store
    now: int
    cluster: str
    watched: tuple[Watched, ...]
    begin: int
    full: bool = False
    count_runaways: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    silent: dict[str, LibrarianError] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    shared: dict[type, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ground:
    """From when the data of a QoS are: complete at `as_of` (UTC epoch; None: nothing was collected yet), and since when
    they are old. `reason` is why there is nothing newer."""

    as_of: int | None
    staleness: Staleness
    reason: Trouble


@dataclass(frozen=True)
class Asked:
    """How asking for a QoS has fared: the last question and the last complete answer (UTC epochs), what it took, and
    the reasons of rows that were left out, a row each; `runaways` is how many runs accounting has open that Slurm does
    not run. `error` is for the operator, `trouble` for all."""

    last_try: int | None
    complete_at: int | None
    seconds: float | None
    error: str | None
    rows: int | None
    rejects: tuple[str, ...] = ()
    trouble: Trouble | None = None
    runaways: int = 0


class Facts:
    """What subjects know of one QoS, by type."""

    def __init__(self, by_key: Mapping[str, object] | None = None) -> None:
        self.by_key: dict[str, object] = dict(by_key or {})

    def get(self, kind: type[Kind]) -> Kind | None:
        """Those of this type; None where they are missing."""
        return next((facts for facts in self.by_key.values() if isinstance(facts, kind)), None)

    def __getitem__(self, kind: type[Kind]) -> Kind:
        """Those of this type. Raises `KeyError` where they are missing."""
        found = self.get(kind)
        if found is None:
            raise KeyError(kind.__name__)
        return found


@dataclass(frozen=True)
class Reading:
    """What a subject reads its facts of one QoS from.

    `facts` are those of the subjects before it, `window` the time axis of the report, `reader` the user who asks.
    `options` are what the configuration says to subjects, by their keys. What subjects hand to those after them, and
    nobody keeps, goes through `shared`.
    """

    store: Store
    watched: Watched
    window: Window
    facts: Facts = field(default_factory=Facts)
    reader: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    shared: dict[type, Any] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """The runs that are meant."""
        return self.watched.scope


@dataclass(frozen=True)
class Tidying:
    """What is kept of runs that ended before `before` (UTC epoch) is no longer needed, if what they came to is written
    down: `written` tells up to when all of a scope is."""

    store: Store
    watched: tuple[Watched, ...]
    before: int
    written: Callable[[Scope], int]


class Subject:
    """What the cycle may ask of a subject. The methods here are those of one that has nothing to say."""

    key: ClassVar[str]
    fleeting: ClassVar[bool] = False
    """What it asks for Slurm tells of this moment alone: a backfill keeps it up to date too."""
    needed: ClassVar[bool] = False
    """Without its facts there is nothing to show of a QoS."""
    fields: ClassVar[tuple[str, ...]] = ()
    """The fields of the JSON that are the subject's: they are taken from the last site where it fails."""
    first: ClassVar[tuple[str, ...]] = ()
    """Those of them that the page's script needs for the first screen; the others come when a QoS is opened."""

    @property
    def heading(self) -> str:
        """What its section of a page is called."""
        return self.key.capitalize()

    def collect(self, asking: Asking) -> Problems:
        """Ask Slurm and keep the answer; returns what failed. Raises `StoreError`."""
        return []

    def ground(self, store: Store, watched: Watched) -> Ground | None:
        """From when the data of a QoS are; None where another subject tells that."""
        return None

    def read(self, reading: Reading) -> object | None:
        """The facts of a QoS; None where there are none. What is final of them may be kept. Raises `StoreError`."""
        return None

    def together(self, store: Store, every: Mapping[str, Facts], options: Mapping[str, Any]) -> Mapping[str, object]:
        """The subject's facts that are others when those of all QoS are known, by QoS. Raises `StoreError`."""
        return {}

    def asked(self, store: Store, watched: Watched) -> Asked | None:
        """How asking Slurm for a QoS has fared, for the status; None where another subject tells that."""
        return None

    def people(self, store: Store) -> frozenset[str]:
        """Users who were ever told of, beside those in the facts."""
        return frozenset()

    def weights(self, facts: Facts) -> Mapping[UserName, float]:
        """How much each user counts when users are ranked: a share of 0 to 1."""
        return {}

    def standing(self, facts: Facts) -> Standing:
        """Everybody whom it tells of, by table: who has the smallest shares has no row where there are very many."""
        return {}

    def build(self, facts: Facts, report: Report) -> Section | None:
        """The section, from renamed facts; `report` has the sections of the subjects before this one."""
        return None

    def to_json(self, report: Report) -> Json:
        """The fields of the JSON, from a report that has the section."""
        return {}

    def csv(self, report: Report, facts: Facts) -> bytes | None:
        """The table of the QoS that lies beside its JSON, compressed; `facts` are of everybody, as readers may see
        them, also where the report has some as others."""
        return None

    def pieces(self, report: Report) -> Mapping[str, Callable[[], bytes]]:
        """Files beside the JSON that the page loads when they are asked for: what makes each, by its name. Another
        content has another name, so one of that name which the last site has is the same."""
        return {}

    def kept_pieces(self, data: Data) -> list[str]:
        """The names of these in the JSON of a QoS."""
        return []

    def plain(self, data: Data, zone: str) -> Iterable[Part]:
        """Parts of its section of the plain page, from the JSON of a QoS, without what `glance` tells; times are those
        of `zone`."""
        return ()

    def glance(self, data: Data, zone: str) -> Iterable[Part]:
        """Parts of the first screen, which answer what most come for: a small table, or a few sentences."""
        return ()

    def charts(self) -> Mapping[str, str]:
        """Live charts on the page: titles by key."""
        return {}

    def pictures(self) -> Mapping[str, str]:
        """Titles of the subject's pictures by their names, in their order."""
        return {}

    def inputs(self, report: Report, name: str) -> object:
        """All that the picture `name` shows, but for what every picture shows: equal values, equal pictures."""
        return None

    def settled(self, report: Report, name: str) -> object:
        """The same without what the bin that is not over tells: while it stays, the picture may be up to a bin old."""
        return self.inputs(report, name)

    def draw(self, report: Report, name: str) -> Any:
        """The picture `name`, as a figure of matplotlib's."""
        raise NotImplementedError(name)

    def describe(self, data: Data, name: str, zone: str) -> Shown:
        """What the picture `name` shows, in words, from the JSON of a QoS."""
        return Shown(self.pictures()[name])

    def written(self, store: Store, scope: Scope) -> int:
        """Up to when (UTC epoch) what runs came to is written down for good, as far as this subject needs them."""
        return NEVER

    def tidy(self, tidying: Tidying) -> int:
        """Drop what is no longer needed; returns how many rows that was."""
        return 0
