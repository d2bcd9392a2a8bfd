"""Files, folders and archives in, an up-to-date knowledge base out, with a report of what changed and what failed.

A file is committed as soon as its vectors are there, so that stopping at any moment loses at most the batch at work.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urldefrag

import numpy as np

from ingest.archive import SEPARATOR
from ingest.bundle_state import BundleState
from ingest.catalog import DocumentInfo, text_hash
from ingest.chunk import ChunkingConfig, chunk_document
from ingest.discover import Failure, find_sources
from ingest.document import Chunk, Document
from ingest.embedder import Vectors
from ingest.errors import SourceError
from ingest.inputs import Bundle, Input, document_input, file_input, web_input
from ingest.knowledge_base import KnowledgeBase
from ingest.web import WebConfig


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """How documents are taken in. `max_characters` bounds one document: 32 million are about 10,000 dense pages and
    some hours of embedding on two cores, far more often an accident (a log, a dump) than a wish.
    """

    chunking: ChunkingConfig = field(default_factory=ChunkingConfig)
    max_characters: int = 32_000_000
    batch_chunks: int = 128
    web: WebConfig = field(default_factory=WebConfig)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an ingest stands: `n_done` of `n_files` files, `n_embedded` vectors made, `source` being worked on."""

    n_done: int
    n_files: int
    n_embedded: int
    source: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest changed. Sources by what happened to them; `chunks` is how many were written."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()
    skipped: tuple[Failure, ...] = ()
    chunks: int = 0
    embedded: int = 0
    seconds: float = 0.0


def ingest_paths(
    kb: KnowledgeBase,
    paths: Sequence[Path],
    config: IngestConfig,
    *,
    urls: Sequence[str] = (),
    base: Path | None = None,
    rebuild: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> IngestReport:
    """Bring the knowledge base in step with files, folders, archives and web pages.

    A source is named by its absolute path, or by its path relative to `base`. Files below a named folder that were
    ingested before and are gone are removed. `rebuild` takes in every file again. Bad files are reported, never raised.
    """
    found = find_sources(paths)
    inputs = [file_input(path, _source(path, base)) for path in found.files]
    # A file that is there but can't be read now keeps its last good version, and is reported.
    present = {entry.source for entry in inputs} | {
        _source(Path(failure.source), base) for failure in (*found.failures, *found.skipped)
    }
    folders = [_source(path, base) for path in paths if path.is_dir()]
    gone = [
        info.source
        for info in kb.catalog.documents()
        if not present & {info.source, info.source.partition(SEPARATOR)[0]}
        and any(_is_below(info.source, folder) for folder in folders)
    ]
    pages = dict.fromkeys(urldefrag(url).url for url in urls)
    inputs += [web_input(url, config.web, kb.catalog.source_state(url)) for url in pages]
    run = _Run(kb, config, rebuild=rebuild, on_progress=on_progress)
    run.failed.extend(found.failures)
    return run.take_in(inputs, gone, found.skipped)


def ingest_documents(
    kb: KnowledgeBase,
    documents: Iterable[Document],
    config: IngestConfig,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> IngestReport:
    """Add documents that exist as values already, such as the records of an evaluation corpus."""
    inputs = [document_input(document) for document in documents]
    return _Run(kb, config, rebuild=False, on_progress=on_progress).take_in(inputs, [], ())


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
        self._known: dict[str, DocumentInfo] = {}
        self._states: dict[str, str] = {}  # to remember once all is committed
        self.added: list[str] = []
        self.updated: list[str] = []
        self.unchanged: list[str] = []
        self.removed: list[str] = []
        self.failed: list[Failure] = []
        self.skipped: list[Failure] = []
        self._n_inputs = 0
        self._n_chunks = 0
        self._n_embedded = 0

    def take_in(
        self, inputs: Sequence[Input | Bundle], gone: Sequence[str], skipped: Sequence[Failure]
    ) -> IngestReport:
        """Take in every input, remove what is gone, and make it all searchable."""
        self.skipped.extend(skipped)
        missing = list(gone)
        started = time.perf_counter()
        self._n_inputs = len(inputs)
        with self._kb.writing():
            self._known = {info.source: info for info in self._kb.catalog.documents()}
            try:
                for n_done, entry in enumerate(inputs):
                    self._on_progress(Progress(n_done, len(inputs), self._n_embedded, entry.source))
                    if isinstance(entry, Bundle):
                        missing += self._take_bundle(entry)
                    else:
                        self._take(entry)
                self._flush()
                for source, state in self._states.items():
                    self._kb.catalog.remember_state(source, state)
                # After the additions, so that a renamed file finds its vectors still there.
                for source in missing:
                    self._kb.remove(self._known[source].id)
                    self.removed.append(source)
            finally:
                # Also after Ctrl-C: what was committed becomes searchable.
                self._kb.refresh()
        self._on_progress(Progress(len(inputs), len(inputs), self._n_embedded, ""))
        return IngestReport(
            added=tuple(self.added),
            updated=tuple(self.updated),
            unchanged=tuple(self.unchanged),
            removed=tuple(self.removed),
            failed=tuple(self.failed),
            skipped=tuple(self.skipped),
            chunks=self._n_chunks,
            embedded=self._n_embedded,
            seconds=time.perf_counter() - started,
        )

    def _take_bundle(self, bundle: Bundle) -> list[str]:
        """Take in what has changed inside a file; give the sources that were in it and aren't any more."""
        inside = sorted(source for source in self._known if source.startswith(bundle.source + SEPARATOR))
        found: set[str] = set()
        n_failed, n_skipped = len(self.failed), len(self.skipped)
        try:
            version = bundle.version()
            state = BundleState.from_json(self._kb.catalog.source_state(bundle.source))
            if state is not None and not self._rebuild and state.fits(version, self._chunking, len(inside)):
                self.unchanged.extend(inside)
                self.skipped.extend(state.skipped)
                return []
            # Forgotten until all of it is in: an archive that changes back meanwhile must be read again.
            self._kb.catalog.remember_state(bundle.source, "")
            for entry in bundle.members():
                found.add(entry.source)
                if isinstance(entry, Input):
                    self._take(entry)
                else:
                    (self.skipped if entry.skipped else self.failed).append(entry.failure)
        except SourceError as error:
            # What was read of it before stays: it may only be cut off.
            self.failed.append(Failure(bundle.source, str(error)))
            return []
        skipped = tuple(self.skipped[n_skipped:])
        if len(self.failed) == n_failed:
            state = BundleState(version, self._chunking, len(found) - len(skipped), skipped)
            self._states[bundle.source] = state.to_json()
        if not found - {failure.source for failure in skipped}:
            self.failed.append(Failure(bundle.source, f"{Path(bundle.source).name} holds no documents."))
        return [source for source in inside if source not in found]

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
        if entry.state is not None:
            self._states[entry.source] = entry.state()
        chunks = chunk_document(document, self._config.chunking, self._kb.embedder.token_starts)
        self._pending.append((document, chunks))
        if sum(len(waiting) for _, waiting in self._pending) >= self._config.batch_chunks:
            self._flush()

    def _is_current(self, known: DocumentInfo, entry: Input) -> bool:
        if self._rebuild or known.chunking != self._chunking:
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
        self._kb.put(document, chunks, stacked, chunking=self._chunking)
        (self.updated if document.source in self._known else self.added).append(document.source)
        self._n_chunks += len(chunks)

    def _n_done(self) -> int:
        return len(self.added) + len(self.updated) + len(self.unchanged) + len(self.failed)


def _source(path: Path, base: Path | None) -> str:
    """Name a path: absolute, or relative to `base` where it lies below it."""
    absolute = path.absolute()
    if base is not None and absolute.is_relative_to(base.absolute()):
        return absolute.relative_to(base.absolute()).as_posix()
    return absolute.as_posix()


def _is_below(source: str, folder: str) -> bool:
    return folder == "." or source.startswith(folder.rstrip("/") + "/")


def _too_long(document: Document, limit: int) -> str:
    name = Path(document.source).name
    return (
        f"{name} holds {len(document.text):,} characters, more than the limit of {limit:,}, and would take hours to"
        f" embed; split it, or raise the limit with --max-characters"
    )
