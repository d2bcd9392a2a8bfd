"""Prompts that fit small contexts, and a server that says that one was too long."""

from pathlib import Path
from typing import Any

import pytest

from generation.answer import Answer
from generation.answer_config import AnswerConfig
from generation.answering import answer_question, stream_answer
from generation.limits import limits_for
from generation.llama_cpp import LlamaCpp, LlamaCppConfig
from generation.llm import Message, SamplingConfig
from generation.prompts import PromptLimits
from generation.standby import StandBy
from ingest.errors import ContextError
from tests.fakes import ScriptedLLM, retrieval_of
from tests.stub_server import StubServer

_SMALL = Path(__file__).parent.parent / "data" / "models" / "smollm2-135m-instruct-q4_1.gguf"
_QUESTION = "How many days of leave do nurses get in a year?"
_LEAVE = "Nurses get 25 days of leave in a year."
_MORE = [f"Ward {n} has {n + 3} beds, and nurses there get tea at {n % 12} o'clock in a year." for n in range(20)]
_VLLM = "This model's maximum context length is 512 tokens. However, you requested 700 tokens."
_LLAMA = {"message": "the request exceeds the available context size, try increasing it", "n_ctx": 512}


def _limits(context_tokens: int, passages_tokens: int = 500) -> tuple[PromptLimits, int]:
    return limits_for(
        context_tokens, 20, passages_tokens=passages_tokens, answer_tokens=256, history_tokens=150, history_turns=1
    )


@pytest.mark.parametrize(
    ("context", "limits", "answer"),
    [
        (4096, PromptLimits(500, 150, 1), 256),
        (1200, PromptLimits(224, 150, 1), 256),  # 1200 - 550 - 20 - 256 - 150
        (1024, PromptLimits(368, 150, 1, with_example=False), 256),  # 1024 - 230 - 20 - 256 - 150
        (512, PromptLimits(134, 0, 0, with_example=False), 128),  # 512 - 230 - 20 - 512 / 4
    ],
)
def test_a_small_context_gives_up_the_example_then_answer_and_history(
    context: int, limits: PromptLimits, answer: int
) -> None:
    assert _limits(context) == (limits, answer)


@pytest.mark.skipif(not _SMALL.is_file(), reason=f"{_SMALL.name} is not under data/models; run: footnote llm pull")
@pytest.mark.parametrize("context", [512, 1024])
def test_the_prompt_fits_a_real_models_small_context(context: int) -> None:
    llm = LlamaCpp(_SMALL, LlamaCppConfig(context_tokens=context))
    history = [Message("user", "Who works here? " * 30), Message("assistant", "Nurses do. " * 30)]

    config = AnswerConfig(sampling=SamplingConfig(max_tokens=256, stop=(" ",)))  # a word is enough here

    answer = answer_question(retrieval_of(_QUESTION, _LEAVE, *_MORE), llm, config, history=history)

    assert answer.notes == ()
    assert llm.last_usage is not None
    assert answer.sampling is not None
    assert llm.last_usage.prompt_tokens + answer.sampling.max_tokens <= context
    assert {drop.stage for drop in answer.retrieval.dropped} == {"prompt"}


def _refusing(server: StubServer, error: object, times: int = 1) -> None:
    left = [times]

    def answer(handler: Any) -> None:
        if left[0]:
            left[0] -= 1
            handler.reply(400, {"error": error})
        else:
            handler.stream("25 days of leave [1].")

    server.answer = answer


@pytest.mark.parametrize("error", [{"message": _VLLM}, _LLAMA])
def test_a_prompt_that_the_server_finds_too_long_is_asked_once_more_with_fewer_passages(
    server: StubServer, error: object
) -> None:
    _refusing(server, error)
    llm = server.llm(model="qwen", context_tokens=4096)

    answer = answer_question(retrieval_of(_QUESTION, _LEAVE, *_MORE), llm, AnswerConfig())

    first, second = [body for path, _, body in server.requests if path.endswith("/chat/completions")][0::2][:2]
    assert len(str(second["messages"])) < len(str(first["messages"])) / 2
    assert answer.text == "25 days of leave [1]."
    assert answer.notes == (
        "The prompt was longer than the model's context (512 tokens); it was asked again with fewer passages.",
    )
    assert llm.context_tokens == 512  # and the next question is made to fit
    assert answer.sampling == SamplingConfig(max_tokens=128)


def test_a_prompt_that_is_too_long_twice_is_an_error(server: StubServer) -> None:
    _refusing(server, {"message": _VLLM}, times=9)

    with pytest.raises(ContextError, match="ask with fewer passages"):
        answer_question(retrieval_of(_QUESTION, _LEAVE), server.llm(model="qwen"), AnswerConfig())


def test_a_prompt_that_is_too_long_does_not_call_the_stand_by(server: StubServer) -> None:
    _refusing(server, {"message": _VLLM})
    llm = StandBy(server.llm(model="qwen", context_tokens=4096), ScriptedLLM("25 days [1]."))

    *_, answer = stream_answer(retrieval_of(_QUESTION, _LEAVE), llm, AnswerConfig())

    assert isinstance(answer, Answer)
    assert answer.model == "qwen"
