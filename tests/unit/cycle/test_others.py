"""Very many users: those who hold least are told of as one, with their number; sums and the table stay exact."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from librarian.cycle import stages
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.privacy import leak_check
from librarian.shared import crowd
from librarian.shared.crowd import MOST
from librarian.slurm.command import Slurm
from tests.unit.cycles import AVERY, BASE, NOW, TWO_DAYS, configured, ended, leave_out_pictures
from tests.unit.runs import run_of

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "data.schema.json").read_text(encoding="utf-8"))
BEYOND = 3
SMALL = tuple(f"u{number:03d}" for number in range(MOST, MOST + BEYOND))


def name(number: int) -> str:
    return f"u{number:03d}"


def runs_of(users: int, names: dict[int, str] | None = None) -> list[Run]:
    """A run for each, the first ones with the most; the last one's runs still, as the first one's do."""
    named = [(names or {}).get(number, name(number)) for number in range(users)]
    over = [
        ended(number, user=user, alloc_tres=f"cpu={2 * users - number},mem=1G", req_tres="cpu=1")
        for number, user in enumerate(named)
    ]
    on = {"start": NOW - 600, "end": None, "state": "RUNNING"}
    going = [run_of(10_000 + number, user=named[number], **{**on, "alloc_tres": "cpu=1"}) for number in (0, -1)]
    waiting = run_of(20_000, user=named[-2], start=None, end=None, state="PENDING", alloc_tres="")
    return [*over, *going, waiting]


def site_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: list[Run], more: str = "") -> Path:
    """The site after a cycle."""
    leave_out_pictures(monkeypatch)
    setup = configured(tmp_path, f"{BASE}{TWO_DAYS}{AVERY}{more}")
    assert stages.run(setup, Slurm(runner=DemoSlurm(runs, now=NOW)), NOW) == []
    return setup.places.site


def data_of(site: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((site / "data_avery.json").read_bytes())
    jsonschema.validate(data, SCHEMA)
    return data


def table_of(site: Path) -> list[dict[str, str]]:
    text = gzip.decompress((site / "usage_avery.csv.gz").read_bytes()).decode()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.slow
def test_up_to_the_bound_everybody_has_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = data_of(site_of(tmp_path, monkeypatch, runs_of(MOST)))
    assert "others" not in data
    assert len(data["users"]) == MOST


@pytest.mark.slow
def test_beyond_the_bound_the_smallest_are_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = site_of(tmp_path, monkeypatch, runs_of(MOST + BEYOND))
    data = data_of(site)
    # who holds half of what is held now, and who alone waits, have rows
    gathered = {name(MOST - 2), name(MOST - 1), name(MOST)}
    assert data["others"]["name"] == "others"
    assert data["others"]["users"] == {
        "totals": BEYOND,
        "waits": BEYOND,
        "efficiency": BEYOND,
        f"months.{data['months'][-1]['month']}": BEYOND,
    }
    assert data["users"][-1] == "others"
    assert data["users"][0] == name(0)
    assert len(data["users"]) == MOST + 1
    assert gathered.isdisjoint(data["users"])
    assert all(set(rows) == set(data["users"]) for rows in data["observables"].values())
    assert data["colours"]["others"] == "#BBBBBB"
    assert set(data["now"]["users"]) == {name(0), SMALL[-1]}
    assert [row["user"] for row in data["queue"]["users"]] == [SMALL[-2]]
    assert "others" not in {change["user"] for change in data["weeks"]["changes"]}


@pytest.mark.slow
def test_sums_are_those_of_all_and_the_table_has_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = site_of(tmp_path, monkeypatch, runs_of(MOST + BEYOND))
    data, table = data_of(site), table_of(site)
    assert {row["user"] for row in table} == {name(number) for number in range(MOST + BEYOND)}
    for key in data["observables"]:
        hours = sum(float(row[key]) * int(row["seconds"]) / 3600 for row in table)
        assert data["totals"]["total"]["hours"][key] == pytest.approx(hours, rel=1e-6)
        assert sum(one["hours"][key] for one in data["totals"]["users"].values()) == pytest.approx(hours, rel=1e-6)
    gathered = [row for row in table if row["user"] in {name(MOST - 2), name(MOST - 1), name(MOST)}]
    hours = sum(float(row["NCPUS"]) * int(row["seconds"]) / 3600 for row in gathered)
    assert data["totals"]["users"]["others"]["hours"]["NCPUS"] == pytest.approx(hours, rel=1e-6)
    assert data["totals"]["users"]["others"]["ended"] == {"COMPLETED": BEYOND}
    assert data["totals"]["total"]["ended"] == {"COMPLETED": MOST + BEYOND}
    month = data["months"][-1]
    assert list(month["users"])[-1] == "others"
    total = sum(one["hours"]["NCPUS"] for one in month["users"].values())
    assert month["total"]["hours"]["NCPUS"] == pytest.approx(total, rel=1e-9)


@pytest.mark.slow
def test_the_plain_page_says_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (site_of(tmp_path, monkeypatch, runs_of(MOST + BEYOND)) / "plain.html").read_text(encoding="utf-8")
    assert f"{BEYOND} others" in page
    assert f"{MOST + BEYOND} users" in page
    assert f"{MOST + 1} users" not in page


@pytest.mark.slow
def test_a_user_who_is_called_others_is_somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = data_of(site_of(tmp_path, monkeypatch, runs_of(MOST + BEYOND, {1: "others"})))
    assert data["users"][1] == "others"
    assert data["others"]["name"] == data["users"][-1] == "others*"


@pytest.mark.slow
def test_others_are_those_of_privacy_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, hidden = runs_of(MOST + BEYOND), [name(1), name(2)]
    rules = f'[privacy]\nusers = "pseudonym"\nhide = {json.dumps(hidden)}\n'
    site = site_of(tmp_path, monkeypatch, runs, rules)
    data = data_of(site)
    assert data["others"]["name"] == data["users"][-1] == "others"
    assert len(data["users"]) == MOST, "those who are hidden took the place of one who would have a row"
    assert data["others"]["users"]["totals"] == 2 + 1, "those who are hidden count as one, as in the table"
    leak_check.check(site.iterdir(), {name(number) for number in range(MOST + BEYOND)})
    users = {row["user"] for row in table_of(site)}
    assert len(users) == MOST + BEYOND - 1
    assert "others" in users


def test_who_has_the_largest_share_of_anything_is_named() -> None:
    standing = {"totals": {"a": 0.5, "b": 0.3, "c": 0.2}, "queue": {"d": 1.0, "c": 0.0}}
    assert crowd.named(standing, 4) is None  # type: ignore[arg-type]  # plain texts are names here
    assert crowd.named(standing, 2) == {"d", "a"}  # type: ignore[arg-type]
    others = crowd.others_of(standing, {"d", "a"}, crowd.free_name(Counter(["others", "others*"])))  # type: ignore[arg-type]
    assert others == crowd.Others("others**", {"totals": 2, "queue": 1})  # type: ignore[arg-type]
