"""Evidence recall and citation precision and recall by gold span, by hand, and their laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.evidence import (
    CHINESE_WEIGHT,
    MIN_RUN,
    Quoted,
    comparable,
    covered_share,
    cut_to_budget,
    evidence_recall,
    overlaps,
)
from app.evaluation.metrics_citation import citation_precision, citation_recall, is_judgeable, is_right
from app.evaluation.sets import Question

SPAN = "In October 2021 the company faced an incident that damaged its reputation among all customers."
OTHER = "The board appointed a new chief executive in January 2022 after a long search abroad."


def test_comparable_text_has_no_width_case_or_white_space() -> None:
    assert comparable(" Ｔｈｅ １２\n年　度 ") == "the12年度"


def test_a_span_within_a_passage_is_found_whole_across_line_breaks() -> None:
    passage = Quoted("d", f"Before. {SPAN.replace(' ', chr(10))} After.")

    assert evidence_recall([SPAN], [passage], ["d"]) == 1


def test_a_span_cut_by_a_passage_border_counts_for_the_part_that_is_there() -> None:
    whole = "x" * 30 + "y" * 30 + "z" * 40  # 100 characters, of which the passage has the first 60
    passage = Quoted("d", "before " + whole[:60])

    assert evidence_recall([whole], [passage], ["d"]) == pytest.approx(0.6)


def test_two_passages_that_share_a_span_cover_it_together() -> None:
    whole = "".join(chr(0x61 + index % 26) for index in range(130))
    passages = [Quoted("d", whole[:70]), Quoted("d", whole[60:])]

    assert evidence_recall([whole], passages, ["d"]) == 1


def test_words_that_all_texts_share_are_no_evidence() -> None:
    # The common beginning is shorter than MIN_RUN
    assert evidence_recall([SPAN], [Quoted("d", "In October 2021 the company faced a strike.")], ["d"]) == 0


def test_a_short_span_counts_only_whole() -> None:
    assert evidence_recall(["$32 to $8"], [Quoted("d", "fees fell from $32 to $8.")], ["d"]) == 1
    assert evidence_recall(["$32 to $8"], [Quoted("d", "fees fell from $32 to $9.")], ["d"]) == 0


def test_chinese_needs_half_the_characters_for_a_run() -> None:
    characters = "".join(chr(0x4E00 + index) for index in range(40))
    run = MIN_RUN // CHINESE_WEIGHT

    assert covered_share(characters, [characters[:run]]) == pytest.approx(run / 40)
    assert covered_share(characters, [characters[: run - 1]]) == 0


def test_the_same_words_in_another_document_are_no_evidence() -> None:
    assert evidence_recall([SPAN], [Quoted("other", SPAN)], ["d"]) == 0
    assert evidence_recall([SPAN], [Quoted("other", SPAN)], []) == 1  # no gold document known: any will do


def test_every_span_counts_the_same_whatever_its_length() -> None:
    # one of two spans found whole, the other not at all: (1 + 0) / 2
    assert evidence_recall([SPAN, "short one"], [Quoted("d", SPAN)], ["d"]) == 0.5


def test_the_budget_cuts_the_passages_in_rank_order() -> None:
    passages = [Quoted("a", "12345"), Quoted("b", "67890"), Quoted("c", "x")]

    assert cut_to_budget(passages, 8) == [Quoted("a", "12345"), Quoted("b", "678")]
    assert cut_to_budget(passages, 100) == passages
    assert cut_to_budget(passages, 0) == []


@given(st.text(min_size=1, max_size=120), st.lists(st.text(max_size=80), max_size=3))
def test_the_covered_share_is_between_0_and_1_and_grows_with_the_texts(span: str, texts: list[str]) -> None:
    share = covered_share(span, texts)

    assert 0 <= share <= 1
    assert covered_share(span, [*texts, "more"]) >= share
    assert covered_share(span, [*texts, span]) == 1


@given(st.text(max_size=60), st.text(max_size=60))
def test_overlap_is_mutual(left: str, right: str) -> None:
    assert overlaps(left, right) == overlaps(right, left)


def _question(**labels: object) -> Question:
    return Question("q", "?", relevance={"d": 1}, **labels)  # type: ignore[arg-type]


def test_citations_by_gold_span_by_hand() -> None:
    question = _question(gold_spans=(SPAN, OTHER))
    citations = [
        Quoted("d", SPAN),  # right
        Quoted("d", "Before. " + SPAN),  # right: more than the span, but all of it
        Quoted("other", OTHER),  # wrong: not a gold document
        Quoted("d", "Nothing to see in this sentence."),  # wrong: no gold words
    ]

    # 2 of 4 citations are right; 1 of 2 gold spans is cited
    assert citation_precision(question, citations) == 0.5
    assert citation_recall(question, citations) == 0.5


def test_without_gold_spans_a_right_citation_holds_a_gold_answer_in_a_gold_document() -> None:
    question = _question(answers=("1,200",))

    assert is_right(question, Quoted("d", "It cost 1200 crowns."))
    assert not is_right(question, Quoted("other", "It cost 1200 crowns."))
    assert not is_right(question, Quoted("d", "It cost 12000 crowns."))
    assert citation_recall(question, [Quoted("d", "x"), Quoted("d", "1200")]) == 1
    assert citation_precision(question, [Quoted("d", "x"), Quoted("d", "1200")]) == 0.5


def test_one_part_of_an_answer_makes_a_citation_right() -> None:
    question = _question(answers=("1月3日 1月12日",), answer_groups=(("1月3日",), ("1月12日",)))

    assert is_right(question, Quoted("d", "会议定于1月12日举行"))


def test_an_answer_without_citations_has_no_precision_and_no_recall() -> None:
    question = _question(gold_spans=(SPAN,))

    assert (citation_precision(question, []), citation_recall(question, [])) == (0, 0)


def test_only_labelled_answerable_questions_can_be_judged() -> None:
    assert is_judgeable(_question(gold_spans=(SPAN,)))
    assert is_judgeable(_question(answers=("x",)))
    assert not is_judgeable(_question())
    assert not is_judgeable(_question(gold_spans=(SPAN,), answerable=False))
