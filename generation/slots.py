"""A claim, its quotes and the question in, which fact stands in another one's place out. Pure.

A value or name is known by the words right before and behind it. Where the claim's stands in words that hold another
one in a quote or in the question, and nowhere in words as alike, the claim has put it there: a false number may well
stand elsewhere in the quotes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from generation.names import acronyms_of
from generation.numbers import canonical
from generation.polarity import opposed
from generation.stated_values import Value, agree, comparable, stated_values
from generation.tokens import aligned, tokens_of
from ingest.sentences import split_sentences
from ingest.terms import is_stop_term

_LEAST_ALIKE = 3  # words before and behind together; in the question an end of the sentence counts as one
_LEAST_TELLING = 2  # of them, without little words
_BESIDE = 2  # tokens before or behind a value in which its own year stands: "389,150 in 2023", 2023年的389,150人次
_END = "."
_ROMAN = re.compile(r"[IVX]+")
_ADVERB = re.compile(r"(?:al|ent|ant|ous|ive)ly$")  # "Traditionally, Labor is ..."

Token = str | Value


@dataclass(frozen=True, slots=True)
class _Fact:
    """A value or a name, and the tokens before it, the nearest first, and behind it."""

    said: Value | tuple[str, ...]
    before: tuple[Token, ...]
    behind: tuple[Token, ...]

    @property
    def text(self) -> str:
        return self.said.text if isinstance(self.said, Value) else " ".join(self.said)


def misplaced(claim: str, passages: str, question: str) -> str:
    """Say what the claim has in place of what, "" when nothing shows that it does.

    `passages` are those of the quotes, whole: the sentence that the claim goes wrong on may not be quoted.
    """
    mine, asked = _facts(claim), _facts(question)
    quoted = [fact for span in split_sentences(passages) for fact in _facts(span.of(passages))]
    for fact in mine:
        if any(_same(fact, other) for other in asked):
            continue
        twins = [other for other in quoted if _same(fact, other)]
        if any(_is_dated_by(twin, mine) for twin in twins):
            continue
        own = max((len(_shared(fact, other)) for other in twins), default=0)
        for other in quoted:
            if _alike(fact, other) > own and _differ(fact, other) and not any(_same(other, one) for one in mine):
                return f"the passage says {other.text}, not {fact.text}"
        for other in asked:
            if _alike(fact, other, ends=True) > own and _differ(fact, other):
                return f"the question says {other.text}, not {fact.text}"
    return _asked_otherwise(claim, question)


def _is_dated_by(fact: _Fact, mine: Sequence[_Fact]) -> bool:
    """Tell whether the year or date nearest to a quote's value, right beside it, is one that the claim gives, too."""
    if not isinstance(fact.said, Value) or fact.said.kind == "date":
        return False
    given = [one.said for one in mine if isinstance(one.said, Value) and one.said.kind == "date"]
    for distance in range(_BESIDE):
        beside = [tokens[distance] for tokens in (fact.before, fact.behind) if distance < len(tokens)]
        dates = [token for token in beside if isinstance(token, Value) and token.kind == "date"]
        if dates:
            return all(any(agree(date, one) for one in given) for date in dates)
    return False


def _asked_otherwise(claim: str, question: str) -> str:
    """Tell whether the claim repeats the question with a word turned into its opposite."""
    mine, asked = tokens_of(claim), tokens_of(question)
    for kind, i1, i2, j1, j2 in aligned(mine, asked).get_opcodes():
        is_short = kind == "replace" and i2 - i1 <= 2 and j2 - j1 <= 2
        if is_short and (found := opposed(" ".join(mine[i1:i2]), " ".join(asked[j1:j2]))):
            return f"the question says the opposite ({found})"
    return ""


@lru_cache(maxsize=2_000)
def _facts(text: str) -> tuple[_Fact, ...]:
    """Give the values in order, and the names: capitalised words that follow each other."""
    tokens = _tokens(text)
    found: list[_Fact] = []
    start: int | None = None
    for i, token in enumerate([*tokens, ""]):
        # The first word of a sentence is capitalised anyway, unless the next one is, too.
        is_name = _is_name(token) and (i > 0 or (len(tokens) > 1 and _is_name(tokens[1])))
        if start is not None and not is_name:
            found.append(_fact(tokens, start, i, tuple(str(t) for t in tokens[start:i])))
            start = None
        if is_name and start is None:
            start = i
        if isinstance(token, Value):
            found.append(_fact(tokens, i, i + 1, token))
    return tuple(found)


def _tokens(text: str) -> list[Token]:
    folded = canonical(text)
    tokens: list[Token] = []
    end = 0
    for value in stated_values(text):
        if value.text[:1].isupper() and value.text.isalpha():
            continue  # the First Minister
        tokens += tokens_of(folded[end : value.span.start])
        tokens.append(value)
        end = max(
            value.span.end, value.span.start + len(value.text) if folded.startswith(value.text, value.span.start) else 0
        )
    return [*tokens, *tokens_of(folded[end:])]


def _fact(tokens: Sequence[Token], start: int, end: int, said: Value | tuple[str, ...]) -> _Fact:
    return _Fact(said, (*reversed(tokens[:start]), _END), (*tokens[end:], _END))


def _same(one: _Fact, other: _Fact) -> bool:
    if isinstance(one.said, Value) and isinstance(other.said, Value):
        return agree(one.said, other.said)
    return one.text.lower() == other.text.lower()


def _alike(one: _Fact, other: _Fact, *, ends: bool = False) -> int:
    """Count the words that are the same right before and right behind; 0 where they are too few to tell."""
    words = _shared(one, other, ends=ends)
    telling = [word for word in words if isinstance(word, str) and word != _END and not is_stop_term(word.lower())]
    return len(words) if len(words) >= _LEAST_ALIKE and len(telling) >= _LEAST_TELLING else 0


def _shared(one: _Fact, other: _Fact, *, ends: bool = False) -> list[Token]:
    words = (*_run(one.before, other.before), *_run(one.behind, other.behind))
    return [word for word in words if ends or word != _END]


def _run(mine: Sequence[Token], theirs: Sequence[Token]) -> Iterator[Token]:
    for one, other in zip(mine, theirs, strict=False):
        if isinstance(one, Value) and isinstance(other, Value):
            same = agree(one, other)
        else:
            same = str(one).lower() == str(other).lower()
        if not same:
            return
        yield one


def _differ(one: _Fact, other: _Fact) -> bool:
    """Tell whether two facts are of one kind and can't be two forms of one."""
    if isinstance(one.said, Value) and isinstance(other.said, Value):
        return comparable(one.said, other.said) and not agree(one.said, other.said)
    if isinstance(one.said, Value) or isinstance(other.said, Value):
        return False
    said, instead = (
        [t.lower() for t in names if not (_ROMAN.fullmatch(t) or _ADVERB.search(t))] for names in (one.said, other.said)
    )
    if not said or not instead or set(said) <= set(instead) or set(instead) <= set(said):
        return False
    return not (
        _is_form(said[-1], instead[-1]) or acronyms_of(one.text, other.text) or acronyms_of(other.text, one.text)
    )


def _is_form(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one) or (len(one) > 5 and one[:5] == other[:5])


def _is_name(token: Token) -> bool:
    return isinstance(token, str) and token[:1].isupper() and len(token) > 1 and not is_stop_term(token.lower())
