"""A path in, an open SQLite connection to a catalog out, made or checked. Knows the tables, not what they mean.

A catalog is made in one transaction, so that it is there whole or not at all. In a folder that can't be written it is
opened read-only: with the locks of WAL where its side files are there, else as a file that nobody changes.
"""

import os
import sqlite3
from pathlib import Path

from ingest.errors import KnowledgeBaseError, StorageError

FORMAT_VERSION = 1

_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE documents (
    id TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE, content_hash TEXT NOT NULL, title TEXT NOT NULL,
    text TEXT NOT NULL, pages TEXT NOT NULL, blocks TEXT NOT NULL, language TEXT NOT NULL, metadata TEXT NOT NULL,
    chunking TEXT NOT NULL)""",
    # number is never given twice (AUTOINCREMENT): an old index generation can't mistake a new chunk for a deleted one.
    # text_hash names the text that was embedded: after a rename, the one with the name that the file had.
    """CREATE TABLE chunks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE, position INTEGER NOT NULL,
    span_start INTEGER NOT NULL, span_end INTEGER NOT NULL, text TEXT NOT NULL, headings TEXT NOT NULL, page INTEGER,
    text_hash TEXT NOT NULL, terms TEXT NOT NULL, language TEXT NOT NULL)""",
    "CREATE INDEX chunks_by_document ON chunks (document_id, position)",
    "CREATE INDEX chunks_by_text_hash ON chunks (text_hash)",
    """CREATE TABLE vectors (
    embedder TEXT NOT NULL, text_hash TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (embedder, text_hash)
) WITHOUT ROWID""",
)
# Where words stand in pictures of pages, and when they are spoken in recordings. Made when the first document has any,
# so that a knowledge base from before, and one without any, is as it was.
PLACES = """CREATE TABLE IF NOT EXISTS places (
    document_id TEXT PRIMARY KEY REFERENCES documents(id) ON DELETE CASCADE,
    read_pages TEXT NOT NULL, utterances TEXT NOT NULL) WITHOUT ROWID"""
HAS_PLACES = "SELECT 1 FROM sqlite_master WHERE name = 'places'"
# What users call documents by. Made with the first tag; no foreign key, because a document that is taken in again is
# deleted and put anew, and keeps its tags.
TAGS = """CREATE TABLE IF NOT EXISTS tags (
    document_id TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (document_id, tag)) WITHOUT ROWID"""
HAS_TAGS = "SELECT 1 FROM sqlite_master WHERE name = 'tags'"

# Which texts lost a chunk, so that their vectors may be of no use any more; noted from the day on which every chunk was
# found to have a vector from the embedder that meta's `embedded_by` names.
_LOSSES = (
    "CREATE TABLE IF NOT EXISTS lost (text_hash TEXT PRIMARY KEY) WITHOUT ROWID",
    """CREATE TRIGGER IF NOT EXISTS note_lost AFTER DELETE ON chunks
    BEGIN INSERT OR IGNORE INTO lost VALUES (old.text_hash); END""",
)


class _UnfinishedError(KnowledgeBaseError):
    """A file that has no tables yet."""


def open_catalog_file(path: Path, *, create: bool) -> tuple[sqlite3.Connection, str | None]:
    """Give a connection in autocommit mode, and why it can only be read; None when it can be written too.

    Raises KnowledgeBaseError when the file isn't there, is damaged or has another format, StorageError when the disk
    refuses.
    """
    if not create and not path.is_file():
        raise KnowledgeBaseError(f"there is no knowledge base at {path.parent}; add documents with: footnote ingest")
    try:
        connection, why_read_only = _connect_as_can_be(path)
    except sqlite3.Error as error:
        raise as_our_error(error, path) from error
    try:
        if create and why_read_only is None and not _has_tables(connection):
            _make(connection)
        _check_format(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise as_our_error(error, path) from error
    except KnowledgeBaseError:
        connection.close()
        raise
    return connection, why_read_only


def note_losses(connection: sqlite3.Connection, embedder: str) -> None:
    """From now on, note the texts whose chunks are deleted; every chunk has a vector from `embedder`."""
    for statement in _LOSSES:
        connection.execute(statement)
    connection.execute("DELETE FROM lost")
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('embedded_by', ?)", (embedder,))


def note_change_in_place(connection: sqlite3.Connection) -> None:
    """Note, inside a change, that chunks get other terms or vectors under the numbers that they have: an index from
    before can't be extended any more.
    """
    connection.execute(
        "INSERT OR REPLACE INTO meta SELECT 'changed_in_place', CAST(value AS INTEGER) + 1 FROM meta"
        " WHERE key = 'revision'"
    )


def is_made(path: Path) -> bool:
    """Tell whether there is a catalog at `path`, whole or damaged. A killed first ingest leaves none."""
    if not path.is_file():
        return False
    try:
        connection, _ = open_catalog_file(path, create=False)
    except _UnfinishedError:
        return False
    except KnowledgeBaseError:
        return True
    connection.close()
    return True


def as_our_error(error: sqlite3.Error, path: Path) -> Exception:
    """Say what SQLite's error means for the user; a bug of ours (a broken constraint, wrong SQL) stays what it is."""
    if isinstance(error, sqlite3.OperationalError):
        return StorageError(
            f"{path} can't be used ({error}); what was committed is safe. Free some disk space, or check that the"
            f" folder can be written to and no other program holds it"
        )
    if type(error) is sqlite3.DatabaseError:
        return KnowledgeBaseError(
            f"{path} is damaged ({error}); see what can be saved with: footnote kb repair --kb {path.parent.name}, or"
            f" restore it from an export"
        )
    return error


def _connect_as_can_be(path: Path) -> tuple[sqlite3.Connection, str | None]:
    exists = path.is_file()
    if exists and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return _connect_read_only(path), "the folder is read-only"
    try:
        return _connect(path), None
    except sqlite3.OperationalError as error:
        # WAL needs a few pages for its side files even to read. Where a full disk doesn't give them, and no log waits
        # to be folded in, nobody else has the file open (their side files would serve), and it is read as it stands.
        refused = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
        if not (exists and refused) or _size(path.with_name(f"{path.name}-wal")):
            raise
        return _connect_read_only(path), f"its disk is full or failing ({error})"


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _connect(path: Path) -> sqlite3.Connection:
    # autocommit mode: transactions are opened by hand, and reads never hold one.
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _connect_read_only(path: Path) -> sqlite3.Connection:
    """Read with WAL's locks where its side files are there; else nobody else can write either: read as it stands."""
    address = path.absolute().as_uri()
    log, shared = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm"))
    mode = "mode=ro" if _size(log) and shared.exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{address}?{mode}", uri=True, timeout=30, isolation_level=None, check_same_thread=False)


def _make(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _has_tables(connection):  # another process may have made them meanwhile
            for table in _TABLES:
                connection.execute(table)
            connection.execute("INSERT INTO meta VALUES ('format_version', ?)", (str(FORMAT_VERSION),))
            connection.execute("INSERT INTO meta VALUES ('revision', '0')")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is not None


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    if not _has_tables(connection):
        raise _UnfinishedError(
            f"knowledge base {path.parent.name} was never finished: its making was interrupted before the first"
            f" document; make it with: footnote ingest --kb {path.parent.name} PATH"
        )
    row = connection.execute("SELECT value FROM meta WHERE key = 'format_version'").fetchone()
    if row is None or row[0] != str(FORMAT_VERSION):
        raise KnowledgeBaseError(
            f"{path.parent} has format {row[0] if row else 'unknown'}, this Footnote reads {FORMAT_VERSION}; delete it"
            f" with `footnote kb delete` and ingest again"
        )
