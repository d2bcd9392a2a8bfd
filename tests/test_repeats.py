"""Repeats: what adds nothing is left out, what differs in a number, a name or a "not" never is."""

import pytest

from ingest.document import Chunk, Span, document_id
from retrieval.repeats import RepeatConfig, Repeats


def chunk(text: str, source: str = "a.md", headings: tuple[str, ...] = ()) -> Chunk:
    return Chunk(f"{source}:{text[:9]}", document_id(source), Span(0, len(text)), text, headings)


def repeated(text: str, kept: str, *, source: str = "b.md", kept_source: str = "a.md") -> str:
    repeats = Repeats(RepeatConfig())
    repeats.add(chunk(kept, kept_source), kept_source)
    return repeats.repeated_by(chunk(text, source), source)


HARBOUR = (
    "The harbour office is open from eight to four on weekdays. Boats longer than 12 metres register at the pier"
    " before they leave, and the fee is paid in cash or by card."
)
PORT_ZH = "港务处工作日八点至十六点办公。长度超过12米的船只出港前须在码头登记，费用可用现金或银行卡支付。"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (HARBOUR.replace(". Boats", ".\n\n- Boats").upper().replace("12", "１２"), HARBOUR),
        (HARBOUR.replace("the fee", "a fee").replace(", and", " and"), HARBOUR),
        (HARBOUR, f"Opening hours and fees\n\n{HARBOUR} Ask for Mira."),
        (PORT_ZH.replace("。", "。\n").replace("12", "１２").replace("，", ","), PORT_ZH),
        (PORT_ZH, f"办公时间\n{PORT_ZH}请联系米拉。"),
    ],
)
def test_other_layout_width_case_and_little_words_make_a_repeat(text: str, kept: str) -> None:
    assert repeated(text, kept) == "says nothing that the chunk in place 1 (a.md) doesn't say"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (HARBOUR.replace("12", "15"), HARBOUR),
        (HARBOUR.replace("eight to four", "four to eight"), HARBOUR),
        (HARBOUR.replace("before", "after"), HARBOUR),
        (HARBOUR.replace("register", "don't register"), HARBOUR),
        (HARBOUR.replace("pier", "lock"), HARBOUR),
        (HARBOUR.replace("pier", "pier B"), HARBOUR.replace("pier", "pier C")),
        (f"{HARBOUR} Ask for Mira.", HARBOUR),
        (PORT_ZH.replace("12", "15"), PORT_ZH),
        (PORT_ZH.replace("十六", "十七"), PORT_ZH),
        (PORT_ZH.replace("须", "无须"), PORT_ZH),
        (PORT_ZH.replace("出港前", "出港后"), PORT_ZH),
        (PORT_ZH.replace("码头", "船闸"), PORT_ZH),
        ("The limit is 20,000.", "The limit is 25,000."),
        ("限额为20,000元。", "限额为25,000元。"),
        ("Who leads the harbour office?", HARBOUR),
    ],
)
def test_what_differs_in_substance_stays(text: str, kept: str) -> None:
    assert repeated(text, kept) == ""


def test_the_same_words_under_another_heading_of_their_own_stay_apart_only_when_something_else_differs() -> None:
    repeats = Repeats(RepeatConfig())
    repeats.add(chunk(HARBOUR, "a.md", ("Guide", "Line A")), "a.md")
    other = chunk(HARBOUR.replace("the fee", "a fee"), "b.md", ("Guide", "Line B"))
    assert repeats.repeated_by(other, "b.md") == ""


def test_editions_of_one_document_both_stay() -> None:
    text = HARBOUR.replace("the fee", "a fee")
    assert repeated(text, HARBOUR, source="rules-2025.md", kept_source="rules-2023.md") == ""
    assert repeated(text, HARBOUR, source="rules-2025.md", kept_source="rules-copy.md") != ""


def test_equal_words_are_named_by_their_place_even_when_all_places_are_taken() -> None:
    repeats = Repeats(RepeatConfig())
    repeats.add(chunk("Something else."), "a.md")
    repeats.add(chunk(HARBOUR), "a.md")
    assert repeats.repeated_by(chunk(HARBOUR.lower()), "b.md", only_same_words=True) == (
        "says the same as the chunk in place 2"
    )
    assert repeats.repeated_by(chunk(HARBOUR.replace("the fee", "a fee")), "b.md", only_same_words=True) == ""


def test_above_one_the_threshold_leaves_only_equal_words() -> None:
    repeats = Repeats(RepeatConfig(least_shared=1.01))
    repeats.add(chunk(HARBOUR), "a.md")
    assert repeats.repeated_by(chunk(HARBOUR.replace("the fee", "a fee")), "b.md") == ""
