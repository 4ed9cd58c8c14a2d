"""TRES strings as sites really have them."""

from __future__ import annotations

import pytest

from librarian.shared import tres


@pytest.mark.parametrize(
    ("text", "gpus", "types"),
    [
        ("billing=8,cpu=8,gres/gpu:a100=2,gres/gpu=2,mem=32768M,node=1", 2, {"a100": 2}),
        ("cpu=72,mem=264G,gres/gpu:a100=2", 2, {"a100": 2}),
        ("gres/gpu=3,gres/gpu:3g.40gb=2,gres/gpu:4g.40gb=1", 3, {"3g.40gb": 2, "4g.40gb": 1}),
        ("gres/gpu:a100=1,gres/gpu:b200=2", 3, {"a100": 1, "b200": 2}),
        ("cpu=4,gpu=1", 1, {}),
        ("cpu=1,gres/gpumem=20500736K,gres/gpuutil=90,gres/shard=4", 0, {}),
        ("", 0, {}),
    ],
)
def test_gpus_count_once(text: str, gpus: float, types: dict[str, float]) -> None:
    counts = tres.parse_tres(text)
    assert tres.gpus(counts) == gpus
    assert tres.gpu_types(counts) == types


@pytest.mark.parametrize(
    ("text", "gib"),
    [
        ("32768M", 32),
        ("2.50G", 2.5),
        ("1T", 1024),
        ("0", 0),
        ("1048576K", 1),
        ("512", 0.5),
        ("100Gn", 100),
        ("750Mc", 750 / 1024),
    ],
)
def test_sizes_are_gib(text: str, gib: float) -> None:
    assert tres.memory_gib(tres.parse_tres(f"mem={text}")) == pytest.approx(gib)


def test_counts_with_units_and_no_limit() -> None:
    counts = tres.parse_tres("cpu=2K,node=N,billing=16000")
    assert (tres.cpus(counts), tres.billing(counts), "node" in counts) == (2000, 16000, False)


@pytest.mark.parametrize("text", ["cpu", "cpu=x", "=4", "mem=12Q", "cpu=-1", "cpu=1e9", "cpu=١"])
def test_what_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        tres.parse_tres(text)


@pytest.mark.parametrize("name", ["mem", "vmem", "fs/disk", "gres/gpumem"])
def test_what_is_a_size_is_gib_and_a_bare_number_mib(name: str) -> None:
    assert tres.parse_tres(f"{name}=2048")[name] == 2
    assert tres.parse_tres(f"{name}=20480K")[name] == pytest.approx(20 / 1024)
    assert tres.parse_tres(f"cpu=1,{name}=80G")[name] == 80


@pytest.mark.parametrize("name", ["cpu", "node", "billing", "gres/gpu", "gres/shard", "energy", "license/mem"])
def test_what_is_no_size_is_a_count(name: str) -> None:
    assert tres.parse_tres(f"{name}=2048")[name] == 2048


@pytest.mark.parametrize(
    ("unit", "power"), [("", 0), ("K", 1), ("M", 2), ("G", 3), ("T", 4), ("P", 5), ("E", 6), ("k", 1), ("e", 6)]
)
def test_units_of_counts_go_by_thousands_and_those_of_sizes_by_1024(unit: str, power: int) -> None:
    assert tres.parse_tres(f"node=3{unit}")["node"] == 3.0 * 1000.0**power
    assert tres.parse_size(f"3{unit}") == 3.0 * 1024.0 ** ((power or 2) - 3)


def test_amounts_are_read_by_their_own_names() -> None:
    counts = tres.parse_tres("billing=8,cpu=4,mem=2G,node=1")
    assert (tres.cpus(counts), tres.memory_gib(counts), tres.billing(counts)) == (4, 2, 8)
    nothing = tres.parse_tres("")
    assert (tres.cpus(nothing), tres.memory_gib(nothing), tres.billing(nothing), tres.gpus(nothing)) == (0, 0, 0, 0)


def test_a_gpu_entry_without_gres_and_one_with_do_not_add_up() -> None:
    assert tres.gpus({"gres/gpu": 2.0, "gpu": 1.0}) == 2
    assert tres.gpus({"gpu": 1.0, "gres/gpu:a100": 4.0}) == 1


def test_a_type_of_which_there_is_none_is_left_out() -> None:
    assert tres.gpu_types(tres.parse_tres("gres/gpu:a100=0,gres/gpu:b200=1")) == {"b200": 1}


def test_empty_entries_are_skipped_and_the_others_count() -> None:
    assert dict(tres.parse_tres(",cpu=1,,node=N,mem=1G,")) == {"cpu": 1, "mem": 1}


def test_the_last_equals_sign_ends_the_name() -> None:
    assert dict(tres.parse_tres("license/a=b=3")) == {"license/a=b": 3}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cpu", "not a TRES: 'cpu'"),
        ("=4", "not a TRES: '=4'"),
        ("cpu=n", "not a count: 'n'"),
        ("mem=n", "not a size: 'n'"),
        ("mem=", "not a size: ''"),
    ],
)
def test_the_error_names_what_is_not_understood(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}$"):
        tres.parse_tres(text)


@pytest.mark.parametrize("name", ["cpu", "mem", "energy"])
def test_a_number_of_more_than_64_bits_is_none(name: str) -> None:
    """One that is too large for a float would be infinite, and everything that it is added to with it."""
    assert tres.parse_tres(f"{name}={2**64 - 2}")[name] == 2.0**64 / (1024 if name == "mem" else 1)
    for text in (str(2**65), "9" * 400, f"{'9' * 400}K"):
        with pytest.raises(ValueError, match="not a"):
            tres.parse_tres(f"{name}={text}")
