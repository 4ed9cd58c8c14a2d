"""A backfill as a job array: whatever tasks end when, and however often is merged, the same as without."""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from librarian.backfill import batch, job_array, merging
from librarian.backfill.orders import Order, Terms
from librarian.cli.backfill import target_of
from librarian.config.setup import Setup
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.errors import ConfigError, SlurmError, StoreError
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, day_edges
from librarian.slurm.command import Slurm
from librarian.store import Store, opened
from librarian.subjects.jobs.keep import JobRuns
from librarian.system.lock import locked
from librarian.system.processes import Answer
from tests.unit.backfill.test_slices import (
    AVERY,
    NOW,
    SPAN,
    TABLES,
    ZONE,
    StoppedError,
    go,
    hands,
    histories,
    known,
    rows,
    setup_in,
    stop_after,
)
from tests.unit.runs import T0, run_of

TERMS = Terms("demo", ZONE, 3600, 3 * DAY)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return setup_in(tmp_path)


def prepared(setup: Setup, tasks: int, now: int = NOW) -> Path:
    plan = job_array.ArrayPlan(TERMS, job_array.shared([Order(AVERY, (SPAN,))], tasks, TERMS))
    caller = job_array.Caller(Path("/x/librarian.toml"), setup.places.base, setup.config.scrontab)
    return job_array.prepare(setup.places.store, caller, plan, now)


def fetch(folder: Path, number: int, runs: Sequence[Run], slices: int = 1000) -> None:
    """A task, which is ended before it asks for one slice more than `slices`."""
    slurm = Slurm(runner=DemoSlurm(runs, now=NOW))
    with contextlib.suppress(StoppedError):
        job_array.fetch(slurm, folder, number, hands(tell=stop_after(slices)))


@pytest.mark.slow
@settings(max_examples=10)
@given(histories(), st.data())
def test_parts_come_to_the_same_as_one_go(runs: list[Run], data: st.DataObject) -> None:
    old = run_of(99, submit=SPAN[0] - DAY, eligible=SPAN[0] - DAY, start=SPAN[0] - DAY, end=SPAN[0] + 60)
    runs = [*runs, old]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        whole, shared = setup_in(Path(one)), setup_in(Path(other))
        go(whole, DemoSlurm(runs, now=NOW), 400 * DAY, SPAN)
        folder = prepared(shared, data.draw(st.integers(1, 5)))
        tasks = list(range(len(job_array.read_plan(folder).tasks)))
        for number in data.draw(st.lists(st.sampled_from(tasks), max_size=4)):
            fetch(folder, number, runs, data.draw(st.integers(0, 4)))
            if data.draw(st.booleans()) and not job_array.merge(target_of(shared), hands()).open_tasks:
                break  # all of it is merged, and the plan is gone
        for number in data.draw(st.permutations(tasks)) if job_array.unmerged(shared.places.store) else ():
            fetch(folder, number, runs)
        assert job_array.merge(target_of(shared), hands()).open_tasks == 0
        assert job_array.unmerged(shared.places.store) == []
        for table in TABLES:
            expected, found = rows(whole, table), rows(shared, table)
            assert [key for key, _ in found] == [key for key, _ in expected]
            assert [value for _, value in found] == pytest.approx([value for _, value in expected], rel=1e-12, abs=1e-6)
        with (
            opened(whole.places.store, whole.config.cluster.name) as expected,
            opened(shared.places.store, shared.config.cluster.name) as found,
        ):
            assert JobRuns(found).people() == JobRuns(expected).people()


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 900)), min_size=1, max_size=3), st.integers(1, 12))
def test_shares_are_all_of_it(spans: list[tuple[int, int]], tasks: int) -> None:
    base = T0 - T0 % 3600
    todo = []
    for number, (begin, length) in enumerate(spans):
        since = base + begin * 3600
        todo.append(Order(Scope("demo", f"q{number}"), ((since, since + length * 3600),)))
    found = job_array.shared(todo, tasks, TERMS)
    assert len(found) <= tasks + 1
    for order in todo:
        mine = sorted(span for share in found for one in share if one.scope == order.scope for span in one.spans)
        assert mine[0][0] == order.spans[0][0]
        assert mine[-1][1] == order.spans[0][1]
        assert all(one[1] == other[0] for one, other in itertools.pairwise(mine))
        edges = set(day_edges(*order.spans[0], 3600, ZONE).tolist())
        assert {edge for span in mine for edge in span} <= edges


def test_what_nothing_older_vouches_for_waits_and_then_stays_unknown(setup: Setup) -> None:
    """Of four weeks, a week a task; the only run that ended is in the second, of which only a part is believed."""
    run = run_of(1, submit=T0 + 8 * DAY, eligible=T0 + 8 * DAY, start=T0 + 8 * DAY, end=T0 + 9 * DAY)
    folder = prepared(setup, 4)
    for number in (0, 3):  # the newest, in which nothing ran, and the oldest
        fetch(folder, number, [run])
    assert job_array.merge(target_of(setup), hands()) == job_array.Merged(0, 0, 4)
    assert known(setup) == ()
    fetch(folder, 2, [run])
    assert job_array.merge(target_of(setup), hands()).open_tasks == 3
    begin = known(setup)[0][0]
    assert T0 + 5 * DAY < begin <= T0 + 8 * DAY
    fetch(folder, 1, [run])
    assert job_array.merge(target_of(setup), hands()).open_tasks == 0
    assert known(setup) == ((begin, SPAN[1]),)


def test_a_part_that_is_being_written_is_left_alone(setup: Setup) -> None:
    folder = prepared(setup, 1)
    fetch(folder, 0, [run_of(1)])
    with locked(job_array.part(folder, 0).with_suffix(".lock"), "a part"):
        assert job_array.merge(target_of(setup), hands()) == job_array.Merged(0, 0, 1)
    assert job_array.merge(target_of(setup), hands()).parts == 1


def test_a_part_that_is_damaged_is_fetched_again(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    folder = prepared(setup, 1)
    job_array.part(folder, 0).write_bytes(b"no store at all" * 100)
    assert job_array.merge(target_of(setup), hands()).open_tasks == 1
    assert "damaged" in caplog.text
    fetch(folder, 0, [run_of(1)])
    assert job_array.merge(target_of(setup), hands()).open_tasks == 0
    assert known(setup) == (SPAN,)


def test_hours_that_came_otherwise_stay(setup: Setup) -> None:
    folder = prepared(setup, 2)
    for number in (0, 1):
        fetch(folder, number, [run_of(1)])
    go(setup, DemoSlurm([run_of(1), run_of(2)], now=NOW), 7 * DAY, SPAN)
    before = rows(setup, "usage")
    assert job_array.merge(target_of(setup), hands()).seconds == 0
    assert rows(setup, "usage") == before


def test_hours_that_came_otherwise_stay_beside_those_that_are_merged(setup: Setup) -> None:
    """Slurm told of one run as the task asked, and of two with other CPUs as the newer half was fetched."""
    folder, half = prepared(setup, 1), SPAN[0] + 14 * DAY
    fetch(folder, 0, [run_of(1, end=SPAN[1])])
    later = [run_of(1, end=SPAN[1], alloc_tres="cpu=8"), run_of(2, user="bob")]
    go(setup, DemoSlurm(later, now=NOW), 7 * DAY, (half, SPAN[1]))
    assert job_array.merge(target_of(setup), hands()).seconds == half - SPAN[0]
    cpus = {key[1]: amount for key, amount in rows(setup, "usage") if key[3] == "NCPUS" and amount == key[2] * 4}
    others = {key[1]: amount for key, amount in rows(setup, "usage") if key[3] == "NCPUS" and amount == key[2] * 8}
    assert max(cpus) == half - 3600
    assert min(others) == half


def test_the_scripts(setup: Setup, tmp_path: Path) -> None:
    options = replace(setup.config.scrontab, partition="cpu", account="avery", qos="avery-b", modules=("python3",))
    setup = replace(setup, config=replace(setup.config, scrontab=options))
    folder = prepared(setup, 4)
    assert folder.parent.parent == tmp_path / "state" / "backfill"
    text = (folder / job_array.ARRAY).read_text()
    for line in ("--array=0-3%2", "--partition=cpu", "--account=avery", "--qos=avery-b", "--mem=2G"):
        assert f"#SBATCH {line}\n" in text
    assert "module load python3" in text
    assert text.startswith("#!/bin/bash\n#SBATCH ")
    assert f'backfill --folder {folder} --task "$SLURM_ARRAY_TASK_ID"\n' in text
    assert "#SBATCH --array" not in (folder / job_array.MERGE).read_text()
    odd = replace(setup, places=replace(setup.places, store=tmp_path / "100%" / "demo.sqlite"))
    with pytest.raises(ConfigError, match="cannot stand in a job's script"):
        prepared(odd, 2)


def test_a_task_that_is_not_planned_and_a_plan_that_is_gone(setup: Setup, tmp_path: Path) -> None:
    folder = prepared(setup, 2)
    slurm = Slurm(runner=DemoSlurm([], now=NOW))
    with pytest.raises(ConfigError, match="there is no task 9"):
        job_array.fetch(slurm, folder, 9, hands())
    (folder / job_array.PLAN).write_text(json.dumps({"tasks": []}))
    with pytest.raises(StoreError, match="cannot be read"):
        job_array.fetch(slurm, folder, 0, hands())


def test_jobs_are_submitted_one_after_the_other(setup: Setup) -> None:
    asked: list[Sequence[str]] = []

    def sbatch(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        asked.append(argv)
        return Answer(0, b"77;hpg\n" if len(asked) == 1 else b"78\n", "")

    folder = prepared(setup, 2)
    assert job_array.submit(Slurm(runner=sbatch), folder) == ("77", "78")
    assert asked[0] == ["sbatch", "--parsable", str(folder / job_array.ARRAY)]
    assert "--dependency=afterok:77" in asked[1]
    with pytest.raises(SlurmError, match="sbatch told no job"):
        batch.submit(Slurm(runner=lambda argv, timeout, env: Answer(0, b"Submitted\n", "")), folder / job_array.ARRAY)


def test_one_that_is_damaged_does_not_keep_the_others(setup: Setup) -> None:
    first, second = prepared(setup, 1, NOW - 60), prepared(setup, 2)
    (first / job_array.PLAN).write_text("{")
    (second / "merged.json").write_text("[]")
    for number in (0, 1):
        fetch(second, number, [run_of(1)])
    with pytest.raises(StoreError, match="cannot be read"):
        job_array.merge(target_of(setup), hands())
    assert known(setup) == (SPAN,)
    assert not second.exists()


@pytest.mark.slow
def test_a_part_that_is_damaged_inside_does_not_keep_the_others(setup: Setup) -> None:
    folder = prepared(setup, 2)
    run = run_of(1, submit=SPAN[0], eligible=SPAN[0], start=SPAN[0], end=SPAN[1])
    for number in (0, 1):
        fetch(folder, number, [run])
    path = job_array.part(folder, 0)
    data = bytearray(path.read_bytes())
    data[4096 * 3 :] = b"\xff" * (len(data) - 4096 * 3)
    path.write_bytes(data)
    job_array.merge(target_of(setup), hands())
    assert not path.exists()
    assert known(setup) or job_array.part(folder, 1).exists()  # it waits where only the damaged one was older
    fetch(folder, 0, [run])
    assert job_array.merge(target_of(setup), hands()).open_tasks == 0
    assert known(setup) == (SPAN,)


def test_years_are_merged_a_month_at_a_time(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[tuple[int, int]] = []
    real = merging.take_hours

    def take_hours(store: Store, part: Store, scope: Scope, span: tuple[int, int], zone: str) -> int:
        taken.append(span)
        return real(store, part, scope, span, zone)

    monkeypatch.setattr(job_array, "take_hours", take_hours)
    folder = prepared(setup, 1)
    fetch(folder, 0, [run_of(1)])
    job_array.merge(target_of(setup), hands())
    assert all(until - since <= 31 * DAY + 3600 for since, until in taken)
    assert known(setup) == (SPAN,)


def test_an_array_without_its_merge_goes_on_and_is_named(setup: Setup) -> None:
    answers = [Answer(0, b"41\n", ""), Answer(1, b"", "sbatch: error: no")]
    folder = prepared(setup, 2)
    with pytest.raises(SlurmError, match="job 41 is submitted"):
        job_array.submit(Slurm(runner=lambda *_, **__: answers.pop(0)), folder)
    assert (folder / job_array.PLAN).exists()
    with pytest.raises(SlurmError):
        job_array.submit(Slurm(runner=lambda *_, **__: Answer(1, b"", "sbatch: error: no")), folder)
    assert not folder.exists()
