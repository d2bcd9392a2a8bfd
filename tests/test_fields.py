"""A value from the wrong row or column of a table backs no claim."""

import pytest

from generation.fields import descriptions, misread, narrowed
from tests.fakes import passage

FARES = (
    "| Ticket | Line A (Sallow Point) | Line B (Ketter Island) |\n|---|---|---|\n"
    "| Single | 4.20 | 2.60 |\n| Monthly pass | 96.00 | 58.00 |"
)
RINGS = "| 码头 | 救生圈 | 救生衣 |\n|---|---|---|\n| 灯笼码头 | 8个 | 12具 |\n| 柳角码头 | 6个 | 10具 |"
GAUGE = "code: OG-03; station: Abbot's Reach; warning_m: 2.40; alarm_m: 3.05"


@pytest.mark.parametrize(
    ("claim", "quotes", "table", "reason"),
    [
        (
            "A monthly pass for the Ketter Island line costs 96 crowns.",
            ["| Monthly pass | 96.00 | 58.00 |"],
            FARES,
            "96 is the quote's Line A (Sallow Point), not its Line B (Ketter Island)",
        ),
        ("A monthly pass for the Ketter Island line costs 58.", ["| Monthly pass | 96.00 | 58.00 |"], FARES, ""),
        ("It costs 96 crowns.", ["| Monthly pass | 96.00 | 58.00 |"], FARES, ""),  # nothing shows which is meant
        ("柳角码头放了8个救生圈。", ["| 灯笼码头 | 8个 | 12具 |"], RINGS, "the quote's row is 灯笼码头, not 柳角码头"),
        ("柳角码头放了6个救生圈。", ["| 柳角码头 | 6个 | 10具 |"], RINGS, ""),
        ("A warning is given at 3.05 metres.", [GAUGE], GAUGE, "3.05 is the quote's alarm_m, not its warning_m"),
        ("A warning is given at 2.40 metres.", [GAUGE], GAUGE, ""),
        ("A single costs 4.20.", ["A single on Line A costs 4.20 crowns."], FARES, ""),  # no row is quoted
    ],
)
def test_a_row_or_column_that_the_claim_does_not_mean(claim: str, quotes: list[str], table: str, reason: str) -> None:
    assert misread(claim, "", quotes, [passage(table).chunk]) == reason


def test_a_chunk_that_begins_inside_a_table_knows_its_columns_from_the_heading() -> None:
    chunk = passage("| Monthly pass | 96.00 | 58.00 |", headings=("| Ticket | Line A | Line B |",)).chunk

    assert misread("A monthly pass on Line B costs 96.", "", ["| Monthly pass | 96.00 | 58.00 |"], [chunk]) == (
        "96 is the quote's Line A, not its Line B"
    )


_STATION = (
    "station: Abbot's Reach; installed: 2024-06-11; warning_level_m: 2.40; closing_level_m: 3.05; keeper: Femi Adair"
)


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        (
            "At what level is a warning given at Abbot's Reach?",
            "station: Abbot's Reach; warning_level_m: 2.40; keeper: Femi Adair",
        ),
        ("Who keeps Abbot's Reach?", _STATION),  # no column of numbers is asked for
        ("What are its warning level and its keeper?", _STATION),  # several things are
        ("Which level?", "station: Abbot's Reach; warning_level_m: 2.40; closing_level_m: 3.05; keeper: Femi Adair"),
    ],
)
def test_a_row_is_shown_without_the_numbers_that_are_not_asked_for(question: str, shown: str) -> None:
    assert narrowed(_STATION, question) == shown


def test_prose_is_never_narrowed() -> None:
    assert narrowed("The level is 2.40 m; a warning is given.", "At what level?") == (
        "The level is 2.40 m; a warning is given."
    )


_LINES = ["Line A: Lantern Wharf to Sallow Point", "Line B: Lantern Wharf to Ketter Island", "2. Fares"]
_PASS = "- Ticket: Monthly pass; Line A: 96.00; Line B: 58.00"


def test_headings_say_what_a_column_is_named_for() -> None:
    assert descriptions(_LINES) == {
        "Line A": "Lantern Wharf to Sallow Point",
        "Line B": "Lantern Wharf to Ketter Island",
    }


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("What is a monthly pass for the Ketter Island line?", "- Ticket: Monthly pass; Line B: 58.00"),
        ("What is a monthly pass for a line?", _PASS),  # both fit: neither letter counts as a word
    ],
)
def test_a_column_is_known_by_what_headings_say_of_it(question: str, shown: str) -> None:
    assert narrowed(_PASS, question, descriptions(_LINES)) == shown


def test_a_value_from_a_column_that_headings_tell_apart_backs_no_claim() -> None:
    table = "| Ticket | Line A | Line B |\n|---|---|---|\n| Monthly pass | 96.00 | 58.00 |"
    claim, quotes = "A pass for the Ketter Island line costs 96.", ["| Monthly pass | 96.00 | 58.00 |"]

    assert misread(claim, "", quotes, [passage(table).chunk], descriptions(_LINES)) == (
        "96 is the quote's Line A, not its Line B"
    )
