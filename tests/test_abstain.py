"""Abstention: refusals in any wording, nothing to go on, nothing that survives the check."""

import pytest

from generation.abstain import AbstainConfig, is_refusal, only_repeats, reason_before
from generation.answer_config import AnswerConfig
from generation.answering import answer_question, stream_answer
from tests.fakes import ScriptedLLM, fixed_clock, retrieval_of

_LEAVE = "New employees get 25 days of annual leave. Unused days expire on 31 March."
_EN = "I could not find an answer to this in the documents."
_NO_CAKES = f"{_EN} They seem to be about other things: no passage found speaks of cakes."
_ZH = "在这些文档中没有找到这个问题的答案。"


@pytest.mark.parametrize(
    "text",
    [
        "The passages do not answer this question.",
        "The passages don't mention a treasurer.",
        "The provided passages do not contain information about the treasurer's age.",
        "There is no information about this in the passages.",
        "I'm sorry, but I can't help with that.",
        "I cannot answer this question based on the given context.",
        "The treasurer's age is not mentioned in the passage.",
        "Based on the passages, it is not possible to determine the age.",
        "The text does not specify who founded it. It only says when. [1]",
        "This question cannot be answered from the documents.",
        "No passage mentions the treasurer.",
        "Unfortunately, the document provides no details on that.",
        "所给资料无法回答这个问题。",
        "1\nThe passages do not answer this question.",
        "药剂师与病人交流。所给资料无法回答这个问题。",
        "资料中没有提到财务主管的年龄。",
        "根据提供的资料，无法确定他的年龄。",
        "抱歉，文中没有相关信息。",
        "该段落未说明创办人是谁。",
        "文章并未提供答案",
        "无法从资料中得知。",
    ],
)
def test_a_refusal_is_recognised_in_any_wording(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "New employees do not get a bonus.",
        "No, unused days cannot be carried over [1].",
        "The committee did not answer the letter.",
        "He was unable to attend the meeting.",
        "25 days.",
        "There is no canteen on the island.",
        "The law does not include fines.",
        "未休的年假不得转入下一年度。",
        "他没有提供证据。",
        "不能。",
        "无法按时到达的乘客可以退票。",
        "岛上没有食堂。",
    ],
)
def test_an_answer_that_denies_something_is_no_refusal(text: str) -> None:
    assert not is_refusal(text)


def test_without_passages_the_model_is_not_asked() -> None:
    llm = ScriptedLLM("Leave is 25 days.")

    answer = answer_question(retrieval_of("How many days?"), llm, AnswerConfig(), clock=fixed_clock)

    assert (answer.text, answer.abstained, answer.reason, answer.claims) == (_EN, True, "no passage was found", ())
    assert llm.prompts == []


def test_an_abstention_speaks_the_questions_language() -> None:
    answer = answer_question(retrieval_of("有多少天？", _LEAVE), ScriptedLLM("资料中没有提到。"), AnswerConfig())

    assert (answer.text, answer.reason) == (_ZH, "the model found no answer in the passages")


def test_an_answer_of_which_nothing_is_supported_is_withdrawn() -> None:
    answer = answer_question(
        retrieval_of("How many cakes?", _LEAVE), ScriptedLLM("Everybody gets 99 cakes [1]."), AnswerConfig()
    )

    assert (answer.text, answer.claims, answer.completion) == (_NO_CAKES, (), "Everybody gets 99 cakes [1].")
    assert answer.reason == "nothing the model wrote is supported by the passages"


def test_an_empty_completion_is_an_abstention() -> None:
    assert answer_question(retrieval_of("Q?", _LEAVE), ScriptedLLM(" \n"), AnswerConfig()).reason == (
        "the model wrote nothing"
    )


def test_a_refusal_is_never_shown_before_it_is_recognised() -> None:
    refusal = "The passages do not contain any information about cakes, nor about who eats them. Leave is 25 days [1]."
    items = list(
        stream_answer(retrieval_of("How many cakes?", _LEAVE), ScriptedLLM(refusal, piece_size=1), AnswerConfig())
    )

    assert items[:-1] == [_NO_CAKES]


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ({}, ""),
        ({"dense_best": 0.9, "lexical_coverage": 0.0}, ""),
        ({"dense_best": 0.1, "lexical_coverage": 0.9}, ""),
        ({"dense_best": 0.1, "lexical_coverage": 0.1}, "the passages found have too little to do with the question"),
        ({"dense_best": 0.1}, "the passages found have too little to do with the question"),
        ({"lexical_coverage": 0.9}, ""),
    ],
)
def test_only_when_both_legs_find_nothing_the_model_is_not_asked(evidence: dict[str, float], reason: str) -> None:
    config = AbstainConfig(least_lexical_coverage=0.2, least_dense_best=0.5)

    assert reason_before(retrieval_of("Q?", _LEAVE, evidence=evidence), config) == reason


@pytest.mark.parametrize(
    ("question", "claim", "repeats"),
    [
        ("Who built the weir?", "The weir was built.", True),
        ("Who built the weir?", "Monks built the weir.", False),
        ("Is the weir or the lock older?", "The weir is older.", False),
        ("Which is older, the weir or the lock?", "The weir is older.", False),
        ("What is open?", "The weir is not open.", False),
        ("顾云洲是哪所大学毕业的？", "顾云洲毕业于大学。", True),
        ("顾云洲是哪所大学毕业的？", "顾云洲毕业于南方大学。", False),
    ],
)
def test_a_claim_that_adds_nothing_to_the_question_is_no_answer(question: str, claim: str, repeats: bool) -> None:
    assert only_repeats(question, [claim]) is repeats
