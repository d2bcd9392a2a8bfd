"""A second model stands by: who wrote is said, and nothing is said twice. Retries against a real loopback server."""

import json
from typing import Any

import pytest

from app.settings import Settings, load_settings
from generation.llm import Message, Prompt, SamplingConfig
from generation.media import Media
from generation.openai_server import OpenAIServer, OpenAIServerConfig
from generation.standby import StandBy
from ingest.errors import ModelError, SettingsError
from tests.fakes import ScriptedLLM
from tests.stub_server import StubServer

_PROMPT = Prompt((Message("user", "Who?"),), "Who?")
_SAMPLING = SamplingConfig(max_tokens=20)


def _failing(server: StubServer, status: int, times: int, after: str | None = None) -> None:
    """Answer `times` requests with a status, the others well."""
    left = [times]

    def answer(handler: Any) -> None:
        if not left[0]:
            handler.stream("Mira")
            return
        left[0] -= 1
        handler.send_response(status)
        if after is not None:
            handler.send_header("Retry-After", after)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answer = answer


def _client(server: StubServer, pauses: list[float]) -> OpenAIServer:
    return OpenAIServer(OpenAIServerConfig(base_url=server.url, model="qwen"), sleep=pauses.append)


@pytest.mark.parametrize(("status", "after", "waited"), [(503, None, 1.5), (429, "3", 6.0), (500, None, 1.5)])
def test_a_failure_that_may_pass_is_tried_twice_more(
    server: StubServer, status: int, after: str | None, waited: float
) -> None:
    pauses: list[float] = []
    _failing(server, status, 2, after)

    assert "".join(_client(server, pauses).stream(_PROMPT, _SAMPLING)) == "Mira"
    assert sum(pauses) == waited


@pytest.mark.parametrize(("status", "after"), [(429, "600"), (400, None), (401, None)])
def test_what_will_not_pass_is_not_tried_again(server: StubServer, status: int, after: str | None) -> None:
    pauses: list[float] = []
    _failing(server, status, 1, after)

    with pytest.raises(ModelError, match=str(status)):
        list(_client(server, pauses).stream(_PROMPT, _SAMPLING))
    assert (pauses, len(server.requests)) == ([], 1)


def test_nothing_is_tried_again_once_text_was_shown(server: StubServer) -> None:
    server.answer = lambda handler: handler.stream("Mira", finish=None)

    with pytest.raises(ModelError, match="too early"):
        list(_client(server, []).stream(_PROMPT, _SAMPLING))
    assert len(server.requests) == 1


def test_the_stand_by_answers_for_a_failing_server_and_the_name_says_why(server: StubServer) -> None:
    _failing(server, 401, 9)
    now = [100.0]
    llm = StandBy(_client(server, []), ScriptedLLM("Bo"), clock=lambda: now[0])

    assert ("".join(llm.stream(_PROMPT, _SAMPLING)), llm.context_tokens) == ("Bo", 4096)
    assert llm.name.startswith(f"scripted (stand-by: the server at {server.url} refused the key (401")
    assert "".join(llm.stream(_PROMPT, _SAMPLING)) == "Bo"
    assert len(server.requests) == 1  # it rests
    server.answer = lambda handler: handler.stream("Mira")
    now[0] += 31
    assert ("".join(llm.stream(_PROMPT, _SAMPLING)), llm.name) == ("Mira", "qwen")


def test_the_stand_by_is_sent_no_pictures_and_the_name_says_so(server: StubServer) -> None:
    _failing(server, 401, 9)
    second = ScriptedLLM("Bo")
    llm = StandBy(_client(server, []), second)
    picture = Media("image", "image/png", b"", "sign.png", 1, 1)

    assert "".join(llm.stream(Prompt((Message("user", "Who?", (picture,)),), "Who?"), _SAMPLING)) == "Bo"
    assert second.prompts == [_PROMPT]
    assert llm.name.endswith("; the pictures weren't sent)")


def test_an_answer_that_broke_off_is_not_begun_anew_by_the_stand_by(server: StubServer) -> None:
    server.answer = lambda handler: handler.stream("Mira", finish=None)
    second = ScriptedLLM("Bo")

    with pytest.raises(ModelError, match="too early"):
        list(StandBy(_client(server, []), second).stream(_PROMPT, _SAMPLING))
    assert second.prompts == []


def test_extra_body_is_a_json_object() -> None:
    given = load_settings({"FOOTNOTE_LLM_EXTRA_BODY": '{"top_k": 5}', "FOOTNOTE_LLM_FALLBACK_MODEL": "extractive"})

    assert (given.llm.extra_body, given.llm.fallback_model) == ({"top_k": 5}, "extractive")
    assert Settings().llm.extra_body == {}
    with pytest.raises(SettingsError, match="llm_extra_body must be a JSON object"):
        load_settings({"FOOTNOTE_LLM_EXTRA_BODY": "[1]"})


def test_a_template_without_a_system_role_gets_the_instructions_in_the_first_turn(server: StubServer) -> None:
    def answer(handler: Any) -> None:
        if server.posted()["messages"][0]["role"] == "system":
            handler.reply(400, {"error": {"message": "System role not supported"}})
        else:
            handler.stream("Mira")

    server.answer = answer
    client = _client(server, [])
    prompt = Prompt((Message("system", "Be brief."), Message("user", "Who?")), "Who?")

    assert ["".join(client.stream(prompt, _SAMPLING)) for _ in range(2)] == ["Mira", "Mira"]
    assert server.posted()["messages"] == [{"role": "user", "content": "Be brief.\n\nWho?"}]
    assert len(server.requests) == 3  # it is remembered


def test_a_template_without_a_system_role_does_not_cost_the_probabilities(server: StubServer) -> None:
    def answer(handler: Any) -> None:
        if server.posted()["messages"][0]["role"] == "system":
            handler.reply(400, {"error": {"message": "System role not supported"}})
            return
        likeliest = {"content": [{"token": "Yes", "logprob": 0.0, "top_logprobs": [{"token": "Yes", "logprob": 0.0}]}]}
        choice = {"index": 0, "delta": {"content": "Yes"}, "logprobs": likeliest, "finish_reason": None}
        frame = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "qwen", "choices": [choice]}
        handler.start()
        handler.raw(f"data: {json.dumps(frame)}\n\ndata: [DONE]\n\n")

    server.answer = answer
    prompt = Prompt((Message("system", "Be brief."), Message("user", "Who?")), "Who?")

    assert list(_client(server, []).next_tokens(prompt)) == [{"Yes": 1.0}]


def test_a_server_without_probabilities_is_asked_for_them_once(server: StubServer) -> None:
    asked: list[int] = []

    def answer(handler: Any) -> None:
        asked.append(1)
        handler.stream("Mira")

    server.answer = answer
    llm = _client(server, [])

    assert (list(llm.next_tokens(_PROMPT)), list(llm.next_tokens(_PROMPT))) == ([], [])
    assert asked == [1]


def test_probabilities_that_fail_leave_it_to_the_answer_to_say_why(server: StubServer) -> None:
    _failing(server, 401, 1)
    llm = _client(server, [])

    assert list(llm.next_tokens(_PROMPT)) == []
    assert "".join(llm.stream(_PROMPT, _SAMPLING)) == "Mira"
