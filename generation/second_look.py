"""A question for an amount and an answer without one in, what to show the model once more out. Pure; knows no model.

Told what is missing, a small model only takes its answer back; shown nothing but sentences with amounts, it reads one.
Of other failures (a repeated question, an unsupported claim) a second look mended none: benchmarks/LOG.md, 2026-11-25.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from generation.condense import Excerpt
from generation.matching import surface_of, terms_of
from generation.numbers import quantities

_ASKS_AMOUNT = re.compile(
    r"\bhow (?:much|many)\b|\bwhat (?:percentage|per cent|percent|share|amount|number|sum|price)\b|"
    "多少|百分之几|几[个名位人次台艘条只元]",
    re.IGNORECASE,
)
_NO_NUMBER = re.compile(
    r"\b(?:none|no|nothing|free|all|every|each|both|half|any|unlimited|never|not)\b|[无没不免全每各半]|任何|所有",
    re.IGNORECASE,
)


def gives_no_amount(question: str, claims: Sequence[str]) -> bool:
    """Tell whether a question asks for an amount and the claims give none but its own: "We may order equipment." """
    if not _ASKS_AMOUNT.search(question):
        return False
    said = "\n".join(claims)
    if _NO_NUMBER.search(said) and not _NO_NUMBER.search(question):
        return False
    asked = {quantity.value for quantity in quantities(question)}
    return all(quantity.value in asked for quantity in quantities(said))


def with_amounts(excerpts: Sequence[Excerpt], question: str) -> tuple[Excerpt, ...]:
    """Give of the excerpts the sentences that state an amount and share a word with the question, if there are any."""
    asked = terms_of(question)

    def may_answer(text: str) -> bool:
        return bool(quantities(text) and asked & surface_of(text))

    parts = (
        (excerpt, tuple(span for span in excerpt.spans if may_answer(span.of(excerpt.hit.chunk.text))))
        for excerpt in excerpts
    )
    return tuple(replace(excerpt, spans=spans) for excerpt, spans in parts if spans)
