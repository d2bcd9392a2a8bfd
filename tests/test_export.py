"""`ask --export`: the answer as a PDF or HTML file with the same content, its text readable, its letters inside."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import pypdf
import pypdfium2
import pytest
from PIL import Image

from app.engine import Engine
from app.export_answer import answer_page, answer_pdf, write_export
from generation.answer import Answer
from generation.boxes import Box
from generation.media import Picture, read_image
from ingest.errors import SettingsError
from tests.scans import encoded
from tests.test_replay import SAMPLE_PDF, ask, make_engine

RULES = """# Ferry rules 渡船规定

A passenger may take two dogs, and <b>both</b> & their owner ride on the lower deck, where
there is room for them.

乘客须穿好救生衣，听从船长指挥；能见度低于三百米时停航。

Owls 🦉 ride free of charge.
"""


def squeezed(text: str) -> str:
    """Give the text without white space: lines end elsewhere in a PDF."""
    return "".join(text.split())


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return squeezed("".join(page.get_textpage().get_text_bounded() for page in document))


def answered(tmp_path: Path, question: str, said: str) -> tuple[Answer, Engine]:
    file = tmp_path / "rules.md"
    file.write_text(RULES)
    engine = make_engine(tmp_path / "home", said)
    engine.ingest("default", [file])
    return ask(engine, question), engine


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("How many dogs may a passenger take?", "A passenger may take two dogs."),
        ("能见度低于多少米时停航？", "能见度低于三百米时停航。"),
    ],
)
def test_question_answer_and_quotes_are_read_from_the_pdf_as_they_are(tmp_path: Path, question: str, said: str) -> None:
    answer, engine = answered(tmp_path, question, said)
    read = text_of(answer_pdf(answer, engine, "default"))
    quotes = [citation.quote for claim in answer.claims for citation in claim.citations]
    assert quotes
    assert [text for text in (question, answer.text, *quotes) if squeezed(text) not in read] == []


def test_markup_is_shown_as_it_was_written(tmp_path: Path) -> None:
    answer, engine = answered(tmp_path, "How many dogs may a passenger take?", "A passenger may take two dogs.")
    hostile = '<b>How</b> many & <img src="/etc/hostname"/> </para>'
    assert squeezed(hostile) in text_of(answer_pdf(replace(answer, question=hostile), engine, "default"))


def test_the_pdf_holds_its_letters_and_is_small(tmp_path: Path) -> None:
    answer, engine = answered(tmp_path, "能见度低于多少米时停航？", "能见度低于三百米时停航。")
    pdf = answer_pdf(answer, engine, "default")
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    used = {font["/BaseFont"] for font in fonts if "/FontFile2" in font.get("/FontDescriptor", {})}
    assert used and all("WenQuanYiMicroHei" in name for name in used)
    assert len(pdf) < 150_000  # the whole font has 5 MB


def test_the_same_answer_gives_the_same_pdf(tmp_path: Path) -> None:
    answer, engine = answered(tmp_path, "How many dogs may a passenger take?", "A passenger may take two dogs.")
    assert answer_pdf(answer, engine, "default") == answer_pdf(answer, engine, "default")


def test_an_unsupported_claim_is_called_so_behind_its_words_in_both(tmp_path: Path) -> None:
    said = "A passenger may take two dogs. A tram leaves for the moon at **noon**."
    answer, engine = answered(tmp_path, "How many dogs may a passenger take?", said)
    assert [claim.status for claim in answer.claims] == ["supported", "unsupported"]
    read = text_of(answer_pdf(answer, engine, "default"))
    assert "[1].Atramleavesforthemoonatnoon.(×notsupportedbyanysource)" in read
    page = answer_page(answer, engine, "default")
    assert '<span class="unsupported">A tram leaves for the moon at <strong>noon</strong>.</span>' in page
    assert '<small class="unsupported">✗ not supported by any source</small>' in page


def test_markers_that_were_put_right_and_invented_ones_are_told(tmp_path: Path) -> None:
    answer, engine = answered(tmp_path, "How many dogs may a passenger take?", "A passenger may take two dogs [9].")
    [claim] = answer.claims
    answer = replace(answer, claims=(replace(claim, corrected=("[2]",), pointed_at=(1,)),))
    told = (
        "The model's own [2] named Ferry rules 渡船规定; the words stand in source [1]:"
        " “A passenger may take two dogs.”",
        "The model also wrote markers that name no passage: [9]. They were removed.",
    )
    read, page = text_of(answer_pdf(answer, engine, "default")), answer_page(answer, engine, "default")
    assert [line for line in told if squeezed(line) not in read] == []
    assert [line for line in told if line.replace("'", "&#x27;") not in page] == []


def test_a_letter_that_the_font_lacks_is_shown_as_a_box_and_counted(tmp_path: Path) -> None:
    answer, engine = answered(tmp_path, "Do owls ride free of charge?", "Owls 🦉 ride free of charge.")
    read = text_of(answer_pdf(answer, engine, "default"))
    assert "Owls□ridefreeofcharge." in read
    assert "thatthisfilehasnoletter" in read


def test_the_page_of_a_pdf_is_shown_with_the_quote_marked(tmp_path: Path) -> None:
    shutil.copy(SAMPLE_PDF, tmp_path / "handbook.pdf")
    engine = make_engine(tmp_path / "home", "The blue key card opens Lantern Wharf and the Malt Store.")
    engine.ingest("default", [tmp_path / "handbook.pdf"])
    pdf = pypdfium2.PdfDocument(answer_pdf(ask(engine, "What does the blue key card open?"), engine, "default"))
    drawn = pdf[len(pdf) - 1].render(scale=1).to_pil().convert("RGB")
    colours = {colour for _, colour in drawn.getcolors(maxcolors=1 << 24)}
    assert any(red > 240 and green > 210 and blue < 120 for red, green, blue in colours)  # the yellow of the marker


def test_an_abstention_gives_its_reason_and_the_nearest_passages(tmp_path: Path) -> None:
    answer, engine = answered(
        tmp_path, "How many dogs may a passenger take?", "The passages do not answer this question."
    )
    assert answer.abstained
    read = text_of(answer_pdf(answer, engine, "default"))
    assert squeezed(answer.reason) in read
    assert "Thenearestpassages:Ferryrules渡船规定" in read


def test_pictures_are_exported_with_the_boxes_of_the_model(tmp_path: Path) -> None:
    answer, engine = answered(tmp_path, "How many dogs may a passenger take?", "A passenger may take two dogs.")
    media = read_image(encoded(Image.new("RGB", (40, 30), "white"), "PNG"), "sign.png")
    answer = replace(answer, pictures=(Picture(media, title="sign.png"),), boxes=(Box("a dog", 0.1, 0.1, 0.5, 0.5),))
    assert "sign.png·1adog" in text_of(answer_pdf(answer, engine, "default"))
    assert '<img alt="sign.png · 1 a dog" src="data:image/png;base64,' in answer_page(answer, engine, "default")


def test_a_document_that_is_gone_leaves_its_quote_and_says_so(tmp_path: Path) -> None:
    answer, engine = answered(tmp_path, "How many dogs may a passenger take?", "A passenger may take two dogs.")
    engine.delete_document("default", answer.claims[0].citations[0].document_id)
    read = text_of(answer_pdf(answer, engine, "default"))
    assert squeezed(answer.claims[0].citations[0].quote) in read
    assert "Thisdocumentisnolongerintheknowledgebase." in read


def test_the_ending_of_the_name_says_the_kind_of_file(tmp_path: Path) -> None:
    answer, engine = answered(tmp_path, "How many dogs may a passenger take?", "A passenger may take two dogs.")
    for name, begins in (("a.pdf", b"%PDF-"), ("a.html", b"<!DOCTYPE html>")):
        write_export(tmp_path / name, answer, engine, "default")
        assert (tmp_path / name).read_bytes().startswith(begins)
    with pytest.raises(SettingsError, match="can't be written"):
        write_export(tmp_path / "no" / "a.pdf", answer, engine, "default")
