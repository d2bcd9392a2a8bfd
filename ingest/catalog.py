"""The truth of a knowledge base: one SQLite file with documents, chunks and vectors. Knows no index and no search.

Vectors are kept by (embedder, hash of the embedded text), so that an edited file re-embeds only the chunks that
changed, and a moved or renamed one embeds nothing. Every change is one transaction that also raises `revision`.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from ingest.catalog_connection import CatalogConnection
from ingest.catalog_file import HAS_PLACES, HAS_TAGS, PLACES, TAGS
from ingest.catalog_rows import (
    DocumentInfo,
    StoredChunk,
    StoredDocument,
    chunk_of,
    chunk_row,
    document_of,
    document_row,
    pages_of,
    places_row,
    read_pages_of,
    text_hash,
    utterances_of,
)
from ingest.catalog_vectors import NO_VECTOR
from ingest.document import Chunk, Document, Page, Span, Utterance
from ingest.embedder import Vectors
from ingest.errors import KnowledgeBaseError
from ingest.terms import TERMS_VERSION
from ingest.unread_parts import UNREAD_PARTS, unread_parts

_N_PAGES = "CASE WHEN json_valid(pages) THEN json_array_length(pages) ELSE 0 END"  # a damaged one is `verify`'s to name
_OCR_PAGES_LIMIT = (
    "CASE WHEN json_valid(metadata) THEN CAST(json_extract(metadata, '$.ocr_pages_limit') AS INTEGER) END"
)
_N_INVISIBLE = (
    "CASE WHEN json_valid(metadata) THEN"
    " IFNULL(CAST(json_extract(metadata, '$.invisible_characters') AS INTEGER), 0) ELSE 0 END"
)
_UNREAD = f"CASE WHEN json_valid(metadata) THEN json_extract(metadata, '$.{UNREAD_PARTS}') END"
_CHUNK_COLUMNS = "chunks.id, document_id, span_start, span_end, chunks.text, headings, page"


class Catalog(CatalogConnection):
    """An open catalog. Threads may share one for reading; a writer opens its own."""

    def source_state(self, source: str) -> str | None:
        """Give what was remembered of a source that is more than one document, or of a web page; None for others."""
        return self.meta(f"state {source}")

    def remember_state(self, source: str, state: str) -> None:
        """Remember a source's state. The documents stay as they are, so the revision does too."""
        if self.source_state(source) != state:
            with self.transaction() as db:
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
            with self.transaction() as db:
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
            f" chunking, {_OCR_PAGES_LIMIT}, {_N_INVISIBLE}, {_UNREAD} FROM documents ORDER BY source"
        )
        return [replace(DocumentInfo(*facts), unread=unread_parts({UNREAD_PARTS: parts})) for *facts, parts in rows]

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
        query = (
            f"SELECT {_CHUNK_COLUMNS}, number, position, source, title, terms FROM chunks"
            " JOIN documents ON documents.id = document_id WHERE number IN ({marks})"
        )
        return {row[7]: StoredChunk(chunk_of(row), *row[8:12]) for row in self.rows_among(query, numbers)}

    def text_between(self, document_id: str, span: Span) -> str:
        """Give the characters of a document that `span` covers; empty when it isn't there."""
        rows = self.rows(
            "SELECT substr(text, ?, ?) FROM documents WHERE id = ?", (span.start + 1, len(span), document_id)
        )
        return str(rows[0][0]) if rows else ""


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
