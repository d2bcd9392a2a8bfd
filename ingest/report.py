"""What an ingest is told, what it says on the way, and what it says at its end. Values only."""

from dataclasses import dataclass, field

from ingest.chunk import ChunkingConfig
from ingest.discover import Failure
from ingest.load_config import LoadConfig
from ingest.plan import Move
from ingest.web import WebConfig


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """How documents are taken in. `max_characters` bounds one document: 32 million are about 10,000 dense pages and
    some hours of embedding on two cores, far more often an accident (a log, a dump) than a wish. Files in folders above
    `max_bytes` are left out. Another writer is waited for `wait_seconds`.
    """

    chunking: ChunkingConfig = field(default_factory=ChunkingConfig)
    max_characters: int = 32_000_000
    batch_chunks: int = 128
    max_bytes: int | None = None
    wait_seconds: float = 30.0
    web: WebConfig = field(default_factory=WebConfig)
    load: LoadConfig = field(default_factory=LoadConfig)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an ingest stands: `n_done` of `n_files` files, `n_embedded` vectors made, `source` being worked on."""

    n_done: int
    n_files: int
    n_embedded: int
    source: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest changed. Sources by what happened to them; `chunks` is how many were written.

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
    n_left: int = 0
    chunks: int = 0
    embedded: int = 0
    seconds: float = 0.0


class IngestStopped(KeyboardInterrupt):
    """An ingest that was interrupted: what `report` says was done is searchable, the rest was not begun."""

    def __init__(self, report: IngestReport) -> None:
        super().__init__()
        self.report = report
