"""Reranking: a better order where the reranker understands, the legs' order where it doesn't, and no hidden failure."""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import ModelError, SettingsError
from ingest.knowledge_base import KnowledgeBase
from retrieval.cross_encoder import CrossEncoderReranker
from retrieval.rerank import RerankConfig
from retrieval.rerank_probe import PROBE_PASSAGES, PROBE_QUESTIONS, ProbedReranker, probe_reranker
from retrieval.rerank_server import RerankServer, RerankServerConfig
from retrieval.retrieval import Retrieval, StageScore
from retrieval.search import SearchConfig, search
from retrieval.several import search_several
from tests.rerank_server import Served, knowing, rerank_server
from tests.test_retrieval import knowledge_base
from tests.tiny_encoders import WORDS, make_encoder, tokenizer

TEXTS = {
    "a.md": "The ferry to Ketter sails at nine.",
    "b.md": "The ferry to Ketter is painted red.",
    "c.md": "The ferry to Ketter takes forty cars.",
    "甲.md": "每天上午去Ketter岛的渡船九点从北码头出发。",
    "乙.md": "每天上午去Ketter岛的渡船是红色的大船。",
}
QUESTION = "What colour is the ferry to Ketter?"


class Scorer:
    """A reranker that scores with a function and records what it was shown."""

    name = "scorer"

    def __init__(self, languages: Sequence[str], score: Any) -> None:  # a function of query and passage
        self._score = knowing(languages, score)
        self.shown: list[tuple[str, list[str]]] = []

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        self.shown.append((query, list(passages)))
        return [self._score(query, passage) for passage in passages]


def likes_red(query: str, passage: str) -> float:
    return 2.0 if "red" in passage or "红" in passage else 1.0


def sources(found: Retrieval) -> list[str]:
    return [hit.source for hit in found.hits]


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeBase:
    return knowledge_base(tmp_path / "kb", TEXTS)


def test_the_reranker_decides_and_among_equal_scores_the_fused_order(kb: KnowledgeBase) -> None:
    plain = search(kb, QUESTION, SearchConfig())
    reranker = Scorer(["en", "zh"], likes_red)
    found = search(kb, QUESTION, SearchConfig(), reranker=ProbedReranker(reranker))
    red = [source for source in sources(plain) if source in ("b.md", "乙.md")]
    assert sources(found) == red + [source for source in sources(plain) if source not in red]
    assert found.hits[0].stages["reranked"] == StageScore(1, 2.0)
    assert [hit.stages["reranked"].rank for hit in found.hits] == [1, 2, 3, 4, 5]
    assert found.stages[-3:] == ("fused", "reranked", "packed")
    assert {hit.source: hit.stages["fused"] for hit in found.hits} == {
        hit.source: hit.stages["fused"] for hit in plain.hits
    }
    assert [hit.score for hit in found.hits] == [hit.score for hit in plain.hits]  # a place keeps its score


def test_the_reranker_is_shown_the_question_with_headings_and_text(kb: KnowledgeBase) -> None:
    reranker = Scorer(["en", "zh"], likes_red)
    search(kb, QUESTION, SearchConfig(), reranker=ProbedReranker(reranker))
    ((query, passages),) = [shown for shown in reranker.shown if shown[0] == QUESTION]
    assert sorted(passages) == sorted(f"{name}\n{text}" for name, text in TEXTS.items())
    assert query == QUESTION


def test_only_the_best_candidates_go_in(kb: KnowledgeBase) -> None:
    plain = search(kb, QUESTION, SearchConfig())
    last_is_best = Scorer(["en", "zh"], lambda query, passage: float(TEXTS[sources(plain)[-1]] in passage))
    found = search(kb, QUESTION, SearchConfig(rerank=RerankConfig(depth=3)), reranker=ProbedReranker(last_is_best))
    assert sources(found) == sources(plain)
    assert ["reranked" in hit.stages for hit in found.hits] == [True, True, True, False, False]
    off = search(kb, QUESTION, SearchConfig(rerank=RerankConfig(depth=0)), reranker=ProbedReranker(last_is_best))
    assert off.stages[-2:] == ("fused", "packed")


def test_a_reranker_without_chinese_leaves_chinese_passages_in_their_places(kb: KnowledgeBase) -> None:
    plain = search(kb, QUESTION, SearchConfig())
    found = search(kb, QUESTION, SearchConfig(), reranker=ProbedReranker(Scorer(["en"], likes_red)))
    chinese = {place: source for place, source in enumerate(sources(plain)) if not source.isascii()}
    assert {place: source for place, source in enumerate(sources(found)) if not source.isascii()} == chinese
    assert next(source for source in sources(found) if source.isascii()) == "b.md"
    assert "reranked (silent: scorer knows no Chinese passages for English questions)" in found.stages


def test_a_reranker_without_chinese_has_no_say_on_a_chinese_question(kb: KnowledgeBase) -> None:
    plain = search(kb, "去Ketter的渡船是什么颜色？", SearchConfig())
    found = search(kb, "去Ketter的渡船是什么颜色？", SearchConfig(), reranker=ProbedReranker(Scorer(["en"], likes_red)))
    assert sources(found) == sources(plain)
    assert not any("reranked" in hit.stages for hit in found.hits)
    assert "reranked (silent: scorer knows no English passages for Chinese questions, no Chinese)" in found.stages


def test_a_reranker_that_sorts_by_length_is_found_to_know_nothing(kb: KnowledgeBase) -> None:
    by_length = Scorer([], lambda query, passage: float(len(passage)))
    probed = ProbedReranker(by_length)
    assert [probed.knows(a, b) for a in ("en", "zh") for b in ("en", "zh")] == [False, False, False, False]


def test_equal_scores_are_no_find_in_the_probe() -> None:
    class Flat:
        name = "flat"

        def scores(self, query: str, passages: Sequence[str]) -> list[float]:
            return [1.0] * len(passages)

    assert probe_reranker(Flat(), "en", "en") == 0


def test_across_knowledge_bases_the_reranker_decides_too_and_the_budget_holds_for_all(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    other = knowledge_base(
        tmp_path / "other", {"d.md": "The ferry to Ketter was red, now it is blue.", "e.md": "Nets."}
    )
    scores = {"now it is blue": 3.0, "painted red": 2.0}
    reranker = Scorer(["en", "zh"], lambda query, text: next((s for part, s in scores.items() if part in text), 1.0))
    found = search_several([kb, other], QUESTION, SearchConfig(), reranker=ProbedReranker(reranker))
    assert sources(found)[:2] == ["d.md", "b.md"]
    judged = [hit.stages["reranked"].score for hit in found.hits]
    assert judged == sorted(judged, reverse=True)
    assert "rerank" in found.timings
    bounded = search_several([kb, other], QUESTION, SearchConfig(budget_tokens=20), reranker=ProbedReranker(reranker))
    n_tokens = [len(kb.embedder.token_starts(hit.chunk.text)) for hit in bounded.hits]
    assert sum(n_tokens) <= 20 and sources(bounded)[:2] == ["d.md", "b.md"]  # 10 and 7 tokens
    assert any(drop.stage == "merged" and "for the budget of 20" in drop.reason for drop in bounded.dropped)


def test_the_probe_asks_each_direction_once() -> None:
    reranker = Scorer(["en", "zh"], likes_red)
    probed = ProbedReranker(reranker)
    assert [probed.knows("zh", "en") for _ in range(3)] == [True, True, True]
    assert [query for query, _ in reranker.shown] == list(PROBE_QUESTIONS["zh"])
    assert {tuple(passages) for _, passages in reranker.shown} == {PROBE_PASSAGES["en"]}


# --- a server ---


def test_a_search_is_reranked_by_a_real_server(kb: KnowledgeBase) -> None:
    with rerank_server(knowing(["en", "zh"], likes_red)) as served:
        reranker = RerankServer(RerankServerConfig(served.base_url, "bge-reranker", "sesame"))
        found = search(kb, QUESTION, SearchConfig(top_k=2), reranker=ProbedReranker(reranker))
    assert set(sources(found)) == {"b.md", "乙.md"}
    asked = served.asked[-1]
    assert {**asked, "documents": sorted(asked["documents"])} == {
        "model": "bge-reranker",
        "query": QUESTION,
        "documents": sorted(f"{name}\n{text}" for name, text in TEXTS.items()),
        "top_n": 5,
    }
    assert set(served.keys) == {"Bearer sesame"}


def scored(served: Served, *, retries: int = 0, path: str = "", timeout: float = 5.0) -> list[float]:
    pauses: list[float] = []
    config = RerankServerConfig(served.base_url + path, timeout_seconds=timeout, retries=retries, pause_seconds=0.25)
    found = RerankServer(config, sleep=pauses.append).scores("red?", ["blue", "red"])
    assert pauses == [0.25] * retries
    return found


def test_scores_come_in_the_order_of_the_passages_whatever_order_the_server_sends() -> None:
    with rerank_server(likes_red) as served:
        assert scored(served) == [1.0, 2.0]
        assert scored(served, path="/rerank") == [1.0, 2.0]
        assert served.asked[0] == {"query": "red?", "documents": ["blue", "red"], "top_n": 2}
        assert served.keys == [None, None]
        assert RerankServer(RerankServerConfig(served.base_url)).scores("red?", []) == []


def test_a_busy_server_and_one_that_hung_up_are_asked_again() -> None:
    with rerank_server(likes_red) as served:
        served.failures = [(503, "starting"), None]
        assert scored(served, retries=2) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ((401, '{"error": {"message": "bad key"}}'), r"refused the key \(401: bad key\); set FOOTNOTE_RERANKER_KEY"),
        ((404, '{"detail": "Not Found"}'), r"no such address or model \(404: Not Found\)"),
        ((422, '{"error": "model is missing"}'), r"422: model is missing\); set FOOTNOTE_RERANKER_MODEL"),
        ((307, ""), r"points elsewhere \(307\); set FOOTNOTE_RERANKER_URL"),
        ((429, "slow down"), r"too many requests \(429: slow down\)"),
        ((500, "oops"), r"failed \(500: oops\)"),
        ((200, "<html>"), "does not answer as a rerank server does"),
        ((200, '{"data": []}'), "does not answer as a rerank server does"),
        ((200, '{"results": [{"index": 0, "relevance_score": 1}]}'), "1 scores for 2 passages"),
        ((200, '{"results": [{"index": 2, "relevance_score": 1}]}'), "result 2 of 2 passages"),
        ((200, '{"results": [{"index": 0, "relevance_score": NaN}]}'), "score nan"),
        (None, "can't be reached or hung up"),
    ],
)
def test_what_a_server_does_wrong_is_said_with_what_to_do(failure: tuple[int, str] | None, said: str) -> None:
    with rerank_server(likes_red) as served:
        served.failures = [failure]
        with pytest.raises(ModelError, match=said) as raised:
            scored(served)
    assert str(raised.value).endswith("to search without it, set FOOTNOTE_RERANK_DEPTH=0")


def test_a_server_that_is_silent_or_not_there_is_said() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with pytest.raises(ModelError, match=r"can't be reached or hung up \(Connection refused\)"):
            scored(Served(url))
        silent.listen()  # takes the connection, and never answers
        with pytest.raises(ModelError, match=r"was silent for 0\.2 seconds"):
            scored(Served(url), timeout=0.2)


def test_an_address_that_is_none_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(SettingsError, match="'localhost:8000' is no address of a rerank server"):
        RerankServer(RerankServerConfig("localhost:8000"))


def test_a_reranker_that_fails_fails_the_search(kb: KnowledgeBase) -> None:
    with rerank_server(knowing(["en", "zh"], likes_red)) as served:
        reranker = ProbedReranker(RerankServer(RerankServerConfig(served.base_url, retries=0)))
        search(kb, QUESTION, SearchConfig(), reranker=reranker)
        served.failures = [(500, "out of memory")]
        with pytest.raises(ModelError, match="500: out of memory"):
            search(kb, QUESTION, SearchConfig(), reranker=reranker)


# --- a cross-encoder in this process ---


def make_cross_encoder(folder: Path, *, n_labels: int = 1) -> Path:
    """Save a real cross-encoder of two layers with random weights."""
    import torch
    import transformers

    torch.manual_seed(7)
    config = transformers.BertConfig(
        hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=64, vocab_size=len(WORDS) + 4,
        pad_token_id=1, max_position_embeddings=64, initializer_range=0.4, num_labels=n_labels,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer(folder).save_pretrained(folder)
    return folder


def test_a_cross_encoder_folder_scores_as_the_library_does(tmp_path: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    folder = make_cross_encoder(tmp_path / "tiny-reranker")
    reranker = CrossEncoderReranker(folder, dtype="float32")
    passages = ["the old bridge is 48 metres long", "桥 年", "long " * 200, ""]
    found = reranker.scores("the bridge", passages)
    expected = CrossEncoder(str(folder)).predict(
        [("the bridge", passage) for passage in passages], activation_fn=torch.nn.Identity()
    )
    assert found == pytest.approx(expected.tolist(), abs=1e-5)
    assert len(set(found)) == 4
    assert reranker.name == "tiny-reranker"
    assert reranker.scores("the bridge", []) == []


def test_a_cross_encoder_with_random_weights_is_silent_in_a_search(kb: KnowledgeBase, tmp_path: Path) -> None:
    reranker = ProbedReranker(CrossEncoderReranker(make_cross_encoder(tmp_path / "tiny"), dtype="float32"))
    found = search(kb, QUESTION, SearchConfig(), reranker=reranker)
    assert sources(found) == sources(search(kb, QUESTION, SearchConfig()))
    assert "reranked (silent: tiny knows no English, no Chinese passages for English questions)" in found.stages


def test_what_is_no_reranker_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # the machine is without a network
    for model, said in (
        (make_encoder(tmp_path, "bert"), r"no trained part that scores a pair \(it is BertModel\)"),
        (make_cross_encoder(tmp_path / "classes", n_labels=3), "gives 3 scores a pair, so it sorts pairs into classes"),
        (tmp_path, "can't be loaded .*; fetch it with `footnote llm pull"),
        (Path("nobody/no-such-reranker"), "nobody/no-such-reranker can't be loaded .*; fetch it with"),
    ):
        with pytest.raises(ModelError, match=said):
            CrossEncoderReranker(model).scores("a", ["b"])
