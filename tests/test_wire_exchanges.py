"""What servers that can't be run here send: a stream written out by hand, and the text that comes of it.

After SGLang, Ollama and LM Studio, each for something that the others lack; no recordings.
"""

import json
from typing import Any

import pytest

from generation.llm import Message, Prompt, SamplingConfig
from tests.stub_server import StubServer

PROMPT = Prompt((Message("user", "When does the last ferry leave?"),), "When does the last ferry leave?")
SAMPLING = SamplingConfig(max_tokens=64)


def sglang(handler: Any) -> None:
    """SGLang with a reasoning parser: reasoning in a field of its own, `matched_stop`, usage at the end."""
    base = {"id": "6f", "object": "chat.completion.chunk", "created": 1764072000, "model": "Qwen/Qwen3-8B"}
    choice = {"index": 0, "logprobs": None, "finish_reason": None, "matched_stop": None}

    def send(finish: str | None = None, **delta: object) -> None:
        ended = {"finish_reason": finish, "matched_stop": 151645} if finish else {}
        frame = {**base, "choices": [{**choice, "delta": {"tool_calls": None, **delta}, **ended}], "usage": None}
        handler.raw(f"data: {json.dumps(frame)}\n\n")

    handler.start()
    send(role="assistant", content="", reasoning_content=None)
    send(role=None, content=None, reasoning_content="The timetable says 22:40.")
    send(role=None, content="At 22:40", reasoning_content=None)
    send(role=None, content=" [1].", reasoning_content=None)
    send("stop", role=None, content=None, reasoning_content=None)
    usage = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42, "prompt_tokens_details": None}
    handler.raw(f"data: {json.dumps({**base, 'choices': [], 'usage': usage})}\n\n")
    handler.raw("data: [DONE]\n\n")
    handler.close_connection = True


def ollama(handler: Any) -> None:
    """Ollama: the role in every delta, thinking in `reasoning`, a fingerprint, no usage unless asked, an empty end."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1764072000, "model": "qwen3:8b"}

    def send(finish: str | None = None, **delta: object) -> None:
        choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}
        handler.raw(f"data: {json.dumps({**base, 'system_fingerprint': 'fp_ollama', 'choices': [choice]})}\n\n")

    handler.start()
    send(content="", reasoning="The timetable")
    send(content="", reasoning=" says 22:40.")
    send(content="At 22:40")
    send(content=" [1].")
    send("stop", content="")
    handler.raw("data: [DONE]\n\n")
    handler.close_connection = True


def lm_studio(handler: Any) -> None:
    """LM Studio: the role in the first deltas only, thinking in the text itself, a last delta that is empty."""
    base = {"id": "chatcmpl-2", "object": "chat.completion.chunk", "created": 1764072000, "model": "qwen3-8b"}

    def send(finish: str | None = None, **delta: object) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        handler.raw(f"data: {json.dumps({**base, 'system_fingerprint': 'qwen3-8b', 'choices': [choice]})}\n\n")

    handler.start()
    send(role="assistant", content="<think>")
    send(role="assistant", content="\nThe timetable says 22:40.\n</th")
    send(content="ink>\n\nAt 22:40")
    send(content=" [1].")
    send("stop")
    handler.raw("data: [DONE]\n\n")
    handler.close_connection = True


def busy(handler: Any) -> None:
    """A proxy before a server that reads a long prompt: comments, CRLF line ends, a frame cut in two writes."""
    frame = '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[%s]}'
    handler.start()
    handler.raw(": still reading\r\n\r\n: keep-alive\r\n\r\n")
    text = frame % '{"index":0,"delta":{"content":"At 22:40"},"finish_reason":null}'
    handler.raw("data: " + text[:40])
    handler.raw(text[40:] + "\r\n\r\n")
    handler.raw("event: ping\r\ndata: " + frame % "" + "\r\n\r\n")
    handler.raw("data: " + frame % '{"index":0,"delta":{"content":" [1]."},"finish_reason":"stop"}' + "\r\n\r\n")
    handler.raw("data: [DONE]\r\n\r\n")
    handler.close_connection = True


@pytest.mark.parametrize("exchange", [sglang, ollama, lm_studio, busy], ids=lambda exchange: exchange.__name__)
def test_the_answer_comes_in_pieces_without_the_thinking(server: StubServer, exchange: Any) -> None:
    server.answer = exchange

    pieces = server.llm(model="m", context_tokens=4096).stream(PROMPT, SAMPLING)  # "" while the model thinks
    assert [piece for piece in pieces if piece] == ["At 22:40", " [1]."]


@pytest.mark.parametrize(
    ("listed", "name", "context"),
    [
        (
            {"id": "Qwen/Qwen3-8B", "object": "model", "owned_by": "sglang", "max_model_len": 40960},
            "Qwen/Qwen3-8B",
            40960,
        ),
        ({"id": "qwen3:8b", "object": "model", "created": 1, "owned_by": "library"}, "qwen3:8b", 4096),
        ({"id": "qwen3-8b", "object": "model", "owned_by": "organization_owner"}, "qwen3-8b", 4096),
    ],
    ids=["sglang", "ollama", "lm_studio"],
)
def test_a_context_size_that_isn_t_listed_is_taken_to_be_small(
    server: StubServer, listed: dict[str, Any], name: str, context: int
) -> None:
    server.models = [listed]
    llm = server.llm()

    assert (llm.name, llm.context_tokens) == (name, context)
