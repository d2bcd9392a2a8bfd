"""A real vLLM, seen through the plain OpenAI client and through Footnote: listing, chatting, streaming, refusing."""

import json
import re
import socket
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest
from openai import OpenAI

from app.servers import served_models
from generation.abstain import AbstainConfig
from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.llm import Message, Prompt, SamplingConfig
from generation.openai_server import OpenAIServer, OpenAIServerConfig
from ingest.errors import ModelError
from tests.fakes import retrieval_of

if TYPE_CHECKING:
    from tests.vllm_server import VllmServer

pytest_plugins = ("tests.vllm_server",)

QUESTION = "When does the last ferry leave?"
SHORT = SamplingConfig(max_tokens=24)


def test_vllm_lists_the_model_under_the_name_it_serves(vllm_server: "VllmServer") -> None:
    assert served_models(vllm_server.base_url, "none") == [vllm_server.model]


def test_vllm_answers_a_chat_and_counts_its_tokens(vllm_server: "VllmServer") -> None:
    answer = openai_client(vllm_server).chat.completions.create(
        model=vllm_server.model, messages=[{"role": "user", "content": QUESTION}], max_tokens=8, temperature=0
    )

    assert answer.usage is not None
    assert answer.usage.completion_tokens == 8
    assert answer.choices[0].message.content


def test_vllm_streams_in_several_pieces(vllm_server: "VllmServer") -> None:
    chunks = openai_client(vllm_server).chat.completions.create(
        model=vllm_server.model,
        messages=[{"role": "user", "content": QUESTION}],
        max_tokens=16,
        temperature=0,
        stream=True,
    )

    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]

    assert len(pieces) > 4


def test_footnote_streams_from_vllm_and_the_same_seed_gives_the_same_text(vllm_server: "VllmServer") -> None:
    llm = footnote_client(vllm_server)

    first = list(llm.stream(prompt(QUESTION), SHORT))
    second = list(llm.stream(prompt(QUESTION), SHORT))

    assert len(first) > 4
    assert "".join(first) == "".join(second)


def test_footnote_takes_the_name_and_context_size_from_the_server(vllm_server: "VllmServer") -> None:
    llm = OpenAIServer(OpenAIServerConfig(base_url=vllm_server.base_url))

    assert (llm.name, llm.context_tokens) == (vllm_server.model, vllm_server.context_tokens)


def test_vllm_gives_the_probabilities_of_the_first_token(vllm_server: "VllmServer") -> None:
    llm = OpenAIServer(OpenAIServerConfig(base_url=vllm_server.base_url))

    (tokens,) = llm.next_tokens(Prompt((Message("user", QUESTION),), QUESTION))

    assert len(tokens) > 1 and 0 < sum(tokens.values()) <= 1.0001


def test_a_model_that_vllm_does_not_serve_is_named_in_the_error(vllm_server: "VllmServer") -> None:
    llm = footnote_client(vllm_server, model="no-such-model")

    with pytest.raises(ModelError, match=r"has no model 'no-such-model' \(404"):
        list(llm.stream(prompt(QUESTION), SHORT))


def test_a_prompt_longer_than_the_context_is_refused_with_what_to_do(vllm_server: "VllmServer") -> None:
    llm = footnote_client(vllm_server)

    with pytest.raises(ModelError, match="fewer passages"):
        list(llm.stream(prompt("ferry " * (vllm_server.context_tokens + 100)), SHORT))


def test_closing_the_stream_early_frees_the_server(vllm_server: "VllmServer") -> None:
    most = SamplingConfig(max_tokens=vllm_server.context_tokens - 100)
    pieces = footnote_client(vllm_server).stream(prompt(QUESTION), most)
    next(pieces)
    assert wait_for_running_requests(vllm_server, 1, seconds=5) == 1

    pieces.close()  # type: ignore[attr-defined]

    assert wait_for_running_requests(vllm_server, 0, seconds=5) == 0


def test_a_server_that_is_not_there_is_said_with_how_to_start_one() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: nothing else can take the port meanwhile
        llm = OpenAIServer(
            OpenAIServerConfig(
                base_url=f"http://127.0.0.1:{unused.getsockname()[1]}/v1", model="any", context_tokens=2048, retries=0
            )
        )

        with pytest.raises(ModelError, match="can't be reached"):
            list(llm.stream(prompt(QUESTION), SHORT))


def test_tokens_are_counted_by_vllms_tokenizer_all_in_one_request(vllm_server: "VllmServer") -> None:
    texts = ["The last ferry leaves at 22:40.", "渡船票价为58.00克朗", "Fähre", "def f(x):\n    return x"]
    llm = footnote_client(vllm_server)

    llm.count_ahead(texts)

    alone = [tokens_of(vllm_server, text) for text in texts]
    # A line's end stands between them: a token of its own after a word, part of the one before after a full stop.
    assert [counted - one for counted, one in zip(map(llm.count_tokens, texts), alone, strict=True)] == [0, 1, 1, 0]


def test_a_conversation_finds_what_every_prompt_begins_with_in_the_prefix_cache(vllm_server: "VllmServer") -> None:
    llm = footnote_client(vllm_server)
    config = AnswerConfig(sampling=SHORT, abstain=AbstainConfig(least_stated={"en": 0.0, "zh": 0.0}))
    history: list[Message] = []
    shares = []
    for question in ("When does the last ferry leave?", "When does the first ferry leave?", "What does a ferry cost?"):
        before = prefix_cache(vllm_server)
        passages = [f"{question} The ferry of line {n} leaves at {n} o'clock and costs {n} crowns." for n in range(9)]
        answer_question(retrieval_of(question, *passages), llm, config, history=history)
        hits, queries = (now - was for now, was in zip(prefix_cache(vllm_server), before, strict=True))
        shares.append(hits / queries)
        history += [Message("user", question), Message("assistant", "At 22:40.")]

    # A question is asked twice, whether it is stated and then itself: the second time all but the last line is there.
    # From the second question on, system message and example are there the first time too.
    assert min(shares[1:]) > 0.5


def openai_client(server: "VllmServer") -> OpenAI:
    """Make the plain client, which knows nothing of Footnote."""
    return OpenAI(base_url=server.base_url, api_key="none", max_retries=0)


def footnote_client(server: "VllmServer", *, model: str = "") -> OpenAIServer:
    """Make Footnote's own client."""
    return OpenAIServer(
        OpenAIServerConfig(base_url=server.base_url, model=model or server.model, context_tokens=server.context_tokens)
    )


def prompt(question: str) -> Prompt:
    """Make a prompt of one user message."""
    return Prompt((Message("user", question),), question)


def running_requests(server: "VllmServer") -> int:
    """Read from vLLM's own figures how many requests it is working on."""
    with urllib.request.urlopen(f"{server.root_url}/metrics", timeout=10) as response:
        figures = response.read().decode()
    (running,) = re.findall(r"^vllm:num_requests_running\{.*\} (\S+)$", figures, re.MULTILINE)
    return int(float(running))


def wait_for_running_requests(server: "VllmServer", wanted: int, *, seconds: float) -> int:
    """Poll until the server works on `wanted` requests, at most `seconds`; give the last figure."""
    deadline = time.monotonic() + seconds
    while (running := running_requests(server)) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return running


def tokens_of(server: "VllmServer", text: str) -> int:
    """Ask how many tokens one text has."""
    body = json.dumps({"prompt": text, "add_special_tokens": False}).encode()
    request = urllib.request.Request(f"{server.root_url}/tokenize", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return int(json.load(response)["count"])


def prefix_cache(server: "VllmServer") -> tuple[float, float]:
    """Give how many tokens of prompts were found in the prefix cache so far, and how many were looked for."""
    with urllib.request.urlopen(f"{server.root_url}/metrics", timeout=10) as response:
        figures = response.read().decode()
    counts = [
        re.search(rf"^vllm:prefix_cache_{name}_total\{{.*\}} (\S+)$", figures, re.M) for name in ("hits", "queries")
    ]
    assert counts[0] and counts[1]
    return float(counts[0][1]), float(counts[1][1])
