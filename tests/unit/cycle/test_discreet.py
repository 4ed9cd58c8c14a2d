"""What a command said is for the operator: readers of the site are told one of a fixed set of reasons."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from librarian.config.setup import Setup
from librarian.cycle import stages
from librarian.cycle.parts import status_file
from librarian.demo.slurm import DemoSlurm
from librarian.errors import LibrarianError, NoAnswerError, SiteError, SlurmError, Terminated, Trouble, trouble_of
from librarian.shared import troubles
from librarian.shared.files import STATUS
from librarian.slurm.command import Slurm
from librarian.subjects.jobs.ask import DELIMITER, FIELDS, HEADER
from librarian.system.processes import Answer
from tests.unit.cycles import AVERY, AVERY_B, BASE, NOW, TWO_DAYS, configured, ended, leave_out_pictures

SAID = f"bob has {DELIMITER.join(('4242', 'bob', 'secretlab', 'node7'))} in /home/bob/jobs"
SECRETS = (b"4242", b"secretlab", b"node7", b"/home", b"bob has")
RUNS = [ended(1), ended(2, user="bob"), ended(3, qos="avery-b", alloc_tres="cpu=64")]
TORN = f"{HEADER}\n{DELIMITER.join((SAID, *'x' * (len(FIELDS) - 9)))}"
ANSWERS = {
    "killed": Answer(-9, SAID.encode(), ""),
    "an error": Answer(1, b"", f"error: {SAID}"),
    "nobody": Answer(1, b"", f"error: {SAID}: Connection refused"),
    "cut off": Answer(0, TORN.encode(), ""),
    "rejects": Answer(0, f"{TORN}\n".encode(), ""),
    "no table": Answer(0, f"{SAID}\n".encode(), ""),
    "complains": Answer(0, f"{HEADER}\n".encode(), f"error: {SAID}"),
}


def cycle(setup: Setup, now: int, answer: Answer | None = None) -> list[LibrarianError]:
    """One run; every command of Slurm's answers as `answer`, where there is one."""
    demo = DemoSlurm(RUNS, now=now)

    def runner(argv: Sequence[str], *, timeout: float, env: dict[str, str]) -> Answer:
        return answer or demo(argv, timeout=timeout, env=env)

    return stages.run(setup, Slurm(runner=runner), now)


def told(site: Path) -> dict[str, bytes]:
    """The files of a site in which something is written."""
    files = {path.name: path.read_bytes() for path in site.iterdir() if path.suffix in (".json", ".html", ".gz")}
    return {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in files.items()}


@pytest.mark.slow
@pytest.mark.parametrize("users", ["real", "pseudonym"])
@pytest.mark.parametrize("how", ANSWERS)
def test_nothing_that_a_command_said_is_on_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, users: str
) -> None:
    leave_out_pictures(monkeypatch)
    monkeypatch.setattr(stages, "pause", lambda seconds: None)
    setup = configured(tmp_path, f'{BASE}{TWO_DAYS}{AVERY}{AVERY_B}[privacy]\nusers = "{users}"\n')
    for answer in (ANSWERS[how], None, ANSWERS[how]):  # before anything was collected, and after
        assert bool(cycle(setup, NOW, answer)) == bool(answer)
        for name, data in told(setup.places.site).items():
            assert [secret for secret in SECRETS if secret in data] == [], name
    site = json.loads((setup.places.site / STATUS).read_bytes())
    known = set(troubles.WORDS.values())
    assert set(site["error"].split("; ")) <= known
    assert {row["error"] for row in site["qos"]} <= known
    index = json.loads((setup.places.site / "index.json").read_bytes())
    assert {entry["reason"] for entry in index["qos"]} <= known
    kept = json.loads(status_file(setup).path.read_bytes())
    assert "secretlab" in json.dumps(kept) or how == "rejects", "the operator is told"


def test_each_kind_has_words_of_its_own() -> None:
    assert set(troubles.WORDS) == set(Trouble)
    assert len(set(troubles.WORDS.values())) == len(Trouble)
    assert not any(character in text for text in troubles.WORDS.values() for character in ";:/\n")


def test_the_kind_is_that_of_the_error_and_stays_when_it_is_told_of_somebody() -> None:
    found = SlurmError("sacct failed", "said", "wait", trouble=Trouble.CUT_OFF).of("QoS avery")
    assert (str(found), found.trouble) == ("QoS avery: sacct failed: said (wait)", Trouble.CUT_OFF)
    assert isinstance(NoAnswerError("x").of("y"), NoAnswerError)
    kinds = {
        NoAnswerError("x"): Trouble.NO_ANSWER,
        SiteError("x"): Trouble.SITE,
        Terminated("SIGTERM", 1): Trouble.STOPPED,
        KeyError("x"): Trouble.UNEXPECTED,
    }
    assert [trouble_of(error) for error in kinds] == list(kinds.values())


def test_what_older_and_newer_releases_kept_has_a_kind() -> None:
    assert troubles.restored(None, None) is None
    assert troubles.restored("sacct: error", None) is Trouble.SLURM
    assert troubles.restored("sacct: error", "of a newer release") is Trouble.SLURM
    assert troubles.restored("sacct: error", "cut-off") is Trouble.CUT_OFF
    assert troubles.words_of([Trouble.STORE, Trouble.SITE, Trouble.STORE]).count(";") == 1
    assert troubles.words_of([]) == "a step failed"


@pytest.mark.slow
def test_what_an_older_site_tells_of_a_command_is_not_carried_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_pictures(monkeypatch)
    monkeypatch.setattr(stages, "pause", lambda seconds: None)
    setup = configured(tmp_path, f"{BASE}{TWO_DAYS}{AVERY}")
    assert cycle(setup, NOW) == []
    place = setup.places.site / "data_avery.json"
    older = json.loads(place.read_bytes())
    older["queue"]["error"] = f"squeue: {SAID}"
    place.write_text(json.dumps(older))
    setup.places.store.unlink()
    cycle(setup, NOW + 600, ANSWERS["an error"])
    data = json.loads(place.read_bytes())
    assert (data["staleness"]["stale"], data["totals"]) == (True, older["totals"])
    assert data["queue"]["error"] == "a step failed"
