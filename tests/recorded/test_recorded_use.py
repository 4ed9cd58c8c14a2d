"""What sacct of real clusters told of steps, read and judged: tests/data/slurm-<version>/sacct-use.txt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from librarian.errors import SlurmError
from librarian.shared.scope import Scope
from librarian.subjects.efficiency.ask import HEADER, parse
from librarian.subjects.efficiency.model import Flag, Peak, Source, UsedRun, hours_of
from librarian.subjects.efficiency.slots import resources_of
from librarian.system.processes import Answer

RECORDINGS = sorted(path.parent for path in (Path(__file__).parent.parent / "data").glob("slurm-*/sacct-use.txt"))
SCOPES = (Scope("hpg", "avery"), Scope("hpg", "kim"))
MB = 10**6


class Recording:
    def __init__(self, folder: Path) -> None:
        self.answer = Answer(0, (folder / "sacct-use.txt").read_bytes(), "")
        self.ids = json.loads((folder / "commands.json").read_text())["use"]
        self.told = parse(self.answer, SCOPES)

    def runs(self, label: str) -> list[UsedRun]:
        found = [used for used in self.told.runs.values() if used.run.jobid == int(self.ids[label])]
        return sorted(found, key=lambda used: used.run.start)

    def __getitem__(self, label: str) -> UsedRun:
        (used,) = self.runs(label)
        return used


@pytest.fixture(params=RECORDINGS, ids=lambda folder: folder.name)
def recorded(request: pytest.FixtureRequest) -> Recording:
    return Recording(request.param)


def test_every_row_is_understood(recorded: Recording) -> None:
    assert len(RECORDINGS) == 2
    assert recorded.told.rejects == {}
    assert len(recorded.told.runs) == recorded.told.rows == 27
    assert not any(Flag.NONSENSE in used.use.flags for used in recorded.told.runs.values())


def test_cpu_time_is_the_sum_over_steps(recorded: Recording) -> None:
    busy = recorded["busy"]
    assert busy.use.cpu in (7490, 8319)
    assert busy.use.cpu == pytest.approx((busy.use.user or 0) + (busy.use.system or 0), abs=2)
    hours = hours_of(busy)["NCPUS"]
    assert hours.efficiency == pytest.approx((busy.use.cpu or 0) / 1000 / (busy.run.elapsed * 4), abs=1e-4)


def test_memory_of_tasks_and_of_steps_in_turn_and_together(recorded: Recording) -> None:
    tasks, turn, together = (recorded[label].use for label in ("four tasks", "in turn", "together"))
    assert 200 * MB < (tasks.memory or 0) < 260 * MB, "four tasks of 50 MB and their Pythons"
    assert (tasks.peak, turn.peak, together.peak) == (Peak.STEPS,) * 3, "srun stands in .batch beside each step"
    assert 100 * MB < (turn.memory or 0) < 120 * MB, "the larger of 60 and 90 MB"
    assert 180 * MB < (together.memory or 0) < 200 * MB, "both"


def test_a_job_of_no_time_has_cpu_time_and_no_memory(recorded: Recording) -> None:
    for label in ("short", "failed"):
        use = recorded[label].use
        assert use.cpu is not None
        assert (use.memory, use.memory_source, use.cpu_source) == (None, None, Source.STEPS)


def test_ends_of_every_kind(recorded: Recording) -> None:
    states = {label: recorded[label].run.state for label in ("timed out", "failed", "cancelled", "out of memory")}
    assert states == {"timed out": "TIMEOUT", "failed": "FAILED", "cancelled": "CANCELLED", "out of memory": "FAILED"}
    assert recorded["timed out"].run.limit == 60
    full = recorded["out of memory"]
    assert full.use.flags == {Flag.MORE_MEMORY}, "without cgroups: it was ended for that"
    assert (full.use.memory or 0) > 60 << 20


def test_a_requeued_job_is_two_runs_each_with_its_own_steps(recorded: Recording) -> None:
    first, second = recorded.runs("requeued")
    assert (first.run.state, second.run.state) == ("REQUEUED", "COMPLETED")
    assert first.run.end <= second.run.start
    assert all(40 * MB < (used.use.memory or 0) < 45 * MB for used in (first, second))


def test_of_a_resized_job_the_script_is_told_no_more(recorded: Recording) -> None:
    first, second = recorded.runs("resized")
    assert (first.run.state, first.run.end) == ("RESIZING", second.run.start)
    for used in (first, second):
        assert Flag.PARTLY in used.use.flags
        assert hours_of(used)["NCPUS"].measured == 0


def test_parts_of_a_heterogeneous_job_and_tasks_of_an_array_are_runs(recorded: Recording) -> None:
    assert {"1014", "1015"} <= {str(used.run.jobid) for used in recorded.told.runs.values()}
    assert {1013, 1016, 1017} <= {used.run.jobid for used in recorded.told.runs.values()}


def test_purged_steps_and_nothing_gathered_are_not_known_and_not_nothing(recorded: Recording) -> None:
    for label, flag in (("purged", Flag.NO_STEPS), ("not gathered", Flag.NOT_GATHERED)):
        used = recorded[label]
        assert (used.use.cpu, used.use.memory, used.use.source) == (None, None, None)
        assert used.use.flags == {flag}
        assert hours_of(used)["NCPUS"].efficiency is None


def test_jobstats_where_sacctmgr_left_them_as_they_were(recorded: Recording) -> None:
    gpus = recorded["gpus"]
    if b"js1:" in recorded.answer.stdout:
        assert gpus.use.flags == {Flag.BAD_STATS}, "22.05 stores a comment in lower case, which spoils base64"
        assert (gpus.use.gpu, gpus.use.cpu_source) == (None, Source.STEPS)
    else:
        assert resources_of(gpus)["NGPUS:a100"].efficiency == pytest.approx(0.1875, abs=1e-3)
        assert (gpus.use.source, gpus.use.gpu_memory) == (Source.JOBSTATS, 1 << 30)
    assert Flag.SHORT in recorded["busy"].use.flags
    assert recorded["in turn"].use.flags == frozenset(), "another remark of an admin's"


def test_an_answer_that_ends_early_is_none(recorded: Recording) -> None:
    whole = recorded.answer.stdout
    with pytest.raises(SlurmError, match="cut off"):
        parse(Answer(0, whole[: len(whole) // 2], ""), SCOPES)
    assert whole.startswith(HEADER.encode())
