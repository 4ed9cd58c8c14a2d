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
from librarian.subjects.efficiency.model import GIB, Source
from librarian.subjects.efficiency.options import Rules
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
    (told,) = parsed(*rows, now=now)
    return told


def parsed(*rows: dict[str, str], now: int = START + 9000) -> list[Told]:
    return ask_job.parse(Answer(0, answer(*rows), ""), now)


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
    assert "123_4" in told
    assert "1:00:00 of 2:00:00, 50 %" in told
    assert "50 % used: 2 h of CPU time, 17 % of it system" in told
    assert "3.1 % of 64 GiB: peak 2 GiB" in told
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


def slurm(sstat: bytes, seen: list[list[str]], status: int = 0, name: bytes = b"fit\n") -> Slurm:
    def run(argv: list[str], **options: object) -> Answer:
        seen.append(argv)
        if argv[0] == "sacct":
            return Answer(0, name if "-n" in argv else answer(RUNNING), "")
        return Answer(status, sstat, "")

    return Slurm(runner=run)  # type: ignore[arg-type]


def asked(stand_in: Slurm) -> Told:
    (told,) = ask_job.ask(stand_in, "123_4", "demo", START + 3600)
    return ask_job.whole(stand_in, told, "demo")


def test_a_running_job_of_ones_own() -> None:
    step = {"JobID": "130.0", "NTasks": "2", "AveCPU": "00:30:00", "MaxRSS": str(GIB),
            "TRESUsageInTot": "cpu=00:00:09,fs/disk=4096,mem=5", "TRESUsageOutTot": ""}  # fmt: skip
    seen: list[list[str]] = []
    told = asked(slurm(answer(step, fields=ask_job.SSTAT, delimiter="|"), seen))
    assert told.runs
    assert not told.hidden
    use = told.used.use
    assert (use.cpu, use.memory, use.read) == (3_600_000, GIB, 4096), "memory is the peak, not what is in use now"
    assert card.found(told, Rules()) == ()
    assert "123_4  fit" in text(told)
    sstat = seen[-1]
    assert "-a" in sstat
    assert sstat[sstat.index("-j") + 1] == "130", "sstat wants the number of the task"


def test_a_running_job_of_somebody_else() -> None:
    told = asked(slurm(answer(fields=ask_job.SSTAT, delimiter="|"), []))
    assert "not known while it runs: only ada and administrators are told" in text(told)
    assert card.card_json(told, Rules())["notes"] == ["not yours"]
    assert card.card_json(told, Rules())["exit_code"] is None


def test_sstat_that_fails_is_not_somebody_else_s_job() -> None:
    told = asked(slurm(b"", [], status=1))
    assert "sstat failed" in text(told)


def test_several_runs_of_a_requeued_job_stand_in_their_order() -> None:
    again = {
        **WHOLE,
        "DBIndex": "12",
        "Submit": str(START + 4000),
        "Start": str(START + 5000),
        "End": str(START + 6000),
    }
    first, second = parsed(again, {**WHOLE, "State": "REQUEUED"})
    assert [first.used.run.state, second.used.run.state] == ["REQUEUED", "COMPLETED"]
    assert ask_job.tasks_of([first, second]) == ["123_4"]
    assert card.card_json(second, Rules(), [first])["earlier"] == [
        {"state": "REQUEUED", "started": START, "ended": START + 3600},
    ]
    assert ", run 2" in "\n".join(card.lines(second, Rules(), "UTC", [first]))


def test_what_is_hostile_stays_text() -> None:
    name = f"a{DELIMITER}b\x1b[31m\u202e{'c' * 100_000}\n{answer(WHOLE).decode()}"
    bad = asked(slurm(answer(fields=ask_job.SSTAT, delimiter="|"), [], name=name.encode()))
    assert bad.name.startswith("a")
    assert "\x1b" not in text(bad)
    assert "\u202e" not in text(bad)
    assert max(map(len, text(bad).splitlines())) < 200
    eve = one({**WHOLE, "User": "eve\x1b]0;x\x07", "NodeList": "n" * 5000}, STEP)
    assert "\x1b" not in text(eve)


@pytest.mark.parametrize(
    "changes",
    [
        {"AllocTRES": "cpu=x"},
        {"DBIndex": "x"},
        {"ElapsedRaw": "-1"},
        {"ElapsedRaw": "9" * 400},
        {"JobIDRaw": "9" * 5000},
    ],
    ids=["TRES", "index", "negative", "long", "id"],
)
def test_rows_that_cannot_be_are_no_job_that_is_not_there(changes: dict[str, str]) -> None:
    with pytest.raises(SlurmError, match="not understood"):
        parsed({**WHOLE, **changes})


@pytest.mark.parametrize("changes", [{"Submit": "9" * 14}, {"TimelimitRaw": "9" * 3000}, {"Eligible": "x"}])
def test_a_value_that_cannot_be_is_not_known(changes: dict[str, str]) -> None:
    told = one({**WHOLE, **changes}, STEP)
    json.dumps(card.card_json(told, Rules()), allow_nan=False)
    assert "50 % used" in text(told)


def test_the_index_has_64_bits() -> None:
    assert one({**WHOLE, "DBIndex": str(2**64 - 1)}).used.run.dbindex == 2**64 - 1


@pytest.mark.parametrize("cut", [3, 200, 400])
def test_an_answer_that_is_cut_off_is_none(cut: int) -> None:
    with pytest.raises(SlurmError, match=r"cut off|no table"):
        ask_job.parse(Answer(0, answer(WHOLE, STEP)[:-cut], ""), START)
    with pytest.raises(SlurmError, match="no table"):
        ask_job.parse(Answer(0, b"Nonsense\n", ""), START)


def test_what_sstat_garbles_is_not_somebody_else_s_job() -> None:
    assert "sstat failed" in text(asked(slurm(b"\x01\x02\n", [])))


def test_a_brief_run_is_not_called_good() -> None:
    brief = {"End": str(START + 300), "ElapsedRaw": "300"}
    assert "Too short to be judged." in text(one({**WHOLE, **brief}, {**STEP, **brief}))


def test_a_run_of_which_a_part_was_measured_is_not_judged() -> None:
    lost = {**STEP, "JobIDRaw": "130.1", "TotalCPU": "00:00:00", "MaxRSS": "", "TRESUsageInTot": ""}
    found = text(one(WHOLE, STEP, lost))
    assert "some steps not measured" in found
    assert not any(words in found for words in ("Nothing stands out", "busy on average", "Ask for"))


def test_tasks_that_sstat_garbles_are_not_counted() -> None:
    rows = "|".join(ask_job.SSTAT) + "\n130.0|\u00b2|00:10|1024||\n"
    found = ask_job.parse_sstat(rows.encode(), 0)
    assert found is not None
    assert found.cpu is None
