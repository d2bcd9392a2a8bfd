"""Where words stand in scans and when they are spoken: kept with the document whatever it goes through."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.catalog import Catalog
from ingest.document import Document, PlacedWord, ReadPage, Span, Utterance, seconds_of
from ingest.export_kb import export_knowledge_base
from ingest.import_kb import import_knowledge_base
from ingest.knowledge_base import KnowledgeBase
from ingest.load import read_document
from ingest.pipeline import IngestConfig, ingest_documents
from ingest.salvage import salvage_catalog
from ingest.verify import folder_problems
from tests.hashing_embedder import HashingEmbedder

WORDS = (PlacedWord("Dogs", 0.1, 0.2, 0.25, 0.24), PlacedWord("免费", 0.3, 0.2, 0.4, 0.24))


def document(name: str) -> Document:
    made = read_document(b"Dogs travel free.\n\nCats pay.", f"{name}.txt", name)
    said = (Utterance(Span(0, 17), 1.5, 3.0), Utterance(Span(19, 28), 3.25, 4.0))
    return replace(made, read_pages=(), utterances=said)


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeBase:
    made = KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True)
    ingest_documents(made, [document("a"), read_document(b"Plain words.", "b.txt", "b")], IngestConfig())
    return made


def stored(folder: Path) -> list[Document]:
    catalog = Catalog(folder / "catalog.sqlite", create=False)
    try:
        return [catalog.document(info.id) for info in catalog.documents()]
    finally:
        catalog.close()


def test_a_document_comes_back_with_its_places(kb: KnowledgeBase) -> None:
    [first, plain] = stored(kb.folder)
    assert first == document("a")
    assert plain.utterances == () == plain.read_pages
    paged = replace(document("c"), read_pages=(ReadPage(1, 3, WORDS), ReadPage(2, 0, ())))
    ingest_documents(kb, [paged], IngestConfig())
    assert stored(kb.folder)[-1] == paged


def test_places_go_with_their_document(kb: KnowledgeBase) -> None:
    with kb.writing():
        kb.remove(document("a").id)
    assert kb.catalog.utterances_of(document("a").id) == ()
    assert kb.catalog.rows("SELECT COUNT(*) FROM places")[0][0] == 0


def test_a_new_version_without_places_has_none(kb: KnowledgeBase) -> None:
    changed = replace(document("a"), content_hash="other", utterances=())
    ingest_documents(kb, [changed], IngestConfig())
    assert kb.catalog.document(changed.id).utterances == ()


def test_a_knowledge_base_from_before_there_were_places_opens_and_takes_some(tmp_path: Path) -> None:
    old = KnowledgeBase.open(tmp_path / "old", HashingEmbedder(), create=True)
    ingest_documents(old, [read_document(b"Plain words.", "b.txt", "b")], IngestConfig())
    assert old.catalog.rows("SELECT name FROM sqlite_master WHERE name = 'places'") == []
    assert [found.text for found in stored(old.folder)] == ["Plain words."]
    ingest_documents(old, [document("a")], IngestConfig())
    assert stored(old.folder)[0].utterances == document("a").utterances
    assert folder_problems(old.folder) == []


def test_an_export_restores_them(kb: KnowledgeBase, tmp_path: Path) -> None:
    export_knowledge_base(kb.folder, tmp_path / "kb.zip")
    import_knowledge_base(tmp_path / "kb.zip", tmp_path / "copy")
    assert stored(tmp_path / "copy") == stored(kb.folder)


def test_a_salvaged_catalog_has_them(kb: KnowledgeBase) -> None:
    before = stored(kb.folder)
    kb.close()
    path = kb.folder / "catalog.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        [root] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'chunks_by_text_hash'").fetchone()
        [size] = database.execute("PRAGMA page_size").fetchone()
    database.close()
    data = bytearray(path.read_bytes())
    data[(root - 1) * size : root * size] = bytes(size)
    path.write_bytes(data)
    assert salvage_catalog(kb.folder, wait_seconds=1).left == ()
    assert stored(kb.folder) == before


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE places SET utterances = '[[0, 4, 1'", "its pages, blocks or metadata are damaged"),
        (
            "UPDATE places SET utterances = '[[0, 4000, 1, 2]]'",
            "a: 1 blocks, pages or utterances reach beyond its text",
        ),
        ("""UPDATE places SET read_pages = '[[7, 0, []]]'""", "a: words are placed on 1 pages that it hasn't"),
    ],
)
def test_damaged_places_are_named(kb: KnowledgeBase, damage: str, named: str) -> None:
    with sqlite3.connect(kb.folder / "catalog.sqlite") as database:
        database.execute(damage)
    database.close()
    assert [problem for problem in folder_problems(kb.folder) if named in problem]


def test_seconds_span_all_that_is_overlapped() -> None:
    said = document("a").utterances
    assert seconds_of(said, Span(5, 22)) == (1.5, 4.0)
    assert seconds_of(said, Span(20, 21)) == (3.25, 4.0)
    assert seconds_of(said, Span(17, 19)) is None
    assert seconds_of((), Span(0, 5)) is None
