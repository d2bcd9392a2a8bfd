"""A claim and its evidence in, how well the one supports the other and why out. Pure; knows no model."""

from collections.abc import Sequence
from dataclasses import dataclass

from generation.answer import Status
from generation.matching import Weights, missing, terms_of
from generation.numbers import Quantity, dates, quantities
from ingest.language import has_cjk


@dataclass(frozen=True, slots=True)
class SupportConfig:
    """The shares of a claim's weighted terms that make it supported or partial."""

    supported: float = 0.6
    partial: float = 0.3


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
    if not evidence:
        return Support("unsupported", 0.0, ("no passage says this",))
    quoted = "\n".join(evidence)
    weights = weights or Weights({}, 1)
    wrong = [*_wrong_numbers(claim, quoted, question, context), *_wrong_dates(claim, quoted, question, context)]
    if has_cjk(claim) != has_cjk(quoted):
        status: Status = "unsupported" if wrong else "partial"
        return Support(status, 0.5, (*wrong, "the evidence is in another language"))
    score = _coverage(claim, quoted, question, context, weights)
    if wrong:
        return Support("unsupported", round(score, 4), tuple(wrong))
    status = "supported" if score >= config.supported else "partial" if score >= config.partial else "unsupported"
    absent = missing(terms_of(claim) - terms_of(question), terms_of(quoted) | terms_of(context))
    reasons = () if status == "supported" else (f"not in the quote: {', '.join(t.lstrip('·') for t in absent[:5])}",)
    return Support(status, round(score, 4), reasons)


def _coverage(claim: str, quoted: str, question: str, context: str, weights: Weights) -> float:
    terms, present = terms_of(claim), terms_of(quoted)
    added = terms - terms_of(question)
    if not added:
        return weights.coverage(terms, present | terms_of(context))
    return weights.coverage(added, present)


def _wrong_numbers(claim: str, quoted: str, question: str, context: str) -> list[str]:
    known = quantities(quoted)
    elsewhere = quantities(f"{question}\n{context}")
    return [
        f"the quote does not say {quantity.value:g}"
        for quantity in quantities(claim)
        if not _stated(quantity, known) and not _stated(quantity, elsewhere) and not _is_year_of(quantity, quoted)
    ]


def _stated(quantity: Quantity, known: Sequence[Quantity]) -> bool:
    return any(
        abs(quantity.value - other.value) < 1e-6 * max(1.0, abs(other.value))
        and (quantity.unit is None or other.unit is None or quantity.unit == other.unit)
        for other in known
    )


def _is_year_of(quantity: Quantity, quoted: str) -> bool:
    return any(quantity.value in (date.year, date.day) for date in dates(quoted))


def _wrong_dates(claim: str, quoted: str, question: str, context: str) -> list[str]:
    known = dates(f"{quoted}\n{question}\n{context}")
    years = {quantity.value for quantity in quantities(f"{quoted}\n{question}\n{context}")}
    wrong = []
    for date in dates(claim):
        alone = date.month is None
        if any(date.agrees(other) for other in known) or (alone and date.year in years):
            continue
        said = "-".join(str(part) for part in (date.year, date.month, date.day) if part is not None)
        wrong.append(f"the quote does not give the date {said}")
    return wrong
