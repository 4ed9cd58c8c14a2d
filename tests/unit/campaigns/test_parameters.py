"""Parameters: what is written is what arrives."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.campaigns import parameters
from librarian.campaigns.model import Task, added, tasks_of_csv, tasks_to_csv
from librarian.errors import ConfigError

VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


def axis(word: str, text: str = "") -> list[dict[str, str]]:
    return parameters.axis(word, lambda _: text)


def values(word: str) -> list[str]:
    return [row["x"] for row in axis(f"x={word}")]


def test_lists_and_ranges() -> None:
    assert values("0.1,0.2") == ["0.1", "0.2"]
    assert values("1..4") == ["1", "2", "3", "4"]
    assert values("10..0..5") == ["10", "5", "0"]
    assert values("-2..1") == ["-2", "-1", "0", "1"]
    assert values(r"a\,b,c\d,e\\,f") == ["a,b", r"c\d", "e\\", "f"]
    assert values("") == [""]
    assert values("a=b@c") == ["a=b@c"]


@pytest.mark.parametrize("word", ["x=1..5..0", "x=0..99999999", "lr", "=1"])
def test_what_is_no_parameter(word: str) -> None:
    with pytest.raises(ConfigError):
        axis(word)


def test_files() -> None:
    assert axis("x@f.csv", "x,y\n1,2\n3,4\n") == [{"x": "1"}, {"x": "3"}]
    assert axis("@f.csv", 'x,y\n1,"a\nb"\n') == [{"x": "1", "y": "a\nb"}]
    assert axis("@f.jsonl", '{"x": 0.10, "y": "t"}\n{"x": NaN, "y": [1]}\n') == [
        {"x": "0.10", "y": "t"},
        {"x": "NaN", "y": "[1]"},
    ]
    assert axis("@f.json", '[{"x": 1e-4}]') == [{"x": "1e-4"}]
    for word, text in (("@f.csv", "x,x\n1,2\n"), ("@f.csv", "x,y\n1\n"), ("@f.json", "{"), ("x@f.csv", "y\n1\n")):
        with pytest.raises(ConfigError):
            axis(word, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1), ("1e-4", 1e-4), ("3", 3), ("-0", 0), ("NaN", "NaN"), ("1e400", "1e400"), ("007", "007"),
        ("12345678901234567890", "12345678901234567890"), ("0.1234567890123456789", "0.1234567890123456789"),
        ("", ""), ("1 ", "1 "), ("true", "true"), ("１", "１"),
    ],
)  # fmt: skip
def test_numbers_where_exact(text: str, value: object) -> None:
    assert json.loads(parameters.json_literal(text)) == value


@given(st.dictionaries(st.sampled_from(["a", "b", "lr"]), VALUES, min_size=1))
def test_json_says_the_same_as_the_text(row: dict[str, str]) -> None:
    for name, value in json.loads(parameters.json_object(row)).items():
        assert value == row[name] or float(value) == float(row[name])


@given(st.lists(st.tuples(VALUES, VALUES), max_size=5))
def test_the_table_of_tasks_is_read_as_it_was_written(pairs: list[tuple[str, str]]) -> None:
    tasks = [Task(number, 1, {"a": one, "b b": other}) for number, (one, other) in enumerate(pairs, 1)]
    assert tasks_of_csv(tasks_to_csv(tasks), "tasks.csv") == tasks


def test_combinations_and_zips() -> None:
    axes = [axis("a=1,2"), axis("b=x,y,z")]
    assert len(list(parameters.combined(axes, zipped=False))) == 6
    with pytest.raises(ConfigError, match="same number"):
        list(parameters.combined(axes, zipped=True))
    assert list(parameters.combined([axis("a=1,2"), axis("b=x,y")], zipped=True)) == [
        {"a": "1", "b": "x"},
        {"a": "2", "b": "y"},
    ]
    with pytest.raises(ConfigError, match="twice"):
        list(parameters.combined([axis("a=1"), axis("a=2")], zipped=False))
    assert list(parameters.combined([], zipped=False)) == [{}]


def test_names_in_the_environment() -> None:
    assert parameters.check_names(["lr", "learning-rate"]) == [
        "learning-rate is PARAM_learning_rate in the environment of tasks"
    ]
    for names in (["a-b", "a_b"], ["1x"], ["a b"], ["row"], ["a\nb"], [""]):
        with pytest.raises(ConfigError):
            parameters.check_names(names)


def test_values_that_cannot_arrive() -> None:
    parameters.check_values({"x": "y" * 102_400})
    for value in ("a\0b", "\udcff", "y" * 130_000):
        with pytest.raises(ConfigError):
            parameters.check_values({"x": value})
    with pytest.raises(ConfigError, match="parameters of a task"):
        parameters.check_values({name: "y" * 100_000 for name in "abcde"})


def test_the_same_task_is_added_once() -> None:
    tasks, doubled = added([], [{"a": "1"}, {"a": "2"}, {"a": "1"}], 2)
    assert ([task.row for task in tasks], doubled) == ([1, 2, 3, 4], 2)
    more, doubled = added(tasks, [{"a": "2"}], 3)
    assert ([(task.row, task.repeat) for task in more], doubled) == ([(5, 3)], 2)
    with pytest.raises(ConfigError, match="same parameters"):
        added(tasks, [{"b": "1"}], 1)
