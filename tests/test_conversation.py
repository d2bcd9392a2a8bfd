"""An answer on a terminal: shown while it is written, and not twice."""

import io
from collections.abc import Iterator
from dataclasses import replace

from app.conversation import print_answer, settings_with
from generation.answer import Answer
from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from tests.fakes import ScriptedLLM, retrieval_of


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def _answer() -> Answer:
    retrieval = retrieval_of("What does a second card cost?", "A second card costs 15 crowns.")
    return answer_question(retrieval, ScriptedLLM("A second card costs 15 crowns."), AnswerConfig())


def _pieces(answer: Answer, shown: str) -> Iterator[str | Answer]:
    yield from ("", shown, answer)


def test_what_was_written_is_not_printed_again() -> None:
    answer, out = _answer(), Terminal()

    assert print_answer(_pieces(answer, answer.text), out=out) == answer
    assert out.getvalue().count("A second card costs 15 crowns [1].") == 1


def test_an_abstention_follows_what_was_shown() -> None:
    answer = replace(_answer(), text="I could not find an answer to this in the documents.", abstained=True)
    out = Terminal()

    print_answer(_pieces(answer, "A card costs 99 crowns."), out=out)

    assert out.getvalue().startswith(
        "A card costs 99 crowns.\n\n(That did not hold when it was checked. Instead:)\n\nI could not find an answer"
    )


def test_elsewhere_only_the_final_text_is_printed() -> None:
    answer, out = _answer(), io.StringIO()

    print_answer(_pieces(answer, "something"), out=out)

    assert "something" not in out.getvalue()
    assert out.getvalue().startswith("A second card costs 15 crowns [1].")


def test_how_the_model_writes_can_be_told() -> None:
    told = settings_with(llm=None, top_k=None, sampling={"seed": 7, "stop": ("END",)}).answer.sampling

    assert (told.seed, told.stop, told.max_tokens) == (7, ("END",), 256)


def test_what_the_model_thought_is_shown_under_the_answer_when_asked_for() -> None:
    answer, out = replace(_answer(), thinking="15?\nYes."), io.StringIO()

    print_answer(_pieces(answer, ""), out=out)
    assert "Yes." not in out.getvalue()
    print_answer(_pieces(answer, ""), out=out, show_thinking=True)
    assert out.getvalue().endswith("\nThinking (not part of the answer, not checked):\n  15?\n  Yes.\n")
