"""Inputs in, the same in the same order out, each with what is to be done with it; files are read ahead meanwhile.

Decides what this process reads itself. Knows hashes and reading processes, not chunks or vectors.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ingest.cores import n_cores
from ingest.document import Document
from ingest.errors import SourceError
from ingest.inputs import Bundle, Input, Unread
from ingest.parsing import ParsingPool, Reading, n_parse_workers
from ingest.raw_file import RawFile, read_raw
from ingest.report import IngestConfig
from ingest.step import OnStep

# What is read ahead is bounded by the size of the files; a document with its structure takes several times as much.
_AHEAD_BYTES = 16_000_000
_AHEAD_FILES = 64
# Larger texts are read by this process: to hand one over holds it twice.
_LARGEST_BYTES = 16_000_000

Entry = Input | Bundle | Unread


@dataclass(frozen=True, slots=True)
class Ready:
    """An entry whose turn it is, with whether it is as it was and its document; both may raise what reading raises.
    Of what isn't an `Input`, neither is asked.
    """

    entry: Entry
    needs_no_reading: Callable[[], bool]
    load: Callable[[OnStep], Document]


class ReadAhead:
    """Reads what an ingest takes in. Whatever a parser could crash on or hang in is read by processes, and so is
    plain text once there is much of it; with no `parse_workers` this process reads it all. Close it, however it ends.
    """

    def __init__(
        self, needs_no_reading: Callable[[Input], bool], config: IngestConfig, inputs: Sequence[Input | Bundle]
    ) -> None:
        self._needs_no_reading = needs_no_reading
        self._config = config
        self._pool: ParsingPool | None = None
        self._n_workers = n_parse_workers() if config.parse_workers is None else config.parse_workers
        self._alone_bytes = 0
        if not any(isinstance(entry, Bundle) for entry in inputs):
            self._n_workers = min(self._n_workers, len(inputs))  # an archive may hold many

    def close(self) -> None:
        """End the reading processes."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def ready(self, entries: Iterable[Entry]) -> Iterator[Ready]:
        """Give every entry in its order. What giving the next one raises is raised when all before it were given."""
        waiting: deque[tuple[Ready, int]] = deque()
        ahead_bytes = 0
        broken: SourceError | OSError | None = None
        upcoming = iter(entries)
        while broken is None:
            try:
                entry = next(upcoming)
            except StopIteration:
                break
            except (SourceError, OSError) as error:
                broken = error
                break
            ready, size = self._looked_at(entry)
            waiting.append((ready, size))
            ahead_bytes += size
            while waiting and (self._pool is None or ahead_bytes > _AHEAD_BYTES or len(waiting) > _AHEAD_FILES):
                ready, size = waiting.popleft()
                ahead_bytes -= size
                yield ready
        while waiting:
            yield waiting.popleft()[0]
        if broken is not None:
            raise broken

    def _looked_at(self, entry: Entry) -> tuple[Ready, int]:
        """Have a changed one read where that can be done ahead; give it with what it holds meanwhile, in bytes."""
        if not isinstance(entry, Input):
            return Ready(entry, _never, _no_document), 0
        when_asked = partial(self._load, entry)
        raw = entry.at_hand
        if raw is None or not self._n_workers:  # what a web page says is asked when its turn comes
            return Ready(entry, partial(self._needs_no_reading, entry), when_asked), 0
        held = len(raw.data)
        try:
            is_as_it_was = self._needs_no_reading(entry)
        except (SourceError, OSError) as error:
            return Ready(entry, partial(_raise, error), when_asked), held
        if not is_as_it_was:
            held = raw.size_bytes
            self._alone_bytes += held
            if self._is_for_processes(raw):
                reading = self._processes().submit(raw)
                return Ready(entry, _never, partial(_read_by, entry, reading)), held
        return Ready(entry, lambda: is_as_it_was, when_asked), held

    def _load(self, entry: Input, on_step: OnStep) -> Document:
        """Read an input now."""

        def read(raw: RawFile) -> Document:
            if self._n_workers and not raw.is_safe:
                return self._processes().submit(raw).result(on_step)
            return read_raw(raw, self._config.load, on_step)

        return entry.load(read)

    def _is_for_processes(self, raw: RawFile) -> bool:
        if not raw.is_safe:
            return True
        return self._alone_bytes > self._config.parse_alone_bytes and raw.size_bytes <= _LARGEST_BYTES

    def _processes(self) -> ParsingPool:
        if self._pool is None:
            load = replace(self._config.load, threads=max(n_cores() // self._n_workers, 1))
            self._pool = ParsingPool(self._n_workers, load, timeout_seconds=self._config.file_timeout_seconds)
        return self._pool


def _read_by(entry: Input, reading: Reading, on_step: OnStep) -> Document:
    return entry.load(lambda raw: reading.result(on_step))


def _raise(error: Exception) -> bool:
    raise error


def _never() -> bool:
    return False


def _no_document(on_step: OnStep) -> Document:
    raise ValueError("it isn't one document")
