"""An embedder in, the same that embeds no text twice out, as long as it remembers it. For questions, not for ingest."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from ingest.embedder import Embedder, Vectors

# The sentences of some 200 questions: 13 MB of 384 dimensions.
_MOST_TEXTS = 8192


class RememberingEmbedder:
    """An embedder that keeps the vectors of the last texts. Safe to use by several threads at once.

    A question is embedded for every passage that is compared with it, and the sentences of passages come up question
    after question: that was three quarters of what an answer cost on top of the model (benchmarks/LOG.md, 2026-11-25).
    """

    def __init__(self, embedder: Embedder, *, most_texts: int = _MOST_TEXTS) -> None:
        self._embedder = embedder
        self._most_texts = most_texts
        self._known: OrderedDict[tuple[str, str], Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._vectors("passage", texts, self._embedder.embed_passages)

    def embed_query(self, text: str) -> Vectors:
        embed = self._embedder.embed_query
        vector: Vectors = self._vectors("query", [text], lambda texts: np.stack([embed(text) for text in texts]))[0]
        return vector

    def token_starts(self, text: str) -> list[int]:
        return self._embedder.token_starts(text)

    def _vectors(self, role: str, texts: Sequence[str], embed: Callable[[Sequence[str]], Vectors]) -> Vectors:
        found: dict[str, Vectors] = {}
        with self._lock:
            for text in texts:
                if (known := self._known.get((role, text))) is not None:
                    self._known.move_to_end((role, text))
                    found[text] = known
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new or not texts:
            vectors = embed(new)
            if not texts:
                return vectors
            found.update(zip(new, vectors, strict=True))
            with self._lock:
                self._known.update(((role, text), found[text]) for text in new)
                while len(self._known) > self._most_texts:
                    self._known.popitem(last=False)
        return np.stack([found[text] for text in texts])
