"""Workbooks: rows that carry their column names, values as a person sees them, sheets as pages."""

import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook

from ingest import load_xlsx as xlsx
from ingest.cell_format import Value, shown_value
from ingest.document import Document
from ingest.errors import SourceError
from ingest.load import load_document


def load(workbook: Workbook, folder: Path) -> Document:
    workbook.save(folder / "book.xlsx")
    return load_document(folder / "book.xlsx")


def blocks(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, block.span.of(document.text)) for block in document.blocks]


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (0.1234, "0.0%", "12.3%"),
        (0.5, "0%", "50%"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (1234.5, '"$"#,##0.00', "$1,234.50"),
        (1234.5, "[$€-407] #,##0.00", "€ 1,234.50"),
        (-42.0, "#,##0;(#,##0)", "(42)"),
        (-42.0, "0.0", "-42.0"),
        (0.0, '0;-0;"none"', "none"),
        (1500000.0, '0.0,,"M"', "1.5M"),
        (7.0, "000", "007"),
        (12345.678, "0.00E+00", "1.23E+04"),
        (0.1 + 0.2, "General", "0.3"),
        (2.675, "0.00", "2.68"),
        (3.0, "General", "3"),
        (25, '0 "days"', "25 days"),
        (True, "General", "TRUE"),
        (datetime(2025, 3, 7), "mm-dd-yy", "2025-03-07"),
        (datetime(2025, 3, 7), "d mmmm yyyy", "7 March 2025"),
        (datetime(2025, 3, 7), "dd/mm/yyyy", "07/03/2025"),
        (datetime(2025, 3, 7), 'yyyy"年"m"月"d"日"', "2025年3月7日"),
        (datetime(2025, 3, 7, 15, 4, 5), "yyyy-mm-dd hh:mm", "2025-03-07 15:04"),
        (datetime(2025, 3, 7, 15, 4), "h:mm AM/PM", "3:04 PM"),
        (date(2025, 3, 7), "General", "2025-03-07"),
        (time(9, 5), "h:mm", "9:05"),
        (timedelta(hours=26, minutes=5), "[h]:mm", "26:05"),
    ],
)
def test_a_value_reads_as_its_format_shows_it(value: Value, number_format: str, shown: str) -> None:
    assert shown_value(value, number_format) == shown


def test_each_row_names_its_columns_and_each_sheet_is_a_page(tmp_path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "Fares"
    sheet.append(["Line", "Fare", "From", "Share"])
    sheet.append(["Red", 4.2, datetime(2025, 3, 1), 0.25])
    sheet["B2"].number_format, sheet["C2"].number_format, sheet["D2"].number_format = '"$"0.00', "yyyy-mm-dd", "0%"
    hidden = workbook.create_sheet("定价")
    hidden.sheet_state = "hidden"
    hidden.append(["线路", "票价"])
    hidden.append(["红线", 4])
    document = load(workbook, tmp_path)
    assert blocks(document) == [
        ("heading", "Fares"),
        ("table", "Line: Red; Fare: $4.20; From: 2025-03-01; Share: 25%"),
        ("heading", "定价 (hidden sheet)"),
        ("table", "线路: 红线; 票价: 4"),
    ]
    assert [(page.number, page.label) for page in document.pages] == [(1, "Fares"), (2, "定价")]
    assert document.page_at(document.text.index("红线")) == 2
    assert (document.metadata["hidden_sheets"], document.metadata["rows"]) == ("定价", "4")


def test_titles_merged_headers_and_years_name_columns(tmp_path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    for row in (
        ["Results in millions"],
        [None, "Revenue", None, "Cost", None],
        ["Region", 2023, 2024, 2023, 2024],
        ["North", 1, 2, 3, 4],
        [None, 5, 6, 7, 8],
    ):
        sheet.append(row)
    sheet.merge_cells("A1:E1")
    sheet.merge_cells("B2:C2")
    sheet.merge_cells("D2:E2")
    sheet.merge_cells("A4:A5")
    assert blocks(load(workbook, tmp_path))[1:] == [
        ("paragraph", "Results in millions"),
        (
            "table",
            "Region: North; Revenue 2023: 1; Revenue 2024: 2; Cost 2023: 3; Cost 2024: 4\n"
            "Region: North; Revenue 2023: 5; Revenue 2024: 6; Cost 2023: 7; Cost 2024: 8",
        ),
    ]


def test_several_tables_on_a_sheet_stay_apart_and_a_gap_keeps_the_names(tmp_path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    for row in (
        ["Line", "Fare", None, "Dock", "Boats"],
        ["Red", 4, None, "East", 2],
        [],
        ["Blue", 5],
        [],
        [],
        ["Year", "Riders"],
        ["2024", 900],
    ):
        sheet.append(row)
    assert blocks(load(workbook, tmp_path))[1:] == [
        ("table", "Line: Red; Fare: 4"),
        ("table", "Dock: East; Boats: 2"),
        ("table", "Line: Blue; Fare: 5"),
        ("table", "Year: 2024; Riders: 900"),
    ]


def test_names_with_their_values_are_told_from_two_columns(tmp_path: Path) -> None:
    workbook = Workbook()
    for row in (["Boat:", "Grey Heron"], ["Seats:", 48], ["Captain:", "Ilse Brandt"], ["Built:", 1998]):
        workbook.active.append(row)
    table = workbook.create_sheet("Fares")
    for row in (["Line", "Fare"], ["Red", 4], ["Blue", 5], ["Green", 6]):
        table.append(row)
    assert [words for kind, words in blocks(load(workbook, tmp_path)) if kind == "table"] == [
        "Boat: Grey Heron\nSeats: 48\nCaptain: Ilse Brandt\nBuilt: 1998",
        "Line: Red; Fare: 4\nLine: Blue; Fare: 5\nLine: Green; Fare: 6",
    ]


def test_formulas_that_were_never_calculated_are_counted(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.active.append(["Line", "Fare"])
    workbook.active.append(["Red", "=2*2.1"])
    workbook.active.append(["Blue", "=1+1"])
    document = load(workbook, tmp_path)
    assert document.text == "Sheet\n\nLine: Red\nLine: Blue"
    assert document.metadata["formulas_without_values"] == "2"


def test_the_value_last_calculated_is_what_a_formula_says(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.active.append(["Line", "Fare"])
    workbook.active.append(["Red", "=2*2.1"])
    workbook.save(tmp_path / "raw.xlsx")
    with zipfile.ZipFile(tmp_path / "raw.xlsx") as before, zipfile.ZipFile(tmp_path / "book.xlsx", "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name).replace(b"<f>2*2.1</f><v></v>", b"<f>2*2.1</f><v>4.2</v>"))
    assert load_document(tmp_path / "book.xlsx").text == "Sheet\n\nLine: Red; Fare: 4.2"


def test_a_huge_workbook_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MAX_CELLS", 3)
    workbook = Workbook()
    workbook.active.append(["a", "b", "c", "d"])
    with pytest.raises(SourceError, match=r"^book\.xlsx holds more than 3 cells; save the sheets that matter"):
        load(workbook, tmp_path)


def test_an_opendocument_sheet_reads_like_a_workbook(tmp_path: Path) -> None:
    cell = "<table:table-cell {more}><text:p>{text}</text:p></table:table-cell>"
    rows = (("Line", "Fare"), ("红线", "$4.20"))
    body = "".join(
        f"<table:table-row>{''.join(cell.format(text=text, more='') for text in row)}"
        '<table:table-cell table:number-columns-repeated="16382"/></table:table-row>'
        for row in rows
    )
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="Fares">{body}<table:table-row table:number-rows-repeated="1048574">'
        "<table:table-cell/></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(tmp_path / "book.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    document = load_document(tmp_path / "book.ods")
    assert document.text == "Fares\n\nLine: 红线; Fare: $4.20"
    assert document.pages[0].label == "Fares"
