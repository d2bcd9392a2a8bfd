"""Questions that ask for several things are taken apart."""

import pytest

from retrieval.parts import parts_of


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("2021年香港和澳门的GDP增长率", ("2021年香港的GDP增长率", "2021年澳门的GDP增长率")),
        ("2022年和2023年春节档首日票房冠军", ("2022年春节档首日票房冠军", "2023年春节档首日票房冠军")),
        ("《人世间》的导演是谁？它什么时候播出？", ("《人世间》的导演是谁", "《人世间》它什么时候播出")),
        ("创新科技有限公司和顶级购物中心公司何时召开股东大会？",
         ("创新科技有限公司何时召开股东大会？", "顶级购物中心公司何时召开股东大会？")),
        ("Who wrote Hamlet and Macbeth?", ("Who wrote Hamlet", "Who wrote Macbeth?")),
        ("When did Green Fields Ltd. and JetWing Aviation change their boards?",
         ("When did Green Fields Ltd. change their boards?", "When did JetWing Aviation change their boards?")),
        ("When was Acme founded? Who leads it now?", ("When was Acme founded", "Acme Who leads it now")),
    ],
)  # fmt: skip
def test_a_question_about_two_things_is_two_questions(question: str, parts: tuple[str, ...]) -> None:
    assert parts_of(question) == parts


@pytest.mark.parametrize(
    "question",
    [
        "年假有几天？",
        "What is the deposit?",
        "What are the terms and conditions of the lease?",
        "和平是什么？",
        "and?",
        "",
    ],
)
def test_a_question_about_one_thing_has_no_parts(question: str) -> None:
    assert parts_of(question) == ()
