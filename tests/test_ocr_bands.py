"""A page is read in bands: no line is cut, each is read once, and the words are those of the page read at once."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from ingest import ocr_bands
from ingest.ocr_bands import BAND_PIXELS, Pixels, bands, overlap
from ingest.ocr_engine import Reading, read_picture


def page_with_lines(height: int, width: int, *, every: int = 40) -> Pixels:
    """Give white rows with lines of stripes, each 20 rows high, from row 10 of `every` rows on."""
    pixels = np.full((height, width, 3), 255, dtype=np.uint8)
    for top in range(10, height - 20, every):
        pixels[top : top + 20, ::2] = 0
    return pixels


def test_a_small_picture_is_one_band() -> None:
    assert [(band.top, band.bottom) for band in bands(page_with_lines(1000, 1200), [])] == [(0, 1000)]


def test_a_page_of_a4_at_200_dpi_is_three_bands_of_one_height_cut_between_lines() -> None:
    found = bands(page_with_lines(2339, 1654), [])

    assert len({band.bottom - band.top for band in found}) == 1
    assert all((band.bottom - band.top) * 1654 < 1.3 * BAND_PIXELS for band in found)
    cuts = [band.last for band in found[:-1]]
    assert len(cuts) == 2
    assert [cut % 40 < 10 or cut % 40 >= 30 for cut in cuts] == [True, True]


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(200, 3000),
    width=st.integers(200, 2000),
    tall=st.lists(st.tuples(st.integers(0, 2500), st.integers(100, 900)), max_size=3),
)
def test_every_line_lies_whole_in_the_one_band_that_holds_its_middle(
    height: int, width: int, tall: list[tuple[int, int]]
) -> None:
    lines = [(float(first), float(first + rows)) for first, rows in tall if first + rows < height]
    found = bands(np.full((height, width, 3), 255, dtype=np.uint8), lines)

    assert (found[0].first, found[-1].last) == (-np.inf, np.inf)
    assert all(before.last == after.first for before, after in pairwise(found))
    reach = overlap(width)
    for band in found:
        assert 0 <= band.top < band.bottom <= height
        assert band.top <= max(band.first - reach, 0)
        assert band.bottom >= min(band.last + reach, height)
    apart = [line for line in lines if not any(_meet(line, other) for other in lines if other != line)]
    for first, last in apart:
        [band] = [band for band in found if band.first <= (first + last) / 2 < band.last]
        assert band.top <= first and last <= band.bottom


def _meet(line: tuple[float, float], other: tuple[float, float]) -> bool:
    return line[0] <= other[1] + 1 and other[0] <= line[1] + 1


def words_on_a_page(angle: float) -> Image.Image:
    """Give a page of lines in two columns, and one word six lines high."""
    picture = Image.new("RGB", (900, 1000), "white")
    draw = ImageDraw.Draw(picture)
    for line in range(16):
        y = 30 + 58 * line + (0 if line < 7 else 50)
        if line not in (7, 8, 9):
            draw.text((40, y), f"Ferry {line} leaves at {line}:15", fill="black", font=ImageFont.load_default(28))
            draw.text((500, y + 20), f"and costs {line} crowns", fill="black", font=ImageFont.load_default(28))
    draw.text((60, 450), "Ottermere", fill="black", font=ImageFont.load_default(150))
    return picture.rotate(angle, resample=Image.Resampling.BICUBIC, fillcolor="white", expand=True)


def words_of(reading: Reading) -> list[str]:
    return sorted(word for line in reading.lines for word in line.text.split())


@pytest.mark.parametrize("angle", [1.5, 90.0])
def test_a_page_read_in_bands_has_the_words_and_the_places_of_one_read_at_once(
    angle: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = words_on_a_page(angle)
    at_once = read_picture(page)
    monkeypatch.setattr(ocr_bands, "BAND_PIXELS", 300_000)
    monkeypatch.setattr(ocr_bands, "_LEAST_OVERLAPS", 6)

    in_bands = read_picture(page)

    assert len(bands(np.zeros((in_bands.height, in_bands.width, 3), dtype=np.uint8), [])) > 2
    assert words_of(in_bands) == words_of(at_once)
    assert "Ottermere" in words_of(in_bands)
    middles = [sorted(line.middle for line in reading.lines) for reading in (in_bands, at_once)]
    assert np.allclose(middles[0], middles[1], atol=4)
