"""Pictures that would not change are not drawn again; and what a picture is drawn from is known without drawing it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from librarian import config
from librarian.config import setup as configfile
from librarian.config.setup import Setup
from librarian.cycle import assemble, pictures, stages
from librarian.demo.slurm import DemoSlurm
from librarian.errors import Trouble
from librarian.render.pictures import digest
from librarian.render.pictures.figure import Picture
from librarian.shared.files import EFFICIENCY, MONTH, OVERVIEW, PRESSURE, QUEUE
from librarian.shared.report import Report, Section, Staleness
from librarian.shared.window import Window
from librarian.slurm.command import Slurm
from librarian.subjects.efficiency.section import EfficiencySection
from librarian.subjects.jobs.section import JobsSection
from librarian.subjects.limits.model import Change
from librarian.subjects.limits.section import LimitsSection
from librarian.subjects.listed import SUBJECTS
from librarian.subjects.months.section import MonthsSection
from librarian.subjects.queue.section import QueueSection
from librarian.subjects.subject import Subject
from librarian.subjects.usage.section import UsageSection
from librarian.system import workers
from tests.unit import rendering, reports
from tests.unit.cycle.test_stages import CONFIG, NOW, RUNS
from tests.unit.cycles import ended
from tests.unit.rendering import PICTURES, digest_of, draw_one

QOS = ("avery", "avery-b")
EVERY = sorted((qos, name) for qos in QOS for name in PICTURES)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return configfile.setup(config.parse(CONFIG), tmp_path, {})


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[tuple[str, str]]]:
    """Which pictures were drawn since one asked last; what is in them is their name and their digest."""
    log: list[tuple[str, str]] = []

    def draw(subject: Subject, report: Report, name: str) -> Picture:
        log.append((report.header.qos, name))
        body = f"{report.header.qos} {name} {digest_of(report, name)}".encode()
        return Picture(name, b"png " + body, b"pdf " + body)

    def told() -> list[tuple[str, str]]:
        found = sorted(log)
        log.clear()
        return found

    monkeypatch.setattr(pictures, "draw_one", draw)
    return told


def collect(setup: Setup, now: int = NOW, **options: Any) -> None:
    slurm = Slurm(runner=DemoSlurm(RUNS, now=now, user="alice", **options))
    assert stages.collect_all(setup, slurm, now) == []


Drawn = Callable[[], list[tuple[str, str]]]


def test_the_same_store_gives_no_picture_twice(setup: Setup, drawn: Drawn) -> None:
    collect(setup)
    assert stages.render(setup, NOW) == []
    assert drawn() == EVERY
    before = {path.name: path.read_bytes() for path in setup.places.site.glob("*_avery*.p*")}
    assert len(before) == 4 * len(PICTURES)
    assert stages.render(setup, NOW + 60) == []
    assert drawn() == []
    assert {path.name: path.read_bytes() for path in setup.places.site.glob("*_avery*.p*")} == before


def each_cycle(setup: Setup) -> Setup:
    report = replace(setup.config.report, pictures="cycle")
    return replace(setup, config=replace(setup.config, report=report))


def test_newer_data_have_a_newer_time_in_every_picture(setup: Setup, drawn: Drawn) -> None:
    setup = each_cycle(setup)
    collect(setup)
    stages.render(setup, NOW)
    drawn()
    collect(setup, NOW + 600)
    stages.render(setup, NOW + 600)
    assert drawn() == EVERY


def test_by_default_they_are_drawn_when_a_bin_is_over(setup: Setup, drawn: Drawn) -> None:
    """Of what the running bin alone tells they know nothing until it is over."""
    turn = NOW - NOW % 3600 + 3600
    collect(setup, turn + 10)
    stages.render(setup, turn + 10)
    assert drawn() == EVERY
    for moment in (turn + 600, turn + 3590):
        collect(setup, moment)
        assert stages.render(setup, moment) == []
        assert drawn() == []
    told = json.loads((setup.places.site / "data_avery.json").read_text())
    assert told["metadata"]["last_updated_epoch"] == turn + 3590, "the numbers are new each time"
    collect(setup, turn + 3610)
    stages.render(setup, turn + 3610)
    assert drawn() == EVERY


def test_what_is_not_of_the_running_bin_alone_is_drawn_at_once(setup: Setup, drawn: Drawn) -> None:
    turn = NOW - NOW % 3600 + 3600
    collect(setup, turn + 10)
    stages.render(setup, turn + 10)
    drawn()
    collect(setup, turn + 600, limits={"avery": ("cpu=99", ""), "avery-b": ("cpu=3870", "")})
    stages.render(setup, turn + 600)
    assert ("avery", "NCPUS") in drawn(), "another limit"
    slurm = Slurm(
        runner=DemoSlurm([*RUNS, ended(99, start=turn - 9000, end=turn - 4000)], now=turn + 1200, user="alice")
    )
    assert stages.collect_all(setup, slurm, turn + 1200, full=True) == []
    stages.render(setup, turn + 1200)
    assert ("avery", "NCPUS") in drawn(), "a run that came late changes a bin that is over"


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_what_is_final_does_not_depend_on_the_running_bin(name: str) -> None:
    def final(now: int) -> str:
        runs = [
            reports.Run("ann", reports.NOW - 5 * 86400, reports.NOW - 86400),
            reports.Run("bob", reports.NOW - 7000),
        ]
        report = reports.report_of(runs, now=now)
        subject = rendering.subject_of(name)
        return digest.settled_digest(report, name, subject.settled(report, name))

    assert final(reports.NOW + 60) == final(reports.NOW + 1200)
    assert final(reports.NOW + 60) != final(reports.NOW + 3660)


def test_another_limit_is_drawn_where_it_is_shown(setup: Setup, drawn: Drawn) -> None:
    collect(setup)
    stages.render(setup, NOW)
    drawn()
    entries = (replace(setup.config.qos[0], limits={"mem": 100.0}), setup.config.qos[1])
    stages.render(replace(setup, config=replace(setup.config, qos=entries)), NOW)
    assert {qos for qos, _ in drawn()} <= {"avery"}
    changed = reports.busy(3, days=3, overrides={"mem": 100.0})
    other = reports.busy(3, days=3, overrides={"mem": 200.0})
    told = {name for name in PICTURES if digest_of(changed, name) != digest_of(other, name)}
    assert told == {"MEMORY", OVERVIEW, PRESSURE}


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["gone", "shorter", "other", "of the same size"])
def test_a_file_that_is_not_what_it_was_is_drawn_again(setup: Setup, drawn: Drawn, harm: str) -> None:
    collect(setup)
    stages.render(setup, NOW)
    drawn()
    path = setup.places.site / "NCPUS_avery.pdf"
    good = path.read_bytes()
    path.unlink()
    if harm != "gone":
        path.write_bytes({"shorter": good[:-1], "other": b"x", "of the same size": good[:-1] + b"?"}[harm])
    stages.render(setup, NOW)
    assert drawn() == [("avery", "NCPUS")]
    assert path.read_bytes() == good


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema_version": 1, "files": {"a": 3}}', '{"schema_version": 2}'])
def test_without_what_was_remembered_all_is_drawn(setup: Setup, drawn: Drawn, text: str) -> None:
    collect(setup)
    stages.render(setup, NOW)
    drawn()
    setup.places.pictures.write_text(text)
    assert stages.render(setup, NOW) == []
    assert drawn() == EVERY
    assert pictures.recall(setup.places)


def test_what_is_remembered_is_for_the_operator_alone(setup: Setup, drawn: Drawn) -> None:
    collect(setup)
    stages.render(setup, NOW)
    assert setup.places.pictures.parent == setup.places.state
    assert setup.places.pictures.stat().st_mode & 0o077 == 0
    assert not list(setup.places.site.glob("*pictures*"))


def test_another_matplotlib_draws_anew(setup: Setup, drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    collect(setup)
    stages.render(setup, NOW)
    drawn()
    monkeypatch.setattr(pictures, "_version", lambda name: "99")
    stages.render(setup, NOW)
    assert drawn() == EVERY


def test_other_names_of_users_draw_anew(setup: Setup, drawn: Drawn) -> None:
    collect(setup)
    stages.render(setup, NOW)
    drawn()
    rules = replace(setup.config.privacy, users="pseudonym")
    stages.render(replace(setup, config=replace(setup.config, privacy=rules)), NOW)
    assert drawn() == EVERY


@pytest.mark.slow
def test_a_qos_that_cannot_be_drawn_keeps_its_pictures_and_what_is_known_of_them(
    setup: Setup, drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(setup)
    stages.render(setup, NOW)
    drawn()
    real = assemble.data_json

    def fails(built: Report, *others: Any, **options: Any) -> bytes:
        if built.header.qos == "avery":
            raise RuntimeError("no")
        return real(built, *others, **options)

    with monkeypatch.context() as patch:
        patch.setattr(assemble, "data_json", fails)
        assert len(stages.render(setup, NOW)) == 1
    assert stages.render(setup, NOW) == []
    assert drawn() == []


@pytest.mark.slow
def test_matplotlib_is_not_loaded_where_nothing_is_drawn(setup: Setup, tmp_path: Path) -> None:
    collect(setup)
    stages.render(setup, NOW)
    (tmp_path / "librarian.toml").write_text(CONFIG)
    script = (
        "import sys; from pathlib import Path; from librarian.config import setup as configfile\n"
        "from librarian.cycle import stages as pipeline\n"
        f"setup = configfile.load(Path({str(tmp_path / 'librarian.toml')!r}), {{}})\n"
        f"assert pipeline.render(setup, {NOW}) == []\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


# what a picture is drawn from


def variants() -> dict[str, Report]:
    """Reports that differ from `reports.busy` in one thing each."""
    base = reports.busy(3, days=3, samples=reports.wishes(("user000", "user001"), days=3))
    window, use, limits = base.window, base[UsageSection], base[LimitsSection]
    usage = use.usage
    later = Window(window.edges, window.now - 60, window.zone, window.bin_seconds)
    more = usage.integrals.copy()
    more[usage.row("NGPUS"), 0, 5] += 3600.0 * 40
    changes = (Change(reports.NOW - 9 * 86400, reports.LIMITS, {}), Change(reports.NOW - 86400, None, {"cpu": 9.0}))
    queue, months = base[QueueSection], base[MonthsSection]
    dark = np.zeros_like(queue.wanted.sampled)
    last = months.months[-1]
    none = replace(limits, limits={}, history={key: () for key in limits.history})
    return {
        "base": base,
        "the same": reports.busy(3, days=3, samples=reports.wishes(("user000", "user001"), days=3)),
        "title": replace(base, header=replace(base.header, title="Another")),
        "cluster": replace(base, header=replace(base.header, cluster="other")),
        "refresh": replace(base, header=replace(base.header, refresh_seconds=5)),
        "areas": replace(base, header=replace(base.header, top_users=1)),
        "time": replace(with_section(base, "usage", replace(use, usage=replace(usage, window=later))), window=later),
        "use": with_section(base, "usage", replace(use, usage=replace(usage, integrals=more))),
        "limits": with_section(base, "limits", none),
        "history": reports.busy(3, days=3, changes=changes),
        "stale": replace(base, staleness=Staleness(True, reports.NOW - 3600, Trouble.NO_ANSWER)),
        "colours": replace(base, colours=dict.fromkeys(base.colours, "#123456")),
        "order": with_section(base, "usage", replace(use, users=tuple(reversed(use.users)))),
        "untracked": with_section(base, "usage", replace(use, untracked=frozenset({"NGPUS"}))),
        "looks": with_section(base, "queue", replace(queue, wanted=replace(queue.wanted, sampled=dark))),
        "month": with_section(base, "months", replace(months, months=(*months.months[:-1], replace(last, users={})))),
        "known": with_section(base, "efficiency", replace(base[EfficiencySection], known=())),
        "rejects": with_section(base, "jobs", JobsSection(())),
    }


def with_section(report: Report, key: str, section: Section) -> Report:
    """The report with another section of one subject."""
    return replace(report, sections={**report.sections, key: section})


@pytest.mark.slow
def test_pictures_that_differ_have_other_digests() -> None:
    """Each variant is drawn: equal digests must mean equal bytes, and some digests must be equal."""
    found = variants()
    first = found.pop("base")
    base = {name: (digest_of(first, name), draw_one(first, name)) for name in PICTURES}
    equal = set()
    for what, variant in found.items():
        for name in PICTURES:
            same = digest_of(variant, name) == base[name][0]
            if same:
                equal.add((what, name))
                assert draw_one(variant, name) == base[name][1], (what, name)
    assert {(what, name) for what in ("the same", "refresh", "rejects") for name in PICTURES} <= equal
    assert {("use", "NCPUS"), ("use", MONTH), ("month", "NCPUS"), ("looks", OVERVIEW), ("known", QUEUE)} <= equal
    unlike = {("title", QUEUE), ("time", MONTH), ("use", OVERVIEW), ("limits", PRESSURE), ("looks", QUEUE)}
    assert not equal & {
        *unlike,
        ("month", MONTH),
        ("history", "NCPUS"),
        ("known", EFFICIENCY),
        ("stale", "NJOBS"),
        ("order", "NCPUS"),
    }


def test_values_that_look_alike_differ() -> None:
    values = [
        "1",
        1,
        1.0,
        True,
        None,
        "",
        (),
        ("",),
        ("", ""),
        (("",),),
        {"a": 1},
        ("a", 1),
        np.arange(2),
        np.arange(2.0),
    ]
    texts = [b"".join(digest._bytes(value)) for value in values]
    assert len(set(texts)) == len(values)
    assert len({b"".join(digest._bytes(two)) for two in (("ab", "c"), ("a", "bc"), ("abc",))}) == 3
    with pytest.raises(TypeError, match="object"):
        list(digest._bytes(object()))


# workers


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of three cores."""
    monkeypatch.setattr(workers, "cores", lambda: 3)


@pytest.mark.slow
def test_workers_bring_what_one_process_would(setup: Setup, many: None) -> None:
    report = reports.golden()
    alone = pictures.pictures_of(report, SUBJECTS, setup.places.site, {})
    together = pictures.pictures_of(report, SUBJECTS, setup.places.site, {}, processes=3)
    assert together == alone
    assert len(alone.drawn) == 2 * len(PICTURES)


@pytest.mark.usefixtures("many")
def test_pieces_are_spread_over_processes() -> None:
    made = workers.spread(lambda piece: (piece * 2, os.getpid()), range(20), 8)
    assert {place: value for place, (value, _) in made.items()} == {place: place * 2 for place in range(20)}
    assert os.getpid() not in {pid for _, pid in made.values()}
    assert 1 <= len({pid for _, pid in made.values()}) <= 3


@pytest.mark.parametrize(("cores", "processes", "pieces"), [(1, 8, 5), (4, 1, 5), (4, 8, 1), (4, 8, 0)])
def test_one_worker_is_none(monkeypatch: pytest.MonkeyPatch, cores: int, processes: int, pieces: int) -> None:
    monkeypatch.setattr(workers, "cores", lambda: cores)
    assert workers.spread(lambda piece: piece, range(pieces), processes) == {}


@pytest.mark.usefixtures("many")
def test_a_worker_that_dies_costs_its_piece_alone() -> None:
    def work(piece: int) -> int:
        if piece == 3:
            os._exit(1)
        if piece == 5:
            raise ValueError("no")
        return piece

    assert workers.spread(work, range(10), 2) == {place: place for place in range(10) if place not in (3, 5)}


@pytest.mark.usefixtures("many")
def test_when_all_workers_die_the_caller_has_everything_left() -> None:
    assert workers.spread(lambda piece: os._exit(1), range(10), 2) == {}


def test_a_picture_whose_worker_dies_is_drawn_here(setup: Setup, many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, log = os.getpid(), []

    def draw(subject: Subject, report: Report, name: str) -> Picture:
        if os.getpid() != ours and name == PRESSURE:
            os._exit(9)
        if os.getpid() == ours:
            log.append(name)
        return Picture(name, name.encode(), b"pdf")

    monkeypatch.setattr(pictures, "draw_one", draw)
    found = pictures.pictures_of(reports.empty(), SUBJECTS, setup.places.site, {}, processes=2)
    assert log == [PRESSURE]
    assert found.drawn["pressure_avery.png"] == b"pressure"
    assert len(found.drawn) == 2 * len(PICTURES)


@pytest.mark.usefixtures("many")
def test_what_ends_us_ends_the_workers(tmp_path: Path) -> None:
    def work(piece: int) -> int:
        (tmp_path / str(os.getpid())).touch()
        return piece

    class EndError(Exception):
        pass

    def ends(*_: object) -> Any:
        raise EndError

    with pytest.MonkeyPatch.context() as patch, pytest.raises(EndError):
        patch.setattr(workers.connection, "wait", ends)
        workers.spread(work, range(5), 2)
    for path in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.name), 0)


def test_a_run_stands_back_and_never_comes_forward() -> None:
    script = (
        "import json, os; from librarian.system import host as system; found = []\n"
        "for niceness in (3, 7, 5, 0): system.stand_back(niceness); found.append(os.nice(0))\n"
        "print(json.dumps([found, system.cores()]))"
    )
    before = os.nice(0)
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    found, cores = json.loads(done.stdout)
    assert found == [max(before, niceness) for niceness in (3, 7, 7, 7)]
    assert cores == len(os.sched_getaffinity(0))


@pytest.mark.usefixtures("many")
def test_where_no_process_can_be_had_the_caller_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(workers.ForkProcess, "start", full)
    assert workers.spread(lambda piece: piece, range(10), 2) == {}


@pytest.mark.parametrize("text", ["", "[]", '{"schema_version": 1, "files": {"a": {"size": 1e999}}}', "[" * 100_000])
def test_what_is_remembered_and_damaged_is_nothing(setup: Setup, text: str) -> None:
    setup.places.pictures.parent.mkdir(parents=True, exist_ok=True)
    setup.places.pictures.write_text(text)
    assert pictures.recall(setup.places) == {}


@pytest.mark.parametrize("name", ["broken", "missing"])
def test_what_draws_is_not_loaded_for_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "__init__.py").write_text("raise SystemExit('loaded')")
    monkeypatch.syspath_prepend(tmp_path)
    assert pictures._version.__wrapped__(name) == {"broken": "raise SystemExit('loaded')", "missing": ""}[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["matplotlib", "PIL", "librarian"])
def test_the_version_of_what_draws_is_known_without_loading_it(name: str) -> None:
    code = "import sys; from librarian.cycle import pictures; print(pictures._version(sys.argv[1])); "
    code += "print(sys.argv[1] in sys.modules)"
    told, loaded = subprocess.run(
        [sys.executable, "-c", code, name], check=True, capture_output=True, text=True, timeout=60
    ).stdout.rsplit("\n", 2)[:2]
    assert __import__(name).__version__ in told
    assert loaded == str(name == "librarian")
