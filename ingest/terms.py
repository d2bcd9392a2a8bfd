"""Text in, the terms of the lexical index out. The same function serves index and query, so both always agree.

Latin words are lower-cased and stemmed, numbers and codes kept whole and in parts, Chinese folded to Simplified and cut
into jieba's words and into character bigrams. Splitting on `\\w+` alone finds nothing in Chinese.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

_CJK = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# A run of CJK characters, or a word: letters and digits, joined inside by . , ' - _ / : @ when more letters follow.
# The word must stop before CJK ("308分" is 308 and 分): taking it as one token cost xquad_zh 5 points of recall@1.
_TOKENS = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+(?:[.,'’_\-/:@][^\W_{_CJK}]+)*")
# Raised when the terms of the same text change: what an older Footnote indexed is then indexed anew.
TERMS_VERSION = "2"
# A line wrapped inside a Chinese word.
_CJK_WRAP = re.compile(rf"(?<=[{_CJK}])\s*\n\s*(?=[{_CJK}])")
# After a sentence's end, between paragraphs, before a row or a list item.
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n\s*\n|\n(?=\s*(?:[|\-*•#]|\d+[.)]))")
_ANY_CJK = re.compile(f"[{_CJK}]")
_PARTS = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*")

# Words that say nothing about the topic. They are indexed (a phrase may need them) but never decide a match alone,
# and the coverage of a question is counted without them.
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "as",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "what",
        "which",
        "who",
        "whom",
        "whose",
        "when",
        "where",
        "why",
        "how",
        "many",
        "much",
        "there",
        "their",
        "they",
        "them",
        "he",
        "she",
        "his",
        "her",
        "i",
        "you",
        "we",
        "our",
        "your",
        "my",
        "me",
        "us",
        "not",
        "no",
        "if",
        "then",
        "than",
        "so",
        "such",
        "can",
        "could",
        "may",
        "might",
        "will",
        "would",
        "shall",
        "should",
        "must",
        "about",
        "into",
        "over",
        "under",
        "between",
        "during",
        "after",
        "before",
        "because",
        "while",
        "also",
        "any",
        "all",
        "some",
        "each",
        "other",
        "more",
        "most",
        "per",
        "s",
        "t",
        "的",
        "了",
        "是",
        "在",
        "和",
        "与",
        "或",
        "及",
        "吗",
        "呢",
        "吧",
        "啊",
        "么",
        "什么",
        "哪",
        "哪些",
        "哪个",
        "哪里",
        "谁",
        "多少",
        "几",
        "怎么",
        "怎样",
        "如何",
        "为什么",
        "为何",
        "何时",
        "何",
        "有",
        "被",
        "把",
        "对",
        "从",
        "到",
        "由",
        "于",
        "之",
        "其",
        "这",
        "那",
        "这个",
        "那个",
        "它",
        "他",
        "她",
        "我",
        "你",
        "我们",
        "你们",
        "他们",
        "就",
        "都",
        "也",
        "还",
        "很",
        "请问",
        "一个",
        "一",
        "个",
        "中",
        "上",
        "下",
        "年",
        "月",
        "日",
    ]
)


def index_terms(text: str) -> list[str]:
    """Give the terms of `text` in order, with repeats. Bigrams of Chinese carry the prefix "·"."""
    terms: list[str] = []
    for match in _TOKENS.finditer(_simplified(_CJK_WRAP.sub("", normalise(text)))):
        token = match.group()
        if _is_cjk(token[0]):
            terms.extend(_jieba().cut_for_search(token))
            terms.extend("·" + token[i : i + 2] for i in range(len(token) - 1))
        else:
            terms.extend(_latin_terms(token))
    return terms


def words_of(text: str) -> list[str]:
    """Give the words of `text` in order, unstemmed: jieba's, also those inside longer ones, and Latin ones whole."""
    words: list[str] = []
    for match in _TOKENS.finditer(_simplified(_CJK_WRAP.sub("", normalise(text)))):
        token = match.group()
        words.extend(_jieba().cut_for_search(token) if _is_cjk(token[0]) else [token])
    return words


def cut_words(text: str) -> list[str]:
    """Cut text into jieba's words and what stands between them; joined they are the text."""
    return [str(word) for word in _jieba().cut(text)]


def term_lines(head: str, text: str) -> str:
    """Give what is indexed for a chunk: a line with the terms of its title and headings, then one for each sentence.

    The lines are what lets a search see that a question's words stand together. Sentences are cut roughly.
    """
    sentences = (index_terms(sentence) for sentence in _SENTENCE.split(text))
    return "\n".join(" ".join(terms) for terms in (index_terms(head), *filter(None, sentences)))


def content_terms(text: str) -> list[str]:
    """Give the distinct terms of a question that say what it is about: no stop words, no bigrams of them."""
    return [term for term in dict.fromkeys(index_terms(text)) if not is_stop_term(term)]


def is_stop_term(term: str) -> bool:
    """Tell whether a term is a stop word, or a bigram made of two of them."""
    if term.startswith("·"):
        return term[1:] in STOP_WORDS or all(character in STOP_WORDS for character in term[1:])
    return term in _stemmed_stop_words()


def normalise(text: str) -> str:
    """Fold width, compatibility forms and case: Ｆｕｌｌ → full, ① → 1."""
    return unicodedata.normalize("NFKC", text).lower()


def _latin_terms(token: str) -> list[str]:
    parts = _PARTS.findall(token)
    if parts == [token]:
        return [_stem(token.replace(",", "")) if token[0].isalpha() else token.replace(",", "")]
    # "gpt-4o", "iso-9001": the whole as written, and its parts.
    whole = token.replace("’", "'")
    if "'" in whole and whole.replace("'", "").isalpha():
        return [_stem(whole.split("'")[0])]
    return [whole, *(_stem(part) if part[0].isalpha() else part for part in parts)]


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    stemmed: str = _stemmer().stemWord(word)
    return stemmed


@cache
def _stemmed_stop_words() -> frozenset[str]:
    return STOP_WORDS | {_stem(word) for word in STOP_WORDS if word.isascii()}


def _is_cjk(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"


def _simplified(text: str) -> str:
    """Fold Traditional Chinese: jieba's dictionary is Simplified, and a question in one may meet texts in the other."""
    return str(_opencc().convert(text)) if _ANY_CJK.search(text) else text


@cache
def _opencc() -> Any:  # OpenCC has no types
    import opencc

    return opencc.OpenCC("t2s")


@cache
def _stemmer() -> Any:  # snowballstemmer has no types
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@cache
def _jieba() -> Any:  # jieba has no types
    import logging

    import jieba

    jieba.setLogLevel(logging.ERROR)
    return jieba
