"""`librarian limits`: its table in any width, its JSON, and what it says when Slurm does not answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from librarian.cli import common, main
from librarian.cli import limits as command
from librarian.cli.limits import table
from librarian.cycle import parts
from librarian.demo.slurm import DemoSlurm
from librarian.demo.tables import AccountTable, Rulebook
from librarian.errors import SlurmError
from librarian.slurm.command import Slurm
from librarian.subjects.limits.now import Headroom, ask
from librarian.subjects.limits.policy import OWN, Held, rows
from librarian.subjects.limits.rules import Account, PartitionQos, QosLimits
from librarian.system.processes import Answer
from tests.unit.cli.test_cli import AS_A_SCRIPT, HEAVY, furnished, imported
from tests.unit.cycles import configured
from tests.unit.runs import T0, run_of

pytestmark = pytest.mark.clock
CONFIG = '[cluster]\nname = "demo"\n[[qos]]\nname = "avery"\n[[qos]]\nname = "avery-b"\n[qos.limits]\ngpu = 3\n'
BOOK = Rulebook(
    qos={"avery": {"MaxTRESPU": "cpu=8", "MaxSubmitPU": "9"}, "long": {}},
    partitions={"cpu": "long", "other": ""},
    accounts={"a": AccountTable("root", ("avery", "avery-b"), {"GrpJobs": "5"})},
)
LIMITS = {"avery": ("cpu=10,mem=8G", ""), "avery-b": ("", ""), "long": ("gres/gpu=2", "")}
RUNS = [
    run_of(1, end=None, state="RUNNING"),
    run_of(2, end=None, state="SUSPENDED", user="bob"),
    run_of(3, end=None, start=None, state="PENDING", alloc_tres=""),
]


def slurm(**options: Any) -> DemoSlurm:
    return DemoSlurm(RUNS, now=T0 + 60, limits=LIMITS, rules=BOOK, **options)


def asked(runner: Any, names: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    setup = configured(Path(), CONFIG)
    found = ask(Slurm(runner=runner), "demo", parts.chosen(setup, names), T0 + 60)
    return [row for one in found for row in command.as_json(one)]


def picked(told: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
    return {(row["qos"], row["source"]): (row["limit"], row["used"], row["by"], row["binds"]) for row in told}


EXPECTED = {
    ("avery", "GrpTRES cpu"): (10, 8, None, True),
    ("avery", "GrpTRES mem"): (8, 2, None, True),
    # in the other partition nothing limits GPUs, so this binds a part
    ("avery", "GrpTRES gres/gpu of partition QoS long"): (2, 0, None, True),
    ("avery", "GrpJobs of association a"): (5, 2, None, True),
    ("avery", "MaxTRESPerUser cpu"): (8, 4, "alice", True),
    ("avery", "MaxSubmitJobsPerUser"): (9, 2, "alice", True),
    ("avery-b", "configuration"): (3, 0, None, True),
    ("avery-b", "GrpTRES gres/gpu of partition QoS long"): (2, 0, None, False),
    ("avery-b", "GrpJobs of association a"): (5, 2, None, True),
}


def test_what_slurm_counts_stands_beside_each_limit() -> None:
    assert picked(asked(slurm())) == EXPECTED


def test_where_slurmctld_tells_nothing_accounting_does() -> None:
    inner = slurm()

    def without(argv: list[str], **options: Any) -> Answer:
        return Answer(1, b"", "Access denied") if "assoc_mgr" in argv else inner(argv, **options)

    told = picked(asked(without, ("avery",)))
    assert told["avery", "GrpTRES cpu"] == (10, 8, None, True)
    assert told["avery", "MaxTRESPerUser cpu"][1:3] == (4, "alice")
    assert told["avery", "MaxSubmitJobsPerUser"][1] is None
    assert told["avery", "GrpJobs of association a"][1] is None


def test_a_qos_that_is_not_configured_may_be_asked_for_and_an_unknown_one_not() -> None:
    assert {row["qos"] for row in asked(slurm(), ("long",))} == {"long"}
    with pytest.raises(SlurmError, match="Slurm knows no QoS nosuch: it knows avery"):
        asked(slurm(), ("nosuch",))


HOSTILE = "x" * 70 + "\x1b[31m\u202e"
WIDE = QosLimits(
    {"cpu": 10.0, "mem": 3359.5, "gres/gpu": 0.0},
    None,
    {"MaxTRESPerUser": {"cpu": 8.0}, "MaxWall": {"walltime": 93784.0}},
    accounts=(Account(HOSTILE, "", {"GrpTRES": {"node": 4.0}}, True),),
    elsewhere=(True, False),
)
HELD = {OWN: Held({"cpu": 9.6, "mem": 12.0, "gres/gpu": 0.0}, {HOSTILE: {"cpu": 5.0}})}


def told(width: int, colours: bool = False) -> list[str]:
    found = [Headroom(HOSTILE, rows(HOSTILE, WIDE, {}, {}, HELD)), Headroom("free", ())]
    return table(found, width, colours)


def test_the_table_tells_limit_use_share_and_what_is_free() -> None:
    whole = "\n".join(told(0))
    for words in ("3,360 GiB", "12 GiB", "96 %", "0.4", "63 %", "1-02:03:04", "nothing limits it", "MaxTRESPerUser"):
        assert words in whole
    assert "\x1b" not in whole
    assert "\u202e" not in whole
    (cpu,) = (line for line in told(0) if "GrpTRES cpu" in line)
    assert "?" not in cpu
    (node,) = (line for line in told(0) if " node " in line)
    assert " ? " in node, "nobody knows how many nodes are used"


def test_no_limit_that_counts_somewhere_is_called_not_enforced() -> None:
    long = PartitionQos("long", {"GrpTRES": {"cpu": 430.0}})
    limits = QosLimits(
        {"cpu": 90.0}, None, partitions={"p": long}, accounts=(Account("a", "", {"GrpTRES": {"cpu": 1.0}}, True),)
    )
    lines = table([Headroom("avery", rows("avery", limits, {}, {}, {}))], 0)
    (partition,) = (line for line in lines if "partition QoS" in line)
    assert partition.endswith("GrpTRES cpu of partition QoS long (not everywhere)")
    (account,) = (line for line in lines if "association" in line)
    assert account.endswith("(not enforced)")
    (own,) = (line for line in lines if line.endswith("GrpTRES cpu"))
    assert own.split()[:4] == ["avery", "cpu", "group", "90"]


@pytest.mark.parametrize("width", [300, 160, 130, 110])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, told(width))) <= width
    assert "LIMIT" in told(width)[0]
    assert "USED" in told(width)[0]


def test_the_least_that_is_shown_on_a_narrow_terminal() -> None:
    assert told(20)[0].split() == ["QOS", "RESOURCE", "PER", "LIMIT", "USED", "SHARE"]


def test_a_limit_that_is_hit_is_red_on_a_terminal_only() -> None:
    red = [line for line in told(0, colours=True) if line.startswith("\x1b[31m")]
    assert len(red) == 2, "the CPUs, and the GPUs of which none are allowed"
    assert all(line.endswith("\x1b[0m") for line in red)


def test_when_slurm_is_silent_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "librarian.toml").write_text(CONFIG + f'[slurm]\nbin_dir = "{tmp_path}"\n')
    (tmp_path / "sacctmgr").write_text("#!/bin/sh\necho 'sacctmgr: error: Connection refused' >&2\nexit 1\n")
    (tmp_path / "sacctmgr").chmod(0o755)
    assert main(["--config", str(tmp_path / "librarian.toml"), "limits", "--json"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "librarian: sacctmgr failed with status 1: sacctmgr: error: Connection refused\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["librarian.toml", "sacctmgr"], "no store, no lock"


def test_json_is_a_list_for_scripts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "librarian.toml").write_text(CONFIG)
    monkeypatch.setattr(common, "slurm_of", lambda setup: Slurm(runner=slurm()))
    assert main(["--config", str(tmp_path / "librarian.toml"), "limits", "--json", "avery"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"qos", "resource", "limit", "used", "source", "per", "setting", "by", "unit"} <= found[0].keys()
    assert main(["--config", str(tmp_path / "librarian.toml"), "limits"]) == 0
    assert capsys.readouterr().out.startswith("QOS ")


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["limits"], ["limits", "--json"]])
def test_it_waits_for_no_heavy_parts(tmp_path: Path, arguments: list[str]) -> None:
    started = imported(AS_A_SCRIPT, *arguments, folder=furnished(tmp_path))
    assert "librarian.subjects.limits.counted" in started
    assert not started & {*HEAVY, "librarian.store", "librarian.subjects.subject"}
