"""One folder: the catalog (truth) and the current index generation (derived). Knows no files and no questions.

A change is durable when `put` or `remove` returns; it is searchable when `refresh` returns. Opening a knowledge base
whose index is missing, stale or damaged rebuilds the index from the catalog. Where that can't be, because a writer is
at work, the disk is full or the folder read-only, the last generation is read: chunks deleted meanwhile are left out,
and `notice` says what may be missing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from ingest.catalog import Catalog
from ingest.catalog_index import chunk_numbers, index_rows, index_rows_of, renew_terms
from ingest.catalog_vectors import forget_unused_vectors, keep_vectors
from ingest.dense_index import DenseIndexConfig
from ingest.document import Chunk, Document
from ingest.embedder import Embedder, Vectors
from ingest.embedder_probe import probe_embedder
from ingest.errors import BusyError, KnowledgeBaseError, StorageError
from ingest.generation_files import Manifest, file_problems
from ingest.index_generation import (
    Change,
    IndexGeneration,
    build_generation,
    current_manifest,
    extend_generation,
    open_generation,
    remove_superseded,
)
from ingest.row_table import open_row_table
from ingest.terms import TERMS_VERSION
from ingest.verify import knowledge_base_problems
from ingest.write_lock import WriteLock


class KnowledgeBase:
    """An open knowledge base. Use one object per thread; any number of processes may read, one writes at a time."""

    def __init__(self, folder: Path, catalog: Catalog, embedder: Embedder, config: DenseIndexConfig) -> None:
        self.folder = folder
        self.catalog = catalog
        self.embedder = embedder
        self._config = config
        self._lock = WriteLock(folder)
        self._generation: IndexGeneration | None = None
        self._last_seen: tuple[int, IndexGeneration] | None = None
        self._notice: str | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        embedder: Embedder,
        *,
        create: bool = False,
        rebuild: bool = False,
        config: DenseIndexConfig | None = None,
    ) -> "KnowledgeBase":
        """Open the knowledge base in `folder`, making it when `create`.

        Raises KnowledgeBaseError when it isn't there, is damaged, or was built with another embedder; with `rebuild`
        the other embedder takes over, and every document must be put again.
        """
        if create:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(f"{folder} can't be made ({error.strerror}); choose another place") from error
        kb = cls(folder, Catalog(folder / "catalog.sqlite", create=create), embedder, config or DenseIndexConfig())
        built_with = kb.catalog.meta("embedder")
        if built_with is not None and built_with != embedder.name and rebuild:
            with kb.writing():
                kb._remember_embedder()
        elif built_with is not None and built_with != embedder.name:
            kb.close()
            names = "FOOTNOTE_EMBEDDER_URL and FOOTNOTE_EMBEDDER_MODEL" if "@" in built_with else "FOOTNOTE_EMBEDDER"
            raise KnowledgeBaseError(
                f"{folder.name} was built with {built_with}, settings say {embedder.name}; set {names}, or"
                f" rebuild with: footnote ingest --rebuild --kb {folder.name}"
            )
        kb._renew_terms()
        return kb

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def close(self) -> None:
        """Let go of the files."""
        self.catalog.close()
        self._generation = None

    @property
    def notice(self) -> str | None:
        """What the index in use may lack, and why; None when it is up to date. Known after `generation()`."""
        return self._notice

    @contextmanager
    def writing(
        self, *, timeout_seconds: float = 10.0, on_wait: Callable[[str], None] = lambda who: None
    ) -> Iterator[None]:
        """Hold the right to write; `on_wait` is told who else holds it.

        Raises BusyError when that process keeps it longer than the timeout, StorageError in a read-only folder.
        """
        with self._lock.acquire(timeout_seconds=timeout_seconds, on_wait=on_wait):
            if self.catalog.was_replaced:
                raise KnowledgeBaseError(f"{self.name} was deleted or replaced by another process; run this again")
            yield

    def put(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: Vectors,
        *,
        chunking: str = "",
        replaces: str | None = None,
    ) -> None:
        """Add or replace a document; `vectors` has shape (len(chunks), dimension). Call inside `writing()`.

        The document with the id `replaces` goes in the same instant.
        """
        if self.catalog.meta("embedder") is None:
            self._remember_embedder()
        self.catalog.put(document, chunks, vectors, embedder=self.embedder.name, chunking=chunking, replaces=replaces)

    def keep_vectors(self, vectors: Mapping[str, Vectors]) -> None:
        """Store vectors, by text hash, ahead of the document that `put_kept` will add. Call inside `writing()`."""
        if vectors and self.catalog.meta("embedder") is None:
            self._remember_embedder()
        keep_vectors(self.catalog, self.embedder.name, vectors)

    def put_kept(self, document: Document, chunks: Iterable[Chunk], *, chunking: str) -> int:
        """Do what `put` does for chunks whose vectors were kept, one at a time; give their number."""
        return self.catalog.put_kept(document, chunks, embedder=self.embedder.name, chunking=chunking)

    def move(self, old_id: str, document: Document, chunks: Sequence[Chunk], *, chunking: str) -> bool:
        """Let a moved file's document take the place of the old one, embedding nothing; tell whether it could.

        Call inside `writing()`.
        """
        return self.catalog.move(old_id, document, chunks, chunking=chunking)

    def remove(self, document_id: str) -> bool:
        """Remove a document; tell whether it was there. Call inside `writing()`."""
        return self.catalog.remove(document_id)

    def refresh(self, *, keep_vectors: bool = False) -> None:
        """Make all changes searchable: build and swap in a new generation, if anything changed. It shares the files of
        the last one where the change is small against it.

        Vectors that no chunk uses are forgotten, unless `keep_vectors` says that the work on a document goes on later.
        """
        if not keep_vectors:
            forget_unused_vectors(self.catalog, self.embedder.name)
        current = current_manifest(self.folder)
        if current is None or current[1].revision != self.catalog.revision:
            self._renew()
        else:
            remove_superseded(self.folder)  # what a writer that was killed just after the swap couldn't

    def rebuild(self) -> None:
        """Build the current generation anew from the catalog. Call inside `writing()`."""
        with self.catalog.snapshot():
            build_generation(
                self.folder,
                index_rows(self.catalog, self.embedder.name),
                revision=self.catalog.revision,
                embedder=self.embedder.name,
                dimension=int(self.catalog.meta("dimension") or self.embedder.dimension),
                config=self._config,
            )
        self._generation = None

    def _renew(self) -> None:
        """Bring the index up to date, building anew only what must be."""
        with self.catalog.snapshot():
            current = current_manifest(self.folder)
            change = None if current is None else self._small_change_since(*current)
            if current is None or change is None:
                self.rebuild()
            else:
                extend_generation(self.folder, *current, change, revision=self.catalog.revision)
        self._generation = None

    def _small_change_since(self, folder: Path, manifest: Manifest) -> Change | None:
        """Say how the catalog differs from a generation; None where that generation is no ground to build on."""
        made_from = (manifest.embedder, manifest.dimension)
        wanted = (self.embedder.name, int(self.catalog.meta("dimension") or self.embedder.dimension))
        in_place = int(self.catalog.meta("changed_in_place") or 0)  # the revision; chunks' numbers don't tell
        if made_from != wanted or manifest.n_rows < self._config.extend_from or manifest.revision < in_place:
            return None
        try:
            if file_problems(folder, manifest, samples_only=True):
                return None
            table = open_row_table(folder)
        except (OSError, KnowledgeBaseError):
            return None
        numbers = chunk_numbers(self.catalog)
        still_live = table.live & table.are_among(numbers)
        added = np.setdiff1d(numbers, table.rows[still_live], assume_unique=True)
        n_tail = manifest.n_rows - manifest.n_base + len(added)
        n_dead = len(table) - int(np.count_nonzero(still_live))
        if n_tail > self._config.tail_up_to or n_tail + n_dead > self._config.changed_share * manifest.n_rows:
            return None
        return Change(index_rows_of(self.catalog, self.embedder.name, added.tolist()), still_live)

    def generation(self) -> IndexGeneration:
        """Give the newest generation that is whole, reopening or rebuilding it when needed."""
        revision = self.catalog.revision
        if self._generation is None or self._generation.manifest.revision != revision:
            self._generation, self._notice = self._up_to_date(revision) or self._rebuilt_or_last()
        return self._generation

    def problems(self) -> list[str]:
        """List what is wrong, in words; empty when all is well."""
        return knowledge_base_problems(self.folder, self.catalog)

    def size_bytes(self) -> int:
        """Give the size of the folder's files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def embedder_knows_chinese(self) -> bool:
        """Tell whether the embedder was found to understand Chinese when the knowledge base was made."""
        return self.catalog.meta("knows_chinese") != "no"

    def typical_cosine(self) -> float:
        """Give the cosine that unrelated texts have in the embedder, as found when the knowledge base was made."""
        return float(self.catalog.meta("typical_cosine") or 0.0)

    def language_centroids(self) -> dict[str, Vectors]:
        """Give what texts of a language have in common in the embedder: its mean vector, shape (dimension,)."""
        english, chinese = (
            np.frombuffer(bytes.fromhex(self.catalog.meta(f"centroid_{language}") or ""), dtype="<f4")
            for language in ("en", "zh")
        )
        return {"en": english, "zh": chinese}

    def _renew_terms(self) -> None:
        """Index what an older Footnote took in as this one would; where nothing can be written now, leave it."""
        if self.catalog.meta("embedder") is None or self.catalog.meta("terms") == TERMS_VERSION:
            return
        if not self.catalog.why_read_only:
            with suppress(BusyError), self._lock.acquire(timeout_seconds=0):
                renew_terms(self.catalog)

    def _remember_embedder(self) -> None:
        probe = probe_embedder(self.embedder)
        self.catalog.set_meta(
            terms=TERMS_VERSION,
            embedder=self.embedder.name,
            embedded_by="",  # not before a refresh has found so
            dimension=str(self.embedder.dimension),
            knows_chinese="yes" if probe.knows_chinese else "no",
            typical_cosine=f"{probe.typical_cosine:.4f}",
            centroid_en=probe.english.astype("<f4").tobytes().hex(),
            centroid_zh=probe.chinese.astype("<f4").tobytes().hex(),
        )

    def _up_to_date(self, revision: int) -> tuple[IndexGeneration, None] | None:
        """Open the current generation if it belongs to this revision and is whole."""
        current = current_manifest(self.folder)
        if current is None or current[1].revision != revision:
            return None
        if current[1].embedder != self.embedder.name and self.catalog.meta("embedder") != self.embedder.name:
            raise KnowledgeBaseError(
                f"{self.name} was rebuilt with {current[1].embedder} meanwhile, this process uses {self.embedder.name};"
                f" set FOOTNOTE_EMBEDDER and start it again"
            )
        try:
            damaged = file_problems(*current, samples_only=True)
            return None if damaged else (open_generation(*current, self._config), None)
        except (OSError, KnowledgeBaseError):  # swapped out and removed while it was read, or damaged
            return None

    def _rebuilt_or_last(self) -> tuple[IndexGeneration, str | None]:
        """Rebuild; where that can't be, give the last generation and why it isn't the newest."""
        if self.catalog.why_read_only:
            return self._last(self.catalog.why_read_only)
        try:
            with self._lock.acquire(timeout_seconds=0):
                self._renew()
        except BusyError:
            return self._last("another process is adding documents")  # and will build the next one
        except StorageError as error:
            return self._last(str(error))
        return self._up_to_date(self.catalog.revision) or self._last("another process has just begun to write")

    def _last(self, reason: str) -> tuple[IndexGeneration, str]:
        notice = f"the newest changes of {self.name} can't be searched yet: {reason}"
        if self._generation is not None:
            return self._without_deleted(self._generation), notice
        for _ in range(5):  # a writer may swap the index while it is being opened: then the next one is there
            current = current_manifest(self.folder)
            if current is None or current[1].embedder != self.embedder.name:
                break
            try:
                return self._without_deleted(open_generation(*current, self._config)), notice
            except KnowledgeBaseError:
                continue
        raise StorageError(f"{self.name} has no index that can be read, and none can be built now: {reason}")

    def _without_deleted(self, generation: IndexGeneration) -> IndexGeneration:
        """Leave out the rows whose chunks were deleted since the generation was built."""
        revision = self.catalog.revision
        if (
            self._last_seen is None
            or self._last_seen[0] != revision
            or self._last_seen[1].table is not generation.table
        ):
            there = generation.table.are_among(chunk_numbers(self.catalog))
            gone = generation.table.live & ~there
            self._last_seen = (revision, generation.without(gone) if gone.any() else generation)
        return self._last_seen[1]
