"""A reranker and an embedder of random weights behind a real vLLM, served by `footnote llm serve`: what counts is the
wire, and that Footnote's flags make models that write into models that score.

These tests start vLLM twice, a minute each: `make test-slow`, or pytest -m slow tests/test_pooling_vllm.py
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from ingest.embedding_server import EmbeddingServer, EmbeddingServerConfig
from retrieval.rerank_server import RerankServer, RerankServerConfig
from retrieval.reranker_form import in_known_form
from tests.server_process import free_port, running
from tests.vllm_server import MODEL, ROOT, VLLM, why_not

pytestmark = pytest.mark.slow


@contextmanager
def served(name: str, tmp_path: Path) -> Iterator[str]:
    """Serve the tiny Qwen3 in a folder of another name, and give the base URL."""
    if reason := why_not():
        pytest.skip(reason)
    folder = tmp_path / name
    folder.mkdir()
    for file in MODEL.iterdir():
        (folder / file.name).symlink_to(file)
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "llm", "serve", str(folder), "--vllm", str(VLLM), "--device", "cpu"]
    command += ["--port", str(port), "--context", "2048"]
    environment = {**os.environ, "FOOTNOTE_HOME": str(tmp_path)}
    with running(command, f"http://127.0.0.1:{port}/health", environment=environment, cwd=str(ROOT)):
        yield f"http://127.0.0.1:{port}/v1"


def test_a_served_qwen3_reranker_scores_every_passage(tmp_path: Path) -> None:
    with served("Qwen3-Reranker-tiny", tmp_path) as url:
        bare = RerankServer(RerankServerConfig(url, "Qwen3-Reranker-tiny"))
        scores = in_known_form(bare).scores("How long is the bridge?", ["It is 48 metres long.", "Cats eat fish."])

    assert len(set(scores)) == 2
    assert all(0 <= score <= 1 for score in scores)


def test_a_served_qwen3_embedding_gives_vectors_of_unit_length(tmp_path: Path) -> None:
    with served("Qwen3-Embedding-tiny", tmp_path) as url:
        embedder = EmbeddingServer(EmbeddingServerConfig(url))
        passages = embedder.embed_passages(["It is 48 metres long.", "桥长四十八米。"])
        query = embedder.embed_query("How long is the bridge?")

    assert passages.shape == (2, embedder.dimension)
    assert np.allclose(np.linalg.norm([*passages, query], axis=1), 1, atol=1e-5)
