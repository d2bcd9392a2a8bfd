"""A claim that follows its sentence word by word but for one fact says which fact, and other forms of it pass."""

import pytest

from generation.substitution import substituted
from generation.support import check_support

_BOUGHT = "In March 2021 the Orion Group bought the Heron Works for $5 million, which raised its debt to 40%."
_KNOWN = f"{_BOUGHT} In April 2019 the Kestrel Bank lent 12 million. 猎户公司成立于上海。霍尔姆公司在北京。"
_ZH = "猎户公司在2021年3月收购了苍鹭船厂，金额为500万元，员工增加到40人。"


@pytest.mark.parametrize(
    ("claim", "sentence", "reason"),
    [
        (_BOUGHT.replace("Orion", "Kestrel"), _BOUGHT, "the quote says Orion, not Kestrel"),
        (_BOUGHT.replace("$5", "$12"), _BOUGHT, "the quote says 5, not 12"),
        (_BOUGHT.replace("March", "April"), _BOUGHT, "the quote says March, not April"),
        ("The Heron bought the Orion.", "The Orion bought the Heron.", "the quote says Orion, not Heron"),
        ("All members may vote here.", "Some members may vote here.", "the quote says the opposite (All / Some)"),
        ("The old ferry is not fast.", "The old ferry is fast.", "the claim denies what the quote says"),
        ("It lasts 5 weeks in all.", "It lasts 5 days in all.", "the quote says days, not weeks"),
        (_ZH.replace("猎户", "霍尔姆"), _ZH, "the quote says 猎户, not 霍尔姆"),
        (_ZH.replace("增加", "减少"), _ZH, "the quote says the opposite (减少 / 增加)"),
    ],
)
def test_what_stands_in_place_of_the_sentences_own_fact_is_named(claim: str, sentence: str, reason: str) -> None:
    assert substituted(claim, [sentence], "What happened?", _KNOWN) == reason


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (_BOUGHT, _BOUGHT),
        (_BOUGHT.replace("$5 million", "$5,000,000").replace("40%", "40 percent"), _BOUGHT),
        ("The Heron was bought by the Orion.", "The Orion bought the Heron."),
        (_ZH.replace("500万", "5000000"), _ZH),
        ("The canteen serves soup.", "In 2019 the Kestrel Bank lent 12 million."),
    ],
)
def test_another_form_of_a_fact_stands_for_it(claim: str, sentence: str) -> None:
    assert substituted(claim, [sentence], "What happened?", _KNOWN) == ""


def test_a_number_that_another_sentence_of_the_passage_gives_is_not_the_claims() -> None:
    evidence = ["Dividends of 5 million were paid in May 2021.", "A loan of 12 million was taken in June 2021."]

    verdict = check_support("Dividends of 12 million were paid in May 2021.", evidence, question="What was paid?")

    assert (verdict.status, verdict.reasons) == ("unsupported", ("the quote says 5, not 12",))


def test_an_amount_after_a_chinese_word_is_no_name_like_apollo_13() -> None:
    verdict = check_support("金额为80万美元。", ["金额为80万元。"], question="多少？", context="金额为80万元。")

    assert verdict.status == "unsupported"


def test_a_number_is_another_one_though_the_right_one_stands_elsewhere_in_the_claim() -> None:
    said = "1999年，根据《批复》（京国资〔2017〕80号），首钢总公司从全民所有制企业整体改制成为国有独资公司。"
    assert substituted(said, [said.replace("1999", "2017")], "", "") == "the quote says 2017, not 1999"


def test_a_word_for_a_whole_clause_takes_no_facts_place() -> None:
    quote = "传统上，在墨尔本的西郊和北郊，以及巴拉瑞特、本迪戈和基隆等地区城市的工人阶级中，工党最强大。"
    asked = "在墨尔本郊区工人阶级中哪个政党最强大？"

    assert substituted("工党在墨尔本郊区工人阶级中最强大。", [quote], asked, f"{quote}郊区") == ""


def test_what_ran_out_is_denied_by_nothing_that_says_there_is_none() -> None:
    quote = "The association reported that 20% of American gasoline stations had no fuel."

    verdict = check_support("20% of American gasoline stations ran out of fuel.", [quote], question="How many ran out?")

    assert verdict.status == "supported"
