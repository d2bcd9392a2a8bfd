"""A reranker in, the same with its texts in the form it was trained on out. Knows forms, not how texts are sent.

Qwen3-Reranker judges a whole turn of a chat (its model card). vLLM's `/rerank` joins query and passage as they come
unless it was started with a template, and bare the order is nearly chance (vLLM issue 20478); servers that know the
model, as Xinference does, write the turn themselves. Which one this is can't be asked: both are tried on known pairs.
"""

import re
import threading
from collections.abc import Sequence

from retrieval.rerank import Reranker
from retrieval.rerank_probe import probe_reranker

_QWEN3 = re.compile(r"qwen3[-_]?reranker", re.IGNORECASE)
_BEFORE_QUERY = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
    "<Instruct>: Given a web search query, retrieve relevant passages that answer the query\n<Query>: "
)
_AFTER_PASSAGE = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"


def in_known_form(reranker: Reranker) -> Reranker:
    """Give the reranker as it is, unless it is one whose name says that it wants a form."""
    return FormChoosing(reranker) if _QWEN3.search(reranker.name) else reranker


class Qwen3Form:
    """A reranker that is sent the turn of a chat which Qwen3-Reranker was trained on."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    @property
    def name(self) -> str:
        """The model's own name."""
        return self._reranker.name

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Give a score a passage. Marks of a chat inside a text are broken up: they would end the turn."""
        written = [f"<Document>: {_without_marks(passage)}{_AFTER_PASSAGE}" for passage in passages]
        return self._reranker.scores(f"{_BEFORE_QUERY}{_without_marks(query)}\n", written)


class FormChoosing:
    """A reranker that tries at its first use whether texts are to be sent bare or in form. Safe to use in threads."""

    def __init__(self, reranker: Reranker) -> None:
        self._bare = reranker
        self._choosing = threading.Lock()
        self._chosen: Reranker | None = None

    @property
    def name(self) -> str:
        """The model's own name."""
        return self._bare.name

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Give a score a passage. Raises ModelError; then the next use tries again."""
        with self._choosing:
            if self._chosen is None:
                formed = Qwen3Form(self._bare)
                self._chosen = formed if _found(formed) > _found(self._bare) else self._bare
        return self._chosen.scores(query, passages)


def _found(reranker: Reranker) -> int:
    """Count the known questions, of 12 in two languages, that find their passage."""
    return sum(probe_reranker(reranker, language, language) for language in ("en", "zh"))


def _without_marks(text: str) -> str:
    return text.replace("<|", "< |")
