"""The sample documents and the questions about them, checked against each other with plain file readers."""

from __future__ import annotations

import csv
import html
import json
import re
from collections import Counter
from pathlib import Path

import docx
import pypdfium2
import pytest

SET = Path(__file__).resolve().parent.parent / "data" / "eval" / "samples"
DOCUMENTS = SET / "documents"
QUESTIONS = [json.loads(line) for line in (SET / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
ANSWERABLE = [question for question in QUESTIONS if question["answerable"]]
UNANSWERABLE_TYPES = {"off_topic", "near_miss", "wrong_year", "false_premise"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_set_has_the_promised_mix_of_questions():
    assert Counter(question["type"] for question in QUESTIONS) == {
        "factual": 10,
        "table": 8,
        "conflict": 5,
        "multi": 7,
        "follow_up": 7,
        "cross": 8,
        "off_topic": 3,
        "near_miss": 6,
        "wrong_year": 4,
        "false_premise": 2,
    }
    assert Counter(question["answerable"] for question in QUESTIONS) == {True: 45, False: 15}
    assert Counter(question["lang"] for question in QUESTIONS) == {"en": 36, "zh": 24}


def test_ids_and_questions_are_unique_within_their_history():
    assert [question["id"] for question in QUESTIONS] == [f"s{n:02d}" for n in range(1, 61)]
    asked = {(question["question"], json.dumps(question.get("history"))) for question in QUESTIONS}
    assert len(asked) == 60


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["id"])
def test_question_has_the_fields_of_its_type(question):
    answerable = question["type"] not in UNANSWERABLE_TYPES
    assert question["answerable"] is answerable
    assert bool(question["answers"]) is answerable
    assert bool(question["gold_ids"]) is answerable
    assert bool(question["gold_spans"]) is answerable
    assert ("history" in question) is (question["type"] == "follow_up")
    assert ("answer_groups" in question) is (question["type"] == "multi")
    assert len(question["gold_ids"]) == (2 if question["type"] == "multi" else int(answerable))
    assert question["lang"] == ("zh" if CHINESE.search(question["question"]) else "en")
    if "history" in question:
        assert [turn["role"] for turn in question["history"]] == ["user", "assistant"]


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["id"])
def test_every_gold_span_is_in_its_document(question):
    texts = {name: collapse(raw_text(DOCUMENTS / name)) for name in question["gold_ids"]}
    missing = [span for span in question["gold_spans"] if not any(collapse(span) in text for text in texts.values())]
    assert missing == []
    unused = [
        name for name, text in texts.items() if not any(collapse(span) in text for span in question["gold_spans"])
    ]
    assert unused == []


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["id"])
def test_an_accepted_answer_stands_in_the_gold_spans(question):
    evidence = " ".join(question["gold_spans"])
    groups = question.get("answer_groups", [question["answers"]])
    assert [group for group in groups if not any(answer in evidence for answer in group)] == []


def test_every_document_is_asked_about():
    asked = {name for question in ANSWERABLE for name in question["gold_ids"]}
    assert asked == {path.name for path in DOCUMENTS.iterdir()}


def test_documents_are_small_and_name_every_format():
    sizes = {path.name: path.stat().st_size for path in DOCUMENTS.iterdir()}
    assert {name: size for name, size in sizes.items() if size > 400_000} == {}
    assert {Path(name).suffix for name in sizes} == {".md", ".txt", ".html", ".pdf", ".docx", ".csv"}


@pytest.mark.parametrize(
    ("name", "n_pages"),
    [("member-handbook-2025.pdf", 4), ("eel-passage-first-season.pdf", 2), ("渡船安全操作规程.pdf", 3)],
)
def test_pdf_has_text_on_every_page(name, n_pages):
    pages = pdf_pages(DOCUMENTS / name)
    assert len(pages) == n_pages
    assert all(len(page) > 100 for page in pages)


def collapse(text: str) -> str:
    """Make every run of white space one space, so that a span may run across lines."""
    return " ".join(text.split())


def raw_text(path: Path) -> str:
    if path.suffix == ".pdf":
        return "\n".join(pdf_pages(path))
    if path.suffix == ".docx":
        document = docx.Document(str(path))
        cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        text = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL)
        return html.unescape(re.sub(r"<[^>]+>", "\n", text))
    if path.suffix == ".csv":
        return "\n".join(",".join(row) for row in csv.reader(text.splitlines()))
    return text


def pdf_pages(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_bounded() for page in document]
