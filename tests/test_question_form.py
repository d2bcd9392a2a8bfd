"""Which questions one short sentence is too little for."""

import pytest

from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.question_form import wants_more
from tests.fakes import ScriptedLLM, retrieval_of


@pytest.mark.parametrize(
    "question",
    [
        "How do I find out which package a file belongs to?",
        "How can I change the default editor?",
        "What should I do before an upgrade?",
        "What is the difference between main and contrib?",
        "Which files does dh_make write?",
        "Why did the Grey Heron run aground?",
        "Describe the approval of purchases.",
        "如何查看某个文件属于哪个软件包？",
        "stable 和 testing 有什么区别？",
        "dh_make 会生成哪些文件？",
        "渡船为什么停航？",
    ],
)
def test_steps_lists_reasons_and_comparisons_want_more(question: str) -> None:
    assert wants_more(question)


@pytest.mark.parametrize(
    "question",
    [
        "How many dogs may a passenger take?",
        "How much does it cost?",
        "How long is the crossing?",
        "Who built it?",
        "When does the ferry leave?",
        "What does an adult pass cost?",
        "这条鱼又称之为什么？",
        "修船花了多少钱？",
        "谁批准采购？",
    ],
)
def test_one_fact_is_asked_for(question: str) -> None:
    assert not wants_more(question)


def test_who_asks_for_steps_is_shown_more_of_the_text_around_them() -> None:
    text = " ".join(f"Step {n} of the upgrade is number {n}." for n in range(1, 9))
    shown = []
    for question in ("Which step of the upgrade is number 5?", "How do I do step 5 of the upgrade, number 5?"):
        llm = ScriptedLLM("Step 5.")
        config = AnswerConfig(context_tokens_budget=45, more_tokens_budget=90)
        answer_question(retrieval_of(question, text), llm, config)
        shown.append(llm.prompts[0].messages[-1].content)

    assert "Step 3" not in shown[0]
    assert "Step 3" in shown[1]
    assert shown[0].endswith("Answer in one short sentence, with the passages' own words for the fact asked.")
    assert shown[1].endswith("Answer in one to three short sentences, with the passages' own words and commands.")
