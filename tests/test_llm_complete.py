"""Base-model completion and chat without documents from the command line, against a real loopback server."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import cli
from generation.base_completion import continue_text
from generation.extractive import Extractive
from generation.llama_cpp import LlamaCpp
from generation.llm import SamplingConfig
from ingest.errors import ModelError
from tests.stub_server import StubServer

_SMALL = Path(__file__).parent.parent / "data" / "models" / "smollm2-135m-instruct-q4_1.gguf"


@pytest.fixture(autouse=True)
def _served(server: StubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path))
    monkeypatch.setenv("FOOTNOTE_LLM_URL", server.url)


def _completing(*pieces: str, finish: str | None = "stop") -> Any:
    def answer(handler: Any) -> None:
        handler.start()
        for piece, end in [*((piece, None) for piece in pieces), *([("", finish)] if finish else [])]:
            choice = {"index": 0, "text": piece, "finish_reason": end}
            event = {"id": "c", "object": "text_completion", "created": 1, "model": "qwen", "choices": [choice]}
            handler.raw(f"data: {json.dumps(event)}\n\n")
        handler.close_connection = True

    return answer


def test_a_base_model_goes_on_with_a_text_as_it_was_told(server: StubServer) -> None:
    server.answer = _completing(" Pa", "ris")

    done = CliRunner().invoke(
        cli,
        ["llm", "complete", "The capital is", "--seed", "7", "--temperature", "0.5", "--max-tokens", "9",
         "--stop", "END", "--stop", "\n"],
    )  # fmt: skip

    assert (done.exit_code, done.output) == (0, " Paris\n")
    path, _, body = server.requests[-1]
    assert path == "/v1/completions"
    assert body == {
        "model": "qwen", "prompt": "The capital is", "stream": True, "seed": 7, "temperature": 0.5, "max_tokens": 9,
        "stop": ["END", "\n"],
    }  # fmt: skip


def test_a_completion_as_json_tells_the_model_and_how_it_wrote(server: StubServer) -> None:
    server.answer = _completing(" Paris")

    done = CliRunner().invoke(cli, ["llm", "complete", "-", "--json"], input="The capital is")

    assert json.loads(done.output) == {
        "prompt": "The capital is",
        "completion": " Paris",
        "model": "qwen",
        "sampling": {"max_tokens": 256, "temperature": 0.0, "seed": 0, "stop": []},
    }


def test_a_completion_that_broke_off_is_an_error(server: StubServer) -> None:
    server.answer = _completing(" Pa", finish=None)

    with pytest.raises(ModelError, match="ended the text of qwen too early; ask again"):
        list(server.llm().continue_text("The capital is", SamplingConfig()))


def test_a_model_that_cannot_complete_says_so() -> None:
    with pytest.raises(ModelError, match="extractive can't go on with a text; name a GGUF file or a server"):
        list(continue_text(Extractive(), "The capital is", SamplingConfig()))


@pytest.mark.skipif(not _SMALL.is_file(), reason=f"{_SMALL.name} is not under data/models; run: footnote llm pull")
def test_the_engine_in_this_process_completes_without_a_chat_template() -> None:
    written = "".join(LlamaCpp(_SMALL).continue_text("The capital of France is", SamplingConfig(max_tokens=1)))

    assert written == " Paris"


def test_chat_without_documents_needs_none_and_marks_its_replies(server: StubServer) -> None:
    done = CliRunner().invoke(cli, ["chat", "--no-documents", "--seed", "7"], input="Who?\nAnd then?\n")

    assert done.exit_code == 0
    assert done.output.count("Mira Solberg\n\n(From the model alone, not from your documents") == 2
    assert server.posted()["messages"] == [
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": "Mira Solberg"},
        {"role": "user", "content": "And then?"},
    ]
    assert (server.posted()["seed"], server.posted()["max_tokens"]) == (7, 1024)


def test_chat_without_documents_refuses_to_look_somewhere(server: StubServer) -> None:
    done = CliRunner().invoke(cli, ["chat", "--no-documents", "--kb", "default"])

    assert (done.exit_code, "--no-documents looks nowhere" in done.output) == (2, True)
