"""A page's pixels, and where tall lines stand on it, in; bands of rows to be read one after the other out.

A page that is read whole takes memory by its area. Bands overlap, so that each line lies whole in the one that holds
its middle, and are of one height where they can, because the runtime keeps memory for each new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
import numpy.typing as npt

BAND_PIXELS = 1_300_000  # a third of a page of A4 at 200 dpi
_OVERLAP = 1 / 32  # of the width, on either side: a line that is 2 degrees aslant falls by as much
_MAX_OVERLAP = 100
_LEAST_OVERLAPS = 10  # a band has so many of its own rows: else most of a wide page would be read twice
_STEP = 32  # the models round heights up to it

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Band:
    """The rows that are read together, and between which of them the middle of a line makes it this band's."""

    top: int
    bottom: int
    first: float
    last: float


def overlap(width: int) -> int:
    """Give by how many rows a band reaches beyond its own on either side, in a picture of a width."""
    return min(max(round(width * _OVERLAP), _STEP), _MAX_OVERLAP)


def bands(pixels: Pixels, tall: Sequence[tuple[float, float]]) -> list[Band]:
    """Give the bands of a picture, shape (height, width, 3), from its top; one where it is small.

    `tall` are the rows (first, last) of lines that are higher than the overlap; none of them is cut.
    """
    height, width = pixels.shape[:2]
    rows = max(BAND_PIXELS // width, _LEAST_OVERLAPS * overlap(width))
    n_bands = max(ceil(height / rows - 0.25), 1)  # a little more isn't worth a band
    wanted = (round(height * number / n_bands) for number in range(1, n_bands))
    cuts = sorted({_outside(_quietest(pixels, row), tall) for row in wanted})
    edges = [0, *(cut for cut in cuts if 0 < cut < height), height]
    least = height if n_bands == 1 else -(-(height // n_bands + 3 * overlap(width)) // _STEP) * _STEP
    found = []
    for first, last in pairwise(edges):
        top = max(first - overlap(width), 0)
        bottom = min(max(last + overlap(width), top + least), height)
        top = max(min(top, bottom - least), 0)
        found.append(Band(top, bottom, first or -np.inf, last if last < height else np.inf))
    return found


def _quietest(pixels: Pixels, row: int) -> int:
    """Give the row near `row` around which the brightness changes least from left to right: between two lines."""
    reach = overlap(pixels.shape[1])
    start = max(row - reach, 0)
    green = pixels[start : row + reach, :, 1].astype(np.int16)
    change = np.abs(np.diff(green, axis=1)).sum(axis=1)  # (n_rows,)
    around = np.convolve(change, np.ones(reach // 4), mode="same")
    near = slice(row - start - reach // 2, row - start + reach // 2)  # what is beyond only counts as a neighbour
    return row - reach // 2 + int(np.argmin(around[near]))


def _outside(row: int, tall: Sequence[tuple[float, float]]) -> int:
    """Move a cut out of a tall line, to the nearer end of it."""
    for first, last in tall:
        if first < row < last:
            return int(first) if row - first < last - row else int(last) + 1
    return row
