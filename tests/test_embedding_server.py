"""An embedder behind `/v1/embeddings`: the vectors of the model, no hidden failure, and an ingest that goes on."""

import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.doctor import Finding, examine
from app.engine import Engine
from app.settings import load_settings
from ingest.embedding_prompts import EmbeddingPrompts, known_prompts
from ingest.embedding_server import EmbeddingServer, EmbeddingServerConfig
from ingest.errors import KnowledgeBaseError, ModelError, SettingsError
from tests.embedding_server import Served, embedding_server
from tests.hashing_embedder import HashingEmbedder

TEXTS = [f"The ferry number {number} to Ketter" for number in range(70)]


@pytest.fixture
def served() -> Iterator[Served]:
    with embedding_server() as running:
        yield running


def embedder(served: Served, model: str = "org/hash-embed", retries: int = 3, key: str = "") -> EmbeddingServer:
    return EmbeddingServer(
        EmbeddingServerConfig(served.base_url, model, key, retries=retries, pause_seconds=0, timeout_seconds=20)
    )


def test_vectors_come_in_the_order_of_the_texts_as_unit_vectors_in_float32(served: Served) -> None:
    vectors = embedder(served, key="sesame").embed_passages(TEXTS)
    np.testing.assert_allclose(vectors, HashingEmbedder().embed_passages(TEXTS), atol=1e-6)
    assert (vectors.dtype, vectors.shape) == (np.dtype("float32"), (70, 64))
    assert sorted(len(asked["input"]) for asked in served.asked) == [6, 32, 32]
    assert set(served.keys) == {"Bearer sesame"}
    served.knows_base64 = False
    np.testing.assert_array_equal(embedder(served).embed_passages(TEXTS), vectors)
    assert embedder(served).embed_passages([]).shape == (0, 64)


def test_the_name_holds_the_model_the_dimension_and_a_passage_prompt_of_ones_own(served: Served) -> None:
    assert embedder(served, "").name == embedder(served).name == "hash-embed@64"
    own = EmbeddingServer(EmbeddingServerConfig(served.base_url, "hash-embed", passage_prompt="text: "))
    assert own.name.startswith("hash-embed@64+")
    assert (own.made(own.name), own.made("hash-embed@64"), embedder(served).made("hash-embed@64")) == (64, 0, 64)


def test_queries_and_passages_get_what_the_model_wants(served: Served) -> None:
    qwen = embedder(served, "Qwen/Qwen3-Embedding-0.6B")
    qwen.embed_query("red?")
    qwen.embed_passages(["It is red."])
    task = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"
    assert [asked["input"] for asked in served.asked] == [[f"{task}red?"], ["It is red."]]
    assert served.asked[0]["model"] == "Qwen/Qwen3-Embedding-0.6B"
    assert known_prompts("intfloat/multilingual-e5-small") == EmbeddingPrompts("query: ", "passage: ")
    assert known_prompts("dengcao/Qwen3-Embedding-0.6B:Q8_0").query == task
    assert known_prompts("BAAI/bge-large-zh-v1.5") == EmbeddingPrompts("为这个句子生成表示以用于检索相关文章：")
    assert known_prompts("BAAI/bge-m3") == EmbeddingPrompts()


def test_a_text_too_long_goes_in_parts_and_too_many_texts_in_several_requests(served: Served) -> None:
    served.longest, served.most = 20, 1
    hashing = HashingEmbedder()
    parts = hashing.embed_passages(["one two", "three four"])
    wanted = parts.sum(axis=0) / np.linalg.norm(parts.sum(axis=0))
    served.longest = 12
    vectors = embedder(served).embed_passages(["one two three four", "red"])
    np.testing.assert_allclose(vectors, np.stack([wanted, hashing.embed_query("red")]), atol=1e-6)


def test_a_busy_server_and_one_that_hung_up_are_asked_again(served: Served) -> None:
    served.failures = [(429, "slow down"), (503, "starting"), None]
    np.testing.assert_allclose(embedder(served).embed_query("red"), HashingEmbedder().embed_query("red"), atol=1e-6)
    assert len(served.asked) == 4


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ((401, '{"error": {"message": "bad key"}}'), r"refused the key \(401: bad key\); set FOOTNOTE_EMBEDDER_KEY"),
        ((404, '{"detail": "Not Found"}'), r"no such address or model \(404: Not Found\)"),
        ((400, "no chat model"), r"400: no chat model\); set FOOTNOTE_EMBEDDER_MODEL"),
        ((307, ""), r"points elsewhere \(307\); set FOOTNOTE_EMBEDDER_URL"),
        ((429, "slow down"), r"too many requests \(429: slow down\)"),
        ((500, "oops"), r"failed \(500: oops\)"),
        ((200, "<html>"), "does not answer as an embedding server does"),
        ((200, '{"data": []}'), "0 vectors for 1 texts"),
        ((200, '{"data": [{"index": 1, "embedding": [1]}]}'), "vector 1 of 1 texts"),
        ((200, '{"data": [{"index": 0, "embedding": [NaN]}]}'), "zero or no number; serve the model with"),
        (None, "can't be reached or hung up"),
    ],
)
def test_what_a_server_does_wrong_is_said_with_what_to_do(
    served: Served, failure: tuple[int, str] | None, said: str
) -> None:
    served.failures = [failure]
    with pytest.raises(ModelError, match=said):
        embedder(served, retries=0).embed_query("red")


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        config = EmbeddingServerConfig(f"http://127.0.0.1:{unused.getsockname()[1]}/v1", "any", pause_seconds=1000)
        with pytest.raises(ModelError, match=r"can't be reached or hung up \(Connection refused\); start it"):
            EmbeddingServer(config).embed_passages(TEXTS)
    with pytest.raises(SettingsError, match="'localhost:8000' is no address of an embedding server"):
        EmbeddingServer(EmbeddingServerConfig("localhost:8000"))


# --- a knowledge base ---


def engine_for(served: Served, home: Path, **more: str) -> Engine:
    environment = {"FOOTNOTE_HOME": str(home), "FOOTNOTE_EMBEDDER_URL": served.base_url, **more}
    return Engine(load_settings(environment))


def documents(folder: Path, n: int) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(n):
        text = f"The ferry number {number} to Ketter is painted in colour {number}."
        (folder / f"{number:03}.md").write_text(text)
    return folder


def test_a_knowledge_base_is_built_searched_and_refuses_another_dimension(served: Served, tmp_path: Path) -> None:
    folder = documents(tmp_path / "documents", 5)
    assert engine_for(served, tmp_path).ingest("default", [folder]).embedded == 5
    reading = engine_for(served, tmp_path)
    n_asked = len(served.asked)
    assert reading.knowledge_base("default").catalog.meta("embedder") == "hash-embed@64"
    assert len(served.asked) == n_asked  # nothing is embedded to open it
    assert reading.search("default", "What colour is ferry number 3?").hits[0].source.endswith("003.md")
    served.dimension = 32
    with pytest.raises(ModelError, match=r"vectors of 32 numbers for org/hash-embed, wanted 64; .* --rebuild"):
        engine_for(served, tmp_path).search("default", "What colour is ferry number 3?")
    with pytest.raises(KnowledgeBaseError, match="was built with hash-embed@64, settings say hash-embed@32; set"):
        engine_for(served, tmp_path).ingest("default", [folder])
    assert engine_for(served, tmp_path).ingest("default", [folder], rebuild=True).embedded == 5
    assert engine_for(served, tmp_path).verify("default") == []


def test_a_server_that_goes_down_leaves_whole_documents_and_the_next_ingest_goes_on(
    served: Served, tmp_path: Path
) -> None:
    folder = documents(tmp_path / "documents", 3)
    engine_for(served, tmp_path).ingest("default", [folder])
    documents(folder, 600)  # a batch of 512, committed together, and the rest
    served.n_good = 18  # the probe, 16 requests of the first batch, one of the second
    writing = Engine(engine_for(served, tmp_path).settings, embedder=embedder(served))
    with pytest.raises(ModelError, match=r"hung up .*; start it and run this again"):
        writing.ingest("default", [folder])
    served.n_good = 1_000_000
    assert engine_for(served, tmp_path).verify("default") == []
    n_kept = len(engine_for(served, tmp_path).documents("default"))
    report = engine_for(served, tmp_path).ingest("default", [folder])
    assert 512 <= n_kept < 600
    assert (report.embedded, len(report.unchanged)) == (600 - n_kept, n_kept)


def test_a_server_that_is_down_leaves_no_empty_knowledge_base(served: Served, tmp_path: Path) -> None:
    served.failures = [(401, "who are you")]
    engine = engine_for(served, tmp_path)
    with pytest.raises(ModelError, match="refused the key"):
        engine.ingest("default", [documents(tmp_path / "documents", 1)])
    assert not (tmp_path / "kb" / "default").exists()


def test_doctor_asks_the_server(served: Served, tmp_path: Path) -> None:
    settings = engine_for(served, tmp_path).settings
    found = next(finding for finding in examine(settings, full=False) if finding.subject == "Embedder")
    assert found == Finding("Embedder", "ok", f"hash-embed@64 on {served.base_url}")
    served.failures = [(403, "no")]
    refused = next(finding for finding in examine(settings, full=False) if finding.subject == "Embedder")
    assert (refused.state, refused.mend) == ("problem", "mend that, or unset FOOTNOTE_EMBEDDER_URL")
