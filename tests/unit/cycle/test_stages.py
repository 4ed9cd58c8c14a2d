"""A whole run, on a made-up Slurm: what is left on disk, and what a failure leaves alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from librarian.config.setup import Setup
from librarian.cycle import pictures, stages
from librarian.demo import site as demo_site
from librarian.demo.slurm import DemoSlurm
from librarian.errors import LibrarianError, PublishError
from librarian.publish import delivery
from librarian.shared.window import DAY
from librarian.slurm.command import Slurm
from librarian.store import opened
from librarian.subjects.jobs import collect
from librarian.subjects.usage.keep import Hours
from librarian.system.host import user_name
from librarian.system.processes import Answer
from tests.unit.cycles import AVERY, AVERY_B, BASE, NOW, TWO_DAYS, WEB, configured, ended, leave_out_pictures
from tests.unit.rendering import PICTURES

CONFIG = f'{BASE}{TWO_DAYS}{AVERY}title = "Avery group"\n{AVERY_B}{WEB}'


RUNS = [ended(1), ended(2, user="bob"), ended(3, qos="avery-b", alloc_tres="cpu=64"), ended(4, end=NOW + 9999)]


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that do not look at the pictures need not wait for them."""
    if "real_pictures" not in request.fixturenames:
        leave_out_pictures(monkeypatch)


@pytest.fixture
def real_pictures() -> None:
    """Asks for pictures as they are."""


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return configured(tmp_path, CONFIG)


@pytest.fixture
def slurm() -> DemoSlurm:
    return DemoSlurm(RUNS, now=NOW, user="alice")


def cycle(setup: Setup, slurm: Callable[..., Answer], now: int = NOW) -> list[LibrarianError]:
    if isinstance(slurm, DemoSlurm):
        slurm.now = now
    return stages.run(setup, Slurm(runner=slurm), now)


def data(setup: Setup, name: str = "data_avery.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((setup.places.site / name).read_text())
    return found


def limits(setup: Setup, key: str = "NCPUS") -> list[tuple[str, float | None, str]]:
    """The limit as it was in the window, a change at a time."""
    found = data(setup)["limits"][key]
    assert (found["kind"], found["value"]) == (found["history"][-1]["kind"], found["history"][-1]["value"])
    return [(step["kind"], step["value"], step["source"]) for step in found["history"]]


def broken(only: str = "") -> Callable[..., Answer]:
    """A Slurm that fails, or fails for one QoS alone."""
    inner = DemoSlurm(RUNS, now=NOW + 600, user="alice")

    def answer(argv: list[str], *, timeout: float, env: dict[str, str]) -> Answer:
        if argv[0].endswith("sacct") and (not only or f"--qos={only}" in argv):
            return Answer(1, b"", "sacct: error: slurmdbd is down")
        return inner(argv, timeout=timeout, env=env)

    return answer


def test_a_run_leaves_a_whole_site_and_a_published_copy(setup: Setup, slurm: DemoSlurm, real_pictures: None) -> None:
    assert cycle(setup, slurm) == []
    files = {path.name for path in setup.places.site.iterdir()}
    pictures = {f"{n}_{q}.{e}" for n in PICTURES for q in ("avery", "avery-b") for e in ("png", "pdf")}
    assert pictures <= files
    assert {"index.html", "index.json", "data_avery.json", "data_avery-b.json", "usage_avery.csv.gz"} <= files
    assert {path.name for path in (setup.places.base / "web").iterdir()} == files
    found = data(setup)
    assert found["now"]["users"]["alice"]["NCPUS"] == 4
    assert found["totals"]["users"]["alice"]["hours"]["NCPUS"] == 4 * 3600 / 3600 + 4 * 7200 / 3600
    assert found["totals"]["users"]["bob"]["ended"] == {"COMPLETED": 1}
    assert limits(setup) == [("limit", 430, "GrpTRES cpu")]
    assert data(setup, "data_avery-b.json")["thresholds"]["NGPUS"] == 0


def test_a_second_run_changes_only_what_goes_on(setup: Setup, slurm: DemoSlurm) -> None:
    cycle(setup, slurm)
    before = data(setup)
    cycle(setup, slurm, NOW + 60)
    after = data(setup)
    assert after["totals"]["users"]["bob"] == before["totals"]["users"]["bob"]
    assert after["totals"]["users"]["alice"]["hours"]["NCPUS"] == pytest.approx(
        before["totals"]["users"]["alice"]["hours"]["NCPUS"] + 4 * 60 / 3600
    )


def test_when_slurm_fails_old_data_stay_and_are_called_old(setup: Setup, slurm: DemoSlurm) -> None:
    cycle(setup, slurm)
    before = data(setup)
    problems = cycle(setup, broken(), NOW + 600)
    assert [problem.exit_status for problem in problems] == [3, 3]
    assert "QoS avery: sacct failed" in str(problems[0])
    after = data(setup)
    assert after["staleness"]["stale"]
    assert after["staleness"]["since"] == NOW
    assert "slurmdbd is down" in after["staleness"]["reason"]
    changed = ("staleness", "metadata", "queue", "waiting")  # the queue is another daemon's, and is known
    assert (after["queue"]["at"], after["queue"]["error"]) == (NOW + 600, None)
    assert {k: v for k, v in after.items() if k not in changed} == {k: v for k, v in before.items() if k not in changed}
    assert cycle(setup, slurm, NOW + 1200) == []
    assert not data(setup)["staleness"]["stale"]


def test_one_failing_qos_does_not_stop_the_other(setup: Setup, slurm: DemoSlurm) -> None:
    cycle(setup, slurm)
    problems = cycle(setup, broken("avery-b"), NOW + 600)
    assert len(problems) == 1
    assert data(setup)["metadata"]["last_updated_epoch"] == NOW + 600
    assert not data(setup)["staleness"]["stale"]
    assert data(setup, "data_avery-b.json")["staleness"]["since"] == NOW


def test_before_the_first_answer_the_page_says_why(setup: Setup) -> None:
    cycle(setup, broken())
    index = data(setup, "index.json")
    assert [entry["data"] for entry in index["qos"]] == [None, None]
    assert "slurmdbd is down" in index["qos"][0]["reason"]
    assert "slurmdbd is down" in (setup.places.site / "index.html").read_text()


def test_a_damaged_store_is_set_aside_and_built_again(setup: Setup, slurm: DemoSlurm) -> None:
    cycle(setup, slurm)
    before = data(setup)["totals"]
    setup.places.store.write_bytes(b"garbage" * 1000)
    assert cycle(setup, slurm) == []
    assert data(setup)["totals"] == before
    assert len(list(setup.places.state.glob("demo.sqlite.damaged-*"))) == 1


def test_without_store_and_slurm_the_last_site_is_carried_over(setup: Setup, slurm: DemoSlurm) -> None:
    cycle(setup, slurm)
    before = data(setup)
    picture = (setup.places.site / "NCPUS_avery.png").read_bytes()
    setup.places.store.unlink()
    cycle(setup, broken(), NOW + 600)
    after = data(setup)
    assert after["totals"] == before["totals"]
    assert (after["staleness"]["stale"], after["staleness"]["since"]) == (True, NOW)
    assert (setup.places.site / "NCPUS_avery.png").read_bytes() == picture
    entry = data(setup, "index.json")["qos"][0]
    assert (entry["data"], entry["stale"], entry["last_updated"]) == ("data_avery.json", True, NOW)


def test_files_that_were_lost_are_not_named(setup: Setup, slurm: DemoSlurm) -> None:
    cycle(setup, slurm)
    for name in ("usage_avery.csv.gz", "NCPUS_avery.png", "NGPUS_avery.png", "NGPUS_avery.pdf", "overview_avery.png"):
        (setup.places.site / name).unlink()
    setup.places.store.unlink()
    cycle(setup, broken(), NOW + 600)
    entry = data(setup, "index.json")["qos"][0]
    assert (entry["data"], entry["csv"]) == ("data_avery.json", None)
    assert entry["figures"]["NCPUS"] == {"pdf": "NCPUS_avery.pdf"}
    assert "NGPUS" not in entry["figures"]
    there = {path.name for path in setup.places.site.iterdir()}
    for page in ("index.html", "plain.html"):
        text = (setup.places.site / page).read_text()
        linked = {name for name in re.findall(r'(?:src|href)="([^"#:]+)"', text)}
        assert "data_avery.json" in linked
        assert linked <= there


def test_pictures_that_fail_leave_the_last_ones(
    setup: Setup, slurm: DemoSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycle(setup, slurm)
    real = pictures._drawn

    def drawn(report: Any, *others: Any) -> Any:
        if report.header.qos == "avery":
            raise RuntimeError("no font")
        return real(report, *others)

    monkeypatch.setattr(pictures, "_drawn", drawn)
    problems = cycle(setup, slurm, NOW + 600)
    assert ["could not be drawn" in str(problem) for problem in problems] == [True]
    assert data(setup)["staleness"]["since"] == NOW
    assert data(setup, "data_avery-b.json")["metadata"]["last_updated_epoch"] == NOW + 600


def test_one_dead_publisher_does_not_stop_the_run(setup: Setup, slurm: DemoSlurm) -> None:
    (setup.places.base / "web").write_text("not a folder")
    problems = cycle(setup, slurm)
    assert [problem.exit_status for problem in problems] == [6]
    assert (setup.places.site / "index.html").is_file()


def test_a_check_of_the_site_comes_before_any_publisher(setup: Setup, slurm: DemoSlurm) -> None:
    cycle(setup, slurm)
    before = (setup.places.base / "web" / "index.json").read_bytes()
    assert [known.state for known in delivery.read(setup.places.deliveries)] == ["done"]
    stages.render(setup, NOW + 600)

    def refuse(site: Path) -> None:
        raise PublishError(f"{len(list(site.iterdir())) > 10}: a name is there")

    problems = stages.publish(setup, NOW + 600, [refuse])
    assert [str(problem) for problem in problems] == ["True: a name is there"]
    assert (setup.places.base / "web" / "index.json").read_bytes() == before
    (known,) = delivery.read(setup.places.deliveries)
    assert (known.state, known.last_try, known.last_success) == ("failed", NOW + 600, NOW)


def test_hourly_usage_is_kept(setup: Setup, slurm: DemoSlurm) -> None:
    cycle(setup, slurm)
    where = setup.config.scope(setup.config.qos[0])
    with opened(setup.places.store, setup.config.cluster.name) as store:
        rows = Hours(store).usage(where, NOW - DAY, NOW)
    cpu = rows[(rows["observable"] == "NCPUS") & (rows["user"] == "bob")]
    assert cpu["amount"].sum() == 4 * 3600


def test_hidden_jobs_and_untracked_gpus_are_said(setup: Setup) -> None:
    cycle(setup, DemoSlurm(RUNS, now=NOW, user="root", private=True, tracked=False))
    kinds = {note["kind"] for note in data(setup)["notes"]}
    assert kinds == {"private_data", "gpus_untracked"}
    assert data(setup)["untracked"] == ["NGPUS"]


def test_where_slurm_does_not_tell_what_it_hides_nobody_else_s_jobs_are_a_doubt(setup: Setup) -> None:
    me = user_name()
    cycle(setup, DemoSlurm([replace(run, user=me) for run in RUNS], now=NOW))
    assert not data(setup)["notes"]
    with opened(setup.places.store, setup.config.cluster.name) as store:
        store.know(collect.PRIVATE, ["untold"], NOW)
    stages.render(setup, NOW)
    (note,) = data(setup)["notes"]
    assert note["kind"] == "private_data"
    assert "may hide" in note["text"]


def test_overrides_and_filters(setup: Setup, slurm: DemoSlurm) -> None:
    text = CONFIG.replace('title = "Avery group"', 'accounts = ["b"]\n[qos.limits]\ncpu = 0\njobs = 3')
    setup = configured(setup.places.base, text)
    slurm.runs = [*RUNS, ended(9, account="b", user="zoe")]
    assert cycle(setup, slurm) == []
    found = data(setup)
    assert found["users"] == ["zoe"]
    assert limits(setup) == [("limit", 0, "configuration")]
    assert found["limits"]["NJOBS"]["value"] == 3
    assert found["limits"]["BILLING"]["kind"] == "none"


def test_limits_are_shown_as_they_were(setup: Setup) -> None:
    def lowered(**texts: str) -> DemoSlurm:
        return DemoSlurm(RUNS, now=NOW, user="alice", limits={"avery": (texts["tres"], ""), "avery-b": ("", "")})

    cycle(setup, lowered(tres="cpu=400"))
    cycle(setup, lowered(tres="cpu=430"), NOW + 600)
    cycle(setup, lambda *_, **__: Answer(1, b"", "slurmdbd is down"), NOW + 1200)
    assert limits(setup) == [("limit", 400, "GrpTRES cpu"), ("limit", 430, "GrpTRES cpu")]
    cycle(setup, lowered(tres="cpu=430"), NOW + 1800)
    changed = configured(setup.places.base, CONFIG.replace('title = "Avery group"', "[qos.limits]\ncpu = 8"))
    cycle(changed, lowered(tres="cpu=430"), NOW + 2400)
    cycle(setup, lowered(tres="mem=4G"), NOW + 3000)
    history = data(setup)["limits"]["NCPUS"]["history"]
    assert limits(setup)[2:] == [("limit", 8, "configuration"), ("none", None, "GrpTRES cpu")]
    assert [step["from"] for step in history] == [data(setup)["edges"][0], NOW + 600, NOW + 2400, NOW + 3000]
    later = NOW + 3 * DAY
    cycle(setup, lowered(tres="mem=4G"), later)
    assert limits(setup) == [("none", None, "GrpTRES cpu")], "what is over before the window is told no more"


def test_the_demo_shows_a_change_of_a_limit(tmp_path: Path) -> None:
    assert demo_site.write(tmp_path / "site", tmp_path / "state", NOW, {}) == []
    found = json.loads((tmp_path / "site" / "data_avery.json").read_text())
    assert len({step["value"] for step in found["limits"]["NGPUS"]["history"]}) == 2
    assert [step["from"] for step in found["limits"]["NCPUS"]["history"]] == [found["edges"][0]]


def test_hostile_names_reach_no_path(setup: Setup, tmp_path: Path) -> None:
    name = "../../etc/<script>"
    text = CONFIG.replace('name = "avery"', f'name = "{name}"')
    setup = configured(tmp_path, text)
    slurm = DemoSlurm(
        [ended(1, qos=name, user="<script>alert(1)</script>")], now=NOW, limits={name: ("", ""), "avery-b": ("", "")}
    )
    assert cycle(setup, slurm) == []
    assert all(path.parent == setup.places.site for path in setup.places.site.rglob("*"))
    assert "<script>alert(1)" not in (setup.places.site / "index.html").read_text()
