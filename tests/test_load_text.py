"""Plain text, Markdown and CSV: the source's own words, with their structure."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.document import Document
from ingest.load import load_document
from ingest.load_csv import load_csv
from ingest.load_draft import Draft
from ingest.load_html import load_html
from ingest.load_markdown import load_markdown
from ingest.load_text import load_large_text, load_text


def outline(draft: Draft | Document) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.span.of(draft.text)) for block in draft.blocks]


def test_markdown_text_is_the_source_itself() -> None:
    source = (
        "# Guide\n\nFirst *paragraph*,\nwrapped.\n\n- one\n- two\n  - three\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nx = 1\n\ny = 2\n```\n"
    )
    draft = load_markdown(source)
    assert draft.text == source
    assert draft.title == "Guide"
    assert outline(draft) == [
        ("heading", 1, "# Guide"),
        ("paragraph", 0, "First *paragraph*,\nwrapped."),
        ("list", 0, "- one\n- two\n  - three"),
        ("table", 0, "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("code", 0, "```py\nx = 1\n\ny = 2\n```"),
    ]


def test_markdown_front_matter_becomes_metadata() -> None:
    draft = load_markdown(
        "---\ntitle: 年度报告\nauthor: 'Ada L.'\ntags: [a, b]\ndate: 2025-02-01\n---\n\n## Part\n\nText.\n"
    )
    assert draft.title == "年度报告"
    assert draft.metadata == {"author": "Ada L.", "tags": "[a, b]", "date": "2025-02-01"}
    assert outline(draft) == [("heading", 2, "## Part"), ("paragraph", 0, "Text.")]


def test_markdown_knows_underlined_headings_and_leaves_code_alone() -> None:
    draft = load_markdown("Title\n=====\n\n    # not a heading\n\nSub\n---\ntext")
    assert outline(draft) == [
        ("heading", 1, "Title\n====="),
        ("code", 0, "# not a heading"),
        ("heading", 2, "Sub\n---"),
        ("paragraph", 0, "text"),
    ]


def test_a_line_of_dashes_alone_is_no_front_matter() -> None:
    assert load_markdown("---\n\nText.\n").text == "---\n\nText.\n"


def test_text_headings_show_by_underline_number_or_chapter() -> None:
    text = (
        "FERRY RULES\n\nOverview\n========\n\nText one.\n\nDetails\n-------\nText two.\n\n"
        "1.2 Fares and times\n\nText three.\n\n第三章 票价\n\n票价见下表。\n"
    )
    assert outline(load_text(text)) == [
        ("heading", 1, "FERRY RULES"),
        ("heading", 1, "Overview\n========"),
        ("paragraph", 0, "Text one."),
        ("heading", 2, "Details\n-------"),
        ("paragraph", 0, "Text two."),
        ("heading", 2, "1.2 Fares and times"),
        ("paragraph", 0, "Text three."),
        ("heading", 1, "第三章 票价"),
        ("paragraph", 0, "票价见下表。"),
    ]


def test_numbered_lines_without_text_between_are_a_list() -> None:
    assert outline(load_text("1. Apples\n2. Pears\n3. Plums\n\nEat them.\n")) == [
        ("list", 0, "1. Apples\n2. Pears\n3. Plums"),
        ("paragraph", 0, "Eat them."),
    ]


def test_chinese_sections_and_items_on_lines_of_their_own() -> None:
    text = (
        "一、适用范围\n本规定适用于全体船员，包括季节工。\n二、证书\n（一）急救证：三年。\n（二）船长证：长期有效。\n"
    )
    assert outline(load_text(text)) == [
        ("heading", 2, "一、适用范围"),
        ("paragraph", 0, "本规定适用于全体船员，包括季节工。"),
        ("heading", 2, "二、证书"),
        ("list", 0, "（一）急救证：三年。\n（二）船长证：长期有效。"),
    ]


def test_restructured_text_levels_follow_the_order_of_marks() -> None:
    text = "====\nBook\n====\n\nPart\n====\n\nChapter\n~~~~~~~\n\nText.\n\nOther part\n==========\n"
    assert [(level, heading.split("\n")[-2]) for _, level, heading in outline(load_text(text)) if level] == [
        (1, "Book"),
        (2, "Part"),
        (3, "Chapter"),
        (2, "Other part"),
    ]


def test_csv_rows_name_their_columns() -> None:
    draft = load_csv('Name,Year,Note\nOakes,1998,"big, old"\nWren,2021,\n', "fleet.csv")
    assert draft.text == "Name: Oakes; Year: 1998; Note: big, old\nName: Wren; Year: 2021"
    assert outline(draft) == [("table", 0, draft.text)]
    assert draft.metadata == {"columns": "Name; Year; Note", "rows": "2"}


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_csv_dialects_are_told_apart(delimiter: str) -> None:
    text = f"船名{delimiter}座位\n耐心橡号{delimiter}96\n"
    assert load_csv(text, "a.tsv" if delimiter == "\t" else "a.csv").text == "船名: 耐心橡号; 座位: 96"


def test_csv_without_a_header_keeps_every_row() -> None:
    assert load_csv("1,2\n3,4\n", "a.csv").text == "1; 2\n3; 4"


def test_csv_cells_with_line_breaks_stay_in_their_row() -> None:
    assert load_csv('a,b\n"x\ny",z\n', "a.csv").text == "a: x y; b: z"


def test_line_ends_and_control_characters_are_tidied(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\r\ntwo\rthree\x00four\x0b\n")
    assert load_document(path).text == "one\ntwo\nthree four \n"


MARKUP = st.text(alphabet="ab中。.#-*|=>`~ \n\t1<p>/h&;:_[](){}\u3000一、第章", max_size=200)


@settings(max_examples=150, deadline=None)
@given(MARKUP)
def test_blocks_are_ordered_disjoint_and_inside_whatever_the_text(text: str) -> None:
    for draft in (load_text(text), load_markdown(text), load_html(text), load_csv(text.replace('"', ""), "a.csv")):
        end = 0
        for block in draft.blocks:
            assert end <= block.span.start < block.span.end <= len(draft.text)
            assert block.span.of(draft.text).strip()
            end = block.span.end
        draft.text.encode("utf-8")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([".txt", ".md", ".html", ".csv", ".rst"]))
def test_any_bytes_give_a_document_or_a_named_reason(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    from ingest.errors import SourceError

    path = tmp_path_factory.mktemp("any") / f"some{suffix}"
    path.write_bytes(data)
    try:
        document = load_document(path)
    except SourceError as error:
        assert str(error).startswith(f"some{suffix} ")
    else:
        document.text.encode("utf-8")
        assert "\x00" not in document.text


def test_a_text_too_large_for_structure_becomes_pieces_that_hold_every_word() -> None:
    text = "# No heading here\r\n" + "The ferry leaves at nine. 船开了。\n\n" * 500 + "x" * 9000

    draft = load_large_text(text)

    assert draft.text == text.replace("\r\n", "\n")
    assert {block.kind for block in draft.blocks} == {"paragraph"}
    assert max(len(block.span) for block in draft.blocks) <= 4000
    pieces = [block.span.of(draft.text) for block in draft.blocks]
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert pieces[0].endswith("船开了。")  # cut at a blank line
