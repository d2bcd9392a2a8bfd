"""DOCX: paragraphs, lists and tables in the order of the document."""

import io
from datetime import datetime
from pathlib import Path

import docx
import pytest

from ingest.errors import SourceError
from ingest.load import load_document
from ingest.load_docx import load_docx
from ingest.load_draft import Draft


def outline(draft: Draft) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.span.of(draft.text)) for block in draft.blocks]


def packed(document: "docx.document.Document") -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def sample() -> bytes:
    document = docx.Document()
    document.core_properties.title = "Leave policy 假期规定"
    document.core_properties.author = "Marit Solway"
    document.core_properties.modified = datetime(2025, 4, 28)
    document.add_heading("Leave policy", 0)
    document.add_paragraph("Applies to all staff.")
    document.add_heading("一、年假", 1)
    document.add_paragraph("twenty-five days", style="List Bullet")
    document.add_paragraph("五天病假", style="List Number")
    table = document.add_table(2, 2)
    for cell, text in zip([*table.rows[0].cells, *table.rows[1].cells], ["Kind", "Days", "Annual", "25"], strict=True):
        cell.text = text
    document.add_heading("Details", 2)
    document.add_paragraph("After the table.")
    return packed(document)


def test_headings_lists_and_tables_stay_in_place() -> None:
    draft = load_docx(sample(), "leave.docx")
    assert outline(draft) == [
        ("heading", 1, "Leave policy"),
        ("paragraph", 0, "Applies to all staff."),
        ("heading", 1, "一、年假"),
        ("list", 0, "- twenty-five days\n- 五天病假"),
        ("table", 0, "| Kind | Days |\n| Annual | 25 |"),
        ("heading", 2, "Details"),
        ("paragraph", 0, "After the table."),
    ]
    assert draft.title == "Leave policy 假期规定"
    assert draft.metadata == {"author": "Marit Solway", "date": "2025-04-28"}


def test_merged_cells_come_once() -> None:
    document = docx.Document()
    table = document.add_table(2, 3)
    table.cell(0, 0).merge(table.cell(0, 2)).text = "All"
    table.cell(1, 0).text, table.cell(1, 2).text = "a", "c"
    assert load_docx(packed(document), "a.docx").text == "| All |\n| a |  | c |"


def test_a_docx_with_another_suffix_is_read_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "leave.pdf"
    path.write_bytes(sample())
    assert load_document(path).metadata["format"] == "docx"


@pytest.mark.parametrize("keep", [200, 5_000, -60])
def test_a_cut_off_docx_is_named_as_damaged(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "leave.docx"
    path.write_bytes(sample()[:keep])
    with pytest.raises(SourceError, match=r"^leave\.docx is a damaged DOCX file"):
        load_document(path)


def test_a_docx_with_broken_xml_is_named_as_damaged() -> None:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sample())) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            target.writestr(name, b"<w:broken" if name == "word/document.xml" else source.read(name))
    with pytest.raises(SourceError, match=r"^leave\.docx is a damaged DOCX file"):
        load_docx(buffer.getvalue(), "leave.docx")
