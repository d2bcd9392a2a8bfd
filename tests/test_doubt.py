"""Evidence that speaks of other things than the question: the answer is doubted, or not given at all."""

from dataclasses import replace

import pytest

from generation.answer_config import AnswerConfig
from generation.answering import answer_question, stream_answer
from generation.names import unknown_subjects
from tests.fakes import ScriptedLLM, passage, retrieval_of

REFUSAL = "The passages do not answer this question."
LEAVE = "Every full-time member has 25 days of paid annual leave."
# Shares "member" with LEAVE and nothing else that says what is asked.
PARAPHRASE = "How much holiday can a member take off work each summer?"


def test_an_answer_that_shares_few_words_with_the_question_is_asked_for_again_and_stands() -> None:
    llm = ScriptedLLM("25 days. [1]", "Members have 25 days.")

    answer = answer_question(retrieval_of(PARAPHRASE, LEAVE), llm, AnswerConfig())

    assert (answer.abstained, answer.text) == (False, "25 days [1].")
    assert len(llm.prompts) == 2
    assert llm.prompts[1].messages[-1].content.endswith(REFUSAL)
    assert answer.timings.keys() >= {"doubt", "total"}


def test_an_answer_that_the_model_takes_back_is_not_given() -> None:
    llm = ScriptedLLM("25 days. [1]", REFUSAL)

    answer = answer_question(retrieval_of(PARAPHRASE, LEAVE), llm, AnswerConfig())

    assert (answer.abstained, answer.reason) == (True, "the model found no answer in the passages when asked again")


def test_a_doubted_answer_can_be_stopped() -> None:
    llm = ScriptedLLM("25 days. [1]", "Members have 25 days.")
    items = stream_answer(retrieval_of(PARAPHRASE, LEAVE), llm, AnswerConfig())
    while len(llm.prompts) < 2:
        next(items)

    items.close()  # type: ignore[attr-defined]  # the iterator is a generator

    assert llm.closed == 2


def test_an_answer_whose_evidence_speaks_of_what_is_asked_is_asked_for_once() -> None:
    llm = ScriptedLLM("25 days. [1]")

    answer_question(retrieval_of("How many days of annual leave has a full-time member?", LEAVE), llm, AnswerConfig())

    assert len(llm.prompts) == 1


def test_words_of_two_languages_are_not_compared() -> None:
    llm = ScriptedLLM("25天。[1]")

    answer_question(retrieval_of("全职社员一年有多少天年假？", LEAVE), llm, AnswerConfig())

    assert len(llm.prompts) == 1


@pytest.mark.parametrize(
    ("question", "abstained"),
    [
        ("What is the telephone number of the Spoonbill?", True),  # the passage gives another's
        ("What is the telephone number of the duty desk?", False),
        ("WHAT IS THE TELEPHONE NUMBER OF THE SPOONBILL?", False),  # capitals show no name here
        ("What is the telephone number of the duty desk? (Spoonbill)", False),  # carried over from a question before
    ],
)
def test_the_number_of_something_else_is_no_answer(question: str, abstained: bool) -> None:
    llm = ScriptedLLM("The telephone number is 0461 72 00. [1]", "0461 72 00")

    answer = answer_question(
        retrieval_of(question, "The telephone number of the duty desk is 0461 72 00."), llm, AnswerConfig()
    )

    assert answer.abstained is abstained
    assert not abstained or answer.reason == "the passages that would answer don't speak of Spoonbill"


def test_a_fact_of_another_year_is_no_answer() -> None:
    llm = ScriptedLLM("The adult single fare on Line A in 2019 was 4.20 crowns. [1]")
    fares = "Fares from 1 March 2025. An adult single on Line A costs 4.20 crowns."
    answer = answer_question(
        retrieval_of("What was the adult single fare on Line A in 2019?", fares), llm, AnswerConfig()
    )
    assert (answer.abstained, answer.reason) == (True, "the passages speak of other years than 2019")


def test_a_year_in_the_name_of_the_file_counts() -> None:
    llm = ScriptedLLM("The policy gave 20 days of annual leave. [1]")
    old = passage("Every member has 20 days of annual leave.", source="leave-policy-2023.md")
    answer = answer_question(
        retrieval_of("In 2023, how many days of annual leave did the policy give?", old), llm, AnswerConfig()
    )
    assert (answer.abstained, answer.reason) == (False, "")


@pytest.mark.parametrize(
    ("question", "known", "subjects"),
    [
        ("How much will the Dipper 4 cost?", "Dipper 2 and Dipper 3", ["Dipper 4"]),
        ("How much does the Dipper 3 cost?", "the Dipper 3 costs 6,450", []),
        ("河鸟4型多少钱？", "河鸟3型", ["4型"]),
        ("What was the extent of Celeron's expedition?", "Céloron's expedition", []),  # a misspelling
        ("What happened on 4 March?", "nothing", []),
    ],
)
def test_subjects_are_names_and_numbered_things(question: str, known: str, subjects: list[str]) -> None:
    assert unknown_subjects(question, known) == subjects


def test_a_word_that_the_translation_left_as_it_was_is_no_name() -> None:
    llm = ScriptedLLM("The allowance abroad is 130 crowns. [1]")
    retrieval = retrieval_of("What is the meal allowance abroad?", "国外每日伙食补贴为130克朗。")
    translated = replace(retrieval, queries=("What is the meal allowance abroad?", "abroad时伙食allowance是多少？"))

    answer = answer_question(translated, llm, AnswerConfig())

    assert "don't speak of" not in answer.reason
