"""Entries of a real scrontab that get stuck in each way, and a watchdog that recovers them or leaves them alone.

Four users at a time, since a firing comes only once a minute.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cluster.client import Cluster, Ran
from tests.cluster.program import Program

pytestmark = [pytest.mark.slow, pytest.mark.scrontab, pytest.mark.one_version]
SCHEDULES = """
[report]
interval_seconds = 60
[scrontab]
schedule = "* * * * *"
watchdog_schedule = "0 0 1 1 *"
time_limit_minutes = 5
memory = "600M"
"""
SICK = 3  # whose login file fails
NO_ENVIRONMENT = "requeue_setup_env_fail"  # before 25.05 an entry is held for want of an environment only with it
FOREIGN = "# somebody's own line, caf\u00e9\n#SCRON -J mine -t 1\n0 0 1 1 * /bin/true\n"


@dataclass
class Keeper:
    """A user with our entries and others in the table, and a held job of science that has nothing to do with them."""

    program: Program
    science: str
    spoilt: dict[Path, str] = field(default_factory=dict)  # files and what they were

    @property
    def cluster(self) -> Cluster:
        return self.program.cluster

    @property
    def state(self) -> Path:
        return self.cluster.root / self.program.place.lstrip("/") / "state"

    @property
    def name(self) -> str:
        return next(self.state.glob("scrontab-hpg-*.json")).stem.removeprefix("scrontab-")

    def table(self) -> str:
        return self.run("scrontab", "-l").stdout

    def wait_for(self, ready: Callable[[], bool], what: str) -> None:
        self.cluster.wait_for(ready, what)

    def run(self, *argv: str, check: bool = True, text: str = "") -> Ran:
        return self.cluster.run(self.program.user, *argv, check=check, text=text)

    def job(self, command: str = "run") -> tuple[str, str, str]:
        """Id, state and reason of the job of an entry; "" thrice where there is none."""
        form = f"--name=librarian-{command}-{self.name}"
        line = self.run("squeue", "-h", "--me", form, "-o", "%i|%T|%r").stdout.strip()
        found = line.split("|") if line else ["", "", ""]
        return found[0], found[1], found[2]

    def watch(self, *, afresh: bool = True, check: bool = True) -> str:
        """The watchdog's line; `afresh` takes its memory, as if a day had passed since it last acted."""
        if afresh:
            (self.state / f"watchdog-{self.name}.json").unlink(missing_ok=True)
        done = self.program.run("watchdog", check=check)
        return done.stdout if check else done.stderr

    def hang(self) -> None:
        """From the next firing on the report never ends."""
        self._spoil(self.state / f"run-{self.name}.sh", "#!/bin/bash\nsleep 600\n")

    def suspect(self) -> None:
        """Let a firing count as hung at once."""
        file = self.state / f"scrontab-{self.name}.json"
        self._spoil(file, json.dumps({**json.loads(file.read_text()), "limit_seconds": -300}))

    def _spoil(self, file: Path, content: str) -> None:
        self.spoilt[file] = file.read_text()
        file.write_text(content)

    def mend(self) -> None:
        """From the next firing on it reports again, and does not count as hung."""
        for file, content in self.spoilt.items():
            file.write_text(content)

    def is_untouched(self) -> bool:
        held = self.run("squeue", "-h", "-j", self.science, "-o", "%T|%r").stdout.strip()
        return held == "PENDING|JobHeldUser" and self.table().startswith(FOREIGN)


def keeper(cluster: Cluster, user: str, qos: str) -> Keeper:
    program = Program(cluster, user, f"/home/{user}/kept")
    program.configure([qos], SCHEDULES)
    cluster.run(user, "scrontab", "-", text=FOREIGN)
    science = cluster.run(
        user, "sbatch", "--parsable", "-H", "-o", "/dev/null", "-J", "librarian-run", "--wrap", "true"
    )
    made = Keeper(program, science.stdout.strip())
    program.run("scrontab", "install")
    return made


@pytest.fixture(scope="module")
def keepers(cluster: Cluster) -> Iterator[list[Keeper]]:
    end_jobs_of_other_tests(cluster)
    set_option(cluster, f"s/^SchedulerParameters=.*/&,{NO_ENVIRONMENT}/")
    cluster.shell("dave", "echo 'exit 1' >.bash_profile")
    users = {"bob": "avery", "carol": "avery", "frank": "kim", "dave": "avery"}
    made = [keeper(cluster, user, qos) for user, qos in users.items()]
    yield made
    for one in made:
        one.run("scrontab", "-r", check=False)
        one.run("scancel", one.science)
    cluster.shell("dave", "rm -f .bash_profile")
    set_option(cluster, f"s/,{NO_ENVIRONMENT}//")
    resume(cluster)


def end_jobs_of_other_tests(cluster: Cluster) -> None:
    """They hold what an entry needs to start: a QoS of theirs is at its limit."""
    theirs = "squeue -h -a -u alice,bob,carol,dave,erin,frank -o %A"
    cluster.shell("root", f"{theirs} | sort -u | xargs -r scancel")
    cluster.wait_for(lambda: not cluster.shell("root", theirs).stdout, "the jobs of other tests to end")


def set_option(cluster: Cluster, change: str) -> None:
    """Change slurm.conf by a command of sed's."""
    cluster.run("root", "sed", "-i", change, "/etc/slurm/slurm.conf")
    cluster.run("root", "scontrol", "reconfigure")


def resume(cluster: Cluster) -> None:
    """Give jobs all nodes again."""
    cluster.run("root", "scontrol", "update", "nodename=ALL", "state=resume", check=False)


@pytest.fixture(scope="module")
def fired(keepers: list[Keeper]) -> list[Keeper]:
    """The first reports, the second hangs, the third is to be held, the fourth is: all at the same firing."""
    _, hung, held, _ = keepers
    for one in (hung, held):
        one.hang()
    for one in (hung, held):
        one.wait_for(lambda one=one: one.job()[1] == "RUNNING", "a firing that hangs")  # type: ignore[misc]
    return keepers


def test_entries_fire_and_others_lines_stay(fired: list[Keeper]) -> None:
    first = fired[0]
    first.wait_for((first.state.parent / "site/index.json").exists, "the first report by scrontab")
    assert first.program.data("avery")["metadata"]["qos"] == "avery"
    assert "all is well" in first.watch()
    assert first.is_untouched()
    again = first.program.run("scrontab", "install").stdout
    assert "has our entries already" in again


def test_a_firing_that_hangs_is_ended_and_its_entry_stays(fired: list[Keeper]) -> None:
    hung = fired[1]
    before, table = hung.job(), hung.table()
    hung.suspect()
    assert "requeue: librarian-run" in hung.watch()
    hung.wait_for(lambda: hung.job()[1] == "PENDING", "the hung firing to be over")
    assert hung.job()[0] == before[0], "a requeued firing keeps its job"
    assert hung.table() == table
    assert hung.is_untouched()
    hung.mend()


def test_a_held_entry_is_recovered(cluster: Cluster, fired: list[Keeper]) -> None:
    held = fired[2]
    held.mend()
    job, table = held.job()[0], held.table()
    cluster.run("root", "scontrol", "requeuehold", job)
    held.wait_for(lambda: held.job()[2].lower().find("held") >= 0, "the entry to be held")
    assert held.run("scontrol", "release", job, check=False).returncode != 0, "what would be obvious does not work"
    assert re.search(r"put: librarian-run-\S+ is held: job requeued in held state", held.watch())
    held.wait_for(lambda: held.job()[2] in ("None", "BeginTime"), "a fresh job of the entry")
    assert held.table() == table
    assert held.is_untouched()


def test_an_entry_without_an_environment_is_recovered_once_there_is_one(cluster: Cluster, fired: list[Keeper]) -> None:
    sick = fired[SICK]
    sick.wait_for(lambda: sick.job()[2].endswith("failed requeued held"), "the entry to be held")
    assert "drain" in cluster.run("root", "sinfo", "-h", "-N", "-o", "%T").stdout, "Slurm blames the node"
    resume(cluster)
    table = sick.table()
    sick.run("rm", ".bash_profile")
    time.sleep(3)
    assert sick.job()[2].endswith("held"), "it does not come back by itself"
    why = r"put: librarian-run-\S+ is held: (launch|user env retrieval) failed requeued held"
    assert re.search(why, sick.watch())
    sick.wait_for(lambda: sick.job()[2] in ("None", "BeginTime"), "a fresh job of the entry")
    assert sick.table() == table
    assert sick.is_untouched()


def test_an_entry_that_was_cancelled_is_enabled_again(keepers: list[Keeper]) -> None:
    first = keepers[0]
    table = first.table()
    first.run("scancel", first.job()[0])
    first.wait_for(lambda: "#DISABLED: " in first.table(), "Slurm to disable the entry")
    assert "put: an entry of ours is disabled" in first.watch()
    assert first.table() == table
    assert first.is_untouched()
    first.run("scancel", first.job("watchdog")[0])
    first.wait_for(lambda: "#DISABLED: " in first.table(), "Slurm to disable the entry")
    assert re.search(r"none: .*disabled.*; it was put right \d+ s ago", first.watch(afresh=False))
    assert "#DISABLED: " in first.table(), "not twice within an interval"
    assert "put: " in first.watch()


def test_a_disabled_line_that_is_not_ours_stays_disabled(keepers: list[Keeper]) -> None:
    first = keepers[0]
    mine = first.run("squeue", "-h", "--me", "--name=mine", "-o", "%i").stdout.split()[0]
    first.run("scancel", mine)
    first.wait_for(lambda: "#DISABLED: 0 0 1 1 * /bin/true" in first.table(), "Slurm to disable it")
    table = first.table()
    first.run("scancel", first.job()[0])
    first.wait_for(lambda: first.table() != table, "Slurm to disable ours")
    assert "put: " in first.watch()
    assert first.table() == table
    first.run("scrontab", "-", text=table.replace("#DISABLED: ", ""))


def test_a_table_that_is_gone_comes_back_with_our_lines(keepers: list[Keeper]) -> None:
    second = keepers[1]
    ours = second.table().removeprefix(FOREIGN)
    second.run("scrontab", "-", text="")
    assert second.job()[1] != "PENDING", "jobs that wait go with a table"
    second.wait_for(lambda: second.job() == ("", "", ""), "a firing to end")
    assert "an empty table; waiting whether it stays so" in second.watch()
    assert second.table() == ""
    second.run("scrontab", "-r")
    assert "put: our entries are gone" in second.watch()
    assert second.table() == ours
    second.run("scrontab", "-", text=FOREIGN + ours)


def test_paused_is_not_stuck(keepers: list[Keeper]) -> None:
    first = keepers[0]
    table = first.table()
    first.program.run("pause")
    first.wait_for(lambda: first.job() == ("", "", ""), "no job of ours")
    assert "paused on purpose" in first.watch()
    assert first.table().startswith(FOREIGN)
    first.program.run("resume")
    assert first.table() == table


def test_while_slurmctld_is_down_nothing_is_changed(cluster: Cluster, keepers: list[Keeper]) -> None:
    first = keepers[0]
    table = first.table()
    cluster.stop_slurmctld()
    try:
        assert first.watch(check=False).startswith("librarian: scrontab -l failed")
    finally:
        cluster.start_slurmctld()
    assert first.table() == table
    assert first.is_untouched()


def test_a_busy_cluster_is_left_alone(cluster: Cluster, keepers: list[Keeper]) -> None:
    third = keepers[2]
    cluster.run("root", "scontrol", "update", "nodename=ALL", "state=drain", "reason=test")
    try:
        waits = ("Resources", "Nodes", "Priority", "ReqNodeNotAvail")
        third.wait_for(lambda: third.job()[2].startswith(waits), "an entry that cannot start")
        table = third.table()
        assert "nothing to repair" in third.watch()
        assert third.table() == table
    finally:
        resume(cluster)


def test_what_had_no_environment_fires_again(fired: list[Keeper]) -> None:
    sick = fired[SICK]
    sick.wait_for((sick.state.parent / "site/index.json").exists, "a report by scrontab")
    assert sick.is_untouched()


def test_what_was_installed_can_be_removed(keepers: list[Keeper]) -> None:
    for one in keepers:
        one.program.run("scrontab", "remove")
        assert one.table() == FOREIGN
        assert "not installed" in one.program.run("watchdog").stdout
