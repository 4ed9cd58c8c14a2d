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
from librarian.demo.slurm import DemoSlurm
from librarian.errors import LibrarianError, PublishError
from librarian.publish import delivery
from librarian.render.pictures.figure import Picture
from librarian.shared.report import Report
from librarian.shared.window import DAY
from librarian.slurm.command import Slurm
from librarian.store import opened
from librarian.subjects.jobs import collect
from librarian.subjects.subject import Subject
from librarian.subjects.usage.keep import Hours
from librarian.system.host import user_name
from librarian.system.processes import Answer
from tests.unit.cycles import AVERY, AVERY_B, BASE, NOW, TWO_DAYS, WEB, configured, ended, leave_out_pictures
from tests.unit.rendering import PICTURES

CONFIG = f'{BASE}{TWO_DAYS}{AVERY}title = "Avery group"\n{AVERY_B}{WEB}'
EACH_CYCLE = CONFIG.replace(TWO_DAYS, f'{TWO_DAYS}pictures = "cycle"\n')


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_second_run_changes_only_what_goes_on(setup: Setup, slurm: DemoSlurm) -> None:
    cycle(setup, slurm)
    before = data(setup)
    cycle(setup, slurm, NOW + 60)
    after = data(setup)
    assert after["totals"]["users"]["bob"] == before["totals"]["users"]["bob"]
    assert after["totals"]["users"]["alice"]["hours"]["NCPUS"] == pytest.approx(
        before["totals"]["users"]["alice"]["hours"]["NCPUS"] + 4 * 60 / 3600
    )


@pytest.mark.slow
def test_when_slurm_fails_old_data_stay_and_are_called_old(setup: Setup, slurm: DemoSlurm) -> None:
    cycle(setup, slurm)
    before = data(setup)
    problems = cycle(setup, broken(), NOW + 600)
    assert [problem.exit_status for problem in problems] == [3, 3]
    assert "QoS avery: sacct failed" in str(problems[0])
    after = data(setup)
    assert after["staleness"]["stale"]
    assert after["staleness"]["since"] == NOW
    assert after["staleness"]["reason"] == "a command of Slurm's failed"
    changed = ("staleness", "metadata", "queue", "waiting")  # the queue is another daemon's, and is known
    assert (after["queue"]["at"], after["queue"]["error"]) == (NOW + 600, None)
    assert {k: v for k, v in after.items() if k not in changed} == {k: v for k, v in before.items() if k not in changed}
    assert cycle(setup, slurm, NOW + 1200) == []
    assert not data(setup)["staleness"]["stale"]


@pytest.mark.slow
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
    assert index["qos"][0]["reason"] == "a command of Slurm's failed"
    assert "a command of Slurm's failed" in (setup.places.site / "index.html").read_text()


@pytest.mark.slow
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
        linked = {name for name in re.findall(r'(?:src|href)="([^"#:?]+)(?:\?v=\w+)?"', text)}
        assert "data_avery.json" in linked
        assert linked <= there


@pytest.mark.slow
def test_pictures_that_fail_leave_the_last_ones(
    setup: Setup, slurm: DemoSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = configured(setup.places.base, EACH_CYCLE)
    before = labelled(monkeypatch, setup, slurm)
    error = ImportError("numpy.core.multiarray failed to import")
    real = failing(monkeypatch, lambda report, _: report.header.qos == "avery", error)
    problems = cycle(setup, slurm, NOW + 600)
    who = "usage, limits, queue, efficiency, months"
    words = f"QoS avery: the pictures of {who} could not be drawn: ImportError: numpy.core.multiarray failed to import"
    assert [str(problem) for problem in problems] == [words]
    for name in ("data_avery.json", "data_avery-b.json"):
        assert data(setup, name)["metadata"]["last_updated_epoch"] == NOW + 600
        assert data(setup, name)["staleness"]["stale"] is False
    note = {"kind": "pictures", "text": f"pictures of {who}: older than the numbers, since drawing them failed"}
    assert note in data(setup)["notes"]
    assert note not in data(setup, "data_avery-b.json")["notes"]
    assert "numpy.core" not in (setup.places.site / "index.html").read_text()
    entry = data(setup, "index.json")["qos"][0]
    assert (entry["stale"], entry["last_updated"]) == (False, NOW + 600)
    assert set(entry["figures"]) == set(PICTURES)
    after = {path.name: path.read_bytes() for path in setup.places.site.iterdir() if path.suffix in (".png", ".pdf")}
    assert {name for name in after if after[name] == before[name]} == {name for name in before if "avery-b" not in name}

    monkeypatch.setattr(pictures, "draw_one", real)
    assert cycle(setup, slurm, NOW + 1200) == []
    assert note not in data(setup)["notes"]


def failing(
    monkeypatch: pytest.MonkeyPatch, fails: Callable[[Report, str], bool], error: Exception
) -> Callable[..., Picture]:
    """From now on pictures fail where `fails` says so; returns what draws them."""
    real = pictures.draw_one

    def draw(subject: Subject, report: Report, name: str) -> Picture:
        if fails(report, name):
            raise error
        return real(subject, report, name)

    monkeypatch.setattr(pictures, "draw_one", draw)
    return real


def labelled(monkeypatch: pytest.MonkeyPatch, setup: Setup, slurm: DemoSlurm) -> dict[str, bytes]:
    """The pictures of a first run, by file name; from now on each picture tells when its data were complete."""

    def draw(_: Subject, report: Report, name: str) -> Picture:
        body = str(report.window.now).encode()
        return Picture(name, b"png" + body, b"pdf" + body)

    monkeypatch.setattr(pictures, "draw_one", draw)
    assert cycle(setup, slurm) == []
    return {path.name: path.read_bytes() for path in setup.places.site.iterdir() if path.suffix in (".png", ".pdf")}


@pytest.mark.slow
def test_one_picture_that_fails_leaves_the_others_fresh(
    setup: Setup, slurm: DemoSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = configured(setup.places.base, EACH_CYCLE)
    before = labelled(monkeypatch, setup, slurm)
    failing(monkeypatch, lambda _, name: name == "queue", ValueError("no"))
    assert len(cycle(setup, slurm, NOW + 600)) == 2, "one for each QoS"
    assert data(setup)["metadata"]["last_updated_epoch"] == NOW + 600
    old = {name for name in before if (setup.places.site / name).read_bytes() == before[name]}
    assert old == {f"queue_{qos}.{ending}" for qos in ("avery", "avery-b") for ending in ("png", "pdf")}


def test_before_any_picture_was_drawn_the_page_has_none(
    setup: Setup, slurm: DemoSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(*_: object) -> Picture:
        raise ModuleNotFoundError("No module named 'matplotlib'")

    monkeypatch.setattr(pictures, "draw_one", draw)
    problems = cycle(setup, slurm)
    assert ["matplotlib" in str(problem) for problem in problems] == [True, True]
    entry = data(setup, "index.json")["qos"][0]
    assert (entry["data"], entry["csv"], entry["figures"]) == ("data_avery.json", "usage_avery.csv.gz", {})
    words = "missing, since drawing them failed"
    assert [note["text"].split(": ")[1] for note in data(setup)["notes"] if note["kind"] == "pictures"] == [words]
    for page in ("index.html", "plain.html"):
        assert words in (setup.places.site / page).read_text()


def test_one_dead_publisher_does_not_stop_the_run(setup: Setup, slurm: DemoSlurm) -> None:
    (setup.places.base / "web").write_text("not a folder")
    problems = cycle(setup, slurm)
    assert [problem.exit_status for problem in problems] == [6]
    assert (setup.places.site / "index.html").is_file()


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
