"""The card of a job as a page, and where a running one is on its nodes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from librarian.errors import SlurmError
from librarian.site import assets
from librarian.slurm.command import Slurm
from librarian.subjects.efficiency import card, job_page, placed
from librarian.subjects.efficiency.ask_job import Told
from librarian.subjects.efficiency.options import Rules
from librarian.subjects.efficiency.placed import Placed, count, nodes, parse
from librarian.system.processes import Answer
from tests.unit.subjects.efficiency.test_job_card import START, STEP, WHOLE, one, text

RUNNING = {**WHOLE, "State": "RUNNING", "End": "Unknown"}
DETAIL = """JobId=130 JobName=fit
   UserId=ada(5001) GroupId=ada(5001) MCS_label=N/A
   JobState=RUNNING Reason=None Dependency=(null)
   NodeList=c[01-02],d1
   TRES=cpu=8,mem=1500M,node=3,billing=8,gres/gpu=4
   JOB_GRES=gpu:a100:4
     Nodes=c[01-02] CPU_IDs=0-1,4 Mem=500 GRES=gpu:a100:2(IDX:0-1)
     Nodes=d1 CPU_IDs=7,9 Mem=500 GRES=
   MinCPUsNode=1 MinMemoryNode=500M MinTmpDiskNode=0
   Command=(null)
"""


def page(told: Told, earlier: tuple[Told, ...] = ()) -> str:
    return job_page.page(told, Rules(), "UTC", START, earlier, templates=assets.templates(), version="1")


def test_it_says_what_the_terminal_says() -> None:
    told = one(WHOLE, STEP)
    made = page(told)
    assert "50 % used" in made
    assert 'meter value="0.5"' in made
    for found in card.found(told, Rules()):
        assert found.advice in made
    assert "<script" not in made
    assert "Nothing stands out" not in made


def test_what_is_not_measured_has_no_meter() -> None:
    made = page(one(WHOLE | {"TotalCPU": "00:00:00", "UserCPU": "00:00:00", "SystemCPU": "00:00:00"}))
    assert "<meter" not in made
    assert "0 % used" not in made


def test_more_than_was_allocated_is_told_as_that() -> None:
    made = page(one(WHOLE | {"TotalCPU": "08:00:00"}, STEP))
    assert "200 %" in made
    assert 'meter value="1.0"' in made


def test_what_comes_from_outside_is_escaped() -> None:
    evil = "</style><script>alert(1)</script>"
    told = one(WHOLE | {"User": evil, "NodeList": evil, "AllocTRES": "cpu=4"}, STEP)
    made = page(replace(told, name=evil, id=f"1{evil}", placed=(Placed(evil, evil, 1, evil),)))
    assert "<script" not in made
    assert made.count("</style>") == 1


def test_where_a_running_job_is() -> None:
    there = parse(DETAIL, 8)
    assert there == (
        Placed("c[01-02]", "0-1,4", 500, "gpu:a100:2(IDX:0-1)"),
        Placed("d1", "7,9", 500, ""),
    )
    assert [place.gpus for place in there] == ["0-1", ""]
    assert Placed("x", "", 0, "gpu:a100:1(IDX:3),shard:2(1/4),gpu:h100:2(IDX:0,5)").gpus == "3,0,5"
    told = replace(one(RUNNING), placed=there)
    assert "c[01-02]: CPUs 0-1,4, 0.49 GiB, GPUs 0-1 each" in text(told)
    found = card.card_json(told, Rules())["placed"]
    assert isinstance(found, list)
    assert found[0] == {
        **{"nodes": "c[01-02]", "cpu_ids": "0-1,4", "gpu_ids": "0-1", "memory": 500 << 20},
        "gres": "gpu:a100:2(IDX:0-1)",
    }
    assert card.card_json(one(RUNNING), Rules())["placed"] is None, "not known"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "slurm_load_jobs error: Invalid job id specified",
        DETAIL.replace("CPU_IDs=7,9", "CPU_IDs=7"),
        DETAIL.replace("CPU_IDs=7,9", "CPU_IDs=9-7"),
        DETAIL.replace("JobName=fit", "JobName=fit\n     Nodes=x CPU_IDs=0-7 Mem=1 GRES=\n"),
        DETAIL + DETAIL,
    ],
    ids=["nothing", "unknown", "too few", "no range", "a name that looks like it", "several jobs"],
)
def test_what_does_not_add_up_is_not_known(said: str) -> None:
    assert parse(said, 8) == ()


def test_names_and_numbers_in_ranges() -> None:
    assert [count(ranges) for ranges in ("0", "0-3,7", "", "x", "5-", "0-9999999")] == [1, 5, 0, 0, 0, 0]
    assert [nodes(names) for names in ("c1", "c[01-03,07],d1", "r[1-2]c[1-3]", "")] == [1, 5, 6, 0]


def test_where_slurmctld_does_not_answer_the_card_is_told_without() -> None:
    def run(argv: list[str], **options: object) -> Answer:
        assert argv == ["scontrol", "show", "job", "-d", "123_4"]
        return Answer(1, b"", "slurm_load_jobs error: Unable to contact slurm controller\n")

    with pytest.raises(SlurmError):
        Slurm(runner=run).run("scontrol", ("show", "job", "-d", "123_4"))  # type: ignore[arg-type]
    assert placed.ask(Slurm(runner=run), "123_4", "cpu=8") == ()  # type: ignore[arg-type]
