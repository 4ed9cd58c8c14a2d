"""PNGs in few bytes look like what was drawn."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from librarian.render.pictures.pixels import png
from librarian.shared import palette


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def rgba(colours: object) -> np.ndarray:
    """A picture with one row of `colours`, shape (n, 3)."""
    row = np.array(colours, dtype=np.uint8)[None]
    return np.concatenate([row, np.full((*row.shape[:2], 1), 255, np.uint8)], axis=2)


def test_flat_colours_stay_and_their_shades_are_near() -> None:
    names = [
        *(colour for tier in palette.TIERS for colour in tier),
        palette.OTHERS,
        "#FFFFFF",
        "#DDDDDD",
        "#E0E0E0",
        "#F6F1E4",
        "#9DB7D5",
    ]
    flat = np.array([tuple(bytes.fromhex(name[1:])) for name in names])
    shades = np.linspace(flat, np.full_like(flat, 255), 50)[1:].reshape(-1, 3).round()
    row = rgba(np.concatenate([np.repeat(flat, 200, axis=0), shades]))
    picture = opened(png(row, 120))
    found = np.asarray(picture.convert("RGB")).astype(int)
    assert picture.mode == "P"
    assert (found[0, : 200 * len(flat)] == np.repeat(flat, 200, axis=0)).all()
    assert np.abs(found - row[..., :3]).max() <= 15
    assert [round(side) for side in picture.info["dpi"]] == [120, 120]


@pytest.mark.slow
@pytest.mark.parametrize("size", [40, 400])
def test_pictures_of_more_colours_than_a_palette_has_are_drawn_too(size: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size, size, 4)).astype(np.uint8)
    noise[..., 3] = 255
    picture = opened(png(noise, 72))
    assert (picture.mode, picture.size) == ("P", (size, size))


def test_one_colour() -> None:
    assert np.asarray(opened(png(rgba([[1, 2, 3]] * 9), 72)).convert("RGB")).tolist() == [[[1, 2, 3]] * 9]
