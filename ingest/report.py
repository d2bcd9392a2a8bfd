"""What an ingest is told, what it says on the way, and what it says at its end. Values only."""

from dataclasses import dataclass, field

from ingest.chunk import ChunkingConfig
from ingest.discover import Failure
from ingest.load_config import LoadConfig
from ingest.plan import Move
from ingest.step import Step
from ingest.web import WebConfig


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """How documents are taken in. `max_characters` bounds one document; memory doesn't, but time may: 300 million take
    some hours of embedding on two cores. Files in folders above `max_bytes` are left out. Another writer is waited for
    `wait_seconds`. `parse_workers` processes read files beside this one (None: by the number of cores; 0: none) once
    this one has read `parse_alone_bytes` itself, and from the first on whatever a parser could crash on or hang in. A
    file of which nothing more is read for `file_timeout_seconds` (longer by as much for each 30 MB; 0: no limit) fails.
    """

    chunking: ChunkingConfig = field(default_factory=ChunkingConfig)
    max_characters: int = 512_000_000
    batch_chunks: int = 512  # of 128 the lengths differ more, and padding is work: benchmarks/LOG.md 2026-11-25
    max_bytes: int | None = None
    wait_seconds: float = 30.0
    large_characters: int = 4_000_000
    parse_workers: int | None = None
    parse_alone_bytes: int = 2_000_000
    file_timeout_seconds: float = 120.0
    web: WebConfig = field(default_factory=WebConfig)
    load: LoadConfig = field(default_factory=LoadConfig)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an ingest stands: `n_done` of `n_files` files, `n_embedded` vectors made, `source` being worked on.

    `bytes_done` of `bytes_total` of the files that have changed; files found unchanged, and web pages, are no part.
    `step` says how far `source` itself is read, where that is known.
    """

    n_done: int
    n_files: int
    n_embedded: int
    source: str
    bytes_done: int = 0
    bytes_total: int = 0
    step: Step | None = None

    def seconds_left(self, seconds: float) -> float | None:
        """Estimate from the `seconds` so far how many are left; None before anything is done."""
        if not self.bytes_done:
            return None
        return seconds * max(self.bytes_total - self.bytes_done, 0) / self.bytes_done


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest changed. Sources by what happened to them; `chunks` is how many were written.

    `invisible` names documents of which text was left out that no reader of the original sees; they are taken in.
    `n_left` inputs (an archive is one) were not reached, or not to their end, when it was stopped.
    """

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()
    skipped: tuple[Failure, ...] = ()
    ignored: tuple[Failure, ...] = ()
    moved: tuple[Move, ...] = ()
    invisible: tuple[Failure, ...] = ()
    n_left: int = 0
    chunks: int = 0
    embedded: int = 0
    seconds: float = 0.0


class IngestStopped(KeyboardInterrupt):
    """An ingest that was interrupted: what `report` says was done is searchable, the rest was not begun."""

    def __init__(self, report: IngestReport) -> None:
        super().__init__()
        self.report = report
