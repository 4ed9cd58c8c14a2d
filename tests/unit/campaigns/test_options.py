"""Options of sbatch: what may not be among them, and more for a retry."""

from __future__ import annotations

import pytest

from librarian.campaigns import arrays, options
from librarian.errors import ConfigError


@pytest.mark.parametrize(
    "words",
    [["-p", "gpu"], ["--mem=2G", "-t60"], ["--partition", "gpu", "--exclusive"], ["--export=ALL,A=b c"], ["-Hp", "x"]],
)
def test_what_may_stand_behind_the_dashes(words: list[str]) -> None:
    if words == ["-Hp", "x"]:  # short options that are glued together are not told apart
        with pytest.raises(ConfigError):
            options.check(words)
    else:
        options.check(words)


@pytest.mark.parametrize(
    "words",
    [["--array=1-3"], ["-a", "1"], ["-a1"], ["--arr=1"], ["-J", "x"], ["--wrap=ls"], ["-o", "x"], ["other.sh"],
     ["--mem=2G", "other.sh"], ["--exclusive", "other.sh"], ["-p", "gpu", "other.sh"], ["--clusters=a"],
     ["-pgpu", "x"]],
)  # fmt: skip
def test_what_may_not(words: list[str]) -> None:
    with pytest.raises(ConfigError):
        options.check(words)


def test_more_memory_and_time() -> None:
    given = ["--mem=2G", "-t", "1:30:00", "-p", "gpu"]
    assert options.more(given, {"memory": 1.5, "time": 2}) == ("--mem=3145728K", "-t", "180", "-p", "gpu")
    for text, minutes in (("10", "15"), ("1-0", "2160"), ("0:30", "1"), ("1-2:30", "2385"), ("00:10:00", "15")):
        assert options.more([f"--time={text}"], {"time": 1.5}) == (f"--time={minutes}",)
    with pytest.raises(ConfigError, match="no --mem"):
        options.more(["-t", "5"], {"memory": 2})
    with pytest.raises(ConfigError, match="cannot be multiplied"):
        options.more(["--time=UNLIMITED"], {"time": 2})
    assert options.factors("memory=1.5,time=2") == {"memory": 1.5, "time": 2}
    with pytest.raises(ConfigError):
        options.factors("memory=0.5")


def test_numbers_of_tasks() -> None:
    assert arrays.ranges([3, 1, 2, 7]) == "1-3,7"
    assert arrays.numbers("[0-3,7,10-20:5%4]") == [0, 1, 2, 3, 7, 10, 15, 20]
    assert arrays.numbers("5") == [5]
    for text in ("a", "1-", "1-99999999", "1:2"):
        with pytest.raises(ValueError, match="no numbers"):
            arrays.numbers(text)
