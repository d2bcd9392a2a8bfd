"""How a page that is printed under another number is named to users, in both languages and on the command line."""

from app.ordinal import ordinal
from app.page_parts.texts_en import ENGLISH
from app.page_parts.texts_zh import CHINESE
from app.views import retrieval_lines
from ingest.document import Chunk, Span
from retrieval.retrieval import Hit, Retrieval


def test_ordinals_are_as_they_are_said() -> None:
    numbers = (1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111)
    assert [ordinal(number) for number in numbers] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "103rd", "111th",
    ]  # fmt: skip


def test_a_page_is_named_as_printed_with_its_place_in_the_file() -> None:
    assert ENGLISH.place("Handbook", 6, "iv", None) == "Handbook, page iv (6th)"
    assert CHINESE.place("手册", 6, "iv", None) == "手册，第 iv 页（文件第 6 页）"
    assert ENGLISH.place("Handbook", 6, "", None) == "Handbook, page 6"
    assert ENGLISH.place("Notes", None, "", None) == "Notes"


def test_the_command_line_names_the_printed_page() -> None:
    chunk = Chunk("c", "d", Span(0, 6), "Words.", page=6)
    hit = Hit(chunk, "handbook.pdf", "Handbook", 1, 0.5, {}, page_label="iv")
    retrieval = Retrieval("Which?", ("Which?",), (hit,), (), (), "digest")
    assert retrieval_lines(retrieval, explain=False) == [
        "1. Handbook, page iv (6th)  0.500  handbook.pdf",
        "   Words.",
        "",
    ]
