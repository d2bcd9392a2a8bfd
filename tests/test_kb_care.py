"""`footnote kb verify|repair|export|import`: what is wrong is named, what can be is mended, copies are exact."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from app.engine import Engine
from app.settings import Settings
from ingest.errors import KnowledgeBaseError
from ingest.export_kb import export_knowledge_base
from ingest.import_kb import import_knowledge_base
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, ingest_paths
from ingest.repair import repair_knowledge_base
from ingest.salvage import salvage_catalog
from retrieval.search import SearchConfig, search
from tests.footnote_process import footnote, footnote_json, sources_found
from tests.hashing_embedder import HashingEmbedder

TEXTS = {
    "ferry.md": "# Ferry\n\nThe ferry leaves at nine. 渡船九点开。\n",
    "tram.md": "# Tram\n\nThe tram leaves at ten.\n",
    "table.csv": "boat,crew\nOtter,3\nHeron,5\n",
}


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeBase:
    documents = tmp_path / "documents"
    documents.mkdir()
    for name, text in TEXTS.items():
        (documents / name).write_text(text)
    made = KnowledgeBase.open(tmp_path / "kb" / "default", HashingEmbedder(), create=True)
    ingest_paths(made, [documents], IngestConfig(), base=documents)
    return made


def hits(kb: KnowledgeBase) -> list[tuple[str, str, float]]:
    return [(hit.source, hit.chunk.text, hit.score) for hit in search(kb, "When does it leave?", SearchConfig()).hits]


def sql(kb: KnowledgeBase, *statements: str) -> None:
    """Damage the catalog behind its back."""
    with sqlite3.connect(kb.folder / "catalog.sqlite") as database:
        for statement in statements:
            database.execute(statement)
    database.close()


@pytest.mark.parametrize(
    ("damage", "named", "mended"),
    [
        (
            "UPDATE chunks SET text = 'made up' WHERE text LIKE '%ferry%'",
            "ferry.md: 1 chunks differ from",
            "ferry.md was",
        ),
        (
            "DELETE FROM chunks WHERE text LIKE '%tram%'",
            "tram.md: some of its words are in no chunk",
            "tram.md was cut",
        ),
        ("UPDATE chunks SET id = 'x' WHERE text LIKE '%tram%'", "tram.md: 1 chunks have an id", "tram.md was cut"),
        (
            "UPDATE vectors SET vector = zeroblob(256)",
            "3 vectors have a wrong length or norm",
            "3 chunks were embedded",
        ),
        ("UPDATE vectors SET vector = x'00'", "3 vectors have a wrong length", "3 chunks were embedded"),
        ("DELETE FROM vectors", "3 chunks have no vector from hashing", "3 chunks were embedded again"),
        ("DELETE FROM documents WHERE source = 'tram.md'", "1 chunks belong to no document", "1 chunks that belonged"),
        ("UPDATE meta SET value = 99 WHERE key = 'revision'", "the index is older than the catalog", "the index was"),
    ],
)
def test_what_is_wrong_is_named_and_mended(kb: KnowledgeBase, damage: str, named: str, mended: str) -> None:
    whole = hits(kb)
    assert kb.problems() == []
    sql(kb, damage)
    assert any(named in problem for problem in kb.problems()), kb.problems()
    done = repair_knowledge_base(kb, IngestConfig())
    assert done.left == ()
    assert any(mended in what for what in done.mended), done.mended
    assert kb.problems() == []
    if "DELETE FROM documents" in damage:
        assert {source for source, _, _ in hits(kb)} == {"ferry.md", "table.csv"}
    else:
        assert hits(kb) == whole


def test_a_document_that_cannot_be_read_is_taken_in_anew_by_the_next_ingest(kb: KnowledgeBase, tmp_path: Path) -> None:
    whole = hits(kb)
    sql(kb, "UPDATE documents SET pages = '[[1' WHERE source = 'tram.md'")
    assert [problem for problem in kb.problems() if "pages, blocks or metadata are damaged" in problem]
    done = repair_knowledge_base(kb, IngestConfig())
    assert "its pages, blocks or metadata are damaged" in done.left[0]
    report = ingest_paths(kb, [tmp_path / "documents"], IngestConfig(), base=tmp_path / "documents")
    assert (report.updated, report.embedded) == (("tram.md",), 0)
    assert kb.problems() == []
    assert hits(kb) == whole


def test_of_a_catalog_with_a_damaged_page_every_other_document_is_saved(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    for i in range(40):
        (documents / f"{i:02}.md").write_text(f"# Boat {i}\n\n" + f"Boat number {i} has a crew of {i + 2}. " * 120)
    kb = KnowledgeBase.open(tmp_path / "kb" / "default", HashingEmbedder(), create=True)
    ingest_paths(kb, [documents], IngestConfig(), base=documents)
    kb.close()
    catalog = tmp_path / "kb" / "default" / "catalog.sqlite"
    content = bytearray(catalog.read_bytes())
    page = content.index(b"Boat number 20 has a crew of 22") // 4096
    content[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    catalog.write_bytes(content)
    problems = footnote_json(tmp_path, "kb", "verify", status=1)["problems"]
    assert problems and all("catalog.sqlite" in problem for problem in problems)
    shown = footnote_json(tmp_path, "kb", "repair")
    assert shown["ok"] and "documents were saved; the old file is catalog.damaged" in shown["mended"][0]
    n_saved = footnote_json(tmp_path, "kb", "show")["documents"]
    assert 20 <= n_saved < 41
    done = footnote_json(tmp_path, "ingest", str(documents))
    assert footnote_json(tmp_path, "kb", "verify")["ok"]
    assert done["failed"] == []


def test_a_file_that_is_no_database_is_beyond_repair_and_can_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "kb" / "default").mkdir(parents=True)
    (tmp_path / "kb" / "default" / "catalog.sqlite").write_text("not a database " * 1000)
    assert (
        footnote_json(tmp_path, "kb", "verify", status=1)["problems"][0]
        .split(";")[0]
        .endswith("catalog.sqlite is damaged (file is not a database)")
    )
    (listed,) = footnote_json(tmp_path, "kb", "list")["knowledge_bases"]
    assert "is damaged" in listed["problem"]
    with pytest.raises(KnowledgeBaseError, match="damaged beyond what can be saved; restore an export"):
        salvage_catalog(tmp_path / "kb" / "default", wait_seconds=0)
    footnote(tmp_path, "kb", "delete", "--yes")
    assert list((tmp_path / "kb").iterdir()) == []


def test_an_export_restores_the_same_knowledge_base_and_embeds_nothing(kb: KnowledgeBase, tmp_path: Path) -> None:
    whole, digest = hits(kb), kb.generation().manifest.digest
    archive = tmp_path / "kb.zip"
    exported = footnote_json(tmp_path, "kb", "export", str(archive))
    assert {key: exported[key] for key in ("name", "documents", "chunks", "vectors", "embedder")} == {
        "name": "default",
        "documents": 3,
        "chunks": 3,
        "vectors": 3,
        "embedder": "hashing",
    }
    imported = footnote_json(tmp_path, "kb", "import", str(archive), "--kb", "copy")
    assert {**imported, "name": "default"} == exported
    embedder = HashingEmbedder()
    copy = KnowledgeBase.open(tmp_path / "kb" / "copy", embedder)
    assert embedder.n_embedded == 0
    assert (hits(copy), copy.generation().manifest.digest, copy.problems()) == (whole, digest, [])
    assert [copy.catalog.document(info.id) for info in copy.catalog.documents()] == [
        kb.catalog.document(info.id) for info in kb.catalog.documents()
    ]
    assert copy.language_centroids()["zh"].tolist() == kb.language_centroids()["zh"].tolist()
    export_knowledge_base(copy.folder, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    _, err = footnote(tmp_path, "kb", "import", str(archive), "--kb", "copy", status=2)
    assert "there is a knowledge base copy already; import under another --kb name" in err


def test_an_export_shows_one_moment_though_another_writes_meanwhile(
    kb: KnowledgeBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each document that is read is followed by a delete through another connection."""
    from ingest import export_kb

    writer = KnowledgeBase.open(kb.folder, HashingEmbedder())
    waiting = [info.id for info in reversed(kb.catalog.documents())]
    line = export_kb._document_line

    def line_and_delete(*arguments: object) -> bytes:
        with writer.writing():
            writer.remove(waiting.pop(0))
        return line(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(export_kb, "_document_line", line_and_delete)
    exported = export_knowledge_base(kb.folder, tmp_path / "kb.zip")
    assert (exported.documents, exported.chunks, writer.catalog.counts()) == (3, 3, (0, 0))
    assert import_knowledge_base(tmp_path / "kb.zip", tmp_path / "kb" / "copy") == exported


def change_manifest(**values: object) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = json.dumps({**json.loads(files["manifest.json"]), **values}).encode()

    return change


def change_word(files: dict[str, bytes]) -> None:
    files["documents.jsonl"] = files["documents.jsonl"].replace(b"nine", b"five")


def change_vector(files: dict[str, bytes]) -> None:
    files["vectors.f32"] = files["vectors.f32"][:-1] + b"\x00"


def add_entry(files: dict[str, bytes]) -> None:
    files["../../evil.py"] = b"print()"


def drop_hash(files: dict[str, bytes]) -> None:
    files["hashes.txt"] = files["hashes.txt"][:-33]


def drop_file(files: dict[str, bytes]) -> None:
    del files["vectors.f32"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (change_manifest(version=2), r"kb\.zip has export format 2, this Footnote reads 1; update Footnote"),
        (change_manifest(kind="holiday"), r"its manifest\.json isn't that of an export"),
        (change_manifest(documents=7), r"its manifest says otherwise"),
        (change_word, r"documents\.jsonl in it was changed after it was written"),
        (change_vector, r"vectors\.f32 in it was changed after it was written"),
        (add_entry, r"it holds '\.\./\.\./evil\.py', which no export does"),
        (drop_hash, r"hashes\.txt in it has another size than was written"),
        (drop_file, r"it lacks a file, or holds one twice"),
    ],
)
def test_an_archive_that_was_tampered_with_is_refused_by_name_and_leaves_nothing(
    kb: KnowledgeBase, tmp_path: Path, damage: Callable[[dict[str, bytes]], None], reason: str
) -> None:
    archive = tmp_path / "kb.zip"
    export_knowledge_base(kb.folder, archive)
    with ZipFile(archive) as whole:
        files = {name: whole.read(name) for name in whole.namelist()}
    damage(files)
    with ZipFile(archive, "w") as changed:
        for name, content in files.items():
            changed.writestr(name, content)
    with pytest.raises(KnowledgeBaseError, match=reason):
        import_knowledge_base(archive, tmp_path / "kb" / "copy")
    assert [path.name for path in (tmp_path / "kb").iterdir()] == ["default"]


def test_an_archive_cut_short_anywhere_or_with_a_flipped_byte_is_refused(kb: KnowledgeBase, tmp_path: Path) -> None:
    archive = tmp_path / "kb.zip"
    export_knowledge_base(kb.folder, archive)
    whole = archive.read_bytes()
    step = len(whole) // 25
    damaged = [whole[:at] for at in range(0, len(whole), step)]
    damaged += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(40, len(whole), step)]
    n_refused = 0
    for content in damaged:
        archive.write_bytes(content)
        try:
            import_knowledge_base(archive, tmp_path / "kb" / "copy")
        except KnowledgeBaseError:
            n_refused += 1
        else:  # a byte that says nothing, such as a date: then all must be there
            copy = KnowledgeBase.open(tmp_path / "kb" / "copy", HashingEmbedder())
            assert (copy.problems(), hits(copy)) == ([], hits(kb))
            copy.close()
            shutil.rmtree(tmp_path / "kb" / "copy")
        assert not (tmp_path / "kb" / "copy").exists()
    assert n_refused >= 40


def test_what_a_killed_import_left_is_swept_by_the_next_but_not_one_at_work(kb: KnowledgeBase, tmp_path: Path) -> None:
    export_knowledge_base(kb.folder, tmp_path / "kb.zip")
    dead, alive = (
        tmp_path / "kb" / f".importing-x-{pid}" for pid in (2**22 + 1, os.getppid())
    )  # above Linux's highest
    dead.mkdir()
    alive.mkdir()
    import_knowledge_base(tmp_path / "kb.zip", tmp_path / "kb" / "copy")
    assert sorted(path.name for path in (tmp_path / "kb").iterdir()) == [alive.name, "copy", "default"]
    assert [entry["name"] for entry in footnote_json(tmp_path, "kb", "list")["knowledge_bases"]] == ["copy", "default"]


def test_what_an_interrupted_delete_left_is_no_knowledge_base_and_is_swept_by_the_next(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    shutil.copytree(kb.folder, tmp_path / "kb" / ".deleted-old-1")
    engine = Engine(Settings(home=tmp_path), embedder=HashingEmbedder())
    assert engine.knowledge_bases() == ["default"]
    engine.delete_knowledge_base("default")
    assert list((tmp_path / "kb").iterdir()) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    _, err = footnote(tmp_path, "kb", "import", str(tmp_path / "nothing.zip"), status=2)
    assert "there is no file" in err


def test_an_export_that_cannot_be_written_leaves_no_part_of_a_file(kb: KnowledgeBase, tmp_path: Path) -> None:
    _, err = footnote(tmp_path, "kb", "export", "/proc/nothing.zip", status=1)
    assert "/proc/nothing.zip can't be written" in err


def test_a_knowledge_base_of_another_embedder_can_still_be_listed_verified_and_exported(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    sql(kb, "UPDATE meta SET value = 'bge' WHERE key = 'embedder'", "UPDATE vectors SET embedder = 'bge'")
    assert footnote_json(tmp_path, "kb", "list")["knowledge_bases"][0]["documents"] == 3
    archive = str(tmp_path / "kb.zip")
    assert footnote_json(tmp_path, "kb", "export", archive)["embedder"] == "bge"
    _, err = footnote(tmp_path, "kb", "import", archive, "--kb", "copy")
    assert "it was made with bge, settings say hashing; to search it set FOOTNOTE_EMBEDDER=bge" in err


def test_a_knowledge_base_restored_by_another_process_is_opened_anew(kb: KnowledgeBase, tmp_path: Path) -> None:
    assert "tram.md" in sources_found(tmp_path, "tram")
    with kb.writing():
        pass
    shutil.rmtree(kb.folder)
    with pytest.raises(KnowledgeBaseError, match="was deleted or replaced by another process"), kb.writing():
        pass
