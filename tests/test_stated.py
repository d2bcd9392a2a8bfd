"""How sure the model is that the passages state the answer: asked before it writes, and declined where it is not."""

from dataclasses import replace

import pytest

from generation.abstain import AbstainConfig, stated_lines
from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.stated import yes_share
from tests.fakes import ScriptedLLM, retrieval_of

LEAVE = "Every full-time member has 25 days of paid annual leave."
ASKED = "How many days of annual leave has a full-time member?"
CONFIG = AnswerConfig(abstain=AbstainConfig(least_stated={"en": 0.6, "zh": 0.8}))


def test_a_question_that_the_passages_do_not_answer_in_the_models_eyes_is_declined_unwritten() -> None:
    llm = ScriptedLLM("25 days. [1]", tokens={"Yes": 0.5, "No": 0.45})

    answer = answer_question(retrieval_of(ASKED, LEAVE), llm, CONFIG)

    assert (answer.abstained, answer.reason) == (True, "the model doesn't see the answer in the passages")
    assert llm.prompts == []
    assert [hit.chunk.text for hit in answer.retrieval.hits] == [LEAVE]  # the nearest evidence is there to show
    assert llm.asked_for_tokens[0].messages[-1].content.endswith("Reply with Yes or No only.")


def test_only_the_last_line_differs_from_the_prompt_of_the_answer() -> None:
    llm = ScriptedLLM("25 days. [1]", tokens={"Yes": 0.9, "No": 0.1})

    answer = answer_question(retrieval_of(ASKED, LEAVE), llm, CONFIG)

    assert answer.text == "25 days [1]."
    asking, writing = llm.asked_for_tokens[0].messages, llm.prompts[0].messages
    assert asking[:-1] == writing[:-1]
    assert asking[-1].content.rsplit("\n", 1)[0] == writing[-1].content.rsplit("\n", 1)[0]


@pytest.mark.parametrize("tokens", [{}, {"The": 0.9, "Yes": 0.05, "No": 0.05}])
def test_a_model_that_says_neither_yes_nor_no_is_left_to_write(tokens: dict[str, float]) -> None:
    llm = ScriptedLLM("25 days. [1]", tokens=tokens)

    assert answer_question(retrieval_of(ASKED, LEAVE), llm, CONFIG).text == "25 days [1]."


def test_the_line_is_that_of_the_questions_language() -> None:
    llm = ScriptedLLM("25天。[1]", tokens={"是": 0.7, "否": 0.3})
    retrieval = retrieval_of("全职社员一年有多少天年假？", "全职社员每年有25天带薪年假。")

    strict = answer_question(retrieval, llm, CONFIG)
    lenient = answer_question(retrieval, llm, replace(CONFIG, abstain=AbstainConfig(least_stated={"zh": 0.6, "en": 1})))

    assert (strict.abstained, lenient.abstained) == (True, False)


def test_forms_of_yes_and_no_count_together() -> None:
    assert yes_share({"Yes": 0.4, " yes": 0.2, "No": 0.1, "no": 0.1, "The": 0.2}) == pytest.approx(0.75)
    assert yes_share({"是": 0.3, "有": 0.3, "否": 0.1, "没有": 0.1}) == pytest.approx(0.75)


def test_strictness_moves_a_models_line_between_never_and_nearly_always() -> None:
    measured = stated_lines("qwen2.5-coder-1.5b-instruct-q4_k_m", 0.5)

    assert stated_lines("Qwen2.5-Coder-1.5B", 0.0) == {"en": 0.0, "zh": 0.0}
    assert stated_lines("Qwen2.5-Coder-1.5B", 1.0) == {"en": 0.95, "zh": 0.95}
    assert stated_lines("Qwen2.5-Coder-1.5B", 0.5) == measured != stated_lines("another-model", 0.5)
