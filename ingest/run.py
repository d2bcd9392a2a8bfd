"""One ingest at work: inputs in, each read, cut, embedded and committed. Knows nothing of where inputs come from."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from ingest.bundle_state import BundleState
from ingest.catalog_rows import DocumentInfo, text_hash
from ingest.chunk import chunk_document
from ingest.discover import Failure
from ingest.document import Chunk, Document
from ingest.embedder import Vectors
from ingest.errors import LateError, SourceError, UnheardError, UnseenError, WordlessError
from ingest.inputs import Bundle, Input, Unread, no_documents
from ingest.invisible import invisible_notice
from ingest.knowledge_base import KnowledgeBase
from ingest.passed_over import PassedOver
from ingest.plan import Move, Moves, known_inside
from ingest.report import IngestConfig, IngestReport, IngestStopped, Progress
from ingest.run_ahead import ReadAhead, Ready
from ingest.run_known import Known
from ingest.run_tally import Tally
from ingest.run_vectors import put_large, vectors_of
from ingest.unread_parts import unread_parts


class Run:
    """The documents waiting for vectors. `tally` says what became of each source."""

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
        self.tally = Tally(on_progress)
        self._kb = kb
        self._config = config
        self._chunking = repr(config.chunking)
        self._known = Known(None, None, config, rebuild=rebuild, named=frozenset(named))
        self._pending: list[tuple[Document, list[Chunk]]] = []
        self._moves = Moves({}, ())
        self._states: dict[str, str] = {}  # to remember once all is committed
        self._left: list[str] = []  # members that an archive holds no more

    def take_in(
        self,
        inputs: Sequence[Input | Bundle],
        gone_of: Callable[[Iterable[str]], list[str]],
        *,
        on_wait: Callable[[str], None] = lambda who: None,
    ) -> IngestReport:
        """Take in every input, remove what `gone_of` the known sources is gone, and make it all searchable."""
        started = time.perf_counter()
        self.tally.n_inputs = len(inputs)
        self.tally.bytes_total = sum(entry.size_bytes for entry in inputs)
        stopped: KeyboardInterrupt | None = None
        with self._kb.writing(timeout_seconds=self._config.wait_seconds, on_wait=on_wait):
            self._known = self._known.at(self._kb.catalog, self._kb.embedder.name)
            gone = gone_of(self._known.documents)
            is_whole = False
            try:
                self._moves = Moves(self._known.documents, gone)
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
        self.tally.say("")
        report = self.tally.report(time.perf_counter() - started)
        if stopped is not None:
            raise IngestStopped(report) from stopped
        return report

    def _take_all(self, inputs: Sequence[Input | Bundle]) -> None:
        with closing(ReadAhead(self._known.needs_no_reading, self._config, inputs)) as ahead:
            for ready in ahead.ready(inputs):
                self.tally.say(ready.entry.source)
                if isinstance(ready.entry, Bundle):
                    self._take_bundle(ready.entry, ahead)
                    self.tally.bytes_read += ready.entry.size_bytes
                elif isinstance(ready.entry, Input):
                    self._take(ready.entry, ready)
                    self.tally.bytes_read += ready.entry.size_bytes
                self.tally.n_read += 1
        self._flush()
        for source, state in self._states.items():
            self._kb.catalog.remember_state(source, state)

    def _remove(self, gone: Sequence[str]) -> None:
        """Remove what is gone and didn't turn up elsewhere: last, so that its vectors are still there to be used."""
        left = {move.old for move in self.tally.moved}
        for source in gone:
            if source not in left:
                self._kb.remove(self._known.documents[source].id)
                self.tally.removed.append(source)

    def _take_bundle(self, bundle: Bundle, ahead: ReadAhead) -> None:
        """Take in what has changed inside a file, and note the sources that were in it and aren't any more."""
        inside = known_inside(bundle.source, self._known.documents)
        try:
            version = bundle.version()
            if state := self._known.state_of(bundle, version, inside):
                for info in inside:
                    self.tally.unchanged.append(info.source)
                    self.tally.note_parts(info.source, info.unread)
                self.tally.skipped.extend(state.skipped)
                return
            if self._kb.catalog.source_state(bundle.source):
                # Forgotten until all of it is in: an archive that changes back meanwhile must be read again.
                self._kb.catalog.remember_state(bundle.source, "")
            self._take_members(bundle, version, inside, ahead)
        except SourceError as error:
            # What was read of it before stays: it may only be cut off.
            self.tally.failed.append(Failure(bundle.source, str(error)))

    def _take_members(self, bundle: Bundle, version: str, inside: Sequence[DocumentInfo], ahead: ReadAhead) -> None:
        found: set[str] = set()
        n_failed, n_skipped, n_left = len(self.tally.failed), len(self.tally.skipped), self.tally.n_left_for_now
        for ready in ahead.ready(bundle.members()):
            entry = ready.entry
            found.add(entry.source)
            if isinstance(entry, Input):
                self._moves.look_for(entry)
                self._take(entry, ready)
            elif isinstance(entry, Unread):
                (self.tally.skipped if entry.skipped else self.tally.failed).append(entry.failure)
        skipped = tuple(self.tally.skipped[n_skipped:])
        if not found - {failure.source for failure in skipped}:
            self.tally.failed.append(no_documents(bundle.source))
        # What was left out for now is looked at again: the speech model may be there next time, or OCR turned on.
        if len(self.tally.failed) == n_failed and self.tally.n_left_for_now == n_left:
            state = BundleState(version, self._chunking, len(found) - len(skipped), skipped)
            self._states[bundle.source] = state.to_json()
        self._left.extend(info.source for info in inside if info.source not in found)

    def _take(self, entry: Input, ready: Ready) -> None:
        try:
            if ready.needs_no_reading():
                passed = self._known.passed_over_input(entry)
                if passed is None or self._known.is_current(entry):
                    self.tally.unchanged.append(entry.source)
                    self.tally.note_parts(entry.source, self._known.documents[entry.source].unread)
                else:
                    (self.tally.failed if passed.was_late else self.tally.skipped).append(
                        Failure(entry.source, passed.reason)
                    )
                self.tally.needed_no_reading(entry.size_bytes)
                return
            document = ready.load(partial(self.tally.say, entry.source))
            if len(document.text) > self._config.max_characters:
                raise SourceError(_too_long(document, self._config.max_characters))
        except WordlessError as error:
            self._pass_over(entry, str(error))
            return
        except (UnheardError, UnseenError) as error:
            self.tally.n_left_for_now += 1
            (self.tally.failed if self._known.is_asked_for(entry.source) else self.tally.skipped).append(
                Failure(entry.source, str(error))
            )
            return
        except SourceError as error:
            self.tally.failed.append(Failure(entry.source, str(error)))
            if isinstance(error, LateError) and entry.at_hand is not None:
                self._remember(entry, str(error), seconds=self._config.file_timeout_seconds)
            return
        except OSError as error:  # it went away, or its disk did, while it was read
            name = Path(entry.source).name
            self.tally.failed.append(Failure(entry.source, f"{name} can't be read ({error.strerror}); add it again"))
            return
        if entry.state is not None:
            self._states[entry.source] = entry.state()
        if notice := invisible_notice(document):
            self.tally.invisible.append(Failure(entry.source, notice))
        self.tally.note_parts(entry.source, unread_parts(document.metadata))
        if len(document.text) > self._config.large_characters and entry.source not in self._moves.found:
            self._take_large(document, entry.size_bytes)
            return
        chunks = chunk_document(document, self._config.chunking, self._kb.embedder.token_starts)
        if self._moved(entry, document, chunks):
            return
        self._pending.append((document, chunks))
        self.tally.waiting.append(self.tally.n_read)
        self.tally.bytes_waiting += entry.size_bytes
        if sum(len(waiting) for _, waiting in self._pending) >= self._config.batch_chunks:
            self._flush()

    def _pass_over(self, entry: Input, reason: str) -> None:
        """Leave out a picture or a recording without words, and remember it, so that it isn't read every time."""
        if self._known.is_asked_for(entry.source):
            self.tally.failed.append(Failure(entry.source, reason))
            return
        self.tally.skipped.append(Failure(entry.source, reason))
        if entry.at_hand is not None:
            self._remember(entry, reason)

    def _remember(self, entry: Input, reason: str, *, seconds: float = 0.0) -> None:
        self._kb.catalog.remember_state(entry.source, PassedOver(entry.content_hash(), reason, seconds).to_json())

    def _moved(self, entry: Input, document: Document, chunks: list[Chunk]) -> bool:
        """Where the document is one that only moved, commit that at once, embedding nothing; tell whether it was."""
        old = self._moves.found.get(entry.source)
        if old is None or not self._known.is_embedded(old):
            return False
        if not self._kb.move(old.id, document, chunks, chunking=self._chunking):
            return False
        self.tally.moved.append(Move(old.source, entry.source))
        self.tally.n_chunks += len(chunks)
        return True

    def _take_large(self, document: Document, size_bytes: int) -> None:
        """Commit what waits, then this document piece by piece, so that neither is in memory with the other."""
        self._flush()

        def on_share(share: float) -> None:
            self.tally.bytes_inside = int(size_bytes * share)

        self.tally.n_chunks += put_large(
            self._kb,
            document,
            self._config.chunking,
            batch_chunks=self._config.batch_chunks,
            on_embedded=partial(self._embedded, document.source),
            on_share=on_share,
        )
        self.tally.bytes_inside = 0
        self.tally.took(document.source, is_new=document.source not in self._known.documents)

    def _flush(self) -> None:
        """Embed what has no vector yet, and commit the documents one by one."""
        source = self._pending[0][0].source if self._pending else ""
        texts = {
            text_hash(chunk.embedded_text): chunk.embedded_text for _, waiting in self._pending for chunk in waiting
        }
        vectors, _ = vectors_of(self._kb, texts, self._config.batch_chunks, partial(self._embedded, source))
        self.tally.bytes_waiting = 0
        while self._pending:
            document, chunks = self._pending[0]
            self._commit(document, chunks, vectors)
            del self._pending[0], self.tally.waiting[0]

    def _commit(self, document: Document, chunks: list[Chunk], vectors: dict[str, Vectors]) -> None:
        rows = [vectors[text_hash(chunk.embedded_text)] for chunk in chunks]
        stacked = np.stack(rows) if rows else np.zeros((0, self._kb.embedder.dimension), dtype=np.float32)
        old = self._moves.found.get(document.source)
        self._kb.put(document, chunks, stacked, chunking=self._chunking, replaces=old.id if old else None)
        if old:
            self.tally.moved.append(Move(old.source, document.source))
        else:
            self.tally.took(document.source, is_new=document.source not in self._known.documents)
        self.tally.n_chunks += len(chunks)

    def _embedded(self, source: str, n_embedded: int) -> None:
        self.tally.n_embedded += n_embedded
        self.tally.say(source)


def _too_long(document: Document, limit: int) -> str:
    name = Path(document.source).name
    return (
        f"{name} holds {len(document.text):,} characters, more than the limit of {limit:,}, and would take hours to"
        f" embed; split it, or raise the limit with --max-characters"
    )
