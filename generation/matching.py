"""Texts in, weighted terms out: how much of one text's content another holds. Knows nothing about answers or models."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from generation.numbers import fact_terms, without_number_words
from ingest.terms import STOP_WORDS, index_terms, is_stop_term, normalise

_CJK_RUN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_NUMERIC = re.compile(r"[\d.,]+")
_QUESTION_ZH = re.compile("什么|哪[些个里位年种一家]?|谁|多少|怎[么样]+|如何|为什么|为何|何[时处地]|是否|几")
# Words around an answer that no passage needs to contain, stemmed.
_FILLER = frozenset(
    re.findall(
        r"\w+",
        "accord passag sourc provid mention state answer question document inform text base follow includ context "
        "given also would call refer known describ specif say said name type kind mani much tell show exampl cannot "
        "yes",
    )
)
_FILLER_ZH = re.compile(
    "根据|提供|段落|资料|文档|文中|提到|信息|内容|问题|答案|如下|以下|包括|其中|因此|所以|名为|称为|叫做|叫作|分别|可以|由于|因为|"
    "如果|但是|而且|以及|或者|同时|并且|然后|这些|那些|它们|他们|她们|自己|通过|进行|关于|对于|成为|作为"
)
# Single characters that build sentences.
_FUNCTION_CHARACTERS = frozenset(
    "的了是在和与吗呢吧这那它他她其之个位年月日有为以于而也都就被把从到由对并及或将会能可要不"
)


@lru_cache(maxsize=20_000)
def terms_of(text: str) -> frozenset[str]:
    """Give what a text says: Latin stems, the bigrams inside Chinese words, numbers and dates in canonical form."""
    folded = without_number_words(normalise(text))
    found: set[str] = set(fact_terms(text))
    for run in _CJK_RUN.findall(_QUESTION_ZH.sub(" ", _FILLER_ZH.sub(" ", folded))):
        for word in _jieba().cut(run):
            if word in STOP_WORDS:
                continue
            if len(word) == 1 and word not in _FUNCTION_CHARACTERS:
                found.add("·" + word)
            found |= {"·" + word[i : i + 2] for i in range(len(word) - 1)}
    for term in index_terms(_CJK_RUN.sub(" ", folded)):
        if not is_stop_term(term) and not _NUMERIC.fullmatch(term) and term not in _FILLER:
            found.add(term)
    return frozenset(found)


@lru_cache(maxsize=20_000)
def surface_of(text: str) -> frozenset[str]:
    """Give all a text can match: its terms, and every Chinese character and bigram however words are cut."""
    found = set(terms_of(text))
    for run in _CJK_RUN.findall(normalise(text)):
        found |= {"·" + character for character in run}
        found |= {"·" + run[i : i + 2] for i in range(len(run) - 1)}
    return frozenset(found)


def weights_of(units: Iterable[Collection[str]]) -> "Weights":
    """Learn how rare each term is among the units of text at hand."""
    frequency: Counter[str] = Counter()
    n_units = 0
    for unit in units:
        frequency.update(set(unit))
        n_units += 1
    return Weights(frequency, n_units)


class Weights:
    """Inverse document frequency over a handful of sentences: rarer terms weigh more, unseen ones most."""

    def __init__(self, frequency: Mapping[str, int], n_units: int) -> None:
        self._frequency = frequency
        self._n_units = n_units

    def __getitem__(self, term: str) -> float:
        weight = math.log(1 + (self._n_units + 1) / (1 + self._frequency.get(term, 0)))
        # A Latin word is about two Chinese bigrams; a number or a date decides more than a word.
        return weight * (0.5 if term[0] == "·" else 1.5 if term[0] in "#@" else 1.0)

    def total(self, terms: Iterable[str]) -> float:
        """Give the weight of the terms together."""
        return sum(self[term] for term in sorted(terms))

    def coverage(
        self, wanted: Collection[str], present: Collection[str], scale: Mapping[str, float] | None = None
    ) -> float:
        """Give the share, 0 to 1, of the wanted weight that is present; related Latin words count half. Empty: 0.

        `scale` multiplies the weights of single terms.
        """
        heads = _stem_heads(present)
        held = whole = 0.0
        for term in sorted(wanted):
            weight = self[term] * (scale.get(term, 1.0) if scale else 1.0)
            whole += weight
            if term in present:
                held += weight
            elif _is_word(term) and term[:5] in heads:
                held += 0.5 * weight
        return held / whole if whole else 0.0


def missing(wanted: Collection[str], present: Collection[str]) -> list[str]:
    """Give the wanted terms that are not present, related Latin words counting as present, in a stable order."""
    heads = _stem_heads(present)
    return sorted(term for term in wanted if term not in present and not (_is_word(term) and term[:5] in heads))


def union(parts: Sequence[Collection[str]]) -> frozenset[str]:
    """Give the terms of all parts."""
    return frozenset().union(*parts)


def _is_word(term: str) -> bool:
    return len(term) >= 5 and term.isascii() and term.isalpha()


def _stem_heads(terms: Collection[str]) -> frozenset[str]:
    return _heads_of(terms if isinstance(terms, frozenset) else frozenset(terms))


@lru_cache(maxsize=20_000)
def _heads_of(terms: frozenset[str]) -> frozenset[str]:
    return frozenset(term[:5] for term in terms if _is_word(term))


@cache
def _jieba() -> Any:  # jieba has no types
    import logging

    import jieba

    jieba.setLogLevel(logging.ERROR)
    return jieba
