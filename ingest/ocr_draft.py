"""What was read on pages in, what a document keeps of it out: lines for the layout, and words with their places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.document import PlacedWord, ReadPage
from ingest.load_pdf_page import Line
from ingest.ocr_engine import Reading, ReadLine
from ingest.ocr_lines import body_factor, lines_of, scaled, usual_size, with_usual_sizes

_LEAST_BODY, _MOST_BODY = 6.0, 16.0  # points: outside of these a file's idea of its own size is wrong


@dataclass(frozen=True, slots=True)
class LaidPage:
    """A page that was read: its lines in reading order with the numbers of the regions they stand in, its height in
    points, and what is kept to mark words on it.
    """

    lines: tuple[Line, ...]
    regions: Mapping[Line, int]
    height: float
    words: ReadPage


def lay_pages(readings: Mapping[int, tuple[Reading, float]]) -> dict[int, LaidPage]:
    """Lay out pages by number; a reading comes with its number of points a pixel, which is not believed where the text
    would be far larger or smaller than any is.
    """
    ordered = {number: lines_of(reading, points) for number, (reading, points) in readings.items()}
    pages = [[entry.line for entry in page] for page in ordered.values()]
    factor = 1.0 if _LEAST_BODY <= usual_size(pages) <= _MOST_BODY else body_factor(pages)
    laid = with_usual_sizes(scaled(pages, factor))
    return {
        number: LaidPage(
            tuple(lines),
            {line: entry.region for line, entry in zip(lines, ordered[number], strict=True)},
            reading.height * points * factor,
            _kept_words(number, reading, [entry.read for entry in ordered[number]]),
        )
        for (number, (reading, points)), lines in zip(readings.items(), laid, strict=True)
    }


def _kept_words(number: int, reading: Reading, lines: Sequence[ReadLine]) -> ReadPage:
    """Round places to a tenth of a millimetre on a page of A4."""
    width, height = reading.width, reading.height
    words = tuple(
        PlacedWord(
            word.text,
            round(word.left / width, 4),
            round(word.top / height, 4),
            round(word.right / width, 4),
            round(word.bottom / height, 4),
        )
        for line in lines
        for word in line.words
    )
    return ReadPage(number, reading.turn, words)
