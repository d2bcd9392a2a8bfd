"""Two processes and one knowledge base: the second writer waits or is told who has it, no reader waits."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.errors import KnowledgeBaseError
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, ingest_paths
from retrieval.search import SearchConfig, search
from tests.footnote_process import ROOT, ended, footnote, footnote_json, many_paragraphs, sources_found, start
from tests.hashing_embedder import HashingEmbedder


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "long.md").write_text(many_paragraphs("tram"))
    return folder


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    (tmp_path / "gates").mkdir()
    os.mkfifo(tmp_path / "gates" / "1")
    return tmp_path / "gates" / "1"


def test_a_second_writer_is_told_who_holds_it_or_waits_and_both_get_their_documents_in(
    tmp_path: Path, documents: Path, gate: Path
) -> None:
    (tmp_path / "ferry.md").write_text("The ferry leaves at nine.")
    first = start(tmp_path, "ingest", str(documents), gates=gate.parent)
    with gate.open("w"):  # opened once the first writer stands at the gate, lock in hand
        _, err = footnote(tmp_path, "ingest", str(tmp_path / "ferry.md"), "--wait-seconds", "0.1", status=1)
        assert f"waiting: default is being written by process {first.pid} since 20" in err
        assert f"default is being written by process {first.pid} since 20" in err.splitlines()[-1]
        assert "waited 0.1 s; try again when it has finished" in err
        second = start(tmp_path, "ingest", str(tmp_path / "ferry.md"))
        assert second.stderr is not None
        assert second.stderr.readline().startswith(f"waiting: default is being written by process {first.pid}")
    ended(first)
    ended(second)
    assert footnote_json(tmp_path, "kb", "show")["documents"] == 2
    assert sources_found(tmp_path, "When does the ferry leave?")[0] == "ferry.md"
    assert footnote_json(tmp_path, "kb", "verify")["ok"]


def test_the_lock_of_a_killed_writer_is_no_obstacle(tmp_path: Path, documents: Path, gate: Path) -> None:
    first = start(tmp_path, "ingest", str(documents), gates=gate.parent)
    with gate.open("w"):
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
    assert (tmp_path / "kb" / "default" / "write.holder").exists()
    shown = footnote_json(tmp_path, "ingest", str(documents), "--wait-seconds", "0")
    assert shown["added"] == 1
    assert not (tmp_path / "kb" / "default" / "write.holder").exists()


def test_a_reader_keeps_its_index_while_another_process_writes_and_sees_deletes_at_once(tmp_path: Path) -> None:
    for name in ("ferry", "tram"):
        (tmp_path / f"{name}.txt").write_text(f"The {name} leaves at nine.")
    footnote(tmp_path, "ingest", str(tmp_path))
    folder = tmp_path / "kb" / "default"
    reader = KnowledgeBase.open(folder, HashingEmbedder())
    assert found(reader) == {"ferry.txt", "tram.txt"}
    generation = reader.generation()
    writer = subprocess.Popen(
        [sys.executable, "-c", _DELETES_AND_HOLDS, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "deleted\n"  # and holds the lock: no new index yet
    assert found(reader) == {"tram.txt"}
    assert reader.generation().manifest is generation.manifest
    assert [len(rows) for rows in reader.generation().by_language.values()] == [1]  # the deleted row is kept out
    assert reader.notice == "the newest changes of default can't be searched yet: another process is adding documents"
    writer.communicate("go on\n", timeout=60)
    assert found(reader) == {"tram.txt"}
    assert reader.generation().manifest.n_chunks == 1
    assert reader.notice is None
    reader.close()


def test_a_reader_that_was_overtaken_by_a_rebuild_with_another_embedder_says_so(tmp_path: Path) -> None:
    (tmp_path / "ferry.txt").write_text("The ferry leaves at nine.")
    footnote(tmp_path, "ingest", str(tmp_path))
    folder = tmp_path / "kb" / "default"
    reader = KnowledgeBase.open(folder, HashingEmbedder())
    assert found(reader) == {"ferry.txt"}
    other = KnowledgeBase.open(folder, HashingEmbedder("other", 32), rebuild=True)
    ingest_paths(other, [tmp_path], IngestConfig(), rebuild=True)
    with pytest.raises(KnowledgeBaseError, match=r"was rebuilt with other meanwhile, this process uses hashing"):
        found(reader)


def found(kb: KnowledgeBase) -> set[str]:
    return {Path(hit.source).name for hit in search(kb, "What leaves at nine?", SearchConfig()).hits}


_DELETES_AND_HOLDS = """
import sys
from pathlib import Path
from ingest.knowledge_base import KnowledgeBase
from tests.hashing_embedder import HashingEmbedder
kb = KnowledgeBase.open(Path(sys.argv[1]), HashingEmbedder())
with kb.writing():
    (ferry,) = [info for info in kb.catalog.documents() if info.source.endswith("ferry.txt")]
    kb.remove(ferry.id)
    print("deleted", flush=True)
    sys.stdin.readline()
    kb.refresh()
"""
