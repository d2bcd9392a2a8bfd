"""Claims and markers: what is shown, what is cut out, and that nothing depends on where a stream was cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.claims import ClaimEnd, ClaimStream, Marker, MarkerStream, claims_in, markers_in, without_markers


def _claims(text: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(claim.text, tuple(n for m in claim.markers for n in m.numbers)) for claim in claims_in(text)]


@pytest.mark.parametrize(
    ("raw", "numbers"),
    [
        ("[1]", (1,)),
        ("[1, 2]", (1, 2)),
        ("[1，2、3]", (1, 2, 3)),
        ("[1-3]", (1, 2, 3)),
        ("[2–4]", (2, 3, 4)),
        ("【1】", (1,)),
        ("［12］", (12,)),
        ("〔3〕", (3,)),
        ("[ID:1]", (1,)),
        ("[ID: 1, ID: 4]", (1, 4)),
        ("[Passage 2]", (2,)),
        ("[passages 1 and 2]", (1, 2)),
        ("[资料1]", (1,)),
        ("【来源：2】", (2,)),
        ("(Passage 1)", (1,)),
        ("（资料2）", (2,)),
        ("[^1]", (1,)),
    ],
)
def test_every_way_to_write_a_marker_is_read(raw: str, numbers: tuple[int, ...]) -> None:
    assert markers_in(f"a {raw} b") == [Marker(raw, numbers)]


@pytest.mark.parametrize(
    "text",
    ["(1)", "[a]", "[2023]", "[1", "1]", "[]", "[note 1]", "f(x) [x1]", "（一）", "see [the rules]", "[1 apple]"],
)
def test_what_is_no_marker_stays_in_the_text(text: str) -> None:
    assert (markers_in(text), without_markers(text)) == ([], text)


def test_markers_in_code_are_code() -> None:
    text = "Use `a[1]` here.\n```\nx = a[1]. b[2]\n```\nThat works [2]."

    assert without_markers(text) == "Use `a[1]` here.\n```\nx = a[1]. b[2]\n```\nThat works."
    assert _claims(text) == [("Use `a[1]` here.", ()), ("That works.", (2,))]


def test_sentences_are_claims_and_a_marker_after_the_full_stop_belongs_to_the_sentence_before() -> None:
    assert _claims("Leave is 25 days. [1] Dr. Wu may give 3.5 more [2][3]. It ends in May.[4]") == [
        ("Leave is 25 days.", (1,)),
        ("Dr. Wu may give 3.5 more.", (2, 3)),
        ("It ends in May.", (4,)),
    ]


def test_chinese_sentences_are_claims() -> None:
    assert _claims("年假为25天【1】。满五年后为30天。[2]") == [("年假为25天。", (1,)), ("满五年后为30天。", (2,))]


def test_list_items_are_claims_without_their_bullets_and_lead_ins_are_none() -> None:
    assert _claims("There are two kinds:\n- annual leave [1]\n2. sick leave [2]\n\n# Notes\n") == [
        ("annual leave", (1,)),
        ("sick leave", (2,)),
    ]


def test_a_marker_that_opens_a_line_belongs_to_the_sentence_after_it() -> None:
    assert (_claims("[2] Leave is 25 days."), without_markers("[2] Leave is 25 days.")) == (
        [("Leave is 25 days.", (2,))],
        "Leave is 25 days.",
    )


def test_commas_between_markers_go_with_them() -> None:
    assert without_markers("Leave is 25 days [1], [2] and [3].") == "Leave is 25 days."
    assert without_markers("Leave is 25 days. [1], [2]") == "Leave is 25 days."


def test_words_between_markers_stay() -> None:
    assert without_markers("Leave [1], and pay [2] and rest [3] are fixed.") == "Leave, and pay and rest are fixed."


def test_the_last_punctuation_follows_the_markers() -> None:
    assert claims_in("Leave is 25 days [1].") == [ClaimEnd("Leave is 25 days.", (Marker("[1]", (1,)),), ".")]
    assert claims_in("年假为25天[1]。”") == [ClaimEnd("年假为25天。”", (Marker("[1]", (1,)),), "。”")]


_PIECES = st.lists(
    st.sampled_from(
        ["[1]", "[", "]", "【2】", "[1, 2]", "(Passage 3)", "(", ")", " ", "\n", ". ", "。", "1", "23", "`", "```\n",
         "Leave is 25 days", "Dr. Wu", "年假为25天", "- ", "1. ", ":", ",", " and ", "e.g.", "?", "\"", "**"]
    ),
    max_size=25,
)  # fmt: skip


@given(_PIECES, st.integers(1, 7))
def test_the_result_does_not_depend_on_where_the_stream_was_cut(parts: list[str], size: int) -> None:
    text = "".join(parts)
    stream = ClaimStream()
    events = [e for at in range(0, len(text), size) for e in stream.feed(text[at : at + size])] + [*stream.flush()]

    assert [e for e in events if isinstance(e, ClaimEnd)] == claims_in(text)
    assert "".join(e.tail if isinstance(e, ClaimEnd) else e for e in events) == without_markers(text)


@given(_PIECES)
def test_no_half_marker_is_ever_shown(parts: list[str]) -> None:
    text = "".join(parts)
    stream = MarkerStream()
    shown = ""
    for character in text:
        shown += "".join(item for item in stream.feed(character) if isinstance(item, str))
        # What is shown so far never has to be taken back: it begins what is shown in the end.
        assert "".join(i for i in _items(text) if isinstance(i, str)).startswith(shown)


@given(_PIECES)
def test_claims_are_shown_in_order_and_whole(parts: list[str]) -> None:
    shown = without_markers("".join(parts))
    position = 0
    for claim in claims_in("".join(parts)):
        position = shown.index(claim.text, position) + len(claim.text)


def _items(text: str) -> list[str | Marker]:
    stream = MarkerStream()
    return [*stream.feed(text), *stream.flush()]
