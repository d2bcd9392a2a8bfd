"""Follow-ups: which questions lean on the conversation, and what becomes of them with and without a model."""

import pytest

from generation.llm import Message
from generation.rewrite import is_rewriting, needs_rewriting, rewriting_prompt, standalone_question
from tests.fakes import ScriptedLLM

_HISTORY = (
    Message("user", "Who is the chair of the Skerry Ferry Cooperative?"),
    Message("assistant", "Ingrid Holm is the chair [1]."),
)
_HISTORY_ZH = (Message("user", "实习生有多少天年假？"), Message("assistant", "实习生有12天年假[1]。"))


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "How many days of leave do new employees get?",
        "Is it possible to carry over leave?",
        "Who is Ada Lovelace and what did she invent?",
        "What does this handbook say about overtime?",
        "Is there a canteen on the island?",
        "How long does it take to get a refund?",
        "新员工的试用期是多长？",
        "《神圣十月》是由哪个杂志连载的？",
        "年假可以转到下一年吗？",
        "Qwen2.5 的上下文长度是多少？",
    ],
)
def test_a_question_that_stands_alone_is_returned_unchanged_without_the_model(question: str) -> None:
    llm = ScriptedLLM("never asked")

    assert (standalone_question(question, _HISTORY, llm), llm.prompts) == (question, [])


@pytest.mark.parametrize(
    "question",
    [
        "When was she elected?",
        "And the treasurer?",
        "What about 2024?",
        "Why?",
        "Where is it?",
        "How much does it cost?",
        "Who wrote that?",
        "Which one is older?",
        "List the ferries that they own.",
        "Tell me more",
        "那经理呢？",
        "它什么时候失效？",
        "为什么？",
        "他是谁",
        "还有吗？",
        "其原因是什么？",
        "如果没休完怎么办？",
        "那 2024 年呢？",
    ],
)
def test_a_follow_up_is_recognised(question: str) -> None:
    assert needs_rewriting(question)


def test_without_history_nothing_is_rewritten() -> None:
    llm = ScriptedLLM("never asked")

    assert (standalone_question("And the treasurer?", (), llm), llm.prompts) == ("And the treasurer?", [])


def test_the_models_rewriting_is_taken() -> None:
    llm = ScriptedLLM(" Rewritten: When was Ingrid Holm elected?\n")

    assert standalone_question("When was she elected?", _HISTORY, llm) == "When was Ingrid Holm elected?"
    assert llm.samplings[0].max_tokens == 64


@pytest.mark.parametrize(
    "written",
    [
        "",
        "\n",
        "She was elected in 2019.",
        "Ingrid Holm",
        "她是什么时候当选的？",
        "When did the Battle of Hastings begin and who lost the crown of England?",
        "I cannot answer this question.",
        "When? " * 60,
    ],
)
def test_what_is_no_rewriting_is_replaced_by_the_names_of_the_question_before(written: str) -> None:
    rewritten = standalone_question("When was she elected?", _HISTORY, ScriptedLLM(written))

    assert rewritten == "When was she elected? (Skerry Ferry Cooperative)"


def test_without_a_model_an_ellipsis_gets_the_key_words_too() -> None:
    assert standalone_question("And the treasurer?", _HISTORY, None) == (
        "And the treasurer? (Skerry Ferry Cooperative, chair)"
    )
    assert standalone_question("那经理呢？", _HISTORY_ZH, None) == "那经理呢？ (实习生、天年假)"


def test_the_extractive_mode_is_not_asked_to_rewrite() -> None:
    llm = ScriptedLLM("never asked")
    llm.name = "extractive"

    standalone_question("When was she elected?", _HISTORY, llm)

    assert llm.prompts == []


def test_a_chinese_rewriting_is_taken() -> None:
    assert standalone_question("那经理呢？", _HISTORY_ZH, ScriptedLLM("经理有多少天年假？")) == "经理有多少天年假？"


def test_the_prompt_holds_the_last_turns_shortened_and_ends_with_the_question() -> None:
    history = (*_HISTORY, Message("user", "And the treasurer?"), Message("assistant", "x" * 500))

    messages = rewriting_prompt("Since when?", history)

    assert messages[0] == rewriting_prompt("Why?", ())[0]  # the cached prefix
    assert messages[1].content == (
        "User: Who is the chair of the Skerry Ferry Cooperative?\n"
        "Assistant: Ingrid Holm is the chair [1].\n"
        "User: And the treasurer?\n"
        f"Assistant: {'x' * 160}\n"
        "Last question: Since when?\n"
        "Rewritten:"
    )


@pytest.mark.parametrize(
    ("rewritten", "valid"),
    [
        ("When was Ingrid Holm elected?", True),
        ("When was Ingrid Holm elected chair?", True),
        ("Where was Ingrid Holm born in Norway?", False),  # not what was asked
    ],
)
def test_a_rewriting_asks_the_same_thing(rewritten: str, valid: bool) -> None:
    assert is_rewriting(rewritten, "When was she elected?", _HISTORY) is valid
