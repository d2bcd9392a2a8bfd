"""The support check: true claims hold, and the same claims edited to be false don't, in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.names import names_in
from generation.polarity import negations, yes_or_no
from generation.support import Support, check_support

_LEAVE = "Full-time employees receive 25 days of annual leave from 1 March 2025."
_CARRY = "Unused days may not be carried over to the next year."
_BUDGET = "Ingrid Holm approved a budget of 1,200,000 euros for the Orion ferry, which increased by 12% in 2024."
_LEAVE_ZH = "全职员工自2025年3月1日起每年享有25天年假。"
_CARRY_ZH = "未休的年假不得转入下一年度。"
_BUDGET_ZH = "霍尔姆为猎户号渡轮批准了120万欧元的预算，2024年增长了12%。"


@pytest.mark.parametrize(
    ("claim", "evidence", "question"),
    [
        ("Full-time employees receive 25 days of annual leave.", _LEAVE, "How many days of leave are there?"),
        ("25 days.", _LEAVE, "How many days of annual leave do full-time employees receive?"),
        ("Twenty-five days of leave.", _LEAVE, "How much leave do employees receive?"),
        ("The rule applies from March 1, 2025.", _LEAVE, "When does the rule apply?"),
        ("2025-03-01", _LEAVE, "Since when do they receive 25 days?"),
        ("No, unused days cannot be carried over.", _CARRY, "Can unused days be carried over?"),
        ("Unused days may not be carried over to the next year.", _CARRY, "What happens to unused days?"),
        ("Holm approved 1.2 million euros.", _BUDGET, "Which budget did Holm approve?"),
        ("The budget increased by 12 percent.", _BUDGET, "How did the budget change?"),
        ("It rose by 12% in 2024.", _BUDGET, "How did the budget change?"),
        ("全职员工每年有25天年假。", _LEAVE_ZH, "年假有多少天？"),
        ("二十五天", _LEAVE_ZH, "全职员工每年有多少天年假？"),
        ("自2025-03-01起。", _LEAVE_ZH, "从什么时候开始？"),
        ("未休的年假不能转入下一年度。", _CARRY_ZH, "年假可以转到下一年吗？"),
        ("预算为1,200,000欧元。", _BUDGET_ZH, "预算是多少？"),
        ("2024年增长了百分之十二。", _BUDGET_ZH, "预算如何变化？"),
    ],
)
def test_a_true_claim_is_supported(claim: str, evidence: str, question: str) -> None:
    verdict = check_support(claim, [evidence], question=question)

    assert (verdict.status, verdict.reasons) == ("supported", ())


@pytest.mark.parametrize(
    ("claim", "evidence", "question", "reason"),
    [
        ("Employees receive 30 days.", _LEAVE, "How many days of leave?", "the quote does not say 30 day"),
        ("25 weeks.", _LEAVE, "How much leave is there?", "the quote does not say 25 week"),
        ("It applies from 1 April 2025.", _LEAVE, "Since when?", "the quote does not give the date 2025-4-1"),
        ("It applies from March 2024.", _LEAVE, "Since when?", "the quote does not give the date 2024-3"),
        ("Unused days may be carried over.", _CARRY, "And unused days?", "the quote denies what the claim says"),
        ("Employees do not receive annual leave.", _LEAVE, "Leave?", "the claim denies what the quote says"),
        ("Holm approved 1.2 billion euros.", _BUDGET, "Which budget?", "the quote does not say 1.2e+09 eur"),
        ("Holm approved 1,200,000 dollars.", _BUDGET, "Which budget?", "the quote does not say 1.2e+06 usd"),
        ("Kari Lund approved the budget.", _BUDGET, "Who approved it?", "the quote does not mention Lund"),
        ("The budget decreased by 12%.", _BUDGET, "What now?", "the quote says the opposite (decreased / increased)"),
        ("每年有30天年假。", _LEAVE_ZH, "年假有多少天？", "the quote does not say 30 day"),
        ("自2025年4月1日起。", _LEAVE_ZH, "从什么时候开始？", "the quote does not give the date 2025-4-1"),
        ("未休的年假可以转入下一年度。", _CARRY_ZH, "年假呢？", "the quote says the opposite (可以 / 不得)"),
        ("预算为120亿欧元。", _BUDGET_ZH, "预算是多少？", "the quote does not say 1.2e+10 eur"),
        ("2024年减少了12%。", _BUDGET_ZH, "预算如何变化？", "the quote says the opposite (减少 / 增长)"),
        ("GX-200型渡轮的预算。", _BUDGET_ZH, "哪艘渡轮？", "the quote does not mention GX-200"),
    ],
)  # fmt: skip
def test_the_same_claim_edited_to_be_false_is_unsupported(
    claim: str, evidence: str, question: str, reason: str
) -> None:
    verdict = check_support(claim, [evidence], question=question)

    assert (verdict.status, verdict.reasons[:1]) == ("unsupported", (reason,))


def test_a_denial_in_another_cell_or_clause_denies_nothing() -> None:
    row = check_support(
        "Bicycles cost 5 euros.", ["| Bicycles | 5 euros | not in winter |"], question="What do they cost?"
    )
    clause = check_support(
        "The ferry leaves at 8.", ["The ferry leaves at 8, but it does not sail on Sundays."], question="When?"
    )

    assert [(verdict.status, verdict.reasons) for verdict in (row, clause)] == [("supported", ())] * 2


def test_without_evidence_nothing_is_supported() -> None:
    assert check_support("Leave is 25 days.", []) == Support("unsupported", 0.0, ("no passage says this",))


def test_a_claim_about_something_else_is_unsupported_and_says_what_is_missing() -> None:
    verdict = check_support("The canteen serves soup.", [_LEAVE], question="What is served?")

    assert (verdict.status, verdict.reasons) == ("unsupported", ("not in the quote: canteen, soup",))


def test_a_number_of_the_question_may_stand_in_the_surroundings() -> None:
    verdict = check_support(
        "In 2024 Holm was the chair.", ["Holm was the chair."], question="Who was chair in 2024?", context="Report 2024"
    )

    assert verdict.status == "supported"


def test_a_number_the_claim_adds_must_be_in_the_quote_itself() -> None:
    verdict = check_support("It has 40 seats.", ["It has many seats."], question="How many?", context="40 people came.")

    assert verdict.status == "unsupported"


def test_a_name_that_only_the_surroundings_give_is_known() -> None:
    verdict = check_support(
        "The Orion carries 90 cars.", ["She carries 90 cars."], question="How many cars?", context="The Orion ferry"
    )

    assert verdict.status == "supported"


@pytest.mark.parametrize(
    ("claim", "question", "evidence", "status"),
    [
        ("Yes.", "Do full-time employees receive annual leave?", _LEAVE, "supported"),
        ("No.", "May unused days be carried over to the next year?", _CARRY, "supported"),
        ("Yes.", "May unused days be carried over to the next year?", _CARRY, "partial"),
        ("不可以。", "未休的年假可以转入下一年度吗？", _CARRY_ZH, "supported"),
        ("可以。", "未休的年假可以转入下一年度吗？", _CARRY_ZH, "partial"),
    ],
)
def test_a_bare_yes_or_no_is_judged_as_the_question(claim: str, question: str, evidence: str, status: str) -> None:
    assert check_support(claim, [evidence], question=question).status == status


def test_evidence_in_another_language_is_partial_when_its_numbers_agree() -> None:
    agrees = check_support("员工有25天年假。", [_LEAVE], question="年假有多少天？")
    differs = check_support("员工有30天年假。", [_LEAVE], question="年假有多少天？")

    assert (agrees.status, differs.status) == ("partial", "unsupported")
    assert agrees.reasons == ("the evidence is in another language",)


def test_an_acronym_stands_for_the_words_whose_initials_it_is() -> None:
    evidence = "The United Nations adopted the treaty."

    assert check_support("The UN adopted the treaty.", [evidence], question="Who?").status == "supported"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The chair is Ingrid Holm of the FDA.", ["Ingrid", "Holm", "FDA"]),
        ("Leave is 25 days.", []),
        ("型号GX-200由Nexon开发。", ["GX-200", "Nexon"]),
        ("It needs ISO-9001 and iPhone.", ["ISO-9001", "iPhone"]),
    ],
)
def test_names_and_codes_are_found(text: str, names: list[str]) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It does not open.", 1),
        ("No, it isn't.", 1),  # the leading answer word doesn't count
        ("It is not only red.", 0),
        ("No later than May.", 0),
        ("It may not be brought back before the November meeting.", 0),
        ("All except Bo.", 1),
        ("不得转让。", 1),
        ("不同的颜色，不仅如此。", 0),
        ("除周日外，未开放。", 2),
        ("除了红色之外还有蓝色", 0),
    ],
)
def test_negations_are_counted(text: str, count: int) -> None:
    assert negations(text) == count


@pytest.mark.parametrize(("text", "answer"), [("Yes.", True), ("不是", False), ("No!", False), ("Yes, in May.", None)])
def test_a_bare_answer_word_is_known(text: str, answer: bool | None) -> None:
    assert yes_or_no(text) is answer


@given(
    st.sampled_from([_LEAVE, _CARRY, _BUDGET, _LEAVE_ZH, _CARRY_ZH, _BUDGET_ZH]),
    st.sampled_from(["", "Who?", "多少？"]),
)
def test_a_sentence_supports_itself(sentence: str, question: str) -> None:
    assert check_support(sentence, [sentence], question=question) == Support("supported", 1.0, ())


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=40))
def test_any_text_gets_a_verdict_between_0_and_1(claim: str, evidence: str, question: str) -> None:
    assert 0.0 <= check_support(claim, [evidence], question=question).score <= 1.0


def test_a_denial_that_the_question_brought_is_no_contradiction() -> None:
    support = check_support(
        "低于百分之三十五就不能出航。",
        ["冬季开航电量下限提高到35%。"],
        question="冬天电量低于百分之几就不能出航？",
        context="电量低于25%时不得开航。冬季开航电量下限提高到35%。",
    )

    assert support.status == "supported"


def test_a_denial_of_the_claims_own_is_a_contradiction() -> None:
    support = check_support(
        "The ferry does not carry bicycles.",
        ["The ferry carries bicycles."],
        question="Does the ferry carry bicycles?",
        context="The ferry carries bicycles. It does not carry horses.",
    )

    assert support.status == "unsupported"


def test_a_condition_denies_nothing() -> None:
    support = check_support(
        "The leave carried over must be used by 30 June.",
        ["They lapse if they have not been taken by 30 June."],
        question="By what date must I have used the leave I carried over?",
        context="At most 8 unused days may be carried over. They lapse if they have not been taken by 30 June.",
    )

    assert support.status == "supported"
