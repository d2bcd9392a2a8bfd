"""What README.md and README.zh-CN.md tell people to type works, and both say the same."""

import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app.cli import cli
from app.settings import SETTING_NAMES
from tests import hashing_cli

ROOT = Path(__file__).parents[1]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAM = ".venv/bin/footnote"


def blocks(text: str, kind: str) -> list[str]:
    return [block for named, block in BLOCK.findall(text) if named == kind]


def words_of(line: str) -> list[str]:
    return shlex.split(line, comments=True)


def without_words(line: str) -> list[str]:
    """Give a command without what a reader writes in their own language: quoted text and comments."""
    return [word for word in shlex.split(re.sub(r'"[^"]*"', "TEXT", line), comments=True) if word.isascii()]


def commands(text: str) -> list[str]:
    """Give what is to be typed into a shell, in blocks and in sentences."""
    lines = [line for block in blocks(text, "") for line in block.splitlines()]
    named = re.findall(r"`((?:\.venv/bin/)?footnote [^`]+|make [^`]+)`", BLOCK.sub("", text))
    return [*lines, *named]


def parsed(arguments: list[str]) -> None:
    """Take a command line apart as the program does, and run nothing. Raises click.UsageError."""
    command: click.Command = cli
    context = click.Context(cli, info_name="footnote")
    while isinstance(command, click.Group):
        name, found, arguments = command.resolve_command(context, arguments)
        assert name is not None and found is not None
        command = found
        context = click.Context(command, parent=context, info_name=name)
    command.make_context(context.info_name, arguments, parent=context.parent)


def test_the_commands_for_ones_own_documents_run_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = [block for block in blocks(ENGLISH, "") if "ingest ~/papers" in block]
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "trial.md").write_text("# Trial\n\nThe trial found that a dosage of 5 mg helps.\n")
    settings = {"HOME": tmp_path / "home", "EMBEDDER": "hashing", "LLM": "extractive"}
    for name, value in settings.items():
        monkeypatch.setenv(f"FOOTNOTE_{name}", str(value))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("app.knowledge_bases.SentenceTransformerEmbedder", hashing_cli.embedder)
    monkeypatch.setattr("app.model_making.SentenceTransformerEmbedder", hashing_cli.embedder)
    monkeypatch.chdir(tmp_path)
    said = ""
    for line in block.splitlines():
        program, *arguments = map(os.path.expanduser, words_of(line))
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert (program, done.exit_code) == (PROGRAM, 0), done.output
        said += done.output
    assert "The trial found that a dosage of 5 mg helps [1]." in said
    assert "nothing differs: " in said
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("line", dict.fromkeys((*commands(ENGLISH), *commands(CHINESE))))
def test_every_other_command_is_understood(line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("sign.jpg", "question.m4a", "a.json"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    words = [word for word in words_of(line) if not re.fullmatch(r"FOOTNOTE_\w+=.*", word)]
    if words[0] == "make":
        subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=True, capture_output=True)
    elif words[0] in (PROGRAM, "footnote"):
        parsed(words[1:])
    else:
        assert line.startswith("python3 -m venv .venv-vllm && .venv-vllm/bin/pip install vllm")


def test_every_command_of_the_table_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        " ".join(filter(None, (group.strip(), name.split()[0])))
        for group, names in re.findall(r"^\| `((?:kb|llm) )?([^`]+)` \|", ENGLISH, re.MULTILINE)
        for name in names.replace("\\|", "|").split("|")
    }
    there = set()
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        inner = command.list_commands(context) if isinstance(command, click.Group) else [""]
        there |= {f"{name} {one}".strip() for one in inner}
    assert told == there


def test_every_setting_is_told_in_both_and_every_file_of_settings_can_be_read() -> None:
    for text, begins in ((ENGLISH, "All settings: "), (CHINESE, "全部设置项：")):
        [told] = [part for part in text.split("\n\n") if part.startswith(begins)]
        named = set(re.findall(r"`([a-z_]+)`", told))
        assert SETTING_NAMES.keys() - named == set()
        for block in blocks(text, "toml"):
            assert tomllib.loads(block).keys() <= SETTING_NAMES.keys()


def test_both_tell_the_same_commands_settings_and_rows() -> None:
    assert [without_words(line) for block in blocks(ENGLISH, "") for line in block.splitlines()] == [
        without_words(line) for block in blocks(CHINESE, "") for line in block.splitlines()
    ]
    assert [tomllib.loads(block) for block in blocks(ENGLISH, "toml")] == [
        tomllib.loads(block) for block in blocks(CHINESE, "toml")
    ]
    rows = [re.findall(r"^\| (`[^`]+`) \|", text, re.MULTILINE) for text in (ENGLISH, CHINESE)]
    assert rows[0] == rows[1]
