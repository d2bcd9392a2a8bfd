"""Inputs in, the same in the same order out, each with what is to be done with it; files are read ahead meanwhile.

Knows hashes and reading processes, not chunks or vectors.
"""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial

from ingest.document import Document
from ingest.errors import SourceError
from ingest.inputs import Bundle, Input
from ingest.parsing import ParsingPool, n_parse_workers
from ingest.report import IngestConfig

# What is read ahead is bounded by the size of the files; a document with its structure takes several times as much.
_AHEAD_BYTES = 16_000_000
_AHEAD_FILES = 64
# Larger files are read by this process: to hand a document over holds it twice.
_LARGEST_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Ready:
    """An input whose turn it is, with whether it is as it was and its document; both may raise what reading raises."""

    entry: Input | Bundle
    needs_no_reading: Callable[[], bool]
    load: Callable[[], Document]


def read_ahead(
    inputs: Sequence[Input | Bundle], needs_no_reading: Callable[[Input], bool], config: IngestConfig
) -> Generator[Ready, None, None]:
    """Give every input in its order. This process reads small jobs, and of others what is beyond their beginning.

    Closing the iterator ends the reading processes.
    """
    n_workers = n_parse_workers() if config.parse_workers is None else config.parse_workers
    pool: ParsingPool | None = None
    waiting: deque[tuple[Ready, int]] = deque()
    alone_bytes = ahead_bytes = 0
    try:
        for entry in inputs:
            size = 0
            if isinstance(entry, Bundle):
                ready = Ready(entry, _never, _no_document)
            elif entry.path is None or not n_workers:  # what a web page or a member says is asked when its turn comes
                ready = Ready(entry, partial(needs_no_reading, entry), entry.load)
            else:
                changed, ready = _looked_at(entry, needs_no_reading)
                size = entry.size_bytes if changed else 0
                alone_bytes += size
                if changed and alone_bytes > config.parse_alone_bytes and size <= _LARGEST_BYTES:
                    pool = pool or ParsingPool(n_workers, config.load)
                    ready = Ready(entry, ready.needs_no_reading, pool.submit(entry.path, entry.source).result)
            waiting.append((ready, size))
            ahead_bytes += size
            while waiting and (pool is None or ahead_bytes > _AHEAD_BYTES or len(waiting) > _AHEAD_FILES):
                ready, size = waiting.popleft()
                ahead_bytes -= size
                yield ready
        while waiting:
            yield waiting.popleft()[0]
    finally:
        if pool is not None:
            pool.close()


def _looked_at(entry: Input, needs_no_reading: Callable[[Input], bool]) -> tuple[bool, Ready]:
    """Tell whether a file must be read, and keep what was found until its turn comes."""
    try:
        is_as_it_was = needs_no_reading(entry)
    except (SourceError, OSError) as error:
        return False, Ready(entry, partial(_raise, error), entry.load)
    return not is_as_it_was, Ready(entry, lambda: is_as_it_was, entry.load)


def _raise(error: Exception) -> bool:
    raise error


def _never() -> bool:
    return False


def _no_document() -> Document:
    raise ValueError("a bundle holds several documents")
