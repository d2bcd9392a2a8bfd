"""A parser that hangs or crashes is ended with its own process: its file fails with what to do, the others go in."""

import os
import select
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from app.commands.ingest import progress_words
from app.settings import load_settings
from ingest.catalog import Catalog
from ingest.chunk import ChunkingConfig
from ingest.discover import Failure
from ingest.errors import LateError, SourceError
from ingest.knowledge_base import KnowledgeBase
from ingest.parsing import ParsingPool
from ingest.pipeline import IngestConfig, IngestReport, Progress, ingest_paths, plan_paths
from ingest.raw_file import RawFile
from ingest.step import Step
from tests.hashing_embedder import HashingEmbedder

ROOT = Path(__file__).parents[1]
CHUNKING = ChunkingConfig(size_tokens=30, min_tokens=5)
CONFIG = IngestConfig(chunking=CHUNKING, parse_workers=1, file_timeout_seconds=1.5)
HTML = "<html><body><h1>{0}</h1><p>The {0} boat sails.</p></body></html>"
KILLED = (
    "killer.html ended the process that read it (by signal 9); it is damaged or too large, save it anew and add that."
)
LATE = (
    "{} was stopped: nothing more of it was read in 1.5 s{}; it is damaged or slow to read:"
    " save it anew, or give it more time with --file-timeout."
)


@pytest.fixture(autouse=True)
def dying_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have files read by a process that ends or hangs on those whose names say so."""
    monkeypatch.setattr("ingest.parsing._MODULE", "tests.dying_worker")


def take_in(path: Path, home: Path, config: IngestConfig = CONFIG) -> IngestReport:
    kb = KnowledgeBase.open(home, HashingEmbedder(), create=True)
    try:
        return ingest_paths(kb, [path], config, base=path)
    finally:
        kb.close()


def write(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text(HTML.format(name.partition(".")[0]))
    return folder


def test_in_a_folder_a_parser_that_hangs_and_one_that_crashes_hurt_nobody(tmp_path: Path) -> None:
    folder = write(tmp_path / "f", "a.html", "hanging.html", "killer.html", "z.html")
    (folder / "note.md").write_text("# Note\n\nThe tide is high.\n")

    report = take_in(folder, tmp_path / "kb")

    assert report.added == ("a.html", "note.md", "z.html")
    assert report.failed == (
        Failure("hanging.html", LATE.format("hanging.html", "")),
        Failure("killer.html", KILLED),
    )


def test_in_an_archive_too_and_the_message_says_how_far_the_file_was_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "f")
    with ZipFile(folder / "all.zip", "w") as archive:
        for name in ("killer.html", "slow.html", "z.html"):
            archive.writestr(name, HTML.format(name))

    report = take_in(folder, tmp_path / "kb")

    assert report.added == ("all.zip!/z.html",)
    assert report.failed == (
        Failure("all.zip!/killer.html", KILLED),
        Failure("all.zip!/slow.html", LATE.format("slow.html", " (last: page 12 of 300)")),
    )


def test_what_hides_behind_the_name_of_a_text_is_read_by_a_process_too(tmp_path: Path) -> None:
    page = RawFile("killer.txt", "killer.txt", data=b"%PDF-1.7 ...")

    assert not page.is_safe
    assert not RawFile("a.md.gz", "a.md.gz", data=b"\x1f\x8b").is_safe
    assert RawFile("a.md", "a.md", data=b"# A boat").is_safe
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "killer.txt").write_bytes(page.data)
    assert take_in(tmp_path / "f", tmp_path / "kb").failed == (Failure("killer.txt", KILLED.replace(".html", ".txt")),)


def test_how_far_a_file_is_read_is_told_while_it_is_read(tmp_path: Path) -> None:
    told: list[Progress] = []
    kb = KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True)

    ingest_paths(kb, [write(tmp_path / "f", "slow.html")], CONFIG, base=tmp_path, on_progress=told.append)
    kb.close()

    assert {str(progress.step) for progress in told if progress.step} == {"page 12 of 300"}


def test_a_file_that_gets_on_is_given_more_time_than_one_that_does_not(tmp_path: Path) -> None:
    write(tmp_path / "f", "steady.html", "hanging.html")
    pool = ParsingPool(1, timeout_seconds=1.0)
    try:
        steady, hanging = (
            pool.submit(RawFile(name, name, tmp_path / "f" / name)) for name in ("steady.html", "hanging.html")
        )
        assert steady.result().title == "steady"  # 6 steps, each after .3 s
        with pytest.raises(LateError, match=r"^hanging.html was stopped"):
            hanging.result()
    finally:
        pool.close()


def test_a_file_is_not_blamed_for_what_one_before_it_did_to_the_process(tmp_path: Path) -> None:
    write(tmp_path / "f", "poison.html", "b.html")
    pool = ParsingPool(1)
    try:
        read = [pool.submit(RawFile(name, name, tmp_path / "f" / name)) for name in ("poison.html", "b.html")]
        assert [reading.result().title for reading in read] == ["poison", "b"]
    finally:
        pool.close()


def test_a_file_that_was_stopped_is_tried_again_once_it_changes_or_is_given_more_time(tmp_path: Path) -> None:
    folder = write(tmp_path / "f", "slow.html")
    late = Failure("slow.html", LATE.format("slow.html", " (last: page 12 of 300)"))
    assert take_in(folder, tmp_path / "kb").failed == (late,)
    catalog = Catalog(tmp_path / "kb" / "catalog.sqlite", create=False)
    never = replace(CONFIG, parse_workers=0)  # this process would read it, which doesn't die

    assert take_in(folder, tmp_path / "kb", never).failed == (late,)
    assert plan_paths(catalog, [folder], never, base=folder).failed == (late,)
    more_time = replace(never, file_timeout_seconds=2.0)
    assert plan_paths(catalog, [folder], more_time, base=folder).added == ("slow.html",)
    catalog.close()
    assert take_in(folder, tmp_path / "kb", more_time).added == ("slow.html",)
    assert take_in(folder, tmp_path / "kb", never).unchanged == ("slow.html",)


def test_with_no_limit_a_file_may_take_for_ever(tmp_path: Path) -> None:
    write(tmp_path / "f", "steady.html")
    pool = ParsingPool(1, timeout_seconds=0)
    try:
        assert pool.submit(RawFile("steady.html", "s", tmp_path / "f" / "steady.html")).result().title == "steady"
    finally:
        pool.close()


def test_what_a_stopped_process_left_in_the_folder_for_temporary_files_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    pool = ParsingPool(1, timeout_seconds=1.0)
    try:
        with pytest.raises(SourceError, match=r"^littering.html was stopped"):
            pool.submit(RawFile("littering.html", "l", data=b"<p>words</p>")).result()
        assert [path.name for path in scratch.rglob("litter")] == ["litter"]
    finally:
        pool.close()
    assert list(scratch.iterdir()) == []


HANGING = """
import sys
from pathlib import Path
import ingest.parsing
from ingest.parsing import ParsingPool
from ingest.raw_file import RawFile

ingest.parsing._MODULE = "tests.dying_worker"
pool = ParsingPool(1)
reading = pool.submit(RawFile("slow.html", "slow.html", data=b"<p>words</p>"))
reading.result(lambda step: print(pool._started[0].process.pid, flush=True))
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux ends a process with the one that started it")
def test_a_parser_that_hangs_ends_with_an_ingest_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE, cwd=ROOT, text=True) as ingest:
        assert ingest.stdout is not None
        parser = os.pidfd_open(int(ingest.stdout.readline()))
        ingest.kill()
    try:
        assert select.select([parser], [], [], 30)[0] == [parser]  # readable once it has ended
    finally:
        os.close(parser)


def test_the_time_a_file_may_take_is_a_setting(tmp_path: Path) -> None:
    def seconds(value: str) -> float:
        settings = load_settings({"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_FILE_TIMEOUT": value})
        return settings.ingest.file_timeout_seconds

    assert (seconds(""), seconds("7"), seconds("0")) == (120.0, 7.0, 0.0)


def test_the_progress_line_says_how_far_a_file_is_read() -> None:
    progress = Progress(2, 5, 90, "/home/a/scan.pdf", bytes_done=10, bytes_total=40, step=Step("scanned page", 3, 40))

    assert progress_words(progress, 30.0) == "2/5 files, 3 passages/s scanned page 3 of 40, scan.pdf"
