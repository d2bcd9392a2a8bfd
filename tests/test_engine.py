"""The engine: one way to an answer for every face."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.engine import Engine
from app.settings import Settings, load_settings
from app.views import answer_json
from generation.answer import Answer
from generation.extractive import Extractive
from generation.llm import Message
from ingest.errors import KnowledgeBaseError, ModelError, SettingsError
from tests.hashing_embedder import HashingEmbedder


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "rules.md").write_text("# Ferry rules\n\nA passenger may take two dogs.\n\nBicycles cost 3 crowns.\n")
    (documents / "otters.txt").write_text("Otters eat fish. They sleep in a holt.")
    made = Engine(Settings(home=tmp_path), embedder=HashingEmbedder(), llm=Extractive())
    made.ingest("default", [documents], base=documents)
    return made


def answered(engine: Engine, question: str, history: tuple[Message, ...] = ()) -> Answer:
    *_, answer = engine.ask("default", question, history=history)
    assert isinstance(answer, Answer)
    return answer


def test_an_answer_quotes_its_document_at_its_span(engine: Engine) -> None:
    answer = answered(engine, "How much do bicycles cost?")
    citation = answer.claims[0].citations[0]
    text = engine.document("default", citation.document_id).text
    assert citation.span.of(text) == citation.quote == "Bicycles cost 3 crowns."


def test_the_same_question_asked_twice_gives_the_same_answer(engine: Engine) -> None:
    first, second = (answer_json(answered(engine, "How much do bicycles cost?")) for _ in range(2))
    assert {**first, "timings": {}} == {**second, "timings": {}}


def test_a_follow_up_is_searched_with_what_it_refers_to(engine: Engine) -> None:
    history = (Message("user", "What do otters eat?"), Message("assistant", "Otters eat fish [1]."))
    answer = answered(engine, "Where do they sleep?", history)
    assert "otter" in answer.retrieval.queries[0].lower()
    assert answer.retrieval.hits[0].source == "otters.txt"


@pytest.mark.parametrize(
    ("before", "is_searched"),
    [
        ("The budget is 40,000 crowns [1].", True),
        ("I could not find an answer to this in the documents. They seem to be about other things.", False),
    ],
)
def test_a_follow_up_is_searched_with_an_answers_words_but_not_with_a_refusals(
    engine: Engine, before: str, is_searched: bool
) -> None:
    history = (Message("user", "How large is the budget?"), Message("assistant", before))

    assert ("said" in engine.search("default", "And who decides on it?", history=history).stages) is is_searched


def test_a_deleted_document_is_not_cited_in_the_next_answer(engine: Engine) -> None:
    (rules,) = [info for info in engine.documents("default") if info.source == "rules.md"]
    assert "rules.md" in {hit.source for hit in answered(engine, "How much do bicycles cost?").retrieval.hits}
    assert engine.delete_document("default", rules.id)
    after = answered(engine, "How much do bicycles cost?")
    assert "rules.md" not in {hit.source for hit in after.retrieval.hits}


def test_a_deleted_knowledge_base_is_gone(engine: Engine) -> None:
    engine.delete_knowledge_base("default")
    assert engine.knowledge_bases() == []
    with pytest.raises(KnowledgeBaseError, match=r"there is no knowledge base 'default' \(there are: none yet\)"):
        engine.search("default", "anything")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 65])
def test_a_name_that_is_no_folder_name_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(SettingsError, match="can't name a knowledge base"):
        engine.add_documents(name, [])


def test_a_chinese_name_is_fine(engine: Engine) -> None:
    engine.add_documents("资料", [])
    assert "资料" in engine.knowledge_bases()


def test_a_missing_model_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(ModelError, match="footnote llm pull"):
        Engine(replace(settings, llm=replace(settings.llm, model="nothing.gguf"))).llm()


def test_settings_come_from_the_file_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "footnote.toml").write_text('kb = "papers"\ntop_k = 3\nllm_url = "http://127.0.0.1:1/v1"\n')
    settings = load_settings({"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_TOP_K": "7"})
    assert (settings.kb, settings.search.top_k, settings.llm.url) == ("papers", 7, "http://127.0.0.1:1/v1")


@pytest.mark.parametrize("value", ["many", "-3", "1.5"])
def test_a_number_that_is_none_is_refused_by_name(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match="top_k must be a whole number"):
        load_settings({"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_TOP_K": value})
