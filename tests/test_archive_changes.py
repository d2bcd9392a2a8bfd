"""Archives among files that come, go and move: what a dry run says of their members, and what an ingest then does."""

import zipfile
from pathlib import Path

import pytest

from ingest.catalog_care import forget_chunking
from ingest.dense_index import DenseIndexConfig
from ingest.discover import Found
from ingest.export_kb import export_knowledge_base
from ingest.import_kb import import_knowledge_base
from ingest.inputs import Bundle, file_input
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, IngestReport, IngestStopped, Progress, ingest_paths, plan_paths
from ingest.plan import Move, Plan
from ingest.sources import gone_sources
from tests.hashing_embedder import HashingEmbedder


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeBase:
    return KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs"


def pack(path: Path, **texts: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in texts.items():
            archive.writestr(f"{name}.md", text)
    return path


def ingest(kb: KnowledgeBase, *paths: Path) -> IngestReport:
    return ingest_paths(kb, paths, IngestConfig(), base=paths[0].parent)


def plan(kb: KnowledgeBase, *paths: Path) -> Plan:
    return plan_paths(kb.catalog, paths, IngestConfig(), base=paths[0].parent)


def test_a_dry_run_names_the_members_that_would_change_and_opens_no_unchanged_archive(
    docs: Path, kb: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(docs / "x.zip", a="Adults pay.", b="Dogs travel.", c="Cats pay.")
    fresh = plan_paths(None, [docs], IngestConfig(), base=docs.parent)
    assert fresh.added == ("docs/x.zip!/a.md", "docs/x.zip!/b.md", "docs/x.zip!/c.md")
    ingest(kb, docs)
    with monkeypatch.context() as patch:
        patch.setattr("ingest.inputs.read_members", None)  # opening it would fail
        assert plan(kb, docs).unchanged == fresh.added
    pack(docs / "x.zip", a="Adults pay.", b="Dogs pay.", d="Boats sail.")
    revision = kb.catalog.revision
    planned = plan(kb, docs)
    assert kb.catalog.revision == revision
    assert (planned.added, planned.updated, planned.removed, planned.unchanged) == (
        ("docs/x.zip!/d.md",),
        ("docs/x.zip!/b.md",),
        ("docs/x.zip!/c.md",),
        ("docs/x.zip!/a.md",),
    )
    done = ingest(kb, docs)
    assert (done.added, done.updated, done.removed, done.unchanged) == (
        planned.added, planned.updated, planned.removed, planned.unchanged,
    )  # fmt: skip


def test_a_dry_run_reports_an_archive_that_cannot_be_opened_and_keeps_its_members(
    docs: Path, kb: KnowledgeBase
) -> None:
    pack(docs / "x.zip", a="Adults pay.")
    ingest(kb, docs)
    (docs / "x.zip").write_bytes(b"PK\x03\x04 cut off")
    planned = plan(kb, docs)
    assert [failure.source for failure in planned.failed] == ["docs/x.zip"] and planned.removed == ()


def test_the_members_of_a_renamed_archive_are_moved_and_embed_nothing(docs: Path, kb: KnowledgeBase) -> None:
    pack(docs / "x.zip", a="Adults pay.", b="Dogs travel.")
    ingest(kb, docs)
    (docs / "x.zip").rename(docs / "y.zip")
    moves = (Move("docs/x.zip!/a.md", "docs/y.zip!/a.md"), Move("docs/x.zip!/b.md", "docs/y.zip!/b.md"))
    assert plan(kb, docs).moved == moves
    report = ingest(kb, docs)
    assert (report.moved, report.added, report.removed, report.embedded) == (moves, (), (), 0)
    assert ingest(kb, docs).unchanged == ("docs/y.zip!/a.md", "docs/y.zip!/b.md")


def test_a_file_that_was_packed_moves_into_the_archive_and_one_that_stays_does_not(
    docs: Path, kb: KnowledgeBase
) -> None:
    for name in ("gone", "stays"):
        (docs / f"{name}.md").write_text(f"The {name} ferry.")
    ingest(kb, docs)
    (docs / "gone.md").unlink()
    pack(docs / "x.zip", gone="The gone ferry.", stays="The stays ferry.")
    planned = plan(kb, docs)
    report = ingest(kb, docs)
    for result in (planned, report):
        assert result.moved == (Move("docs/gone.md", "docs/x.zip!/gone.md"),)
        assert (result.added, result.removed, result.unchanged) == (
            ("docs/x.zip!/stays.md",), (), ("docs/stays.md",),
        )  # fmt: skip


def test_a_document_marked_to_be_taken_in_anew_is_read_from_its_unchanged_archive(
    docs: Path, kb: KnowledgeBase
) -> None:
    pack(docs / "x.zip", a="Adults pay.", b="Dogs travel.")
    ingest(kb, docs)
    with kb.writing():
        forget_chunking(kb.catalog, kb.catalog.documents()[0].id)
    assert plan(kb, docs).updated == ("docs/x.zip!/a.md",)
    assert ingest(kb, docs).updated == ("docs/x.zip!/a.md",)


def test_members_are_there_while_their_archive_is_and_pages_lie_in_no_folder(tmp_path: Path) -> None:
    found = Found(files=(tmp_path / "a.zip", tmp_path / "odd!" / "b.zip"), failures=(), skipped=())
    known = ["a.zip!/x.md", "a.zip!/in.tar!/x.md", "odd!/b.zip!/x.md", "gone.zip!/x.md", "http://e.org/!/x"]
    assert gone_sources(found, [tmp_path], tmp_path, known) == ["gone.zip!/x.md"]


def test_the_hash_of_an_archive_comes_from_who_remembers_hashes(tmp_path: Path) -> None:
    bundle = file_input(pack(tmp_path / "x.zip", a="Adults pay."), "x.zip", lambda path: f"hash of {path.name}")
    assert isinstance(bundle, Bundle) and bundle.version() == "hash of x.zip"


def test_an_archive_that_was_stopped_in_the_middle_is_left_to_do_and_taken_up_again(
    docs: Path, kb: KnowledgeBase
) -> None:
    (docs / "a.md").write_text("A ferry.")
    pack(docs / "x.zip", a="Adults pay.", b="Dogs travel.")

    def stop(progress: Progress) -> None:
        if progress.n_embedded == 2 and progress.source:  # the vectors of a.md and the first member are there
            raise KeyboardInterrupt

    config = IngestConfig(batch_chunks=2)
    with pytest.raises(IngestStopped) as stopped:
        ingest_paths(kb, [docs], config, base=docs.parent, on_progress=stop)
    assert stopped.value.report.n_left == 2 and stopped.value.report.added == ()
    report = ingest_paths(kb, [docs], config, base=docs.parent)
    assert report.added == ("docs/a.md", "docs/x.zip!/a.md", "docs/x.zip!/b.md") and report.n_left == 0


def test_the_names_of_headings_survive_export_and_import(tmp_path: Path, kb: KnowledgeBase) -> None:
    (tmp_path / "boat.py").write_text("class Boat:\n    def sail(self):\n        return 1\n")
    ingest(kb, tmp_path / "boat.py")
    export_knowledge_base(kb.folder, tmp_path / "boat.zip")
    import_knowledge_base(tmp_path / "boat.zip", tmp_path / "other", config=DenseIndexConfig())
    other = KnowledgeBase.open(tmp_path / "other", HashingEmbedder())
    [info] = kb.catalog.documents()
    assert other.catalog.document(info.id) == kb.catalog.document(info.id)
    assert "Boat.sail" in [block.name for block in other.catalog.document(info.id).blocks]
