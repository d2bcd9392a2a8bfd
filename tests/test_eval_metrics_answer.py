"""Exact match, F1 and contains against the public scripts' rules, by hand, and their laws."""

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.metrics_answer import contains, exact_match, f1, parts_found
from app.evaluation.tokens import comparable_tokens, mixed_tokens, squad_tokens

words = st.sampled_from(["the", "a", "An", "Norman", "norman's", "10th", "U.S.", "and", "1,200", "-", "..."])
english = st.lists(words, max_size=8).map(" ".join)
anything = st.text(max_size=30) | english | st.text("黑豹队丢了308分， a1.%-", max_size=20)


def test_english_exact_match_ignores_case_articles_punctuation_and_spacing() -> None:
    assert exact_match("The  Normans.", ["normans"]) == 1
    assert exact_match("the Normans in France", ["Normans"]) == 0


def test_f1_by_hand_in_english() -> None:
    # "in the 10th century" -> in, 10th, century; gold "10th and 11th centuries" -> 10th, and, 11th, centuries
    # shared: 10th; P = 1/3, R = 1/4, F1 = 2 * (1/12) / (7/12) = 2/7
    assert f1("in the 10th century", ["10th and 11th centuries"]) == pytest.approx(2 / 7)


def test_f1_counts_repeated_words_as_often_as_both_have_them() -> None:
    # "no no yes" against "no no no": 2 shared; P = 2/3, R = 2/3
    assert f1("no no yes", ["no no no"]) == pytest.approx(2 / 3)


def test_f1_takes_the_best_gold_answer() -> None:
    assert f1("France", ["the country of France", "France"]) == 1


def test_chinese_characters_are_tokens_and_words_between_them_stay_whole() -> None:
    assert mixed_tokens("黑豹队丢了 308分，NFL第1！") == [*"黑豹队丢了", "308", "分", "nfl", "第", "1"]


def test_f1_by_hand_in_chinese_is_over_the_longest_run() -> None:
    # prediction 防守丢了308分 -> 防 守 丢 了 308 分 (6 tokens), gold 丢308分 -> 丢 308 分 (3)
    # longest common run: 308 分 = 2; P = 2/6, R = 2/3, F1 = 2 * 2 / (6 + 3) = 4/9
    assert f1("防守丢了308分。", ["丢308分"]) == pytest.approx(4 / 9)


def test_a_number_is_found_by_f1_in_a_chinese_sentence_though_its_gold_answer_has_no_chinese() -> None:
    # 丢 了 308 分 against 308: longest run 1; F1 = 2 * 1 / (4 + 1)
    assert f1("丢了308分", ["308"]) == pytest.approx(0.4)


def test_chinese_exact_match_ignores_punctuation_spacing_and_width() -> None:
    assert exact_match("３０８ 分。", ["308分"]) == 1
    assert exact_match("308分", ["309分"]) == 0


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("It cost $1,200 in total.", "1200"),
        ("It cost 1200 dollars.", "1,200"),
        ("共计１２００元", "1,200"),
        ("Capital expenditure was $1,577 million.", "$1577.00"),
        ("It rose by 64 percent.", "64%"),
        ("It was 90.0 %.", "90 %"),
        ("It rose by 64 per cent.", "64％"),
        ("He led the U.S. team", "US"),
        ("Norman's men", "the Norman"),
        ("黑豹队的防守丢了 308分。", "308"),
        ("在 2021 年 1 月 3 日开售", "1月3日"),
        ("a well known fact", "well-known"),
        ("The answer is A.", "A"),
        ("the ratio was -0.02", "-0.02"),
        ("Straße", "STRASSE"),
        ("C++ is used", "+"),
    ],
)
def test_contains_looks_past_how_an_answer_is_written(answer: str, gold: str) -> None:
    assert contains(answer, [gold]) == 1


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("in 1994", "4"),
        ("It was 12,000.", "1200"),
        ("11月3日", "1月3日"),
        ("Normandy", "Norman"),
        ("the ratio was 0.02", "-0.02"),
        ("version 3.10", "3.1"),
        ("64 million", "64%"),
        ("a fact known well", "well known"),
        ("", "x"),
        ("anything", ""),
    ],
)
def test_contains_wants_the_whole_answer_in_a_row(answer: str, gold: str) -> None:
    assert contains(answer, [gold]) == 0


def test_contains_is_content_with_any_gold_answer() -> None:
    assert contains("He grew up in France.", ["Germany", "France"]) == 1


def test_parts_found_is_the_share_of_parts_with_an_alternative_in_the_answer() -> None:
    groups = [["1月3日", "January 3"], ["1月12日"]]

    assert parts_found("宣誓在1月3日举行。", groups) == 0.5
    assert parts_found("宣誓在1月3日，会议在1月12日。", groups) == 1
    assert parts_found("on January 3", []) == 0


def test_without_gold_answers_nothing_is_right() -> None:
    assert [metric("x", []) for metric in (exact_match, f1, contains)] == [0, 0, 0]


def _squad_normalize(text: str) -> str:
    """The steps of SQuAD's evaluate-v2.0.py, written from its description."""
    lowered = text.lower()
    bare = "".join(character for character in lowered if character not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


@given(english, english)
def test_english_metrics_agree_with_the_squad_script(prediction: str, gold: str) -> None:
    left, right = _squad_normalize(prediction), _squad_normalize(gold)
    common = sum((Counter(left.split()) & Counter(right.split())).values())
    if not left or not right:
        expected = float(left == right)
    elif not common:
        expected = 0.0
    else:
        precision, recall = common / len(left.split()), common / len(right.split())
        expected = 2 * precision * recall / (precision + recall)

    assert squad_tokens(prediction) == left.split()
    assert exact_match(prediction, [gold]) == float(left == right)
    assert f1(prediction, [gold]) == pytest.approx(expected)


@given(anything, anything)
def test_metrics_stay_between_0_and_1_and_exact_match_means_full_f1(prediction: str, gold: str) -> None:
    scores = [metric(prediction, [gold]) for metric in (exact_match, f1, contains)]

    assert all(0 <= score <= 1 for score in scores)
    if scores[0] == 1 and "".join(mixed_tokens(gold)) == "".join(squad_tokens(gold)):
        assert scores[1] == pytest.approx(1) or mixed_tokens(prediction) != mixed_tokens(gold)


@given(anything)
def test_an_answer_matches_and_contains_itself(text: str) -> None:
    assert exact_match(text, [text]) == 1
    assert f1(text, [text]) == pytest.approx(1)
    assert contains(text, [text]) == float(bool(text.strip()))


@given(anything, anything, anything)
def test_what_an_answer_contains_it_still_contains_with_words_around(before: str, text: str, after: str) -> None:
    if comparable_tokens(text):
        assert contains(f"{before} \n {text} \n {after}", [text]) == 1
