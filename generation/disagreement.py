"""Two statements in, the values that they give otherwise for one thing out. Pure; knows no documents and no model.

They speak of one thing where their words are nearly the same, each names nothing that the other doesn't know, and all
other values in them agree: "2023: 5" and "2024: 7" are two facts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generation.matching import terms_of
from generation.names import numbered_things, unknown_names
from generation.numbers import canonical, fold
from generation.polarity import negations
from generation.stated_values import Value, agree, comparable, stated_values
from generation.tables import is_row
from generation.tokens import aligned, tokens_of
from ingest.language import has_cjk
from ingest.terms import cut_words, is_stop_term

# A word with the blank before it, or one Chinese character.
_TOKEN = re.compile(r"\s*(?:[\u3400-\u9fff]|[^\W\u3400-\u9fff]+(?:['’-][^\W\u3400-\u9fff]+)*|[^\w\s])|\s+$")
_ASKS_NAME_ZH = re.compile("谁|誰|哪|何[处處地人]|什[么麼]")


@dataclass(frozen=True, slots=True)
class DisagreementConfig:
    """How alike two statements must be, as shares of their words, numbers and names aside (benchmarks/conflicts.py)."""

    least_shared: float = 0.6  # Jaccard
    least_shared_several: float = 0.8  # where several values differ, or a date: like things happen again
    least_words_beside_name: float = 2  # where names differ, which tell things apart as well


Pair = tuple[Value, Value] | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence or a spelled row, and what it can refer to: title, headings, the text just before."""

    text: str
    label: str


def disagreements(one: Statement, other: Statement, question: str, config: DisagreementConfig) -> list[Pair]:
    """Give the values that differ, those of `one` first; names as text. [] where nothing shows that they do."""
    if has_cjk(one.text) != has_cjk(other.text) or negations(one.text) % 2 != negations(other.text) % 2:
        return []
    pairs = differing_values(stated_values(one.text), stated_values(other.text))
    if pairs is None:
        return []
    if not pairs:
        return _names(one.text, other.text, question, config)
    shared = _shared(_without_values(one.text), _without_values(other.text))
    least = 1.0 if is_row(one.text) or is_row(other.text) else config.least_shared
    if len(pairs) > 1 or pairs[0][0].kind == "date":
        least = max(least, config.least_shared_several)
    if shared < least or _speak_of_others(one, other):
        return []
    return list(pairs)


def differing_values(mine: Sequence[Value], theirs: Sequence[Value]) -> list[tuple[Value, Value]] | None:
    """Pair the values that don't agree, in order; None where they can't be paired, so that the two are no rivals."""
    pairs = _unmatched(mine, theirs)
    if pairs is None or not all(comparable(a, b) for a, b in pairs):
        return None
    if len(pairs) > 1 and any(value.kind == "date" for value, _ in pairs):
        return None  # what was so in one year need not be so in another
    return pairs


def _unmatched(mine: Sequence[Value], theirs: Sequence[Value]) -> list[tuple[Value, Value]] | None:
    left, unmatched = [], list(theirs)
    for value in mine:
        match = next((other for other in unmatched if agree(value, other)), None)
        if match is None:
            left.append(value)
        else:
            unmatched.remove(match)
    return list(zip(left, unmatched, strict=True)) if len(left) == len(unmatched) else None


def differing_across(one: str, other: str) -> tuple[Value, Value] | None:
    """Give the one value that two statements in different languages give otherwise, None where that isn't so.

    Small numbers written as words aren't looked at: they come and go in translation.
    """
    pairs = _unmatched(*([v for v in stated_values(text) if not _is_little(v)] for text in (one, other)))
    if pairs is None or len(pairs) != 1:
        return None
    mine, theirs = pairs[0]
    no_unit = mine.kind == theirs.kind == "number" and None in (mine.unit, theirs.unit)
    return pairs[0] if no_unit or comparable(mine, theirs) else None


def _is_little(value: Value) -> bool:
    return value.kind == "number" and value.unit is None and not re.search(r"\d", value.text) and value.most < 10


def _shared(one: str, other: str) -> float:
    mine, theirs = _words(one), _words(other)
    return len(mine & theirs) / len(mine | theirs) if mine or theirs else 0.0


def _words(text: str) -> frozenset[str]:
    return frozenset(term for term in terms_of(text) if term[0] not in "#@")


def _speak_of_others(one: Statement, other: Statement) -> bool:
    """Tell whether either names something that the other doesn't know, or words stand in each other's place."""
    for mine, theirs in ((one, other), (other, one)):
        known = f"{theirs.label}\n{theirs.text}"
        if unknown_names(mine.text, known) or any(thing not in known for thing in numbered_things(mine.text)):
            return True
    tokens = [tokens_of(_without_values(statement.text), cut_words) for statement in (one, other)]
    return any(
        kind == "replace" and _has_word(tokens[0][i1:i2]) and _has_word(tokens[1][j1:j2])
        for kind, i1, i2, j1, j2 in aligned(*tokens).get_opcodes()
    )


def _without_values(text: str) -> str:
    folded = canonical(text)
    for value in stated_values(text):
        folded = folded[: value.span.start] + " " * len(value.span) + folded[value.span.end :]
    return folded


def _names(one: str, other: str, question: str, config: DisagreementConfig) -> list[Pair]:
    """Give the name at the same place in two statements that are equal before and behind it."""
    mine, theirs = fold(one), fold(other)
    said, instead = _differing(mine, theirs)
    if not (_is_name(said, question) and _is_name(instead, question)):
        return []
    asked = question.lower()
    if said.lower() in f"{theirs.lower()} {asked}" or instead.lower() in f"{mine.lower()} {asked}":
        return []
    words, named = _words(mine), terms_of(said)
    enough = _weight(words - named) >= config.least_words_beside_name
    return [(said, instead)] if enough and _weight(named) <= _weight(words) / 2 else []


def _weight(words: frozenset[str]) -> float:
    return sum(0.5 if word[0] == "·" else 1.0 for word in words)


def _differing(mine: str, theirs: str) -> tuple[str, str]:
    """Give what is left of two texts without the words they begin and end with alike."""
    texts = [_TOKEN.findall(mine), _TOKEN.findall(theirs)]
    least = min(map(len, texts))
    before = next((i for i in range(least) if texts[0][i] != texts[1][i]), least)
    after = next((i for i in range(least - before) if texts[0][-1 - i] != texts[1][-1 - i]), least - before)
    one, other = ("".join(tokens[before : len(tokens) - after]).strip() for tokens in texts)
    return one, other


def _is_name(text: str, question: str) -> bool:
    if has_cjk(text):
        asks = _ASKS_NAME_ZH.search(question)
        return bool(asks) and bool(re.fullmatch(r"[\u3400-\u9fff·]{1,8}", text)) and not is_stop_term(text)
    words = text.split()
    return (
        1 <= len(words) <= 5
        and all(w[0].isupper() or is_stop_term(w.lower()) or len(w) < 3 for w in words)
        and any(w[0].isupper() for w in words)
    )


def _has_word(tokens: Sequence[str]) -> bool:
    return any(len(token) > 1 and not token[0].isdigit() and not is_stop_term(token.lower()) for token in tokens)
