"""Text in, its words, numbers and Chinese words in order out, and two such rows side by side. Pure."""

import difflib
import re
from collections.abc import Callable, Sequence

from generation.numbers import fold
from ingest.terms import words_of

_TOKEN = re.compile(r"\d[\d,.]*\d|\d|[^\W\d_\u3400-\u9fff]+(?:['’-][^\W\d_\u3400-\u9fff]+)*|[\u3400-\u9fff]+|%")


def tokens_of(text: str, cut: Callable[[str], list[str]] = words_of) -> list[str]:
    """Give the tokens in order, as they are written but for width; `cut` takes Chinese apart."""
    found: list[str] = []
    for match in _TOKEN.finditer(fold(text)):
        token = match.group()
        found += cut(token) if "\u3400" <= token[0] <= "\u9fff" else [token]
    return found


def aligned(mine: Sequence[str], theirs: Sequence[str]) -> difflib.SequenceMatcher[str]:
    """Lay two rows of tokens side by side, whatever their case."""
    return difflib.SequenceMatcher(None, [t.lower() for t in mine], [t.lower() for t in theirs], autojunk=False)
