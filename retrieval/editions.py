"""Hits in, hits out with the older edition of a text after the newer one, and marked; which of two is newer. Pure.

Two files whose names differ in nothing but a year, a date or a version number, with sections that share most of their
words, are editions of one document. Who asks without naming a year means the newer one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePosixPath
from typing import Literal

from ingest.terms import content_terms
from retrieval.retrieval import Hit

_EDITION = re.compile(r"(?<!\d)(?:19|20)\d\d(?:[-_.]?\d\d){0,2}(?!\d)|(?<![a-z])v?\d+(?:\.\d+)+|(?<![a-z])v\d+", re.I)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
# The question itself looks back, or compares.
_PAST = re.compile(
    r"\b(?:before(?=\W*$|,| (?:that|then|this|now|the (?:change|reform|revision|new|current))\b)|previous\w*|former\w*"
    r"|earlier|(?<!how )old(?:er)?|past|used to|chang\w+|differ\w*|compar\w+|originally|versus|vs)\b"
    "|以前|之前|过去|原来|原先|旧版|老版|曾经|变化|改变|区别|不同|比较|相比",
    re.IGNORECASE,
)


_DAY = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:([-_./年]?)(0\d|1[0-2]|(?<=年)[1-9])(?:(?:\2|月)([0-2]\d|3[01]|(?<=月)[1-9]))?)?(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Dated:
    """From when a document is: the day that it states itself, and the day on which its file was last changed."""

    stated: date | None = None
    modified: date | None = None


@dataclass(frozen=True, slots=True)
class Newer:
    """Which of two documents is the newer one, and from when each is, as far as that is known: "2023", "2025-03-18".

    `by_file`: a file's date had to decide, for a document states none.
    """

    newer: Literal["one", "other", "unknown"]
    dated: str
    other_dated: str
    by_file: bool = False


@dataclass(frozen=True, slots=True)
class EditionConfig:
    """`least_overlap`: the share of their words (Jaccard) from which two sections are editions of one."""

    least_overlap: float = 0.35


def newest_first(hits: Sequence[Hit], question: str, config: EditionConfig) -> tuple[Hit, ...]:
    """Put the newest edition's hit in the place of the best of its kind; the older ones follow and say what is newer.

    A question that names a year or looks back leaves the order as it is. Ranks are given anew.
    """
    if _YEAR.search(question) or looks_back(question):
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


def looks_back(question: str) -> bool:
    """Tell whether a question asks for what was, or compares."""
    return _PAST.search(question) is not None


def years_apart(question: str, one: Hit, other: Hit) -> bool:
    """Tell whether a question names the year that file name or title give for one of two documents, not the other's."""
    asked = {int(year) for year in _YEAR.findall(question)}
    years = [_own_period(hit, Dated())[:1] for hit in (one, other)]
    return years[0] != years[1] and len([year for year in years if year and year[0] in asked]) == 1


def which_is_newer(one: Hit, other: Hit, dated: Dated, other_dated: Dated) -> Newer:
    """Tell which of two documents is newer; unknown where nothing shows it.

    Their names and titles count before the dates inside them, for a report on 2023 may be made into a PDF years later.
    A file's date alone says only that its text is no younger.
    """
    editions = [_kind_and_edition(hit.source) for hit in (one, other)]
    if are_editions(one.source, other.source):
        shown = [_edition_text(hit.source) for hit in (one, other)]
        return Newer("one" if editions[0][1] > editions[1][1] else "other", shown[0], shown[1])
    mine, theirs = _own_period(one, dated), _own_period(other, other_dated)
    files = [() if facts.modified is None else _days(facts.modified) for facts in (dated, other_dated)]
    if mine and theirs:
        newer = _later(mine, theirs)
    elif files[0] and files[1] and not mine and not theirs:
        mine, theirs = files
        newer = _later(mine, theirs)
    elif mine and files[1] and mine > files[1]:
        theirs, newer = files[1], "one"
    elif theirs and files[0] and theirs > files[0]:
        mine, newer = files[0], "other"
    else:
        newer = "unknown"
    by_file = newer != "unknown" and (mine is files[0] or theirs is files[1])
    return Newer(newer, _period_text(mine), _period_text(theirs), by_file)


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


def _edition_text(source: str) -> str:
    found = _EDITION.search(PurePosixPath(source).stem)
    return found.group() if found else ""


def _own_period(hit: Hit, dated: Dated) -> tuple[int, ...]:
    """Give year, month and day, as far as file name, title or the document itself state them."""
    for text in (PurePosixPath(hit.source).stem, hit.title):
        if found := _DAY.search(text):
            return tuple(int(part) for part in (found[1], found[3], found[4]) if part)
    return _days(dated.stated) if dated.stated else ()


def _days(day: date) -> tuple[int, ...]:
    return day.year, day.month, day.day


def _later(one: tuple[int, ...], other: tuple[int, ...]) -> Literal["one", "other", "unknown"]:
    n = min(len(one), len(other))
    return "unknown" if one[:n] == other[:n] else "one" if one > other else "other"


def _period_text(period: tuple[int, ...]) -> str:
    return "-".join(f"{part:02d}" for part in period)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0
