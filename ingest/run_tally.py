"""What became of each source of an ingest, and how far it has come. In: counts on the way; out: progress, a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ingest.discover import Failure
from ingest.document import SEPARATOR
from ingest.plan import Move
from ingest.report import IngestReport, Progress
from ingest.step import Step
from ingest.unread_parts import UnreadPart


@dataclass(slots=True)
class Tally:
    """The sources by what happened to them, and how many inputs, chunks and bytes that was.

    `n_read` inputs were read to their end; `waiting` has the number of the input for each document that isn't embedded
    yet. `bytes_read` are of the inputs read to their end, `bytes_inside` of a large document at work, `bytes_waiting`
    of documents that wait.
    """

    on_progress: Callable[[Progress], None]
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)
    ignored: list[Failure] = field(default_factory=list)
    moved: list[Move] = field(default_factory=list)
    invisible: list[Failure] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    n_inputs: int = 0
    n_read: int = 0
    n_left_for_now: int = 0
    n_chunks: int = 0
    n_embedded: int = 0
    bytes_total: int = 0
    bytes_read: int = 0
    bytes_inside: int = 0
    bytes_waiting: int = 0

    def took(self, source: str, *, is_new: bool) -> None:
        """Note a document that was committed."""
        (self.added if is_new else self.updated).append(source)

    def note_parts(self, source: str, parts: Sequence[UnreadPart]) -> None:
        """Name the attachments of a document that aren't in it, as the members of an archive are named."""
        for part in parts:
            failure = Failure(f"{source}{SEPARATOR}{part.name}", part.reason)
            (self.skipped if part.is_skipped else self.failed).append(failure)

    def needed_no_reading(self, n_bytes: int) -> None:
        """Leave an input that was found as it was out of the bytes that are to be read."""
        self.bytes_total -= n_bytes
        self.bytes_read -= n_bytes

    def say(self, source: str, step: Step | None = None) -> None:
        """Tell how far the ingest is, and the step of the source that is worked on."""
        done = self.bytes_read + self.bytes_inside - self.bytes_waiting
        total = max(self.bytes_total, done, 0)
        self.on_progress(Progress(self._n_done(), self.n_inputs, self.n_embedded, source, max(done, 0), total, step))

    def report(self, seconds: float) -> IngestReport:
        """Give the report of what was done in so many seconds."""
        return IngestReport(
            added=tuple(self.added),
            updated=tuple(self.updated),
            unchanged=tuple(self.unchanged),
            removed=tuple(self.removed),
            failed=tuple(self.failed),
            skipped=tuple(self.skipped),
            ignored=tuple(self.ignored),
            moved=tuple(self.moved),
            invisible=tuple(self.invisible),
            n_left=self.n_inputs - self._n_done(),
            chunks=self.n_chunks,
            embedded=self.n_embedded,
            seconds=seconds,
        )

    def _n_done(self) -> int:
        """Count the inputs that were read to their end and have no document waiting."""
        return self.n_read - len({number for number in self.waiting if number < self.n_read})
