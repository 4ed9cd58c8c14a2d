"""PDFs in few bytes: the page draws the same, says the same, and is found by what a viewer goes by."""

from __future__ import annotations

import io
import re
import zlib

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure

from librarian import leaks
from librarian.render import chart, figures, pdf, strokes
from tests.unit import reports

BOX = re.compile(rb"(-?\d+) 0 (-?\d+) (-?\d+) re")
FRAME = re.compile(rb"q \.1 0 0 \.1 (\S+) (\S+) cm\n(.*)f\nQ\n", re.DOTALL)


def plain(report_name: str = "NCPUS") -> bytes:
    """A picture as matplotlib writes it without compression."""
    with figures.styled(), matplotlib.rc_context(pdf.STYLE):
        out = io.BytesIO()
        FigureCanvasPdf(figures._drawn(reports.golden(), report_name)).print_pdf(out)
    return out.getvalue()


def objects(data: bytes) -> dict[int, bytes]:
    """The objects of a PDF by number, found by its last stream alone, as ISO 32000-1 (7.5.8) has it."""
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)[1])
    found = {}
    table = unpacked(data[start:])
    rows = [(row[0], int.from_bytes(row[1:5], "big"), int.from_bytes(row[5:], "big")) for row in sevens(table)]
    for number, (kind, where, _) in enumerate(rows):
        if kind == 1:
            assert data[where:].startswith(b"%d 0 obj\n" % number)
            found[number] = data[where : data.index(b"\nendobj", where)]
    for number, (kind, where, place) in enumerate(rows):
        if kind == 2:
            count, first = (int(re.search(rb"/%s (\d+)" % key, found[where])[1]) for key in (b"N", b"First"))
            inside = unpacked(found[where])
            index = [int(word) for word in inside[:first].split()]
            assert index[2 * place] == number
            ends = [*index[3::2], len(inside) - first][place]
            found[number] = inside[first + index[2 * place + 1] : first + ends]
            assert place < count
    return found


def sevens(table: bytes) -> list[bytes]:
    return [table[at : at + 7] for at in range(0, len(table), 7)]


def unpacked(data: bytes) -> bytes:
    begin = data.index(b"stream\n") + 7
    length = int(re.search(rb"/Length (\d+)", data)[1])
    assert data[begin + length :].startswith(b"\nendstream")
    return zlib.decompress(data[begin : begin + length])


class TestFile:
    @pytest.mark.parametrize("name", ["NCPUS", "overview", "pressure", "queue", "month"])
    def test_every_object_is_there_and_nothing_points_at_none(self, name: str) -> None:
        data = plain(name)
        small = pdf.shrink(data)
        found = objects(small)
        pointed = {int(n) for body in found.values() for n in re.findall(rb"(\d+) 0 R", body.split(b"stream\n")[0])}
        assert pointed <= found.keys()
        assert len(small) < 0.6 * len(zlib.compress(data)) + 25_000
        assert [body for body in found.values() if b"/Type /Catalog" in body]

    def test_it_says_the_same(self) -> None:
        def words(data: bytes) -> str:
            return " ".join(text for text in leaks._pdf(data) if "obj" not in text)

        data = plain()
        with_streams = re.sub(rb"(?s)(?<=\nstream\n)(.*?)(?=\nendstream)", lambda found: zlib.compress(found[1]), data)
        assert "Avery Lab" in words(pdf.shrink(data))
        told = {word for word in re.findall(r"\w+", words(with_streams)) if len(word) > 2}
        assert told - {"xref", "trailer", "startxref"} <= set(re.findall(r"\w+", words(pdf.shrink(data))))

    def test_the_pictures_are_such_files(self) -> None:
        made = figures.draw_one(reports.golden(), "NCPUS").pdf
        assert made.startswith(b"%PDF-1.5\n")
        assert objects(made)

    def test_another_layout_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for data in (b"", b"%PDF-1.4\nstartxref\n12\n%%EOF\n", plain().replace(b"\nendobj", b"\nendobJ", 1)):
            with pytest.raises(ValueError, match="a PDF with"):
                pdf.shrink(data)
        monkeypatch.setattr(pdf, "_START", re.compile(b"never"))
        made = figures.draw_one(reports.golden(), "NCPUS").pdf
        assert made.startswith(b"%PDF-1.4\n")


steps = st.lists(st.floats(0, 400), min_size=1, max_size=60)


class TestDrawing:
    @given(steps, st.floats(-500, 500), st.floats(0, 500), st.floats(0.3, 9))
    def test_the_area_of_steps_is_the_same_to_a_tenth(
        self, values: list[float], left: float, base: float, wide: float
    ) -> None:
        """Every column of tenths is as high as before, rounded."""
        edges = left + wide * np.arange(len(values) + 1)
        corners = chart.outline(edges, np.array(values))
        told = b"".join(
            b"%.6f %.6f %s\n" % (x, base + y, b"l" if place else b"m") for place, (x, y) in enumerate(corners)
        )
        at, bottom = round(round(left, 6) * 10), round(round(base, 6) * 10)
        expected = np.zeros(10 * 9 * 70, dtype=int)
        for begin, end, value in zip(edges, edges[1:], values, strict=False):
            here = slice(round(round(begin, 6) * 10) - at, round(round(end, 6) * 10) - at)
            expected[here] = round(round(base + value, 6) * 10) - bottom
        small = strokes.shorter(told + b"h\n\nf\n")
        found = np.zeros_like(expected)
        frame = FRAME.fullmatch(small)
        if frame is not None:
            assert (round(float(frame[1]) * 10), round(float(frame[2]) * 10)) == (at, bottom)
        for box in BOX.finditer(frame[3] if frame else b""):
            x, width, height = (int(number) for number in box.groups())
            assert not found[x : x + width].any()
            found[x : x + width] = height
        assert (found == expected).all()
        assert frame or not small

    def test_equal_neighbours_are_one_and_empty_ones_none(self) -> None:
        corners = [(5, 1), (5, 3.02), (6, 3.02), (6, 3), (7, 3), (7, 1), (9, 1), (9, 4), (10, 4), (10, 1)]
        told = b"".join(b"%g %g %s\n" % (x, y, b"l" if place else b"m") for place, (x, y) in enumerate(corners))
        assert strokes.shorter(told + b"h\n\nf\n") == b"q .1 0 0 .1 5 1 cm\n0 0 20 20 re\n40 0 10 30 re\nf\nQ\n"

    def test_other_areas_stay_what_they_are(self) -> None:
        told = b"0 0 m\n5 5 l\n9 1.26 l\n9 -3 l\n0 -3.04 l\nh\n\nf\n"
        assert strokes.shorter(told) == b"0 0 m\n5 5 l\n9 1.3 l\n9 -3 l\n0 -3 l\nh\nf\n"

    def test_a_line_loses_the_points_on_its_way_alone(self) -> None:
        told = b"0 0 m\n5 0 l\n9 0 l\n9 4 l\n9 2 l\n3 2 l\n3.01 2.04 l\n1 1 m\n2 1 l\nS\n"
        assert strokes.shorter(told) == b"0 0 m\n9 0 l\n9 4 l\n9 2 l\n3 2 l\n1 1 m\n2 1 l\nS\n"

    def test_a_path_may_go_on_after_a_curve(self) -> None:
        told = b"1 2 m\n1 2 3 4 5 6.25 c\n5 9 l\n5 12 l\n5 14 l\n7 14 l\nh\n\nf\n"
        assert strokes.shorter(told) == b"1 2 m\n1 2 3 4 5 6.25 c\n5 9 l\n5 14 l\n7 14 l\nh\nf\n"

    def test_colours_stay_what_they_are_on_a_screen(self) -> None:
        for level in range(256):
            (word,) = strokes.shorter(b"%.10f" % (level / 255)).split()
            assert round(float(word) * 255) == level

    def test_signs_stand_within_a_hair_of_their_place(self) -> None:
        told = b"[ (M) 0.29296875 (o) -0.68359375 (n) -17.5859375 ( ) 4 (\\)) 4 (6)\n]\nTJ"
        assert strokes.shorter(told) == b"[(Mon)-17.977( \\))8(6)]TJ"
        assert strokes.shorter(b"[ (0) ] TJ") == b"[(0)]TJ"

    @given(st.text(alphabet="0123456789.ml f\n()\\[]TJh", max_size=80))
    def test_a_name_is_no_drawing(self, name: str) -> None:
        raw = name.encode()
        quoted = raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        assert b"(%s)" % quoted in strokes.shorter(b"BT\n(%s) Tj\nET\n" % quoted)
        assert strokes.shorter(b"BT\n[ (%s) 0.2 (x) ] TJ\nET\n" % quoted) == b"BT\n[(%sx)]TJ\nET\n" % quoted


def test_a_figure_without_anything_is_a_file_too() -> None:
    with matplotlib.rc_context(pdf.STYLE):
        out = io.BytesIO()
        FigureCanvasPdf(Figure()).print_pdf(out)
    assert objects(pdf.shrink(out.getvalue()))
