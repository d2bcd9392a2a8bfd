"""Questions that ask for several things are taken apart."""

import pytest

from retrieval.parts import parts_of


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("2021年香港和澳门的GDP增长率", ("2021年香港的GDP增长率", "2021年澳门的GDP增长率")),
        ("2022年和2023年春节档首日票房冠军", ("2022年春节档首日票房冠军", "2023年春节档首日票房冠军")),
        ("2023年奥斯卡最佳女主角和最佳男主角分别是谁？",
         ("2023年奥斯卡最佳女主角是谁？", "2023年奥斯卡最佳男主角是谁？")),
        ("成都大运会和杭州亚运会开幕时间", ("成都大运会开幕时间", "杭州亚运会开幕时间")),
        ("北京冬奥会和冬残奥会的开幕日期", ("北京冬奥会的开幕日期", "冬残奥会的开幕日期")),
        ("速度与激情10内地和北美的上映时间", ("速度与激情10内地的上映时间", "速度与激情10北美的上映时间")),
        ("EMNLP2022和2023的举办地", ("EMNLP 2022的举办地", "EMNLP 2023的举办地")),
        ("布林肯和耶伦访华时间", ("布林肯访华时间", "耶伦访华时间")),
        ("比较2017年创新科技有限公司和2019年顶级购物中心公司的负债",
         ("比较2017年创新科技有限公司的负债", "比较2019年顶级购物中心公司的负债")),
        ("2023年温网男女单打冠军", ("2023年温网男单打冠军", "2023年温网女单打冠军")),
        ("《心居》的主演有谁，导演是谁？", ("《心居》的主演有谁", "《心居》导演是谁")),
        ("《人世间》的导演是谁？它什么时候播出？", ("《人世间》的导演是谁", "《人世间》它什么时候播出")),
        ("创新科技有限公司和顶级购物中心公司何时召开股东大会？",
         ("创新科技有限公司何时召开股东大会？", "顶级购物中心公司何时召开股东大会？")),
        ("Who wrote Hamlet and Macbeth?", ("Who wrote Hamlet", "Who wrote Macbeth?")),
        ("When did Green Fields Ltd. and JetWing Aviation change their boards?",
         ("When did Green Fields Ltd. change their boards?", "When did JetWing Aviation change their boards?")),
        ("Compare the profit of Acme Group in 2018 and Green Fields in 2019.",
         ("Compare the profit of Acme Group in 2018", "Compare the profit of Green Fields in 2019.")),
        ("When were Culture Ltd. and Innovate, Inc. founded?",
         ("When were Culture Ltd. founded?", "When were Innovate, Inc. founded?")),
        ("When was Acme founded, and who leads it now?", ("When was Acme founded", "Acme who leads it now")),
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
        "where was the cotton gin invented and where is it used today",
        "What are the terms and conditions of the lease?",
        "和平是什么？",
        "and?",
        "",
    ],
)
def test_a_question_about_one_thing_has_no_parts(question: str) -> None:
    assert parts_of(question) == ()
