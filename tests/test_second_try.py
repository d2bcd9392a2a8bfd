"""A refusal is not the last word: the model is asked once more, and believed only when every check passes."""

from generation.answering import AnswerConfig, answer_question
from tests.fakes import ScriptedLLM, passage, retrieval_of

REFUSAL = "The passages do not answer this question."
CARD = "A lost key card is replaced free the first time. A second lost card costs 15 crowns."


def test_a_supported_answer_to_the_second_asking_is_given() -> None:
    llm = ScriptedLLM(REFUSAL, "The second lost card costs 15 crowns.")
    answer = answer_question(retrieval_of("What does a second lost card cost?", CARD), llm, AnswerConfig())
    assert (answer.abstained, answer.text) == (False, "The second lost card costs 15 crowns [1].")
    assert answer.claims[0].citations[0].quote == "A second lost card costs 15 crowns."
    assert answer.prompt == llm.prompts[1].messages


def test_the_second_asking_differs_in_its_last_line_alone() -> None:
    llm = ScriptedLLM(REFUSAL, "15 crowns.")
    answer_question(retrieval_of("What does a second lost card cost?", CARD), llm, AnswerConfig())
    first, second = (prompt.messages for prompt in llm.prompts)
    assert first[:-1] == second[:-1]
    assert second[-1].content.startswith(first[-1].content.split("\n\nAnswer only")[0])
    assert second[-1].content.endswith("Answer in one short sentence, with the passages' own words for the fact asked.")


def test_what_the_model_makes_up_when_pressed_is_not_shown() -> None:
    llm = ScriptedLLM(REFUSAL, "The second lost card costs 5000 kroner.")
    answer = answer_question(retrieval_of("What does a second lost card cost?", CARD), llm, AnswerConfig())
    assert (answer.abstained, answer.claims) == (True, ())
    assert "5000" not in answer.text


def test_a_second_refusal_stands() -> None:
    llm = ScriptedLLM(REFUSAL, REFUSAL)
    answer = answer_question(retrieval_of("What does a third card cost?", CARD), llm, AnswerConfig())
    assert (answer.abstained, len(llm.prompts)) == (True, 2)


def test_an_answer_is_asked_for_once() -> None:
    llm = ScriptedLLM("A second lost card costs 15 crowns. [1]")
    answer_question(retrieval_of("What does a second lost card cost?", CARD), llm, AnswerConfig())
    assert len(llm.prompts) == 1


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
