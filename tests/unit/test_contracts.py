"""The contracts on imports hold, and each is seen to fail: on the house's own imports with a wrong one added."""

from __future__ import annotations

import copy
from typing import Any

import grimp
import pytest
import tomli
from grimp import ImportGraph
from importlinter import configuration
from importlinter.contracts import forbidden, independence, layers, protected
from importlinter.domain.contract import Contract

from tests.places import ROOT

PROJECT = ROOT / "pyproject.toml"
KINDS: dict[str, type[Contract]] = {
    "layers": layers.LayersContract,
    "forbidden": forbidden.ForbiddenContract,
    "independence": independence.IndependenceContract,
    "protected": protected.ProtectedContract,
}
# For each contract an import that it must not let pass: who imports what.
WRONG = {
    "Each room imports only from rooms below its own": ("librarian.store.database", "librarian.subjects.jobs.keep"),
    "A subject imports those before it, never those after it": (
        "librarian.subjects.usage.bins",
        "librarian.subjects.limits.pressure",
    ),
    "The cycle goes through the list of subjects and knows none by name": (
        "librarian.cycle.stages",
        "librarian.subjects.queue.section",
    ),
    "The floors of config": ("librarian.config.keys", "librarian.config.setup"),
    "Pure rooms import no clock, environment, commands, network or database": ("librarian.shared.window", "time"),
    "In a subject only its questions and what it keeps meet the world": (
        "librarian.subjects.queue.model",
        "librarian.system.host",
    ),
    "The doors to the world know nothing but errors": ("librarian.system.host", "pandas"),
    "The watchdog and the status work when the heavy parts do not": ("librarian.scrontab.watchdog", "pandas"),
    "Limits and the queue of this moment are told without heavy parts": ("librarian.subjects.queue.table", "pandas"),
    "The configuration is handed on in parts: those who go through all of it are the doors, the cycle and the doctor": (
        "librarian.publish.delivery",
        "librarian.config.setup",
    ),
    "Campaigns submit jobs: apart from the reporter, without the configuration and heavy parts": (
        "librarian.campaigns.folder",
        "librarian.config.setup",
    ),
    "Publishers know a finished site, not how it is made": ("librarian.publish.folder", "librarian.store"),
    "Commands are run by processes alone": ("librarian.slurm.command", "subprocess"),
    "Matplotlib stays in the rooms that draw": ("librarian.subjects.usage.section", "matplotlib"),
    "Templates are filled in one place": ("librarian.subjects.usage.plain", "jinja2"),
    "The database is opened by the store alone": ("librarian.subjects.jobs.keep", "sqlite3"),
}


@pytest.fixture(scope="module")
def graph() -> ImportGraph:
    configuration.configure()
    return grimp.build_graph("librarian", include_external_packages=True)


def contracts() -> dict[str, dict[str, Any]]:
    found = tomli.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    return {one["name"]: one for one in found}


def is_kept(name: str, graph: ImportGraph) -> bool:
    options = contracts()[name]
    session = {"root_packages": ["librarian"], "include_external_packages": True}
    own = {key: str(value) if isinstance(value, bool) else value for key, value in options.items()}
    contract = KINDS[options["type"]](name, session, {k: v for k, v in own.items() if k not in ("name", "type")})
    return bool(contract.check(copy.deepcopy(graph), verbose=False).kept)


def test_every_contract_has_a_wrong_import_here() -> None:
    assert set(WRONG) == set(contracts())


@pytest.mark.parametrize("name", WRONG)
def test_a_contract_holds_and_a_wrong_import_breaks_it(name: str, graph: ImportGraph) -> None:
    importer, imported = WRONG[name]
    assert is_kept(name, graph)
    assert importer in graph.modules
    if imported not in graph.modules:
        graph.add_module(imported, is_squashed=True)
    assert not graph.direct_import_exists(importer=importer, imported=imported)
    graph.add_import(importer=importer, imported=imported, line_number=1, line_contents="import")
    try:
        assert not is_kept(name, graph)
    finally:
        graph.remove_import(importer=importer, imported=imported)
