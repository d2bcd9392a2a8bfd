"""One ingest at work: inputs in, each read, cut, embedded and committed. Knows nothing of where inputs come from."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from ingest.bundle_state import BundleState
from ingest.catalog_rows import DocumentInfo, text_hash
from ingest.catalog_vectors import without_vectors
from ingest.chunk import chunk_document
from ingest.discover import Failure
from ingest.document import Chunk, Document
from ingest.embedder import Vectors
from ingest.errors import LateError, SourceError, UnheardError, WordlessError
from ingest.inputs import Bundle, Input, Unread, no_documents
from ingest.invisible import invisible_notice
from ingest.knowledge_base import KnowledgeBase
from ingest.passed_over import PassedOver
from ingest.plan import Move, Moves, known_inside
from ingest.report import IngestConfig, IngestReport, IngestStopped, Progress
from ingest.run_ahead import ReadAhead, Ready
from ingest.run_vectors import put_large, vectors_of
from ingest.step import Step


class Run:
    """The documents waiting for vectors, and what was counted so far."""

    def __init__(
        self,
        kb: KnowledgeBase,
        config: IngestConfig,
        *,
        rebuild: bool,
        on_progress: Callable[[Progress], None],
        named: Collection[str] = (),
    ) -> None:
        """`named` are the sources that were asked for one by one: of them, also pictures without words have failed."""
        self._kb = kb
        self._config = config
        self._rebuild = rebuild
        self._on_progress = on_progress
        self._named = frozenset(named)
        self._chunking = repr(config.chunking)
        self._pending: list[tuple[int, Document, list[Chunk]]] = []  # with the number of the input it is from
        self._moves = Moves({}, ())
        self._unembedded: set[str] = set()
        self._known: dict[str, DocumentInfo] = {}
        self._states: dict[str, str] = {}  # to remember once all is committed
        self._left: list[str] = []  # members that an archive holds no more
        self.added: list[str] = []
        self.updated: list[str] = []
        self.unchanged: list[str] = []
        self.removed: list[str] = []
        self.failed: list[Failure] = []
        self.skipped: list[Failure] = []
        self.ignored: list[Failure] = []
        self.moved: list[Move] = []
        self.invisible: list[Failure] = []
        self._n_inputs = 0
        self._n_read = 0  # inputs, to their end; their documents may still be waiting
        self._n_chunks = 0
        self._n_unheard = 0
        self._n_embedded = 0
        self._bytes_total = 0
        self._bytes_read = 0  # of the inputs read to their end
        self._bytes_inside = 0  # of a large document at work
        self._bytes_waiting = 0  # of documents read and not embedded

    def take_in(
        self,
        inputs: Sequence[Input | Bundle],
        gone_of: Callable[[Iterable[str]], list[str]],
        *,
        on_wait: Callable[[str], None] = lambda who: None,
    ) -> IngestReport:
        """Take in every input, remove what `gone_of` the known sources is gone, and make it all searchable."""
        started = time.perf_counter()
        self._n_inputs = len(inputs)
        self._bytes_total = sum(entry.size_bytes for entry in inputs)
        stopped: KeyboardInterrupt | None = None
        with self._kb.writing(timeout_seconds=self._config.wait_seconds, on_wait=on_wait):
            self._known = {info.source: info for info in self._kb.catalog.documents()}
            self._unembedded = without_vectors(self._kb.catalog, self._kb.embedder.name)
            gone = gone_of(self._known)
            is_whole = False
            try:
                self._moves = Moves(self._known, gone)
                for entry in inputs:
                    if isinstance(entry, Input):
                        self._moves.look_for(entry)
                self._take_all(inputs)
                self._remove([*gone, *self._left])
                is_whole = True
            except KeyboardInterrupt as interrupt:
                stopped = interrupt
            finally:
                # Also after Ctrl-C or a full disk: what was committed becomes searchable.
                self._kb.refresh(keep_vectors=not is_whole)
        self._say("")
        report = self._report(time.perf_counter() - started)
        if stopped is not None:
            raise IngestStopped(report) from stopped
        return report

    def _take_all(self, inputs: Sequence[Input | Bundle]) -> None:
        with closing(ReadAhead(self._needs_no_reading, self._config, inputs)) as ahead:
            for ready in ahead.ready(inputs):
                self._say(ready.entry.source)
                if isinstance(ready.entry, Bundle):
                    self._take_bundle(ready.entry, ahead)
                    self._bytes_read += ready.entry.size_bytes
                elif isinstance(ready.entry, Input):
                    self._take(ready.entry, ready)
                    self._bytes_read += ready.entry.size_bytes
                self._n_read += 1
        self._flush()
        for source, state in self._states.items():
            self._kb.catalog.remember_state(source, state)

    def _remove(self, gone: Sequence[str]) -> None:
        """Remove what is gone and didn't turn up elsewhere: last, so that its vectors are still there to be used."""
        left = {move.old for move in self.moved}
        for source in gone:
            if source not in left:
                self._kb.remove(self._known[source].id)
                self.removed.append(source)

    def _report(self, seconds: float) -> IngestReport:
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
            n_left=self._n_inputs - self._n_done(),
            chunks=self._n_chunks,
            embedded=self._n_embedded,
            seconds=seconds,
        )

    def _take_bundle(self, bundle: Bundle, ahead: ReadAhead) -> None:
        """Take in what has changed inside a file, and note the sources that were in it and aren't any more."""
        inside = known_inside(bundle.source, self._known)
        try:
            version = bundle.version()
            state = BundleState.from_json(self._kb.catalog.source_state(bundle.source))
            if state is not None and state.fits(version, self._chunking, inside, self._is_whole):
                self.unchanged.extend(info.source for info in inside)
                self.skipped.extend(state.skipped)
                return
            if state is not None:
                # Forgotten until all of it is in: an archive that changes back meanwhile must be read again.
                self._kb.catalog.remember_state(bundle.source, "")
            self._take_members(bundle, version, inside, ahead)
        except SourceError as error:
            # What was read of it before stays: it may only be cut off.
            self.failed.append(Failure(bundle.source, str(error)))

    def _take_members(self, bundle: Bundle, version: str, inside: Sequence[DocumentInfo], ahead: ReadAhead) -> None:
        found: set[str] = set()
        n_failed, n_skipped, n_unheard = len(self.failed), len(self.skipped), self._n_unheard
        for ready in ahead.ready(bundle.members()):
            entry = ready.entry
            found.add(entry.source)
            if isinstance(entry, Input):
                self._moves.look_for(entry)
                self._take(entry, ready)
            elif isinstance(entry, Unread):
                (self.skipped if entry.skipped else self.failed).append(entry.failure)
        skipped = tuple(self.skipped[n_skipped:])
        if not found - {failure.source for failure in skipped}:
            self.failed.append(no_documents(bundle.source))
        # A recording that wasn't heard is looked at again: the speech model may be there next time.
        if len(self.failed) == n_failed and self._n_unheard == n_unheard:
            state = BundleState(version, self._chunking, len(found) - len(skipped), skipped)
            self._states[bundle.source] = state.to_json()
        self._left.extend(info.source for info in inside if info.source not in found)

    def _needs_no_reading(self, entry: Input) -> bool:
        """Tell whether a source is as it was: taken in already, without words, or one whose reading was stopped."""
        return self._is_current(entry) or self._passed_over(entry) is not None

    def _is_current(self, entry: Input) -> bool:
        known = self._known.get(entry.source)
        return known is not None and self._is_whole(known) and entry.content_hash() == known.content_hash

    def _take(self, entry: Input, ready: Ready) -> None:
        try:
            if ready.needs_no_reading():
                passed = self._passed_over(entry)
                if passed is None or self._is_current(entry):
                    self.unchanged.append(entry.source)
                else:
                    (self.failed if passed.was_late else self.skipped).append(Failure(entry.source, passed.reason))
                self._bytes_total -= entry.size_bytes
                self._bytes_read -= entry.size_bytes
                return
            document = ready.load(partial(self._say, entry.source))
            if len(document.text) > self._config.max_characters:
                raise SourceError(_too_long(document, self._config.max_characters))
        except WordlessError as error:
            self._pass_over(entry, str(error))
            return
        except UnheardError as error:
            self._n_unheard += 1
            is_asked_for = entry.source in self._named or entry.source in self._known
            (self.failed if is_asked_for else self.skipped).append(Failure(entry.source, str(error)))
            return
        except SourceError as error:
            self.failed.append(Failure(entry.source, str(error)))
            if isinstance(error, LateError) and entry.at_hand is not None:
                self._remember(entry, str(error), seconds=self._config.file_timeout_seconds)
            return
        except OSError as error:  # it went away, or its disk did, while it was read
            name = Path(entry.source).name
            self.failed.append(Failure(entry.source, f"{name} can't be read ({error.strerror}); add it again"))
            return
        if entry.state is not None:
            self._states[entry.source] = entry.state()
        if notice := invisible_notice(document):
            self.invisible.append(Failure(entry.source, notice))
        if len(document.text) > self._config.large_characters and entry.source not in self._moves.found:
            self._take_large(document, entry.size_bytes)
            return
        chunks = chunk_document(document, self._config.chunking, self._kb.embedder.token_starts)
        if self._moved(entry, document, chunks):
            return
        self._pending.append((self._n_read, document, chunks))
        self._bytes_waiting += entry.size_bytes
        if sum(len(waiting) for _, _, waiting in self._pending) >= self._config.batch_chunks:
            self._flush()

    def _pass_over(self, entry: Input, reason: str) -> None:
        """Leave out a picture or a recording without words, and remember it, so that it isn't read every time."""
        if entry.source in self._named or entry.source in self._known:
            self.failed.append(Failure(entry.source, reason))
            return
        self.skipped.append(Failure(entry.source, reason))
        if entry.at_hand is not None:
            self._remember(entry, reason)

    def _remember(self, entry: Input, reason: str, *, seconds: float = 0.0) -> None:
        self._kb.catalog.remember_state(entry.source, PassedOver(entry.content_hash(), reason, seconds).to_json())

    def _passed_over(self, entry: Input) -> PassedOver | None:
        """Give what was remembered of a source that gave no document, if reading it again would be no use."""
        if entry.source in self._named or self._rebuild or entry.at_hand is None:
            return None
        passed = PassedOver.from_json(self._kb.catalog.source_state(entry.source))
        if passed is None or (entry.source in self._known and not passed.was_late):
            return None
        return passed if passed.holds(entry.content_hash(), self._config.file_timeout_seconds) else None

    def _moved(self, entry: Input, document: Document, chunks: list[Chunk]) -> bool:
        """Where the document is one that only moved, commit that at once, embedding nothing; tell whether it was."""
        old = self._moves.found.get(entry.source)
        if old is None or self._rebuild or old.id in self._unembedded:
            return False
        if not self._kb.move(old.id, document, chunks, chunking=self._chunking):
            return False
        self.moved.append(Move(old.source, entry.source))
        self._n_chunks += len(chunks)
        return True

    def _is_whole(self, known: DocumentInfo) -> bool:
        """Tell whether a document is read, cut and embedded as this ingest would do it."""
        if self._rebuild or known.chunking != self._chunking or known.id in self._unembedded:
            return False
        return not known.leaves_out_pages(self._config.load.max_ocr_pages)

    def _take_large(self, document: Document, size_bytes: int) -> None:
        """Commit what waits, then this document piece by piece, so that neither is in memory with the other."""
        self._flush()

        def on_share(share: float) -> None:
            self._bytes_inside = int(size_bytes * share)

        self._n_chunks += put_large(
            self._kb,
            document,
            self._config.chunking,
            batch_chunks=self._config.batch_chunks,
            on_embedded=partial(self._embedded, document.source),
            on_share=on_share,
        )
        self._bytes_inside = 0
        (self.updated if document.source in self._known else self.added).append(document.source)

    def _flush(self) -> None:
        """Embed what has no vector yet, and commit the documents one by one."""
        source = self._pending[0][1].source if self._pending else ""
        texts = {
            text_hash(chunk.embedded_text): chunk.embedded_text for _, _, waiting in self._pending for chunk in waiting
        }
        vectors, _ = vectors_of(self._kb, texts, self._config.batch_chunks, partial(self._embedded, source))
        self._bytes_waiting = 0
        while self._pending:
            _, document, chunks = self._pending[0]
            self._commit(document, chunks, vectors)
            del self._pending[0]

    def _commit(self, document: Document, chunks: list[Chunk], vectors: dict[str, Vectors]) -> None:
        rows = [vectors[text_hash(chunk.embedded_text)] for chunk in chunks]
        stacked = np.stack(rows) if rows else np.zeros((0, self._kb.embedder.dimension), dtype=np.float32)
        old = self._moves.found.get(document.source)
        self._kb.put(document, chunks, stacked, chunking=self._chunking, replaces=old.id if old else None)
        if old:
            self.moved.append(Move(old.source, document.source))
        else:
            (self.updated if document.source in self._known else self.added).append(document.source)
        self._n_chunks += len(chunks)

    def _embedded(self, source: str, n_embedded: int) -> None:
        self._n_embedded += n_embedded
        self._say(source)

    def _say(self, source: str, step: Step | None = None) -> None:
        done = self._bytes_read + self._bytes_inside - self._bytes_waiting
        self._on_progress(
            Progress(
                self._n_done(),
                self._n_inputs,
                self._n_embedded,
                source,
                max(done, 0),
                max(self._bytes_total, done, 0),
                step,
            )
        )

    def _n_done(self) -> int:
        """Count the inputs that were read to their end and have no document waiting."""
        return self._n_read - len({number for number, _, _ in self._pending if number < self._n_read})


def _too_long(document: Document, limit: int) -> str:
    name = Path(document.source).name
    return (
        f"{name} holds {len(document.text):,} characters, more than the limit of {limit:,}, and would take hours to"
        f" embed; split it, or raise the limit with --max-characters"
    )
