"""`footnote eval` end to end on small sets: real pipeline and search, a hashing embedder, quotes instead of a model."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import cli
from app.engine import Engine
from app.evaluation import corpus, measure
from app.evaluation.corpus import build_corpus, cache_settings, record_document
from app.evaluation.layouts import read_set
from app.evaluation.run import RunConfig
from app.evaluation.sets import EvaluationSet, Question, Record
from app.settings import Settings, load_settings
from ingest.document import Span
from ingest.embedder import Embedder
from retrieval.retrieval import Retrieval
from tests.hashing_embedder import HashingEmbedder

RECORDS = [
    {
        "id": "ferry",
        "title": "Ferry",
        "text": "The ferry to Sallow Point leaves at noon.\n\nCars queue by half past ten.",
    },
    {"id": "鳗鱼", "title": "鳗鱼通道", "text": "鳗鱼通道于2024年春季开放，第一季共有1200条鳗鱼通过。"},
    {"id": "leave", "title": "Leave", "text": "Every member of staff has twenty-five days of leave a year."},
]
QUESTIONS = [
    {
        "id": "q1",
        "question": "When does the ferry to Sallow Point leave?",
        "answers": ["noon"],
        "gold_ids": ["ferry"],
        "gold_spans": ["The ferry to Sallow Point leaves at noon."],
        "lang": "en",
    },
    {"id": "q2", "question": "第一季有多少条鳗鱼通过？", "answers": ["1,200"], "gold_ids": ["鳗鱼"], "lang": "zh"},
    {"id": "q3", "question": "Who painted the Mona Lisa?", "answerable": False, "lang": "en"},
]


class HashingEngine(Engine):
    """The engine, but for the embedder, whose weights tests do without."""

    def embedder(self) -> Embedder:
        return HashingEmbedder()


class InterruptedEngine(HashingEngine):
    """Someone presses Ctrl-C at the second question."""

    def search(self, kb: str, question: str, **options: object) -> Retrieval:
        if "鳗鱼" in question:
            raise KeyboardInterrupt
        return super().search(kb, question, top_k=10)


@pytest.fixture
def boats(tmp_path: Path) -> Path:
    folder = tmp_path / "boats"
    folder.mkdir()
    for name, rows in (("corpus.jsonl", RECORDS), ("questions.jsonl", QUESTIONS)):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / name).write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(measure, "Engine", HashingEngine)
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FOOTNOTE_LLM", "extractive")
    yield


def footnote_eval(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["eval", *map(str, arguments)])


def test_retrieval_only_gives_the_figures_of_the_search_and_none_of_answers(boats: Path) -> None:
    result = footnote_eval(boats, "--retrieval-only", "--json")

    figures = json.loads(result.stdout)["sets"]["boats"]
    assert result.exit_code == 0
    assert (figures["n"], figures["n_answerable"], figures["n_gold_missing"]) == (3, 2, 0)
    assert [figures[name] for name in ("recall@1", "recall@10", "mrr@10", "ndcg@10", "evidence@5")] == [1] * 5
    assert figures["by_lang"]["zh"]["recall@1"] == 1
    assert not {"exact_match", "f1", "contains", "citation_precision", "abstention_recall"} & figures.keys()


def test_answers_are_measured_and_every_question_is_saved(boats: Path, tmp_path: Path) -> None:
    result = footnote_eval(boats, "--json", "--save", tmp_path / "run.json")

    figures = json.loads(result.stdout)["sets"]["boats"]
    assert result.exit_code == 0
    assert {"exact_match", "f1", "contains", "abstention_recall", "seconds"} <= figures.keys()
    saved = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert [record["id"] for record in saved["questions"]["boats"]] == ["q1", "q2", "q3"]
    assert saved["sets"]["boats"]["n"] == 3


def test_a_saved_run_compared_with_itself_shows_no_difference(boats: Path, tmp_path: Path) -> None:
    footnote_eval(boats, "--retrieval-only", "--save", tmp_path / "run.json")

    result = footnote_eval("--compare", tmp_path / "run.json", tmp_path / "run.json", "--json")

    found = json.loads(result.stdout)["sets"]["boats"]
    assert found["n"] == 3
    assert {change["difference"] for change in found["differences"].values()} == {0}
    drawn = footnote_eval("--compare", tmp_path / "run.json", tmp_path / "run.json")
    assert "boats: 3 questions in both runs" in drawn.stdout


def test_the_table_is_for_people(boats: Path) -> None:
    result = footnote_eval(boats, "--retrieval-only", "--sample", "2")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].startswith("boats: 2 questions (")
    assert "recall@1" in result.stdout


def test_wrong_use_exits_with_2(boats: Path) -> None:
    assert footnote_eval().exit_code == 2
    assert footnote_eval(boats / "nowhere").exit_code == 2
    assert footnote_eval(boats, "--sample", "0").exit_code == 2
    assert footnote_eval(boats, "--compare", boats / "corpus.jsonl", boats / "corpus.jsonl").exit_code == 2


def test_a_document_that_cannot_be_read_is_named_and_the_exit_code_is_1(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "good.txt").write_text("The ferry leaves at noon.")
    (folder / "documents" / "bad.pdf").write_bytes(b"%PDF-1.4 this is no PDF")
    question = {"id": "q", "question": "When does the ferry leave?", "gold_ids": ["good"], "answers": ["noon"]}
    (folder / "questions.jsonl").write_text(json.dumps(question))

    results = [footnote_eval(folder, "--retrieval-only", "--json") for _ in range(2)]  # built, then from the cache

    for result in results:
        figures = json.loads(result.stdout)["sets"]["files"]
        assert result.exit_code == 1
        assert figures["recall@1"] == 1
        assert [failure["source"] for failure in figures["failed_documents"]] == ["bad.pdf"]


def test_ctrl_c_reports_what_was_done_so_far(boats: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "Engine", InterruptedEngine)

    result = footnote_eval(boats, "--retrieval-only", "--json")

    figures = json.loads(result.stdout)["sets"]["boats"]
    assert result.exit_code == 130
    assert (figures["n"], figures["interrupted"], figures["recall@1"]) == (1, True, 1)


def test_a_set_without_documents_is_asked_over_a_named_knowledge_base(boats: Path, tmp_path: Path) -> None:
    engine = HashingEngine(load_settings())
    engine.add_documents("mine", [record_document(Record(**record)) for record in RECORDS])
    (boats / "corpus.jsonl").unlink()

    asked = footnote_eval(boats, "--retrieval-only", "--kb", "mine", "--json")
    unnamed = footnote_eval(boats, "--retrieval-only")

    assert json.loads(asked.stdout)["sets"]["boats"]["recall@1"] == 1
    assert "name the knowledge base to ask with --kb" in str(unnamed.exception)
    assert not (tmp_path / "home" / "eval-cache" / "kb").exists()


def test_two_sets_of_one_name_are_refused(boats: Path) -> None:
    result = footnote_eval(boats, boats, "--retrieval-only")

    assert "two sets are called boats" in str(result.exception)


def test_a_corpus_is_built_once_and_again_when_the_code_changed(boats: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = HashingEngine(cache_settings(load_settings()))
    taken: list[str] = []

    first = build_corpus(engine, read_set(boats), lambda progress: taken.append(progress.source))
    n_first = len(taken)
    again = build_corpus(engine, read_set(boats), lambda progress: taken.append(progress.source))
    n_again = len(taken)
    monkeypatch.setattr(corpus, "_code_hash", lambda: "other")
    changed = build_corpus(engine, read_set(boats), lambda progress: taken.append(progress.source))

    assert first == again == changed
    assert n_first == n_again < len(taken)
    assert engine.knowledge_bases() == [first.kb]
    assert first.kb.startswith("boats-")


def test_the_cache_is_apart_from_the_users_knowledge_bases_but_shares_the_models(tmp_path: Path) -> None:
    (tmp_path / "models" / "e5").mkdir(parents=True)
    settings = Settings(home=tmp_path, embedder="e5")

    cached = cache_settings(settings)

    assert cached.kb_folder == tmp_path / "eval-cache" / "kb"
    assert cached.models_folder / cached.embedder == tmp_path / "models" / "e5"


def test_a_record_becomes_a_document_of_paragraphs_with_its_text_kept() -> None:
    document = record_document(Record("d#1", "", "One.\n\n  Two 二. \nThree."))

    assert (document.source, document.title, document.text) == ("d#1", "d#1", "One.\n\n  Two 二. \nThree.")
    assert [block.span.of(document.text) for block in document.blocks] == ["One.", "Two 二.", "Three."]
    assert document.blocks[1].span == Span(8, 14)


def test_gold_documents_that_the_corpus_lacks_are_counted() -> None:
    questions = EvaluationSet(
        "s", (Question("q", "When?", relevance={"ferry": 1, "gone": 1}),), (Record("ferry", "", "It leaves at noon."),)
    )

    (run,) = measure.measure_sets(load_settings(), [questions], RunConfig(retrieval_only=True))

    assert run.n_gold_missing == 1
    assert run.records[0].scores["recall@10"] == 0.5
