"""squeue's answers, and what becomes of them: counted, grouped, summed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.errors import NoAnswerError, SlurmError, Trouble
from librarian.privacy.renaming import Renaming, renamed
from librarian.shared.names import AccountName
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.slurm.job_ids import count_tasks
from librarian.slurm.squeue import DELIMITER
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.limits.model import Limit, QosLimits
from librarian.subjects.limits.rules import Account, PartitionQos
from librarian.subjects.queue.ask import FIELDS, Question, arguments, ask, parse
from librarian.subjects.queue.blocking import Bounds
from librarian.subjects.queue.model import LastQueue, Queue, summarise, wanted
from librarian.subjects.queue.table import held, held_at, queue_table, understood
from librarian.system.processes import Answer
from tests.unit.reports import NOW, pending

NODES = "ReqNodeNotAvail, UnavailableNodes:c01"
HEADER = DELIMITER.join(["JOBID", "STATE", *["X"] * (len(FIELDS) - 2), ""])
CELLS = {
    **{"JobArrayID": "1001", "State": "PENDING", "UserName": "alice", "Account": "lab", "QOS": "avery"},
    **{"Partition": "cpu,gpu", "Reason": "Priority", "tres-alloc": "cpu=2,mem=3000M,node=1,billing=2"},
    **{"Dependency": "(null)", "SubmitTime": "100", "EligibleTime": "N/A", "StartTime": "N/A", "PriorityLong": "10"},
}


def line(**cells: str) -> str:
    return DELIMITER.join([*({**CELLS, **cells}[name] for name in FIELDS), ""])


def answer(*lines: str, header: str = HEADER) -> Answer:
    return Answer(0, "".join(f"{one}\n" for one in (header, *lines)).encode(), "")


def test_the_question() -> None:
    asked = arguments(Question(Scope("hpg", "avery", ("a", "b"), ("gpu",))))
    assert asked[:3] == ["-a", "-M", "hpg"]
    assert asked[3:-2] == [
        "--states=PENDING,SPECIAL_EXIT,RESV_DEL_HOLD",
        "--qos=avery",
        "--account=a,b",
        "--partition=gpu",
    ]
    assert asked[-1].startswith(f"JobArrayID:{DELIMITER},State:{DELIMITER},")
    assert "-r" not in asked
    assert "-h" not in asked


def test_a_row() -> None:
    told = parse(Answer(0, f"CLUSTER: hpg\n{HEADER}\n{line()}\n".encode(), ""))
    assert told.rejects == ()
    (row,) = told.table
    assert row._asdict() == {
        **{
            "job": "1001",
            "state": "PENDING",
            "user": "alice",
            "account": "lab",
            "qos": "avery",
            "partition": "cpu,gpu",
        },
        **{"reason": "Priority", "tres": CELLS["tres-alloc"], "dependency": "", "tasks": 1, "submit": 100},
        **{"eligible": UNKNOWN, "start": UNKNOWN, "priority": 10},
    }


def test_an_empty_queue_is_not_no_answer() -> None:
    assert len(parse(answer()).table) == 0
    for text in ("", "\n", "slurm_load_jobs error: Unable to contact slurm controller\n", HEADER, "CLUSTER: hpg\n"):
        with pytest.raises(SlurmError, match="squeue"):
            parse(Answer(0, text.encode(), ""))


def test_an_answer_that_is_cut_off_is_refused() -> None:
    with pytest.raises(SlurmError, match="cut off"):
        parse(Answer(0, f"{HEADER}\n{line()}\n{line()[:20]}".encode(), ""))


@pytest.mark.parametrize(
    "cells",
    [{"tres-alloc": "cpu"}, {"SubmitTime": "2026-11-20T10:00:00"}, {"JobArrayID": "7_[1-9,..."}, {"PriorityLong": "x"},
     {"UserName": f"a{DELIMITER}b"}, {"StartTime": "9" * 30}],
)  # fmt: skip
def test_a_row_that_is_not_understood_is_left_out_and_told(cells: dict[str, str]) -> None:
    told = parse(answer(line(), line(**{"JobArrayID": "1002", **cells})))
    assert (len(told.table), len(told.rejects)) == (1, 1)


def test_a_job_that_is_listed_for_each_partition_counts_once() -> None:
    assert len(parse(answer(line(Partition="cpu"), line(Partition="gpu"))).table) == 1


def test_het_components_are_jobs_of_their_own() -> None:
    assert len(parse(answer(line(JobArrayID="9+0"), line(JobArrayID="9+1"))).table) == 2


def test_variables_that_would_narrow_the_answer_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    slurm = Slurm(runner=lambda *_, **__: answer(line()))
    assert len(ask(slurm, Question(Scope("hpg", "avery"))).table) == 1
    monkeypatch.setenv("SQUEUE_USERS", "")
    with pytest.raises(SlurmError, match="unset SQUEUE_USERS"):
        ask(slurm, Question(Scope("hpg", "avery")))


def test_nobody_at_the_other_end() -> None:
    said = "squeue: error: 'hpg' can't be reached now, or it is an invalid entry for --cluster."
    with pytest.raises(NoAnswerError):
        ask(Slurm(runner=lambda *_, **__: Answer(1, b"", said)), Question(Scope("hpg", "avery")))


@pytest.mark.parametrize(
    ("job", "tasks"),
    [
        ("7", 1),
        ("7_3", 1),
        ("9+1", 1),
        ("7_[1-100000]", 100_000),
        ("7_[5]", 1),
        ("7_[0-8:2,77%4]", 6),
        ("7_[1,3,5-6%1]", 4),
    ],
)
def test_tasks_of_an_array(job: str, tasks: int) -> None:
    assert count_tasks(job) == tasks


@given(st.sets(st.integers(0, 300), min_size=1), st.integers(0, 9))
def test_any_set_of_tasks_is_counted(tasks: set[int], throttle: int) -> None:
    parts, run = [], sorted(tasks)
    while run:
        length = next((n for n, task in enumerate(run) if task != run[0] + n), len(run))
        parts.append(str(run[0]) if length == 1 else f"{run[0]}-{run[length - 1]}")
        run = run[length:]
    assert count_tasks(f"12_[{','.join(parts)}{f'%{throttle}' if throttle else ''}]") == len(tasks)


def summary(*rows: tuple[object, ...], limit: float = 430.0, **now: float) -> Queue:
    seen = LastQueue(NOW, queue_table(rows))
    held = {user: {"NCPUS": use} for user, use in now.items()}
    return summarise(seen, Bounds({"NCPUS": Limit("limit", limit, "")}, held))


def test_groups() -> None:
    found = summary(
        pending("a", "Priority"),
        pending("a", "Priority", "cpu=1", eligible=NOW + 60),
        pending("b", "BeginTime", eligible=NOW + 3600),
        pending("b", "Dependency", eligible=UNKNOWN),
        pending("c", "JobHeldUser", priority=0),
        pending("c", "SomethingNew", priority=0),
        pending("c", "JobArrayTaskLimit", tasks=40),
    )
    assert {name: demand.jobs for name, demand in found.groups.items()} == {
        **{"competing": 1, "begin": 2, "dependency": 1, "held": 42}
    }
    assert found.jobs == 46


def test_sums_of_tasks_and_the_order_of_users() -> None:
    found = summary(
        pending("small", "Priority", "cpu=1,mem=1G", tasks=100),
        pending("large", "Priority", "cpu=64,mem=512M,gres/gpu=4,gres/gpu:a100=4", tasks=10),
        pending("held", "JobHeldUser", "cpu=9999"),
    )
    assert [waiter.user for waiter in found.users] == ["large", "small", "held"]
    assert found.users[0].all.wanted == {"NCPUS": 640, "NGPUS": 40, "MEMORY": 5}
    assert found.groups["competing"].wanted == {"NCPUS": 740, "NGPUS": 40, "MEMORY": 105}
    assert [cause.reason for cause in found.causes] == ["Priority", "JobHeldUser"]
    assert found.causes[0].users == {"small": 100, "large": 10}
    assert found.users[2].oldest is None


def test_a_start_that_should_have_been_is_expected_no_more() -> None:
    """slurmctld's estimate stays as it was made until the backfill scheduler comes by again."""
    found = summary(pending("a", "Priority", start=NOW - 1), pending("b", "Priority", start=NOW))
    assert found.next_start is None
    assert [waiter.next_start for waiter in found.users] == [None, None]
    assert [cause.next_start for cause in found.causes] == [None]
    later = summary(pending("a", "Priority", start=NOW - 1), pending("b", "Priority", start=NOW + 1))
    assert (later.next_start, later.causes[0].next_start) == (NOW + 1, NOW + 1)


@pytest.mark.parametrize("state", ["SPECIAL_EXIT", "RESV_DEL_HOLD"])
@pytest.mark.parametrize(
    "reason",
    [
        "RaisedSignal:53(Real-time signal 19)",
        "NonZeroExitCode:1",
        "None",
        "(null)",
        "Priority",
        "Dependency",
        "BeginTime",
    ],
)
def test_a_job_in_a_state_that_keeps_it_back_is_held(state: str, reason: str) -> None:
    row = pending("b", reason, state=state, eligible=NOW + 60, start=NOW + 60)
    found = summary(pending("a", "JobHeldUser", priority=0), row)
    assert (found.jobs, found.groups["held"].jobs, found.next_start) == (2, 2, None)
    words = " ".join(f"{cause.text} {cause.todo}" for cause in found.causes)
    assert "elease" in words.replace("Its owner lets it go with scontrol release.", "")
    assert "Wait" not in words
    assert wanted(queue_table([row]), NOW) == {}


def test_words_tell_of_no_turn_that_a_job_does_not_have() -> None:
    held, begins = summary(
        pending("a", "Priority", priority=0), pending("b", "Resources", eligible=NOW + 60, start=NOW + 60)
    ).causes
    assert (held.group, held.reason) == ("held", "Priority")
    assert held.text == "It is held: it will not start before it is released."
    assert (begins.group, begins.text) == ("begin", "Its time to begin has not come yet.")
    (limited,) = summary(pending("a", "QOSGrpCpuLimit", priority=0), b=430.0).causes
    assert (limited.text, limited.holders) == (held.text, ())


def test_since_when_they_wait_and_when_they_start() -> None:
    found = summary(
        pending("a", "Priority", submit=NOW - 9000, eligible=NOW - 100, start=NOW + 50),
        pending("b", "Priority", submit=NOW - 300, eligible=UNKNOWN),
        pending("c", "JobHeldUser", submit=NOW - 10**6, eligible=NOW - 10**6, start=NOW - 10**6),
        pending("d", "BeginTime", eligible=NOW + 30, start=NOW + 30),
    )
    assert found.oldest == ("b", NOW - 300)
    assert found.next_start == NOW + 30
    assert {waiter.user: waiter.next_start for waiter in found.users} == {
        "a": NOW + 50,
        "b": None,
        "c": None,
        "d": NOW + 30,
    }
    assert found.still == {"cpu": (2, 200), "gpu": (0, None)}


def test_the_words_have_the_use_of_now() -> None:
    row = pending("zoe", "QOSGrpCpuLimit")
    (cause,) = summary(row, alice=400.0, bob=30.0).causes
    assert cause.text == "All of the group's 430 CPUs are in use: alice holds 400, bob 30."
    (renamed,) = summary(row, **{"user 1": 400.0}).causes
    assert "alice" not in renamed.text


def test_never_asked_is_not_empty() -> None:
    found = summarise(LastQueue(error="squeue did not answer"), Bounds())
    assert (found.at, found.error, found.jobs) == (None, "squeue did not answer", 0)


def test_a_sample_has_only_those_that_compete() -> None:
    table = queue_table([pending("a", "Priority", tasks=3), pending("a", "JobHeldUser"), pending("b", "Dependency")])
    (user, demand), *rest = wanted(table, NOW).items()
    assert (user, demand.jobs, demand.wanted["NCPUS"], rest) == ("a", 3, 12, [])
    assert wanted(queue_table([]), NOW) == {}


def test_what_is_held_counts_suspended_jobs_and_not_those_that_wait() -> None:
    rows = [
        pending("a", "None", state="RUNNING"),
        pending("a", "None", "cpu=2", state="SUSPENDED"),
        pending("b", "Priority"),
    ]
    found = held(queue_table(rows), OBSERVABLES)
    assert found == {"a": {"NCPUS": 6, "NGPUS": 0, "MEMORY": 16, "NJOBS": 2, "BILLING": 4}}
    assert len(understood(queue_table(rows), NOW)) == 1


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["Priority", "JobHeldUser", "X"]), st.integers(1, 50)))
)
def test_parts_add_up_to_the_whole(rows: list[tuple[str, str, int]]) -> None:
    table = [pending(user, reason, tasks=tasks, job=str(n)) for n, (user, reason, tasks) in enumerate(rows)]
    found = summary(*table)
    whole = sum(tasks for _, _, tasks in rows)
    assert found.jobs == whole
    assert sum(demand.jobs for demand in found.groups.values()) == whole
    assert sum(waiter.all.jobs for waiter in found.users) == whole
    assert sum(cause.demand.jobs for cause in found.causes) == whole
    assert sum(sum(cause.users.values()) for cause in found.causes) == whole


@pytest.mark.parametrize(
    ("said", "hidden", "without_nodes", "all_shown"),
    [
        ("Priority", "Priority", "Priority", "Priority"),
        ("SomethingNew", "SomethingNew", "SomethingNew", "SomethingNew"),
        (NODES, NODES, "ReqNodeNotAvail", NODES),
        ("ReqNodeNotAvail(Unavailable:c01)", "Other", "Other", "ReqNodeNotAvail(Unavailable:c01)"),
        ("Nodes_required_for_job_are_DOWN", *["Nodes_required_for_job_are_DOWN"] * 3),
        ("prolog_of_alice_failed_on_c01", "Other", "Other", "prolog_of_alice_failed_on_c01"),
    ],
)
def test_a_reason_that_is_a_sentence_may_hold_anything(
    said: str, hidden: str, without_nodes: str, all_shown: str
) -> None:
    seen = LastQueue(NOW, queue_table([pending("alice", said)]), f"squeue: {said}", Trouble.LEFT_OUT)
    for names, expected in (
        (Renaming(users={"alice": "u-1"}), hidden),
        (Renaming(shows_nodes=False), without_nodes),
        (Renaming(users={"alice": "u-1"}, shows_nodes=False), without_nodes),
        (Renaming(), all_shown),
    ):
        public = renamed(seen, names)
        assert ([row.reason for row in public.table], public.error, public.trouble) == (
            [expected],
            None,
            Trouble.LEFT_OUT,
        )


def test_accounts_whose_limits_are_told_go_by_their_public_names() -> None:
    college = Account(AccountName("college"), AccountName(""), {"GrpTRES": {"cpu": 9.0}}, True)
    lab = Account(AccountName("lab"), AccountName("college"), {"GrpTRES": {"cpu": 4.0}}, True)
    policy = QosLimits({}, None, accounts=(college, lab))
    seen = LastQueue(NOW, queue_table([pending("a", "AssocGrpCpuLimit")]))
    renaming = Renaming({}, {"lab": "account 1", "college": "account 2"})
    facts = renamed((seen, policy), renaming)
    text = summarise(facts[0], Bounds(policy=facts[1])).causes[0].text
    assert text == (
        "The limit of the account account 1, one above it, or the user in it, is reached: CPUs. "
        "The account account 1 may have 4. The account account 2 may have 9."
    )


def test_where_jobs_run_their_partition_tells_whose_limit_it_is() -> None:
    policy = QosLimits({"cpu": 90.0}, None, partitions={"gpu": PartitionQos("long", {"GrpTRES": {"cpu": 8.0}})})
    counted = {"partition QoS long": {"cpu": 8.0}}
    seen = LastQueue(NOW, queue_table([pending("a", "QOSGrpCpuLimit", partition="gpu,cpu")]), counted=counted)
    assert summarise(seen, Bounds(policy=policy)).causes[0].text == "The limit of the group is reached: CPUs."
    seen = replace(seen, table=queue_table([pending("a", "QOSGrpCpuLimit")]))
    table = queue_table([pending("b", "None", state="RUNNING"), pending("b", "None", state="RUNNING", partition="cpu")])
    for rows, mine in ((table[:1], " In this QoS b holds 4."), (table, "")):
        bounds = Bounds({}, held(rows, OBSERVABLES), policy, held_at(rows, OBSERVABLES))
        assert summarise(seen, bounds).causes[0].text == (
            f"All 8 CPUs of the partition's QoS long are in use. Jobs of every QoS in the partition count.{mine}"
        )
