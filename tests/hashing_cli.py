"""The `footnote` command with the hashing embedder in the place of a model: `python -m tests.hashing_cli ARGUMENTS`.

With GATES set to a folder, the n-th batch of 100 passages or more waits at the named pipe `n` in it, if there is one,
until somebody has opened that for writing and closed it again: so a test knows where this process stands, without
sleeping.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import app.knowledge_bases
import app.model_making
from app.cli import main
from ingest.embedder import Vectors
from tests.hashing_embedder import HashingEmbedder


class GatedEmbedder(HashingEmbedder):
    """Waits at a gate before each large batch."""

    def __init__(self, gates: Path) -> None:
        super().__init__()
        self._gates = gates
        self._n_batches = 0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if len(texts) >= 100:
            self._n_batches += 1
            gate = self._gates / str(self._n_batches)
            if gate.exists():
                gate.read_text()
        return super().embed_passages(texts)


def embedder(*_: object, **__: object) -> HashingEmbedder:
    """Give the embedder, whatever model is named."""
    gates = os.environ.get("GATES")
    return GatedEmbedder(Path(gates)) if gates else HashingEmbedder()


if __name__ == "__main__":
    app.knowledge_bases.SentenceTransformerEmbedder = app.model_making.SentenceTransformerEmbedder = embedder
    main()
