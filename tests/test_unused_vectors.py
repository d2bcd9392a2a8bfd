"""Vectors that no chunk uses are forgotten, without looking through all of them after the first time."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ingest.catalog_rows import text_hash
from ingest.catalog_vectors import without_vectors
from ingest.document import Chunk, Document, Span, chunk_id
from ingest.knowledge_base import KnowledgeBase
from tests.hashing_embedder import HashingEmbedder
from tests.test_index_size import boats


def opened(folder: Path, embedder: HashingEmbedder | None = None, *, rebuild: bool = False) -> KnowledgeBase:
    return KnowledgeBase.open(folder / "kb", embedder or HashingEmbedder(), create=True, rebuild=rebuild)


def whole(document: Document) -> list[Chunk]:
    span = Span(0, len(document.text))
    return [Chunk(chunk_id(document.id, span, document.text), document.id, span, document.text)]


def put(kb: KnowledgeBase, numbers: range, colour: str = "green") -> None:
    with kb.writing():
        for document in boats(numbers, colour):
            kb.put(document, whole(document), kb.embedder.embed_passages([document.text]))
        kb.refresh()


def texts_with_vectors(kb: KnowledgeBase) -> set[tuple[str, str]]:
    return set(kb.catalog.rows("SELECT embedder, text_hash FROM vectors"))


def wanted(numbers: range, colour: str = "green", embedder: str = "hashing") -> set[tuple[str, str]]:
    return {(embedder, text_hash(document.text)) for document in boats(numbers, colour)}


def test_the_vectors_of_a_changed_and_of_a_removed_document_are_forgotten_and_no_other(tmp_path: Path) -> None:
    kb = opened(tmp_path)
    put(kb, range(5))
    put(kb, range(1), "red")
    assert texts_with_vectors(kb) == wanted(range(1, 5)) | wanted(range(1), "red")
    with kb.writing():
        kb.remove(boats(range(4, 5))[0].id)
        kb.refresh()
    assert texts_with_vectors(kb) == wanted(range(1, 4)) | wanted(range(1), "red")
    assert kb.problems() == []


def test_a_vector_that_another_chunk_uses_stays(tmp_path: Path) -> None:
    kb = opened(tmp_path)
    put(kb, range(2))
    (first,) = boats(range(1))
    copy = boats(range(1, 2))[0]
    with kb.writing():  # boat1 now says what boat0 says, and then boat0 goes
        same = replace(first, id=copy.id, source=copy.source)
        kb.put(same, whole(same), kb.embedder.embed_passages([first.text]))
        kb.remove(first.id)
        kb.refresh()
    assert texts_with_vectors(kb) == wanted(range(1))
    assert kb.problems() == []


def test_vectors_kept_for_a_document_that_never_came_are_forgotten(tmp_path: Path) -> None:
    kb = opened(tmp_path)
    put(kb, range(2))
    with kb.writing():
        kb.keep_vectors({"f" * 32: np.ones(64, dtype=np.float32) / 8})
        kb.refresh(keep_vectors=True)
        assert len(texts_with_vectors(kb)) == 3
        kb.refresh()
    assert texts_with_vectors(kb) == wanted(range(2))


def test_a_change_of_embedder_there_and_back_leaves_no_chunk_without_a_vector(tmp_path: Path) -> None:
    kb = opened(tmp_path)
    put(kb, range(3))
    kb.close()
    other = opened(tmp_path, HashingEmbedder("other"), rebuild=True)
    assert without_vectors(other.catalog, "other") == {document.id for document in boats(range(3))}
    put(other, range(1))
    other.close()
    back = opened(tmp_path, rebuild=True)
    assert without_vectors(back.catalog, "hashing") == set()
    put(back, range(3))
    assert texts_with_vectors(back) == wanted(range(3))
    assert back.problems() == []


def test_a_refresh_that_forgets_nothing_leaves_the_revision_as_it_is(tmp_path: Path) -> None:
    kb = opened(tmp_path)
    put(kb, range(3))
    before = kb.catalog.revision
    with kb.writing():
        kb.refresh()
        kb.refresh()
    assert kb.catalog.revision == before
