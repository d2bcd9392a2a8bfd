"""The `footnote` command with the hashing embedder in the place of a model: `python -m tests.hashing_cli ARGUMENTS`.

With GATE set to a named pipe, every batch of 100 passages or more waits until somebody has opened the pipe for writing
and closed it again: so a test knows where this process stands, without sleeping.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import app.engine
from app.cli import main
from ingest.embedder import Vectors
from tests.hashing_embedder import HashingEmbedder


class GatedEmbedder(HashingEmbedder):
    """Waits at the gate before each large batch."""

    def __init__(self, gate: Path) -> None:
        super().__init__()
        self._gate = gate

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if len(texts) >= 100:
            self._gate.read_text()
        return super().embed_passages(texts)


def embedder(*_: object, **__: object) -> HashingEmbedder:
    """Give the embedder, whatever model is named."""
    gate = os.environ.get("GATE")
    return GatedEmbedder(Path(gate)) if gate else HashingEmbedder()


if __name__ == "__main__":
    app.engine.SentenceTransformerEmbedder = embedder
    main()
