"""The examples of docs/frameworks.md run as they stand there, with a model of the tests in the place of a user's."""

import re
from pathlib import Path

import pytest

from app.engine import Engine
from app.settings import load_settings
from ingest.embedder import Embedder
from tests.hashing_embedder import HashingEmbedder
from tests.test_framework_retrievers import TEXTS, ReadingChatModel, ReadingLLM

PAGE = Path(__file__).parents[1] / "docs" / "frameworks.md"


class HashingEngine(Engine):
    """The engine, but for the embedder, whose weights tests do without."""

    def embedder(self) -> Embedder:
        return HashingEmbedder()


@pytest.fixture(autouse=True)
def _knowledge_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    for name, text in TEXTS.items():
        (documents / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("app.engine.Engine", HashingEngine)
    HashingEngine(load_settings()).ingest("default", [documents])


def run(title: str) -> None:
    """Run the example under a heading."""
    found = re.search(rf"## {title}\n\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    exec(compile(found[1], str(PAGE), "exec"), {})


def test_the_langchain_example_answers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("langchain_openai.ChatOpenAI", lambda **settings: ReadingChatModel())
    run("LangChain")
    assert capsys.readouterr().out == f"{TEXTS['ferry.md']}\n"


def test_the_llama_index_example_answers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from llama_index.core import Settings

    monkeypatch.setattr(Settings, "_llm", ReadingLLM())
    run("LlamaIndex")
    said, sources = capsys.readouterr().out.split(" [")
    assert said == TEXTS["ferry.md"]
    assert "ferry.md" in sources.split(",")[0]
