"""`--llm-url` and `--model`: a server for one command, in the place of the settings' own."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import cli
from tests.stub_server import StubServer


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder whose file names a server that isn't there, and its model."""
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path))
    (tmp_path / "footnote.toml").write_text('llm_url = "http://127.0.0.1:9/v1"\nllm_model = "other"\n')


def _chat(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["chat", "--no-documents", *arguments], input="Who?\n")
    return done.exit_code, done.output


def test_a_server_is_asked_instead_of_the_settings_own_for_its_first_model(server: StubServer) -> None:
    status, output = _chat("--llm-url", server.url)

    assert (status, "Mira Solberg" in output) == (0, True)
    assert server.posted()["model"] == "qwen"


def test_a_model_is_named_on_that_server_or_on_the_settings_own(
    server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _chat("--llm-url", server.url, "--model", "law")
    monkeypatch.setenv("FOOTNOTE_LLM_URL", server.url)
    _chat("--model", "medicine")

    assert [body["model"] for body in server.chats()] == ["law", "medicine"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--llm-url", "127.0.0.1:8000"], "'127.0.0.1:8000' is no address of a server"),
        (["--llm-url", "http://127.0.0.1:9/v1", "--llm", "extractive"], "give one kind"),
    ],
)
def test_wrong_use_is_said(arguments: list[str], reason: str) -> None:
    status, output = _chat(*arguments)

    assert (status, reason in output) == (2, True)


def test_a_model_without_a_server_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "footnote.toml").unlink()

    status, output = _chat("--model", "law")

    assert (status, "give --llm-url too" in output) == (2, True)


@pytest.mark.parametrize("command", ["ask", "chat", "eval", "replay"])
def test_every_command_that_asks_a_model_takes_a_server(command: str) -> None:
    shown = CliRunner().invoke(cli, [command, "--help"]).output

    assert "--llm-url URL" in shown and "--model NAME" in shown
