"""Tables as a model reads them."""

from generation.tables import spelled_lines

FARES = "Fares in crowns\n\n| Ticket | Line A | Line B |\n| Single | 4.20 | 2.60 |\n\nDogs travel free."


def test_a_row_names_its_columns() -> None:
    assert spelled_lines(FARES) == [
        "Fares in crowns",
        "",
        "| Ticket | Line A | Line B |",
        "- Ticket: Single; Line A: 4.20; Line B: 2.60",
        "",
        "Dogs travel free.",
    ]


def test_a_markdown_rule_below_the_header_becomes_an_empty_line() -> None:
    table = "| A | B | C |\n|---|:-:|---|\n| 1 | 2 | 3 |"
    assert spelled_lines(table) == ["| A | B | C |", "", "- A: 1; B: 2; C: 3"]


def test_a_chunk_that_begins_inside_a_table_takes_the_header_from_its_headings() -> None:
    headings = ("Timetable", "| Ticket | Line A | Line B |")
    assert spelled_lines("| Return | 7.60 | 4.80 |", headings) == ["- Ticket: Return; Line A: 7.60; Line B: 4.80"]


def test_two_columns_a_ragged_row_and_plain_text_stay_as_they_are() -> None:
    for text in ("| Item | Price |\n| Dog | 2 |", "| A | B | C |\n| 1 | 2 |", "a | b in a sentence", ""):
        assert spelled_lines(text) == text.split("\n")
