"""What the passages' own words say of whether the answer is there, and what that and the model's Yes make together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from generation.abstain import AbstainConfig, abstain_config
from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.calibrated import calibrations_for
from generation.condense import Excerpt
from generation.signals import Signals, signals_of
from generation.sureness import Calibration
from ingest.document import Span
from tests.fakes import ScriptedLLM, passage, retrieval_of

LEAVE = "Every full-time member has 25 days of paid annual leave."
POOL = "The pool is cleaned every Monday."
ASKED = "How many days of annual leave has a full-time member?"
CALIBRATION = Calibration(-2.0, 2.0, 2.0, 1.0, usual_closeness=0.5, usual_stated=0.5, least=0.5)
CONFIG = AnswerConfig(abstain=AbstainConfig(least_stated={"en": 0, "zh": 0}, calibrations={"en": CALIBRATION}))


def excerpt(text: str) -> Excerpt:
    return Excerpt(passage(text), (Span(0, len(text)),))


class Close:
    """Gives texts that hold some words a closeness, others .1."""

    def __init__(self, value: float, words: str) -> None:
        self.value, self.words = value, words

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.array([self.value if self.words in text else 0.1 for text in texts], dtype=np.float32)


def test_the_sentence_nearest_to_the_question_speaks() -> None:
    found = signals_of((ASKED,), (excerpt(POOL), excerpt(LEAVE)), Close(0.75, "annual leave"))

    assert found is not None
    assert (found.words, found.closeness, found.stated) == (1.0, 0.75, None)


def test_without_an_embedder_that_knows_the_language_words_alone_speak() -> None:
    found = signals_of((ASKED,), (excerpt(LEAVE),), Close(0.0, "annual leave"))

    assert found == Signals(1.0, None)


def test_a_nearest_sentence_in_another_language_says_nothing() -> None:
    shown = (excerpt("全职社员每年有25天带薪年假。"), excerpt(POOL))

    assert signals_of((ASKED,), shown, Close(0.9, "年假")) is None
    translated = signals_of((ASKED, "全职社员每年有多少天年假？"), shown, Close(0.75, "年假"))
    assert translated is not None
    assert (round(translated.words, 2), translated.closeness) == (0.69, 0.75)
    assert signals_of((ASKED,), (), Close(0.9, "年假")) is None


def test_a_row_that_states_the_range_of_an_asked_amount_is_not_judged_by_its_words() -> None:
    shown = (excerpt("| 250,000以上 | 董事会 | 公开招标 |"),)

    assert signals_of(("买一台三十万克朗的设备要谁批准？",), shown, Close(0.1, "")) is None


def test_a_chance_is_the_logistic_of_the_weighted_signals() -> None:
    # -2 + 2 * .5 + 2 * .5 + 1 * 0 = 0; and with .8 : .2 for Yes, ln 4 = 1.386: 1 / (1 + e^-1.386) = .8
    assert CALIBRATION.chance(Signals(0.5, 0.5)) == pytest.approx(0.5)
    assert CALIBRATION.chance(Signals(0.5, None, 0.8)) == pytest.approx(0.8)
    assert CALIBRATION.chance(Signals(0.5, 0.5, 0.0)) == pytest.approx(0.01)  # held at 1 : 99


def test_strictness_moves_the_line() -> None:
    assert [CALIBRATION.at(strictness).least for strictness in (0.0, 0.25, 0.5, 0.75, 1.0)] == pytest.approx(
        [0.0, 0.25, 0.5, 0.725, 0.95]
    )
    known, unknown = calibrations_for("Qwen2.5-Coder-1.5B-Instruct", 0.5), calibrations_for("another", 0.5)
    assert known["en"] != unknown["en"]
    config = AbstainConfig()
    lenient, strict = abstain_config(config, "another", 0.0), abstain_config(config, "another", 1.0)
    assert (lenient.sure_sum, lenient.calibrations["zh"].least, lenient.least_stated["en"]) == (0.0, 0.0, 0.0)
    assert strict.sure_sum == pytest.approx(1.8 * config.sure_sum)
    assert abstain_config(config, "", 0.5) == config


def test_a_question_that_no_sentence_speaks_of_is_declined_unwritten() -> None:
    llm = ScriptedLLM("Every Monday. [1]", tokens={"Yes": 0.5, "No": 0.5})

    answer = answer_question(retrieval_of(ASKED, POOL), llm, CONFIG, relevance=Close(0.1, ""))

    assert (answer.abstained, llm.prompts) == (True, [])
    assert answer.reason == "no sentence of the passages speaks of what is asked closely enough"


def test_words_have_no_say_where_the_best_passage_is_in_the_other_language() -> None:
    llm = ScriptedLLM("25 days. [1]", tokens={"Yes": 0.5, "No": 0.5})

    answer_question(retrieval_of(ASKED, "全职社员每年有25天年假。", POOL), llm, CONFIG, relevance=Close(0.1, ""))

    assert len(llm.prompts) == 1


@pytest.mark.parametrize(("again", "abstained"), [("所给资料无法回答这个问题。", True), ("有25天年假。", False)])
def test_an_unlikely_answer_is_asked_for_again(again: str, abstained: bool) -> None:
    llm = ScriptedLLM("全职社员有25天年假。[1]", again)
    unsure = replace(CALIBRATION, least=0.0, sure=0.99)
    config = AnswerConfig(abstain=AbstainConfig(calibrations={"zh": unsure}))
    retrieval = retrieval_of("全职社员一年有多少天年假？", "全职社员每年有25天年假。")

    answer = answer_question(retrieval, llm, config, relevance=Close(0.9, "年假"))

    assert (answer.abstained, len(llm.prompts)) == (abstained, 2)


def test_a_sure_model_outweighs_distant_words() -> None:
    llm = ScriptedLLM("25 days of paid annual leave. [1]", tokens={"Yes": 0.97, "No": 0.03})
    asked = "How much time off do members get?"

    answer = answer_question(retrieval_of(asked, LEAVE), llm, CONFIG, relevance=Close(0.6, "leave"))

    assert (answer.abstained, answer.text) == (False, "25 days of paid annual leave [1].")


def test_a_model_that_gives_no_probabilities_leaves_it_to_the_words() -> None:
    declined = answer_question(retrieval_of(ASKED, POOL), ScriptedLLM("x"), CONFIG, relevance=Close(0.1, "pool"))
    answered = answer_question(
        retrieval_of(ASKED, LEAVE), ScriptedLLM("25 days. [1]"), CONFIG, relevance=Close(0.8, "leave")
    )

    assert (declined.abstained, answered.abstained) == (True, False)


def test_passages_that_speak_of_no_year_do_not_speak_of_another_one() -> None:
    llm = ScriptedLLM("Josh Norman returned two interceptions for touchdowns. [1]")
    asked = "How many interceptions did Josh Norman return for touchdowns in 2015?"
    text = "Josh Norman returned two interceptions for touchdowns."

    undated = answer_question(retrieval_of(asked, text), llm, AnswerConfig())
    dated = answer_question(retrieval_of(asked, f"{text} That was in 2013."), llm, replace(AnswerConfig()))

    assert (undated.abstained, dated.reason) == (False, "the passages speak of other years than 2015")
