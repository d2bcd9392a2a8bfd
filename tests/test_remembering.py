"""An embedder that embeds no text twice while it remembers it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.engine import Engine
from app.settings import Settings
from generation.extractive import Extractive
from ingest.embedder import Vectors
from ingest.remembering import RememberingEmbedder
from tests.hashing_embedder import HashingEmbedder


class CountingEmbedder(HashingEmbedder):
    """Notes what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.asked += [f"passage {text}" for text in texts]
        return super().embed_passages(texts)

    def embed_query(self, text: str) -> Vectors:
        self.asked.append(f"query {text}")
        return super().embed_query(text)


def test_remembered_vectors_are_those_of_the_embedder_and_asked_for_once() -> None:
    inner, plain = CountingEmbedder(), HashingEmbedder()
    embedder = RememberingEmbedder(inner)

    for texts in (["dog", "cat", "dog"], ["cat", "eel"], []):
        assert np.array_equal(embedder.embed_passages(texts), plain.embed_passages(texts))
    for _ in range(2):
        assert np.array_equal(embedder.embed_query("dog"), plain.embed_query("dog"))

    assert inner.asked == ["passage dog", "passage cat", "passage eel", "query dog"]
    assert (embedder.name, embedder.dimension, embedder.token_starts("a dog")) == ("hashing", 64, [0, 2])


def test_what_was_used_longest_ago_is_forgotten() -> None:
    inner = CountingEmbedder()
    embedder = RememberingEmbedder(inner, most_texts=2)

    for text in ("dog", "cat", "dog", "eel", "dog", "cat"):
        embedder.embed_query(text)

    assert inner.asked == ["query dog", "query cat", "query eel", "query cat"]


def test_a_question_asked_again_is_not_embedded_again(tmp_path: Path) -> None:
    inner = CountingEmbedder()
    (tmp_path / "rules.md").write_text("# Rules\n\nA passenger may take two dogs. " + "Cats stay at home. " * 200)
    engine = Engine(Settings(home=tmp_path), embedder=inner, llm=Extractive())
    engine.ingest("rules", [tmp_path / "rules.md"])
    for _ in engine.ask("rules", "How many dogs may a passenger take?"):
        pass
    asked = len(inner.asked)

    for _ in engine.ask("rules", "How many dogs may a passenger take?"):
        pass

    assert len(inner.asked) == asked
    assert inner.asked.count("query How many dogs may a passenger take?") == 1
