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
