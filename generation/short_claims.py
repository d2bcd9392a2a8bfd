"""A claim that adds but a value to its question in, whether its quotes speak of what is asked out.

A value stands in many sentences: "340,000 crowns" answers the question that its sentence is about, and no other.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from generation.citing import Evidence
from generation.fit import question_fit
from generation.intervals import intervals
from generation.matching import Weights, surface_of, terms_of
from generation.numbers import UNIT_WORDS, quantities
from generation.polarity import yes_or_no
from ingest.language import has_cjk

# How close each text is to the question in meaning, by the embedder: 0 what its language alone gives, 1 equal.
Closeness = Callable[[Sequence[str]], npt.NDArray[np.float32]]

_MOST_WORDS = 2  # beside numbers, dates and units
# Of the sample questions' gold values the least close quote has .30; of 94 values read for questions that no document
# answers, 27% lie above (benchmarks/LOG.md, 2026-11-25).
_LEAST_CLOSENESS = 0.28
_SURE_FIT = 0.8  # of the question's words stand in the quote or what it refers to


def adds_only_a_value(claim: str, question: str) -> bool:
    """Tell whether nothing but a number, a date or a word or two is new in the claim: "340,000 crowns."."""
    if yes_or_no(claim) is not None:
        return False
    added = terms_of(claim) - surface_of(question) - terms_of(UNIT_WORDS)
    words = [term for term in added if term[0] not in "#@"]
    return len(added) > 0 and sum(0.5 if term[0] == "·" else 1 for term in words) <= _MOST_WORDS


def speaks_of_something_else(
    claim: str, question: str, evidence: Sequence[Evidence], near: str, closeness: Closeness, weights: Weights
) -> str:
    """Say that the quotes of a value, or of a claim in another language, don't speak of what is asked; "" if they do.

    Texts of which the embedder knows nothing have a closeness of exactly 0: they are let pass.
    """
    foreign = all(has_cjk(e.quote) != has_cjk(claim) for e in evidence)
    if not evidence or not (foreign or adds_only_a_value(claim, question)):
        return ""
    if any(states_range_of(question, e.quote) for e in evidence):
        return ""
    close = float(max(closeness([labelled(e) for e in evidence])))
    if close == 0.0 or close >= _LEAST_CLOSENESS or question_fit(question, near, weights) >= _SURE_FIT:
        return ""
    return "the quote does not speak of what is asked"


def states_range_of(question: str, quote: str) -> bool:
    """Tell whether a row states the range that the amount asked about lies in: "above 250,000" for 300,000."""
    return any(range_.holds(asked) for asked in quantities(question) for range_ in intervals(quote))


def labelled(evidence: Evidence) -> str:
    """Give a quote below its title and headings, as the embedder reads passages."""
    return " > ".join((evidence.hit.title, *evidence.hit.chunk.headings)) + f"\n{evidence.quote}"
