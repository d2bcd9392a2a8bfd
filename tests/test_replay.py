"""`ask --save`, `replay` and `ask --export`: an answer can be made again and shown elsewhere."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from app.engine import Engine
from app.export_answer import answer_page
from app.replay import Difference, changed_documents, differences
from app.saved_answer import (
    read_saved,
    saved_filters,
    saved_history,
    saved_json,
    saved_pictures,
    saved_sampling,
    write_saved,
)
from app.settings import Settings
from app.views import Json
from generation.answer import Answer
from generation.llm import Message
from generation.media import Media, Picture
from ingest.errors import SettingsError
from retrieval.filters import make_filters
from tests.fakes import ScriptedLLM
from tests.hashing_embedder import HashingEmbedder

QUESTION = "What does a second card cost?"
SAMPLE_PDF = Path(__file__).parents[1] / "data" / "samples" / "member-handbook-2025.pdf"


def make_engine(home: Path, *said: str) -> Engine:
    return Engine(Settings(home=home), embedder=HashingEmbedder(), llm=ScriptedLLM(*said))


def ask(engine: Engine, question: str = QUESTION) -> Answer:
    *_, answer = engine.ask("default", question)
    assert isinstance(answer, Answer)
    return answer


def card_engine(tmp_path: Path, cost: str = "15", said: str = "A second card costs 15 crowns.") -> Engine:
    file = tmp_path / "cards.md"
    file.write_text(f"# Cards\n\nA second card costs {cost} crowns.\n")
    engine = make_engine(tmp_path / "home", said)
    engine.ingest("default", [file])
    return engine


def saved_of(engine: Engine) -> Json:
    return saved_json(ask(engine), engine, kb="default")


def test_a_saved_answer_comes_back_as_it_was_and_nothing_differs_when_asked_again(tmp_path: Path) -> None:
    engine = card_engine(tmp_path)
    saved = saved_of(engine)
    write_saved(tmp_path / "answer.json", saved)
    read = read_saved(tmp_path / "answer.json")
    assert read == saved
    assert read["answer"]["claims"][0]["citations"][0]["quote"] == "A second card costs 15 crowns."
    assert [*changed_documents(read, engine), *differences(read, saved_of(engine))] == []


def test_a_changed_document_is_named_with_all_that_follows_from_it(tmp_path: Path) -> None:
    was = saved_of(card_engine(tmp_path))
    engine = card_engine(tmp_path, "18", "A second card costs 18 crowns.")
    source = (tmp_path / "cards.md").as_posix()
    assert changed_documents(was, engine) == [Difference("documents", f"{source} (cited) has changed")]
    found = differences(was, saved_of(engine))
    assert [one.what for one in found] == ["generation", "passages", "passages", "prompt", "answer"]
    assert found[-1].how == "it was: A second card costs 15 crowns [1]. It is: A second card costs 18 crowns [1]."


def test_a_document_that_is_gone_is_named(tmp_path: Path) -> None:
    engine = card_engine(tmp_path)
    was = saved_of(engine)
    engine.delete_document("default", was["documents"][0]["id"])
    source = (tmp_path / "cards.md").as_posix()
    assert changed_documents(was, engine) == [Difference("documents", f"{source} (cited) is gone")]


def test_another_model_and_another_parameter_are_named(tmp_path: Path) -> None:
    was = saved_of(card_engine(tmp_path))
    now = json.loads(json.dumps(was))
    now["answer"]["model"] = "other"
    now["parameters"]["search.top_k"] = 3
    assert differences(was, now) == [
        Difference("model", "model was scripted, is other"),
        Difference("parameters", f"search.top_k was {was['parameters']['search.top_k']}, is 3"),
    ]


def test_another_strictness_is_named(tmp_path: Path) -> None:
    engine = card_engine(tmp_path)
    lenient = Engine(replace(engine.settings, strictness=40), embedder=HashingEmbedder(), llm=engine.llm())
    assert differences(saved_of(engine), saved_of(lenient)) == [
        Difference("parameters", "strictness was 50, is 40"),
    ]


def test_history_and_filters_are_kept(tmp_path: Path) -> None:
    engine = card_engine(tmp_path)
    filters = make_filters(types=("md",), since="2020-01")
    *_, answer = engine.ask("default", QUESTION, filters=filters)
    assert isinstance(answer, Answer)
    said = [Message("user", "Hello"), Message("assistant", "Hello.")]
    saved = saved_json(answer, engine, kb="default", history=said)
    assert (saved_filters(saved), saved_history(saved)) == (filters, said)


def test_pictures_and_how_the_model_wrote_are_kept(tmp_path: Path) -> None:
    engine = card_engine(tmp_path)
    sent = Picture(Media("image", "image/png", b"\x89PNG", "sign.png", 3, 4), title="sign.png")
    *_, answer = engine.ask("default", QUESTION, pictures=[sent])
    assert isinstance(answer, Answer)
    saved = json.loads(json.dumps(saved_json(answer, engine, kb="default")))
    assert saved_pictures(saved) == (sent,)
    assert saved_sampling(saved) == asdict(engine.settings.answer.sampling)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"documents": [{}]}, "'kb' is missing or no str"),
        ({"passages": [3]}, "'source' is missing or no str"),
        ({"answer": {"claims": [{}]}}, "'citations' is missing or no list"),
        ({"answer": {"claims": [{"citations": [{}]}]}}, "'document_id' is missing or no str"),
    ],
)
def test_a_damaged_part_is_named(tmp_path: Path, damage: Json, reason: str) -> None:
    saved = saved_of(card_engine(tmp_path))
    for name, value in damage.items():
        saved[name] = {**saved[name], **value} if isinstance(value, dict) else value
    write_saved(tmp_path / "answer.json", saved)
    with pytest.raises(SettingsError, match=reason):
        read_saved(tmp_path / "answer.json")


@pytest.mark.parametrize(
    ("damage", "read"),
    [
        ({"parameters": {}}, saved_sampling),
        ({"pictures": [{"name": "x"}]}, saved_pictures),
    ],
)
def test_damaged_parameters_and_pictures_are_refused(damage: Json, read: Callable[[Json], object]) -> None:
    with pytest.raises(SettingsError, match="damaged"):
        read(damage)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("not JSON", "is damaged or no saved answer"),
        ('{"name": "package.json"}', "is no saved answer"),
        ('{"format": "footnote answer", "version": 99}', "version 99, this program reads version 1"),
        ('{"format": "footnote answer", "version": 1}', "'kb' is missing or no str"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "answer.json").write_text(content)
    with pytest.raises(SettingsError, match=reason):
        read_saved(tmp_path / "answer.json")


def test_an_exported_answer_escapes_everything_and_loads_nothing(tmp_path: Path) -> None:
    file = tmp_path / "<b>.md"
    file.write_text('A second card costs <img src="http://evil.test/x"> 15 crowns.\n')
    engine = make_engine(tmp_path / "home", "A second card costs 15 crowns.")
    engine.ingest("default", [file])
    page = answer_page(ask(engine), engine, "default")
    assert ("<img" in page, "<script" in page, "<b>" in page) == (False, False, False)
    assert "&lt;img src=&quot;http://evil.test/x&quot;&gt;" in page
    assert "content=\"default-src 'none'; img-src data:;" in page


def test_an_exported_answer_from_a_pdf_shows_the_page(tmp_path: Path) -> None:
    shutil.copy(SAMPLE_PDF, tmp_path / "handbook.pdf")
    engine = make_engine(tmp_path / "home", "The blue key card opens Lantern Wharf and the Malt Store.")
    engine.ingest("default", [tmp_path / "handbook.pdf"])
    answer = ask(engine, "What does the blue key card open?")
    n_cited = len({citation.marker for claim in answer.claims for citation in claim.citations})
    page = answer_page(answer, engine, "default")
    assert (n_cited > 0, page.count('src="data:image/png;base64,')) == (True, n_cited)
