"""Conditions: a grammar of their own, with messages that say what is expected; what is not understood is refused."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian import config
from librarian.config import conditions
from librarian.config.conditions import COMPARISONS, Condition, number_at, parse, written
from librarian.errors import ConfigError

BASE = '[cluster]\nname = "hpg"\n[[qos]]\nname = "avery"\n'
steps = st.text(st.characters(codec="utf-8", exclude_characters='"', categories=["L", "N", "P", "S"]), min_size=1)
paths = st.builds(lambda first, rest: (first, *rest), steps, st.lists(steps | st.integers(-999, 999), max_size=4))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pressure.NGPUS.share > 0.95 for 6h", Condition(("pressure", "NGPUS", "share"), ">", 0.95, 21600)),
        ("queue.jobs>=100", Condition(("queue", "jobs"), ">=", 100)),
        ('now."a.b c".NGPUS:a100 != -1.5 for 2d', Condition(("now", "a.b c", "NGPUS:a100"), "!=", -1.5, 172800)),
        ("peaks.NCPUS[-1] < 5 for 30m", Condition(("peaks", "NCPUS", -1), "<", 5, 1800)),
    ],
)  # fmt: skip
def test_a_condition_is_read(text: str, expected: Condition) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a name of the report's JSON"),
        ("a >", "a number is expected at the end"),
        ("a > b", 'a number is expected at "b"'),
        ("a > 1 for", '"for" and a duration'),
        ("a > 1 for 6", "a duration such as"),
        ("a > 1 for 9999w", "at most 366 days"),
        ("a > 1 or b > 2", '"for" and a duration'),
        ("__import__('os').system('id') > 1", "a comparison"),
        ("a > nan", "a number"),
        ("a > 1e999", '"for"'),
        ("a = 1", "a comparison"),
        ("a\n> 1", "one line"),
        ("a." * 300 + "a > 1", "at most 400"),
    ],
)
def test_what_is_not_a_condition_is_told_with_what_is_expected(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as error:
        parse(text)
    assert says in str(error.value)


@given(paths, st.sampled_from(list(COMPARISONS)), st.integers(-10000, 10000), st.integers(1, 300))
def test_what_is_written_is_read_again(path: conditions.Path, comparison: str, level: int, hours: int) -> None:
    text = f"{written(path)} {comparison} {level} for {hours}h"
    if len(text) <= conditions.LONGEST:
        assert parse(text) == Condition(path, comparison, level, hours * 3600)


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(json_values, paths)
def test_a_path_into_anything_is_a_number_or_nothing(data: Any, path: conditions.Path) -> None:
    found = number_at(data, path)
    assert found is None or abs(found) <= conditions.LARGEST


@pytest.mark.parametrize("value", [None, True, "5", [], {}, float("nan"), float("inf"), 10**400])
def test_what_is_no_number_is_not_known(value: object) -> None:
    assert number_at({"a": [value]}, ("a", 0)) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[rule]]\nname = "a"\n', "allowed is one of when"),
        ('[[rule]]\nname = "a"\nkind = "eval"\n', 'kind: "at-limit"'),
        ('[[rule]]\nname = "a"\nkind = "data-age"\nwhen = "a > 1"\n', "allowed is one of when"),
        ('[[rule]]\nname = "a"\nwhen = "a > 1 for"\n', 'rule[1].when: "for" and a duration'),
        ('[[rule]]\nname = "a"\nwhen = "a > 1"\nclears = 2\n', "it fires above 1: allowed is no more"),
        ('[[rule]]\nname = "a"\nwhen = "a < 1"\nclears = 0\n', "it fires below 1: allowed is no less"),
        ('[[rule]]\nname = "a"\nwhen = "a == 1"\nclears = 1\n', "leave clears out"),
        ('[[rule]]\nname = "a"\nkind = "headroom"\n', "rule[1].below is missing"),
        ('[[rule]]\nname = "a"\nkind = "headroom"\nbelow = 3\nresource = "PONIES"\n', 'a resource such as "NGPUS"'),
        ('[[rule]]\nname = "a"\nkind = "data-age"\nresource = "NGPUS"\n', "rule[1].resource is not a key"),
        ('[[rule]]\nname = "a"\nkind = "data-age"\nto = ["chat"]\n', "rule[1].to = 'chat': known: none"),
        ('[[rule]]\nname = "a"\nkind = "data-age"\nqos = ["kim"]\n', "rule[1].qos = 'kim': known: avery"),
        ('[[rule]]\nname = "a"\nkind = "data-age"\n' * 2, "rule.name = 'a': is there twice"),
        ('[[channel]]\nname = "a"\nkind = "pigeon"\n', 'allowed: "mail", "command", "slack"'),
        ('[[channel]]\nname = "a"\nkind = "slack"\n', "one of url and url_file"),
        ('[[channel]]\nname = "a"\nkind = "command"\ncommand = "rm -rf /"\n', "a list: the program"),
        ('[[channel]]\nname = "a"\nkind = "mail"\nmail = ["a@b\\nBcc: c@d"]\n', "a list of addresses"),
        ("rule = 3\n", "rule: allowed are tables"),
        ('[[rule]]\nname = 3\nwhen = 5\nclears = "x"\nqos = "avery"\n', "rule[1].when = 5"),
    ],
)
def test_mistakes_are_told_when_the_configuration_is_read(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.parse(text + BASE if text.startswith("rule =") else BASE + text)
    assert says in str(error.value)


@pytest.mark.parametrize("url", ["http://h/s3cret", "https://u:s3cret@h/", "https://h:0/s3cret", "https:///s3cret",
                                 "https://h/s3cret\\u0001", "https://[h/s3cret", "https://h/s3cret#x"])  # fmt: skip
def test_an_address_that_is_wrong_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.parse(BASE + f'[[channel]]\nname = "a"\nkind = "slack"\nurl = "{url}"\n')
    assert "https://…" in str(error.value)
    assert "s3cret" not in str(error.value)


def test_a_whole_configuration_of_rules() -> None:
    text = """
[[channel]]
name = "chat"
kind = "ntfy"
url_file = "chat.url"
[[rule]]
name = "the allocation"
kind = "allocation"
before = 2027-06-01
[[rule]]
name = "near"
when = "pressure.NGPUS.share > 0.95 for 6h"
clears = 0.9
to = ["chat"]
"""
    found = config.parse(BASE + text)
    assert [(rule.name, rule.to) for rule in found.rules] == [("the allocation", ()), ("near", ("chat",))]
    assert str(found.rules[0].before) == "2027-06-01"
    assert found.channels[0].url_file == "chat.url"
