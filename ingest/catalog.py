"""The truth of a knowledge base: one SQLite file with documents, chunks and vectors. Knows no index and no search.

Vectors are kept by (embedder, hash of the embedded text), so that an edited file re-embeds only the chunks that
changed, and a moved or renamed one embeds nothing. Every change is one transaction that also raises `revision`.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from ingest.document import Block, Chunk, Document, Page, Span
from ingest.embedder import Vectors
from ingest.errors import KnowledgeBaseError
from ingest.language import detect_language
from ingest.terms import index_terms

FORMAT_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE, content_hash TEXT NOT NULL, title TEXT NOT NULL,
    text TEXT NOT NULL, pages TEXT NOT NULL, blocks TEXT NOT NULL, language TEXT NOT NULL, metadata TEXT NOT NULL,
    chunking TEXT NOT NULL);
-- number is never given twice (AUTOINCREMENT): an old index generation can't mistake a new chunk for a deleted one.
CREATE TABLE IF NOT EXISTS chunks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE, position INTEGER NOT NULL,
    span_start INTEGER NOT NULL, span_end INTEGER NOT NULL, text TEXT NOT NULL, headings TEXT NOT NULL, page INTEGER,
    text_hash TEXT NOT NULL, terms TEXT NOT NULL, language TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS chunks_by_document ON chunks (document_id, position);
CREATE INDEX IF NOT EXISTS chunks_by_text_hash ON chunks (text_hash);
CREATE TABLE IF NOT EXISTS vectors (
    embedder TEXT NOT NULL, text_hash TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (embedder, text_hash)
) WITHOUT ROWID;
"""

_CHUNK_COLUMNS = "chunks.id, document_id, span_start, span_end, chunks.text, headings, page"


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document without its text, for lists."""

    id: str
    source: str
    title: str
    content_hash: str
    language: str
    n_chunks: int
    n_pages: int
    n_characters: int
    chunking: str


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk with what its document is called, and its place (from 0) among the document's chunks."""

    chunk: Chunk
    position: int
    source: str
    title: str


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the indexes are built from: a chunk's number, id, terms, language and vector (float32 bytes)."""

    number: int
    chunk_id: str
    terms: str
    language: str
    vector: bytes


class Catalog:
    """An open catalog. Threads may share one for reading; a writer opens its own."""

    def __init__(self, path: Path, *, create: bool) -> None:
        if not create and not path.is_file():
            raise KnowledgeBaseError(
                f"there is no knowledge base at {path.parent}; add documents with: footnote ingest"
            )
        self._path = path
        # autocommit mode: transactions are opened by hand in `_change`, and reads never hold one.
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            if create:
                self._db.executescript(_SCHEMA)
                self._db.execute("INSERT OR IGNORE INTO meta VALUES ('format_version', ?)", (str(FORMAT_VERSION),))
                self._db.execute("INSERT OR IGNORE INTO meta VALUES ('revision', '0')")
            self._check_format()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise KnowledgeBaseError(
                f"{path} is damaged ({error}); restore it from a backup, or delete the knowledge base and ingest again"
            ) from error

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._db.close()

    @property
    def revision(self) -> int:
        """How many changes were committed so far."""
        return int(self.meta("revision") or 0)

    def meta(self, key: str) -> str | None:
        """Give a stored setting (embedder, dimension, chunking, ...), None when it was never set."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def set_meta(self, **values: str) -> None:
        """Store settings, in one transaction."""
        with self._change() as db:
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))

    def source_state(self, source: str) -> str | None:
        """Give what was remembered of a source that is more than one document, or of a web page; None for others."""
        return self.meta(f"state {source}")

    def remember_state(self, source: str, state: str) -> None:
        """Remember a source's state. The documents stay as they are, so the revision does too."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"state {source}", state))

    def put(
        self, document: Document, chunks: Sequence[Chunk], vectors: Vectors, *, embedder: str, chunking: str
    ) -> None:
        """Add a document, or replace the version with the same id, with its chunks and their vectors, at once.

        `vectors` has a row for each chunk. Raises ValueError when the counts differ.
        """
        if len(chunks) != len(vectors):
            raise ValueError(f"{len(chunks)} chunks need as many vectors, got {len(vectors)}")
        with self._change() as db:
            db.execute("DELETE FROM documents WHERE id = ?", (document.id,))
            db.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _document_row(document, chunking))
            db.executemany(
                "INSERT INTO chunks (id, document_id, position, span_start, span_end, text, headings, page, text_hash,"
                " terms, language) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (_chunk_row(chunk, position) for position, chunk in enumerate(chunks)),
            )
            db.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                (
                    (embedder, text_hash(chunk.embedded_text), vector.astype("<f4").tobytes())
                    for chunk, vector in zip(chunks, vectors, strict=True)
                ),
            )

    def remove(self, document_id: str) -> bool:
        """Remove a document and its chunks; tell whether it was there."""
        with self._change() as db:
            return db.execute("DELETE FROM documents WHERE id = ?", (document_id,)).rowcount > 0

    def forget_unused_vectors(self) -> int:
        """Remove vectors that no chunk refers to, and give their number."""
        with self._change() as db:
            return db.execute(
                "DELETE FROM vectors WHERE NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.text_hash = vectors.text_hash)"
            ).rowcount

    def known_vectors(self, embedder: str, text_hashes: Iterable[str]) -> dict[str, Vectors]:
        """Give the stored vectors among `text_hashes`, by hash."""
        found: dict[str, Vectors] = {}
        for wanted in _batches(list(dict.fromkeys(text_hashes)), 500):
            marks = ",".join("?" * len(wanted))
            rows = self._db.execute(
                f"SELECT text_hash, vector FROM vectors WHERE embedder = ? AND text_hash IN ({marks})",
                (embedder, *wanted),
            )
            found.update((row[0], np.frombuffer(row[1], dtype="<f4")) for row in rows)
        return found

    def document(self, document_id: str) -> Document:
        """Give a whole document. Raises KnowledgeBaseError when it isn't there."""
        row = self._db.execute(
            "SELECT id, source, content_hash, title, text, pages, blocks, language, metadata FROM documents"
            " WHERE id = ?",
            (document_id,),
        ).fetchone()
        if row is None:
            raise KnowledgeBaseError(f"document {document_id} is not in this knowledge base; it may have been deleted")
        pages = tuple(Page(number, Span(start, end), label) for number, start, end, label in json.loads(row[5]))
        blocks = tuple(Block(kind, Span(start, end), *rest) for kind, start, end, *rest in json.loads(row[6]))
        return Document(row[0], row[1], row[2], row[3], row[4], pages, blocks, row[7], json.loads(row[8]))

    def documents(self) -> list[DocumentInfo]:
        """List the documents, by source."""
        rows = self._db.execute(
            "SELECT id, source, title, content_hash, language,"
            " (SELECT COUNT(*) FROM chunks WHERE document_id = documents.id), json_array_length(pages), length(text),"
            " chunking FROM documents ORDER BY source"
        )
        return [DocumentInfo(*row) for row in rows]

    def counts(self) -> tuple[int, int]:
        """Give the numbers of documents and of chunks."""
        row = self._db.execute("SELECT (SELECT COUNT(*) FROM documents), (SELECT COUNT(*) FROM chunks)").fetchone()
        return int(row[0]), int(row[1])

    def pages_of(self, document_id: str) -> tuple[Page, ...]:
        """Give a document's pages without its text; empty when it has none or isn't there."""
        row = self._db.execute("SELECT pages FROM documents WHERE id = ?", (document_id,)).fetchone()
        return tuple(Page(n, Span(start, end), label) for n, start, end, label in json.loads(row[0])) if row else ()

    def chunks_of(self, document_id: str) -> list[Chunk]:
        """Give a document's chunks in order; empty when it isn't there."""
        query = f"SELECT {_CHUNK_COLUMNS} FROM chunks WHERE document_id = ? ORDER BY position"
        return [_chunk(row) for row in self._db.execute(query, (document_id,))]

    def chunks_by_number(self, numbers: Sequence[int]) -> dict[int, StoredChunk]:
        """Give chunks by number; deleted numbers are left out."""
        found: dict[int, StoredChunk] = {}
        for wanted in _batches(list(numbers), 500):
            marks = ",".join("?" * len(wanted))
            rows = self._db.execute(
                f"SELECT {_CHUNK_COLUMNS}, number, position, source, title FROM chunks"
                f" JOIN documents ON documents.id = document_id WHERE number IN ({marks})",
                wanted,
            )
            found.update((row[7], StoredChunk(_chunk(row), row[8], row[9], row[10])) for row in rows)
        return found

    def text_between(self, document_id: str, span: Span) -> str:
        """Give the characters of a document that `span` covers; empty when it isn't there."""
        row = self._db.execute(
            "SELECT substr(text, ?, ?) FROM documents WHERE id = ?", (span.start + 1, len(span), document_id)
        ).fetchone()
        return str(row[0]) if row else ""

    def index_rows(self, embedder: str) -> Iterator[IndexRow]:
        """Give every chunk in an order that depends on the documents alone, not on when they were added."""
        rows = self._db.execute(
            "SELECT number, chunks.id, terms, chunks.language, vector FROM chunks"
            " JOIN documents ON documents.id = document_id"
            " JOIN vectors ON vectors.embedder = ? AND vectors.text_hash = chunks.text_hash ORDER BY source, position",
            (embedder,),
        )
        return (IndexRow(*row) for row in rows)

    def problems(self, embedder: str) -> list[str]:
        """List what is wrong inside the catalog, in words; empty when all is well."""
        problems = [str(row[0]) for row in self._db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        problems += [f"a chunk of {row[2]} refers to nothing" for row in self._db.execute("PRAGMA foreign_key_check")]
        missing = self._db.execute(
            "SELECT COUNT(*) FROM chunks WHERE NOT EXISTS (SELECT 1 FROM vectors"
            " WHERE vectors.text_hash = chunks.text_hash AND embedder = ?)",
            (embedder,),
        ).fetchone()[0]
        if missing:
            problems.append(f"{missing} chunks have no vector from {embedder}")
        for info in self.documents():
            text = self.document(info.id).text
            wrong = sum(1 for chunk in self.chunks_of(info.id) if chunk.span.of(text) != chunk.text)
            if wrong:
                problems.append(f"{info.source}: {wrong} chunks differ from the document's text")
        return problems

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction that raises the revision; rolled back whole when anything fails."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision'")
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._roll_back()
            raise KnowledgeBaseError(
                f"{self._path} can't be written ({error}); nothing was changed. Free some disk space, or check that the"
                f" folder is writable and no other program holds it"
            ) from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _check_format(self) -> None:
        version = self.meta("format_version")
        if version != str(FORMAT_VERSION):
            raise KnowledgeBaseError(
                f"{self._path.parent} has format {version}, this Footnote reads {FORMAT_VERSION}; delete it with"
                f" `footnote kb delete` and ingest again"
            )


def text_hash(embedded_text: str) -> str:
    """Name a text by its first 32 hex digits of SHA-256."""
    return sha256(embedded_text.encode()).hexdigest()[:32]


def _document_row(document: Document, chunking: str) -> tuple[str, ...]:
    pages = json.dumps([[page.number, page.span.start, page.span.end, page.label] for page in document.pages])
    blocks = json.dumps([_block_row(block) for block in document.blocks], ensure_ascii=False)
    metadata = json.dumps(dict(document.metadata), ensure_ascii=False)
    head = (document.id, document.source, document.content_hash, document.title, document.text)
    return (*head, pages, blocks, document.language, metadata, chunking)


def _block_row(block: Block) -> list[str | int]:
    row: list[str | int] = [block.kind, block.span.start, block.span.end, block.level]
    return [*row, block.name] if block.name else row


def _chunk_row(chunk: Chunk, position: int) -> tuple[str | int | None, ...]:
    headings = json.dumps(chunk.headings, ensure_ascii=False)
    terms = " ".join(index_terms(chunk.embedded_text))
    place = (chunk.id, chunk.document_id, position, chunk.span.start, chunk.span.end)
    language = detect_language(chunk.text)
    return (*place, chunk.text, headings, chunk.page, text_hash(chunk.embedded_text), terms, language)


def _chunk(row: Sequence[str | int | None]) -> Chunk:
    identity, document, start, end, text, headings, page = row[:7]
    span = Span(int(start or 0), int(end or 0))
    number = int(page) if page is not None else None
    return Chunk(str(identity), str(document), span, str(text), tuple(json.loads(str(headings))), number)


def _batches(values: list[str] | list[int], size: int) -> Iterator[list[str] | list[int]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
