"""`footnote doctor`: each thing that can be wrong is said with how to mend it, and nothing else is."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import doctor
from app.commands.doctor import command
from app.doctor import Finding, examine
from app.models import E5_SMALL, MINILM, QWEN
from app.settings import LLMSettings, Settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder whose models have the right sizes, in files that are all holes."""
    for model in (QWEN, E5_SMALL):
        weights = model.weights_path(tmp_path / "models")
        weights.parent.mkdir(parents=True, exist_ok=True)
        with weights.open("wb") as file:
            file.write(b"GGUF")
            file.truncate(model.size_bytes)
    (tmp_path / "models" / E5_SMALL.name / "modules.json").write_text("[]")
    return tmp_path


def findings(settings: Settings, *, full: bool = False) -> dict[str, Finding]:
    """Examine, and give the findings by subject."""
    return {finding.subject: finding for finding in examine(settings, full=full)}


def problems(settings: Settings) -> list[Finding]:
    """Give only what is a problem."""
    return [finding for finding in findings(settings).values() if finding.state == "problem"]


def test_a_set_up_with_its_models_has_no_problem(home: Path) -> None:
    found = findings(Settings(home=home))

    assert [finding for finding in found.values() if finding.state == "problem"] == []
    assert found[f"Model {QWEN.name}"] == Finding(f"Model {QWEN.name}", "ok", "1,117 MB, size right")
    assert found["Knowledge bases"].mend == "make one: footnote ingest PATH"


def test_a_missing_model_is_said_with_the_command_that_fetches_it(home: Path) -> None:
    (home / "models" / QWEN.name).unlink()

    found = findings(Settings(home=home))

    assert found[f"Model {QWEN.name}"] == Finding(
        f"Model {QWEN.name}", "problem", f"not in {home / 'models'}", f"run: footnote llm pull {QWEN.name}"
    )
    assert f"run: footnote llm pull {QWEN.name}" in found["Language model"].detail


def test_a_model_of_the_wrong_size_is_said_even_when_it_is_not_needed(home: Path) -> None:
    weights = MINILM.weights_path(home / "models")
    weights.parent.mkdir()
    weights.write_bytes(b"cut")

    assert problems(Settings(home=home)) == [
        Finding(
            f"Model {MINILM.name}",
            "problem",
            f"has 3 bytes, not {MINILM.size_bytes:,}",
            f"run: footnote llm pull {MINILM.name}",
        )
    ]


def test_full_finds_a_damaged_model_that_has_the_right_size(tmp_path: Path) -> None:
    weights = MINILM.weights_path(tmp_path / "models")
    weights.parent.mkdir(parents=True)
    with weights.open("wb") as file:
        file.truncate(MINILM.size_bytes)
    settings = Settings(home=tmp_path, llm=LLMSettings(model="extractive"))

    assert findings(settings)[f"Model {MINILM.name}"].state == "ok"
    assert findings(settings, full=True)[f"Model {MINILM.name}"].detail == (
        "its SHA-256 is not the right one: the file is damaged"
    )


def test_a_language_model_that_is_no_gguf_is_a_problem(home: Path) -> None:
    wrong = home / "models" / "mine.gguf"
    wrong.write_bytes(b"PK\x03\x04")

    settings = Settings(home=home, llm=LLMSettings(model="mine"))

    assert problems(settings) == [
        Finding("Language model", "problem", f"{wrong} is no GGUF file", "set FOOTNOTE_LLM to a GGUF file")
    ]


def test_a_server_that_does_not_answer_is_a_problem(home: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: nothing else can take the port meanwhile
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"

        (problem,) = problems(Settings(home=home, llm=LLMSettings(model="", url=url)))

    assert problem.detail == (
        f"no server answers at {url}/models (Connection refused); start one or correct the address"
    )


def test_an_embedder_that_is_no_sentence_transformers_folder_is_a_problem(home: Path) -> None:
    (home / "models" / "plain").mkdir()

    (problem,) = problems(Settings(home=home, embedder="plain"))

    assert problem.detail.endswith("is no sentence-transformers folder (it has no modules.json)")


def test_a_damaged_knowledge_base_is_named_and_does_not_hide_the_others(home: Path) -> None:
    for name in ("broken", "also broken"):
        (home / "kb" / name).mkdir(parents=True)
        (home / "kb" / name / "catalog.sqlite").write_bytes(b"this is not a database" * 10)

    found = problems(Settings(home=home))

    assert [finding.subject for finding in found] == ["Knowledge base also broken", "Knowledge base broken"]
    assert found[1].mend == "run: footnote kb repair --kb broken"


def test_a_port_in_use_is_only_a_warning(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(doctor, "PAGE_PORT", port)

        finding = findings(Settings(home=home))[f"Port {port}"]

    assert finding.state == "warning"
    assert finding.mend == f"if that is not Footnote itself: make run PORT={port + 1}"


def test_the_command_exits_1_on_a_problem_and_its_json_holds_every_finding(home: Path) -> None:
    runner = CliRunner(env={"FOOTNOTE_HOME": str(home)})
    well = runner.invoke(command, ["--json"])
    (home / "models" / QWEN.name).unlink()
    ill = runner.invoke(command, ["--json"])

    assert (well.exit_code, json.loads(well.stdout)["ok"]) == (0, True)
    assert (ill.exit_code, json.loads(ill.stdout)["ok"]) == (1, False)
    assert set(json.loads(ill.stdout)["findings"][0]) == {"subject", "state", "detail", "mend"}


def test_a_setting_that_makes_no_sense_is_a_finding_too(home: Path) -> None:
    done = CliRunner(env={"FOOTNOTE_HOME": str(home), "FOOTNOTE_TOP_K": "many"}).invoke(command)

    assert done.exit_code == 1
    assert "problem  Settings: top_k must be a whole number, got 'many'" in done.stdout
    assert "-> correct that setting" in done.stdout


def test_the_settings_that_are_examined_are_the_ones_given(home: Path) -> None:
    settings = replace(Settings(home=home), llm=LLMSettings(model="extractive"))

    assert findings(settings)["Language model"].detail == "none: answers are made of quoted sentences"
