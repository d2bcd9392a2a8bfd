"""Reading in other processes gives what reading here gives, and a file that ends such a process fails alone."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from ingest.catalog import Catalog
from ingest.chunk import ChunkingConfig
from ingest.document import document_id
from ingest.embedder import Vectors
from ingest.errors import SourceError
from ingest.knowledge_base import KnowledgeBase
from ingest.load import load_document
from ingest.parsing import ParsingPool
from ingest.pipeline import IngestConfig, IngestReport, IngestStopped, Progress, ingest_paths
from ingest.raw_file import RawFile
from tests.hashing_embedder import HashingEmbedder
from tests.scans import encoded, picture_of

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
CONFIG = IngestConfig(chunking=ChunkingConfig(size_tokens=30, min_tokens=5), batch_chunks=4, parse_workers=0)
IN_WORKERS = replace(CONFIG, parse_workers=2, parse_alone_bytes=0)


def ingest(folder: Path, home: Path, config: IngestConfig) -> tuple[IngestReport, str]:
    """Take a folder in; give the report, without what differs from run to run, and the index's digest."""
    kb = KnowledgeBase.open(home, HashingEmbedder(), create=True)
    report = ingest_paths(kb, [folder], config, base=folder)
    digest = kb.generation().manifest.digest
    kb.close()
    return replace(report, seconds=0.0), digest


def write_notes(folder: Path, n_notes: int) -> Path:
    """Write small documents, some of them alike, and two that can't be read."""
    folder.mkdir()
    for number in range(n_notes):
        (folder / f"{number:02}.md").write_text(
            f"# Note {number}\n\nBoat {number % 7} sails at {number % 5}. 船开了。\n"
        )
    (folder / "03.pdf").write_bytes(b"%PDF-1.7 cut off")
    (folder / "05.docx").write_bytes(b"PK\x03\x04 nothing")
    return folder


def test_workers_make_the_same_knowledge_base_in_the_same_order(tmp_path: Path) -> None:
    folder = write_notes(tmp_path / "notes", 20)

    alone = ingest(folder, tmp_path / "alone", CONFIG)
    together = ingest(folder, tmp_path / "together", IN_WORKERS)

    assert together == alone
    assert [failure.source for failure in together[0].failed] == ["03.pdf", "05.docx"]
    assert ingest(folder, tmp_path / "together", IN_WORKERS)[0].unchanged == together[0].added


def test_a_document_comes_back_from_a_worker_as_it_was_read() -> None:
    files = sorted(path for path in SAMPLES.rglob("*") if path.suffix in (".pdf", ".docx", ".md", ".xlsx"))[:6]
    pool = ParsingPool(2)
    try:
        read = [pool.submit(RawFile(path.name, f"a/{path.name}", path)) for path in files]

        assert [reading.result() for reading in read] == [
            load_document(path, source=f"a/{path.name}") for path in files
        ]
    finally:
        pool.close()


def test_pictures_come_back_from_a_worker_with_their_places_and_wordless_ones_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "rules.png").write_bytes(encoded(picture_of("Ottermere pays seven crowns"), "PNG"))
    (folder / "white.png").write_bytes(encoded(Image.new("RGB", (600, 400), "white"), "PNG"))

    alone, together = (ingest(folder, tmp_path / name, c)[0] for name, c in (("a", CONFIG), ("t", IN_WORKERS)))
    again = ingest(folder, tmp_path / "t", IN_WORKERS)[0]

    assert together == alone
    assert (alone.added, [skip.source for skip in alone.skipped]) == (("rules.png",), ["white.png"])
    assert (again.unchanged, again.skipped) == (("rules.png",), alone.skipped)
    catalogs = [Catalog(tmp_path / name / "catalog.sqlite", create=False) for name in ("a", "t")]
    documents = [catalog.document(document_id("rules.png")) for catalog in catalogs]
    assert documents[0] == documents[1]
    assert [word.text for word in documents[0].read_pages[0].words] == ["Ottermere", "pays", "seven", "crowns"]


def test_a_file_that_ends_its_worker_fails_alone_with_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.parsing._MODULE", "tests.dying_worker")
    names = ("a.md", "killer.md", "b.md", "exit.md", "noise.md")
    for name in names:
        (tmp_path / name).write_text(f"# {name}\n\nSome words.\n")
    pool = ParsingPool(1)
    try:
        read = [pool.submit(RawFile(name, name, tmp_path / name)) for name in names]

        with pytest.raises(SourceError, match=r"^killer.md ended the process that read it \(by signal 9\)"):
            read[1].result()
        with pytest.raises(SourceError, match=r"^exit.md ended the process that read it \(with status 3\)"):
            read[3].result()
        assert [read[number].result().title for number in (0, 2, 4)] == ["a.md", "b.md", "noise.md"]
    finally:
        pool.close()


def test_what_a_worker_refuses_is_refused_with_the_same_words(tmp_path: Path) -> None:
    (tmp_path / "empty.md").touch()
    pool = ParsingPool(1)
    try:
        with pytest.raises(SourceError, match=r"^empty.md is empty \(0 bytes\)"):
            pool.submit(RawFile("empty.md", "empty.md", tmp_path / "empty.md")).result()
        with pytest.raises(SourceError, match=r"^gone.md does not exist"):
            pool.submit(RawFile("gone.md", "gone.md", tmp_path / "gone.md")).result()
    finally:
        pool.close()


def test_nothing_in_the_folder_one_stands_in_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(7)")
    (tmp_path / "note.md").write_text("# Note\n\nSome words.\n")
    monkeypatch.chdir(tmp_path)
    pool = ParsingPool(1)
    try:
        assert pool.submit(RawFile("note.md", "note.md", tmp_path / "note.md")).result().title == "Note"
    finally:
        pool.close()


def test_no_reading_process_outlives_an_interrupted_ingest(tmp_path: Path) -> None:
    folder = write_notes(tmp_path / "notes", 40)
    kb = KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True)
    others, children = own_children(), set[str]()

    def stop_later(progress: Progress) -> None:
        if progress.n_embedded > 8 and not children:
            children.update(own_children() - others)
            raise KeyboardInterrupt

    with pytest.raises(IngestStopped) as stopped:
        ingest_paths(kb, [folder], IN_WORKERS, base=folder, on_progress=stop_later)
    kb.close()

    assert children  # there were some, and
    assert own_children() & children == set()
    assert stopped.value.report.added
    assert ingest(folder, tmp_path / "kb", IN_WORKERS)[1] == ingest(folder, tmp_path / "other", CONFIG)[1]


def own_children() -> set[str]:
    """Give the numbers of this process's children."""
    found: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            found.update((task / "children").read_text().split())
    return found


LARGE = "\n\n".join(
    f"# Part {n % 50}\n\nBoat {n} has {n % 9} masts. It sails to {n % 13}. 船开了。" for n in range(300)
)


def test_a_large_document_is_cut_and_embedded_as_in_one_piece(tmp_path: Path) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    (folder / "large.md").write_text(LARGE)
    (folder / "small.md").write_text("# Small\n\nA tram.\n")
    pieces: list[Progress] = []
    kb = KnowledgeBase.open(tmp_path / "pieces", HashingEmbedder(), create=True)

    report = ingest_paths(kb, [folder], replace(CONFIG, large_characters=1000), base=folder, on_progress=pieces.append)

    whole, digest = ingest(folder, tmp_path / "whole", CONFIG)
    assert (replace(report, seconds=0.0), kb.generation().manifest.digest) == (whole, digest)
    assert kb.problems() == []
    assert [piece.bytes_done for piece in pieces] == sorted(piece.bytes_done for piece in pieces)
    assert pieces[-1].bytes_done == pieces[-1].bytes_total == sum(path.stat().st_size for path in folder.iterdir())


class Stopping(HashingEmbedder):
    """Is interrupted in its third batch of four."""

    def embed_passages(self, texts: list[str]) -> Vectors:  # type: ignore[override]
        if len(texts) == 4 and self.n_embedded >= 40:
            raise KeyboardInterrupt
        return super().embed_passages(texts)


def test_a_large_document_that_is_stopped_is_not_there_until_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.run_vectors._LARGE_BATCH", 16)
    folder = tmp_path / "large"
    folder.mkdir()
    (folder / "large.md").write_text(LARGE)
    kb = KnowledgeBase.open(tmp_path / "kb", Stopping(), create=True)

    with pytest.raises(IngestStopped):
        ingest_paths(kb, [folder], replace(CONFIG, large_characters=1000), base=folder)

    assert kb.catalog.documents() == []
    assert kb.problems() == []
    kb.close()
    resumed = ingest(folder, tmp_path / "kb", replace(CONFIG, large_characters=1000))[0]
    whole = ingest(folder, tmp_path / "whole", replace(CONFIG, large_characters=1000))[0]
    assert (resumed.added, resumed.chunks) == (("large.md",), whole.chunks)
    assert 0 < resumed.embedded <= whole.embedded - 16  # what was embedded before isn't again


def test_time_left_follows_from_the_bytes_of_what_changed() -> None:
    assert Progress(1, 4, 10, "a.md", bytes_done=250, bytes_total=1000).seconds_left(20.0) == 60.0
    assert Progress(0, 4, 0, "a.md", bytes_done=0, bytes_total=1000).seconds_left(20.0) is None
