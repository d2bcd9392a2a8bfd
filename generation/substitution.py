"""A claim and the sentence it retells in, what the claim puts in place of the sentence's own fact out. Pure.

Only where claim and sentence run side by side: what stands at the same place in both must be the same number, name,
unit or direction. A value from elsewhere in the passage is in a quote too, so that looking for it finds nothing.
"""

import difflib
import re
from collections.abc import Sequence

from generation.names import acronyms_of
from generation.numbers import canonical, dates, fact_terms, unit_of
from generation.polarity import negations, opposed
from generation.tokens import aligned, tokens_of
from ingest.sentences import split_sentences
from ingest.terms import is_stop_term

_PASSIVE = re.compile(r"\bby\b|[被由]")
_DENIAL = re.compile(
    r"(?:not|never|cannot|isn't|wasn't|aren't|weren't|不|不是|没有|沒有|未|并未|並未|不能|不会|不會|不可)"
)
_LEAST_TO_DENY = 5  # words
_FORMS_OF_ADDRESS = frozenset(("mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "lord", "lady", "dame"))
_ALIKE = 0.6  # of the claim's tokens stand in the sentence in its order
_NEARLY_EQUAL = 0.8


def substituted(claim: str, quotes: Sequence[str], question: str, known: str) -> str:
    """Say what the claim has in place of what the best matching sentence says, "" when nothing shows that it does.

    `known` is the text of the passages: a Chinese word counts as another thing's name only where it stands there.
    """
    mine = tokens_of(claim)
    sentences = [span.of(quote) for quote in quotes for span in split_sentences(quote)]
    candidates = [(aligned(mine, theirs), theirs, text) for text in sentences if (theirs := tokens_of(text))]
    if not mine or not candidates:
        return ""
    matcher, theirs, sentence = max(candidates, key=lambda entry: (_held(entry[0]), entry[0].ratio()))
    held = _held(matcher) / len(mine)
    if reason := _exchanged(claim, sentence, mine, theirs):
        return reason
    if held < _ALIKE:
        return ""
    # Beside a bare value, a row's "not sold" is another cell.
    same_but_denied = _same_but_denied(mine, theirs, matcher)
    if same_but_denied:
        return same_but_denied
    nearly_equal = len(mine) > 2 and held >= _NEARLY_EQUAL and negations(claim) % 2 != negations(sentence) % 2
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        said, instead = mine[i1:i2], theirs[j1:j2]
        if kind == "replace" and (
            reason := _opposite(said, instead)
            or _other(said, instead, mine, theirs, "" if held >= _NEARLY_EQUAL else question, known)
        ):
            return reason
        if nearly_equal and len(said) <= 2 and len(instead) <= 2 and _denies(said) != _denies(instead):
            claim_denies = _denies(said)
            return "the claim denies what the quote says" if claim_denies else "the quote denies what the claim says"
    return ""


def _same_but_denied(mine: Sequence[str], theirs: Sequence[str], matcher: difflib.SequenceMatcher[str]) -> str:
    """Tell whether the two are equal but for a word that denies, whatever follows it ("not ... before")."""
    changes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    if len(changes) != 1 or len(mine) < _LEAST_TO_DENY:
        return ""
    _, i1, i2, j1, j2 = changes[0]
    said, instead = " ".join(mine[i1:i2]).lower(), " ".join(theirs[j1:j2]).lower()
    if _DENIAL.fullmatch(said) and not _DENIAL.search(instead):
        return "the claim denies what the quote says"
    return "the quote denies what the claim says" if _DENIAL.fullmatch(instead) and not _DENIAL.search(said) else ""


def _other(
    said: Sequence[str], instead: Sequence[str], mine: Sequence[str], theirs: Sequence[str], question: str, known: str
) -> str:
    claim, sentence = " ".join(mine), " ".join(theirs)
    numbers, others = fact_terms(" ".join(said)), fact_terms(" ".join(instead))
    lone = len(said) == len(instead) == 1  # the sentence's own number may stand elsewhere in the claim as well
    if numbers - fact_terms(sentence) and (others if lone and not question else others - fact_terms(claim)):
        return _reason(said, instead)
    units = [[token for token in tokens if unit_of(token)] for tokens in (said, instead)]
    if units[0] and units[1] and {unit_of(t) for t in units[0]} != {unit_of(t) for t in units[1]}:
        return _reason(units[0], units[1])
    asked = question.lower()
    names = [t for t in said if _named(t, mine, known) and t.lower() not in asked]
    their_names = [t for t in instead if _named(t, theirs, known)]
    if names and their_names and not _related(names, their_names) and not acronyms_of(" ".join(said), sentence):
        return _reason(names, their_names)
    if len(instead) > 2 * len(said) + 1:  # for a whole clause: the claim leaves out rather than puts in its place
        return ""
    words = [t for t in said if _is_thing(t) and t not in sentence and t not in asked and t in known]
    their_words = [t for t in instead if _is_thing(t) and t not in claim]
    return _reason([max(words, key=len)], [max(their_words, key=len)]) if words and their_words else ""


def _opposite(said: Sequence[str], instead: Sequence[str]) -> str:
    found = opposed(" ".join(said), " ".join(instead))
    return f"the quote says the opposite ({found})" if found else ""


def _exchanged(claim: str, sentence: str, mine: Sequence[str], theirs: Sequence[str]) -> str:
    """Tell whether the two are equal but for the order of their facts: "A bought B", "B bought A"."""
    if len(_PASSIVE.findall(claim)) != len(_PASSIVE.findall(sentence)):
        return ""
    if _dated(claim) == _dated(sentence):  # "1 January 2010" is "January 1, 2010"
        mine, theirs = tokens_of(_dateless(claim)), tokens_of(_dateless(sentence))
    facts = [[t for t in tokens if _is_fact(t)] for tokens in (mine, theirs)]
    frames = [[t.lower() for t in tokens if not _is_fact(t)] for tokens in (mine, theirs)]
    if facts[0] == facts[1] or sorted(facts[0]) != sorted(facts[1]) or frames[0] != frames[1]:
        return ""
    first = next(i for i, fact in enumerate(facts[0]) if fact != facts[1][i])
    return _reason([facts[0][first]], [facts[1][first]])


def _dated(text: str) -> list[tuple[int | None, ...]]:
    return [(date.year, date.month, date.day) for date in dates(text)]


def _dateless(text: str) -> str:
    text = canonical(text)
    for date in reversed(dates(text)):
        text = text[: date.span.start] + " " + text[date.span.end :]
    return text


def _reason(said: Sequence[str], instead: Sequence[str]) -> str:
    return f"the quote says {' '.join(instead)}, not {' '.join(said)}"


def _held(matcher: difflib.SequenceMatcher[str]) -> int:
    return sum(block.size for block in matcher.get_matching_blocks())


def _denies(tokens: Sequence[str]) -> bool:
    return negations(" ".join(tokens)) > 0


def _is_name(token: str) -> bool:
    word = token.lower()
    return token[:1].isupper() and len(token) > 1 and word not in _FORMS_OF_ADDRESS and not is_stop_term(word)


def _named(token: str, tokens: Sequence[str], known: str) -> bool:
    """Tell whether a word is a name; the first of a sentence is one where the passages spell it so inside another."""
    return _is_name(token) and (token != tokens[0] or bool(re.search(rf"[a-z,] {re.escape(token)}\b", known)))


def _related(names: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether a name of one is the beginning of one of the other: Norman, Normans."""
    pairs = [(name.lower(), other.lower()) for name in names for other in others]
    return any(name.startswith(other) or other.startswith(name) for name, other in pairs)


def _is_thing(token: str) -> bool:
    return len(token) > 1 and "\u3400" <= token[0] <= "\u9fff" and not is_stop_term(token)


def _is_fact(token: str) -> bool:
    return token[0].isdigit() or _is_name(token)
