"""What a refusal says: the four kinds told apart, what is missing, which thing could be meant; English and Chinese."""

import pytest

from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.choices import choices, pointed_at
from generation.refusals import Refusal, missing_words, refusal_of
from tests.fakes import ScriptedLLM, passage, retrieval_of

_EN = "I could not find an answer to this in the documents."
_ZH = "在这些文档中没有找到这个问题的答案。"
FERRY = "The ferry Little Wren carries 40 passengers. It was built in 1998 and repaired after the storm of 2019."
OFFICE = "The office of the cooperative opens at nine. It is closed on Mondays."
FERRY_ZH = "小鹪鹩号渡轮可载四十名乘客，建于1998年，2019年风暴后修理过。"
OFFICE_ZH = "合作社办公室九点开门，星期一不开。"


def refusal(question: str, *passages: str) -> Refusal:
    retrieval = retrieval_of(question, *passages)
    return refusal_of(question, retrieval.queries, retrieval.hits)


@pytest.mark.parametrize(
    ("question", "kind", "missing"),
    [
        (
            "What is the boiling point of water on Mount Everest?",
            "off_topic",
            ("boiling", "point", "water", "Mount", "Everest"),
        ),
        ("How many kitchens has the ferry Little Wren?", "unanswered", ("kitchens",)),
        ("When was the ferry Little Wren built?", "unanswered", ()),  # it is there: the model didn't see it
        ("How many passengers had the ferry in 2011?", "unanswered", ("2011",)),
        ("How many passengers of the ferry were hurt after the explosion?", "false_premise", ("hurt", "explosion")),
        ("Who repaired the ferry that the pirates sank?", "unanswered", ("pirates", "sank")),
        ("How many passengers does this boat of the cooperative carry?", "underspecified", ("boat",)),
    ],
)
def test_english_refusals_are_told_apart(question: str, kind: str, missing: tuple[str, ...]) -> None:
    found = refusal(question, FERRY, OFFICE)

    assert (found.kind, found.missing) == (kind, missing)


@pytest.mark.parametrize(
    ("question", "kind", "missing"),
    [
        ("北京到上海坐高铁要多久？", "off_topic", ("北京", "上海", "高铁")),
        ("小鹪鹩号渡轮有几个厨房？", "unanswered", ("厨房",)),
        ("小鹪鹩号渡轮建于哪一年？", "unanswered", ()),
        ("合作社办公室的直升机停在哪里？", "false_premise", ("直升机",)),
        ("爆炸之后有多少名乘客离开了渡轮？", "false_premise", ("爆炸", "离开")),
        ("该渡轮可载多少名乘客？", "underspecified", ()),
    ],
)
def test_chinese_refusals_are_told_apart(question: str, kind: str, missing: tuple[str, ...]) -> None:
    found = refusal(question, FERRY_ZH, OFFICE_ZH)

    assert (found.kind, found.missing) == (kind, missing)


@pytest.mark.parametrize(
    ("question", "passages", "text"),
    [
        (
            "How many kitchens has the ferry Little Wren?",
            (FERRY, OFFICE),
            f"{_EN} They speak of this, but the nearest passages say nothing of kitchens.",
        ),
        (
            "小鹪鹩号渡轮有几个厨房？",
            (FERRY_ZH, OFFICE_ZH),
            f"{_ZH}文档谈到了这个话题，但最接近的段落没有提到“厨房”。",
        ),
        ("How many kitchens has the ferry?", (), _EN),
    ],
)
def test_a_refusal_says_what_is_missing(question: str, passages: tuple[str, ...], text: str) -> None:
    assert refusal(question, *passages).text == text


def test_an_abstention_carries_its_kind() -> None:
    asked = "How many kitchens has the ferry Little Wren?"
    refused = ScriptedLLM("The passages do not answer this question.")

    answer = answer_question(retrieval_of(asked, FERRY, OFFICE), refused, AnswerConfig())

    assert (answer.abstained, answer.refusal, answer.missing) == (True, "unanswered", ("kitchens",))
    assert answer.text == f"{_EN} They speak of this, but the nearest passages say nothing of kitchens."
    assert answer.reason == "the model found no answer in the passages"


def test_documents_alike_but_for_the_year_leave_the_year_open() -> None:
    hits = (
        passage("The budget is 40,000 crowns.", 1, title="Budget 2024"),
        passage("The budget is 52,000 crowns.", 1, title="Budget 2025"),
        passage("Nobody may camp on the dyke.", 1, title="Rules 1999"),
    )

    assert choices("How large is the budget?", hits) == ("2024", "2025")
    assert choices("How large was the budget in 2024?", hits) == ()
    assert choices("How large is the current budget?", hits) == ()
    assert choices("How large is the budget?", hits[1:]) == ()
    assert refusal_of("How many crowns is the budget?", ("How many crowns is the budget?",), hits).text == (
        f"{_EN} Which do you mean: 2024 or 2025?"
    )


def test_a_kind_of_which_there_are_several_leaves_open_which_one() -> None:
    hits = (passage("The Dipper 2 costs 5,900 crowns. The Dipper 3 costs 6,450 crowns."),)

    assert choices("How much does the Dipper cost?", hits) == ("Dipper 2", "Dipper 3")
    assert choices("How much does the Dipper 3 cost?", hits) == ()
    assert choices("Who owns the company?", hits) == ()


@pytest.mark.parametrize(
    ("question", "said", "notes"),
    [
        (
            "How much does the Dipper cost?",
            "The Dipper 3 costs 6,450 crowns. [1]",
            ("The passages tell of Dipper 2 and Dipper 3; ask for the one that you mean.",),
        ),
        ("How much does the Dipper cost?", "The Dipper 2 costs 5,900 and the Dipper 3 costs 6,450 crowns. [1]", ()),
        ("How much does the Dipper 3 cost?", "The Dipper 3 costs 6,450 crowns. [1]", ()),
    ],
)
def test_an_answer_about_one_of_several_says_so(question: str, said: str, notes: tuple[str, ...]) -> None:
    text = "The Dipper 2 costs 5,900 crowns. The Dipper 3 costs 6,450 crowns."

    answer = answer_question(retrieval_of(question, text), ScriptedLLM(said), AnswerConfig())

    assert (answer.abstained, answer.notes) == (False, notes)


@pytest.mark.parametrize(
    ("question", "pointed"),
    [
        ("What are the rewards of this credit card?", "this credit"),
        ("In which country is this language spoken?", "this language"),
        ("When was she born?", "she"),
        ("What did Ada Lovelace say about this machine?", ""),  # named
        ("Who said that he would come?", ""),
        ("What is closed this week?", ""),
        ("这个计划由谁来主持？", "这个计划"),
        ("该公司的总部在哪里？", "该公司"),
        ("应该怎么办？", ""),
        ("他毕业于哪所大学？", "他"),
    ],
)
def test_words_that_point_at_nothing_named_are_found(question: str, pointed: str) -> None:
    assert pointed_at(question) == pointed


def test_a_conversation_names_what_is_pointed_at() -> None:
    asked = "How many passengers does this ferry carry?"
    retrieval = retrieval_of(asked, FERRY, OFFICE)

    assert refusal_of(asked, retrieval.queries, retrieval.hits).kind == "underspecified"
    assert refusal_of(asked, retrieval.queries, retrieval.hits, stands_alone=False).kind == "unanswered"


def test_missing_words_are_spelled_as_in_the_question() -> None:
    assert missing_words("Were Helicopters repaired in the harbours?", FERRY) == ("Helicopters", "harbours")
