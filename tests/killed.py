"""Runs an ingest, an update or a delete in a child that dies by SIGKILL at a chosen step or moment, and looks at what
is left. `python -m tests.killed` reads one JSON task a line and answers each with one line.

Steps are counted from outside the code under test: Python's audit events for files and directories, and SQLite's own
trace, which fires before each statement runs (COMMIT among them); or, with `disk_steps.c` loaded before libc, the calls
that change the disk, inside SQLite's commits and tantivy's too. The process imports everything once and forks for
each task, so that a kill costs milliseconds.
"""

import ctypes
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ingest.chunk import ChunkingConfig
from ingest.dense_index import DenseIndexConfig
from ingest.errors import KnowledgeBaseError
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, ingest_paths
from ingest.verify import catalog_problems
from retrieval.search import SearchConfig, search
from tests.hashing_embedder import HashingEmbedder

# `edited.md` is a large document here, which goes in piece by piece.
CONFIG = IngestConfig(chunking=ChunkingConfig(size_tokens=30, min_tokens=5), batch_chunks=2, large_characters=200)
QUESTIONS = ("When does the ferry leave?", "渡船几点开？", "lighthouse keeper", "boat number 3")
# With EXTENDS set, an index is extended by every change, however small it is; else it is built anew.
_INDEX = DenseIndexConfig(extend_from=1, changed_share=100.0) if os.environ.get("EXTENDS") else DenseIndexConfig()
_DIRECTORY_EVENTS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"})


def write_documents(folder: Path, *, updated: bool) -> None:
    """Make the folder of documents before an update, or turn it into what it is afterwards."""
    folder.mkdir(exist_ok=True)
    texts = {
        "kept.md": "# Kept\n\nThe ferry leaves at nine. 渡船九点开。\n",
        "edited.md": "# Edited\n\n"
        + "\n\n".join(f"Boat number {i} has a crew of {i} and a green hull." for i in range(6)),
        "moved.md": "# Moved\n\nThe lighthouse keeper has two dogs and a boat.\n",
        "gone.md": "# Gone\n\nThe harbour master sleeps at noon.\n",
    }
    if updated:
        (folder / "moved.md").rename(folder / "elsewhere.md")
        (folder / "gone.md").unlink()
        texts = {
            "edited.md": texts["edited.md"].replace("green hull", "red hull", 3),
            "new.md": "# New\n\nA tram runs to the ferry.\n",
        }
    for name, text in texts.items():
        (folder / name).write_text(text)


def open_kb(home: Path) -> KnowledgeBase:
    """Open the knowledge base below `home`, making it when it isn't there."""
    return KnowledgeBase.open(home / "kb", HashingEmbedder(), create=True, config=_INDEX)


def ingest(home: Path) -> None:
    """Bring the knowledge base below `home` in step with its documents."""
    kb = open_kb(home)
    ingest_paths(kb, [home / "documents"], CONFIG, base=home)
    kb.close()


def delete(home: Path) -> None:
    """Remove one document as the page and the command line do; the second time it is gone already."""
    kb = open_kb(home)
    with kb.writing():
        for info in kb.catalog.documents():
            if info.source == "documents/kept.md":
                kb.remove(info.id)
        kb.refresh()
    kb.close()


_OPERATIONS: dict[str, Callable[[Path], None]] = {"ingest": ingest, "update": ingest, "delete": delete}


def state(home: Path) -> dict[str, Any]:  # JSON
    """Say what a reader finds: documents, what is wrong with them, and what the questions find."""
    try:
        kb = KnowledgeBase.open(home / "kb", HashingEmbedder(), config=_INDEX)
    except KnowledgeBaseError as error:
        return {"documents": {}, "problems": [], "hits": [], "unmade": str(error)}
    found = {
        "documents": {info.source: info.content_hash for info in kb.catalog.documents()},
        "problems": list(catalog_problems(kb.catalog)),
        "hits": hits(kb),
        "digest": kb.generation().manifest.digest,
        "extended": kb.generation().manifest.n_base < kb.generation().manifest.n_rows
        or kb.generation().live is not None,
    }
    kb.close()
    return found


def hits(kb: KnowledgeBase) -> list[list[tuple[str, str, float]]]:
    """Give source, text and score of every hit of every question."""
    return [
        [(hit.source, hit.chunk.text, round(hit.score, 5)) for hit in search(kb, question, SearchConfig()).hits]
        for question in QUESTIONS
    ]


def resumed(home: Path, operation: str) -> dict[str, Any]:  # JSON
    """Do the operation once more, to the end, and say what is there then; now nothing at all may be wrong."""
    _OPERATIONS[operation](home)
    kb = open_kb(home)
    problems = kb.problems()
    kb.close()
    return state(home) | {"problems": problems}


class _Steps:
    """Counts durable steps, and kills this process just before number `last`."""

    def __init__(self, folder: Path, last: int | None) -> None:
        self._folder = str(folder)
        self._last = last
        self.n = 0

    def watch(self) -> None:
        sys.addaudithook(self._hook)
        connect = sqlite3.connect

        def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:  # sqlite3.connect's own
            connection = connect(*arguments, **options)
            connection.set_trace_callback(self._statement)
            return connection

        sqlite3.connect = traced  # in this child alone, which ends with its task

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:  # what Python's audit events carry
        if event in _DIRECTORY_EVENTS or (event == "open" and str(arguments[0]).startswith(self._folder)):
            self._step()

    def _statement(self, sql: str) -> None:
        if not sql.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            self._step()

    def _step(self) -> None:
        self.n += 1
        if self.n == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def _in_child(work: Callable[[], Any], *, after_seconds: float | None = None) -> tuple[int, Any]:
    """Run `work` in a fork, killing it after a while if asked to; give its exit status and its JSON answer."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        with os.fdopen(write_end, "w") as answer:
            json.dump(work(), answer)
        os._exit(0)
    os.close(write_end)
    if after_seconds is not None:
        time.sleep(after_seconds)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(read_end) as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(text) if text else None


def _counted(home: Path, operation: str, last: int | None, *, calls: bool = False) -> int:
    if calls:
        library = ctypes.CDLL(os.environ["LD_PRELOAD"])
        library.arm(last or 0)
        _OPERATIONS[operation](home)
        return int(library.steps())
    steps = _Steps(home / "kb", last)
    steps.watch()
    _OPERATIONS[operation](home)
    return steps.n


def _prepare(template: Path, home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template, home)


def run_task(task: dict[str, Any]) -> dict[str, Any]:  # JSON in, JSON out
    """Kill `operation` on a copy of `template` at step `step` or after `fraction` of `seconds`; look, resume, look."""
    template, home, operation = Path(task["template"]), Path(task["home"]), str(task["operation"])
    _prepare(template, home)
    if task.get("fraction") is None:
        status, steps = _in_child(lambda: _counted(home, operation, task.get("step"), calls=task.get("calls", False)))
    else:
        status, steps = _in_child(
            lambda: _counted(home, operation, None), after_seconds=task["fraction"] * task["seconds"]
        )
    left_status, left = _in_child(lambda: state(home))
    again_status, again = _in_child(lambda: resumed(home, operation))
    statuses = {"status": status, "left_status": left_status, "again_status": again_status}
    return {"task": task, "steps": steps, "left": left, "again": again} | statuses


if __name__ == "__main__":
    # What loads late (the Chinese dictionary, the stemmer, parts of numpy) is loaded once, before the first fork.
    HashingEmbedder().embed_query("渡船 ferries")
    np.unique(np.array(["en"]))
    for line in sys.stdin:
        print(json.dumps(run_task(json.loads(line))), flush=True)  # noqa: T201
