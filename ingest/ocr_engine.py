"""A picture of a page in, the lines of text on it with their places out. Knows nothing about documents or layout.

The models are those that come in the package `rapidocr` (PP-OCRv6, Chinese and English), loaded once a process. A page
that stands on its side or on its head is turned first: by the shape of its lines, then by how well they can be read.
"""

import math
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ingest.ocr_bands import Pixels, bands, overlap

MAX_SIDE, MAX_PIXELS = 5000, 12_000_000  # what a page of A4 has at 300 dpi, and a little more
_LEAST_SIDE = 12  # pixels: a letter needs as many
_MAX_RATIO = 200  # of the sides: some 400 characters in one line
_LEAST_CONFIDENCE = 0.5  # below it is texture more often than text
_SURE = 0.9
_DOUBT = 0.8
_SAMPLE_SIDE = 1280  # pixels; enough to see which way lines run
_SAMPLE_LINES = 5
_TOO_SMALL = 3.2  # times smaller than the picture: small print may have been lost
_SMALL_SIDE = 1000  # pixels

_LETTERS = re.compile(r"[^\W_]")
_STRETCH = re.compile(r"\S{1,12}")

_Box = tuple[float, float, float, float]  # left, top, right, bottom
Corners = npt.NDArray[np.float32]  # four corners of a line, from where its first character begins: shape (4, 2)


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A stretch of a line without a space, up to a dozen characters, and where it stands in the picture."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line as it was read, with a confidence from 0 to 1. `slope` is by how much it falls a pixel to the right;
    `height` is measured across it.
    """

    text: str
    confidence: float
    left: float
    right: float
    middle: float
    height: float
    slope: float
    words: tuple[ReadWord, ...]

    @property
    def is_in_doubt(self) -> bool:
        """Tell whether the line was read so unsurely that some of it is likely to be wrong."""
        return self.confidence < _DOUBT


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a picture once it was turned clockwise by `turn` quarters to stand upright. Places are in pixels
    of the upright picture, which is `width` x `height`, from the top left.
    """

    lines: tuple[ReadLine, ...]
    turn: int
    width: int
    height: int

    @property
    def has_words(self) -> bool:
        """Tell text from the texture of a photograph, in which a letter or two are sometimes seen."""
        return any(len(_LETTERS.findall(line.text)) >= 2 and not line.is_in_doubt for line in self.lines)


_READING = threading.Lock()


@cache
def _engine(threads: int) -> Any:  # its results are of a type that depends on what is asked
    from rapidocr import EngineType, RapidOCR  # 0.8 s of imports
    from rapidocr.inference_engine.openvino import main

    class CPUConfig(main.CPUConfig):  # type: ignore[misc]  # the library has no types
        """Also tells OpenVINO to keep nothing of a shape, which it does else without an end: 100 MB for each."""

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "CPU_RUNTIME_CACHE_CAPACITY": "0"}

    main.CPUConfig = CPUConfig
    return RapidOCR(
        params={
            # Half of ONNX Runtime's time for the same words: benchmarks/LOG.md 2026-11-25.
            "Det.engine_type": EngineType.OPENVINO,
            "Rec.engine_type": EngineType.OPENVINO,
            "EngineConfig.openvino.inference_num_threads": threads or -1,
            "Global.log_level": "error",
            "Global.text_score": _LEAST_CONFIDENCE,
            "Global.max_side_len": MAX_SIDE,
            # Else a strip of a picture is enlarged until it is 736 pixels high, whatever its length.
            "Det.limit_type": "max",
            "Det.limit_side_len": MAX_SIDE,
            # Line by line the classifier of upside-down text takes upright lines for such; `_turn` asks all of them.
            "Global.use_cls": False,
        }
    )


def read_picture(picture: Image.Image, *, threads: int = 0) -> Reading:
    """Read a picture in RGB; it is made smaller where it is larger than any page needs. A strip too thin for words is
    not looked at: the models would stretch it for seconds. `threads` of the processor work; 0: all.
    """
    picture = within_limits(picture)
    if min(picture.size) < _LEAST_SIDE or max(picture.size) > _MAX_RATIO * min(picture.size):
        return Reading((), 0, picture.width, picture.height)
    picture = _enlarged(picture)
    with _READING:
        turn, tall = _turn(picture, threads)
        if turn is None:
            return Reading((), 0, picture.width, picture.height)
        pixels = _pixels(turned_picture(picture, turn))
        lines: list[ReadLine] = []
        for band in bands(pixels, tall):
            part = np.ascontiguousarray(pixels[band.top : band.bottom])
            found = _engine(threads)(part, use_det=True, use_cls=False, use_rec=True, return_word_box=True)
            lines += (line for line in _lines(found, band.top) if band.first <= line.middle < band.last)
    height, width = pixels.shape[:2]
    return Reading(tuple(lines), turn, width, height)


def let_go() -> None:
    """Give back the 800 MB that the models take once they have read a page; the next picture waits .7 s for them."""
    with _READING:
        _engine.cache_clear()


def turned_picture(picture: Image.Image, turn: int) -> Image.Image:
    """Turn a picture clockwise by `turn` quarters."""
    ways = (None, Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_90)
    way = ways[turn % 4]
    return picture if way is None else picture.transpose(way)


def within_limits(picture: Image.Image) -> Image.Image:
    """Give the picture no larger than OCR makes use of."""
    width, height = picture.size
    factor = min(1.0, MAX_SIDE / max(width, height), math.sqrt(MAX_PIXELS / (width * height)))
    if factor == 1.0:
        return picture
    return picture.resize((max(1, round(width * factor)), max(1, round(height * factor))), Image.Resampling.LANCZOS)


def _enlarged(picture: Image.Image) -> Image.Image:
    """Give a small picture, a screen's or a logo's, in twice its size: its letters are too small to be found else."""
    if max(picture.size) > _SMALL_SIDE:
        return picture
    return picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC)


def _pixels(picture: Image.Image) -> Pixels:
    """Give the picture as the models want it: blue, green, red; shape (height, width, 3)."""
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])


def _turn(picture: Image.Image, threads: int) -> tuple[int | None, list[tuple[float, float]]]:
    """Find by how many quarters the picture must be turned clockwise so that its lines run to the right, and the rows
    of tall lines in it then. None where there seem to be no lines.
    """
    sample = picture.copy()
    sample.thumbnail((_SAMPLE_SIDE, _SAMPLE_SIDE))
    boxes = _engine(threads)(_pixels(sample), use_det=True, use_cls=False, use_rec=False).boxes
    factor = picture.width / sample.width
    if boxes is None:
        return (0 if factor > _TOO_SMALL else None), []
    upright: list[tuple[float, _Box]] = []
    sideways: list[tuple[float, _Box]] = []
    for corners in boxes:
        low, high = corners.min(axis=0) * factor, corners.max(axis=0) * factor
        width, height = high - low
        if max(width, height) > 2 * min(width, height):  # of a square nobody can tell
            box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
            (sideways if height > width else upright).append((float(max(width, height)), box))
    lies = sum(length for length, _ in sideways) > sum(length for length, _ in upright)
    longest = sorted(sideways if lies else upright, reverse=True)[:_SAMPLE_LINES]
    crops = [turned_picture(picture.crop(box), int(lies)) for _, box in longest]
    turn = int(lies) + (2 if _stand_on_their_heads(crops, threads) else 0)
    return turn, _tall(upright + sideways, turn, picture)


def _tall(boxes: Sequence[tuple[float, _Box]], turn: int, picture: Image.Image) -> list[tuple[float, float]]:
    """Give the rows, once the picture is turned, of lines too high for the overlap of two bands."""
    width, height = picture.size
    rows = [
        ((top, bottom), (left, right), (height - bottom, height - top), (width - right, width - left))[turn]
        for _, (left, top, right, bottom) in boxes
    ]
    reach = overlap(height if turn % 2 else width)
    return [(max(first - 8, 0.0), last + 8) for first, last in rows if last - first > reach]


def _stand_on_their_heads(crops: Sequence[Image.Image], threads: int) -> bool:
    read = [_confidence(crop, threads) for crop in crops]
    if not read or sum(read) >= _SURE * len(read):
        return False
    return sum(_confidence(turned_picture(crop, 2), threads) for crop in crops) > sum(read)


def _confidence(crop: Image.Image, threads: int) -> float:
    found = _engine(threads)(_pixels(crop), use_det=False, use_cls=False, use_rec=True, return_word_box=False)
    return float(found.scores[0]) if found.scores else 0.0


def _lines(found: Any, top: int) -> Iterator[ReadLine]:  # rapidocr's result has no types
    """Give what was read in rows of a picture from `top` on, where it stands in the picture."""
    if found.boxes is None or not found.txts:
        return
    with_words = len(found.word_results or ()) == len(found.txts)
    for number, (corners, text, score) in enumerate(zip(found.boxes, found.txts, found.scores, strict=True)):
        words = found.word_results[number] if with_words else ()
        line = _line(
            np.asarray(corners, dtype=np.float32) + np.array([0, top], dtype=np.float32),
            " ".join(text.split()),
            float(score),
            words,
        )
        if line.text:
            yield line


def _line(corners: Corners, text: str, confidence: float, words: Sequence[Any]) -> ReadLine:
    left, right = float(corners[:, 0].min()), float(corners[:, 0].max())
    start, end = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    run, middle = float(end[0] - start[0]), float(start[1] + end[1]) / 2
    slope = float(end[1] - start[1]) / run if run > 0 else 0.0
    height = float(np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])) / 2
    placed = []
    for word, begin, until in _stretches(text, _edges(text, words, left, right)):
        level = middle + slope * ((begin + until) / 2 - (left + right) / 2)
        placed.append(ReadWord(word, begin, level - height / 2, until, level + height / 2))
    return ReadLine(text, confidence, left, right, middle, height, slope, tuple(placed))


def _stretches(text: str, edges: Sequence[tuple[float, float]]) -> Iterator[tuple[str, float, float]]:
    """Cut a line at its spaces, and what is longer into short stretches: a line may be aslant."""
    for found in _STRETCH.finditer(text):
        yield found.group(), edges[found.start()][0], edges[found.end() - 1][1]


def _edges(text: str, words: Sequence[Any], left: float, right: float) -> list[tuple[float, float]]:
    """Give where each character begins and ends: by the words that the engine placed, evenly between and inside."""
    known: list[tuple[int, float]] = [(0, left)]  # the offset of a character and where it begins
    at = 0
    for word, _, box in words:
        start = text.find(word, at)
        if start < 0 or box is None:
            continue
        at = start + len(word)
        xs = [float(x) for x, _ in box]
        for offset, x in ((start, min(xs)), (at, max(xs))):
            if offset > known[-1][0] and x >= known[-1][1]:
                known.append((offset, x))
    if known[-1][0] < len(text):
        known.append((len(text), max(right, known[-1][1])))
    bounds = np.interp(np.arange(len(text) + 1), [offset for offset, _ in known], [x for _, x in known])
    return [(float(begin), float(end)) for begin, end in pairwise(bounds)]
