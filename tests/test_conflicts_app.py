"""From files to an answer that names what disagrees: dates from the catalog, saved, exported."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.engine import Engine
from app.export_answer import answer_page
from app.replay import Difference, changed_documents
from app.saved_answer import saved_json
from app.settings import Settings
from generation.answer import Answer
from tests.fakes import ScriptedLLM
from tests.hashing_embedder import HashingEmbedder

_QUESTION = "How many days of paid annual leave does a full-time member have?"
_SAID = "Every full-time member has {} days of paid annual leave in a calendar year."


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, days, year in (("handbook.md", 25, 2025), ("letter.md", 20, 2023)):
        file = folder / name
        file.write_text(f"# The {name.removesuffix('.md')}\n\n{_SAID.format(days)}\n")
        stamp = datetime(year, 3, 1, 12, tzinfo=UTC).timestamp()
        os.utime(file, (stamp, stamp))
    return folder


@pytest.fixture
def engine(tmp_path: Path, documents: Path) -> Engine:
    settings = replace(Settings(), home=tmp_path / "home")
    engine = Engine(settings, embedder=HashingEmbedder(), llm=ScriptedLLM(_SAID.format(25)))
    engine.ingest("default", [documents])
    return engine


def _ask(engine: Engine) -> Answer:
    *_, answer = engine.ask("default", _QUESTION)
    assert isinstance(answer, Answer)
    return answer


def test_the_dates_of_the_files_tell_which_is_newer(engine: Engine) -> None:
    answer = _ask(engine)

    assert answer.conflict_text == (
        "Sources disagree: “The handbook” (file of 2025-03-01, newer) says 25 days [1],"
        " “The letter” (file of 2023-03-01) says 20 days [2]."
    )
    (conflict,) = answer.conflicts
    assert (conflict.newer, conflict.by_file, conflict.other.quote) == ("one", True, _SAID.format(20))


def test_an_exported_answer_quotes_both(engine: Engine) -> None:
    page = answer_page(_ask(engine), engine, "default")

    assert '<p class="note">Sources disagree: “The handbook”' in page
    assert f"<blockquote>{_SAID.format(25)}</blockquote>" in page
    assert f"<blockquote>{_SAID.format(20)}</blockquote>" in page


def test_a_saved_answer_keeps_conflicts_and_knows_what_disagreed(engine: Engine, documents: Path) -> None:
    saved = saved_json(_ask(engine), engine, kb="default")
    assert [conflict["other"]["quote"] for conflict in saved["answer"]["conflicts"]] == [_SAID.format(20)]

    (documents / "letter.md").write_text("# The letter\n\nNothing any more.\n")
    engine.ingest("default", [documents])

    assert changed_documents(saved, engine) == [
        Difference("documents", f"{documents / 'letter.md'} (cited) has changed")
    ]
