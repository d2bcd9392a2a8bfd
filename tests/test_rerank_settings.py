"""The reranker as users meet it: in settings, in `search`, in `eval`, in `doctor` and in "Why these passages?"."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import cli
from app.doctor import Finding, examine
from app.engine import Engine
from app.evaluation import measure
from app.model_making import make_reranker
from app.page_parts.retrieval_html import retrieval_html
from app.page_parts.texts_en import ENGLISH
from app.settings import RerankerSettings, Settings, load_settings
from ingest.embedder import Embedder
from ingest.errors import ModelError, SettingsError
from retrieval.cross_encoder import CrossEncoderReranker
from retrieval.rerank_server import RerankServer, RerankServerConfig
from tests.hashing_embedder import HashingEmbedder
from tests.rerank_server import Served, knowing, rerank_server
from tests.test_rerank import QUESTION, TEXTS, likes_red


class HashingEngine(Engine):
    """The engine, but for the embedder, whose weights tests do without."""

    def embedder(self) -> Embedder:
        return HashingEmbedder()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A reranker that knows English alone, a data folder that names it, and documents in both languages."""
    documents = tmp_path / "documents"
    documents.mkdir()
    for name, text in TEXTS.items():
        (documents / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("app.engine.Engine", HashingEngine)
    monkeypatch.setattr(measure, "Engine", HashingEngine)
    with rerank_server(knowing(["en"], likes_red)) as running:
        monkeypatch.setenv("FOOTNOTE_RERANKER_URL", running.base_url)
        HashingEngine(load_settings()).ingest("default", [documents])
        yield running


def footnote(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_settings_name_a_server_or_a_folder_or_a_hub_model(tmp_path: Path) -> None:
    home = {"FOOTNOTE_HOME": str(tmp_path)}
    assert load_settings(home).reranker == RerankerSettings()
    assert not load_settings(home).reranker.is_set
    server = {
        "FOOTNOTE_RERANKER_URL": "http://127.0.0.1:9/v1",
        "FOOTNOTE_RERANKER_MODEL": "bge",
        "FOOTNOTE_RERANKER_KEY": "sesame",
        "FOOTNOTE_RERANKER_TIMEOUT": "7",
        "FOOTNOTE_RERANK_DEPTH": "12",
        "FOOTNOTE_BUDGET_TOKENS": "900",
    }
    settings = load_settings({**home, **server})
    made = make_reranker(settings)
    assert isinstance(made, RerankServer)
    assert made.config == RerankServerConfig("http://127.0.0.1:9/v1", "bge", "sesame", timeout_seconds=7)
    assert (settings.search.rerank.depth, settings.search.budget_tokens) == (12, 900)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    for name, path in (("mine", str(tmp_path / "models" / "mine")), ("BAAI/bge-reranker-v2-m3",) * 2):
        encoder = make_reranker(load_settings({**home, "FOOTNOTE_RERANKER": name}))
        assert isinstance(encoder, CrossEncoderReranker)
        assert (encoder.model, encoder.name) == (path, Path(name).name)


def test_search_shows_the_reranker_and_where_it_is_silent(served: Served) -> None:
    shown = footnote("search", QUESTION, "--explain").output
    assert "reranked 2.000 (rank 1)" in shown
    assert "reranked (silent: " in shown
    assert "knows no Chinese passages for English questions)" in shown
    found = json.loads(footnote("search", QUESTION, "--json").output)
    assert found["hits"][0]["source"].endswith("b.md")
    assert found["hits"][0]["stages"]["reranked"] == {"rank": 1, "score": 2.0}
    without = footnote("search", QUESTION, "--explain", "--rerank-depth", "0").output
    assert "reranked" not in without


def test_a_failing_reranker_is_one_sentence_with_the_setting_to_change(served: Served) -> None:
    served.failures = [(401, "who are you")]
    failed = footnote("search", QUESTION)
    assert isinstance(failed.exception, ModelError)  # which `footnote` shows as one line, and exits with 2
    assert "refused the key (401: who are you); set FOOTNOTE_RERANKER_KEY" in str(failed.exception)


def test_the_page_has_a_column_for_a_reranker_that_judged_some_passages(served: Served) -> None:
    html = retrieval_html(HashingEngine(load_settings()).search("default", QUESTION), ENGLISH)
    assert "<th>reranked</th>" in html
    assert "reranked (silent: 127.0.0.1:" in html


def test_search_is_widened_and_bounded_on_request(served: Served) -> None:
    plain = json.loads(footnote("search", QUESTION, "--json", "--explain").output)
    bounded = json.loads(footnote("search", QUESTION, "--json", "--explain", "--budget-tokens", "16").output)
    assert [hit["text"] for hit in bounded["hits"]] == [hit["text"] for hit in plain["hits"]][:2]  # 7 tokens each
    assert any(drop["reason"].endswith("too many for the budget of 16") for drop in bounded["dropped"])
    nothing = footnote("search", QUESTION, "--budget-tokens", "3").output
    assert nothing.startswith("No passage left: 4 tokens too many for the budget of 3.")
    wide = json.loads(footnote("search", QUESTION, "--json", "--explain", "--context", "500").output)
    assert "widened" in wide["stages"]


def test_eval_measures_with_and_without_the_reranker_and_within_a_budget(served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "boats"
    folder.mkdir()
    records = [{"id": name, "title": name, "text": text} for name, text in TEXTS.items() if name.isascii()]
    question = {"id": "q", "question": QUESTION, "answers": ["red"], "gold_ids": ["b.md"], "lang": "en"}
    (folder / "corpus.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (folder / "questions.jsonl").write_text(json.dumps({**question, "question": "ferry Ketter sails nine"}))

    def recall(*options: str) -> tuple[float, float]:
        done = footnote("eval", str(folder), "--retrieval-only", "--json", *options)
        figures = json.loads(done.stdout)["sets"]["boats"]
        return figures["recall@1"], figures["recall@5"]

    assert recall() == (1.0, 1.0)
    assert recall("--rerank-depth", "0") == (0.0, 1.0)
    assert recall("--rerank-depth", "0", "--budget-tokens", "7") == (0.0, 0.0)  # one passage, of the wrong document


def finding(settings: Settings, *, full: bool = False) -> Finding | None:
    return next((found for found in examine(settings, full=full) if found.subject == "Reranker"), None)


def test_doctor_checks_the_reranker(served: Served, tmp_path: Path) -> None:
    url = served.base_url
    settings = Settings(home=tmp_path / "none", reranker=RerankerSettings(url=url))
    assert finding(Settings(home=tmp_path / "none")) is None
    assert finding(settings) == Finding("Reranker", "ok", url)
    assert finding(settings, full=True) == Finding(
        "Reranker",
        "warning",
        f"{url} knows English; it is silent on the other language",
        "for both languages take one such as BAAI/bge-reranker-v2-m3",
    )
    served.failures = [(403, "no")]
    refused = finding(settings)
    assert refused is not None
    assert (refused.state, refused.mend) == ("problem", "mend that, or unset FOOTNOTE_RERANKER_URL")
    missing = finding(Settings(home=tmp_path / "none", reranker=RerankerSettings(model="bge-reranker-v2-m3")))
    assert missing is not None
    assert missing.state == "problem"
    assert missing.detail.startswith("there is no model 'bge-reranker-v2-m3' in ")


def test_settings_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="rerank_depth must be a whole number"):
        load_settings({"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_RERANK_DEPTH": "-1"})
    settings = load_settings({"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_RERANKER_URL": "127.0.0.1:8000"})
    with pytest.raises(SettingsError, match="is no address of a rerank server"):
        make_reranker(settings)
