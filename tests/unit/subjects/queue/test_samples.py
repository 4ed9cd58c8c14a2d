"""Samples of the queue: kept by the store, thinned out, averaged over bins; and what happens when squeue fails."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.demo.queue import as_seen, reasons, waiting_at
from librarian.demo.slurm import DemoSlurm
from librarian.demo.tables import AccountTable, Rulebook
from librarian.errors import NoAnswerError, SlurmError, Trouble
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, window_until
from librarian.slurm.command import Slurm
from librarian.store import MIGRATIONS, Store, opened
from librarian.subjects.limits.collect import observe
from librarian.subjects.queue import sample
from librarian.subjects.queue.demand import Samples, by_bin, looks_table, sums_table
from librarian.subjects.queue.keep import FINE, SLOT, QueueSamples
from librarian.subjects.queue.model import Demand
from librarian.subjects.queue.table import queue_table
from librarian.subjects.subject import CONTROLLER, Asking, Watched
from librarian.system.processes import Answer
from tests.unit.reports import pending
from tests.unit.runs import T0, run_of

AVERY, KIM = Scope("demo", "avery"), Scope("demo", "kim")
HOUR = 3600
NOW = T0 - T0 % HOUR + 7 * HOUR


def demand(cpus: float, jobs: int = 1, gpus: float = 0) -> Demand:
    return Demand(jobs, {"NCPUS": cpus, "NGPUS": gpus, "MEMORY": 2 * cpus})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "hpg.sqlite", "demo") as made:
        yield made


def looked(slurm: Slurm, store: Store, scopes: Sequence[Scope], now: int) -> list[SlurmError]:
    """Look at the queues of these, as a cycle does."""
    return sample.look(Asking(slurm, store, now, "demo", tuple(Watched(scope) for scope in scopes), now - DAY))


class TestStore:
    def test_the_last_queue_comes_out_as_it_went_in(self, store: Store) -> None:
        assert (QueueSamples(store).last(AVERY).at, QueueSamples(store).last(AVERY).error) == (None, None)
        rows = [pending("ü|'\"", "QOSGrpCpuLimit, x", tasks=7, job="1_[1-7]"), pending("b", "Priority", job="2")]
        QueueSamples(store).keep(AVERY, NOW, queue_table(rows), "a row is missing", Trouble.LEFT_OUT)
        QueueSamples(store).keep(KIM, NOW, queue_table(rows[:1]))
        seen = QueueSamples(store).last(Scope("demo", "AVERY"))
        assert (seen.at, seen.error, seen.trouble) == (NOW, "a row is missing", Trouble.LEFT_OUT)
        assert seen.table == queue_table(rows)
        QueueSamples(store).keep(AVERY, NOW + 600, queue_table([]))
        assert (
            QueueSamples(store).last(AVERY).at,
            len(QueueSamples(store).last(AVERY).table),
            QueueSamples(store).last(AVERY).error,
        ) == (NOW + 600, 0, None)
        assert len(QueueSamples(store).last(KIM).table) == 1

    def test_a_failure_leaves_the_last_queue(self, store: Store) -> None:
        QueueSamples(store).failed(AVERY, "squeue hung", Trouble.NO_ANSWER)
        assert (QueueSamples(store).last(AVERY).at, QueueSamples(store).last(AVERY).error) == (None, "squeue hung")
        QueueSamples(store).keep(AVERY, NOW, queue_table([pending("a", "Priority")]))
        QueueSamples(store).failed(AVERY, "squeue hung again")
        seen = QueueSamples(store).last(AVERY)
        assert (seen.at, seen.error, len(seen.table)) == (NOW, "squeue hung again", 1)
        assert seen.trouble is Trouble.SLURM

    def test_means_are_over_all_samples(self, store: Store) -> None:
        for at, wanted in ((NOW, {"a": demand(6)}), (NOW + 600, {"a": demand(3), "b": demand(9)}), (NOW + 1200, {})):
            QueueSamples(store).add(AVERY, at, wanted)
        window = window_until(NOW + 1300, seconds=DAY, bin_seconds=HOUR, zone="UTC")
        found = by_bin(QueueSamples(store).between(AVERY, window.start, NOW + DAY), window)
        assert found.users == ("a", "b")
        assert found.means["NCPUS"][:, -1].tolist() == [3, 3]
        assert found.means["MEMORY"][:, -1].tolist() == [6, 6]
        assert np.isnan(found.means["NCPUS"][:, :-1]).all(), "nobody looked before"
        assert found.sampled.tolist() == [0] * (window.bins - 1) + [3]

    def test_what_is_old_is_kept_by_the_hour(self, store: Store) -> None:
        for k in range(12):
            QueueSamples(store).add(
                AVERY, NOW + k * 600, {"a": demand(k), "b": demand(1)} if k % 2 else {"a": demand(k)}
            )
        QueueSamples(store).add(KIM, NOW + 600, {"a": demand(5)})
        before = by_hour(QueueSamples(store).between(AVERY, 0, NOW + DAY))
        QueueSamples(store).add(AVERY, NOW + FINE + HOUR, {})
        after = QueueSamples(store).between(AVERY, 0, NOW + DAY)
        assert by_hour(after) == before
        assert set(after.looks["start"]) == {NOW, *(NOW + HOUR + k * 600 for k in range(6))}, (
            "the second hour is not old"
        )
        assert len(QueueSamples(store).between(KIM, 0, NOW + DAY).looks) == 1
        for moment in range(NOW + FINE + 2 * HOUR, NOW + FINE + 3 * HOUR, 600):
            QueueSamples(store).add(AVERY, moment, {})
        assert by_hour(QueueSamples(store).between(AVERY, 0, NOW + DAY)) == before
        assert len(QueueSamples(store).between(AVERY, 0, NOW + DAY).looks) == 2

    def test_it_stays_small(self, store: Store) -> None:
        """Two samples in a slot are one row."""
        for _ in range(5):
            QueueSamples(store).add(AVERY, NOW + 1, {"a": demand(2)})
        samples = QueueSamples(store).between(AVERY, 0, NOW + DAY)
        assert (len(samples.sums), samples.looks["samples"].tolist()) == (1, [5])
        assert samples.sums["NCPUS"].tolist() == [10]


def by_hour(samples: Samples) -> dict[Any, float]:
    sums: dict[Any, float] = {}
    for row in samples.sums.itertuples():
        key = (row.start // HOUR, row.user)
        sums[key] = sums.get(key, 0.0) + row.NCPUS + 1000 * row.jobs
    for row in samples.looks.itertuples():
        sums[row.start // HOUR] = sums.get(row.start // HOUR, 0) + row.samples
    return sums


@given(
    st.lists(st.tuples(st.integers(0, 5 * DAY // SLOT), st.sampled_from("ab"), st.integers(0, 9)), max_size=40),
    st.sampled_from(["US/Eastern", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    st.sampled_from([300, 900, 3600, 21600, 86400]),
)
def test_bins_hold_the_mean_of_their_samples(rows: list[tuple[int, str, int]], zone: str, bin_seconds: int) -> None:
    window = window_until(NOW, seconds=4 * DAY, bin_seconds=bin_seconds, zone=zone)
    base = window.start - window.start % SLOT - DAY // 2
    looks: dict[int, int] = {}
    for slot, _, _ in rows:
        looks[base + slot * SLOT] = looks.get(base + slot * SLOT, 0) + 1
    sums = [(base + slot * SLOT, user, 1.0, float(cpus), 0.0, 0.0) for slot, user, cpus in rows]
    found = by_bin(Samples(sums_table(sums), looks_table(sorted(looks.items()))), window)
    for place in range(window.bins):
        begin, end = window.edges[place], min(window.edges[place + 1], NOW + 1)
        count = sum(n for start, n in looks.items() if begin <= start < end)
        assert found.sampled[place] == count
        for row, user in enumerate(found.users):
            wanted = sum(cpus for start, who, _, cpus, *_ in sums if who == user and begin <= start < end)
            if count:
                assert found.means["NCPUS"][row, place] == pytest.approx(wanted / count)
            else:
                assert np.isnan(found.means["NCPUS"][row, place])


def test_a_store_of_before_gets_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("".join(MIGRATIONS[:2]) + "PRAGMA user_version = 2;")
    with opened(path, "demo") as store:
        QueueSamples(store).add(AVERY, NOW, {"a": demand(1)})
        assert len(QueueSamples(store).between(AVERY, 0, NOW + 1).sums) == 1


class TestLook:
    @staticmethod
    def slurm(asked: list[str], *, status: int = 0, stderr: str = "", text: str | None = None) -> Slurm:
        demo = DemoSlurm([run_of(1, start=None, end=None, state="PENDING", alloc_tres="")], now=T0 + 60)

        def runner(argv: Sequence[str], **options: Any) -> Answer:
            asked.append(" ".join(argv))
            return (
                demo(argv, **options) if not status and text is None else Answer(status, (text or "").encode(), stderr)
            )

        return Slurm(runner=runner)

    def test_each_queue_is_kept_with_a_sample(self, store: Store) -> None:
        asked: list[str] = []
        assert looked(self.slurm(asked), store, [AVERY, KIM], T0 + 60) == []
        assert len(asked) == 1, "one question for all"
        assert [row.user for row in QueueSamples(store).last(AVERY).table] == ["alice"]
        assert (QueueSamples(store).last(KIM).at, len(QueueSamples(store).last(KIM).table)) == (T0 + 60, 0)
        assert QueueSamples(store).between(AVERY, 0, T0 + 100).sums["NCPUS"].tolist() == [4]

    def test_where_nobody_answers_one_is_asked(self, store: Store, caplog: pytest.LogCaptureFixture) -> None:
        looked(self.slurm([]), store, [AVERY, KIM], T0 + 60)
        asked: list[str] = []
        down = self.slurm(asked, status=1, stderr="slurm_load_jobs error: Unable to contact slurm controller")
        with caplog.at_level(logging.WARNING):
            failed = looked(down, store, [AVERY, KIM], T0 + 660)
        assert (len(asked), len(failed), len(caplog.records)) == (1, 1, 1)
        for scope in (AVERY, KIM):
            seen = QueueSamples(store).last(scope)
            assert seen.at == T0 + 60
            assert seen.error
            assert "Unable to contact" in seen.error
            assert seen.trouble is Trouble.NO_ANSWER
        assert QueueSamples(store).between(AVERY, 0, T0 + 1000).looks["samples"].sum() == 1, "no answer is no sample"

    def test_who_was_silent_before_is_not_asked_and_told_of_once(
        self, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        asked: list[str] = []
        asking = Asking(self.slurm(asked), store, T0, "demo", (Watched(AVERY), Watched(KIM)), T0 - DAY)
        asking.silent[CONTROLLER] = NoAnswerError("squeue did not answer", trouble=Trouble.NO_ANSWER)
        with caplog.at_level(logging.WARNING):
            failed = sample.look(asking)
        assert (asked, len(failed)) == ([], 1)
        assert [record.getMessage() for record in caplog.records] == [
            "the queue of avery is not known now: squeue did not answer"
        ]
        assert QueueSamples(store).last(KIM).error == "squeue did not answer"

    def test_an_answer_that_is_none_is_no_empty_queue(self, store: Store) -> None:
        asked: list[str] = []
        failed = looked(self.slurm(asked, text=""), store, [AVERY, KIM], T0)
        assert (len(asked), len(failed)) == (1, 1)
        assert (QueueSamples(store).last(AVERY).at, len(QueueSamples(store).between(AVERY, 0, T0 + 1).looks)) == (
            None,
            0,
        )

    def test_rows_that_are_left_out_are_told(self, store: Store) -> None:
        demo = DemoSlurm([run_of(1, start=None, end=None, state="PENDING", alloc_tres="", job="7_[1-9,...]")], now=T0)
        looked(Slurm(runner=demo), store, [AVERY], T0)
        seen = QueueSamples(store).last(AVERY)
        assert (seen.error or "").startswith("left out 1 row of squeue's")
        assert seen.trouble is Trouble.LEFT_OUT

    def test_what_counts_is_asked_where_others_fill_a_limit_too(self, store: Store) -> None:
        """The partition's QoS counts bob's job, which has another QoS; accounts are not named in what is published."""
        asked: list[str] = []
        book = Rulebook(partitions={"cpu": "long"}, accounts={"a": AccountTable("root", ("avery",), {"GrpJobs": "5"})})
        limits = {"avery": ("cpu=430", ""), "kim": ("cpu=2", ""), "long": ("cpu=6", "")}
        wants = {"start": None, "end": None, "state": "PENDING", "alloc_tres": "", "req_tres": "cpu=999"}
        runs = [run_of(1, qos="kim", user="bob", end=None, state="RUNNING"), run_of(2, **wants)]
        demo = DemoSlurm(runs, now=T0 + 60, limits=limits, rules=book)

        def runner(argv: Sequence[str], **options: Any) -> Answer:
            asked.append(" ".join(argv[:3]))
            return demo(argv, **options)

        slurm = Slurm(runner=runner)
        observe(Asking(slurm, store, T0, "demo", (Watched(AVERY),), 0))
        asked.clear()
        assert looked(slurm, store, [AVERY], T0 + 60) == []
        assert [words.split()[0] for words in asked] == ["squeue", "scontrol"]
        counted = QueueSamples(store).last(AVERY).counted
        assert set(counted) == {"QoS", "partition QoS long"}
        assert (counted["QoS"]["cpu"], counted["partition QoS long"]["cpu"]) == (0, 4)
        demo.runs = runs[:1]
        assert looked(slurm, store, [AVERY], T0 + 120) == []
        assert len(asked) == 3, "nobody waits for it any more"
        assert QueueSamples(store).last(AVERY).counted == {}

    def test_where_slurmctld_does_not_tell_what_counts_the_queue_is_known(self, store: Store) -> None:
        demo = DemoSlurm([run_of(1, start=None, end=None, state="PENDING", alloc_tres="", req_tres="cpu=9")], now=T0)

        def runner(argv: Sequence[str], **options: Any) -> Answer:
            return Answer(1, b"", "Access denied") if "assoc_mgr" in argv else demo(argv, **options)

        part = Scope("demo", "avery", accounts=("a",))
        observe(Asking(Slurm(runner=demo), store, T0, "demo", (Watched(part),), 0))
        assert looked(Slurm(runner=runner), store, [part], T0) == []
        seen = QueueSamples(store).last(part)
        assert (len(seen.table), seen.error, seen.counted) == (1, None, {})


class TestDemo:
    def test_a_job_waits_for_what_is_short(self) -> None:
        def pending_run(number: int, **changes: object) -> Any:
            return run_of(number, **{"start": None, "end": None, "state": "PENDING", "alloc_tres": "", **changes})

        runs = [
            run_of(1, end=None, state="RUNNING", alloc_tres="cpu=6,gres/gpu=2,mem=1G"),
            pending_run(2, req_tres="cpu=3,mem=1G"),
            pending_run(3, req_tres="cpu=1,gres/gpu=1,mem=1G"),
            pending_run(4, req_tres="cpu=1,mem=9G"),
            pending_run(5, req_tres="cpu=1,mem=1G"),
            pending_run(6, job="6_[1-9%3]", eligible=None),
            pending_run(7, eligible=None),
            pending_run(8, eligible=T0 + 10**6),
        ]
        told = reasons(runs, {"avery": "cpu=8,gres/gpu=2,mem=8G"}, T0 + 100)
        assert [reason for _, reason in told] == [
            *("None", "QOSGrpCpuLimit", "QOSGrpGRES", "QOSGrpMemLimit", "Priority", "JobArrayTaskLimit"),
            *("Dependency", "BeginTime"),
        ]

    def test_the_past_is_that_of_the_runs(self) -> None:
        runs = [
            run_of(1, eligible=T0 + 100, start=T0 + 300),
            run_of(2, eligible=T0 + 200, start=None, end=T0 + 250, req_tres="cpu=2,gres/gpu=1"),
            run_of(3, user="bob", eligible=None, start=None, end=None),
        ]
        moments = range(T0, T0 + 500, 50)
        found = waiting_at(runs, "avery", moments)
        expected = {
            moment: sum((run.eligible or 0) <= moment < (run.start or run.end or 0) for run in runs if run.eligible)
            for moment in moments
        }
        assert {moment: users["alice"].jobs if users else 0 for moment, users in found.items()} == expected
        assert found[T0 + 200]["alice"].wanted == {"NCPUS": 6, "NGPUS": 1, "MEMORY": 0}
        assert len(as_seen(runs, T0 + 150)) == 3

    def test_it_refuses_what_squeue_would_not_be_asked(self) -> None:
        demo = DemoSlurm([], now=T0)
        for argv in (["squeue"], ["squeue", "-h", "-a"], ["squeue", "-a", "-M", "demo", "--qos=a", "-O", "Name:|"]):
            assert demo(argv, timeout=1, env={"SLURM_TIME_FORMAT": "%s"}).status == 1
