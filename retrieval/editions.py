"""Hits in, hits out with the older edition of a text after the newer one, and marked. Pure.

Two files whose names differ in nothing but a year, a date or a version number, with sections that share most of their
words, are editions of one document. Who asks without naming a year means the newer one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from ingest.terms import content_terms
from retrieval.retrieval import Hit

_EDITION = re.compile(r"(?<!\d)(?:19|20)\d\d(?:[-_.]?\d\d){0,2}(?!\d)|(?<![a-z])v?\d+(?:\.\d+)+|(?<![a-z])v\d+", re.I)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
# The question itself looks back, or compares.
_PAST = re.compile(
    r"\b(?:before|previous\w*|former\w*|earlier|old(?:er)?|past|used to|chang\w+|differ\w*|compar\w+|originally|versus"
    r"|vs)\b"
    "|以前|之前|过去|原来|原先|旧版|老版|曾经|变化|改变|区别|不同|比较|相比",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class EditionConfig:
    """`least_overlap`: the share of their words (Jaccard) from which two sections are editions of one."""

    least_overlap: float = 0.35


def newest_first(hits: Sequence[Hit], question: str, config: EditionConfig) -> tuple[Hit, ...]:
    """Put the newest edition's hit in the place of the best of its kind; the older ones follow and say what is newer.

    A question that names a year or looks back leaves the order as it is. Ranks are given anew.
    """
    if _YEAR.search(question) or _PAST.search(question):
        return tuple(hits)
    ordered = list(hits)
    editions = [_kind_and_edition(hit.source) for hit in hits]
    kinds = [kind for kind, _ in editions if kind]
    if len(kinds) == len(set(kinds)):  # no two editions of one document, as nearly always
        return tuple(replace(hit, rank=rank) for rank, hit in enumerate(ordered, 1))
    terms = {hit.chunk.id: frozenset(content_terms(hit.chunk.text)) for hit in hits}
    for position in range(len(ordered)):
        hit = ordered[position]
        newer = [
            (edition, -other)
            for other in range(len(ordered))
            if other != position
            and (edition := _newer(ordered[other], hit))
            and _overlap(terms[hit.chunk.id], terms[ordered[other].chunk.id]) >= config.least_overlap
        ]
        if newer:
            place = -max(newer)[1]
            ordered[position] = replace(hit, newer_edition=ordered[place].source)
            if place > position:
                ordered.insert(position, ordered.pop(place))
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(ordered, 1))


def are_editions(source: str, other: str) -> bool:
    """Tell whether two files' names differ in nothing but a year, a date or a version number."""
    kind, edition = _kind_and_edition(source)
    other_kind, other_edition = _kind_and_edition(other)
    return bool(kind) and kind == other_kind and edition != other_edition


def _newer(hit: Hit, than: Hit) -> tuple[int, ...]:
    """Give the edition of `hit` if it is a later one of the same document, else ()."""
    kind, edition = _kind_and_edition(hit.source)
    other_kind, other_edition = _kind_and_edition(than.source)
    return edition if kind and kind == other_kind and edition > other_edition else ()


def _kind_and_edition(source: str) -> tuple[str, tuple[int, ...]]:
    stem = PurePosixPath(source).stem
    found = _EDITION.search(stem)
    if found is None:
        return "", ()
    kind = re.sub(r"[\W\d_]+", " ", _EDITION.sub(" ", stem)).strip().lower()
    return kind, tuple(int(part) for part in re.findall(r"\d+", found.group()))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0
