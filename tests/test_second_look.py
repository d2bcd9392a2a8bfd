"""A question for an amount that is answered without one is asked again, over the sentences with amounts."""

import pytest

from generation.answer import Answer
from generation.answer_config import AnswerConfig
from generation.answering import answer_question, stream_answer
from generation.second_look import gives_no_amount
from tests.fakes import ScriptedLLM, retrieval_of

_ASKED = "How much equipment may we order before the grant starts?"
_GRANT = "Equipment may be ordered before the grant starts. Up to 15,000 crowns of equipment may be ordered from July."
_TEA = "The kiosk sells tea."


@pytest.mark.parametrize(
    ("question", "claim", "lacks_it"),
    [
        (_ASKED, "Equipment may be ordered before the grant starts.", True),
        (_ASKED, "Equipment may be ordered before it starts on 1 July 2024.", True),  # a date is no amount
        (_ASKED, "Up to 15,000 crowns.", False),
        ("How many of the 4 boats sail?", "All of the boats sail.", False),
        ("How many of the 4 boats sail?", "The 4 boats sail.", True),  # the question's own number
        ("How much does it cost?", "It is free.", False),
        ("灰鹭号修船花了多少钱？", "灰鹭号修了船。", True),
        ("灰鹭号修船花了多少钱？", "两万克朗。", False),
        ("When does the grant start?", "In July.", False),
    ],
)
def test_an_answer_without_the_amount_that_is_asked_for(question: str, claim: str, lacks_it: bool) -> None:
    assert gives_no_amount(question, [claim]) is lacks_it


def test_the_second_look_shows_only_sentences_with_amounts_and_its_answer_counts() -> None:
    llm = ScriptedLLM("We may order equipment before the grant starts [1].", "Up to 15,000 crowns of equipment [1].")

    answer = answer_question(retrieval_of(_ASKED, _GRANT, _TEA), llm, AnswerConfig())

    assert answer.text == "Up to 15,000 crowns of equipment [1]."
    shown = llm.prompts[1].messages[-1].content
    assert "15,000" in shown
    assert "tea" not in shown
    assert [citation.quote for claim in answer.claims for citation in claim.citations] == [
        "Up to 15,000 crowns of equipment may be ordered from July."
    ]


def test_a_second_look_that_finds_no_amount_changes_nothing() -> None:
    llm = ScriptedLLM("The grant pays equipment ordered from July [1].", "It pays equipment.")

    answer = answer_question(retrieval_of(_ASKED, _GRANT), llm, AnswerConfig())

    assert answer.text == "The grant pays equipment ordered from July [1]."
    assert len(llm.prompts) == 2


def test_a_better_answer_replaces_what_was_shown_already() -> None:
    shown = "Equipment may be ordered before the grant starts, and we may order equipment before it starts [1]."
    better = "Up to 15,000 crowns of equipment [1]."

    pieces = list(stream_answer(retrieval_of(_ASKED, _GRANT), ScriptedLLM(shown, better), AnswerConfig()))

    assert "".join(piece for piece in pieces if isinstance(piece, str)).startswith("Equipment may be ordered")
    assert isinstance(pieces[-1], Answer)
    assert pieces[-1].text == better
