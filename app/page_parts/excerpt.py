"""A document's text and a quote in, the quote where it stands with what surrounds it out. Pure."""

from dataclasses import dataclass

from ingest.document import Span


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A quote in its context. `cut_before` and `cut_after` say that the document goes on there."""

    before: str
    quote: str
    after: str
    cut_before: bool
    cut_after: bool


def locate(text: str, span: Span, quote: str) -> Span | None:
    """Find the quote: at its span, else where it stands once in a text that has changed; None when it can't be told."""
    if not quote:
        return None
    if span.of(text) == quote:
        return span
    start = text.find(quote)
    if start < 0 or text.find(quote, start + 1) >= 0:
        return None
    return Span(start, start + len(quote))


def cut_excerpt(text: str, span: Span, *, around: int = 600) -> Excerpt:
    """Cut about `around` characters on each side of `span`, ending at line ends or blanks where there are some."""
    start = _cut_start(text, max(0, span.start - around), span.start)
    end = _cut_end(text, min(len(text), span.end + around), span.end)
    return Excerpt(
        before=text[start : span.start],
        quote=span.of(text),
        after=text[span.end : end],
        cut_before=bool(text[:start].strip()),
        cut_after=bool(text[end:].strip()),
    )


def shorten(text: str, length: int) -> str:
    """Put a text on one line and cut it to `length` characters, the last one an ellipsis where it was cut."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _cut_start(text: str, start: int, limit: int) -> int:
    if start == 0:
        return 0
    for boundary in ("\n", " "):
        found = text.find(boundary, start, limit)
        if 0 <= found < start + (limit - start) // 2:
            return found + 1
    return start


def _cut_end(text: str, end: int, limit: int) -> int:
    if end == len(text):
        return end
    for boundary in ("\n", " "):
        found = text.rfind(boundary, limit, end)
        if found > end - (end - limit) // 2:
            return found
    return end
