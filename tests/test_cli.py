"""The command line: its JSON shapes are promises, its exit status too, and a user's mistake gives one clear line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "data" / "models"

needs_embedder = pytest.mark.skipif(
    not (MODELS / "multilingual-e5-small").is_dir(), reason="no embedder; fetch it with: footnote llm pull"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of its own with two documents ingested, and the project's models."""
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(MODELS)
    documents = home / "documents"
    documents.mkdir()
    (documents / "rules.md").write_text("# Ferry rules\n\nA passenger may take two dogs. Bicycles cost 3 crowns.\n")
    (documents / "规程.txt").write_text("渡船规程\n\n风速超过十五米每秒时渡船停航。\n", encoding="gb18030")
    footnote(home, "ingest", str(documents))
    return home


def footnote(home: Path, *arguments: str, status: int = 0) -> str:
    """Run the command as a user would and give its standard output."""
    done = subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        env={"FOOTNOTE_HOME": str(home), "HF_HUB_OFFLINE": "1", "PATH": "", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
        timeout=300,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if status == 0 or done.stdout else done.stderr


def test_help_lists_every_command_without_loading_a_model() -> None:
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "from app.cli import main; main()", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    for name in ("ingest", "search", "ask", "replay", "chat", "eval", "web", "llm", "kb", "doctor"):
        assert f"  {name} " in shown.stdout
    for heavy in ("torch", "faiss", "langchain_core", "streamlit"):
        assert f" {heavy}\n" not in shown.stderr


@pytest.mark.parametrize("name", ["ingest", "search", "ask", "replay", "chat", "eval", "web", "llm", "kb", "doctor"])
def test_every_command_has_help(name: str, tmp_path: Path) -> None:
    assert footnote(tmp_path, name, "--help").startswith("Usage: ")


@needs_embedder
def test_ingest_json_has_the_fixed_shape(home: Path) -> None:
    shown = json.loads(footnote(home, "ingest", str(home / "documents"), "--json"))
    assert {
        key: shown[key] for key in ("added", "updated", "unchanged", "removed", "failed", "chunks", "embedded")
    } == {
        "added": 0,
        "updated": 0,
        "unchanged": 2,
        "removed": 0,
        "failed": [],
        "chunks": 0,
        "embedded": 0,
    }
    assert shown["seconds"] > 0


@needs_embedder
def test_search_json_has_the_fixed_shape_and_quotes_the_document(home: Path) -> None:
    shown = json.loads(footnote(home, "search", "What does a bicycle cost?", "--json"))
    hit = shown["hits"][0]
    fixed = {"rank", "score", "document_id", "source", "title", "page", "start", "end", "text", "stages"}
    assert fixed <= hit.keys()
    assert (hit["rank"], hit["title"], hit["page"]) == (1, "Ferry rules", None)
    assert hit["source"] == (home / "documents" / "rules.md").as_posix()
    assert (home / "documents" / "rules.md").read_text()[hit["start"] : hit["end"]] == hit["text"]


@needs_embedder
def test_search_explain_shows_every_stage_and_what_was_dropped(home: Path) -> None:
    shown = footnote(home, "search", "渡船什么时候停航？", "--explain")
    assert "fused" in shown
    assert "dense" in shown
    assert "lexical" in shown
    assert "terms: 渡船" in shown


@needs_embedder
def test_ask_json_has_the_fixed_shape_and_exact_quotes(home: Path) -> None:
    shown = json.loads(footnote(home, "ask", "What does a bicycle cost?", "--json", "--llm", "extractive"))
    assert {"question", "answer", "abstained", "claims", "timings", "model"} <= shown.keys()
    assert (shown["abstained"], shown["model"]) == (False, "extractive")
    citation = shown["claims"][0]["citations"][0]
    assert {"marker", "source", "page", "start", "end", "quote", "status"} <= citation.keys()
    text = (home / "documents" / "rules.md").read_text()
    assert text[citation["start"] : citation["end"]] == citation["quote"] == "Bicycles cost 3 crowns."


@needs_embedder
def test_a_saved_answer_is_replayed_and_a_foreign_file_is_wrong_use(home: Path, tmp_path: Path) -> None:
    saved, shown = str(tmp_path / "answer.json"), tmp_path / "answer.html"
    question = ("What does a bicycle cost?", "--llm", "extractive")
    footnote(home, "ask", *question, "--save", saved, "--export", str(shown))
    replayed = json.loads(footnote(home, "replay", saved, "--json"))
    assert (replayed["equal"], replayed["same_answer"], replayed["differences"]) == (True, True, [])
    assert "<mark>Bicycles cost 3 crowns.</mark>" in shown.read_text()
    assert "is damaged or no saved answer" in footnote(home, "replay", str(shown), status=2)


@needs_embedder
def test_kb_show_json_has_the_fixed_shape(home: Path) -> None:
    shown = json.loads(footnote(home, "kb", "show", "--json"))
    assert {key: shown[key] for key in ("name", "documents", "chunks", "embedder")} == {
        "name": "default",
        "documents": 2,
        "chunks": 2,
        "embedder": "multilingual-e5-small",
    }
    assert shown["bytes"] > 0
    assert shown["generation"]


@needs_embedder
def test_kb_verify_exits_1_and_says_what_is_wrong_and_repair_mends_it(home: Path) -> None:
    assert footnote(home, "kb", "verify") == "default is whole\n"
    (vectors,) = (home / "kb" / "default" / "generations").glob("*/vectors.faiss")
    vectors.write_bytes(vectors.read_bytes() + b"!")
    assert "vectors.faiss was damaged" in footnote(home, "kb", "verify", status=1)
    assert footnote(home, "kb", "repair") == "mended: the index was built anew\ndefault is whole\n"


@needs_embedder
def test_a_failed_input_is_named_the_rest_is_taken_in_and_the_status_is_1(home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.pdf").write_bytes(b"")
    (tmp_path / "good.txt").write_text("Otters eat fish.")
    shown = json.loads(footnote(home, "ingest", str(tmp_path), "--kb", "other", "--json", status=1))
    assert (shown["added"], len(shown["failed"])) == (1, 1)
    assert shown["failed"][0]["reason"].startswith("empty.pdf is empty (0 bytes)")


@needs_embedder
def test_kb_delete_with_yes_asks_nothing(home: Path, tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("Otters eat fish.")
    footnote(home, "ingest", str(tmp_path), "--kb", "doomed")
    footnote(home, "kb", "delete", "--kb", "doomed", "--yes")
    listed = json.loads(footnote(home, "kb", "list", "--json"))
    assert "doomed" not in [entry["name"] for entry in listed["knowledge_bases"]]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["search", "anything", "--kb", "nowhere"], "there is no knowledge base 'nowhere'"),
        (["ask", "anything", "--kb", "../x"], "there is no knowledge base '../x'"),
        (["ingest", ".", "--kb", "../x"], "'../x' can't name a knowledge base"),
        (["search", "  "], "there is no knowledge base 'default'"),
        (["ingest"], "Missing argument"),
        (["frobnicate"], "No such command"),
        (["ask", "anything", "--save", "nowhere/a.json"], "there is no folder nowhere"),
        (["ask", "anything", "--temperature", "nan"], "'nan' is not a number"),
    ],
)
def test_wrong_use_exits_2_with_one_clear_line(arguments: list[str], reason: str, tmp_path: Path) -> None:
    assert reason in footnote(tmp_path, *arguments, status=2)


def test_an_address_that_is_none_is_named_among_the_servers(tmp_path: Path) -> None:
    assert "nonsense: 'nonsense' is no address of a server" in footnote(
        tmp_path, "llm", "list", "--base-url", "nonsense"
    )


def test_an_unknown_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "footnote.toml").write_text('embeder = "x"\n')
    assert "sets embeder, which is no setting" in footnote(tmp_path, "kb", "list", status=2)
