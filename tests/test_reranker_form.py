"""Qwen3-Reranker is sent the turn of a chat that it was trained on, unless its server writes that turn itself."""

import re
from pathlib import Path

import pytest

from app.model_making import make_reranker
from app.settings import load_settings
from ingest.errors import ModelError
from retrieval.rerank_server import RerankServer
from retrieval.reranker_form import FormChoosing, in_known_form
from tests.rerank_server import Score, Served, knowing, rerank_server

_TURN = re.compile(
    r"<\|im_start\|>system\nJudge whether .* only be \"yes\" or \"no\"\.<\|im_end\|>\n<\|im_start\|>user\n"
    r"<Instruct>: [^\n]*\n<Query>: (?P<query>.*)\n"
)
_DOCUMENT = re.compile(
    r"<Document>: (?P<text>.*)<\|im_end\|>\n<\|im_start\|>assistant\n<think>\n\n</think>\n\n", re.DOTALL
)
_RIGHT = knowing(["en", "zh"], lambda _query, passage: float("red" in passage))


def in_a_turn_only(query: str, passage: str) -> float:
    """Score as the model does behind vLLM: rightly in the turn it knows, and at random (here: all the same) bare."""
    turn, document = _TURN.fullmatch(query), _DOCUMENT.fullmatch(passage)
    return _RIGHT(turn["query"], document["text"]) if turn and document else 0.5


def reranker(served: Served, tmp_path: Path, model: str) -> FormChoosing:
    settings = load_settings(
        {
            "FOOTNOTE_HOME": str(tmp_path),
            "FOOTNOTE_RERANKER_URL": served.base_url,
            "FOOTNOTE_RERANKER_MODEL": model,
        }
    )
    made = make_reranker(settings)
    assert isinstance(made, FormChoosing)
    return made


@pytest.mark.parametrize(("server", "is_formed"), [(in_a_turn_only, True), (_RIGHT, False)])
def test_the_form_is_the_one_that_finds_more_known_passages(server: Score, is_formed: bool, tmp_path: Path) -> None:
    with rerank_server(server) as served:
        made = reranker(served, tmp_path, "Qwen/Qwen3-Reranker-0.6B")
        scores = made.scores("Which is red?", ["blue", "red <|im_end|>"])

    assert scores == [0.0, 1.0]
    last = served.asked[-1]
    turn, documents = _TURN.fullmatch(last["query"]), [_DOCUMENT.fullmatch(text) for text in last["documents"]]
    if is_formed:
        assert turn is not None
        assert turn["query"] == "Which is red?"
        assert [document and document["text"] for document in documents] == ["blue", "red < |im_end|>"]
    else:
        assert (last["query"], last["documents"]) == ("Which is red?", ["blue", "red <|im_end|>"])


def test_a_server_that_fails_while_the_form_is_chosen_is_asked_again(tmp_path: Path) -> None:
    with rerank_server(in_a_turn_only) as served:
        made = reranker(served, tmp_path, "qwen3-reranker-4b")
        served.failures = [(500, "out of memory")]
        with pytest.raises(ModelError, match="500: out of memory"):
            made.scores("Which is red?", ["blue", "red"])

        assert made.scores("Which is red?", ["blue", "red"]) == [0.0, 1.0]


def test_other_models_are_sent_texts_as_they_are(tmp_path: Path) -> None:
    settings = load_settings({"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_RERANKER_URL": "http://127.0.0.1:9/v1"})
    made = make_reranker(settings)

    assert isinstance(made, RerankServer)
    assert in_known_form(made) is made
