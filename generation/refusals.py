"""A question that gets no answer and its passages in, which kind of refusal it is and what is missing out. Pure.

Four kinds are told apart, because what the user can do differs: the documents are about other things; they are about
this and don't say it; the question takes for granted what they know nothing of; it leaves open which thing is meant.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generation.abstain import ABSTENTIONS
from generation.answer import RefusalKind
from generation.choices import choices, pointed_at
from generation.fit import is_generic, question_fit
from generation.matching import missing, surface_of, terms_of, weights_of
from generation.names import unknown_subjects
from generation.numbers import missing_years
from generation.prompts import PromptLanguage, prompt_language
from generation.support import is_foreign
from ingest.language import has_cjk
from ingest.terms import cut_words, is_stop_term
from retrieval.retrieval import Hit

# Less of what is asked stands in any passage, by the question's language.
_OFF_TOPIC: dict[PromptLanguage, float] = {"en": 0.3, "zh": 0.2}
_MOST_WORDS = 4
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]+(?:[-'’][^\W\d_\u3400-\u9fff]+)*|[\u3400-\u9fff]+|\d[\d.,]*")
# What follows these is told, not asked.
_GIVEN_EN = re.compile(
    r"\b(?:after|before|during|since|when|while|until|following|despite|because of|in response to|as a result of) "
    r"(?P<given>(?:the|a|an|his|her|its|their|our) [^,?]+)|"
    r"\b(?P<clause>(?:the|his|her|its|their|our) [^,?]+?) (?:that|which|who)\b",
    re.IGNORECASE,
)
_GIVEN_ZH = re.compile(
    "(?P<given>[^，,？?的]{2,})(?:之?[后後前]|以[后後前]|期间|期間|[时時](?!间|間|候))|"
    "[^，,？?]{3,}的(?P<clause>[\u3400-\u9fff]{2,}?)(?=[有住用花需要能会會可在一每]|$)"
)
_ASKING_ZH = re.compile("[多几幾][久长長大远遠高少]|[之以][后後前]|[時时][候间間]|.?[给給]|.*[哪谁誰什何几幾].*")
_TEXTS = {
    "en": {
        "off_topic": "They seem to be about other things.",
        "off_topic_words": "They seem to be about other things: no passage found speaks of {words}.",
        "unanswered": "They speak of this, but the nearest passages say nothing of {words}.",
        "near": "They speak of this, but don't seem to say what is asked.",
        "false_premise": "The question takes for granted what no passage found speaks of: {words}.",
        "pointed": "Which one do you mean by “{words}”?",
        "choice": "Which do you mean: {words}?",
        "several": "The passages tell of {words}; ask for the one that you mean.",
        "or": " or ",
        "and": " and ",
    },
    "zh": {
        "off_topic": "文档似乎与此无关。",
        "off_topic_words": "文档似乎与此无关：找到的段落都没有提到{words}。",
        "unanswered": "文档谈到了这个话题，但最接近的段落没有提到{words}。",
        "near": "文档谈到了这个话题，但似乎没有写明所问的内容。",
        "false_premise": "问题以此为前提，而找到的段落都没有提到：{words}。",
        "pointed": "您说的“{words}”指的是哪一个？",
        "choice": "您指的是哪一个：{words}？",
        "several": "找到的段落分别谈到{words}；请说明您指的是哪一个。",
        "or": "，还是",
        "and": "、",
    },
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the user is told: `text` in the question's language. `missing` are words of the question in no passage."""

    kind: RefusalKind
    text: str
    missing: tuple[str, ...] = ()


def refusal_of(question: str, queries: Sequence[str], hits: Sequence[Hit], *, stands_alone: bool = True) -> Refusal:
    """Tell the kind. `queries` are the question and its translation; the one in the passages' language is compared."""
    language = prompt_language(question)
    texts, whole = _TEXTS[language], ABSTENTIONS[language]
    passages = [_said(hit) for hit in hits]
    query = next((q for q in queries if any(not is_foreign(q, passage) for passage in passages)), None)
    if query is None:  # nothing found, or all of it in another language and the question not translated
        return Refusal("" if hits else "off_topic", whole)

    def told(kind: RefusalKind, text: str, words: str = "") -> Refusal:
        said = texts[text].format(words=words)
        return Refusal(kind, whole + ("" if has_cjk(whole) else " ") + said, lacking)

    weights = weights_of(surface_of(passage) for passage in passages)
    fits = [question_fit(query, passage, weights) for passage in passages]
    lacking = missing_words(query, "\n".join(passages))
    if max(fits) < _OFF_TOPIC[language]:
        return told("off_topic", "off_topic_words" if lacking else "off_topic", _listed(lacking, query))
    if several := choices(question, hits):
        return told("underspecified", "choice", texts["or"].join(several))
    if stands_alone and len({hit.source for hit in hits}) > 1 and (pointed := pointed_at(question)):
        return told("underspecified", "pointed", pointed)
    if given := [word for word in lacking if _is_given(word, query)]:
        return told("false_premise", "false_premise", _listed(given, query))
    best = passages[fits.index(max(fits))]
    lacking = lacking or (*unknown_subjects(query, best), *map(str, missing_years(query, best)))
    return told("unanswered", "unanswered" if lacking else "near", _listed(lacking, query))


def left_open(question: str, hits: Sequence[Hit], text: str) -> tuple[str, ...]:
    """Note under an answer that the question leaves open which thing is meant, unless the answer speaks of all."""
    several = choices(question, hits) if hits else ()
    if all(thing in text for thing in several):
        return ()
    texts = _TEXTS[prompt_language(question)]
    return (texts["several"].format(words=texts["and"].join(several)),)


def missing_words(question: str, known: str) -> tuple[str, ...]:
    """Give the words of a question that `known` holds in no form, as the question spells them, in its order."""
    surface = surface_of(known)
    words = [word for run in _WORD.findall(question) for word in (cut_words(run) if has_cjk(run) else [run])]
    found = [
        word
        for word in words
        if not (is_stop_term(word.lower()) or _ASKING_ZH.fullmatch(word))
        and (terms := terms_of(word))
        and not all(map(is_generic, terms))
        and len(missing(terms, surface)) == len(terms)
    ]
    return tuple(dict.fromkeys(found))


def _said(hit: Hit) -> str:
    return "\n".join((hit.title, hit.source, *hit.chunk.headings, hit.chunk.text))


def _listed(words: Sequence[str], question: str) -> str:
    words = words[:_MOST_WORDS]
    return "、".join(f"“{word}”" for word in words) if has_cjk(question) else ", ".join(words)


def _is_given(word: str, question: str) -> bool:
    """Tell whether a word stands in a part of the question that is told rather than asked."""
    pattern = _GIVEN_ZH if has_cjk(question) else _GIVEN_EN
    return any(word in (found["given"] or found["clause"]) for found in pattern.finditer(question))
