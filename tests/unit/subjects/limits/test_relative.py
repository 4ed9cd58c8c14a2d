"""A QoS with the flag Relative: its percentages are never numbers of CPUs, and slurmctld's numbers stand for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from librarian.cli.limits import table
from librarian.config.initial import _examples, _said
from librarian.demo.slurm import DemoSlurm
from librarian.demo.tables import Rulebook
from librarian.errors import SlurmError
from librarian.shared.names import AccountName, PartitionName
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.store import opened
from librarian.subjects.limits import qos, relative
from librarian.subjects.limits.collect import known_limits, observe
from librarian.subjects.limits.counted import group_limits
from librarian.subjects.limits.effective_limits import Partition, compose
from librarian.subjects.limits.model import UNKNOWN, Limit, limits_of
from librarian.subjects.limits.now import Headroom, policies
from librarian.subjects.limits.policy import OWN, Held, rows
from librarian.subjects.limits.policy_json import policy_row
from librarian.subjects.limits.rules import PartitionQos, QosLimits, pack, unpack
from librarian.subjects.queue.blocking import Bounds
from librarian.subjects.queue.explain import Case, told
from librarian.subjects.subject import Asking, Watched
from librarian.system.processes import Answer
from tests.unit.runs import T0, run_of

AVERY = Scope("demo", "avery")
FLAGS = ("DenyOnLimit", "Relative")
TENTH = QosLimits(
    {"cpu": 10.0, "mem": 5.0}, 7.0, {"MaxTRESPerUser": {"cpu": 3.0}, "MaxWall": {"walltime": 60.0}}, FLAGS
)
PERCENT = ("GrpTRES", "MaxTRESPerUser")
STATE = """\
Current Association Manager state

QOS Records

QOS=Avery(5)
    UsageRaw=0.000000
    GrpJobs=7(2) GrpJobsAccrue=N(0) GrpSubmitJobs=N(2) GrpWall=N(0.00)
    GrpTRES=cpu={cpus}(12),mem={mem}(4096),energy=N(0),node=N(1)
    GrpTRESMins=cpu=N(0),mem=N(0)
    MaxTRESPJ=
    Account Limits
      lab
        MaxTRESPA=cpu=N(12)
    User Limits
      alice(5001)
        MaxTRESPU=cpu=36(12)
"""


def parsed(flags: str = "DenyOnLimit,Relative", tres: str = "cpu=10,mem=5M") -> QosLimits:
    cells = {"Name": "avery", "GrpTRES": tres, "GrpJobs": "7", "MaxTRESPU": "cpu=3", "MaxWall": "00:01:00"}
    row = "|".join({**cells, "Flags": flags}.get(name, "") for name in qos.HEADER.split("|"))
    return qos.parse(f"{qos.HEADER}\n{row}\n")["avery"]


def slurm(state: str | None, asked: list[str] | None = None) -> Slurm:
    """Slurm with a Relative QoS; `state` is what scontrol tells, None: it does not."""
    book = Rulebook(qos={"avery": {"Flags": "Relative"}}, partitions={"cpu": ""})
    demo = DemoSlurm(
        [run_of(1, end=None)], now=T0, limits={"avery": ("cpu=10,mem=5M", ""), "kim": ("", "")}, rules=book
    )

    def runner(argv: Sequence[str], **options: Any) -> Answer:
        if asked is not None:
            asked.append(" ".join(argv))
        if "assoc_mgr" not in argv:
            return demo(argv, **options)
        return Answer(1, b"", "Access denied") if state is None else Answer(0, state.encode(), "")

    return Slurm(runner=runner)


def test_percentages_are_told_from_numbers() -> None:
    limits = parsed()
    assert (limits.percent, limits.tres, limits.jobs) == (PERCENT, {"cpu": 10, "mem": 5}, 7)
    plain = parsed("DenyOnLimit")
    assert (plain.percent, plain.tres) == ((), {"cpu": 10, "mem": 5 / 1024})
    assert limits_of(OBSERVABLES, limits, {})["NCPUS"] == UNKNOWN
    assert limits_of(OBSERVABLES, limits, {})["NJOBS"] == Limit("limit", 7, "GrpJobs"), "jobs are counted, not measured"
    assert limits_of(OBSERVABLES, limits, {"cpu": 40.0})["NCPUS"].value == 40


def test_no_use_stands_beside_a_percentage() -> None:
    """12 CPUs beside 10 % of the cluster's were told as 120 %."""
    held = {OWN: Held({"cpu": 12.0, "jobs": 2.0}, {"alice": {"cpu": 12.0}})}
    found = rows("avery", parsed(), {}, {}, held)
    json_rows = {row["setting"]: row for row in map(policy_row, found) if row["resource"] in ("cpu", "jobs")}
    cpu, user, jobs = (json_rows[name] for name in ("GrpTRES", "MaxTRESPerUser", "GrpJobs"))
    assert [(row["limit"], row["unit"], row["used"]) for row in (cpu, user, jobs)] == [
        (10, "%", None), (3, "%", None), (7, "jobs", 2)
    ]  # fmt: skip
    (line,) = (line for line in table([Headroom("avery", found)], 0) if "GrpTRES cpu" in line)
    assert line.split()[:6] == ["avery", "cpu", "group", "10", "%", "?"]


def test_init_tells_percentages_as_such() -> None:
    assert _said(parsed()) == "cpu=10 %, mem=5 %, jobs=7"
    assert "cpu = 0\n" in _examples(parsed())
    assert _said(parsed("")) == "cpu=10, mem=0.0048828125 GiB, jobs=7"


def test_why_jobs_wait_for_a_percentage_has_no_number() -> None:
    place = frozenset({(PartitionName("cpu"), AccountName("lab"))})
    bounds = Bounds({"NCPUS": UNKNOWN}, {"alice": {"NCPUS": 12.0}}, parsed())  # type: ignore[dict-item]
    group = Case("QOSGrpCpuLimit", {"alice": 1}, {"NCPUS": [(20.0, 1)]}, ["lab"], [], places=place)  # type: ignore[dict-item]
    assert told(group, bounds)[0] == "The limit of the group is reached: CPUs. In this QoS alice holds 12."
    user = Case("QOSMaxCpuPerUserLimit", {"alice": 1}, {"NCPUS": [(20.0, 1)]}, ["lab"], [], places=place)  # type: ignore[dict-item]
    assert (
        told(user, bounds)[0]
        == "Who waits here is at a limit that holds for each user: CPUs; in this QoS alice holds 12."
    )


def test_what_is_kept_is_read_again_and_what_was_kept_before_is_no_number() -> None:
    limits = parsed()
    wide = compose("long", {"long": QosLimits({}, None), "avery": limits}, {"p": Partition("avery")}, ())
    assert wide is not None
    assert wide.partitions["p"] == PartitionQos("avery", limits.rules, PERCENT)
    for one in (limits, wide, numbered(limits)):
        assert unpack(json.loads(json.dumps(pack(one)))) == one
    before = {name: value for name, value in pack(TENTH).items() if name != "percent"}
    assert unpack(before).percent == PERCENT


def numbered(limits: QosLimits, numbers: dict[str, float] | None = None) -> QosLimits:
    asked = {"cpu": 10.0, "mem": 5.0}
    return relative.in_numbers({"AVERY": limits}, {"avery": (asked, numbers or {"cpu": 12.0, "mem": 4.0})})["AVERY"]


def test_slurmctlds_numbers_stand_for_the_percentages_of_which_it_was_asked() -> None:
    found = numbered(parsed())
    assert (found.tres, found.percent) == ({"cpu": 12, "mem": 4}, ("MaxTRESPerUser",))
    assert numbered(parsed(), {"cpu": 12.0}).percent == PERCENT, "it does not tell all"
    assert numbered(parsed(tres="cpu=20,mem=5M")).percent == PERCENT, "they have changed since"
    assert numbered(parsed("")).tres == {"cpu": 10, "mem": 5 / 1024}


def test_slurmctld_is_asked_where_there_is_a_percentage_alone() -> None:
    asked: list[str] = []
    assert relative.ask(slurm("", asked), {"kim": parsed("")}) == {}
    assert asked == []
    state = STATE.format(cpus=12, mem=4096)
    found = relative.ask(slurm(state, asked), {"AVERY": parsed()})
    assert found == {"avery": ({"cpu": 10, "mem": 5}, {"cpu": 12, "mem": 4})}
    assert asked == ["scontrol show assoc_mgr flags=qos qos=avery"]


@pytest.mark.parametrize("state", ["", STATE.format(cpus="many", mem=1)])
def test_an_answer_that_is_not_understood_is_none(state: str) -> None:
    with pytest.raises(SlurmError):
        group_limits(slurm(state), ["avery"])


def test_what_slurmctld_told_last_goes_on(tmp_path: Path) -> None:
    """Until it is asked for other percentages."""
    with opened(tmp_path / "s", "demo") as store:

        def cpus(state: str | None) -> Limit:
            asked = Asking(slurm(state), store, T0, "demo", (Watched(AVERY),), 0)
            assert observe(asked) == []
            return limits_of(OBSERVABLES, known_limits(store, "avery"), {})["NCPUS"]

        assert cpus(None) == UNKNOWN
        assert cpus(STATE.format(cpus=12, mem=4096)) == Limit("limit", 12, "GrpTRES cpu")
        assert cpus(None).value == 12
        assert cpus(STATE.format(cpus=14, mem=4096)).value == 14
        assert cpus(STATE.format(cpus="N", mem="N")) == UNKNOWN


@pytest.mark.parametrize(("state", "expected"), [(None, 10), (STATE.format(cpus=12, mem=4096), 12)])
def test_at_this_moment_too(state: str | None, expected: float) -> None:
    asking = slurm(state)
    found = policies(asking, "demo", qos.ask(asking), ["avery"])["avery"]
    assert (found.tres["cpu"], "GrpTRES" in found.percent) == (expected, expected == 10)
