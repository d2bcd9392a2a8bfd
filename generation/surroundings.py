"""Quotes in, what stands around them in their passages out, and whether that speaks of another thing. Pure."""

import re
from collections.abc import Sequence

from generation.citing import Evidence
from generation.fields import columns_of
from generation.names import numbered_things, other_of_its_kind
from generation.tables import is_row

_LIST_ITEM = re.compile(r"\s*(?:[-*+•·]\s|\d{1,3}[.)、]\s?|[（(]\d{1,2}[)）]|第[一二三四五六七八九十百\d]+条)")
_BEFORE_CHARACTERS = 300


def passages_of(evidence: Sequence[Evidence]) -> str:
    """Give the whole passages that the quotes are from, with titles and headings."""
    hits = {id(e.hit): e.hit for e in evidence}.values()
    return "\n".join("\n".join((hit.title, *hit.chunk.headings, hit.chunk.text)) for hit in hits)


def near(evidence: Sequence[Evidence]) -> list[str]:
    """Give what the quotes can be referring to: themselves, titles, headings, columns, and the text just before."""
    return [text for e in evidence for text in (e.quote, *_labels(e), e.hit.source, _before(e))]


def other_thing(claim: str, question: str, evidence: Sequence[Evidence]) -> str:
    """Say which numbered thing all quotes speak of in place of the claim's, or of the question's if it names one.

    A price in the column "Dipper 3" is no price of the Dipper 4. "" where nothing shows that.
    """
    asked = claim if numbered_things(claim) else question
    if len(numbered_things(asked)) != 1:
        return ""
    found = [other_of_its_kind(asked, "\n".join((e.quote, *_labels(e))), _before(e)) for e in evidence]
    return f"the quote speaks of {found[0]}, not of {numbered_things(asked)[0]}" if found and all(found) else ""


def _labels(evidence: Evidence) -> tuple[str, ...]:
    hit = evidence.hit
    return (hit.title, *hit.chunk.headings, *columns_of(evidence.quote, hit.chunk))


def _before(evidence: Evidence) -> str:
    """The text that leads up to a quote; none for a row or an item, which stand for themselves."""
    if is_row(evidence.quote) or _LIST_ITEM.match(evidence.quote):
        return ""
    start = evidence.span.start - evidence.hit.chunk.span.start
    return evidence.hit.chunk.text[max(0, start - _BEFORE_CHARACTERS) : start]
