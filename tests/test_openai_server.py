"""OpenAIServer against a real HTTP server on loopback that speaks server-sent events, well and badly."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.views import answer_json
from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.llm import Message, Prompt, SamplingConfig
from generation.openai_server import OpenAIServer, OpenAIServerConfig
from ingest.errors import ModelError
from ingest.token_estimate import estimate_tokens
from tests.fakes import retrieval_of
from tests.stub_server import StubServer

_PROMPT = Prompt((Message("system", "Be brief."), Message("user", "Who?")), "Who?")
_SAMPLING = SamplingConfig(max_tokens=20, seed=7)


def _answer(llm: OpenAIServer) -> str:
    return "".join(llm.stream(_PROMPT, _SAMPLING))


def test_the_answer_streams_piece_by_piece(server: StubServer) -> None:
    assert list(server.llm().stream(_PROMPT, _SAMPLING)) == ["Mira", " Solberg"]


def test_the_request_carries_messages_sampling_and_extra_body(server: StubServer) -> None:
    _answer(server.llm(extra_body={"chat_template_kwargs": {"enable_thinking": False}}))

    assert server.posted() == {
        "model": "qwen",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who?"}],
        "temperature": 0.0,
        "stream": True,
        "seed": 7,
        "max_tokens": 20,
        "chat_template_kwargs": {"enable_thinking": False},
    }


def test_without_a_model_the_first_one_served_is_taken_with_its_context_size(server: StubServer) -> None:
    llm = server.llm()

    assert (llm.name, llm.context_tokens) == ("qwen", 2048)


def test_model_and_context_size_set_by_hand_ask_the_server_nothing(server: StubServer) -> None:
    llm = server.llm(model="mine", context_tokens=512)

    assert (llm.name, llm.context_tokens, server.requests) == ("mine", 512, [])


def test_a_context_size_may_stand_in_llama_servers_meta(server: StubServer) -> None:
    server.models = [{"id": "gguf", "object": "model", "meta": {"n_ctx_train": 32768}}]

    assert server.llm().context_tokens == 32768


def test_a_server_without_models_is_an_error_that_says_what_to_do(server: StubServer) -> None:
    server.models = []

    with pytest.raises(ModelError, match=r"serves no model; start one, for instance: footnote llm serve"):
        _ = server.llm().name


def test_the_api_key_is_sent(server: StubServer) -> None:
    _answer(server.llm(api_key="secret"))

    assert server.requests[-1][1]["authorization"] == "Bearer secret"


def test_a_proxy_for_the_web_does_not_swallow_loopback(server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    assert _answer(server.llm()) == "Mira Solberg"


def test_reasoning_never_enters_the_answer_however_it_is_cut(server: StubServer) -> None:
    server.answer = lambda handler: handler.stream("<th", "ink>It may be", " Bo.</thi", "nk>\n\nMira", " Solberg")

    llm = server.llm()
    assert (_answer(llm), llm.thinking) == ("Mira Solberg", "It may be Bo.")
    server.answer = lambda handler: handler.stream("Mira")
    assert (_answer(llm), llm.thinking) == ("Mira", "")


def test_an_answer_keeps_what_was_thought_and_cites_nothing_of_it(server: StubServer) -> None:
    server.answer = lambda handler: handler.stream("<think>Bo [1]?</think>", "Mira Solberg runs the harbour [1].")
    retrieval = retrieval_of("Who runs the harbour?", "Mira Solberg runs the harbour.")

    answer = answer_question(retrieval, server.llm(), AnswerConfig())

    assert answer.thinking == "Bo [1]?"
    assert answer.text == "Mira Solberg runs the harbour [1]."
    assert [(claim.text, claim.status) for claim in answer.claims] == [("Mira Solberg runs the harbour.", "supported")]
    assert answer_json(answer)["thinking"] == "Bo [1]?"


def test_reasoning_content_beside_the_answer_is_left_out_and_kept_as_thinking(server: StubServer) -> None:
    def answer(handler: Any) -> None:
        handler.start()
        handler.delta(role="assistant", content=None, reasoning_content="It may be Bo.")
        handler.delta(reasoning="Or Mira.")
        handler.delta(content="Mira")
        handler.delta("stop")
        handler.raw("data: [DONE]\n\n")
        handler.close_connection = True

    server.answer = answer
    llm = server.llm()

    assert (_answer(llm), llm.thinking) == ("Mira", "It may be Bo.Or Mira.")


def test_a_thinking_model_whose_template_opens_the_tag_shows_only_the_answer(server: StubServer) -> None:
    server.answer = lambda handler: handler.stream("It may be Bo.", "</think>\n", "Mira")

    assert _answer(server.llm(model="Qwen3-4B-Thinking-2507")) == "Mira"


def test_a_thinking_model_behind_a_reasoning_parser_shows_its_answer(server: StubServer) -> None:
    server.answer = lambda handler: handler.stream("Mira", " Solberg")

    assert _answer(server.llm(model="QwQ-32B")) == "Mira Solberg"


def test_reasoning_that_leaks_into_the_answer_is_an_error_that_names_the_setting(server: StubServer) -> None:
    server.answer = lambda handler: handler.stream("It may be Bo.", "</think>", "Mira")

    with pytest.raises(ModelError, match=r"mixes its reasoning into the answer; .*--reasoning-parser"):
        _answer(server.llm())


def test_a_model_that_only_thinks_is_an_error_that_says_how_to_stop_it(server: StubServer) -> None:
    server.answer = lambda handler: handler.stream("<think>", "It may be", finish="length")

    with pytest.raises(ModelError, match=r'used up its tokens thinking .*"enable_thinking": false'):
        _answer(server.llm())


def test_an_empty_answer_is_an_error(server: StubServer) -> None:
    server.answer = lambda handler: handler.stream()

    with pytest.raises(ModelError, match="qwen wrote nothing"):
        _answer(server.llm())


@pytest.mark.parametrize(
    ("status", "body", "match"),
    [
        (401, {"error": {"message": "bad key"}}, r"refused the key \(401: bad key\); set the API key"),
        (
            404,
            {"error": {"message": "no such model"}},
            r"has no such address \(404: no such model\); see its /v1/models",
        ),
        (400, {"error": {"message": "maximum context length is 2048"}}, r"\(400: maximum context .*\); ask with fewer"),
        (
            400,
            {"message": "bad temperature"},
            r"can't take the request \(400: bad temperature\); check model and extra",
        ),
        (422, {"detail": "max_tokens unknown"}, r"can't take the request \(422: max_tokens unknown\)"),
        (429, {"error": {"message": "slow down"}}, r"too many requests \(429: slow down\); wait a little"),
        (
            500,
            {"error": "CUDA out of memory"},
            r"ran out of memory \(500: CUDA out of memory\); start it with a shorter",
        ),
        (503, "<html>Bad gateway</html>", r"failed \(503: <html>Bad gateway</html>\)"),
    ],
)
def test_the_servers_own_reason_is_passed_on_with_what_to_do(
    server: StubServer, status: int, body: object, match: str
) -> None:
    server.answer = lambda handler: handler.reply(status, body)

    with pytest.raises(ModelError, match=match):
        _answer(server.llm())


def test_a_wrong_model_is_named(server: StubServer) -> None:
    server.answer = lambda handler: handler.reply(404, {"error": {"message": "not found"}})

    with pytest.raises(ModelError, match=r"has no model 'other' \(404: not found\)"):
        _answer(server.llm(model="other"))


def test_an_unreachable_server_is_named_with_what_to_do() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"

    with pytest.raises(ModelError, match=rf"{url} can't be reached .*footnote llm serve"):
        _answer(OpenAIServer(OpenAIServerConfig(base_url=url, model="qwen", retries=0)))


def test_a_silent_server_times_out(server: StubServer) -> None:
    release = threading.Event()
    server.answer = lambda handler: release.wait(10) and None

    with pytest.raises(ModelError, match=r"was silent for 0\.3 seconds; it may be busy"):
        _answer(server.llm(timeout_seconds=0.3, model="qwen"))
    release.set()


def _half_frame(handler: Any) -> None:
    handler.start()
    handler.delta(content="Mira")
    handler.raw('data: {"id": "c", "choices": [{"del')
    handler.close_connection = True


def _garbage(handler: Any) -> None:
    handler.start()
    handler.delta(content="Mira")
    handler.raw("data: not json\n\n")
    handler.close_connection = True


def _no_end(handler: Any) -> None:
    handler.stream("Mira", finish=None)


def _reset(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.raw("ffff\r\ndata: {}")
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _error_frame(handler: Any) -> None:
    handler.start()
    handler.delta(content="Mira")
    handler.raw('data: {"error": {"message": "engine died", "code": 500}}\n\n')
    handler.close_connection = True


def _no_sse(handler: Any) -> None:
    handler.reply(200, "<html>Welcome</html>")


@pytest.mark.parametrize(
    ("behaviour", "match"),
    [
        (_half_frame, "too early|no answer"),
        (_garbage, "sent what is no answer"),
        (_no_end, "ended the answer of qwen too early"),
        (_reset, "can't be reached or hung up"),
        (_error_frame, "broke off the answer: engine died"),
        (_no_sse, "too early|no answer"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_stream_that_breaks_is_an_error_not_a_short_answer(
    server: StubServer, behaviour: Callable[[Any], None], match: str
) -> None:
    server.answer = behaviour

    with pytest.raises(ModelError, match=match):
        _answer(server.llm())


def test_comments_keepalives_and_usage_frames_are_tolerated(server: StubServer) -> None:
    def answer(handler: Any) -> None:
        handler.start()
        handler.raw(": keep-alive\n\n")
        handler.delta(content="Mira")
        handler.delta("stop")
        handler.raw('data: {"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"total_tokens":3}}\n\n')
        handler.raw("data: [DONE]\n\n")
        handler.close_connection = True

    server.answer = answer

    assert _answer(server.llm()) == "Mira"


def test_closing_the_iterator_hangs_up_so_that_the_server_stops(server: StubServer) -> None:
    def answer(handler: Any) -> None:
        handler.start()
        try:
            while True:
                handler.delta(content="word ")
        except OSError:
            server.hung_up.set()
        handler.close_connection = True

    server.answer = answer
    pieces = server.llm().stream(_PROMPT, _SAMPLING)
    assert next(pieces) == "word "

    pieces.close()  # type: ignore[attr-defined]  # the iterator is a generator

    assert server.hung_up.wait(10)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("The year", 2),  # one token for each word of up to 5 letters
        ("leave of absence", 4),  # leave 1, of 1, absence 2
        ("2026", 4),  # Qwen gives every digit its own token
        ("年假有二十五天", 6),  # 7 characters x 0.8 = 5.6, rounded up
    ],
)
def test_tokens_are_estimated_from_above(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def _reply_like(kind: str) -> Callable[[Any, dict[str, Any]], None]:
    """Answer /tokenize as a server of that kind does, with a token a character: a byte-level one cuts 年 in two."""

    def tokenize(handler: Any, body: dict[str, Any]) -> None:
        text = body["content"] if kind == "llama" else body["prompt"]
        pieces = [part for character in text for part in ([b"\xe5\xb9", b"\xb4"] if character == "年" else [character])]
        if kind == "llama":
            shown = [list(piece) if isinstance(piece, bytes) else piece for piece in pieces]
            handler.reply(200, {"tokens": [{"id": 7, "piece": piece} for piece in shown]})
            return
        reply = {"count": len(pieces), "max_model_len": 2048, "tokens": [7] * len(pieces)}
        if kind == "vllm":  # GPT-2's letters for bytes; here any, for only their number counts
            reply["token_strs"] = ["Ġ" * len(piece.encode() if isinstance(piece, str) else piece) for piece in pieces]
        handler.reply(200, reply)

    return tokenize


# "两年 [1]" has 6 characters, and 年 is two tokens; the line's end between two texts belongs to the first.
@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        ("vllm", [8, 5, 7]),
        ("llama", [8, 5, 7]),
        ("sglang", [8, 2, 11]),  # tells no pieces: 20 tokens shared out as estimated, 5, 1 and 7, each rounded up
    ],
)
def test_tokens_are_counted_by_the_servers_tokenizer_in_one_request(
    server: StubServer, kind: str, counts: list[int]
) -> None:
    server.tokenize = _reply_like(kind)
    llm = server.llm(model="qwen")
    texts = ["两年 [1]", "word", "1234567"]

    llm.count_ahead(texts)
    llm.count_ahead([*texts, "", " "])

    assert [llm.count_tokens(text) for text in texts] == counts
    assert [path for path, _, _ in server.requests] == ["/tokenize"]


@pytest.mark.parametrize("reply", [(404, {"detail": "Not Found"}), (200, {"tokens": []}), (200, "no JSON"), (200, [1])])
def test_a_server_that_counts_no_tokens_is_asked_once_and_then_estimated(server: StubServer, reply: Any) -> None:
    server.tokenize = lambda handler, _: handler.reply(*reply)
    llm = server.llm(model="qwen")

    llm.count_ahead(["leave of absence"])
    llm.count_ahead(["2026"])

    assert [llm.count_tokens(text) for text in ("leave of absence", "2026")] == [4, 4]
    assert len(server.requests) == 1


def test_an_answer_counts_question_history_and_sentences_in_one_request(server: StubServer) -> None:
    server.tokenize = _reply_like("vllm")
    history = [Message("user", "Hello."), Message("assistant", "Yes?")]

    llm = server.llm(model="qwen", context_tokens=4096)
    answer_question(retrieval_of("Who?", "Mira is here. Who is Solberg?"), llm, AnswerConfig(), history=history)

    (counted,) = [body["prompt"] for path, _, body in server.requests if path == "/tokenize"]
    assert counted == "Who?\nHello.\nYes?\nMira is here.\nWho is Solberg?"
