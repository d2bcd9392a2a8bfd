"""Claims that add but a value to their question, against sentences that hold the value for another reason."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from generation.abstain import AbstainConfig, abstain_config
from generation.answer import Answer
from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.short_claims import adds_only_a_value
from tests.fakes import ScriptedLLM, fixed_clock, passage, retrieval_of

FERRY = "The cooperative began in 1987, when 212 people bought the bankrupt ferry company for 340,000 crowns."
LEAVE = "Every full-time member has 20 days of paid annual leave."
SABBATICAL = "| 20 and more | 6 extra days | a sabbatical |"
SOLD = "2023年为22台。"
# Nothing is declined before it is written.
_CHECKS_ALONE = AnswerConfig(abstain=abstain_config(AbstainConfig(), "", strictness=0.0))


def answered(question: str, completion: str, closeness: Mapping[str, float], *passages: str) -> Answer:
    """Answer with an embedder that finds the passages as close to the question as given."""

    def relevance(query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.array([next(v for p, v in closeness.items() if p in text) for text in texts], dtype=np.float32)

    return answer_question(
        retrieval_of(question, *(passage(text, rank) for rank, text in enumerate(passages, 1))),
        ScriptedLLM(completion),
        _CHECKS_ALONE,
        similarity=lambda left, right: np.full((len(left), len(right)), 0.85, dtype=np.float32),
        relevance=relevance,
        clock=fixed_clock,
    )


@pytest.mark.parametrize("completion", ["340,000 crowns [1]", "The deposit for a boat is 340,000 crowns [1]."])
def test_a_value_from_a_sentence_about_something_else_is_no_answer(completion: str) -> None:
    answer = answered("What is the deposit for a boat?", completion, {FERRY: 0.1}, FERRY)
    assert (answer.abstained, answer.reason) == (True, "nothing the model wrote is supported by the passages")


def test_a_value_from_the_sentence_that_is_asked_about_is_supported() -> None:
    answer = answered("What did the bankrupt ferry company cost?", "340,000 crowns [1]", {FERRY: 0.5}, FERRY)
    assert [(claim.status, [c.quote for c in claim.citations]) for claim in answer.claims] == [("supported", [FERRY])]


@pytest.mark.parametrize("completion", ["22 days [1]", "The policy gave 22 days of annual leave in 2023 [1]."])
def test_a_number_alone_carries_no_claim_into_another_language(completion: str) -> None:
    answer = answered("How many days of annual leave did the policy give in 2023?", completion, {SOLD: 0.08}, SOLD)
    assert (answer.abstained, answer.claims) == (True, ())


def test_a_close_quote_in_another_language_still_counts() -> None:
    quote = "住宿上限为每晚340克朗。"
    answer = answered("What is the limit for a night abroad?", "340 crowns [1]", {quote: 0.4}, quote)
    assert [(claim.status, [c.quote for c in claim.citations]) for claim in answer.claims] == [("partial", [quote])]


def test_of_sentences_with_the_value_the_one_with_its_unit_is_quoted() -> None:
    closeness = {SABBATICAL: 0.62, LEAVE: 0.56}
    answer = answered("How many days of annual leave are there?", "20 days [1]", closeness, SABBATICAL, LEAVE)
    assert [c.quote for claim in answer.claims for c in claim.citations] == [LEAVE]


def test_of_sentences_with_the_value_the_one_close_to_the_question_is_quoted() -> None:
    jetty, bridge = "Mooring at the jetty costs 40 crowns.", "Crossing the bridge costs 40 crowns."
    answer = answered("What do I pay on the viaduct?", "40 crowns [1]", {jetty: 0.3, bridge: 0.6}, jetty, bridge)
    assert [c.quote for claim in answer.claims for c in claim.citations] == [bridge]


def test_an_embedder_that_knows_nothing_of_the_quotes_language_has_no_say() -> None:
    answer = answered("What is the deposit for a boat?", "340,000 crowns [1]", {FERRY: 0.0}, FERRY)
    assert [claim.status for claim in answer.claims] == ["supported"]


def test_a_rows_other_cell_that_denies_something_does_not_deny_the_value() -> None:
    row = "| Monthly pass, adult | 96.00 | 58.00 | not sold |"
    answer = answered("What does an adult monthly pass cost?", "58.00 [1]", {row: 0.4}, row)
    assert [claim.status for claim in answer.claims] == ["supported"]


@pytest.mark.parametrize(
    ("claim", "question", "expected"),
    [
        ("340,000 crowns.", "What is the deposit?", True),
        ("The deposit is 340,000 crowns.", "What is the deposit?", True),
        ("Edda Voss.", "Who is the master?", True),
        ("2024年7月1日", "从哪天起？", True),
        ("The deposit is paid back after the third safe journey.", "What is the deposit?", False),
        ("Yes.", "Is there a deposit?", False),
        ("The deposit.", "What is the deposit?", False),
    ],
)
def test_a_claim_adds_only_a_value_when_little_else_is_new(claim: str, question: str, expected: bool) -> None:
    assert adds_only_a_value(claim, question) == expected


def test_a_row_that_states_the_range_of_the_amount_asked_about_speaks_of_it() -> None:
    head, row = "| 金额（克朗） | 审批人 | 报价要求 |", "| 250,000以上 | 董事会 | 公开招标 |"
    table = f"{head}\n|---|---|---|\n{row}"
    far = {"250,000以上": 0.1, "金额": 0.1}
    answer = answered("买一台三十万克朗的设备要谁批准？", "300,000克朗的设备由董事会审批。[1]", far, table)
    assert [(claim.status, claim.citations[0].quote) for claim in answer.claims] == [("supported", table)]
