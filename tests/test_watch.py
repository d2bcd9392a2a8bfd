"""Following folders: with scripted looks, and with a real process on real folders."""

import json
import os
import selectors
import signal
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.watch import WatchConfig, follow, unsettled
from ingest.catalog import Catalog
from tests.footnote_process import ended, footnote_json, sources_found, start

QUICK = WatchConfig(settle_seconds=0.01, patience_looks=3, rescan_seconds=0.01)


class Enough(Exception):
    """Ends a watch that would go on."""


def followed(
    folder: Path, changes: list[Callable[[], object]], *, works: Callable[[int], bool] = lambda n: True
) -> int:
    """Follow a folder, making one change at each wait; give how often it was taken in."""
    waiting = iter(changes)
    n_synced = 0

    def sync(unfinished: frozenset[Path]) -> bool:
        nonlocal n_synced
        n_synced += 1
        return works(n_synced)

    def wait(seconds: float) -> None:
        change = next(waiting, None)
        if change is None:
            raise Enough
        change()

    with pytest.raises(Enough):
        follow([folder], sync, QUICK, wait=wait)
    return n_synced


def nothing() -> None:
    pass


def test_only_a_change_is_taken_in_not_every_look(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("one")
    assert followed(tmp_path, [nothing, nothing]) == 1
    assert followed(tmp_path, [lambda: file.write_text("three"), nothing, file.unlink, nothing]) == 3


def test_what_could_not_be_taken_in_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("one")
    assert followed(tmp_path, [nothing, nothing, nothing], works=lambda n: n > 2) == 3


def test_a_change_of_the_rules_is_a_change(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("one")
    (tmp_path / "b.md").write_text("two")
    assert followed(tmp_path, [lambda: (tmp_path / ".footnoteignore").write_text("b.md\n"), nothing]) == 2


def test_a_file_that_grows_between_two_looks_is_unsettled() -> None:
    a, b, c = Path("a"), Path("b"), Path("c")
    before = {a: (1, 0, 0, 1), b: (2, 0, 0, 2)}
    assert unsettled(before, {a: (1, 0, 0, 1), b: (3, 9, 9, 2), c: (1, 0, 0, 3)}) == {b, c}


class Watched:
    """A `footnote ingest --watch` at work on a folder."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.process: subprocess.Popen[str] = start(
            home, "ingest", str(folder), "--watch", "--settle-seconds", "0.1", "--json"
        )
        self._ready = selectors.DefaultSelector()
        assert self.process.stdout is not None
        self._ready.register(self.process.stdout, selectors.EVENT_READ)

    def next_report(self) -> dict[str, Any]:
        """Give the next line it prints; fail after a minute."""
        assert self.process.stdout is not None
        assert self._ready.select(timeout=60), "no report for a minute"
        report: dict[str, Any] = json.loads(self.process.stdout.readline())
        return report

    def changed(self) -> dict[str, Any]:
        """Give the next report's counts that aren't 0."""
        report = self.next_report()
        kinds = {"added", "updated", "removed", "moved", "failed", "embedded"}
        return {key: value for key, value in report.items() if key in kinds and value}


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "ferry.md").write_text("# Ferry\n\nThe ferry leaves at nine.")
    watched = Watched(tmp_path, folder)
    yield watched
    watched.process.kill()
    watched.process.communicate()


def test_a_followed_folder_and_its_answers_stay_in_step_until_ctrl_c(tmp_path: Path, watched: Watched) -> None:
    docs = tmp_path / "docs"
    assert watched.changed() == {"added": 1, "embedded": 1}
    (docs / "tram.md").write_text("# Tram\n\nThe tram leaves at ten.")
    assert watched.changed() == {"added": 1, "embedded": 1}
    assert set(sources_found(tmp_path, "What leaves?")) == {"ferry.md", "tram.md"}
    (docs / "tram.md").rename(docs / "train.md")
    assert watched.changed() == {"moved": [{"from": f"{docs}/tram.md", "to": f"{docs}/train.md"}]}
    (docs / "train.md").write_text("# Train\n\nThe train leaves at eleven.")
    assert watched.changed() == {"updated": 1, "embedded": 1}
    (docs / "ferry.md").unlink()
    assert watched.changed() == {"removed": 1}
    assert sources_found(tmp_path, "What leaves?") == ["train.md"]
    os.kill(watched.process.pid, signal.SIGINT)
    _, err = ended(watched.process)
    assert err.endswith("Stopped following; everything that came to rest is in\n")
    assert footnote_json(tmp_path, "kb", "verify")["ok"]


def test_an_archive_is_followed_like_a_file(tmp_path: Path, watched: Watched) -> None:
    watched.changed()
    archive = tmp_path / "docs" / "x.zip"
    for texts, change in (
        ({"a": "A tram.", "b": "A train."}, {"added": 2, "embedded": 2}),
        ({"a": "A tram.", "c": "A boat."}, {"added": 1, "removed": 1, "embedded": 1}),
    ):
        with zipfile.ZipFile(archive, "w") as file:
            for name, text in texts.items():
                file.writestr(f"{name}.md", text)
        assert watched.changed() == change
    archive.unlink()
    assert watched.changed() == {"removed": 2}


def test_a_file_is_taken_in_when_its_writing_rests_and_never_by_halves(tmp_path: Path, watched: Watched) -> None:
    """Written piece by piece, each within the time to settle, it comes in once and whole, or grows by whole reports."""
    watched.changed()
    with (tmp_path / "docs" / "slow.md").open("w") as file:
        for i in range(2000):
            file.write(f"# Boat {i}\n\nBoat number {i} has a crew.\n\n")
            file.flush()
    report = watched.next_report()
    while footnote_json(tmp_path, "kb", "verify")["ok"] and "Boat number 1999" not in _text(tmp_path, "slow.md"):
        report = watched.next_report()
    assert report["failed"] == []


def test_a_watch_that_finds_another_writer_waits_and_goes_on(tmp_path: Path, watched: Watched) -> None:
    watched.changed()
    (tmp_path / "other.md").write_text("# Other\n\nAnother boat.")
    footnote_json(tmp_path, "ingest", str(tmp_path / "other.md"))
    (tmp_path / "docs" / "tram.md").write_text("# Tram\n\nThe tram leaves at ten.")
    assert watched.changed() == {"added": 1, "embedded": 1}
    assert footnote_json(tmp_path, "kb", "show")["documents"] == 3


def _text(home: Path, name: str) -> str:
    catalog = Catalog(home / "kb" / "default" / "catalog.sqlite", create=False)
    try:
        (info,) = [info for info in catalog.documents() if info.source.endswith(name)]
        return catalog.document(info.id).text
    finally:
        catalog.close()
