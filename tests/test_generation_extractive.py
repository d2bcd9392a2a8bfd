"""Extractive answers: the documents' own sentences, or the refusal."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.claims import without_markers
from generation.extractive import Extractive
from generation.llm import Prompt, SamplingConfig
from tests.fakes import passage, retrieval_of

_LEAVE = "New employees get 25 days of annual leave. Unused days expire on 31 March."
_LEAVE_ZH = "新员工每年享有25天年假。未休的年假在次年3月31日失效。"


def _write(question: str, *passages: str) -> str:
    hits = tuple(passage(text, rank) for rank, text in enumerate(passages, 1))
    return "".join(Extractive().stream(Prompt((), question, hits), SamplingConfig()))


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("How many days of annual leave do new employees get?", "New employees get 25 days of annual leave.[2]"),
        ("When do unused days expire?", "Unused days expire on 31 March.[2]"),
    ],
)
def test_the_sentence_that_fits_the_question_is_quoted_with_its_marker(question: str, written: str) -> None:
    assert _write(question, "The canteen opens at 8:00.", _LEAVE) == written


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("How many days of leave do we get?", "We get 25 days of leave.[2]"),
        ("How many days of leave did we get before?", "We get 20 days of leave.[1] We get 25 days of leave.[2]"),
    ],
)
def test_the_newer_edition_is_quoted_alone_unless_the_question_looks_back(question: str, written: str) -> None:
    old = replace(passage("We get 20 days of leave.", source="leave-2023.md"), newer_edition="leave-2025.md")
    new = passage("We get 25 days of leave.", 2, source="leave-2025.md")

    assert "".join(Extractive().stream(Prompt((), question, (old, new)), SamplingConfig())) == written


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("新员工有多少天年假？", "新员工每年享有25天年假。[2]"),
        ("未休的年假什么时候失效？", "未休的年假在次年3月31日失效。[2]"),
    ],
)
def test_chinese_sentences_are_quoted(question: str, written: str) -> None:
    assert _write(question, "食堂八点开门。", _LEAVE_ZH) == written


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("Who wrote Hamlet?", "The passages do not answer this question."),
        ("谁写了红楼梦？", "所给资料无法回答这个问题。"),
    ],
)
def test_without_a_fitting_sentence_it_refuses(question: str, written: str) -> None:
    assert _write(question, _LEAVE, _LEAVE_ZH) == written


def test_without_passages_it_refuses() -> None:
    assert _write("Who?") == "The passages do not answer this question."


def test_its_answer_is_supported_by_the_very_sentence() -> None:
    answer = answer_question(
        retrieval_of("When do unused days expire?", "The canteen opens at 8:00.", _LEAVE), Extractive(), AnswerConfig()
    )

    assert answer.text == "Unused days expire on 31 March [1]."
    assert [(c.quote, c.status, c.score) for c in answer.claims[0].citations] == [
        ("Unused days expire on 31 March.", "supported", 1.0)
    ]


@given(st.lists(st.sampled_from([_LEAVE, _LEAVE_ZH, "The canteen opens at 8:00.", "| a | 5 |"]), max_size=4))
def test_every_word_is_the_documents_own(passages: list[str]) -> None:
    written = _write("How many days of annual leave? 年假有多少天？", *passages)
    sources = " ".join(passages) + "The passages do not answer this question." + "所给资料无法回答这个问题。"

    assert all(sentence.strip() in sources for sentence in without_markers(written).split("  "))
