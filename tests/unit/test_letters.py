"""Letters as a font program: read by another library, they are drawn as they were."""

from __future__ import annotations

import io
import re

import pytest
from fontTools.cffLib import CFFFontSet, TopDict
from fontTools.pens.recordingPen import RecordingPen
from hypothesis import given
from hypothesis import strategies as st

from librarian.render import figures, letters, pdf
from tests.unit import reports
from tests.unit.test_pdf import objects, plain, unpacked

number = st.integers(-2000, 2000)
stroke = st.tuples(st.sampled_from(["l", "c"]), st.tuples(*[number] * 6))
figure = st.tuples(st.tuples(number, number), st.lists(stroke, max_size=40))


def font(program: bytes) -> TopDict:
    """The only font of a program, as fontTools reads it."""
    found = CFFFontSet()
    found.decompile(io.BytesIO(program), None)
    return found[0]


def pen(top: TopDict, name: str) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    recorded = RecordingPen()
    top.CharStrings[name].draw(recorded)
    return [step for step in recorded.value if step[0] != "closePath"]


@given(st.lists(st.tuples(st.integers(0, 1500), st.lists(figure, max_size=4)), min_size=1, max_size=5))
def test_every_outline_and_width_is_the_same(drawn: list[tuple[int, list[object]]]) -> None:
    given_, expected = {}, {}
    for place, (width, shapes) in enumerate(drawn):
        lines, steps = [f"{width} 0 1 2 3 4 d1"], []
        for start, strokes in shapes:
            lines.append(f"{start[0]} {start[1]} m")
            steps.append(("moveTo", (start,)))
            for verb, values in strokes:
                used = values[:2] if verb == "l" else values
                lines.append(" ".join(map(str, used)) + f" {verb}")
                steps.append(({"l": "lineTo", "c": "curveTo"}[verb], tuple(zip(used[::2], used[1::2], strict=True))))
            lines.append("h")
        given_[b"g%d" % place] = "\n".join([*lines, "f\n"]).encode()
        expected[f"g{place}"] = (width, steps)
    top = font(letters.program(b"ABCDEF+Some-Font", given_, (-100, -463, 1794, 1233)))
    assert list(top.charset) == [".notdef", *expected]
    assert top.FontBBox == [-100, -463, 1794, 1233]
    for name, (width, steps) in expected.items():
        assert pen(top, name) == steps
        assert top.CharStrings[name].width == width


@pytest.mark.parametrize("letter", [b"5 m", b"1 2 3 l", b"1.5 2 m", b"500 0 d0", b"q 1 0 0 1 0 0 cm"])
def test_what_is_drawn_in_another_way_is_no_program(letter: bytes) -> None:
    with pytest.raises(ValueError, match=r"letter|invalid"):
        letters.program(b"X", {b"g0": b"500 0 0 0 1 1 d1\n" + letter + b"\nf\n"}, (0, 0, 1, 1))


def test_each_sign_of_a_picture_has_its_letter_and_its_text() -> None:
    before, after = plain(), objects(figures.draw_one(reports.golden(), "NCPUS").pdf)
    fonts = [body for body in after.values() if b"/Type /Font " in body]
    if b"/ToUnicode" not in before:  # an old matplotlib's letters are known by their names alone, and keep them
        assert all(b"Type3" in body for body in fonts)
        return
    assert len(fonts) == before.count(b"/Subtype /Type3") == 2
    for body in fonts:
        assert b"Type3" not in body
        assert b"FontMatrix" not in body
        about = after[int(re.search(rb"/FontDescriptor (\d+)", body)[1])]
        program = unpacked(after[int(re.search(rb"/FontFile3 (\d+)", about)[1])])
        top = font(program)
        shown = re.findall(r"/(g\d+)", body.decode())
        assert shown
        assert set(shown) <= set(top.charset)
        assert unpacked(after[int(re.search(rb"/ToUnicode\s+(\d+)", body)[1])]).count(b"beginbf")


@pytest.mark.parametrize(
    ("there", "other"),
    [
        (rb"/FontMatrix \[ 0.001", b"/FontMatrix [ 0.002"),
        (rb" d1\n", b" d2\n"),
        (rb"/CharProcs", b"/CharProcz"),
        (rb"/FontDescriptor(\s)\d\d", rb"/FontDescriptor\g<1>99"),
    ],
)
def test_a_font_that_is_told_in_another_way_stays(there: bytes, other: bytes) -> None:
    found = objects(pdf.shrink(re.sub(there, other, plain())))
    assert len([body for body in found.values() if b"/Type3" in body]) == 2
