"""A claim, its quotes and their passages in, whether a sentence that fits much better gives another value out. Pure.

A value stands in many sentences. "5 towers" is not backed by the 5th century, where the one about the towers has 3.
"""

from collections.abc import Sequence

from generation.matching import Weights, surface_of, terms_of
from generation.stated_values import Value, agree, stated_values
from ingest.sentences import split_sentences

_LEAST_FIT = 0.5  # of the words of claim and question, in the better sentence
_LEAST_BETTER = 0.35


def better_sentence(claim: str, quotes: Sequence[str], passages: str, question: str, weights: Weights) -> str:
    """Say which value of its kind the better sentence gives in place of the claim's, "" when there is none.

    `passages` begin with a title; what it says, sentences leave out.
    """
    asked = stated_values(question)
    wanted = frozenset(term for term in terms_of(claim) | terms_of(question) if term[0] not in "#@")
    wanted -= terms_of(passages.partition("\n")[0])
    added = [value for value in stated_values(claim) if not any(agree(value, one) for one in asked)]
    if len(added) != 1 or not wanted:
        return ""
    value = added[0]
    holding = [text for quote in quotes for text in _sentences(quote) if _states(text, value)]
    if not holding:
        return ""
    own = max(weights.coverage(wanted, surface_of(text)) for text in holding)
    for text in _sentences(passages):
        fit = weights.coverage(wanted, surface_of(text))
        others = [other for other in stated_values(text) if _is_of_its_kind(value, other)]
        if fit >= max(_LEAST_FIT, own + _LEAST_BETTER) and others and not _states(text, value):
            return f"the sentence that speaks of it says {others[0].text}, not {value.text}"
    return ""


def _sentences(text: str) -> list[str]:
    return [span.of(text) for span in split_sentences(text)]


def _states(text: str, value: Value) -> bool:
    return any(agree(value, other) for other in stated_values(text))


def _is_of_its_kind(value: Value, other: Value) -> bool:
    if value.kind != other.kind or agree(value, other):
        return False
    return value.kind != "number" or value.unit == other.unit
