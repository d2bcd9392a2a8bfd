"""Text in, its language by script out. Pure and fast; knows nothing about models or retrieval.

It tells writing systems apart, not languages: French counts as "en", because what hangs on the answer is which
tokenizer and which embedder can read the text, and those split along scripts.
"""

import re
from typing import Literal

Language = Literal["en", "zh", "mixed", "other"]

_SAMPLE_CHARACTERS = 60_000
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_IDEOGRAPH = re.compile(f"[{_IDEOGRAPHS}]")
_KANA_HANGUL = re.compile("[\u3041-\u30ff\uac00-\ud7af]")
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u024f]+")
_LETTER = re.compile(r"[^\W\d_]")
_ANY_CJK = re.compile(f"[{_IDEOGRAPHS}\u3041-\u30ff\uac00-\ud7af]")


def has_cjk(text: str) -> bool:
    """Tell whether the text holds at least one Chinese, Japanese or Korean character."""
    return _ANY_CJK.search(text) is not None


def detect_language(text: str) -> Language:
    """Name the language by the share of each script's words; an ideograph pair and a Latin word count alike.

    "zh" or "en" from 80% up, "mixed" when both hold at least 20%, "other" for every other script (Japanese and Korean
    too) and for text without letters. Long texts are judged by their beginning, middle and end.
    """
    sample = _sample(text)
    chinese = len(_IDEOGRAPH.findall(sample)) / 2
    japanese_korean = len(_KANA_HANGUL.findall(sample)) / 2
    latin_letters = sum(map(len, _LATIN_WORD.findall(sample)))
    latin = float(len(_LATIN_WORD.findall(sample)))
    rest = (len(_LETTER.findall(sample)) - latin_letters - 2 * chinese - 2 * japanese_korean) / 5
    total = chinese + latin + japanese_korean + max(rest, 0.0)
    if not total or japanese_korean >= 0.1 * total or chinese + latin < 0.6 * total:
        return "other"
    share = chinese / (chinese + latin)
    if share >= 0.8:
        return "zh"
    return "en" if share <= 0.2 else "mixed"


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE_CHARACTERS:
        return text
    part = _SAMPLE_CHARACTERS // 3
    middle = len(text) // 2
    return text[:part] + text[middle : middle + part] + text[-part:]
