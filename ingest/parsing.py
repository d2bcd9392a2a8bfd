"""Files in, documents out, read by processes beside this one. Knows nothing of chunks and knowledge bases.

The processes are started as programs of their own, so that it doesn't matter what this one is (a page, a script, a
process with threads), and speak JSON, so that what a hostile file makes of one of them can't reach this one.
"""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ingest.catalog_rows import document_of, read_pages_of, utterances_of
from ingest.document import Document
from ingest.errors import SourceError, UnheardError, WordlessError
from ingest.load_config import LoadConfig

_WORKER_BYTES = 1_500_000_000  # while it reads pictures (benchmarks/LOG.md, 2026-11-25)


class ParsingPool:
    """A few reading processes, each started when there is work for it. Close it, however it ends."""

    def __init__(
        self, n_workers: int, config: LoadConfig | None = None, *, module: str = "ingest.parse_worker"
    ) -> None:
        self._config = asdict(config or LoadConfig())
        self._module = module
        self._own = threading.local()
        self._started: list[subprocess.Popen[bytes]] = []
        self._closed = False
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(n_workers, thread_name_prefix="parsing")

    def submit(self, path: Path, source: str) -> "Future[Document]":
        """Have a file read. The result raises SourceError or OSError, as `load_document` does.

        A file that ends the process that reads it is a SourceError too.
        """
        return self._threads.submit(self._read, path, source)

    def close(self) -> None:
        """End the processes, at once, whatever they are doing."""
        with self._lock:
            self._closed = True
            for worker in self._started:
                worker.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._started:
            _reap(worker)

    def _read(self, path: Path, source: str) -> Document:
        worker = self._worker()
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            worker.stdin.write(json.dumps([str(path), source, self._config]).encode() + b"\n")
            worker.stdin.flush()
            line = worker.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line.endswith(b"\n"):
            self._own.worker = None
            raise SourceError(_ended(path, worker.wait()))
        return _document(json.loads(line.decode("utf-8", "surrogatepass")))

    def _worker(self) -> "subprocess.Popen[bytes]":
        """Give this thread's process, starting it when there is none, or none any more."""
        worker: subprocess.Popen[bytes] | None = getattr(self._own, "worker", None)
        if worker is None or worker.poll() is not None:
            with self._lock:
                if self._closed:
                    raise SourceError("the ingest was stopped")
                worker = self._own.worker = _start(self._module)
                self._started.append(worker)
        return worker


def n_parse_workers() -> int:
    """Give as many processes as there are cores but one, which is for the rest of an ingest; at most 8.

    Each may take `_WORKER_BYTES`, and half of the memory is theirs.
    """
    return max(min(_n_cores() - 1, _memory_bytes() // 2 // _WORKER_BYTES, 8), 1)


def _n_cores() -> int:
    """Count the cores that this process may use: in a container fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_bytes() -> int:
    """Give the memory that this process may use: the machine's, or the container's if that is less."""
    if not hasattr(os, "sysconf"):
        return 8 * _WORKER_BYTES  # Windows doesn't say
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    said = limit.read_text().strip() if limit.is_file() else ""
    return min(machine, int(said)) if said.isdecimal() else machine


def _start(module: str) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).resolve().parents[1])  # where this code is, installed or not
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],  # -P: no file of the folder that the user stands in is run
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )


def _reap(worker: "subprocess.Popen[bytes]") -> None:
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:  # what it never read
                continue


def _ended(path: Path, status: int) -> str:
    how = f"by signal {-status}" if status < 0 else f"with status {status}"
    return f"{path.name} ended the process that read it ({how}); it is damaged or too large, save it anew and add that."


def _document(answer: Any) -> Document:  # the JSON of a worker
    if "wordless" in answer:
        raise WordlessError(answer["wordless"])
    if "unheard" in answer:
        raise UnheardError(answer["unheard"])
    if "refused" in answer:
        raise SourceError(answer["refused"])
    if "unreadable" in answer:
        raise OSError(*answer["unreadable"])
    read_pages, utterances = (json.loads(column) for column in answer["places"])
    return replace(
        document_of(answer["document"]), read_pages=read_pages_of(read_pages), utterances=utterances_of(utterances)
    )
