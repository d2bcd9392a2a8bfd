"""`footnote ingest` through the command line: in step with folders, dry runs, rules, moves, interrupts."""

import os
import signal
from pathlib import Path

import pytest

from app.commands.ingest import progress_words
from ingest.discover import Found
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, Progress, ingest_paths
from ingest.sources import gone_sources
from tests.footnote_process import ended, footnote, footnote_json, many_paragraphs, sources_found, start
from tests.hashing_embedder import HashingEmbedder


def write(path: Path, text: str = "The ferry leaves at nine.") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(entries: list[dict[str, str]]) -> list[str]:
    return [Path(entry["source"]).name for entry in entries]


def test_a_dry_run_says_what_would_happen_and_changes_nothing(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for name in ("same", "edited", "gone", "moved"):
        write(docs / f"{name}.md", f"# {name}\n\nThe {name} ferry leaves at nine.")
    planned = footnote_json(tmp_path, "ingest", str(docs), "--dry-run")
    assert (len(planned["added"]), planned["dry_run"]) == (4, True)
    assert not (tmp_path / "kb").exists()
    footnote(tmp_path, "ingest", str(docs))
    before = {path: path.read_bytes() for path in (tmp_path / "kb").rglob("*") if path.is_file()}
    write(docs / "edited.md", "Another ferry leaves at ten.")
    (docs / "gone.md").unlink()
    (docs / "moved.md").rename(docs / "away.md")
    write(docs / "new.md", "A tram.")
    planned = footnote_json(tmp_path, "ingest", str(docs), "--dry-run")
    assert {key: planned[key] for key in ("added", "updated", "moved", "removed", "unchanged", "failed")} == {
        "added": [f"{docs}/new.md"],
        "updated": [f"{docs}/edited.md"],
        "moved": [{"from": f"{docs}/moved.md", "to": f"{docs}/away.md"}],
        "removed": [f"{docs}/gone.md"],
        "unchanged": [f"{docs}/same.md"],
        "failed": [],
    }
    assert {path: path.read_bytes() for path in (tmp_path / "kb").rglob("*") if path.is_file()} == before
    shown, _ = footnote(tmp_path, "ingest", str(docs), "--dry-run")
    assert f"would move: {docs}/moved.md -> {docs}/away.md\n" in shown
    assert shown.endswith("1 unchanged. Nothing was changed: this was a dry run\n")
    done = footnote_json(tmp_path, "ingest", str(docs))
    assert {key: done[key] for key in ("added", "updated", "removed", "unchanged", "embedded")} == {
        "added": 1,
        "updated": 1,
        "removed": 1,
        "unchanged": 1,
        "embedded": 2,
    }
    assert done["moved"] == planned["moved"]


def test_what_the_rules_leave_out_is_listed_with_its_reason_and_leaves_the_answers(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    write(docs / "keep.md", "The ferry leaves at nine.")
    write(docs / "drafts" / "a.md", "The ferry is a draft.")
    write(docs / ".hidden.md", "Another ferry, hidden.")
    write(docs / "large.txt", "ferry " * 1000)
    assert len(footnote_json(tmp_path, "ingest", str(docs))["ignored"]) == 1
    assert set(sources_found(tmp_path, "ferry")) == {"keep.md", "a.md", "large.txt"}
    write(docs / ".footnoteignore", "drafts/\n*.log.md\n!.hidden.md\n")
    write(docs / "x.log.md")
    shown = footnote_json(tmp_path, "ingest", str(docs), "--max-bytes", "1000")
    reasons = {Path(entry["source"]).name: entry["reason"] for entry in shown["ignored"]}
    assert reasons == {
        "drafts": "drafts is ignored by docs/.footnoteignore",
        "x.log.md": "x.log.md is ignored by docs/.footnoteignore",
        "large.txt": "large.txt has 6,000 bytes, more than --max-bytes 1,000",
    }
    assert (shown["added"], shown["removed"]) == (1, 2)
    assert set(sources_found(tmp_path, "ferry")) == {"keep.md", ".hidden.md"}


def test_rules_that_cannot_be_read_keep_their_folder_out_and_what_was_in_in(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    write(docs / "inner" / "a.md")
    footnote(tmp_path, "ingest", str(docs))
    (docs / "inner" / ".footnoteignore").write_bytes(b"\xff\xfe\x00private")
    write(docs / "inner" / "private.md", "A secret ferry.")
    shown = footnote_json(tmp_path, "ingest", str(docs), status=1)
    assert (shown["added"], shown["removed"]) == (0, 0)
    assert "inner is left alone: its .footnoteignore can't be read" in shown["failed"][0]["reason"]
    assert sources_found(tmp_path, "ferry") == ["a.md"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_ingest_says_what_was_kept_and_how_to_go_on(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    docs = tmp_path / "docs"
    write(docs / "a.md", many_paragraphs("apple"))
    write(docs / "b.md", many_paragraphs("berry"))
    (tmp_path / "gates").mkdir()
    os.mkfifo(tmp_path / "gates" / "2")  # a.md is one large batch and a small rest
    process = start(tmp_path, "ingest", str(docs), gates=tmp_path / "gates")
    with (tmp_path / "gates" / "2").open("w"):  # a.md is in, b.md waits
        os.kill(process.pid, number)
        _, err = ended(process, status=status)
    assert err == (
        "Stopped. 1 changes are kept and can be searched, 0 files were up to date, 1 are still to do; go on with:"
        f" footnote ingest {docs}\n"
    )
    assert sources_found(tmp_path, "apple5") == ["a.md"]
    assert footnote_json(tmp_path, "kb", "verify")["ok"]
    done = footnote_json(tmp_path, "ingest", str(docs))
    assert (done["added"], done["unchanged"]) == (1, 1)


def test_a_rebuild_with_another_embedder_that_was_killed_is_taken_up_again(tmp_path: Path) -> None:
    """The new embedder is noted before its first vector: the documents it hasn't reached must not count as done."""
    docs = tmp_path / "docs"
    write(docs / "a.md")
    ingest_paths(KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True), [docs], IngestConfig())
    KnowledgeBase.open(tmp_path / "kb", HashingEmbedder("other", 32), rebuild=True).close()  # and killed here
    other = KnowledgeBase.open(tmp_path / "kb", HashingEmbedder("other", 32))
    report = ingest_paths(other, [docs], IngestConfig())
    assert (len(report.updated), report.embedded) == (1, 1)
    assert other.problems() == []


def test_a_folder_that_cannot_be_listed_keeps_its_documents(tmp_path: Path) -> None:
    found = Found(files=(tmp_path / "a.md",), failures=(), skipped=(), unlisted=(tmp_path / "closed",))
    known = ["a.md", "b.md", "closed/c.md"]
    assert gone_sources(found, [tmp_path], tmp_path, known) == ["b.md"]


def test_dry_run_and_watch_together_are_wrong_use(tmp_path: Path) -> None:
    _, err = footnote(tmp_path, "ingest", str(tmp_path), "--dry-run", "--watch", status=2)
    assert "--dry-run changes nothing" in err


def test_progress_says_files_and_passages_a_second() -> None:
    progress = Progress(2, 5, 90, "/home/a/handbook.md", bytes_done=10, bytes_total=40)

    assert progress_words(progress, 30.0) == "2/5 files, 3 passages/s handbook.md"
    assert progress_words(progress, 0.0) == "2/5 files, 0 passages/s handbook.md"
