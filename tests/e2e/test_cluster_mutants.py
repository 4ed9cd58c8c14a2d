"""That the comparison with the database can fail: a program with a fault in its accounting is caught by it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cluster.client import Cluster, copy_program
from tests.cluster.compare import assert_equals_oracle
from tests.cluster.program import Program

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("finished")]


class Fault(NamedTuple):
    """A text of one of the program's files that is replaced by another, which is wrong."""

    file: str
    right: str
    wrong: str


JOBS = 'Observable("NJOBS", "Running jobs", "jobs", "job-hours", "", '
FAULTS = {
    "what was asked for is counted": Fault("subjects/jobs/question.py", '"AllocTRES":', '"ReqTRES":'),
    "only the last run of a requeued job": Fault("subjects/jobs/question.py", '"-X", "-D",', '"-X",'),
    "nodes are counted as jobs": Fault("shared/resources.py", f"{JOBS}None", f'{JOBS}lambda held: held.get("node", 0)'),
    "steps are counted as jobs": Fault("subjects/jobs/question.py", '"-X", "-D",', '"-D",'),
    "a pause stops all": Fault("shared/resources.py", "pausable: bool = False", "pausable: bool = True"),
    "suspended time is counted": Fault("subjects/usage/binning.py", 'whole - ints(jobs, "suspended")', "whole"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught(cluster: Cluster, tmp_path: Path, name: str) -> None:
    number = list(FAULTS).index(name)
    program = Program(cluster, "carol", f"/home/carol/fault-{number}", source=f"/opt/fault-{number}")
    copy_program(tmp_path)
    put_in(tmp_path, FAULTS[name])
    tmp_path.chmod(0o755)
    cluster.bind(tmp_path, program.source)
    program.configure(["avery"])
    program.run("run", check=False)
    with pytest.raises((AssertionError, KeyError, TypeError)):
        assert_equals_oracle(cluster, program.data("avery"))


def put_in(folder: Path, fault: Fault) -> None:
    """Replace the right text, which is there once, so that a fault cannot be left out unnoticed."""
    path = folder / "librarian" / fault.file
    text = path.read_text(encoding="utf-8")
    assert text.count(fault.right) == 1, f"{fault.file} has {fault.right!r} {text.count(fault.right)} times"
    path.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")
