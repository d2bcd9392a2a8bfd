"""A claim and its evidence in, how well the one supports the other and why out. Pure; knows no model.

Numbers, dates, names and negation are checked one by one; the rest is how much of the claim's content the quotes hold.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generation.answer import Status
from generation.better_sentence import better_sentence
from generation.fit import question_fit
from generation.matching import Weights, missing, surface_of, terms_of
from generation.names import acronyms_of, unknown_names
from generation.numbers import Quantity, dates, fold, quantities
from generation.polarity import contradicts, negations, yes_or_no
from generation.slots import misplaced
from generation.substitution import substituted
from ingest.language import has_cjk
from ingest.terms import is_stop_term


@dataclass(frozen=True, slots=True)
class SupportConfig:
    """The shares of a claim's weighted content that make it supported or partial."""

    supported: float = 0.6
    partial: float = 0.3
    # How much of the score hangs on the rest of the claim, which repeats the question: "The colony of 1788 was named
    # Virginia" is no better for a text that names Virginia but speaks of another colony.
    whole_share: float = 0.6


@dataclass(frozen=True, slots=True)
class Support:
    """The verdict on one claim: `score` from 0 to 1, and the reasons against it, in words a user understands."""

    status: Status
    score: float
    reasons: tuple[str, ...]


def check_support(
    claim: str,
    evidence: Sequence[str],
    *,
    question: str = "",
    context: str = "",
    weights: Weights | None = None,
    config: SupportConfig | None = None,
) -> Support:
    """Judge a claim by its quotes. `context` (title, headings, neighbours) may name what the quotes only refer to."""
    config = config or SupportConfig()
    weights = weights or Weights({}, 1)
    if not evidence:
        return Support("unsupported", 0.0, ("no passage says this",))
    quoted = "\n".join(evidence)
    verdict = yes_or_no(claim)
    if verdict is not None:
        return _check_yes_no(verdict, quoted, question, context, weights, config)
    wrong = [
        *_wrong_numbers(claim, quoted, question, context),
        *_wrong_dates(claim, quoted, question, context),
        *_wrong_names(claim, quoted, question, context),
    ]
    other = substituted(claim, evidence, question, context) or misplaced(claim, context, question)
    if other or (other := better_sentence(claim, evidence, context, question, weights)):
        wrong.append(other)
    if is_foreign(claim, quoted):
        reasons = (*wrong, "the evidence is in another language")
        return Support("unsupported" if wrong else "partial", 0.5, reasons)
    score = round(_score(claim, quoted, question, context, weights, config), 4)
    # A denial that the question brought is only repeated, if the quote's surroundings deny something too: "below what
    # charge may she not sail?", "the lowest charge for sailing is 35%".
    repeated = negations(question) and (not negations(claim) or (negations(context) and not negations(quoted)))
    if not repeated:
        terms = terms_of(claim)
        denial = contradicts(claim, quoted, lambda clause: weights.coverage(terms, surface_of(clause)))
        wrong += [denial] if denial else []
    if wrong:
        return Support("unsupported", score, tuple(wrong))
    status: Status = "supported" if score >= config.supported else "partial"
    if score < config.partial:
        status = "unsupported"
    return Support(status, score, () if status == "supported" else (_what_is_missing(claim, quoted, question),))


def is_foreign(claim: str, quoted: str) -> bool:
    """Tell whether claim and quote are in different languages, so that their words can't be compared."""
    if has_cjk(claim):
        return not has_cjk(quoted)
    words = {term for term in terms_of(claim) if term.isascii() and term.isalpha() and len(term) > 2}
    return has_cjk(quoted) and len(words) >= 2 and len(missing(words, surface_of(quoted))) > len(words) / 2


def _check_yes_no(
    verdict: bool, quoted: str, question: str, context: str, weights: Weights, config: SupportConfig
) -> Support:
    """Judge a bare "Yes." as the question turned into a statement."""
    score = round(weights.coverage(terms_of(question), surface_of(quoted) | surface_of(context)), 4)
    agrees = (negations(quoted) == 0) == verdict
    if score >= config.supported and agrees:
        return Support("supported", score, ())
    reason = "the quote does not clearly say yes or no"
    return Support("partial" if score >= config.partial else "unsupported", score, (reason,))


def _score(claim: str, quoted: str, question: str, context: str, weights: Weights, config: SupportConfig) -> float:
    """How much of what the claim adds the quotes hold, times how much of the claim their surroundings speak of."""
    terms, present = terms_of(claim), surface_of(quoted)
    terms -= frozenset().union(*(terms_of(name) for name in acronyms_of(claim, quoted)))
    around = present | surface_of(context)
    added = terms - surface_of(question)
    if not added:  # the claim only repeats the question: most of its words must be in the quotes themselves
        return 0.3 * weights.coverage(terms, present) + 0.7 * weights.coverage(terms, around)
    spoken_of = question_fit(claim, f"{quoted}\n{context}", weights)
    return weights.coverage(added, present) * (1 - config.whole_share + config.whole_share * spoken_of)


def _what_is_missing(claim: str, quoted: str, question: str) -> str:
    absent = missing(terms_of(claim) - surface_of(question), surface_of(quoted))
    return f"not in the quote: {', '.join(term.lstrip('·#@') for term in absent[:5])}" if absent else "a loose match"


def _wrong_numbers(claim: str, quoted: str, question: str, context: str) -> list[str]:
    known = quantities(quoted)
    elsewhere = quantities(f"{question}\n{context}")
    parts = {part for date in dates(f"{quoted}\n{question}") for part in (date.year, date.month, date.day)}
    asked = {quantity.value for quantity in quantities(question)}
    return [
        f"the quote does not say {quantity.value:g}{f' {quantity.unit}' if quantity.unit else ''}"
        for quantity in quantities(claim)
        if not _stated(quantity, known)
        and quantity.value not in parts
        # A number the claim adds must be in the quote; one the question brought may stand anywhere around it.
        and not (quantity.value in asked and _stated(quantity, elsewhere))
        and not _is_label(quantity, claim, context)
    ]


def _stated(quantity: Quantity, known: Sequence[Quantity]) -> bool:
    return any(
        abs(quantity.value - other.value) < 1e-6 * max(1.0, abs(other.value))
        and (quantity.unit is None or other.unit is None or quantity.unit == other.unit)
        for other in known
    )


def _is_label(quantity: Quantity, claim: str, context: str) -> bool:
    """Tell whether the number belongs to a name ("Apollo 13", "Block 2", "50 cent") that the surroundings hold."""
    text = fold(claim)
    before = re.search(r"([A-Z][A-Za-z]+)[ -]?$", text[: quantity.span.start])
    if before is None or is_stop_term(before.group(1).lower()) or quantity.unit:
        return False
    return before.group(1) + text[before.end(1) : quantity.span.end] in fold(context)


def _wrong_dates(claim: str, quoted: str, question: str, context: str) -> list[str]:
    known = dates(quoted)
    years = _years(f"{quoted}\n{question}")
    if not any(1000 <= year <= 2100 for year in _years(quoted)):  # the surroundings may say which year is spoken of
        years |= _years(context)
    wrong = []
    for date in dates(claim):
        without_year = any((o.month, o.day) == (date.month, date.day) and o.year in (None, date.year) for o in known)
        if any(date.agrees(other) for other in (*known, *dates(question))):
            continue
        if date.year in years and (date.month is None or without_year):
            continue
        said = "-".join(str(part) for part in (date.year, date.month, date.day) if part is not None)
        wrong.append(f"the quote does not give the date {said}")
    return wrong


def _years(text: str) -> set[float]:
    found = {quantity.value for quantity in quantities(text)}
    return found | {float(date.year) for date in dates(text) if date.year is not None}


def _wrong_names(claim: str, quoted: str, question: str, context: str) -> list[str]:
    """Give the names and codes of the claim that neither quote nor question nor surroundings know."""
    if is_foreign(claim, quoted) and not has_cjk(claim):
        return []  # an English answer from Chinese text transliterates names
    return [f"the quote does not mention {name}" for name in unknown_names(claim, f"{quoted}\n{question}\n{context}")]
