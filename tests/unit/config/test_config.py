"""The configuration: all of it, and every mistake at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from librarian.config import parse, setup
from librarian.config.keys import ALLOCATION, PUBLISHERS, QOS, SECTIONS, is_zone
from librarian.config.problems import problems_of
from librarian.config.schedules import is_schedule
from librarian.errors import ConfigError
from librarian.subjects.efficiency.options import Rules
from tests.places import ROOT

SMALLEST = '[cluster]\nname = "hpg"\n[[qos]]\nname = "avery"\n'


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value.problems


def test_the_smallest_one_has_defaults() -> None:
    config = parse(SMALLEST)
    options = config.report
    assert (options.window_days, options.bin_seconds, options.top_users, options.refresh_seconds) == (30, 3600, 12, 300)
    assert (config.qos[0].title, config.qos[0].limits, config.publish) == ("avery", {}, ())


def test_a_full_one() -> None:
    config = parse(
        """
        [cluster]
        name = "hpg"
        timezone = "US/Eastern"
        [slurm]
        bin_dir = "/opt/slurm/bin"
        timeout_seconds = 60
        [paths]
        state = "state"
        site = "/web/site"
        [report]
        window_days = 7
        bin_seconds = 1800
        top_users = 5
        refresh_seconds = 60
        [[qos]]
        name = "avery"
        title = "Avery"
        accounts = ["a", "b"]
        partitions = ["gpu"]
        [qos.limits]
        cpu = 430
        gpu = 0
        mem_gib = 3359.5
        jobs = 100
        [[publish]]
        kind = "folder"
        path = "/web/copy"
        """
    )
    assert config.qos[0].limits == {"cpu": 430, "gres/gpu": 0, "mem": 3359.5, "jobs": 100}
    assert config.qos[0].accounts == ("a", "b")
    assert (config.publish[0].kind, config.publish[0].options) == ("folder", {"path": "/web/copy"})


def test_all_mistakes_are_told_at_once_with_key_value_and_what_is_allowed() -> None:
    found = problems(
        """
        [cluster]
        name = "hpg"
        timezone = "US/Easter"
        tiemzone = "UTC"
        [report]
        bin_seconds = 7000
        window_days = 0
        top_users = true
        [[qos]]
        name = "a,b"
        accounts = "one"
        [qos.limits]
        cpus = 4
        gpu = -1
        [[qos]]
        [[publish]]
        kind = "carrier-pigeon"
        [[publish]]
        kind = "folder"
        """
    )
    text = "\n".join(found)
    for expected in (
        "cluster.timezone = 'US/Easter'",
        'cluster.tiemzone is not a key; did you mean "timezone"?',
        "report.bin_seconds = 7000: allowed is whole seconds that divide a day",
        "report.window_days = 0: allowed is a whole number from 1 to 366",
        "report.top_users = True",
        "qos[1].name = 'a,b'",
        "qos[1].accounts = 'one'",
        'qos[1].limits.cpus is not a key; did you mean "cpu"?',
        "qos[1].limits.gpu = -1",
        "qos[2].name is missing",
        'publish[1].kind = \'carrier-pigeon\': allowed: "folder", "github-pages", "ssh"',
        "publish[2].path is missing",
    ):
        assert expected in text
    assert len(found) == 12


def test_mistakes_in_publishers() -> None:
    found = problems(
        SMALLEST
        + """
        [[publish]]
        kind = "ssh"
        host = ["web", "-oProxyCommand=id"]
        options = ["StrictHostKeyChecking=no"]
        timeout_seconds = 0
        [[publish]]
        kind = "github-pages"
        directory = "../up"
        cname = "not a domain"
        min_interval_seconds = -1
        [[publish]]
        kind = "folder"
        path = "x"
        mode = "0o755"
        """
    )
    for expected in (
        "publish[1].host = ['web', '-oProxyCommand=id']: allowed is \"host\", \"user@host\" or a list of such",
        "publish[1].options = ['StrictHostKeyChecking=no']",
        "publish[1].timeout_seconds = 0",
        "publish[1].path is missing: a folder on the host for the site, or pictures",
        "publish[2].remote is missing",
        "publish[2].directory = '../up'",
        "publish[2].cname = 'not a domain'",
        "publish[2].min_interval_seconds = -1",
        "publish[3].mode = '0o755': allowed is a mode of folders",
    ):
        assert expected in "\n".join(found)
    assert len(found) == 9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "cluster.name is missing"),
        ('[cluster]\nname = "x"', "at least one table [[qos]]"),
        ('cluster = "hpg"', "cluster = 'hpg': allowed is a table"),
        ('[cluster]\nname = "x"\n[qos]\nname = "a"', "qos = {'name': 'a'}: allowed are tables [[qos]]"),
        (SMALLEST + '[[qos]]\nname = "AVERY"', "is there twice"),
        (SMALLEST + "limits = 3", "allowed is a table [qos.limits]"),
        ("publish = 3\n" + SMALLEST, "allowed are tables [[publish]]"),
        (SMALLEST.replace("avery", "-x"), "does not begin with a dash"),
        (SMALLEST.replace("avery", "a\\u0007b"), "a name without commas"),
    ],
)
def test_odd_shapes(text: str, expected: str) -> None:
    assert expected in "\n".join(problems(text))


def test_what_is_not_toml_says_where() -> None:
    with pytest.raises(ConfigError, match=r"librarian\.toml is not TOML: Expected"):
        parse("[cluster")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"\ufeff{SMALLEST}",
            "it begins with a byte order mark (BOM), as some editors write it (save it as UTF-8 without",
        ),
        (f"x = {'[' * 5000}{']' * 5000}\n{SMALLEST}", "librarian.toml is nested too deeply"),
        (f"[report]\ntop_users = {'9' * 6000}\n{SMALLEST}", "librarian.toml is not TOML: Exceeds the limit"),
        (f"[report]\ntop_users = 0x{'f' * 60000}\n{SMALLEST}", "report.top_users = …: allowed is a whole number"),
        (f'[[publish]]\nkind = ["folder"]\n{SMALLEST}', "publish[1].kind = ['folder']: allowed: \"folder\""),
        (
            f'[[publish]]\nkind = "github-pages"\nremote = "https://[h/x"\n{SMALLEST}',
            "publish[1].remote = …: allowed is a remote of git's",
        ),
    ],
    ids=["mark", "lists", "digits", "hexadecimal", "kind", "bracket"],
)
def test_what_no_program_expects_is_a_mistake_too(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert expected in str(caught.value)


def test_a_table_of_any_depth_is_no_name() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert problems_of({"cluster": {"name": deep}})[0].startswith("cluster.name = …: allowed is a name")


ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates(), st.datetimes()),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=6,
)
KEYS = {**SECTIONS, "qos": QOS, "allocation": ALLOCATION, "publish": {"kind": None, **PUBLISHERS["ssh"]}}


@pytest.mark.slow
@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: ODD | st.dictionaries(st.sampled_from(list(keys)), ODD, max_size=4) for name, keys in KEYS.items()
        },
    ),
    st.booleans(),
)
def test_any_value_anywhere_is_taken_or_told(table: dict[str, Any], listed: bool) -> None:
    for name in ("qos", "publish"):
        if listed and name in table:
            table[name] = [table[name]]
    assert all(isinstance(line, str) for line in problems_of(table))


@pytest.mark.parametrize(
    "entry", ['qos = "avery"\n[cluster]', 'qos = ["avery"]\n[cluster]', '[qos]\nname = "a"\n[cluster]']
)
def test_a_qos_is_a_table_of_its_own(entry: str) -> None:
    (found,) = problems(f'{entry}\nname = "hpg"\n')
    assert found.startswith("qos = ")
    assert found.endswith(': allowed are tables [[qos]], in each the name of one: name = "avery"')


def test_no_stage_takes_longer_than_its_run() -> None:
    def told(options: str) -> tuple[str, ...]:
        return problems(f"{SMALLEST}[run]\n{options}")

    assert told("collect_seconds = 451") == (
        "run.collect_seconds = 451: allowed is no more than the whole run may take, time_limit_seconds = 450",
    )
    assert (
        len(told("time_limit_seconds = 100\nrender_seconds = 101\npublish_seconds = 150\ncollect_seconds = 100")) == 2
    )
    assert len(told('time_limit_seconds = "x"\nrender_seconds = 9000')) == 1
    assert parse(f"{SMALLEST}[run]\ntime_limit_seconds = 100\n").run.collect_seconds == 240, "it ends with the run"


@pytest.mark.parametrize(
    "schedule", ["*/10 * * * *", "0,30 7-19 * * *", "5-55/10 0 1,15 Jan-mar Mon,fri-SAT", "@hourly", "0 0 * * 7"]
)
def test_schedules_of_cron(schedule: str) -> None:
    assert is_schedule(schedule)


@pytest.mark.parametrize(
    "schedule",
    [
        "99 * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *",
        "*/60 * * * *", "30-10 * * * *", "* * * foo *", "jan * * * *", "* * * *", "* * * * * *", "*  * * *", "@reboot",
        "@", "", "-5 * * * *", "1,, * * * *", "１ * * * *", 5, None,
    ],
)  # fmt: skip
def test_what_no_cron_understands_is_no_schedule(schedule: object) -> None:
    assert not is_schedule(schedule)


def test_the_file_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, xdg = tmp_path / "here", tmp_path / "xdg" / "librarian"
    here.mkdir()
    xdg.mkdir(parents=True)
    monkeypatch.chdir(here)
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    with pytest.raises(ConfigError, match="librarian init"):
        setup.find(None, environment)
    (xdg / "librarian.toml").write_text(SMALLEST)
    assert setup.find(None, environment) == xdg / "librarian.toml"
    (here / "librarian.toml").write_text(SMALLEST)
    assert setup.find(None, environment) == Path("librarian.toml")
    named = tmp_path / "named.toml"
    with pytest.raises(ConfigError, match=r"named\.toml"):
        setup.find(None, {"LIBRARIAN_CONFIG": str(named)})
    named.write_text(SMALLEST)
    assert setup.find(None, {"LIBRARIAN_CONFIG": str(named)}) == named
    assert setup.find(str(xdg / "librarian.toml"), {"LIBRARIAN_CONFIG": str(named)}) == xdg / "librarian.toml"


def test_paths_start_at_the_file_and_have_defaults(tmp_path: Path) -> None:
    file = tmp_path / "librarian.toml"
    file.write_text(SMALLEST + '[paths]\nstate = "state"\n')
    places = setup.load(file, {}).places
    assert (places.state, places.site, places.store) == (
        tmp_path / "state",
        tmp_path / "state" / "site",
        tmp_path / "state" / "hpg.sqlite",
    )
    file.write_text(SMALLEST)
    assert setup.load(file, {"XDG_STATE_HOME": "/s"}).places.state == Path("/s/librarian")


def test_the_zone_comes_from_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert setup.local_zone() == "Europe/Berlin"
    monkeypatch.setenv("TZ", "XYZ5")
    assert setup.local_zone()


def test_zones_are_those_of_pytz() -> None:
    assert all(map(is_zone, pytz.all_timezones))
    for odd in (
        "",
        "utc",
        "us/eastern",
        "US/Easter",
        "US",
        "Factory",
        "zone.tab",
        "../UTC",
        "/etc/localtime",
        "Zürich",
        1,
        [],
    ):
        assert not is_zone(odd), odd


def test_a_zone_without_data_is_none_and_no_other_is_looked_at(tmp_path: Path) -> None:
    """As on a system that keeps old names of zones apart from the others."""
    (tmp_path / "Europe").mkdir()
    shutil.copy(Path(pytz.__file__).parent / "zoneinfo/Europe/Berlin", tmp_path / "Europe/Berlin")
    code = """
import sys
from librarian.system import host as system
system.trust_zones()
from librarian.config.keys import ALLOCATION, PUBLISHERS, QOS, SECTIONS, is_zone
from librarian.config.problems import problems_of
from librarian.config.schedules import is_schedule
opened = []
sys.addaudithook(lambda event, about: opened.append(str(about[0])) if event == "open" else None)
print([is_zone(name) for name in ("Europe/Berlin", "US/Eastern", "Europe/Berlin")])
print(len([name for name in opened if name.startswith(sys.argv[1])]))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTZ_TZDATADIR": str(tmp_path)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n") == ["[True, False, True]", "2", ""]


def test_thresholds_of_findings() -> None:
    assert parse(SMALLEST).efficiency.rules == Rules()
    told = dict.fromkeys((one.name for one in fields(Rules)), 1)
    text = SMALLEST + "[efficiency]\ncollect_seconds = 7\n" + "".join(f"{key} = {told[key]}\n" for key in told)
    efficiency = parse(text).efficiency
    assert asdict(efficiency.rules) == told
    assert (efficiency.collect_seconds, efficiency.enabled) == (7, True)


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("cpu_below = 60", "efficiency.cpu_below = 60: allowed is a share from 0 to 1"),
        ("min_minutes = -1", "efficiency.min_minutes = -1: allowed is a number that is not negative"),
        ("min_hours = nan", "efficiency.min_hours = nan: allowed is a number that is not negative"),
        ("short_seconds = 1.5", "efficiency.short_seconds = 1.5: allowed is a whole number from 0 to 3600"),
        ("gpu_below = true", "efficiency.gpu_below = True: allowed is a share from 0 to 1"),
        ("cpu_bellow = 0.5", 'efficiency.cpu_bellow is not a key; did you mean "cpu_below"?'),
    ],
)
def test_a_threshold_that_cannot_be(line: str, allowed: str) -> None:
    assert problems(f"{SMALLEST}[efficiency]\n{line}\n") == (allowed,)
