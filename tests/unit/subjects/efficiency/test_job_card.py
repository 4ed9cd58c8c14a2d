"""One job, from sacct's answer to its card."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from librarian.errors import SlurmError
from librarian.slurm.command import Slurm
from librarian.subjects.efficiency import ask_job, card
from librarian.subjects.efficiency.ask_job import Told
from librarian.subjects.efficiency.findings import Rules
from librarian.subjects.efficiency.model import GIB, Source
from librarian.subjects.jobs.question import DELIMITER
from librarian.system.processes import Answer

START = 1_700_000_000
WHOLE = {
    **{"DBIndex": "11", "JobIDRaw": "130", "JobID": "123_4", "User": "ada", "Account": "lab", "QOS": "avery"},
    **{"Partition": "hpg", "State": "COMPLETED", "Submit": str(START - 100), "Eligible": str(START - 90)},
    **{"Start": str(START), "End": str(START + 3600), "ElapsedRaw": "3600", "TimelimitRaw": "120"},
    **{"AllocTRES": "billing=4,cpu=4,mem=64G,node=1", "ReqTRES": "cpu=4,mem=64G,node=1", "NodeList": "c01"},
    **{"ExitCode": "0:0", "Reason": "None", "UserCPU": "01:40:00", "SystemCPU": "00:20:00", "TotalCPU": "02:00:00"},
    **{"MaxRSS": "", "NTasks": "", "TRESUsageInTot": "", "TRESUsageOutTot": "", "AdminComment": "", "JobName": "fit"},
}
STEP = {
    **WHOLE,
    **{"JobIDRaw": "130.0", "JobID": "123_4.0", "MaxRSS": str(GIB), "NTasks": "4", "AllocTRES": "cpu=4,mem=64G,node=1"},
    **{"TRESUsageInTot": f"cpu=02:00:00,energy=0,fs/disk={GIB},mem={2 * GIB},vmem=9", "JobName": "python"},
}


def answer(*rows: dict[str, str], fields: tuple[str, ...] = ask_job.FIELDS, delimiter: str = DELIMITER) -> bytes:
    lines = [delimiter.join(fields), *(delimiter.join(row[name] for name in fields) for row in rows)]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def one(*rows: dict[str, str], now: int = START + 9000) -> Told:
    (told,) = ask_job.parse(answer(*rows), now)
    return told


def text(told: Told) -> str:
    return "\n".join(card.lines(told, Rules(), "UTC"))


def test_what_programs_read() -> None:
    found = card.card_json(one(WHOLE, STEP), Rules())
    json.dumps(found, allow_nan=False)
    assert (found["id"], found["user"], found["state"], found["waited_seconds"]) == ("123_4", "ada", "COMPLETED", 90)
    assert found["cpu"] == {
        **{"allocated": 14400, "used": 7200.0, "efficiency": 0.5, "source": "steps", "user": 6000.0, "system": 1200.0},
    }
    memory = found["memory"]
    assert isinstance(memory, dict)
    assert (memory["allocated"], memory["used"], memory["source"]) == (64 * GIB, 2 * GIB, "steps")
    assert found["gpu"] == {"allocated": 0, "used": None, "efficiency": None, "source": None, "memory": None}
    told = found["findings"]
    assert isinstance(told, list)
    assert [one["rule"] for one in told] == ["cpu-low", "memory-low"]
    assert all({"rule", "value", "threshold", "advice"} <= set(one) for one in told)


def test_the_order_of_rows_changes_nothing() -> None:
    assert one(WHOLE, STEP) == one(STEP, WHOLE)


def test_a_card_to_read() -> None:
    told = text(one(WHOLE, STEP))
    assert "123_4  fit" in told
    assert "1:00:00 of 2:00:00, 50 %" in told
    assert "50 % used: 2 h of CPU time, 17 % of it system" in told
    assert "3.1 % of 64 GiB: 2 GiB at most seen" in told
    assert "- Of 4 CPUs, 50 % were busy on average. Ask for 2 CPUs" in told


def test_what_is_not_measured_is_never_zero() -> None:
    nothing = {"UserCPU": "00:00:00", "SystemCPU": "00:00:00", "TotalCPU": "00:00:00"}
    purged = one({**WHOLE, **nothing})
    assert "accounting has no steps of it any more" in text(purged)
    idle = one({**WHOLE, **nothing}, {**STEP, **nothing, "TRESUsageInTot": "", "MaxRSS": ""})
    assert "this cluster gathers nothing of what jobs use" in text(idle)
    for told in (purged, idle):
        found = card.card_json(told, Rules())
        assert found["findings"] == []
        assert found["cpu"] == {
            **{"allocated": 14400, "used": None, "efficiency": None, "source": None, "user": None, "system": None},
        }
        assert " 0 %" not in text(told)


def test_jobstats_is_believed_before_the_steps() -> None:
    stats = {"nodes": {"c01": {"total_time": 3600, "used_memory": 3 * GIB}}}
    comment = "JS1:" + base64.b64encode(gzip.compress(json.dumps(stats).encode())).decode()
    use = one({**WHOLE, "AdminComment": comment}, STEP).used.use
    assert (use.cpu, use.cpu_source) == (3_600_000, Source.JOBSTATS)
    assert (use.memory, use.memory_source) == (3 * GIB, Source.JOBSTATS)
    bad = one({**WHOLE, "AdminComment": "JS1:%%%"}, STEP)
    assert bad.used.use.cpu_source is Source.STEPS
    assert "jobstats not understood" in text(bad)


def test_a_pending_job() -> None:
    told = one({**WHOLE, "State": "PENDING", "Start": "Unknown", "End": "Unknown", "ElapsedRaw": "0", "AllocTRES": "",
                "NodeList": "None assigned", "Reason": "QOSGrpCpuLimit"})  # fmt: skip
    assert "not started, QOSGrpCpuLimit" in text(told)
    found = card.card_json(told, Rules())
    assert (found["started"], found["waited_seconds"], found["findings"]) == (None, None, [])
    assert found["cpu"] == {
        **{"allocated": None, "used": None, "efficiency": None, "source": None, "user": None, "system": None},
    }


RUNNING = {**WHOLE, "State": "RUNNING", "End": "Unknown", "UserCPU": "00:00:00", "SystemCPU": "00:00:00",
           "TotalCPU": "00:00:00"}  # fmt: skip


def slurm(sstat: bytes, seen: list[list[str]], status: int = 0) -> Slurm:
    def run(argv: list[str], **options: object) -> Answer:
        seen.append(argv)
        return Answer(0, answer(RUNNING), "") if argv[0] == "sacct" else Answer(status, sstat, "")

    return Slurm(runner=run)  # type: ignore[arg-type]


def test_a_running_job_of_ones_own() -> None:
    step = {"JobID": "130.0", "NTasks": "2", "AveCPU": "00:30:00", "MaxRSS": str(GIB),
            "TRESUsageInTot": "mem=5", "TRESUsageOutTot": ""}  # fmt: skip
    seen: list[list[str]] = []
    (told,) = ask_job.ask(slurm(answer(step, fields=ask_job.SSTAT, delimiter="|"), seen), "123_4", "demo", START + 3600)
    assert told.runs
    assert not told.hidden
    assert (told.used.use.cpu, told.used.use.memory) == (3_600_000, GIB)
    assert card.found(told, Rules()) == ()
    assert "-a" in seen[1]
    assert seen[1][seen[1].index("-j") + 1] == "130", "sstat wants the number of the task"


def test_a_running_job_of_somebody_else() -> None:
    (told,) = ask_job.ask(slurm(answer(fields=ask_job.SSTAT, delimiter="|"), []), "123_4", "demo", START + 3600)
    assert "not known while it runs: only ada and administrators are told" in text(told)
    assert card.card_json(told, Rules())["notes"] == ["not yours"]
    assert card.card_json(told, Rules())["exit_code"] is None


def test_sstat_that_fails_is_not_somebody_else_s_job() -> None:
    (told,) = ask_job.ask(slurm(b"", [], status=1), "123_4", "demo", START + 3600)
    assert "sstat failed" in text(told)


def test_several_runs_of_a_requeued_job_stand_in_their_order() -> None:
    again = {
        **WHOLE,
        "DBIndex": "12",
        "Submit": str(START + 4000),
        "Start": str(START + 5000),
        "End": str(START + 6000),
    }
    first, second = ask_job.parse(answer(again, {**WHOLE, "State": "REQUEUED"}), START + 9000)
    assert [first.used.run.state, second.used.run.state] == ["REQUEUED", "COMPLETED"]
    assert ask_job.tasks_of([first, second]) == ["123_4"]
    assert card.card_json(second, Rules(), [first])["earlier"] == [
        {"state": "REQUEUED", "started": START, "ended": START + 3600},
    ]
    assert ", run 2" in "\n".join(card.lines(second, Rules(), "UTC", [first]))


def test_what_is_hostile_stays_text() -> None:
    bad = one({**WHOLE, "JobName": f"a{DELIMITER}b\x1b[31m\u202e", "User": "eve\x1b]0;x\x07"}, STEP)
    assert "\x1b" not in text(bad)
    assert "\u202e" not in text(bad)
    assert bad.name.startswith("a")
    assert ask_job.parse(answer({**WHOLE, "AllocTRES": "cpu=x"}), START) == []
    assert ask_job.parse(answer({**WHOLE, "DBIndex": "x"}), START) == []
    assert ask_job.parse(answer({**WHOLE, "ElapsedRaw": "-1"}), START) == []
    assert one({**WHOLE, "DBIndex": str(2**64 - 1)}).used.run.dbindex == 2**64 - 1
    with pytest.raises(SlurmError):
        ask_job.parse(b"Nonsense\n", START)
