"""Rules over whole cycles: state that is damaged, gone or of others; what is told and published; the command."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.cli import main
from librarian.config.setup import Setup
from librarian.cycle import ruling, stages
from librarian.cycle.parts import facts, rules_file, status_file
from librarian.demo.slurm import DemoSlurm
from librarian.rules.evaluate import Key, Span
from librarian.rules.hysteresis import Memory
from librarian.rules.payloads import Message
from librarian.rules.statefile import ChannelStatus, Pending, RulesFile, RulesState
from librarian.slurm.command import Slurm
from librarian.system import host
from tests.places import ROOT
from tests.unit.cycles import AVERY, BASE, TWO_DAYS, configured, ended, leave_out_pictures

GOLDEN = ROOT / "tests/data/golden/data_avery.json"
DATA = json.loads(GOLDEN.read_text())
NOW = DATA["metadata"]["last_updated_epoch"] + 60
HEAD = DATA["metadata"]
RULES = """
[[rule]]
name = "old data"
kind = "data-age"
hours = 2
quiet_hours = 0
[[channel]]
name = "log"
kind = "command"
command = [%s]
"""
SAVE = "import sys; open('told', 'ab').write(sys.stdin.buffer.read() + b'\\n')"


def placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str = "") -> Setup:
    """A configuration with rules, and the golden report as its site."""
    monkeypatch.chdir(tmp_path)
    command = ", ".join(json.dumps(word) for word in (sys.executable, "-c", SAVE))
    text = BASE.replace('"demo"', json.dumps(HEAD["cluster"])) + AVERY + RULES % command + more
    (tmp_path / "librarian.toml").write_text(text)
    (tmp_path / "site").mkdir()
    shutil.copy(GOLDEN, tmp_path / "site" / "data_avery.json")
    (tmp_path / "site" / "index.json").write_text('{"generator": "librarian 0"}')
    return configured(tmp_path, text)


def heard(folder: Path) -> list[dict[str, Any]]:
    place = folder / "told"
    return [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []


def test_a_rule_is_told_when_it_fires_and_when_it_clears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = placed(tmp_path, monkeypatch)
    for later in (0, 3 * 3600, 3 * 3600 + 600, 60, 120):
        assert ruling.rule(setup, NOW + later) == []
    assert [[event["what"] for event in told["events"]] for told in heard(tmp_path)] == [["fired"], ["cleared"]]
    assert [(one.start, one.end) for one in rules_file(setup).read().spans] == [(NOW + 3 * 3600, NOW + 3 * 3600)]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 1}', b"\xff\xfe", b"[" * 100_000, b'{"version": 9}']
)
def test_damaged_state_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    setup = placed(tmp_path, monkeypatch)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "rules.json").write_bytes(content)
    assert ruling.rule(setup, NOW + 3 * 3600) == []
    assert len(heard(tmp_path)) == 1
    assert (tmp_path / "state" / "rules.json").stat().st_mode & 0o777 == 0o600


STATE = RulesState(
    {Key("a", "avery", "ünï"): Memory(True, NOW, 5, True, False, 1.5, NOW, True, NOW)},
    [Span(Key("a", "avery"), NOW, None, "text")],
    [Pending("log", Message("s", ("l",), ({"rule": "a"},)), NOW, 2, NOW)],
    {"log": ChannelStatus(NOW, None, "failed", 1)},
    {"a": "0123"},
)


def test_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = RulesFile(tmp_path / "state" / "rules.json", "hpg")
    file.write(STATE)
    assert file.read() == STATE
    assert RulesFile(file.path, "other").read() == RulesState()


paths = st.lists(st.sampled_from(["memory", "spans", "pending", "channels", "laws", 0, 1, 2, 3, "message", "events",
                                  "held", "since", "value"]), min_size=1, max_size=4)  # fmt: skip


@given(paths, st.sampled_from([None, True, -1, 1.5, "x", [], {}, [[]], [None], {"a": 1}]))
def test_state_that_is_damaged_anywhere_is_read(where: list[Any], value: Any) -> None:
    class Folder(type(Path())):  # type: ignore[misc]
        content = b""

        def read_bytes(self) -> bytes:
            return Folder.content

        def stat(self, *, follow_symlinks: bool = True) -> Any:
            return type("", (), {"st_size": 1})

    kept: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("librarian.rules.statefile.write_atomic", lambda _, data, mode: kept.append(data))
        patch.setattr(Path, "mkdir", lambda *_, **__: None)
        RulesFile(Path("/nowhere/rules.json"), "hpg").write(STATE)
    body: Any = json.loads(kept[0])
    inner = body
    try:
        for step in where[:-1]:
            inner = inner[step]
        inner[where[-1]] = value
    except (KeyError, TypeError, IndexError):
        return
    Folder.content = json.dumps(body).encode()
    RulesFile(Folder("rules.json"), "hpg").read()


def test_state_that_cannot_be_written_tells_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = placed(tmp_path, monkeypatch)
    (tmp_path / "state").write_text("a file")
    problems = ruling.rule(setup, NOW + 3 * 3600)
    assert "could not be written" in str(problems[0])
    assert heard(tmp_path) == []


def test_a_rule_that_is_another_now_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = placed(tmp_path, monkeypatch)
    ruling.rule(setup, NOW + 3 * 3600)
    text = (tmp_path / "librarian.toml").read_text().replace("hours = 2", "hours = 9", 1)
    ruling.rule(configured(tmp_path, text), NOW + 4 * 3600)
    state = rules_file(setup).read()
    assert not any(memory.firing for memory in state.memory.values())
    assert [one.end for one in state.spans] == [NOW + 4 * 3600]
    assert len(heard(tmp_path)) == 1


def test_data_of_another_cluster_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = placed(tmp_path, monkeypatch)
    changed = {**DATA, "metadata": {**HEAD, "cluster": "other"}}
    (tmp_path / "site" / "data_avery.json").write_text(json.dumps(changed))
    assert ruling.told(setup) == {"avery": None}
    assert ruling.rule(setup, NOW + 3 * 3600) == []


def test_the_command_lists_rules_and_tests_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = '[[rule]]\nname = "near"\nwhen = "now.total.NCPUS >= 0"\n[[rule]]\nname = "no"\nwhen = "no.such > 1"\n'
    placed(tmp_path, monkeypatch, more)
    monkeypatch.setattr(host, "clock", lambda: NOW)
    assert main(["rules"]) == 0
    out = capsys.readouterr().out
    assert "quiet    old data (avery)" in out
    assert "firing   near (avery)" in out
    assert "unknown  no (avery)\n         avery: no number at no.such" in out
    assert "now.total.NCPUS is" in out
    assert "; fires in the next run" in out
    assert "goes to log" in out
    assert main(["rules", "--test"]) == 0
    out = capsys.readouterr().out
    assert "its number has no history" in out
    assert "would have fired 1 time in the report's window" in out
    assert main(["rules", "--json", "--test"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["rule"], row["state"]) for row in rows] == [
        ("old data", "quiet"),
        ("near", "firing"),
        ("no", "unknown"),
    ]
    assert (rows[0]["would_have_fired"], len(rows[1]["would_have_fired"])) == (None, 1)
    assert not (tmp_path / "state").exists(), "nothing is kept or told"
    assert heard(tmp_path) == []


NO_RULES = "no rules are configured: add [[rule]] to librarian.toml (docs/rules.md)"


@pytest.mark.parametrize("command", [["rules"], ["rules", "--test", "--json"]])
def test_without_rules_or_a_site_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "librarian.toml").write_text(BASE + AVERY)
    assert main(command) == 0
    none = capsys.readouterr().out
    assert none == ("[]\n" if "--json" in command else f"{NO_RULES}\n")
    (tmp_path / "librarian.toml").write_text(BASE + AVERY + '[[rule]]\nname = "a"\nkind = "at-limit"\n')
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "no data yet" in out


def test_a_cycle_looks_at_rules_and_tells_of_a_channel_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_pictures(monkeypatch)
    now = 1_793_100_000
    slurm = Slurm(runner=DemoSlurm([ended(1)], now=now))
    text = BASE + TWO_DAYS + AVERY + (
        '[[rule]]\nname = "jobs"\nwhen = "totals.total.ended.COMPLETED >= 1"\n'
        '[[channel]]\nname = "chat"\nkind = "command"\ncommand = ["false"]\n'
    )  # fmt: skip
    setup = configured(tmp_path, text)
    problems = stages.run(setup, slurm, now)
    assert [str(problem) for problem in problems] == ["channel chat: false ended with 1"]
    status = status_file(setup).read()
    assert status.stages["rules"].error == "channel chat: false ended with 1"
    assert facts(setup)["channel chat"] == "false ended with 1; 1 to be told"
    published = json.loads((tmp_path / "site" / "status.json").read_text())
    assert "rules" in published["stages"]
    assert "ended with" not in json.dumps(published)
    without = configured(tmp_path, BASE + TWO_DAYS + AVERY)
    assert stages.run(without, slurm, now) == []
    assert status_file(without).read().stages["rules"].error is None, "rules that are gone fail no more"
    assert rules_file(without).read().pending == []
