"""A house with one resource and one subject more: `python -m tests.unit.made_up FOLDER` runs a cycle of it there.

The resource is one row of the table, the subject one class and one line in the list. Nothing else is changed, so this
must be a process of its own: whatever reads the table or the list does so from the start.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from librarian.shared import resources

LICENCES = resources.Observable(
    *("LICENCES", "Licences", "licences", "licence-hours", "license/matlab"),
    lambda counts: counts.get("license/matlab", 0.0),
    one="licence",
)
resources.OBSERVABLES = (*resources.OBSERVABLES, LICENCES)

from librarian.demo.slurm import DemoSlurm  # noqa: E402 (the row comes first)
from librarian.render.html.parts import Part  # noqa: E402
from librarian.shared.names import UserName  # noqa: E402
from librarian.shared.report import Report, Section  # noqa: E402
from librarian.slurm.command import Slurm  # noqa: E402
from librarian.subjects import listed  # noqa: E402
from librarian.subjects.subject import Asking, Data, Facts, Json, Problems, Reading, Subject  # noqa: E402
from librarian.system.processes import Answer  # noqa: E402


@dataclass(frozen=True)
class WeatherFacts:
    """What the weather is, and who told."""

    words: str
    told_by: UserName


@dataclass(frozen=True)
class WeatherSection(Section):
    """The same, by the names that readers see."""

    words: str
    told_by: UserName


class Weather(Subject):
    """The weather over the cluster."""

    key = "weather"
    fields = ("weather",)

    def collect(self, asking: Asking) -> Problems:
        """One question a cycle."""
        asking.store.know("weather", asking.slurm.run("weather", ["--now"]).text.strip(), asking.now)
        return []

    def read(self, reading: Reading) -> WeatherFacts:
        """What was told last."""
        return WeatherFacts(reading.store.fact("weather"), UserName("alice"))

    def build(self, facts: Facts, report: Report) -> WeatherSection:
        """The section."""
        return WeatherSection(facts[WeatherFacts].words, facts[WeatherFacts].told_by)

    def to_json(self, report: Report) -> Json:
        """One field."""
        section = report[WeatherSection]
        return {"weather": f"{section.told_by} says: {section.words}"}

    def plain(self, data: Data, zone: str) -> Iterable[Part]:
        """A sentence."""
        yield Part("", sentences=(data["weather"],))


listed.SUBJECTS = (*listed.SUBJECTS, Weather())

from librarian.cycle import stages  # noqa: E402
from librarian.site import assets  # noqa: E402
from tests.unit.cycles import AVERY, BASE, NOW, TWO_DAYS, configured, ended  # noqa: E402

HELD = "cpu=4,mem=1G,license/matlab=3"
RUNS = [ended(1, alloc_tres=HELD), ended(2, user="bob", alloc_tres=HELD, end=NOW + 9999)]
PRIVACY = '[privacy]\nusers = "alias"\naliases = { alice = "Al", bob = "Bo" }\n'
MODULE = """
import { element, fill } from "../../common/dom.js";

/** @type {Subject} */
export const weatherSubject = {
  key: "weather",
  prepare({ data }) {
    const words = data.weather;
    return words ? (place) => fill(place("weather"), element("p", {}, words)) : null;
  },
};
"""


def slurm(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
    """The demo's Slurm, which knows the weather too."""
    if argv[0] == "weather":
        return Answer(0, b"it rains\n", "")
    return DemoSlurm(RUNS, now=NOW, user="alice")(argv, timeout=timeout, env=env)


def with_module(dashboard: dict[str, str]) -> dict[str, str]:
    """The page's modules with one folder more, and a line in their list."""
    line = 'import { weatherSubject } from "./weather/subject.js";\n'
    index = line + re.sub(r"(monthsSubject),?(\s*\];)", r"\1, weatherSubject\2", dashboard["subjects/index.js"])
    return dashboard | {"subjects/index.js": index, "subjects/weather/subject.js": MODULE}


def main(folder: Path) -> None:
    """One cycle, after which the site is in `folder`/site."""
    modules = with_module(assets.dashboard())
    assets.dashboard = lambda: modules
    setup = configured(folder, f"{BASE}{TWO_DAYS}{AVERY}{PRIVACY}")
    setup = replace(setup, config=replace(setup.config, publish=()))
    problems = stages.run(setup, Slurm(runner=slurm), NOW)
    if problems:
        raise problems[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
