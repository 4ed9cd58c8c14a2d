"""`librarian job` as a person and as a script use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from librarian.cli import main
from librarian.system.processes import Answer
from tests.unit.cli.test_cli_queue import answer as answered_by
from tests.unit.subjects.efficiency.test_job_card import STEP, WHOLE, answer

pytestmark = pytest.mark.clock


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "librarian.toml").write_text('[cluster]\nname = "demo"\ntimezone = "UTC"\n[[qos]]\nname = "avery"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def slurm(monkeypatch: pytest.MonkeyPatch, *rows: dict[str, str]) -> None:
    def run(argv: list[str], **options: object) -> Answer:
        assert argv[0] == "sacct", "sstat is asked of one job that runs, and of no whole array"
        return Answer(0, b"fit\n" if "-n" in argv else answer(*rows), "")

    answered_by(monkeypatch, run)


def test_a_card(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    slurm(monkeypatch, WHOLE, STEP)
    assert main(["job", "123_4", "--verdict"]) == 0
    text = capsys.readouterr().out
    assert "50 % used" in text
    assert text.splitlines()[-1] == "WARNING=true"
    assert list(place.iterdir()) == [place / "librarian.toml"], "no store, no lock, no site"


def test_nothing_stands_out(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    slurm(monkeypatch, {**WHOLE, "AllocTRES": "cpu=2,mem=2G,node=1"}, STEP)
    assert main(["job", "123_4", "--verdict"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["Nothing stands out.", "WARNING=false"]


def test_for_programs(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    slurm(monkeypatch, WHOLE, STEP)
    assert main(["job", "123_4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cpu"]["efficiency"] == 0.5


def test_a_job_that_nobody_knows(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slurm(monkeypatch)
    assert main(["job", "5"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "Slurm knows no job 5" in err


def test_a_whole_job_array(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    going_on = {"State": "RUNNING", "End": "Unknown"}
    others = [{"DBIndex": str(20 + n), "JobIDRaw": str(140 + n), "JobID": f"123_{n}"} for n in (5, 10)]
    slurm(monkeypatch, *({**WHOLE, **going_on, **one} for one in [{}, *others]))
    assert main(["job", "123"]) == 2
    assert "123 is a job array of 3 tasks; name one of them, such as 123_4" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "x", "1;ls", "-1", "1_", "1_2_3", "1.0", "１", "1\n"])
def test_what_is_no_id(place: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["job", "--", text])
    assert ended.value.code == 2
    assert "is no job, as in 123" in capsys.readouterr().err


def test_thresholds_are_those_of_the_configuration(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with (place / "librarian.toml").open("a") as file:
        file.write("[efficiency]\ncpu_below = 0.5\nmemory_below = 0\ntime_below = 0\n")
    slurm(monkeypatch, WHOLE, STEP)
    assert main(["job", "123_4", "--verdict"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "WARNING=false"


def test_as_a_page(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    slurm(monkeypatch, WHOLE, STEP)
    assert main(["job", "123_4", "--html", "card.html", "--verdict"]) == 0
    assert capsys.readouterr().out == "WARNING=true\n"
    assert "<title>Job 123_4</title>" in (place / "card.html").read_text()
    assert main(["job", "123_4", "--html", "-", "--verdict"]) == 0
    assert capsys.readouterr().out.endswith("</html>")
    assert main(["job", "123_4", "--html", "none/card.html"]) != 0
    assert "could not be written" in capsys.readouterr().err
