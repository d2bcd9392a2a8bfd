"""Chunks in, which of them say nothing that an earlier one doesn't say out. Pure.

Texts that differ in a number, a name or a "not" are never repeats, however alike they are: of "the limit is 20,000" and
"the limit is 25,000" both stay. What may differ is layout, punctuation, width, case and little words.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ingest.document import Chunk
from ingest.terms import STOP_WORDS, normalise
from retrieval.editions import are_editions

_CJK = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# A line wrapped inside a Chinese word.
_WRAP = re.compile(rf"(?<=[{_CJK}])\s*\n\s*(?=[{_CJK}])")
_TOKENS = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+(?:[.,'’_\-/:@][^\W_{_CJK}]+)*")
# Words that turn a sentence around, and words for numbers. As little words they would count for nothing.
_TELLING_WORDS = frozenset(
    re.findall(
        r"\w+",
        """not no never none nor neither without unless except cannot before after over under above below more less most
        least one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy
        eighty ninety hundred thousand million billion half double first second third""",
    )
)
_TELLING_CHARACTERS = re.compile("[不没無无未非勿莫除前后後上下零〇一二两兩三四五六七八九十百千万萬亿億半]+")
_LITTLE_CHARACTERS = frozenset(word for word in STOP_WORDS if len(word) == 1 and not word.isascii())


@dataclass(frozen=True, slots=True)
class RepeatConfig:
    """`least_shared`: the share of its runs of three words (or Chinese characters) that a repeat has in common with
    what it repeats, in the order of both. 1.01 leaves only equal words to be repeats.

    Of all pairs in six corpora that pass the other two rules, those from .8 up are copies; below .7 the shorter one is
    a heading or a query that the longer one happens to contain (benchmarks/LOG.md, 2026-11-25).
    """

    least_shared: float = 0.8


@dataclass(frozen=True, slots=True)
class _Said:
    """What a chunk says. `telling` are its numbers, codes and negations in order, `words` what else has a meaning,
    `runs` three tokens that follow each other.
    """

    telling: tuple[str, ...]
    words: frozenset[str]
    runs: frozenset[tuple[str, ...]]


class Repeats:
    """The chunks that have a place so far, and which of them says what another chunk says."""

    def __init__(self, config: RepeatConfig) -> None:
        self._config = config
        self._places: dict[str, int] = {}  # by the words of the chunk
        self._kept: list[tuple[Chunk, str, str]] = []  # with its source and its letters

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, chunk: Chunk, source: str) -> None:
        """Give a chunk the next place."""
        self._kept.append((chunk, source, _letters(chunk.text)))
        self._places[_plain_words(chunk.text)] = len(self._kept)

    def repeated_by(self, chunk: Chunk, source: str, *, only_same_words: bool = False) -> str:
        """Say which place's chunk says all that this one says; empty when none does.

        Editions of one document repeat each other only where they have the same words: what little they changed may be
        what is asked for.
        """
        if place := self._places.get(_plain_words(chunk.text)):
            return f"says the same as the chunk in place {place}"
        if only_same_words or self._config.least_shared > 1:
            return ""
        letters = _letters(chunk.text)
        for place, (kept, kept_source, kept_letters) in enumerate(self._kept, start=1):
            if not _looks_alike(letters, kept_letters) or are_editions(source, kept_source):
                continue
            if _adds_nothing(_said(chunk), _said(kept), self._config):
                return f"says nothing that the chunk in place {place} ({kept_source}) doesn't say"
        return ""


def _looks_alike(letters: str, kept: str) -> bool:
    """Tell at little cost whether a closer look is worth it: three of eight samples stand word for word in the other.

    Without it a search would take apart a dozen chunks, .2 to .4 ms each.
    """
    step = max(len(letters) // 8, 1)
    samples = [letters[at : at + 6] for at in range(0, len(letters), step)][:8]
    return sum(sample in kept for sample in samples) >= min(3, len(samples))


def _adds_nothing(said: _Said, kept: _Said, config: RepeatConfig) -> bool:
    return (
        said.words <= kept.words
        and bool(said.runs)
        and len(said.runs & kept.runs) >= config.least_shared * len(said.runs)
        and _is_inside(said.telling, kept.telling)
    )


def _is_inside(inner: Sequence[str], outer: Sequence[str]) -> bool:
    """Tell whether the one sequence stands in the other without a gap."""
    return any(outer[at : at + len(inner)] == inner for at in range(len(outer) - len(inner) + 1))


def _said_by(text: str) -> _Said:
    tokens: list[str] = []
    telling: list[str] = []
    words: set[str] = set()
    for match in _TOKENS.finditer(_WRAP.sub("", unicodedata.normalize("NFKC", text))):
        token = match.group()
        if re.match(f"[{_CJK}]", token):
            tokens.extend(token)
            telling.extend(_TELLING_CHARACTERS.findall(token))
            bare = [character for character in token if character not in _LITTLE_CHARACTERS]
            words.update("".join(pair) for pair in pairwise(bare))
            continue
        lowered = token.lower().replace("’", "'")
        tokens.append(lowered)
        if re.search(r"\d", token) or (len(token) == 1 and token.isupper() and token not in "AI"):
            telling.append(lowered.replace(",", ""))
        elif lowered in _TELLING_WORDS or lowered.endswith("n't"):
            telling.append(lowered)
        elif lowered not in STOP_WORDS:
            words.add(lowered)
    runs = frozenset(tuple(tokens[at : at + 3]) for at in range(max(len(tokens) - 2, min(len(tokens), 1))))
    return _Said(tuple(telling), frozenset(words), runs)


def _said(chunk: Chunk) -> _Said:
    return _said_once("\n".join((*chunk.headings[1:], chunk.text)))


_said_once = lru_cache(maxsize=512)(_said_by)


def _letters(text: str) -> str:
    return "".join(normalise(text).split())


def _plain_words(text: str) -> str:
    return " ".join(normalise(text).split())
