"""Searches among some rows, and indexes that grow and shrink: equal to what an index made anew gives."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingest.catalog_index import renew_terms
from ingest.chunk import ChunkingConfig
from ingest.dense_index import DenseIndexConfig, build_dense_index, build_tail, open_dense_index
from ingest.document import Block, Document, Span, document_id
from ingest.embedder import Vectors
from ingest.generation_files import checksum, file_problems, sample
from ingest.index_generation import current_manifest
from ingest.knowledge_base import KnowledgeBase
from ingest.lexical_index import build_lexical_index, extend_lexical_index, open_lexical_index
from ingest.pipeline import IngestConfig, ingest_documents
from ingest.row_set import RowSet
from retrieval.search import SearchConfig, search
from tests.hashing_embedder import HashingEmbedder

N_ROWS, DIMENSION = 4000, 32
EXTENDED = DenseIndexConfig(extend_from=1, changed_share=0.5)
ANEW = DenseIndexConfig()
SHARES = (0.001, 0.05, 0.2, 0.6, 1.0)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((50, DIMENSION))
    made = (centres[rng.integers(0, 50, N_ROWS)] + 0.3 * rng.standard_normal((N_ROWS, DIMENSION))).astype(np.float32)
    normed: Vectors = made / np.linalg.norm(made, axis=1, keepdims=True)
    return normed


def some_rows(share: float) -> RowSet:
    return RowSet.where(np.random.default_rng(1).uniform(size=N_ROWS) < share)


def nearest_by_hand(vectors: Vectors, query: Vectors, rows: RowSet, k: int) -> list[int]:
    among = np.array(list(rows))
    return [int(row) for row in among[np.argsort(-(vectors[among] @ query), kind="stable")[:k]]]


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("n_tail", [0, 500])
def test_the_nearest_among_some_rows_are_those_of_an_exhaustive_search(
    tmp_path: Path, vectors: Vectors, n_tail: int, share: float
) -> None:
    rows = some_rows(share)
    for config in (ANEW, DenseIndexConfig(exact_up_to=300, probes=63, rescore_factor=100)):
        folder = tmp_path / str(config.exact_up_to)
        folder.mkdir()
        build_dense_index(vectors[: N_ROWS - n_tail], folder, config)
        if n_tail:
            build_tail(vectors[N_ROWS - n_tail :], folder)
        index = open_dense_index(folder, config)
        for query in vectors[:20]:
            found = [row for row, _ in index.search(query, 10, among=rows)]
            assert found == nearest_by_hand(vectors, query, rows, 10)


def test_among_no_rows_nothing_is_found(tmp_path: Path, vectors: Vectors) -> None:
    build_dense_index(vectors, tmp_path, DenseIndexConfig(exact_up_to=300))
    build_lexical_index(["ferry"] * N_ROWS, tmp_path / "lexical")
    nothing = RowSet.of([], N_ROWS)
    assert open_dense_index(tmp_path, ANEW).search(vectors[0], 10, among=nothing) == []
    assert open_lexical_index(tmp_path / "lexical").search(["ferry"], 10, among=nothing).rows == ()


@pytest.mark.parametrize("share", SHARES)
def test_the_best_by_words_among_some_rows_are_those_of_an_exhaustive_search(tmp_path: Path, share: float) -> None:
    rng = np.random.default_rng(2)
    texts = [" ".join(f"w{word}" for word in rng.zipf(1.3, size=20) if word < 500) for _ in range(N_ROWS)]
    build_lexical_index(texts[:3500], tmp_path)
    assert extend_lexical_index(texts[3500:], 3500, tmp_path) == 500
    index, rows = open_lexical_index(tmp_path), some_rows(share)
    for terms in (["w7"], ["w3", "w40", "w499"], ["w1", "w2", "w11"], ["unknown"]):
        everything = index.search(terms, N_ROWS)
        wanted = tuple(pair for pair in everything.rows if pair[0] in rows)
        found = index.search(terms, 50, among=rows)
        assert [score for _, score in found.rows] == [score for _, score in wanted[:50]]
        assert set(found.rows) <= set(wanted)
        assert found.best_possible == everything.best_possible


def document(name: str, text: str) -> Document:
    return Document(document_id(name), name, text, name, text, (), (Block("paragraph", Span(0, len(text))),), "en")


def boats(numbers: range, colour: str = "green") -> list[Document]:
    return [document(f"boat{n}", f"Boat number {n} has a crew of {n} and a {colour} hull.") for n in numbers]


def knowledge_base(folder: Path, config: DenseIndexConfig) -> KnowledgeBase:
    return KnowledgeBase.open(folder, HashingEmbedder(), create=True, config=config)


CHUNKING = IngestConfig(chunking=ChunkingConfig(size_tokens=30, min_tokens=5))


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[KnowledgeBase]:
    """One whose index was extended twice: two documents added, one changed, one deleted."""
    kb = knowledge_base(tmp_path / "extended", EXTENDED)
    ingest_documents(kb, boats(range(40)), CHUNKING)
    ingest_documents(kb, [*boats(range(40, 42)), *boats(range(5, 6), "red")], CHUNKING)
    with kb.writing():
        kb.remove(document_id("boat7"))
        kb.refresh()
    yield kb
    kb.close()


def test_an_extended_index_holds_and_finds_what_one_made_anew_does(tmp_path: Path, changed: KnowledgeBase) -> None:
    anew = knowledge_base(tmp_path / "anew", ANEW)
    kept = [boat for boat in boats(range(42)) if boat.source not in ("boat5", "boat7")]
    ingest_documents(anew, [*kept, *boats(range(5, 6), "red")], CHUNKING)
    extended, whole = changed.generation(), anew.generation()
    assert (extended.manifest.n_base, extended.manifest.n_rows, extended.manifest.n_chunks) == (40, 43, 41)
    assert (whole.manifest.n_base, whole.manifest.n_rows, whole.manifest.n_chunks) == (41, 41, 41)
    assert extended.manifest.digest == whole.manifest.digest
    assert changed.problems() == []
    for question in ("Which boat has a red hull?", "boat number 41", "crew of 7"):
        found, wanted = (search(kb, question, SearchConfig(use_lexical=False)).hits for kb in (changed, anew))
        assert [round(hit.score, 5) for hit in found] == [round(hit.score, 5) for hit in wanted]
        assert (
            search(changed, question, SearchConfig()).hits[0].source
            == search(anew, question, SearchConfig()).hits[0].source
        )


def test_an_extended_index_shares_the_files_of_the_one_before(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path / "kb", EXTENDED)
    ingest_documents(kb, boats(range(40)), CHUNKING)
    reader = kb.generation()
    before = (reader_folder(kb) / "vectors.faiss").stat().st_ino
    ingest_documents(kb, boats(range(40, 41)), CHUNKING)
    assert (reader_folder(kb) / "vectors.faiss").stat().st_ino == before
    assert len(list((tmp_path / "kb" / "generations").iterdir())) == 1
    # Who holds the one before still reads it, though its folder is gone.
    assert (reader.dense.n_rows, kb.generation().dense.n_rows) == (40, 41)
    assert {row for row, _ in reader.lexical.search(["boat"], 100).rows} == set(range(40))


def test_where_a_file_cannot_be_in_two_folders_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", refused)
    kb = knowledge_base(tmp_path / "kb", EXTENDED)
    ingest_documents(kb, boats(range(40)), CHUNKING)
    ingest_documents(kb, boats(range(40, 41)), CHUNKING)
    assert (kb.generation().manifest.n_base, kb.generation().manifest.n_rows) == (40, 41)
    assert kb.problems() == []


def test_a_large_change_builds_the_index_anew(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path / "kb", EXTENDED)
    ingest_documents(kb, boats(range(40)), CHUNKING)
    ingest_documents(kb, boats(range(40, 90)), CHUNKING)
    assert (kb.generation().manifest.n_base, kb.generation().manifest.n_rows) == (90, 90)


def test_an_index_that_is_damaged_is_not_extended_but_built_anew(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path / "kb", EXTENDED)
    ingest_documents(kb, boats(range(40)), CHUNKING)
    path = reader_folder(kb) / "vectors.faiss"
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)
    ingest_documents(kb, boats(range(40, 41)), CHUNKING)
    assert (kb.generation().manifest.n_base, kb.generation().manifest.n_rows) == (41, 41)
    assert kb.problems() == []


def test_terms_that_changed_under_the_same_numbers_are_found(tmp_path: Path) -> None:
    """A new version of the terms, or a repair, changes chunks whose numbers stay: such an index isn't extended."""
    kb = knowledge_base(tmp_path / "kb", EXTENDED)
    ingest_documents(kb, boats(range(40)), CHUNKING)
    with kb.writing():
        renew_terms(kb.catalog)
        kb.refresh()
    assert (kb.generation().manifest.n_base, kb.generation().manifest.n_rows) == (40, 40)
    assert kb.generation().manifest.revision == kb.catalog.revision == int(kb.catalog.meta("changed_in_place") or 0)
    ingest_documents(kb, boats(range(40, 41)), CHUNKING)
    assert (kb.generation().manifest.n_base, kb.generation().manifest.n_rows) == (40, 41)


def test_a_filter_by_documents_is_searched_inside_both_legs(changed: KnowledgeBase) -> None:
    generation = changed.generation()
    wanted = [document_id(f"boat{n}") for n in (3, 5, 7, 41)]  # the seventh is deleted, the fifth changed
    rows = generation.rows_of_documents(wanted)
    numbers = [int(generation.rows[row]) for row in rows]
    sources = sorted(stored.source for stored in changed.catalog.chunks_by_number(numbers).values())
    assert sources == ["boat3", "boat41", "boat5"]
    query = changed.embedder.embed_query("boat number 7")
    assert {row for row, _ in generation.dense.search(query, 10, among=rows)} == set(rows)
    assert {row for row, _ in generation.lexical.search(["boat"], 10, among=rows).rows} == set(rows)


def test_damage_deep_inside_a_large_file_is_found_by_verify(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    kb = knowledge_base(tmp_path / "kb", ANEW)
    ingest_documents(kb, boats(range(3)), CHUNKING)
    current = current_manifest(tmp_path / "kb")
    assert current is not None
    # A file of 8 MB among those of the generation, as its manifest would name it.
    large = current[0] / "large"
    large.write_bytes(rng.bytes(8_000_000))
    manifest = replace(current[1], checksums={"large": checksum(large)}, samples={"large": sample(large)})
    assert file_problems(current[0], manifest) == file_problems(current[0], manifest, samples_only=True) == []
    content = bytearray(large.read_bytes())
    content[100_001] ^= 1
    large.write_bytes(content)
    problem = f"{current[0].name}/large was damaged after it was written"
    assert file_problems(current[0], manifest) == [problem]
    assert file_problems(current[0], manifest, samples_only=True) == []  # what opening may not see
    large.write_bytes(content[:-1])
    assert file_problems(current[0], manifest, samples_only=True) == [problem]


def reader_folder(kb: KnowledgeBase) -> Path:
    current = current_manifest(kb.folder)
    assert current is not None
    return current[0]
