"""Running heads and feet of a PDF's pages: dropped from the lines, and the page numbers printed in them read. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ingest.load_pdf_page import Line

_EDGE_LINES = 3
_LONGEST = 200  # characters
_MARGIN = 0.12  # of the page's height, above and below
_PAGE_NUMBER = re.compile(r"(?<![\d.,])\d{1,4}(?![\d.,]*\d)|\b[ivxlc]{1,7}\b")
_LONE_NUMBER = re.compile(r"\W*(?:page |第 ?)?(?:\d{1,4}|[ivxlc]{1,7})(?: ?页)?\W*", re.I)


def without_running_lines(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[list[Line]]:
    """Drop running heads and feet: lines in the page's margins that are the same on at least a third of the pages but
    for the page's own number, and page numbers that stand alone as a page's first or last line.
    """
    counts, needed = _counts(pages, heights), _needed(pages)
    kept = []
    for index, lines in enumerate(pages):
        rest = list(lines)
        for at in (0, -1):
            for _ in range(_EDGE_LINES):
                if len(rest) > 1 and any(
                    counts[key] >= needed for key in _running_keys(rest[at], index, heights[index])
                ):
                    del rest[at]
        kept.append(rest)
    return kept


def printed_labels(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[str | None]:
    """Give the page numbers that are printed on the pages, where they count on from page to page; else None."""
    counts, needed = _counts(pages, heights), _needed(pages)
    labels: list[str | None] = []
    for index, lines in enumerate(pages):
        keys = [key for line in _edge(lines) for key in _numbered_keys(line, index, heights[index])]
        found = [(counts[key], number) for key, number in keys if counts[key] >= needed]
        labels.append(max(found)[1] if found else None)
    return labels


def _counts(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for index, lines in enumerate(pages):
        counts.update({key for line in _edge(lines) for key in _running_keys(line, index, heights[index])})
    return counts


def _needed(pages: Sequence[Sequence[Line]]) -> float:
    return max(3, len(pages) / 3)


def _edge(lines: Sequence[Line]) -> list[Line]:
    return list(lines) if len(lines) <= 2 * _EDGE_LINES else [*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:]]


def _running_keys(line: Line, index: int, height: float) -> list[str]:
    """Give the forms in which a line may repeat: as it is, and with each of its numbers less the page's index."""
    forms = [key for key, _ in _numbered_keys(line, index, height)]
    is_head = len(line.text) <= _LONGEST and not _LONE_NUMBER.fullmatch(line.text) and _in_margin(line, height)
    return [line.text, *forms] if is_head else forms


def _numbered_keys(line: Line, index: int, height: float) -> Iterator[tuple[str, str]]:
    """Give the forms with a number, and that number."""
    text = line.text
    if len(text) <= _LONGEST and (_LONE_NUMBER.fullmatch(text) or _in_margin(line, height)):
        for n in _PAGE_NUMBER.finditer(text):
            yield f"{text[: n.start()]}#{_value(n.group()) - index}#{text[n.end() :]}", n.group()


def _in_margin(line: Line, height: float) -> bool:
    return not _MARGIN * height < line.baseline < (1 - _MARGIN) * height


def _value(number: str) -> int:
    if number.isdigit():
        return int(number)
    values = [{"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}[letter] for letter in number]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))
