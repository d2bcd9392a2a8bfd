"""Files and folders in, an up-to-date knowledge base out, with a report of what changed and what failed.

A file is committed as soon as its vectors are there, so that stopping at any moment loses at most the batch at work.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from ingest.catalog import Catalog
from ingest.catalog_rows import DocumentInfo, text_hash
from ingest.chunk import ChunkingConfig, chunk_document
from ingest.discover import Failure
from ingest.document import Chunk, Document
from ingest.embedder import Vectors
from ingest.errors import SourceError
from ingest.file_hash import hash_file
from ingest.knowledge_base import KnowledgeBase
from ingest.load import load_document
from ingest.plan import Input, Move, Plan, find_moves, plan_ingest
from ingest.sources import found_sources, gone_sources, source_name


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

    `n_left` inputs were not reached when it was stopped.
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


def ingest_paths(
    kb: KnowledgeBase,
    paths: Sequence[Path],
    config: IngestConfig,
    *,
    base: Path | None = None,
    rebuild: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_wait: Callable[[str], None] = lambda who: None,
    hash_of: Callable[[Path], str] = hash_file,
    unfinished: Collection[Path] = (),
) -> IngestReport:
    """Bring the knowledge base in step with files and folders.

    A source is named by its absolute path, or by its path relative to `base`. Files below a named folder that were
    ingested before and are gone, or ignored now, are removed. `rebuild` takes in every file again. Files in
    `unfinished` are still being written and left as they are. `on_wait` is told who else is writing. Bad files are
    reported, never raised; an interrupt is raised as IngestStopped once what was done is searchable.
    """
    found = found_sources(paths, max_bytes=config.max_bytes, unfinished=unfinished)
    inputs = [_file_input(path, source_name(path, base), hash_of) for path in found.files]
    run = _Run(kb, config, rebuild=rebuild, on_progress=on_progress)
    run.failed.extend(found.failures)
    run.ignored.extend(found.ignored)

    def gone(known: Iterable[str]) -> list[str]:
        return gone_sources(found, paths, base, known)

    return run.take_in(inputs, gone, found.skipped, on_wait=on_wait)


def plan_paths(
    catalog: Catalog | None,
    paths: Sequence[Path],
    config: IngestConfig,
    *,
    base: Path | None = None,
    rebuild: bool = False,
) -> Plan:
    """Say what `ingest_paths` would do, changing nothing. `catalog` is None where there is no knowledge base yet."""
    found = found_sources(paths, max_bytes=config.max_bytes)
    inputs = [_file_input(path, source_name(path, base), hash_file) for path in found.files]
    known = {info.source: info for info in catalog.documents()} if catalog else {}
    embedder = catalog.meta("embedder") if catalog else None
    unembedded = catalog.without_vectors(embedder) if catalog and embedder else set()

    def is_current(info: DocumentInfo, entry: Input) -> bool:
        unchanged = not rebuild and info.chunking == repr(config.chunking) and info.id not in unembedded
        return unchanged and entry.content_hash() == info.content_hash

    left_out = {"failed": found.failures, "skipped": found.skipped, "ignored": found.ignored}
    return plan_ingest(inputs, known, gone_sources(found, paths, base, known), is_current, **left_out)


def ingest_documents(
    kb: KnowledgeBase,
    documents: Iterable[Document],
    config: IngestConfig,
    *,
    rebuild: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> IngestReport:
    """Add documents that exist as values already, such as the records of an evaluation corpus.

    `rebuild` takes in also those that are there in the same version.
    """
    inputs = [Input(document.source, partial(_hash_of, document), partial(_itself, document)) for document in documents]
    return _Run(kb, config, rebuild=rebuild, on_progress=on_progress).take_in(inputs, lambda known: [], ())


class _Run:
    """One ingest: the documents waiting for vectors, and what was counted so far."""

    def __init__(
        self, kb: KnowledgeBase, config: IngestConfig, *, rebuild: bool, on_progress: Callable[[Progress], None]
    ) -> None:
        self._kb = kb
        self._config = config
        self._rebuild = rebuild
        self._on_progress = on_progress
        self._chunking = repr(config.chunking)
        self._pending: list[tuple[Document, list[Chunk]]] = []
        self._moves: dict[str, DocumentInfo] = {}
        self._unembedded: set[str] = set()
        self._known: dict[str, DocumentInfo] = {}
        self.added: list[str] = []
        self.updated: list[str] = []
        self.unchanged: list[str] = []
        self.removed: list[str] = []
        self.failed: list[Failure] = []
        self.ignored: list[Failure] = []
        self.moved: list[Move] = []
        self._n_inputs = 0
        self._n_failed_before = 0  # what was never an input: a path that isn't there
        self._n_chunks = 0
        self._n_embedded = 0

    def take_in(
        self,
        inputs: Sequence[Input],
        gone_of: Callable[[Iterable[str]], list[str]],
        skipped: Sequence[Failure],
        *,
        on_wait: Callable[[str], None] = lambda who: None,
    ) -> IngestReport:
        """Take in every input, remove what `gone_of` the known sources is gone, and make it all searchable."""
        started = time.perf_counter()
        self._n_inputs, self._n_failed_before = len(inputs), len(self.failed)
        stopped: KeyboardInterrupt | None = None
        with self._kb.writing(timeout_seconds=self._config.wait_seconds, on_wait=on_wait):
            self._known = {info.source: info for info in self._kb.catalog.documents()}
            self._unembedded = self._kb.catalog.without_vectors(self._kb.embedder.name)
            gone = gone_of(self._known)
            try:
                self._moves = find_moves(inputs, self._known, gone)
                self._take_all(inputs)
                self._remove(gone)
            except KeyboardInterrupt as interrupt:
                stopped = interrupt
            finally:
                # Also after Ctrl-C or a full disk: what was committed becomes searchable.
                self._kb.refresh()
        self._on_progress(Progress(len(inputs), len(inputs), self._n_embedded, ""))
        report = self._report(skipped, time.perf_counter() - started)
        if stopped is not None:
            raise IngestStopped(report) from stopped
        return report

    def _take_all(self, inputs: Sequence[Input]) -> None:
        for n_done, entry in enumerate(inputs):
            self._on_progress(Progress(n_done, len(inputs), self._n_embedded, entry.source))
            self._take(entry)
        self._flush()

    def _remove(self, gone: Sequence[str]) -> None:
        """Remove what is gone and didn't turn up elsewhere: last, so that its vectors are still there to be used."""
        left = {move.old for move in self.moved}
        for source in gone:
            if source not in left:
                self._kb.remove(self._known[source].id)
                self.removed.append(source)

    def _report(self, skipped: Sequence[Failure], seconds: float) -> IngestReport:
        return IngestReport(
            added=tuple(self.added),
            updated=tuple(self.updated),
            unchanged=tuple(self.unchanged),
            removed=tuple(self.removed),
            failed=tuple(self.failed),
            skipped=tuple(skipped),
            ignored=tuple(self.ignored),
            moved=tuple(self.moved),
            n_left=self._n_inputs - self._n_done(),
            chunks=self._n_chunks,
            embedded=self._n_embedded,
            seconds=seconds,
        )

    def _take(self, entry: Input) -> None:
        known = self._known.get(entry.source)
        try:
            if known is not None and self._is_current(known, entry):
                self.unchanged.append(entry.source)
                return
            document = entry.load()
            if len(document.text) > self._config.max_characters:
                raise SourceError(_too_long(document, self._config.max_characters))
        except SourceError as error:
            self.failed.append(Failure(entry.source, str(error)))
            return
        except OSError as error:  # it went away, or its disk did, while it was read
            name = Path(entry.source).name
            self.failed.append(Failure(entry.source, f"{name} can't be read ({error.strerror}); add it again"))
            return
        chunks = chunk_document(document, self._config.chunking, self._kb.embedder.token_starts)
        if self._moved(entry, document, chunks):
            return
        self._pending.append((document, chunks))
        if sum(len(waiting) for _, waiting in self._pending) >= self._config.batch_chunks:
            self._flush()

    def _moved(self, entry: Input, document: Document, chunks: list[Chunk]) -> bool:
        """Where the document is one that only moved, commit that at once, embedding nothing; tell whether it was."""
        old = self._moves.get(entry.source)
        if old is None or self._rebuild or old.id in self._unembedded:
            return False
        if not self._kb.move(old.id, document, chunks, chunking=self._chunking):
            return False
        self.moved.append(Move(old.source, entry.source))
        self._n_chunks += len(chunks)
        return True

    def _is_current(self, known: DocumentInfo, entry: Input) -> bool:
        if self._rebuild or known.chunking != self._chunking or known.id in self._unembedded:
            return False
        return entry.content_hash() == known.content_hash

    def _flush(self) -> None:
        """Embed what has no vector yet, in batches of equal length, and commit the documents one by one."""
        texts = {text_hash(chunk.embedded_text): chunk.embedded_text for _, chunks in self._pending for chunk in chunks}
        vectors = self._kb.catalog.known_vectors(self._kb.embedder.name, texts)
        missing = sorted((key for key in texts if key not in vectors), key=lambda key: (len(texts[key]), key))
        for start in range(0, len(missing), self._config.batch_chunks):
            batch = missing[start : start + self._config.batch_chunks]
            vectors.update(zip(batch, self._kb.embedder.embed_passages([texts[key] for key in batch]), strict=True))
            self._n_embedded += len(batch)
            self._on_progress(Progress(self._n_done(), self._n_inputs, self._n_embedded, self._pending[0][0].source))
        for document, chunks in self._pending:
            self._commit(document, chunks, vectors)
        self._pending.clear()

    def _commit(self, document: Document, chunks: list[Chunk], vectors: dict[str, Vectors]) -> None:
        rows = [vectors[text_hash(chunk.embedded_text)] for chunk in chunks]
        stacked = np.stack(rows) if rows else np.zeros((0, self._kb.embedder.dimension), dtype=np.float32)
        old = self._moves.get(document.source)
        self._kb.put(document, chunks, stacked, chunking=self._chunking, replaces=old.id if old else None)
        if old:
            self.moved.append(Move(old.source, document.source))
        else:
            (self.updated if document.source in self._known else self.added).append(document.source)
        self._n_chunks += len(chunks)

    def _n_done(self) -> int:
        n_taken = len(self.added) + len(self.updated) + len(self.moved) + len(self.unchanged)
        return n_taken + len(self.failed) - self._n_failed_before


def _file_input(path: Path, source: str, hash_of: Callable[[Path], str]) -> Input:
    return Input(source, partial(hash_of, path), partial(load_document, path, source=source))


def _hash_of(document: Document) -> str:
    return document.content_hash


def _itself(document: Document) -> Document:
    return document


def _too_long(document: Document, limit: int) -> str:
    name = Path(document.source).name
    return (
        f"{name} holds {len(document.text):,} characters, more than the limit of {limit:,}, and would take hours to"
        f" embed; split it, or raise the limit with --max-characters"
    )
