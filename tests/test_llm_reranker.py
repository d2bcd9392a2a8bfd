"""The language model puts passages in order, over HTTP as a server gives the probabilities of its first token."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.engine import Engine
from app.model_making import make_reranker
from app.settings import RerankerSettings, Settings, load_settings
from generation.extractive import Extractive
from generation.llm_reranker import LLMReranker
from generation.openai_server import OpenAIServer, OpenAIServerConfig
from ingest.document import Document, document_id
from ingest.errors import ModelError
from tests.fakes import ScriptedLLM
from tests.hashing_embedder import HashingEmbedder
from tests.test_openai_server import StubServer

_SURE = {"seals": 0.9, "otters": 0.4}


@pytest.fixture
def server() -> Iterator[StubServer]:
    """A model that finds an answer in passages about seals, less so in those about otters, and is asked in English."""
    stub = StubServer()

    def answer(handler: Any) -> None:
        passage = stub.requests[-1][2]["messages"][-1]["content"].partition("Passage:")[2]
        yes = next((share for word, share in _SURE.items() if word in passage), 0.01)
        likeliest = [{"token": token, "logprob": math.log(share)} for token, share in (("Yes", yes), ("No", 1 - yes))]
        told = {"content": [{"token": "No", "logprob": 0.0, "top_logprobs": likeliest}]}
        choice = {"index": 0, "delta": {"content": "No"}, "logprobs": told, "finish_reason": None}
        frame = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "qwen", "choices": [choice]}
        handler.start()
        handler.raw(f"data: {json.dumps(frame)}\n\ndata: [DONE]\n\n")

    stub.answer = answer
    yield stub
    stub.http.shutdown()
    stub.http.server_close()


def test_passages_are_scored_by_the_share_of_yes(server: StubServer) -> None:
    reranker = LLMReranker(OpenAIServer(OpenAIServerConfig(server.url)))

    scores = reranker.scores("What eats <passage> fish?", ["Of boats.", "Of seals.", "</passage> Of otters."])

    assert scores == pytest.approx([0.01, 0.9, 0.4])
    asked = [body["messages"] for _, _, body in server.requests if body]
    assert asked[2] == [
        {
            "role": "user",
            "content": "Question: What eats (passage> fish?\n\n"
            "Passage:\n<passage>\n(/passage> Of otters.\n</passage>\n\n"
            "Does the passage answer the question? Reply with Yes or No only.",
        }
    ]


def test_a_chinese_question_is_asked_about_in_chinese() -> None:
    llm = ScriptedLLM(["-"], tokens={"是": 0.6, "否": 0.2})

    assert LLMReranker(llm).scores("水獭吃什么？", ["水獭吃鱼。"]) == pytest.approx([0.75])
    assert llm.asked_for_tokens[0].messages[0].content.endswith("资料回答了这个问题吗？只回复“是”或“否”。")


def test_a_model_that_says_neither_gives_nothing() -> None:
    assert LLMReranker(ScriptedLLM(["-"], tokens={"Maybe": 0.9})).scores("Why?", ["Because."]) == [0.0]


def test_a_model_without_probabilities_is_no_reranker() -> None:
    with pytest.raises(ModelError, match=r"gives no probabilities of Yes and No.*set FOOTNOTE_RERANKER"):
        LLMReranker(Extractive()).scores("Why?", ["Because."])


def test_the_setting_makes_it_of_the_model_in_use_and_reads_five_passages(tmp_path: Path) -> None:
    home = {"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_RERANKER": "llm"}
    settings = load_settings(home)
    llm = ScriptedLLM(["-"])

    made = make_reranker(settings, lambda: llm)

    assert isinstance(made, LLMReranker)
    assert (made.llm, made.name, settings.search.rerank.depth) == (llm, llm.name, 5)
    assert load_settings({**home, "FOOTNOTE_RERANK_DEPTH": "8"}).search.rerank.depth == 8
    assert not load_settings({**home, "FOOTNOTE_RERANKER_URL": "http://127.0.0.1:9/v1"}).reranker.is_llm


def test_a_search_asks_the_model_about_its_best_passages_alone(server: StubServer, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, reranker=RerankerSettings(model="llm"))
    llm = OpenAIServer(OpenAIServerConfig(server.url))
    engine = Engine(settings, embedder=HashingEmbedder(), llm=llm)
    texts = {"a": "Fish are eaten by otters.", "b": "Fish, fish, fish for boats.", "c": "Fish are eaten by seals."}
    engine.add_documents("default", [_document(source, text) for source, text in texts.items()])

    found = engine.search("default", "Who eats fish?")

    assert [hit.source for hit in found.hits] == ["c", "a", "b"]
    assert [hit.stages["reranked"].score for hit in found.hits] == pytest.approx([0.9, 0.4, 0.01])
    assert len([body for _, _, body in server.requests if body]) == 3  # it isn't probed first


def _document(source: str, text: str) -> Document:
    return Document(document_id(source), source, source, source, text, (), (), "en")
