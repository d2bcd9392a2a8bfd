"""The knowledge base on disk: nothing lost, nothing half there, nothing stale."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from ingest.chunk import ChunkingConfig
from ingest.dense_index import DenseIndexConfig, build_dense_index, open_dense_index
from ingest.document import Block, Chunk, Document, Span, chunk_id, document_id
from ingest.errors import KnowledgeBaseError
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, ingest_documents, ingest_paths
from ingest.plan import Move
from retrieval.search import SearchConfig, search
from tests.hashing_embedder import HashingEmbedder

SMALL = IngestConfig(chunking=ChunkingConfig(size_tokens=30, min_tokens=5))


def document(source: str, text: str, version: str = "1") -> Document:
    block = (Block("paragraph", Span(0, len(text))),)
    return Document(document_id(source), source, version, source, text, (), block, "en")


def opened(folder: Path, embedder: HashingEmbedder | None = None) -> KnowledgeBase:
    return KnowledgeBase.open(folder, embedder or HashingEmbedder(), create=True)


def sources_found(kb: KnowledgeBase, question: str) -> list[str]:
    return [hit.source for hit in search(kb, question, SearchConfig()).hits]


def test_what_was_put_is_given_back_whole(tmp_path: Path) -> None:
    kb = opened(tmp_path / "kb")
    ferry = document("ferry.txt", "The ferry leaves at nine. 渡船九点开。")
    ingest_documents(kb, [ferry], SMALL)
    assert kb.catalog.document(ferry.id) == ferry
    (chunk,) = kb.catalog.chunks_of(ferry.id)
    assert chunk == Chunk(
        chunk_id(ferry.id, Span(0, 32), ferry.text), ferry.id, Span(0, 32), ferry.text, ("ferry.txt",), None
    )
    assert kb.problems() == []


def test_a_deleted_document_is_gone_from_the_next_search(tmp_path: Path) -> None:
    kb = opened(tmp_path / "kb")
    ingest_documents(kb, [document("a", "The ferry leaves at nine."), document("b", "The ferry is green.")], SMALL)
    assert sorted(sources_found(kb, "ferry")) == ["a", "b"]
    with kb.writing():
        kb.remove(document_id("a"))
        assert sources_found(kb, "ferry") == ["b"]  # even before the index is built anew
        kb.refresh()
    assert sources_found(kb, "ferry") == ["b"]
    assert kb.problems() == []


def test_an_edited_document_embeds_only_its_changed_chunks(tmp_path: Path) -> None:
    embedder = HashingEmbedder()
    kb = opened(tmp_path / "kb", embedder)
    sentences = [
        f"Sentence {i} speaks of boat number {i} and of its crew, its engine, its home port." for i in range(20)
    ]
    first = ingest_documents(kb, [document("a", "\n\n".join(sentences))], SMALL)
    sentences[7] = "Something else entirely stands here now, about a lighthouse and its keeper and the keeper's dog."
    second = ingest_documents(kb, [document("a", "\n\n".join(sentences), version="2")], SMALL)
    assert first.embedded == first.chunks > 5
    assert (second.updated, second.embedded) == (("a",), 1)


def test_a_renamed_file_embeds_nothing_is_kept_once_and_found_by_its_new_name(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "old.txt").write_text("The ferry leaves at nine.")
    kb = opened(tmp_path / "kb")
    ingest_paths(kb, [folder], SMALL, base=folder)
    (folder / "old.txt").rename(folder / "new.txt")
    report = ingest_paths(kb, [folder], SMALL, base=folder)
    assert (report.moved, report.added, report.removed) == ((Move("old.txt", "new.txt"),), (), ())
    assert report.embedded == 0
    assert sources_found(kb, "ferry") == ["new.txt"]
    # The title comes from the file's name here: the words know the new one at once.
    assert search(kb, "new", SearchConfig()).hits[0].matched_terms == ("new",)
    assert kb.problems() == []


def test_a_moved_file_embeds_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    (folder / "archive").mkdir(parents=True)
    (folder / "ferry.txt").write_text("The ferry leaves at nine.")
    kb = opened(tmp_path / "kb")
    ingest_paths(kb, [folder], SMALL, base=folder)
    (folder / "ferry.txt").rename(folder / "archive" / "ferry.txt")
    report = ingest_paths(kb, [folder], SMALL, base=folder)
    assert report.moved == (Move("ferry.txt", "archive/ferry.txt"),)
    assert (report.added, report.removed, report.embedded) == ((), (), 0)


def test_a_second_ingest_of_the_same_folder_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("The ferry leaves at nine.")
    kb = opened(tmp_path / "kb")
    ingest_paths(kb, [folder], SMALL)
    generation = kb.generation().manifest
    report = ingest_paths(kb, [folder], SMALL)
    assert (len(report.unchanged), report.chunks, report.embedded) == (1, 0, 0)
    assert kb.generation().manifest == generation


def test_one_bad_file_does_not_hide_the_good_one(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "good.txt").write_text("The ferry leaves at nine.")
    kb = opened(tmp_path / "kb")
    report = ingest_paths(kb, [folder, tmp_path / "missing"], SMALL, base=tmp_path)
    assert report.added == ("docs/good.txt",)
    assert len(report.failed) == 2
    assert report.failed[0].reason.startswith("missing")
    assert report.failed[1].reason.startswith("empty.pdf is empty (0 bytes)")


def test_a_file_that_turned_bad_keeps_its_last_good_version(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("The ferry leaves at nine.")
    kb = opened(tmp_path / "kb")
    ingest_paths(kb, [folder], SMALL, base=folder)
    (folder / "a.txt").write_bytes(b"")
    report = ingest_paths(kb, [folder], SMALL, base=folder)
    assert (len(report.failed), report.removed) == (1, ())
    assert sources_found(kb, "ferry") == ["a.txt"]


def test_a_document_over_the_limit_is_refused_by_name(tmp_path: Path) -> None:
    kb = opened(tmp_path / "kb")
    report = ingest_documents(kb, [document("log.txt", "word " * 100)], IngestConfig(max_characters=400))
    assert [failure.reason for failure in report.failed] == [
        "log.txt holds 500 characters, more than the limit of 400, and would take hours to embed; split it, or raise"
        " the limit with --max-characters"
    ]


def test_the_same_documents_give_the_same_generation_in_any_order(tmp_path: Path) -> None:
    documents = [document(name, f"The {name} boat leaves at nine.") for name in ("red", "green", "blue")]
    kbs = [opened(tmp_path / "one"), opened(tmp_path / "two")]
    ingest_documents(kbs[0], documents, SMALL)
    for one in reversed(documents):
        ingest_documents(kbs[1], [one], SMALL)
    assert kbs[0].generation().manifest.digest == kbs[1].generation().manifest.digest
    assert sources_found(kbs[0], "boat at nine") == sources_found(kbs[1], "boat at nine")


@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped", "manifest", "pointer"])
def test_a_damaged_index_is_rebuilt_from_the_catalog_on_opening(tmp_path: Path, damage: str) -> None:
    kb = opened(tmp_path / "kb")
    ingest_documents(kb, [document("a", "The ferry leaves at nine.")], SMALL)
    (generation,) = (tmp_path / "kb" / "generations").iterdir()
    kb.close()
    vectors = generation / "vectors.faiss"
    if damage == "missing":
        shutil.rmtree(generation)
    elif damage == "truncated":
        vectors.write_bytes(vectors.read_bytes()[:40])
    elif damage == "flipped":
        content = bytearray(vectors.read_bytes())
        content[-1] ^= 0xFF
        vectors.write_bytes(content)
    elif damage == "manifest":
        (generation / "manifest.json").write_text("{")
    else:
        (tmp_path / "kb" / "CURRENT").write_text("elsewhere")
    again = opened(tmp_path / "kb")
    assert again.problems() != []
    assert sources_found(again, "ferry") == ["a"]
    assert again.problems() == []


def test_an_index_of_another_embedder_is_refused_with_the_command_that_rebuilds_it(tmp_path: Path) -> None:
    ingest_documents(opened(tmp_path / "kb"), [document("a", "The ferry leaves at nine.")], SMALL)
    with pytest.raises(KnowledgeBaseError, match=r"kb was built with hashing, settings say other; .*ingest --rebuild"):
        opened(tmp_path / "kb", HashingEmbedder("other"))


def test_a_rebuild_with_another_embedder_takes_over(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("The ferry leaves at nine.")
    ingest_paths(opened(tmp_path / "kb"), [folder], SMALL)
    other = KnowledgeBase.open(tmp_path / "kb", HashingEmbedder("other", 32), create=True, rebuild=True)
    ingest_paths(other, [folder], SMALL, rebuild=True)
    assert len(sources_found(other, "ferry")) == 1
    assert other.generation().manifest.dimension == 32


def test_a_second_writer_is_told_to_wait(tmp_path: Path) -> None:
    kb = opened(tmp_path / "kb")
    with (
        FileLock(tmp_path / "kb" / "write.lock"),
        pytest.raises(KnowledgeBaseError, match=r"being written by another process, waited 0\.05 s"),
        kb.writing(timeout_seconds=0.05),
    ):
        pass


def test_a_catalog_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "catalog.sqlite").write_text("not a database, but long enough to be looked at " * 40)
    with pytest.raises(KnowledgeBaseError, match=r"catalog.sqlite is damaged"):
        opened(tmp_path / "kb")


def test_a_killed_ingest_leaves_whole_documents_and_a_working_search(tmp_path: Path) -> None:
    """Kill a writing process with SIGKILL after its third commit; what was committed must be whole and found."""
    script = """
import sys
from pathlib import Path
import tests.test_knowledge_base as t
kb = t.opened(Path(sys.argv[1]))
with kb.writing():
    for i in range(1000):
        text = f"Boat {i} leaves at nine."
        d = t.document(f"doc{i}", text)
        c = [t.Chunk(t.chunk_id(d.id, t.Span(0, len(text)), text), d.id, t.Span(0, len(text)), text)]
        kb.put(d, c, kb.embedder.embed_passages([text]))
        print(i, flush=True)
"""
    root = Path(__file__).parents[1]
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "kb")], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    committed = [int(child.stdout.readline()) for _ in range(3)]
    os.kill(child.pid, signal.SIGKILL)
    committed += [int(line) for line in child.stdout.read().splitlines()]
    child.wait()
    kb = opened(tmp_path / "kb")
    documents, chunks = kb.catalog.counts()
    assert documents == chunks >= len(committed)
    assert "doc2" in sources_found(kb, "Boat 2")
    assert kb.problems() == []


def test_inverted_lists_with_rescoring_find_what_exact_search_finds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((50, 32))
    vectors = (centres[rng.integers(0, 50, 4000)] + 0.3 * rng.standard_normal((4000, 32))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with_lists = DenseIndexConfig(exact_up_to=1000)
    (tmp_path / "exact").mkdir()
    (tmp_path / "lists").mkdir()
    exact_kind = build_dense_index(vectors, tmp_path / "exact", DenseIndexConfig())
    lists_kind = build_dense_index(vectors, tmp_path / "lists", with_lists)
    exact = open_dense_index(tmp_path / "exact", DenseIndexConfig())
    lists = open_dense_index(tmp_path / "lists", with_lists)
    shared = total = 0
    for query in vectors[:100]:
        wanted = {row for row, _ in exact.search(query, 10)}
        found = dict(lists.search(query, 10))
        shared += len(wanted & found.keys())
        total += len(wanted)
        assert all(abs(score - float(vectors[row] @ query)) < 1e-5 for row, score in found.items())
    assert (exact_kind, lists_kind) == ("Flat", "IVF63,RaBitQfs,RFlat")
    assert shared / total >= 0.99


def test_the_manifest_names_what_the_index_was_made_from(tmp_path: Path) -> None:
    kb = opened(tmp_path / "kb")
    ingest_documents(kb, [document("a", "The ferry leaves at nine.")], SMALL)
    (generation,) = (tmp_path / "kb" / "generations").iterdir()
    manifest = json.loads((generation / "manifest.json").read_text())
    assert {key: manifest[key] for key in ("format_version", "embedder", "dimension", "n_chunks", "dense_kind")} == {
        "format_version": 1,
        "embedder": "hashing",
        "dimension": 64,
        "n_chunks": 1,
        "dense_kind": "Flat",
    }
    assert {"vectors.faiss", "rows.npy"} <= manifest["checksums"].keys()
