"""Files in, documents out, read by processes beside this one. Knows nothing of chunks and knowledge bases.

What a hostile file makes of such a process can't reach this one.
"""

import json
import os
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ingest.catalog_rows import document_of, read_pages_of, utterances_of
from ingest.cores import n_cores
from ingest.deadline import Deadline
from ingest.document import Document
from ingest.errors import LateError, SourceError, UnheardError, UnseenError, WordlessError
from ingest.load_config import LoadConfig
from ingest.parts import ALL_PARTS, part_name
from ingest.raw_file import RawFile
from ingest.step import OnStep, Step, unsaid
from ingest.worker_process import EndedError, WorkerProcess, how_ended

_MODULE = "ingest.parse_worker"
_WORKER_BYTES = 1_100_000_000  # while it reads pictures (benchmarks/LOG.md, 2026-11-25)
# glibc gives what is larger back to the system at once: 160 MB less while it reads pictures.
_MMAP_BYTES = "1000000"
_MB_PER_TIMEOUT = 30
_SAY_SECONDS = 0.5
_MOST_BAD_PARTS = 3  # of one mail; each may take as long as a file may
_START_SECONDS = 60.0  # a quarter, on a machine that does nothing else


class Reading:
    """A file that a reading process reads, or will."""

    def __init__(self) -> None:
        self.step: Step | None = None
        self.part = ""  # the key of the attachment that is being read
        self.future: Future[Document] = Future()

    def result(self, on_step: OnStep = unsaid) -> Document:
        """Wait for the document, telling now and then how far it is read. Raises as `load_document` does.

        A file that ends the process that reads it is a SourceError, one that keeps it too long a LateError. Of a mail
        with an attachment that does either, that attachment alone is left out.
        """
        while not wait([self.future], _SAY_SECONDS).done:
            if self.step is not None:
                on_step(self.step)
        return self.future.result()


class ParsingPool:
    """A few reading processes, each started when there is work for it. Close it, however it ends.

    A process is ended when it says nothing of a file for `timeout_seconds`, and as long again for each 30 MB of it; 0
    lets it read for ever.
    """

    def __init__(self, n_workers: int, config: LoadConfig | None = None, *, timeout_seconds: float = 0.0) -> None:
        self._config = asdict(config or LoadConfig())
        self._timeout_seconds = timeout_seconds
        self._own = threading.local()
        self._started: list[WorkerProcess] = []
        self._closed = False
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(n_workers, thread_name_prefix="parsing")
        self._scratch = tempfile.TemporaryDirectory(prefix="footnote-")  # what a process that is ended leaves goes too

    def submit(self, raw: RawFile) -> Reading:
        """Have a file read."""
        reading = Reading()
        reading.future = self._threads.submit(self._read, raw, reading)
        return reading

    def close(self) -> None:
        """End the processes, at once, whatever they are doing."""
        with self._lock:
            self._closed = True
            for worker in self._started:
                worker.process.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._started:
            worker.reap()
        self._scratch.cleanup()

    def _read(self, raw: RawFile, reading: Reading) -> Document:
        while True:
            worker = self._worker()
            reading.part = ""
            try:
                return self._asked(worker, raw, reading)
            except EndedError as ended:
                self._own.worker = None
                status = worker.process.wait()
                if worker.n_done:  # something before may be what it died of: once more, in a new one
                    continue
                if not reading.part:
                    raise SourceError(_ended(raw.name, status)) from ended
                raw = _without_part(raw, reading.part, _ended(part_name(reading.part), status))
            except LateError as late:
                if not reading.part:
                    raise
                raw = _without_part(raw, reading.part, str(late))

    def _asked(self, worker: WorkerProcess, raw: RawFile, reading: Reading) -> Document:
        seconds = self._timeout_seconds * (1 + raw.size_bytes / 1e6 / _MB_PER_TIMEOUT)
        deadline = Deadline(worker.process, max(seconds, _START_SECONDS) if seconds else 0)
        try:
            with deadline:
                worker.ask(_question(raw, self._config), raw.data)
                worker.answer()  # it has begun
                deadline.restart(seconds)
                while "step" in (answer := worker.answer()):
                    reading.step = Step(*answer["step"])
                    reading.part = reading.part if reading.step.part is None else reading.step.part
                    deadline.restart()
                text = worker.data(answer.get("n_bytes", 0)).decode("utf-8", "surrogatepass")
        except EndedError as ended:
            if deadline.has_passed:
                name = part_name(reading.part) or raw.name
                raise LateError(_late(name, seconds, reading.step)) from ended
            raise
        finally:
            if deadline.has_passed:
                self._own.worker = None
        worker.n_done += 1
        return _document(answer, text)

    def _worker(self) -> WorkerProcess:
        """Give this thread's process, starting it when there is none, or none any more."""
        worker: WorkerProcess | None = getattr(self._own, "worker", None)
        if worker is None or worker.process.poll() is not None:
            with self._lock:
                if self._closed:
                    raise SourceError("the ingest was stopped")
                scratch = self._scratch.name
                worker = WorkerProcess(_MODULE, TMPDIR=scratch, TEMP=scratch, MALLOC_MMAP_THRESHOLD_=_MMAP_BYTES)
                self._own.worker = worker
                self._started.append(worker)
        return worker


def n_parse_workers() -> int:
    """Give as many processes as there are cores but one, which is for the rest of an ingest; at most 8.

    Each may take `_WORKER_BYTES`, and half of the memory is theirs.
    """
    return max(min(n_cores() - 1, _memory_bytes() // 2 // _WORKER_BYTES, 8), 1)


def _memory_bytes() -> int:
    """Give the memory that this process may use: the machine's, or the container's if that is less."""
    if not hasattr(os, "sysconf"):
        return 8 * _WORKER_BYTES  # Windows doesn't say
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    said = limit.read_text().strip() if limit.is_file() else ""
    return min(machine, int(said)) if said.isdecimal() else machine


def _question(raw: RawFile, config: dict[str, object]) -> dict[str, object]:
    path = None if raw.path is None else str(raw.path)
    modified = raw.modified.isoformat() if raw.modified else None
    what = {"name": raw.name, "source": raw.source, "path": path, "modified": modified, "bad_parts": raw.bad_parts}
    return {**what, "n_bytes": len(raw.data), "config": config}


def _without_part(raw: RawFile, part: str, reason: str) -> RawFile:
    """Give the file with an attachment that is to be left out; after a few of them, all that are left are."""
    bad_parts = (*raw.bad_parts, (part, reason))
    if len(bad_parts) == _MOST_BAD_PARTS:
        others = f"not read, because {_MOST_BAD_PARTS} other attachments of {raw.name} ended or held up their reading."
        bad_parts = (*bad_parts, (ALL_PARTS, others))
    return replace(raw, bad_parts=bad_parts)


def _ended(name: str, status: int) -> str:
    how = how_ended(status)
    return f"{name} ended the process that read it ({how}); it is damaged or too large, save it anew and add that."


def _late(name: str, seconds: float, step: Step | None) -> str:
    where = f" (last: {step})" if step else ""
    return (
        f"{name} was stopped: nothing more of it was read in {seconds:.3g} s{where}; it is damaged or slow to read:"
        f" save it anew, or give it more time with --file-timeout."
    )


def _document(answer: Any, text: str) -> Document:  # the JSON of a worker
    if "wordless" in answer:
        raise WordlessError(answer["wordless"])
    if "unheard" in answer:
        raise UnheardError(answer["unheard"])
    if "unseen" in answer:
        raise UnseenError(answer["unseen"])
    if "refused" in answer:
        raise SourceError(answer["refused"])
    if "unreadable" in answer:
        raise OSError(*answer["unreadable"])
    read_pages, utterances = (json.loads(column) for column in answer["places"])
    document = document_of(answer["document"])
    return replace(document, text=text, read_pages=read_pages_of(read_pages), utterances=utterances_of(utterances))
