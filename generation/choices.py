"""A question and its passages in, between which things it doesn't choose out: "which year do you mean?". Pure.

Only what spelling shows: passages alike but for the year in their titles, things that differ by a number, and words
that point at something nobody named.
"""

import re
from collections.abc import Sequence

from generation.names import names_in, numbered_kinds, numbered_things
from retrieval.retrieval import Hit

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_NO_CHOICE = re.compile(
    r"\b(?:now|current(?:ly)?|today|latest|newest|this year|at present|each|every|all|both|any|differ\w*|compar\w*|"
    r"between|when|year|years|how (?:did|has|have)|which|last)\b|"
    "现在|目前|当前|最新|今年|如今|各|每|所有|哪|分别|比较|区别|历年|何时",
    re.IGNORECASE,
)
_POINTS_EN = re.compile(
    r"\b[Tt]h(?:is|ese) (?:(?:same|particular|specific|famous|U\.S\.) )*(?!year|month|week|day|time|season|is|was|"
    r"are|were|the|an?|has|had|have|can|could|would|will|did|does|do|may|might|must|of|in|on|to|and|with)[A-Za-z]{3,}"
)
_POINTS_ZH = re.compile(
    "(?<![应應为為从從就到由对對与與和])(?:[这這](?![样樣么麼里裡些时時次天年])|[该該此](?![外次时時后後前]))"
    "[个個家座位部款项項本份所首幅场場支]?[\u4e00-\u9fff]{2}"
)
_PERSON_EN = re.compile(r"\b(?:he|she|his|her|him|hers)\b")
_PERSON_ZH = re.compile("(?<![其吉])[他她](?![们人国乡山])")
_WHO = re.compile(
    r"\b(?:who|whose|person|man|woman|boy|girl|king|queen|president|mother|[a-z]+(?:er|or|ist))\b|谁|[人者家王长员子]",
    re.IGNORECASE,
)
_NEAR_THE_BEST = 0.75  # of the best hit's score
_MOST = 4


def choices(question: str, hits: Sequence[Hit]) -> tuple[str, ...]:
    """Name the years, or the things of one kind, that the best passages speak of alike; empty where the question picks
    one of them, asks about all, or there is but one.
    """
    best = [hit for hit in hits if hit.score >= _NEAR_THE_BEST * hits[0].score and not hit.newer_edition]
    if not best or _NO_CHOICE.search(question):
        return ()
    return _years(question, best) or _numbered(question, best)


def pointed_at(question: str) -> str:
    """Give what a question points at that it doesn't name, such as "this burger" or 该公司; "" where there is nothing.

    Only for a question that stands alone: in a conversation what was said before names it.
    """
    for pattern in (_POINTS_EN, _POINTS_ZH):
        if (found := pattern.search(question)) and not _is_named(question, found.start()):
            return found.group()
    for pattern in (_PERSON_EN, _PERSON_ZH):
        found = pattern.search(question)
        if found and not _is_named(question, found.start()) and not _WHO.search(question[: found.start()]):
            return found.group()
    return ""


def _is_named(question: str, before: int) -> bool:
    """Tell whether something earlier in the question, or any name in it, may be what is pointed at."""
    return bool(names_in(question)) or bool(re.search(r"[,，;；。.?？]", question[:before]))


def _years(question: str, best: Sequence[Hit]) -> tuple[str, ...]:
    """Give the years of documents whose titles, headings or file names are alike but for the year."""
    if _YEAR.search(question):
        return ()
    found: dict[str, set[str]] = {}
    for hit in best:
        for label in (hit.title, hit.source, " > ".join(hit.chunk.headings)):
            for year in _YEAR.findall(label):
                found.setdefault(_YEAR.sub("#", label), set()).add(year)
    alike = max(found.values(), key=len, default=set())
    return tuple(sorted(alike))[-_MOST:] if len(alike) > 1 else ()


def _numbered(question: str, best: Sequence[Hit]) -> tuple[str, ...]:
    """Give the numbered things of the best passage whose kind alone the question names: "the Dipper"."""
    if numbered_things(question):
        return ()
    text = "\n".join((best[0].title, *best[0].chunk.headings, best[0].chunk.text))
    asked = question.lower()
    alike = [
        kind for kind in numbered_kinds(text) if re.search(rf"\b(?:the|a|an|our) {re.escape(kind[0])}\b(?!['’])", asked)
    ]
    return alike[0][1][:_MOST] if alike and len(alike[0][1]) > 1 else ()
