"""The page as users see it: a real browser, a real server, the real embedder, and the real language model once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine import Engine
from app.models import E5_SMALL, QWEN, has_right_size
from app.settings import PROJECT, load_settings

pytest.importorskip("playwright.sync_api", reason="playwright is not installed; run: make set-up")

from playwright.sync_api import Browser, Locator, Page, expect
from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from tests.browser import CHROMIUM, chromium, open_page, page_server
from tests.endless_server import endless_server

MODELS = PROJECT / "data" / "models"
ENGLISH = "The lighthouse at Brenwick was painted red in 1931."
expect.set_options(timeout=180_000)  # loads the embedder; also on a busy machine
ANSWER_MILLISECONDS = 240_000  # the 1.5B model on two busy cores

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium; install Debian's: apt-get install chromium"),
    pytest.mark.skipif(
        not has_right_size(E5_SMALL, MODELS), reason="the embedder is not in data/models; run: make set-up"
    ),
]
needs_qwen = pytest.mark.skipif(
    not has_right_size(QWEN, MODELS), reason="the language model is not in data/models; run: make set-up"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A small PDF in English, whose second page holds the answer, and a Markdown file in Chinese."""
    folder = tmp_path_factory.mktemp("files")
    canvas = Canvas(str(folder / "brenwick.pdf"), pagesize=A5)
    canvas.setTitle("Brenwick Notes")
    for lines in (
        ("Brenwick Notes", "The harbour of Brenwick has room for forty boats."),
        ("Chapter 2", ENGLISH, "Its lamp is lit by the keeper at dusk."),
    ):
        for number, line in enumerate(lines):
            canvas.drawString(40, 520 - 24 * number, line)
        canvas.showPage()
    canvas.save()
    chinese = folder / "雨量手册.md"
    chinese.write_text(
        "# 石桥镇雨量手册\n\n石桥镇的雨量计每天早上七点读数。\n\n雨量计由李师傅保管，钥匙放在邮局。\n", encoding="utf-8"
    )
    return [folder / "brenwick.pdf", chinese]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def make_home(folder: Path) -> Path:
    """Make an empty data folder that shares the real models."""
    (folder / "models").symlink_to(MODELS)
    return folder


def show(page: Page, view: str) -> None:
    page.get_by_role("radio", name=view, exact=True).click()


def upload(page: Page, files: list[Path]) -> None:
    show(page, "Documents")
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(files)  # the chat has one too
    expect(page.get_by_text(f"{len(files)} added")).to_be_visible()
    for file in files:
        expect(page.locator(".fn-document", has_text=file.name)).to_be_visible()


def ask(page: Page, question: str, *, n_before: int = 0) -> Locator:
    """Ask, wait for the finished answer, give it."""
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")
    finished = page.locator(".fn-legend, .fn-abstained")
    expect(finished).to_have_count(n_before + 1, timeout=ANSWER_MILLISECONDS)
    return page.get_by_test_id("stChatMessage").last


def test_documents_are_uploaded_asked_cited_and_deleted(browser: Browser, files: list[Path], tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with page_server(home, {"FOOTNOTE_LLM": "extractive"}, tmp_path / "server.log") as address:
        page, elsewhere = open_page(browser, address)
        upload(page, files)
        show(page, "Chat")

        answer = ask(page, "When was the lighthouse at Brenwick painted red?")
        marker = answer.locator(".fn-marker").first
        expect(marker).to_have_attribute("aria-label", "Source 1: Brenwick Notes, page 2, supported")
        marker.hover()
        expect(page.get_by_role("tooltip")).to_contain_text(ENGLISH)
        marker.click()
        expect(page.get_by_test_id("fn-quote")).to_have_text(ENGLISH)
        expect(page.get_by_role("img", name="Picture of page 2 of Brenwick Notes")).to_be_visible()
        expect(page.locator(".fn-box-quote").first).to_be_in_viewport()
        expect(answer).to_be_visible()  # the chat stays in view
        for kind, begins in (("HTML", b"<!DOCTYPE html>"), ("PDF", b"%PDF-"), ("JSON", b"{")):
            with page.expect_download() as saved:
                answer.get_by_role("button", name=kind).click()
            assert saved.value.suggested_filename == f"When-was-the-lighthouse-at-Brenwick-pain.{kind.lower()}"
            assert saved.value.path().read_bytes().startswith(begins)

        answer = ask(page, "石桥镇的雨量计每天几点读数？", n_before=1)
        answer.locator(".fn-marker").first.click()
        expect(page.locator("mark.fn-mark-quote")).to_have_text("石桥镇的雨量计每天早上七点读数。")

        page.get_by_role("button", name="New conversation").click()
        show(page, "Documents")
        page.locator("[class*=st-key-fn_document_]", has_text="雨量手册.md").get_by_role(
            "button", name="delete"
        ).click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("is deleted.")).to_be_visible()
        assert not list(home.glob("uploads/*/雨量手册.md"))
        show(page, "Chat")
        answer = ask(page, "石桥镇的雨量计每天几点读数？")
        expect(answer).not_to_contain_text("七点")
        expect(answer).not_to_contain_text("雨量手册")
        assert elsewhere == []


@needs_qwen
def test_the_model_streams_an_answer_that_is_then_checked(browser: Browser, files: list[Path], tmp_path: Path) -> None:
    with page_server(make_home(tmp_path), {}, tmp_path / "server.log") as address:
        page, elsewhere = open_page(browser, address)
        upload(page, files)
        show(page, "Chat")
        box = page.get_by_test_id("stChatInputTextArea")
        box.fill("In which year was the lighthouse at Brenwick painted red?")
        box.press("Enter")
        expect(page.locator(".fn-writing, .fn-legend").first).to_be_visible(timeout=ANSWER_MILLISECONDS)
        expect(page.locator(".fn-legend")).to_be_visible(timeout=ANSWER_MILLISECONDS)
        answer = page.get_by_test_id("stChatMessage").last
        expect(answer.locator(".fn-answer")).to_contain_text("1931")
        answer.locator(".fn-marker").first.click()
        expect(page.get_by_test_id("fn-quote")).to_contain_text("painted red in 1931")
        assert elsewhere == []


def test_stop_keeps_what_was_written_and_stops_the_server(browser: Browser, files: list[Path], tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with (
        endless_server() as endless,
        page_server(make_home(tmp_path), {"FOOTNOTE_LLM_URL": endless.base_url}, log) as at,
    ):
        page, _ = open_page(browser, at)
        upload(page, files)
        show(page, "Chat")
        box = page.get_by_test_id("stChatInputTextArea")
        box.fill("How many boats has Brenwick room for?")
        box.press("Enter")
        expect(page.locator(".fn-writing")).to_contain_text("forty boats")
        # Streamlit's Stop is there while the run that took the question lasts; after a rerun the page draws its own.
        native = page.get_by_test_id("stChatInputStopButton")
        native.or_(page.get_by_role("button", name="Stop", exact=True)).first.click()
        expect(page.get_by_text("Stopped.")).to_be_visible()
        expect(page.get_by_test_id("stChatMessage").last).to_contain_text("forty boats")
        assert endless.hung_up.wait(10)
        expect(page.get_by_test_id("stChatInputSubmitButton")).to_be_visible()
        page.get_by_role("button", name="Ask again").click()
        expect(page.locator(".fn-writing")).to_contain_text("forty boats")
        # Any other click leaves the answer running; this way it has a Stop of its own.
        show(page, "Documents")
        show(page, "Chat")
        expect(page.locator(".fn-writing")).to_contain_text("forty boats")
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("Stopped.")).to_be_visible()


def test_the_page_is_chinese_for_a_chinese_browser_and_fits_a_phone(browser: Browser, tmp_path: Path) -> None:
    with page_server(make_home(tmp_path), {"FOOTNOTE_LLM": "extractive"}, tmp_path / "server.log") as address:
        page, elsewhere = open_page(browser, address, locale="zh-CN", size=(390, 800))
        expect(page.get_by_placeholder("向您的文档提问")).to_be_visible()
        page.get_by_role("button", name="添加文档").click()
        expect(page.get_by_text("上传文件")).to_be_visible()
        assert page.evaluate("document.querySelector('main').scrollWidth") <= 390
        page.get_by_role("radio", name="English").click()
        expect(page.get_by_text("Upload files")).to_be_visible()
        assert elsewhere == []


def test_a_question_is_asked_in_two_knowledge_bases_at_once(browser: Browser, tmp_path: Path) -> None:
    home = make_home(tmp_path)
    for name, text in (("boats", "A passenger may take two dogs."), ("staff", "The staff get 25 days of leave.")):
        (tmp_path / f"{name}.md").write_text(text)
        Engine(load_settings({"FOOTNOTE_HOME": str(home)})).ingest(name, [tmp_path / f"{name}.md"])
    settings = {"FOOTNOTE_LLM": "extractive", "FOOTNOTE_KB": "boats"}
    with page_server(home, settings, tmp_path / "page.log") as address:
        page, elsewhere = open_page(browser, address)
        page.get_by_role("button", name="Where to look").click()
        page.get_by_role("combobox", name="Search these knowledge bases too").click()
        page.get_by_role("option", name="staff").click()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="1 set")).to_be_visible()
        answer = ask(page, "How many days of leave do the staff get?")
        answer.locator(".fn-marker").first.click()
        expect(page.locator("mark.fn-mark-quote")).to_have_text("The staff get 25 days of leave.")
        expect(page.locator(".fn-place")).to_contain_text("staff · staff.md")
        expect(answer.locator(".fn-card").first.locator(".fn-small")).to_have_text("staff")
        assert elsewhere == []
