"""The page on a real engine with small fake models, driven by Streamlit's own test harness, without a browser."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.engine import Engine
from app.page_parts import shared
from app.page_parts.session import Session, opened
from app.saved_answer import saved_json
from app.settings import Settings
from generation.boxes import Box
from generation.extractive import Extractive
from generation.llm import LLM, Prompt, SamplingConfig
from generation.media import Picture, read_image
from ingest.document import Span, Utterance
from ingest.errors import ModelError
from ingest.load import read_document
from tests.fakes import ScriptedLLM
from tests.hashing_embedder import HashingEmbedder
from tests.scans import encoded, picture_of

PAGE = Path(__file__).resolve().parents[1] / "app" / "page.py"
RULES = (
    "# Ferry rules\n\nA passenger may take two dogs.\n\n"
    "![x](http://tracker.example/x.png) <b>Bicycles</b> cost 3 crowns.\n"
)


class BrokenLLM(ScriptedLLM):
    """Fails as a server does that is not there."""

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        raise ModelError("no server answers at http://127.0.0.1:9; start it")
        yield ""


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "rules.md").write_text(RULES)
    (folder / "otters.txt").write_text("Otters eat fish. They sleep in a holt.")
    return folder


@pytest.fixture
def start(tmp_path: Path, documents: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a function that opens the page on an engine with two documents."""

    def start(llm: LLM | None = None, *, language: str = "en", kbs: tuple[str, ...] = ("default",)) -> AppTest:
        settings = replace(Settings(), home=tmp_path / "home", language=language)
        engine = Engine(settings, embedder=HashingEmbedder(), llm=llm or Extractive())
        for kb in kbs:
            engine.ingest(kb, [documents])
        shared.shared_engine.clear()
        shared.warm_up_state.clear()
        monkeypatch.setattr(shared, "make_engine", lambda: engine)
        return AppTest.from_file(str(PAGE), default_timeout=30).run()

    yield start
    shared.shared_engine.clear()
    shared.warm_up_state.clear()


def html_of(page: AppTest) -> str:
    """Give the HTML of all parts of the page: the texts and what the components were given."""
    parts = [element.proto.body for element in page.get("html")]
    parts += [element.proto.json for element in page.get("bidi_component")]
    return "\n".join(parts)


def ask(page: AppTest, question: str) -> AppTest:
    return page.chat_input[0].set_value(question).run()


def session_of(page: AppTest) -> Session:
    state: Session = page.session_state["footnote"]
    return state


def open_source(page: AppTest, target: str) -> AppTest:
    """Do what a click on a marker does."""
    state = session_of(page)
    state.open_source = opened(state.turns("default")[-1], target)
    return page.run()


def test_a_citation_opens_the_document_with_the_quote_marked(start: Any) -> None:
    page = ask(start(), "How many dogs may a passenger take?")
    assert not page.exception
    assert 'aria-label=\\"Source 1: Ferry rules, supported\\"' in html_of(page)
    page = open_source(page, "c:0:1")
    assert not page.exception
    assert '<mark class=\\"fn-mark-quote\\">A passenger may take two dogs.</mark>' in html_of(page)


def test_a_cited_picture_is_shown_with_the_quote_boxed(start: Any, documents: Path) -> None:
    (documents / "notice.png").write_bytes(encoded(picture_of("Otter boats pay seven crowns."), "PNG"))
    page = open_source(ask(start(), "What do otter boats pay?"), "c:0:1")
    assert not page.exception
    shown = html_of(page)
    assert 'alt=\\"Picture of page 1 of notice\\"' in shown
    assert 'class=\\"fn-box fn-box-quote\\"' in shown


def test_an_answer_is_saved_as_the_command_line_saves_it(start: Any) -> None:
    page = ask(start(), "How many dogs may a passenger take?")
    assert not page.exception
    files = {button.proto.label: button.proto for button in page.get("download_button")}
    assert list(files) == ["HTML", "PDF", "JSON"]
    turn, engine = session_of(page).turns("default")[0], shared.make_engine()
    assert turn.answer is not None
    saved = saved_json(turn.answer, engine, kb="default")
    assert saved["answer"]["answer"] == "A passenger may take two dogs [1]."


def test_a_claim_read_in_a_picture_opens_the_picture_with_its_boxes(start: Any) -> None:
    page = ask(start(), "How many dogs may a passenger take?")
    turn = session_of(page).turns("default")[0]
    assert turn.answer is not None
    media = read_image(encoded(picture_of("Owls ride free."), "PNG"), "<sign>.png")
    claim = replace(turn.answer.claims[0], citations=(), status="unsupported", picture="<sign>.png", picture_number=1)
    turn.run.answer = replace(
        turn.answer,
        claims=(claim,),
        pictures=(Picture(media, title="<sign>.png"),),
        boxes=(Box("an owl", 0.1, 0.1, 0.5, 0.5),),
    )
    page = page.run()
    shown = html_of(page)
    assert 'data-open=\\"p:0\\">' in shown
    assert " read in the picture of &lt;sign&gt;.png; not checked in words</button>" in shown
    page = open_source(page, "p:0")
    assert not page.exception
    shown = html_of(page)
    assert "The model can have read this here; no words were there to check it by: " in shown
    assert 'alt=\\"&lt;sign&gt;.png\\">' in shown
    assert " 1 an owl " in shown


def test_corrected_and_invented_markers_are_told_in_the_details(start: Any) -> None:
    page = ask(start(ScriptedLLM("A passenger may take two dogs [9].")), "How many dogs may a passenger take?")
    turn = session_of(page).turns("default")[0]
    assert turn.answer is not None
    [claim] = turn.answer.claims
    other = turn.answer.retrieval.hits[-1]
    claim = replace(claim, corrected=("[1]",), pointed_at=(other.rank,))
    turn.run.answer = replace(turn.answer, claims=(claim,))
    shown = html_of(page.run())
    assert "<summary>Markers of the model that were put right</summary><ul><li>" in shown
    assert f"own [1] named {other.title}; the words stand in source [1]: " in shown
    assert "The model also wrote markers that name no passage: [9]. They were removed.</li></ul></details>" in shown


def test_a_cited_recording_is_played_from_where_the_words_are_spoken(start: Any, tmp_path: Path) -> None:
    page = start()
    path = tmp_path / "talk.wav"
    path.write_bytes(b"RIFF")  # the page plays what the file holds; nobody listens here
    document = read_document(b"Welcome aboard.\n\nOwls may ride on the roof.", "talk.txt", path.as_posix())
    said = (Utterance(Span(0, 15), 0.5, 3.0), Utterance(Span(17, 43), 125.6, 131.2))
    document = replace(document, utterances=said, metadata={"format": "audio"})
    shared.make_engine().add_documents("default", [document])
    page = open_source(ask(page, "May owls ride on the roof?"), "c:0:1")
    assert not page.exception
    [player] = page.get("audio")
    assert player.proto.start_time == 125
    assert "talk, 2:05-2:11" in html_of(page)


def test_document_text_is_never_markup(start: Any) -> None:
    page = open_source(ask(start(), "What do bicycles cost?"), "c:0:1")
    shown = html_of(page)
    assert "&lt;b&gt;Bicycles&lt;/b&gt;" in shown
    assert "<b>Bicycles</b>" not in shown
    assert "tracker.example" not in "".join(element.value for element in page.markdown)


def test_an_abstention_shows_the_nearest_passages(start: Any) -> None:
    page = ask(start(ScriptedLLM("The passages do not contain an answer.")), "Who likes dogs best?")
    assert "No answer found" in html_of(page)
    assert "The nearest passages" in html_of(page)


def test_an_unsupported_claim_is_flagged_and_has_no_marker(start: Any) -> None:
    llm = ScriptedLLM("A passenger may take two dogs [1]. The captain was born on the moon in 1899 [2].")
    shown = html_of(ask(start(llm), "How many dogs may a passenger take?"))
    assert "not supported by any source" in shown
    assert 'class=\\"fn-claim fn-unsupported\\"' in shown
    assert "not supported <b>1</b>" in shown


def test_a_table_is_drawn_with_its_rows_checked_one_by_one(start: Any, documents: Path) -> None:
    head = "| Ship | Cars carried |\n|---|---|\n| Anvil | 18 cars |\n"
    (documents / "fleet.md").write_text(f"# Fleet\n\n{head}| Little Wren | 4 cars |\n")
    page = ask(
        start(ScriptedLLM(f"{head}| Little Wren | 99 cars |\n")), "How many cars do Anvil and Little Wren carry?"
    )
    assert not page.exception
    shown = html_of(page)
    assert "<table><tr><th>" in shown
    assert '<td><span class=\\"fn-claim fn-supported\\"> 18 cars </span></td><td>' in shown
    row = shown[shown.index("> 99 cars ") :]
    assert "not supported by any source" in row[: row.index("</tr>")]
    assert "---" not in shown[shown.index("<table><tr><th>") : shown.rindex("</table>")]


def test_an_error_keeps_the_question_and_can_be_asked_again(start: Any) -> None:
    page = ask(start(BrokenLLM("")), "How many dogs?")
    assert not page.exception
    assert "start it" in page.error[0].value.replace("\\", "")
    assert "How many dogs?" in html_of(page)
    assert [button.label for button in page.button if button.key and button.key.startswith("again")] == ["Ask again"]


def test_follow_ups_are_asked_with_what_was_said_before(start: Any) -> None:
    llm = ScriptedLLM("A passenger may take two dogs [1].")
    page = ask(start(llm), "How many dogs may a passenger take?")
    ask(page, "What do bicycles cost?")
    assert any("two dogs" in m.content for m in llm.prompts[-1].messages if m.role == "assistant")


def test_a_new_conversation_forgets_the_old_one(start: Any) -> None:
    page = ask(start(), "How many dogs may a passenger take?")
    page.button(key="new_conversation").click().run()
    assert session_of(page).turns("default") == []
    assert "Every sentence of an answer carries a number" in html_of(page)


def test_two_users_do_not_see_each_other(start: Any) -> None:
    first = ask(start(), "How many dogs may a passenger take?")
    second = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert "two dogs" not in html_of(second)
    assert "two dogs" in html_of(first.run())


def test_the_page_speaks_the_language_of_the_settings_and_can_switch(start: Any) -> None:
    page = start(language="zh")
    assert page.chat_input[0].placeholder == "向您的文档提问"
    page.session_state["language"] = "en"
    assert page.run().chat_input[0].placeholder == "Ask your documents"


def test_sample_questions_are_offered_for_the_samples(start: Any) -> None:
    page = start(kbs=("samples",))
    labels = [button.label for button in page.button if button.key and button.key.startswith("sample_")]
    assert len(labels) == 6
    page = page.button(key="sample_en_0").click().run()
    assert not page.exception
    assert session_of(page).turns("samples")[0].question == labels[0]


def test_the_page_without_documents_leads_to_adding_some(start: Any) -> None:
    page = start(kbs=())
    assert not page.exception
    page.button(key="go_to_documents").click().run()
    assert not page.exception
    assert page.get("file_uploader")


def test_documents_are_listed_and_deleted_after_a_question(start: Any) -> None:
    page = start()
    page.session_state["view"] = "documents"
    page.run()
    assert "rules.md" in html_of(page) and "otters.txt" in html_of(page)
    delete = next(b for b in page.button if b.key and b.key.startswith("delete_") and "Ferry" in (b.help or ""))
    delete.click().run()
    page.button(key="confirm_delete").click().run()
    assert not page.exception
    assert "rules.md" not in html_of(page)
    page.session_state["view"] = "chat"
    assert "Ferry rules" not in html_of(ask(page.run(), "How many dogs may a passenger take?"))


def test_an_upload_is_saved_ingested_and_reported(start: Any, tmp_path: Path) -> None:
    page = start()
    page.session_state["view"] = "documents"
    page.run()
    page.file_uploader[0].upload("bees.txt", b"Bees make honey in May.", "text/plain")
    page.run()
    assert not page.exception
    assert (tmp_path / "home" / "uploads" / "default" / "bees.txt").read_text() == "Bees make honey in May."
    report = session_of(page).report
    assert report is not None and [Path(source).name for source in report.added] == ["bees.txt"]


def test_a_knowledge_base_is_made_and_deleted(start: Any) -> None:
    page = start()
    page.session_state["view"] = "documents"
    page.run()
    next(field for field in page.text_input if field.label == "New knowledge base").set_value("notes")
    next(button for button in page.button if button.label == "Create").click().run()
    assert not page.exception
    assert page.selectbox[0].value == "notes"
    page.button(key="delete_kb").click().run()
    page.button(key="confirm_delete_kb").click().run()
    assert page.selectbox[0].options == ["default"]


def test_a_folder_that_is_not_there_is_named(start: Any) -> None:
    page = start()
    page.session_state["view"] = "documents"
    page.run()
    page.text_input[0].set_value("/no/such/folder")
    next(button for button in page.button if button.label == "Take in").click().run()
    assert "/no/such/folder" in page.error[0].value.replace("\\", "")


def test_a_web_page_is_taken_in_by_its_address(start: Any) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>Harbour rules</title><p>Anchors are weighed at six.</p>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        page = start()
        page.session_state["view"] = "documents"
        page.run()
        page.text_input[0].set_value(f"http://127.0.0.1:{site.server_port}/rules.html")
        next(button for button in page.button if button.label == "Take in").click().run()
        site.shutdown()

    assert not page.exception
    assert "Harbour rules" in html_of(page)


def test_the_model_can_be_asked_without_documents_and_that_is_marked(start: Any) -> None:
    llm = ScriptedLLM("A passenger may take two dogs.", "Paris is the capital.", "It lies on the Seine.")
    page = ask(start(llm), "How many dogs may a passenger take?")
    page.toggle(key="plain_default").set_value(True).run()

    ask(ask(page, "Capital of France?"), "And its river?")

    assert not page.exception
    assert "From the model alone, not from your documents" in html_of(page)
    assert [message.content for message in llm.prompts[-1].messages] == [
        "Capital of France?",
        "Paris is the capital.",
        "And its river?",
    ]
    assert session_of(page).turns("default")[-1].answer.claims == ()  # type: ignore[union-attr]


def test_without_documents_the_page_promises_no_citations(start: Any) -> None:
    page = start()
    assert "Every sentence of an answer carries a number" in html_of(page)
    page.toggle(key="plain_default").set_value(True).run()
    assert "Every sentence of an answer carries a number" not in html_of(page)
    assert "nothing is looked up, cited or checked" in html_of(page)
