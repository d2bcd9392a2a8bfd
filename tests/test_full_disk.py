"""A disk that is full or read-only: one clear sentence, what was committed still answers, the next run goes on."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.chunk import ChunkingConfig
from ingest.errors import StorageError
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, ingest_paths
from retrieval.search import SearchConfig, search
from tests.footnote_process import footnote, footnote_json, sources_found
from tests.hashing_embedder import HashingEmbedder

SMALL = IngestConfig(chunking=ChunkingConfig(size_tokens=30, min_tokens=5))
PAGE = 4096


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 3 MB of its own."""
    folder = Path(tempfile.mkdtemp())
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if not mounted or mounted.returncode != 0:
        folder.rmdir()
        pytest.skip("no right to mount a small file system here, which filling a disk takes")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


def fill(disk: Path, *, free_pages: int) -> Path:
    """Leave only so many pages of the disk free; give the file that takes the rest."""
    ballast = disk / "ballast"
    status = os.statvfs(disk)
    ballast.write_bytes(b"x" * (status.f_bavail * status.f_frsize - free_pages * PAGE))
    return ballast


def opened(disk: Path) -> KnowledgeBase:
    return KnowledgeBase.open(disk / "kb", HashingEmbedder(), create=True)


def found(kb: KnowledgeBase, question: str) -> set[str]:
    return {hit.source for hit in search(kb, question, SearchConfig()).hits}


def test_a_disk_that_fills_up_at_any_page_leaves_what_was_committed_and_the_next_ingest_goes_on(
    small_disk: Path, tmp_path: Path
) -> None:
    (tmp_path / "old.md").write_text("# Old\n\nThe ferry leaves at nine.")
    kb = opened(small_disk)
    ingest_paths(kb, [tmp_path], SMALL, base=tmp_path)
    kb.close()
    before = tmp_path / "before"
    shutil.copytree(small_disk / "kb", before)
    text = "\n\n".join(f"Lighthouse number {i} has a keeper called {i * 7}, a dog and a lamp." for i in range(120))
    (tmp_path / "new.md").write_text(f"# New\n\n{text}")
    failures = []
    for free_pages in range(0, 400, 3):
        shutil.rmtree(small_disk / "kb")
        shutil.copytree(before, small_disk / "kb")
        ballast = fill(small_disk, free_pages=free_pages)
        failure = None
        try:
            kb = opened(small_disk)
            ingest_paths(kb, [tmp_path], SMALL, base=tmp_path)
        except StorageError as error:
            failure = str(error)
            failures.append(failure)
        finally:
            kb.close()
        reader = opened(small_disk)
        assert "old.md" in found(reader, "When does the ferry leave?"), (free_pages, failure)
        reader.close()
        ballast.unlink()
        again = opened(small_disk)
        ingest_paths(again, [tmp_path], SMALL, base=tmp_path)
        assert found(again, "lighthouse keeper") == {"new.md"}
        assert again.problems() == []
        again.close()
        if failure is None:
            break
    assert failure is None, "the disk was never large enough"
    for part in ("catalog.sqlite", "vectors.faiss", "tantivy", "No space left on device"):
        assert any(part in failure for failure in failures), f"the disk never was full while {part} was written"


def test_a_full_disk_is_one_sentence_and_status_1(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("The ferry leaves at nine.")
    footnote(small_disk, "ingest", str(tmp_path))
    (tmp_path / "new.md").write_text("\n\n".join(f"Lighthouse {i} has a keeper and a lamp." for i in range(5000)))
    ballast = fill(small_disk, free_pages=60)
    _, err = footnote(small_disk, "ingest", str(tmp_path), status=1)
    assert err.count("footnote: ") == 1
    assert "Free some disk space" in err
    assert sources_found(small_disk, "When does the ferry leave?")[0] == "old.md"
    ballast.unlink()
    shown = footnote_json(small_disk, "ingest", str(tmp_path))
    assert (shown["added"] + shown["unchanged"], shown["failed"]) == (2, [])
    assert footnote_json(small_disk, "kb", "verify")["ok"]


def test_a_read_only_disk_can_be_searched_and_says_why_it_cannot_be_written(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("The ferry leaves at nine.")
    footnote(small_disk, "ingest", str(tmp_path))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert sources_found(small_disk, "When does the ferry leave?") == ["old.md"]
    assert footnote_json(small_disk, "kb", "verify")["ok"]
    _, err = footnote(small_disk, "ingest", str(tmp_path), status=1)
    assert "it can be searched, but nothing can be added or removed; make it writable" in err
    _, err = footnote(small_disk, "ingest", str(tmp_path), "--kb", "new", status=1)
    assert "new can't be made (Read-only file system); choose another place" in err


def test_a_read_only_disk_after_a_kill_shows_what_was_committed(small_disk: Path) -> None:
    """The write-ahead log of a killed writer still holds the last documents; nobody can fold it in here."""
    kb = opened(small_disk)
    (small_disk / "a.md").write_text("The ferry leaves at nine.")
    ingest_paths(kb, [small_disk / "a.md"], SMALL, base=small_disk)
    child = os.fork()  # keeps the database open, log and all, and ends without closing it
    if child == 0:
        other = opened(small_disk)
        with other.writing():
            other.remove(other.catalog.documents()[0].id)
        os._exit(0)
    os.waitpid(child, 0)
    shutil.copytree(small_disk / "kb", small_disk / "copy")
    kb.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    reader = KnowledgeBase.open(small_disk / "copy", HashingEmbedder())
    assert reader.catalog.documents() == []
    assert found(reader, "When does the ferry leave?") == set()
    assert reader.notice is not None and "read-only" in reader.notice
    reader.close()
