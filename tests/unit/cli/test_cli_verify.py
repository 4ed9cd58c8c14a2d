"""`librarian verify` as a person uses it, with stand-ins for Slurm's commands on PATH."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from librarian.cli.verify_text import lines
from librarian.health import agreed
from librarian.shared.scope import Scope
from librarian.shared.text import shown
from librarian.verify.compare import Line, Running
from librarian.verify.found import Found
from librarian.verify.hours import Hours
from tests.unit.cli.test_cli import furnished
from tests.unit.cycles import NOW
from tests.unit.frozen import ROOT, librarian

STAND_IN = f"""#!{sys.executable}
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.unit.runs import run_of
from tests.unit.verify.sreporting import Sreporting
here = os.path.dirname(__file__)
if os.path.exists(os.path.join(here, "down")):
    sys.exit("slurmdbd is down")
slurm = Sreporting([run_of(1), run_of(2, user="bob")], now=int(os.environ.get("NOW", "{NOW}")))
if os.path.exists(os.path.join(here, "more")):
    slurm.more["bob", "cpu", "avery"] = 3600
answer = slurm(sys.argv, timeout=1, env=os.environ)
sys.stdout.buffer.write(answer.stdout)
sys.stderr.write(answer.stderr)
sys.exit(answer.status)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    furnished(tmp_path)
    for name in ("sacct", "sacctmgr", "scontrol", "squeue", "sreport"):
        path = tmp_path / "bin" / name
        path.write_text(STAND_IN)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return tmp_path


@pytest.mark.slow
def test_agreement_a_difference_and_silence(place: Path) -> None:
    """Three answers, three exit statuses; the page tells when all agreed last."""
    none = librarian(place, "verify")
    assert (none.returncode, none.stdout) == (4, "")
    assert "nothing was collected yet" in none.stderr
    assert librarian(place, "run").returncode == 0
    assert "agreed with sreport" not in (place / "site" / "index.html").read_text()
    done = librarian(place, "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert "avery:\n  hours: same as in sreport for both users, " in done.stdout
    assert "running jobs: 0 the same in squeue, as of " in done.stdout
    assert agreed.last(place / "state") == NOW
    assert librarian(place, "render").returncode == 0
    for page in ("index.html", "plain.html"):
        assert "Numbers last agreed with sreport and squeue on 2026-10-27" in (place / "site" / page).read_text()
    assert json.loads((place / "site" / "index.json").read_text())["agreed"] == NOW

    (place / "bin" / "more").touch()
    (place / "state" / agreed.FILE).unlink()
    told = librarian(place, "verify", "--json")
    assert (told.returncode, told.stderr) == (1, "")
    found = json.loads(told.stdout)
    assert (found["agrees"], found["at"]) == (False, NOW)
    (line,) = [line for line in found["qos"][0]["hours"]["lines"] if not line["agrees"]]
    assert (line["user"], line["resource"], line["difference"]) == ("bob", "NCPUS", 1.0)
    assert agreed.last(place / "state") is None, "what differs is no agreement"
    month = librarian(place, "verify", "--month", "2026-10")
    assert month.returncode == 1
    assert "+1.0000\n      why is not known" in month.stdout
    assert librarian(place, "verify", "--month", "2026-08").returncode == 3, "nothing is known of it"

    (place / "bin" / "down").touch()
    down = librarian(place, "verify")
    assert down.returncode == 3
    assert down.stdout == "avery:\n  hours: not compared, see below\n  running jobs: not compared\n"
    assert down.stderr.startswith("librarian: avery: sreport failed with status 1: slurmdbd is down")
    assert librarian(place, "verify", "--month", "October").returncode == 2


def test_what_differs_is_a_table_with_reasons() -> None:
    odd = "b\x1bob"
    found = Hours(
        Scope("hpg", "avery"),
        ((1_793_000_000 - 2000, 1_793_000_000 + 1600),),
        1_793_001_600,
        False,
        (
            Line("ann", "NCPUS", 3600, 1800, 5400),
            Line(odd, "MEMORY", 3600, 0, 7200, ("1 job resized",)),
        ),
        ("carl",),
    )
    told = lines(Found("avery", found, Running(1_793_000_000, 4, 1, (7,), (8, 9), ((5, "NCPUS", 4, 2),))), "UTC", 200)
    assert told == [
        "avery:",
        "  hours: same as in sreport for 1 of 2 users, 2026-10-26 07:00 to 2026-10-26 08:00 UTC",
        "  sreport does not tell QoS apart here; of its hours other QoS had, by sacct: 0.50 CPU-hours",
        "  not compared, since sreport hides them from you: carl",
        "    USER  UNIT         HERE  OTHER QOS  SREPORT  DIFFERENCE",
        f"    {shown(odd)}  GiB-hours  1.0000     0.0000   2.0000     +1.0000",
        "      1 job resized",
        "  running jobs: 4 the same in squeue, as of 07:33 UTC; 1 began or ended since",
        "  running in squeue, but not known here: job 7",
        "  running here, but not in squeue, and sacct has no end: jobs 8, 9",
        "  job 5: 4 CPUs here, 2 in squeue",
    ]
