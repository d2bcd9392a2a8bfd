"""A conversation with the model alone: streamed, remembered, and marked as coming from no document."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.engine import Engine
from app.plain_chat import ask_model
from app.settings import Settings
from app.views import answer_notes
from generation.answer import Answer
from generation.extractive import Extractive
from generation.llm import Message, SamplingConfig
from generation.plain_chat import stream_plain
from ingest.errors import ModelError
from tests.fakes import ScriptedLLM, fixed_clock


def test_the_reply_streams_and_is_marked_as_from_no_document() -> None:
    llm = ScriptedLLM("Paris [1].", piece_size=4)
    said = [Message("user", "Hello"), Message("assistant", "Hi")]

    *pieces, answer = stream_plain("Capital of France?", llm, SamplingConfig(seed=7), history=said, clock=fixed_clock)

    assert pieces == ["Pari", "s [1", "]."]
    assert isinstance(answer, Answer)
    assert (answer.text, answer.claims, answer.from_documents) == ("Paris [1].", (), False)
    assert answer.prompt == (*said, Message("user", "Capital of France?"))
    assert answer_notes(answer) == [
        "(From the model alone, not from your documents: nothing was looked up, cited or checked.)"
    ]


def test_the_oldest_turns_give_way_where_the_context_is_small() -> None:
    llm = ScriptedLLM("Yes.")
    llm.context_tokens = 256
    # 128 are the reply's, 32 the question's marks, 1 the question's: 95 are left; a turn takes 16 + 10 + 16 + 20 = 62.
    turn = [Message("user", "q" * 40), Message("assistant", "a" * 80)]

    list(stream_plain("Why", llm, SamplingConfig(max_tokens=1024), history=[*turn, *turn]))

    assert llm.prompts[0].messages == (*turn, Message("user", "Why"))
    assert llm.samplings[0].max_tokens == 128


def test_a_model_that_only_quotes_says_that_it_cannot_chat(tmp_path: Path) -> None:
    engine = Engine(replace(Settings(), home=tmp_path), llm=Extractive())

    with pytest.raises(ModelError, match="extractive only quotes documents; choose a language model"):
        list(ask_model(engine, "Hello"))
