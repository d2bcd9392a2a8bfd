"""Tables as a model reads them."""

from generation.tables import spell_out_tables

FARES = "Fares in crowns\n\n| Ticket | Line A | Line B |\n| Single | 4.20 | 2.60 |\n\nDogs travel free."


def test_a_row_names_its_columns() -> None:
    assert spell_out_tables(FARES) == (
        "Fares in crowns\n\n| Ticket | Line A | Line B |\n- Ticket: Single; Line A: 4.20; Line B: 2.60\n\n"
        "Dogs travel free."
    )


def test_a_markdown_rule_below_the_header_is_left_out() -> None:
    assert spell_out_tables("| A | B | C |\n|---|:-:|---|\n| 1 | 2 | 3 |") == "| A | B | C |\n- A: 1; B: 2; C: 3"


def test_a_chunk_that_begins_inside_a_table_takes_the_header_from_its_headings() -> None:
    headings = ("Timetable", "| Ticket | Line A | Line B |")
    assert spell_out_tables("| Return | 7.60 | 4.80 |", headings) == "- Ticket: Return; Line A: 7.60; Line B: 4.80"


def test_two_columns_a_ragged_row_and_plain_text_stay_as_they_are() -> None:
    for text in ("| Item | Price |\n| Dog | 2 |", "| A | B | C |\n| 1 | 2 |", "a | b in a sentence", ""):
        assert spell_out_tables(text) == text
