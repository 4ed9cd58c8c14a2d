"""AdminComment of jobstats: good ones, and everything that may stand there instead."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.subjects.efficiency import jobstats as module
from librarian.subjects.efficiency.jobstats import Refused, parse
from librarian.subjects.efficiency.model import Flag, Peak, Source, Use
from tests.unit.subjects.efficiency.used import jobstats

NODE = {"total_time": 99.5, "cpus": 4, "total_memory": 4096, "used_memory": 1024}


def packed(body: bytes) -> str:
    return "JS1:" + base64.b64encode(gzip.compress(body)).decode()


def test_cpu_memory_and_gpus_of_several_nodes() -> None:
    gpus = {"gpu_utilization": {"0": 37.5, "1": 0}, "gpu_used_memory": {"0": 100, "1": 5}}
    text = jobstats({"c1": {**NODE, **gpus}, "c2": {**NODE, "gpu_utilization": {"0": 12.5}}}, total_time=1000, gpus=3)
    assert parse(text, 1000) == Use(
        **{"cpu": 199_000, "cpu_source": Source.JOBSTATS, "memory": 2048, "memory_source": Source.JOBSTATS},
        **{"peak": Peak.NODES, "gpu": 500_000, "gpu_source": Source.JOBSTATS, "gpu_memory": 105},
    )


def test_half_used_gpus() -> None:
    use = parse(jobstats({"c1": {**NODE, "gpu_utilization": {"0": 37.5, "1": 0}}}), 1000)
    assert isinstance(use, Use)
    assert use.gpu == 375_000
    assert use.gpu / (2 * 1000 * 1000) == 0.1875


def test_what_is_not_told_is_unknown() -> None:
    use = parse(jobstats({"c1": NODE, "c2": {"total_time": 1}}), 1000)
    assert isinstance(use, Use)
    assert (use.cpu, use.memory, use.peak, use.gpu) == (100_500, None, None, None)


def test_words_in_the_place_of_data() -> None:
    assert parse("JS1:Short", 1) == Use(flags=frozenset({Flag.SHORT}))
    assert parse("JS1:None", 1) == Use(flags=frozenset({Flag.NO_STATS}))
    assert parse("js1:none", 1) == Use(flags=frozenset({Flag.NO_STATS})), "22.05 stores it so"
    for other in ("", "a remark of the admins", "JS2:x", "JS"):
        assert parse(other, 1) is None


BAD = [
    ("JS1:", "cut off"),
    ("JS1:%%%", "not base64"),
    ("JS1:ünï", "not base64"),
    ("JS1:aGVsbG8=", "not gzip"),
    (packed(b"{}")[:-3], "not base64"),
    (packed(b"hello"), "not JSON"),
    (packed(b"\xff\xfe"), "not JSON"),
    (packed(b"[" * 100_000), "not JSON"),
    (packed(b"[1]"), "no object"),
    (packed(b'{"nodes": []}'), "no nodes"),
    (packed(b'{"nodes": {}}'), "no nodes"),
    (packed(b'{"total_time": 5}'), "no nodes"),
    (packed(b'{"nodes": {"a": 1}}'), "a node that is no object"),
    (jobstats({"a": {**NODE, "gpu_utilization": [1]}}), "GPUs that are no object"),
    (jobstats({"a": {**NODE, "gpu_utilization": {"0": 130}}}), "a number that cannot be"),
    (jobstats({"a": {**NODE, "gpu_utilization": {"0": -1}}}), "a number that cannot be"),
    (jobstats({"a": {**NODE, "gpu_utilization": {"0": "37"}}}), "a number that cannot be"),
    (jobstats({"a": {**NODE, "total_time": True}}), "a number that cannot be"),
    (packed(b'{"nodes": {"a": {"total_time": NaN}}}'), "a number that cannot be"),
    (packed(b'{"nodes": {"a": {"total_time": Infinity}}}'), "a number that cannot be"),
    (packed(b'{"nodes": {"a": {"used_memory": 1e400}}}'), "a number that cannot be"),
    (packed(b" " * (9 << 20)), "larger than it may be when it is unpacked"),
    ("JS1:" + "A" * (module.LONGEST + 1), "too long"),
]


@pytest.mark.parametrize(("text", "reason"), BAD, ids=map(str, range(len(BAD))))
def test_what_is_refused_and_why(text: str, reason: str) -> None:
    assert parse(text, 1000) == Refused(reason)


def test_a_number_without_end_is_refused() -> None:
    assert isinstance(parse(packed(b'{"nodes": {"a": {"used_memory": ' + b"9" * 5000 + b"}}}"), 1), Refused)


def test_a_bomb_is_not_unpacked() -> None:
    assert parse(packed(bytes(16 << 20)), 1) == Refused("larger than it may be when it is unpacked")


def test_an_answer_that_is_cut_off() -> None:
    whole = gzip.compress(json.dumps({"nodes": {"a": NODE}}).encode())
    assert parse("JS1:" + base64.b64encode(whole[:-20]).decode(), 1) == Refused("cut off")


@given(st.one_of(st.text(), st.binary().map(lambda data: packed(data)[4:])), st.integers(0, 10**9))
def test_no_text_breaks_it(text: str, elapsed: int) -> None:
    assert isinstance(parse(f"JS1:{text}", elapsed), Use | Refused)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=2), inner, max_size=2)),
    max_leaves=5,
)
NAMES = st.sampled_from(["total_time", "used_memory", "gpu_utilization", "gpu_used_memory"])


@given(st.one_of(VALUES, st.dictionaries(st.text(max_size=2), st.dictionaries(NAMES, VALUES), max_size=3)))
def test_whatever_the_nodes_are_what_comes_out_is_no_less_than_nothing(nodes: object) -> None:
    use = parse(jobstats(nodes), 1000)
    assert isinstance(use, Use | Refused)
    if isinstance(use, Use):
        assert all((value or 0) >= 0 for value in (use.cpu, use.memory, use.gpu, use.gpu_memory))
