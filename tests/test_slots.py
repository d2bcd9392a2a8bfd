"""A number or name in the place of another one is seen, though it stands elsewhere in the passages."""

import pytest

from generation.better_sentence import better_sentence
from generation.matching import Weights
from generation.slots import misplaced
from generation.substitution import substituted

_PASSAGES = (
    "In 1929 the old mill at Lantern Wharf was rebuilt by Ivo Tarn with 5 floors. In 1951 the ferry house was rebuilt"
    " by Marit Solway. The gate has 7 bolts.\n古监狱保存了3座中世纪的塔楼：凯撒塔得名于古罗马皇帝。城墙有5座大门。"
)


@pytest.mark.parametrize(
    ("claim", "question", "reason"),
    [
        (
            "In 1951 the old mill at Lantern Wharf was rebuilt.",
            "When was the mill rebuilt?",
            "the passage says 1929, not 1951",
        ),
        (
            "The old mill at Lantern Wharf was rebuilt by Marit Solway with 5 floors.",
            "Who rebuilt the mill?",
            "the passage says Ivo Tarn, not Marit Solway",
        ),
        (
            "The mill at Lantern Wharf was rebuilt by Ivo Tarn with 7 floors.",
            "How many floors?",
            "the passage says 5, not 7",
        ),
        ("古监狱保存了5座中世纪的塔楼。", "古监狱保存了几座塔楼？", "the passage says 3, not 5"),
        (
            "By 1951 the old weir was repaired.",
            "What was done by 1929 the old weir being broken?",
            "the question says 1929, not 1951",
        ),
        (
            "灯笼码头的最低法院在1929年开放。",
            "灯笼码头的最高法院在哪一年开放？",
            "the question says the opposite (最低 / 最高)",
        ),
    ],
)
def test_what_stands_in_anothers_place_is_named(claim: str, question: str, reason: str) -> None:
    assert misplaced(claim, _PASSAGES, question) == reason


@pytest.mark.parametrize(
    ("claim", "question"),
    [
        ("The old mill at Lantern Wharf was rebuilt by Ivo Tarn in 1929.", "Who rebuilt the mill?"),
        ("In 1951 the ferry house was rebuilt by Marit Solway.", "Who rebuilt the ferry house?"),
        ("The mill has 5 floors, and the gate 7 bolts.", "How many floors and bolts are there?"),
        ("The old mill at Lantern Wharf was rebuilt by Mr. Tarn with five floors.", "Who rebuilt the mill?"),
        ("古监狱有3座塔楼，城墙有5座大门。", "有几座塔楼，几座大门？"),
    ],
)
def test_what_is_said_is_in_its_place(claim: str, question: str) -> None:
    assert misplaced(claim, _PASSAGES, question) == ""


def test_a_value_is_not_taken_from_a_sentence_on_something_else() -> None:
    passages = "Ostrel prison\nThe old prison keeps 3 medieval towers.\nPeople settled here in the 5th century."
    quote = "People settled here in the 5th century."

    reason = better_sentence("The old prison keeps 5 medieval towers.", [quote], passages, "", Weights({}, 1))

    assert reason == "the sentence that speaks of it says 3, not 5"


def test_what_the_title_says_a_sentence_may_leave_out() -> None:
    passages = "Ostrel prison\nIt was built in 1988.\nOstrel prison was painted in 1993."

    assert better_sentence("1988", ["It was built in 1988."], passages, "When was it built?", Weights({}, 1)) == ""


def test_an_adverb_before_a_name_makes_no_other_name_of_it() -> None:
    passages = "Melbourne\nTraditionally, Labor is strongest in Melbourne's working class suburbs."
    claim = "The Australian Labor Party (ALP) is strongest in Melbourne's working class suburbs."

    assert misplaced(claim, passages, "What political party is strongest in Melbourne's working class suburbs?") == ""


_TWO_YEARS = "2024年，合作社全年运送乘客412,600人次，比2023年的389,150人次增长约6%。"


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("2023年全年运送乘客389,150人次。", ""),
        ("2024年全年运送乘客389,150人次。", "the passage says 412,600, not 389,150"),
    ],
)
def test_a_value_with_its_own_year_beside_it_stands_in_no_other_ones_place(claim: str, reason: str) -> None:
    assert misplaced(claim, _TWO_YEARS, "那前一年呢？") == reason


def test_a_form_of_address_is_no_other_name() -> None:
    quote = "On a secret ballot Mr Rook was elected by 4 votes to 3."

    assert substituted("Anselm Rook was elected by 4 votes to 3.", [quote], "By how many votes?", quote) == ""
    assert substituted("Anselm Vale was elected by 4 votes to 3.", [quote], "By how many votes?", quote) != ""
