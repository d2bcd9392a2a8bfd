"""The truth of a knowledge base: one SQLite file with documents, chunks and vectors. Knows no index and no search.

Vectors are kept by (embedder, hash of the embedded text), so that an edited file re-embeds only the chunks that
changed, and a moved or renamed one embeds nothing. Every change is one transaction that also raises `revision`.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ingest.catalog_file import (
    HAS_PLACES,
    HAS_TAGS,
    PLACES,
    TAGS,
    as_our_error,
    note_change_in_place,
    note_losses,
    open_catalog_file,
)
from ingest.catalog_rows import (
    DocumentInfo,
    IndexRow,
    StoredChunk,
    StoredDocument,
    chunk_of,
    chunk_row,
    chunk_terms,
    document_of,
    document_row,
    pages_of,
    places_row,
    read_pages_of,
    text_hash,
    utterances_of,
)
from ingest.document import Chunk, Document, Page, Span, Utterance
from ingest.embedder import Vectors
from ingest.errors import KnowledgeBaseError, StorageError
from ingest.terms import TERMS_VERSION

NO_VECTOR = "NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.embedder = ? AND vectors.text_hash = chunks.text_hash)"
UNUSED = "NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.text_hash = vectors.text_hash)"
_N_PAGES = "CASE WHEN json_valid(pages) THEN json_array_length(pages) ELSE 0 END"  # a damaged one is `verify`'s to name
_INDEX_COLUMNS = (
    "number, chunks.id, terms, chunks.language, vector, chunks.text_hash, document_id FROM chunks"
    " JOIN documents ON documents.id = document_id"
    " JOIN vectors ON vectors.embedder = ? AND vectors.text_hash = chunks.text_hash"
)
_OCR_PAGES_LIMIT = (
    "CASE WHEN json_valid(metadata) THEN CAST(json_extract(metadata, '$.ocr_pages_limit') AS INTEGER) END"
)
_N_INVISIBLE = (
    "CASE WHEN json_valid(metadata) THEN"
    " IFNULL(CAST(json_extract(metadata, '$.invisible_characters') AS INTEGER), 0) ELSE 0 END"
)
_CHUNK_COLUMNS = "chunks.id, document_id, span_start, span_end, chunks.text, headings, page"


class Catalog:
    """An open catalog. Threads may share one for reading; a writer opens its own."""

    def __init__(self, path: Path, *, create: bool) -> None:
        self._path = path
        self._db, self.why_read_only = open_catalog_file(path, create=create)
        self._file = _identity(path)

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._db.close()

    @property
    def was_replaced(self) -> bool:
        """Tell whether the file that is open is no longer the one at this path: deleted, or restored meanwhile."""
        return _identity(self._path) != self._file

    @property
    def revision(self) -> int:
        """How many changes were committed so far."""
        return int(self.meta("revision") or 0)

    def meta(self, key: str) -> str | None:
        """Give a stored setting (embedder, dimension, chunking, ...), None when it was never set."""
        rows = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def set_meta(self, **values: str) -> None:
        """Store settings, in one transaction."""
        with self.change() as db:
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))

    def source_state(self, source: str) -> str | None:
        """Give what was remembered of a source that is more than one document, or of a web page; None for others."""
        return self.meta(f"state {source}")

    def remember_state(self, source: str, state: str) -> None:
        """Remember a source's state. The documents stay as they are, so the revision does too."""
        if self.source_state(source) != state:
            with self._transaction() as db:
                db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"state {source}", state))

    def tags(self) -> dict[str, tuple[str, ...]]:
        """Give each tagged document's tags, sorted, by document id."""
        if not self.rows(HAS_TAGS):
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for document_id, tag in self.rows("SELECT document_id, tag FROM tags ORDER BY document_id, tag"):
            found[str(document_id)] = (*found.get(str(document_id), ()), str(tag))
        return found

    def change_tags(
        self, document_ids: Collection[str], *, add: Collection[str] = (), remove: Collection[str] = ()
    ) -> int:
        """Give documents tags and take others away; tell how many documents that changed.

        No text changes by it, so the revision, and with it the index, stays.
        """
        there = self.tags()
        wanted = {id_: (set(there.get(id_, ())) | set(add)) - set(remove) for id_ in document_ids}
        changed = {id_: tags for id_, tags in wanted.items() if tags != set(there.get(id_, ()))}
        if changed:
            with self._transaction() as db:
                db.execute(TAGS)
                db.executemany("DELETE FROM tags WHERE document_id = ?", [(id_,) for id_ in changed])
                pairs = [(id_, tag) for id_, tags in changed.items() for tag in tags]
                db.executemany("INSERT INTO tags VALUES (?, ?)", pairs)
        return len(changed)

    def put(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: Vectors,
        *,
        embedder: str,
        chunking: str,
        replaces: str | None = None,
    ) -> None:
        """Add a document, or replace the version with the same id, with its chunks and their vectors, at once.

        `vectors` has a row for each chunk. The document with the id `replaces`, if any, goes in the same instant.
        Raises ValueError when the counts differ.
        """
        if len(chunks) != len(vectors):
            raise ValueError(f"{len(chunks)} chunks need as many vectors, got {len(vectors)}")
        hashes = [text_hash(chunk.embedded_text) for chunk in chunks]
        with self.change() as db:
            _replace(db, replaces, document, zip(chunks, hashes, strict=True), chunking)
            db.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                (
                    (embedder, hash_, vector.astype("<f4").tobytes())
                    for hash_, vector in zip(hashes, vectors, strict=True)
                ),
            )

    def keep_vectors(self, embedder: str, vectors: Mapping[str, Vectors]) -> None:
        """Store vectors by text hash ahead of the chunks that they are for; until those come, nothing else changes."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                ((embedder, hash_, vector.astype("<f4").tobytes()) for hash_, vector in vectors.items()),
            )
            if self._are_losses_noted(embedder):
                db.executemany("INSERT OR IGNORE INTO lost VALUES (?)", ((hash_,) for hash_ in vectors))

    def put_kept(self, document: Document, chunks: Iterable[Chunk], *, embedder: str, chunking: str) -> int:
        """Do what `put` does for chunks whose vectors were kept before, holding one at a time; give their number.

        Raises ValueError when a vector is missing, and changes nothing then.
        """
        with self.change() as db:
            hashed = ((chunk, text_hash(chunk.embedded_text)) for chunk in chunks)
            n_chunks = _replace(db, None, document, hashed, chunking)
            query = f"SELECT COUNT(*) FROM chunks WHERE document_id = ? AND {NO_VECTOR}"
            if missing := db.execute(query, (document.id, embedder)).fetchone()[0]:
                raise ValueError(f"{missing} of {n_chunks} chunks of {document.source} have no vector")
        return n_chunks

    def move(self, old_id: str, document: Document, chunks: Sequence[Chunk], *, chunking: str) -> bool:
        """Let `document` take the place of `old_id` with the vectors that are there; tell whether it could.

        It can where both are cut alike. A title that comes from the file's name changes with it and is found by words
        at once; the vectors stay those made under the old name until the text changes.
        """
        rows = self.rows(
            "SELECT span_start, span_end, text, text_hash FROM chunks WHERE document_id = ? ORDER BY position",
            (old_id,),
        )
        if [(chunk.span.start, chunk.span.end, chunk.text) for chunk in chunks] != [tuple(row[:3]) for row in rows]:
            return False
        with self.change() as db:
            _replace(db, old_id, document, zip(chunks, (str(row[3]) for row in rows), strict=True), chunking)
        return True

    def restore(
        self,
        documents: Iterable[StoredDocument],
        vectors: Iterable[tuple[str, bytes]],
        meta: Mapping[str, str],
        *,
        first_number: int = 1,
    ) -> None:
        """Fill an empty catalog with all that another one held, in one transaction; chunks from `first_number` on."""
        with self.change() as db:
            db.execute("INSERT INTO sqlite_sequence VALUES ('chunks', ?)", (first_number - 1,))
            for stored in documents:
                _replace(db, None, stored.document, zip(stored.chunks, stored.hashes, strict=True), stored.chunking)
                if stored.tags:
                    db.execute(TAGS)
                    db.executemany("INSERT INTO tags VALUES (?, ?)", [(stored.document.id, tag) for tag in stored.tags])
            embedder = meta.get("embedder", "")
            db.executemany(
                "INSERT INTO vectors VALUES (?, ?, ?)", ((embedder, hash_, vector) for hash_, vector in vectors)
            )
            told = [(key, value) for key, value in meta.items() if key != "embedded_by"]  # true of that catalog
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", [*told, ("terms", TERMS_VERSION)])

    def remove(self, document_id: str) -> bool:
        """Remove a document and its chunks; tell whether it was there."""
        with self.change() as db:
            if db.execute(HAS_TAGS).fetchone():
                db.execute("DELETE FROM tags WHERE document_id = ?", (document_id,))
            return db.execute("DELETE FROM documents WHERE id = ?", (document_id,)).rowcount > 0

    def forget_unused_vectors(self, embedder: str) -> int:
        """Remove vectors that no chunk refers to, and other embedders' once every chunk has one from `embedder`.

        Gives their number; changes nothing, not even the revision, where there are none. Only the first time all
        vectors are looked through: from then on the catalog notes which ones lost a chunk.
        """
        if not self._are_losses_noted(embedder):
            return self._forget_all_unused(embedder)
        unused = f"text_hash IN (SELECT text_hash FROM lost) AND {UNUSED}"
        n_unused = int(self.rows(f"SELECT COUNT(*) FROM vectors WHERE embedder = ? AND {unused}", (embedder,))[0][0])
        with self.change() if n_unused else self._transaction() as db:
            db.execute(f"DELETE FROM vectors WHERE embedder = ? AND {unused}", (embedder,))
            db.execute("DELETE FROM lost")
        return n_unused

    def _are_losses_noted(self, embedder: str) -> bool:
        """Tell whether every chunk was found to have a vector from `embedder`, and losses were noted ever since."""
        return self.meta("embedded_by") == embedder

    def _forget_all_unused(self, embedder: str) -> int:
        complete = not self.without_vectors(embedder)
        unused = f"{UNUSED} OR (? AND embedder != ?)"
        arguments = (int(complete), embedder)
        is_any = bool(self.rows(f"SELECT EXISTS (SELECT 1 FROM vectors WHERE {unused})", arguments)[0][0])
        if not (is_any or complete):
            return 0
        with self.change() if is_any else self._transaction() as db:
            n_unused = db.execute(f"DELETE FROM vectors WHERE {unused}", arguments).rowcount
            if complete:
                note_losses(db, embedder)
        return n_unused

    def known_vectors(self, embedder: str, text_hashes: Iterable[str]) -> dict[str, Vectors]:
        """Give the stored vectors among `text_hashes`, by hash."""
        found: dict[str, Vectors] = {}
        for wanted in _batches(list(dict.fromkeys(text_hashes)), 500):
            marks = ",".join("?" * len(wanted))
            rows = self.rows(
                f"SELECT text_hash, vector FROM vectors WHERE embedder = ? AND text_hash IN ({marks})",
                (embedder, *wanted),
            )
            found.update((row[0], np.frombuffer(row[1], dtype="<f4")) for row in rows)
        return found

    def document(self, document_id: str) -> Document:
        """Give a whole document. Raises KnowledgeBaseError when it isn't there."""
        rows = self.rows(
            "SELECT id, source, content_hash, title, text, pages, blocks, language, metadata FROM documents"
            " WHERE id = ?",
            (document_id,),
        )
        if not rows:
            raise KnowledgeBaseError(f"document {document_id} is not in this knowledge base; it may have been deleted")
        return replace(
            document_of(rows[0]),
            read_pages=read_pages_of(self._places(document_id, "read_pages")),
            utterances=self.utterances_of(document_id),
        )

    def documents(self) -> list[DocumentInfo]:
        """List the documents, by source."""
        rows = self.rows(
            "SELECT id, source, title, content_hash, language,"
            f" (SELECT COUNT(*) FROM chunks WHERE document_id = documents.id), {_N_PAGES}, length(text),"
            f" chunking, {_OCR_PAGES_LIMIT}, {_N_INVISIBLE} FROM documents ORDER BY source"
        )
        return [DocumentInfo(*row) for row in rows]

    def counts(self) -> tuple[int, int]:
        """Give the numbers of documents and of chunks."""
        row = self.rows("SELECT (SELECT COUNT(*) FROM documents), (SELECT COUNT(*) FROM chunks)")[0]
        return int(row[0]), int(row[1])

    def pages_of(self, document_id: str) -> tuple[Page, ...]:
        """Give a document's pages without its text; empty when it has none or isn't there."""
        rows = self.rows("SELECT pages FROM documents WHERE id = ?", (document_id,))
        return pages_of(rows[0][0]) if rows else ()

    def utterances_of(self, document_id: str) -> tuple[Utterance, ...]:
        """Give what is said in a recording, and when, without its text; empty for other documents."""
        return utterances_of(self._places(document_id, "utterances"))

    def _places(self, document_id: str, column: Literal["read_pages", "utterances"]) -> list[Any]:  # JSON
        if not self.rows(HAS_PLACES):
            return []
        rows = self.rows(f"SELECT {column} FROM places WHERE document_id = ?", (document_id,))
        return list(json.loads(rows[0][0])) if rows else []

    def page(self, document_id: str, number: int) -> Page | None:
        """Give one page of a document; None when it isn't there."""
        query = "SELECT json_array(json_extract(pages, ?)) FROM documents WHERE id = ? AND json_valid(pages)"
        rows = self.rows(query, (f"$[{number - 1}]", document_id))
        return pages_of(rows[0][0])[0] if rows and rows[0][0] != "[null]" else None

    def chunks_of(self, document_id: str) -> list[Chunk]:
        """Give a document's chunks in order; empty when it isn't there."""
        query = f"SELECT {_CHUNK_COLUMNS} FROM chunks WHERE document_id = ? ORDER BY position"
        return [chunk_of(row) for row in self.rows(query, (document_id,))]

    def chunk_at(self, document_id: str, position: int) -> Chunk | None:
        """Give the chunk in a place (from 0) of a document; None where there is none."""
        query = f"SELECT {_CHUNK_COLUMNS} FROM chunks WHERE document_id = ? AND position = ?"
        rows = self.rows(query, (document_id, position))
        return chunk_of(rows[0]) if rows else None

    def text_hashes_of(self, document_id: str) -> list[str]:
        """Give, for each of a document's chunks in order, the hash of the text that its vector stands for."""
        query = "SELECT text_hash FROM chunks WHERE document_id = ? ORDER BY position"
        return [str(row[0]) for row in self.rows(query, (document_id,))]

    def chunks_by_number(self, numbers: Sequence[int]) -> dict[int, StoredChunk]:
        """Give chunks by number; deleted numbers are left out."""
        found: dict[int, StoredChunk] = {}
        for wanted in _batches(list(numbers), 500):
            marks = ",".join("?" * len(wanted))
            rows = self.rows(
                f"SELECT {_CHUNK_COLUMNS}, number, position, source, title, terms FROM chunks"
                f" JOIN documents ON documents.id = document_id WHERE number IN ({marks})",
                wanted,
            )
            found.update((row[7], StoredChunk(chunk_of(row), *row[8:12])) for row in rows)
        return found

    def text_between(self, document_id: str, span: Span) -> str:
        """Give the characters of a document that `span` covers; empty when it isn't there."""
        rows = self.rows(
            "SELECT substr(text, ?, ?) FROM documents WHERE id = ?", (span.start + 1, len(span), document_id)
        )
        return str(rows[0][0]) if rows else ""

    def index_rows(self, embedder: str) -> Iterator[IndexRow]:
        """Give every chunk in an order that depends on the documents alone, not on when they were added."""
        rows = self.stream(f"SELECT {_INDEX_COLUMNS} ORDER BY source, position", (embedder,))
        return (IndexRow(*row) for row in rows)

    def renew_terms(self) -> None:
        """Index every chunk under the terms of this version of `ingest.terms`, in one transaction."""
        with self.change() as db:
            last = 0
            while rows := db.execute(
                "SELECT number, title, headings, chunks.text FROM chunks JOIN documents ON documents.id = document_id"
                " WHERE number > ? ORDER BY number LIMIT 1000",
                (last,),
            ).fetchall():
                last = rows[-1][0]
                db.executemany(
                    "UPDATE chunks SET terms = ? WHERE number = ?",
                    [
                        (chunk_terms(title, json.loads(headings), text), number)
                        for number, title, headings, text in rows
                    ],
                )
            db.execute("INSERT OR REPLACE INTO meta VALUES ('terms', ?)", (TERMS_VERSION,))
            note_change_in_place(db)

    def index_rows_of(self, embedder: str, numbers: Sequence[int]) -> list[IndexRow]:
        """Give the chunks with these numbers in that order; those without a vector are left out."""
        found = []
        for wanted in _batches(list(numbers), 500):
            marks = ",".join("?" * len(wanted))
            query = f"SELECT source, position, {_INDEX_COLUMNS} WHERE number IN ({marks})"
            found += self.rows(query, (embedder, *wanted))
        return [IndexRow(*row[2:]) for row in sorted(found, key=lambda row: (row[0], row[1]))]

    def chunk_numbers(self) -> npt.NDArray[np.int64]:
        """Give the numbers of all chunks, ascending."""
        # Out of an index, which is far smaller than the table with its texts.
        rows = self.stream("SELECT number FROM chunks INDEXED BY chunks_by_document", ())
        return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64))

    def without_vectors(self, embedder: str) -> set[str]:
        """Give the ids of documents that have a chunk without a vector from `embedder`.

        Once there were none there are none: whatever adds a chunk adds its vector. (What a fault of the disk takes away
        is named by `verify` and mended by `repair`.)
        """
        if self._are_losses_noted(embedder):
            return set()
        rows = self.rows(f"SELECT DISTINCT document_id FROM chunks WHERE {NO_VECTOR}", (embedder,))
        return {str(row[0]) for row in rows}

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See one revision, whatever another process commits meanwhile. Don't change anything inside."""
        if self._db.in_transaction:  # already inside one
            yield
            return
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._roll_back()  # nothing was changed; unlike COMMIT it can't fail on a damaged file

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction that raises the revision; rolled back whole when anything fails."""
        with self._transaction() as db:
            yield db
            db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision'")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self.why_read_only:
            raise StorageError(
                f"{self._path.parent} can be searched, but nothing can be added or removed: {self.why_read_only}. Free"
                f" some disk space, or make it writable"
            )
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise as_our_error(error, self._path) from error
        except BaseException:
            self._roll_back()
            raise

    def rows(self, query: str, arguments: Sequence[str | int] = ()) -> list[Any]:  # rows of many shapes
        try:
            return self._db.execute(query, arguments).fetchall()
        except sqlite3.Error as error:
            raise as_our_error(error, self._path) from error

    def stream(self, query: str, arguments: Sequence[str | int]) -> Iterator[Any]:  # as above
        try:
            yield from self._db.execute(query, arguments)
        except sqlite3.Error as error:
            raise as_our_error(error, self._path) from error

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself after some errors, a full disk among them.
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def _replace(
    db: sqlite3.Connection,
    old_id: str | None,
    document: Document,
    hashed_chunks: Iterable[tuple[Chunk, str]],
    chunking: str,
) -> int:
    """Put a document with its chunks, each with the hash of what is embedded for it; give the number of chunks."""
    db.execute("DELETE FROM documents WHERE id IN (?, ?)", (document.id, old_id))
    db.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", document_row(document, chunking))
    if old_id not in (None, document.id) and db.execute(HAS_TAGS).fetchone():
        db.execute("UPDATE OR REPLACE tags SET document_id = ? WHERE document_id = ?", (document.id, old_id))
    if document.read_pages or document.utterances:
        db.execute(PLACES)
        db.execute("INSERT INTO places VALUES (?, ?, ?)", places_row(document))
    return db.executemany(
        "INSERT INTO chunks (id, document_id, position, span_start, span_end, text, headings, page, text_hash, terms,"
        " language) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (chunk_row(chunk, position, hash_, document.title) for position, (chunk, hash_) in enumerate(hashed_chunks)),
    ).rowcount


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _batches(values: list[str] | list[int], size: int) -> Iterator[list[str] | list[int]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
