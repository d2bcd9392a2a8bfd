"""Answer text in, comparable tokens out: once as SQuAD's script cuts, once as CMRC 2018's, once for `contains`."""

import re
import string
import unicodedata

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CHINESE = re.compile(f"[{_CJK}]")
_MIXED = re.compile(rf"[{_CJK}]|\d+(?:[.,]\d+)*|[^\W_{_CJK}]+|%")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = frozenset(string.punctuation)

_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!\d)")
_ZERO_CENTS = re.compile(r"(?<![\d.])(\d+)\.00+(?![\d.])")
_ZERO_TENTHS = re.compile(r"(?<![\d.])(\d+)\.0+(?=\s*(?:%|per ?cent\b))")
_PERCENT = re.compile(r"(?<=\d)\s*per ?cent\b")
_ABBREVIATION = re.compile(r"\b(?:[a-z]\.){2,}")
_CURRENCY = re.compile(r"[$€£¥]\s?(?=\d)")
_COMPARABLE = re.compile(rf"[{_CJK}]|(?:(?<![0-9a-z.)%])-)?\d+(?:\.\d+)*|[^\W\d_{_CJK}][^\W_{_CJK}]*|%")


def is_chinese(text: str) -> bool:
    """Tell whether the text has a Chinese character (or Japanese kana, which are cut alike)."""
    return _CHINESE.search(text) is not None


def squad_tokens(text: str) -> list[str]:
    """Cut as SQuAD's official script: lower case, no ASCII punctuation, no articles, split at white space.

    `normalize_answer` of evaluate-v2.0.py (Rajpurkar et al., ACL 2018); we fold full-width forms (NFKC) beforehand.
    """
    lowered = unicodedata.normalize("NFKC", text).lower()
    bare = "".join(character for character in lowered if character not in _ASCII_PUNCTUATION)
    return _ARTICLES.sub(" ", bare).split()


def mixed_tokens(text: str) -> list[str]:
    """Cut as CMRC 2018's script: each Chinese character, and each word or number between them; no punctuation.

    `mixed_segmentation` (Cui et al., EMNLP 2019) with three differences: full-width forms are folded (NFKC), all
    punctuation goes (theirs keeps a few marks), and words end where letters do (theirs asks NLTK).
    """
    return _MIXED.findall(unicodedata.normalize("NFKC", text).lower())


def comparable_tokens(text: str) -> list[str]:
    """Cut for `contains`: numbers written alike, words without punctuation, each Chinese character.

    1,200 = 1200 = １２００; $1577.00 = 1,577; 64 percent = 64% = 64.0%; -5 differs from 5; U.S. = US.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2212", "-")
    folded = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), _CURRENCY.sub("", folded))
    folded = _PERCENT.sub("%", _ZERO_TENTHS.sub(r"\1", _ZERO_CENTS.sub(r"\1", folded)))
    folded = _ABBREVIATION.sub(lambda letters: letters[0].replace(".", ""), folded)
    return _COMPARABLE.findall(folded)
