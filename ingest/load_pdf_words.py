"""Two lines of a PDF in, one out as it would have been written: spaces, hyphens and links at the break mended. Pure."""

import re

from ingest.load_pdf_page import SOFT_HYPHEN

WIDE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]")
_IDEOGRAPH = re.compile("[\u3040-\u9fff\uf900-\ufaff]")
_OPEN_LINK = re.compile(r"(?:https?:|www\.)\S*$")


def join(above: str, below: str, words: frozenset[str]) -> str:
    """Join two lines of one paragraph, mending a word that was hyphenated between them."""
    if not above or not below:
        return above + below
    last, first = above[-1], below[0]
    if last in "-‐" and len(above) > 1 and above[-2].isalpha() and first.isalpha():
        return _dehyphenated(above[:-1], below, words)
    if WIDE.match(last) and WIDE.match(first):
        return above + below
    if (WIDE.match(last) and not _IDEOGRAPH.match(last)) or (WIDE.match(first) and not _IDEOGRAPH.match(first)):
        return above + below  # full-width punctuation brings its own space
    if (_OPEN_LINK.search(above) and last in "/:.-_=?&%") or below.startswith("//"):
        return above + below
    return f"{above} {below}"


def put_together(above: str, below: str) -> str:
    """Join two lines of a table's cell; a hyphen between them stays."""
    return above + below if WIDE.match(above[-1:]) and WIDE.match(below[:1]) else f"{above} {below}"


def mend_hyphens(text: str, words: frozenset[str]) -> str:
    """Resolve the hyphens at which pdfium itself joined two lines."""
    while (at := text.find(SOFT_HYPHEN)) >= 0:
        below = text[at + 1 :]
        text = _dehyphenated(text[:at], below.lstrip() if below.lstrip()[:1].isalpha() else below, words)
    return text


def _dehyphenated(above: str, below: str, words: frozenset[str]) -> str:
    left, right = re.search(r"[^\W\d_]*$", above), re.match(r"[^\W\d_]*", below)
    head, tail = (left.group().lower() if left else ""), (right.group().lower() if right else "")
    keeps = (
        not head
        or not tail
        or below[0].isupper()
        or (head + tail not in words and (f"{head}-{tail}" in words or (head in words and tail in words)))
    )
    return f"{above}-{below}" if keeps else above + below
