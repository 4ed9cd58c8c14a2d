"""The demo's Slurm answers as the real one did, whose answers are recorded, and refuses the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.errors import SlurmError
from librarian.shared.scope import Scope
from librarian.shared.tres import parse_tres
from librarian.slurm import site
from librarian.slurm.command import ENVIRONMENT, Slurm
from librarian.slurm.durations import parse_duration
from librarian.subjects.jobs import ask as accounting
from librarian.subjects.jobs.ask import DELIMITER, Query
from librarian.subjects.limits import associations, qos
from librarian.subjects.limits.associations import Association
from librarian.system.processes import Answer
from tests.places import DATA

RECORDED = DATA / "slurm-24.11"
_SPAN = json.loads((RECORDED / "commands.json").read_text(encoding="utf-8"))
SINCE, NOW = _SPAN["start"], _SPAN["end"]  # of the recorded questions
LIMITS = {
    "avery": ("cpu=430,gres/gpu=39,mem=3359G", ""),
    "avery-b": ("cpu=3870,mem=30234G", ""),
    "kim": ("cpu=8,gres/gpu=2,mem=64G", "20"),
    "kim-b": ("cpu=16,gres/gpu=0,mem=128G", ""),
    "9.odd-q_os": ("cpu=4", ""),
}
RUN = Run(
    *(7, 1001, "1001", "alice", 5001, "avery", "avery", "cpu", "COMPLETED", 100, 110, 200, 300, 0),
    *("billing=2,cpu=2,gres/gpu:a100=1,gres/gpu=1,mem=1024M,node=1", "billing=2,cpu=1,mem=1024M,node=1", 1),
)


def recorded(name: str) -> list[str]:
    return (RECORDED / name).read_text(encoding="utf-8").splitlines()


def run_of(line: str) -> Run:
    """A recorded row as a run; `Unknown` and `None` are no time."""
    cells = dict(zip(recorded("sacct-none.txt")[0].split(DELIMITER), line.split(DELIMITER), strict=True))
    return Run(
        int(cells["DBIndex"]), int(cells["JobIDRaw"]), cells["JobID"], cells["User"], 0, cells["Account"], cells["QOS"],
        cells["Partition"], cells["State"], int(cells["Submit"]), epoch(cells["Eligible"]), epoch(cells["Start"]),
        epoch(cells["End"]), parse_duration(cells["Suspended"]), cells["AllocTRES"], cells["ReqTRES"],
        int(cells["NNodes"]),
    )  # fmt: skip


def epoch(cell: str) -> int | None:
    return int(cell) if cell.isdigit() else None


def real_cluster(*, now: int = NOW, private: bool = False) -> DemoSlurm:
    """The cluster of the recording, with the runs that a time range never shows among the others."""
    runs = [run_of(line) for line in recorded("sacct-never-started.txt")[1:] + recorded("sacct-all-qos.txt")[1:]]
    return DemoSlurm(runs, now=now, cluster="hpg", user="alice", limits=LIMITS, private=private)


def ask(slurm: DemoSlurm, *argv: str) -> Answer:
    return slurm(argv, timeout=1, env=ENVIRONMENT)


def arguments(query: Query, fields: str) -> list[str]:
    return ["sacct", *accounting.arguments(query)[:-1], fields]


def row(run: Run, fields: str, *, now: int = 10_000, since: int = 0, until: int = 10_000) -> list[str]:
    """The one row about `run`, or nothing."""
    answer = ask(DemoSlurm([run], now=now), *arguments(Query(Scope("demo", "avery"), since, until), fields))
    header, *rows = answer.text.splitlines()
    assert (answer.status, header) == (0, fields.replace(",", DELIMITER))
    return rows[0].split(DELIMITER) if rows else []


@pytest.mark.parametrize(
    ("wanted", "file"),
    [
        *((name, f"sacct-{name}.txt") for name in ("avery", "avery-b", "kim", "kim-b")),
        ("9.odd-q_os", "sacct-odd.txt"),
        (",".join(LIMITS), "sacct-all-qos.txt"),
    ],
)
def test_recorded_answers_of_sacct_come_out_again(wanted: str, file: str) -> None:
    expected = settled(recorded(file))
    fields = ",".join(recorded("sacct-none.txt")[0].split(DELIMITER))
    answer = ask(real_cluster(), *arguments(Query(Scope("hpg", wanted), SINCE, NOW), fields))
    assert settled(answer.text.splitlines()) == expected


def settled(lines: list[str]) -> list[list[str]]:
    """The rows without ElapsedRaw: what runs grows older between the recorded questions."""
    place = lines[0].split(DELIMITER).index("ElapsedRaw")
    return [[*cells[:place], *cells[place + 1 :]] for cells in (line.split(DELIMITER) for line in lines)]


def test_private_data_and_asking_without_a_show_the_users_own_runs_as_recorded() -> None:
    expected = settled(recorded("sacct-private-alice.txt"))
    fields = ",".join(recorded("sacct-none.txt")[0].split(DELIMITER))
    argv = arguments(Query(Scope("hpg", "avery"), SINCE, NOW), fields)
    assert settled(ask(real_cluster(private=True), *argv).text.splitlines()) == expected
    argv.remove("-a")
    assert settled(ask(real_cluster(), *argv).text.splitlines()) == expected


def test_a_qos_that_does_not_exist_is_refused_as_recorded() -> None:
    answer = ask(real_cluster(), *arguments(Query(Scope("hpg", "nosuch"), SINCE, NOW), "JobID"))
    assert (answer.status, answer.stdout) == (1, b"")
    assert answer.stderr == (RECORDED / "sacct-unknown-qos.stderr.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("run", "since", "until", "shown"),
    [
        (RUN, 0, 110, False),  # eligible at 110: not before 110
        (RUN, 0, 111, True),
        (RUN, 300, 400, True),
        (RUN, 301, 400, False),  # over at 300
        (replace(RUN, end=None, state="RUNNING"), 5000, 6000, True),
        (replace(RUN, eligible=None, start=None, end=None, state="PENDING"), 0, 400, False),
    ],
)
def test_a_run_is_shown_by_eligible_time_and_end(run: Run, since: int, until: int, shown: bool) -> None:
    assert bool(row(run, "JobID", since=since, until=until)) is shown


TIMES = "State,Start,End,ElapsedRaw,Suspended,AllocTRES"


def test_a_run_is_told_as_it_stands_at_now() -> None:
    run = replace(RUN, submit=90, suspended=20, alloc_tres="cpu=2")
    assert row(run, TIMES, now=80) == []
    assert row(run, TIMES, now=150) == ["PENDING", "Unknown", "Unknown", "0", "00:00:00", ""]
    assert row(run, TIMES, now=230) == ["RUNNING", "200", "Unknown", "30", "00:00:00", "cpu=2"]
    assert row(run, TIMES, now=250) == ["SUSPENDED", "200", "Unknown", "40", "00:00:10", "cpu=2"]
    assert row(run, TIMES, now=300) == ["COMPLETED", "200", "300", "80", "00:00:20", "cpu=2"]


def test_now_may_be_moved() -> None:
    slurm = DemoSlurm([RUN], now=250)
    argv = arguments(Query(Scope("demo", "avery"), 0, 400), "State")
    assert ask(slurm, *argv).text == "State\nRUNNING\n"
    slurm.now = 300
    assert ask(slurm, *argv).text == "State\nCOMPLETED\n"


def test_a_run_that_never_started() -> None:
    run = replace(RUN, start=None, alloc_tres="", state="CANCELLED by 1003")
    assert row(run, TIMES) == ["CANCELLED by 1003", "None", "300", "0", "00:00:00", ""]


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00:00"), (86399, "23:59:59"), (93784, "1-02:03:04")])
def test_a_long_suspension_has_days(seconds: int, text: str) -> None:
    assert row(replace(RUN, end=200_000, suspended=seconds), "Suspended", now=300_000) == [text]
    assert parse_duration(text) == seconds


def test_all_fields_in_the_order_asked_for() -> None:
    assert row(RUN, "NNodes,UID,Cluster,ReqTRES,JobIDRaw,DBIndex") == ["1", "5001", "demo", RUN.req_tres, "1001", "7"]


def test_accounts_and_partitions_filter() -> None:
    runs = [RUN, replace(RUN, dbindex=8, account="guests"), replace(RUN, dbindex=9, partition="gpu")]
    slurm = DemoSlurm(runs, now=400)

    def shown(*, accounts: tuple[str, ...] = (), partitions: tuple[str, ...] = ()) -> str:
        return ask(slurm, *arguments(Query(Scope("demo", "avery", accounts, partitions), 0, 400), "DBIndex")).text

    assert shown() == "DBIndex\n7\n8\n9\n"
    assert shown(accounts=("avery",)) == "DBIndex\n7\n9\n"
    assert shown(accounts=("avery",), partitions=("gpu", "tpu")) == "DBIndex\n9\n"


def test_another_cluster_has_no_runs() -> None:
    """Slurm names no error here either: see the recorded sacct-unknown-cluster."""
    answer = ask(real_cluster(), *arguments(Query(Scope("nosuch", "avery"), SINCE, NOW), "JobID"))
    assert (answer.status, answer.text) == (0, "JobID\n")


def test_librarians_own_readers_understand_the_tables() -> None:
    demo = real_cluster()
    slurm = Slurm(bin_dir="/opt/slurm/bin", runner=demo)
    header = f"{qos.HEADER}\nnormal|{'|' * 11}\navery|cpu=430,"
    assert ask(demo, "sacctmgr", *qos.ARGUMENTS).text.startswith(header)
    told = qos.ask(slurm)
    assert {name: (dict(found.tres), found.jobs) for name, found in told.items()} == {
        "normal": ({}, None),
        **{name: (dict(parse_tres(tres)), float(jobs) if jobs else None) for name, (tres, jobs) in LIMITS.items()},
    }
    assert told["avery"].flags == ("DenyOnLimit",)
    assert told["avery"].more["MaxTRESPerUser"] == {"cpu": 380, "gres/gpu": 38}
    assert site.gpus_tracked(slurm)
    assert site.private_data(slurm) == frozenset()
    assert site.cluster_name(slurm) == "hpg"
    config = ask(demo, "scontrol", "show", "config").text.splitlines()
    recorded_config = recorded("scontrol-config.txt")
    for name in ("ClusterName", "SLURM_VERSION"):
        (line,) = (line for line in config if line.startswith(name))
        assert line in recorded_config


def test_associations_are_of_the_user_who_asks() -> None:
    mine = Association("hpg", "avery", ("avery", "avery-b"), "avery")
    slurm = Slurm(runner=DemoSlurm([], now=0, user="alice", associations=[mine, replace(mine, account="kim")]))
    assert associations.ask(slurm, "alice") == (mine, replace(mine, account="kim"))
    assert associations.ask(slurm, "bob") == ()
    assert associations.ask(Slurm(runner=DemoSlurm([], now=0, cluster="hpg", user="alice")), "alice") == (mine,)


def test_private_data_says_so() -> None:
    slurm = Slurm(runner=real_cluster(private=True))
    assert site.private_data(slurm) == {"jobs"}


def test_where_gpus_are_not_tracked_nothing_speaks_of_them() -> None:
    slurm = DemoSlurm([RUN], now=400, tracked=False)
    assert not site.gpus_tracked(Slurm(runner=slurm))
    assert qos.ask(Slurm(runner=slurm))["avery"].tres == parse_tres("cpu=430,mem=3359G")
    answer = ask(slurm, *arguments(Query(Scope("demo", "avery"), 0, 400), "AllocTRES"))
    assert answer.text == "AllocTRES\nbilling=2,cpu=2,mem=1024M,node=1\n"


def strange() -> Iterator[list[str]]:
    good = arguments(Query(Scope("hpg", "avery"), 0, 400), "JobID")
    for missing in ("-X", "-D", "-P", "--noconvert", "--qos=avery"):
        yield [word for word in good if word != missing]
    yield [*good, "--state=COMPLETED"]
    yield [*good, "-S"]
    yield [*good, "-S", "yesterday"]
    yield [*good, "-X=1"]
    yield [*good, "surplus"]
    yield [*good[:-1], "JobID,JobName"]
    yield from (["sacct"], ["scontrol", "show", "jobs"], ["sacctmgr", "-P", "delete", "qos"], ["rm", "-rf"])


@pytest.mark.parametrize("argv", list(strange()), ids=" ".join)
def test_what_is_not_known_is_refused(argv: list[str]) -> None:
    answer = ask(real_cluster(), *argv)
    assert (answer.status, answer.stdout) == (1, b"")
    assert answer.stderr.startswith(f"{argv[0]}: ")


def test_local_times_are_refused() -> None:
    answer = real_cluster()(arguments(Query(Scope("hpg", "avery"), 0, 400), "JobID"), timeout=1, env={})
    assert (answer.status, answer.stdout) == (1, b"")
    assert "SLURM_TIME_FORMAT" in answer.stderr


def test_a_refusal_becomes_an_error_with_its_reason() -> None:
    with pytest.raises(SlurmError, match="nosuch"):
        accounting.ask(Slurm(runner=real_cluster()), Query(Scope("hpg", "nosuch"), 0, 400))
