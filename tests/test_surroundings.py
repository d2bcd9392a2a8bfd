"""A quote that speaks of another thing of its kind backs no claim about the one asked for."""

import pytest

from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.citing import EvidenceIndex
from generation.names import numbered_things, other_of_its_kind
from generation.surroundings import other_thing
from tests.fakes import ScriptedLLM, passage, retrieval_of

_PRICES = "| | Dipper 2 | Dipper 3 |\n|---|---|---|\n| Price | 4,100 | 6,450 |\n\nThe Dipper 4 is planned for 2027."


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("How much will the Dipper 4 cost?", ("Dipper 4",)),
        ("A motorcycle on Line A or Line C?", ("Line A", "Line C")),
        ("4号线和A线", ("4号", "A线")),
        ("On 4 March, as Is A better?", ()),
        ("Line A's boats", ()),
    ],
)
def test_things_told_apart_by_number_or_letter_are_seen(text: str, things: tuple[str, ...]) -> None:
    assert numbered_things(text) == things


@pytest.mark.parametrize(
    ("asked", "evidence", "before", "other"),
    [
        ("a motorcycle on Line A", "Bicycles travel free, except on Line C.", "", "Line C"),
        ("a motorcycle on Line A", "Bicycles travel free on Line A and Line C.", "", ""),
        ("a motorcycle on Line A", "On Line C it costs 3.", "Line A is free.", ""),
        ("a motorcycle on Line A", "It costs 3 on board.", "", ""),
        ("A线准点率", "B线准点率为90%。", "", "B线"),
    ],
)
def test_another_thing_of_the_kind_is_named(asked: str, evidence: str, before: str, other: str) -> None:
    assert other_of_its_kind(asked, evidence, before) == other


def test_a_price_in_another_things_column_is_no_evidence() -> None:
    index = EvidenceIndex([passage(_PRICES)], "How much will the Dipper 4 cost?")
    evidence = index.find("The Dipper 4 will cost 6,450 crowns.")

    reason = other_thing("The Dipper 4 will cost 6,450 crowns.", "How much will the Dipper 4 cost?", evidence)

    assert reason == "the quote speaks of Dipper 2, not of Dipper 4"


def test_such_an_answer_is_not_given() -> None:
    llm = ScriptedLLM("The Dipper 4 will cost 6,450 crowns. [1]")

    answer = answer_question(retrieval_of("How much will the Dipper 4 cost?", _PRICES), llm, AnswerConfig())

    assert (answer.abstained, answer.reason) == (True, "nothing the model wrote is supported by the passages")


def test_a_name_that_the_quote_cannot_refer_to_makes_the_model_answer_again() -> None:
    text = (
        "## Tours\n- Twelve places; book by telephone on 0461 72 40.\n\n"
        "## Food\nThe Spoonbill café opens with the exhibition."
    )
    llm = ScriptedLLM(
        "The telephone number of the Spoonbill café is 0461 72 40. [1]", "The passages do not answer this question."
    )

    answer = answer_question(
        retrieval_of("What is the telephone number of the Spoonbill café?", text), llm, AnswerConfig()
    )

    assert (answer.abstained, len(llm.prompts)) == (True, 2)


def test_a_title_is_no_evidence() -> None:
    hit = passage("Grounding of the Grey Heron\n\nThe chart was old.", title="Grounding of the Grey Heron")

    index = EvidenceIndex([hit], "Why did the Grey Heron run aground?")

    assert [sentence.text for sentence in index.sentences] == ["The chart was old."]
