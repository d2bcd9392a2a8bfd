"""The newer edition of a text comes first, unless the question looks back."""

from datetime import date

import pytest

from retrieval.editions import Dated, EditionConfig, Newer, looks_back, newest_first, which_is_newer
from retrieval.retrieval import Hit
from tests.fakes import passage

_OLD = "Every member has 20 days of paid annual leave in a calendar year."
_NEW = "Every member has 25 days of paid annual leave in a calendar year."


def _order(question: str, *hits: Hit) -> list[tuple[int, str, str]]:
    return [(h.rank, h.source, h.newer_edition) for h in newest_first(hits, question, EditionConfig())]


def test_the_newer_edition_takes_the_place_of_the_older() -> None:
    hits = (
        passage(_OLD, 1, source="hr/leave-policy-2023.md"),
        passage("The kiosk sells tea.", 2, source="kiosk.md"),
        passage(_NEW, 3, source="hr/leave_policy_2025.docx"),
    )

    assert _order("How many days of leave does a member get?", *hits) == [
        (1, "hr/leave_policy_2025.docx", ""),
        (2, "hr/leave-policy-2023.md", "hr/leave_policy_2025.docx"),
        (3, "kiosk.md", ""),
    ]


@pytest.mark.parametrize(
    "question",
    ["How many days of leave did the 2023 policy give?", "How many days did members get before?", "以前有多少天年假？"],
)
def test_a_question_that_looks_back_leaves_the_order(question: str) -> None:
    hits = (passage(_OLD, 1, source="leave-2023.md"), passage(_NEW, 2, source="leave-2025.md"))

    assert _order(question, *hits) == [(1, "leave-2023.md", ""), (2, "leave-2025.md", "")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("leave-2023.md", "travel-2025.md"),  # another document
        ("leave.md", "leave-2025.md"),  # one has no edition
        ("2023.md", "2025.md"),  # nothing but years
    ],
)
def test_other_documents_are_no_editions(first: str, second: str) -> None:
    hits = (passage(_OLD, 1, source=first), passage(_NEW, 2, source=second))

    assert _order("How many days of leave?", *hits) == [(1, first, ""), (2, second, "")]


def test_minutes_of_two_meetings_are_no_editions_of_one_text() -> None:
    hits = (
        passage("The fare rise was voted down.", 1, source="minutes-2025-01-21.txt"),
        passage("A new boiler is to be bought.", 2, source="minutes-2025-03-18.txt"),
    )

    assert [source for _, source, _ in _order("Was the fare rise accepted?", *hits)] == [
        "minutes-2025-01-21.txt",
        "minutes-2025-03-18.txt",
    ]


@pytest.mark.parametrize(
    ("older", "newer"), [("spec v1.9.md", "spec v1.10.md"), ("规定（2020年版）.docx", "规定（2024年版）.docx")]
)
def test_versions_count_as_numbers(older: str, newer: str) -> None:
    hits = (passage(_OLD, 1, source=older), passage(_NEW, 2, source=newer))

    assert _order("How many days of leave?", *hits)[0] == (1, newer, "")


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        (("spec v1.10.md", Dated()), ("spec v1.9.md", Dated()), Newer("one", "v1.10", "v1.9")),
        (("leave-2023.md", Dated()), ("letter.md", Dated(date(2025, 3, 1))), Newer("other", "2023", "2025-03-01")),
        # The year of the title counts, not the day on which the PDF was made.
        (
            ("report-2023.pdf", Dated(date(2025, 3, 1))),
            ("letter.md", Dated(date(2024, 1, 1))),
            Newer("other", "2023", "2024-01-01"),
        ),
        (("a-2025.md", Dated()), ("b.md", Dated(date(2025, 3, 1))), Newer("unknown", "2025", "2025-03-01")),
        (
            ("a.md", Dated(None, date(2025, 3, 1))),
            ("b.md", Dated(None, date(2024, 3, 1))),
            Newer("one", "2025-03-01", "2024-03-01", by_file=True),
        ),
        (
            ("a.md", Dated(None, date(2025, 3, 1))),
            ("b.md", Dated(None, date(2025, 3, 1))),
            Newer("unknown", "2025-03-01", "2025-03-01"),
        ),
        # A file's date says no more than that its text is no younger.
        (
            ("a-2024.md", Dated()),
            ("b.md", Dated(None, date(2023, 5, 1))),
            Newer("one", "2024", "2023-05-01", by_file=True),
        ),
        (("a-2024.md", Dated()), ("b.md", Dated(None, date(2025, 5, 1))), Newer("unknown", "2024", "")),
        (("a.md", Dated()), ("b.md", Dated()), Newer("unknown", "", "")),
    ],
)
def test_which_of_two_is_newer(one: tuple[str, Dated], other: tuple[str, Dated], newer: Newer) -> None:
    hits = [passage(_OLD, source=source) for source, _ in (one, other)]

    assert which_is_newer(*hits, one[1], other[1]) == newer


@pytest.mark.parametrize("question", ["How long before departure must cars be in lane?", "How old must a child be?"])
def test_before_and_old_alone_do_not_look_back(question: str) -> None:
    assert not looks_back(question)
