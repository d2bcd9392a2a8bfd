"""A small real embedder for tests: hashed terms, so that texts sharing words are near. No model, no download."""

import re
from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from ingest.embedder import Vectors
from ingest.terms import index_terms


class HashingEmbedder:
    """Adds up one pseudo-random direction a term. `n_embedded` counts the passages it was asked for."""

    def __init__(self, name: str = "hashing", dimension: int = 64) -> None:
        self.name = name
        self.dimension = dimension
        self.n_embedded = 0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.n_embedded += len(texts)
        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, self.dimension), np.float32)

    def embed_query(self, text: str) -> Vectors:
        return self._vector(text)

    def token_starts(self, text: str) -> list[int]:
        return [match.start() for match in re.finditer(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+", text)]

    def _vector(self, text: str) -> Vectors:
        total = np.full(self.dimension, 1e-3, dtype=np.float32)
        for term in index_terms(text):
            seed = int.from_bytes(sha256(term.encode()).digest()[:8])
            total += np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
        vector: Vectors = total / np.linalg.norm(total)
        return vector
