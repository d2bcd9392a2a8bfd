"""A catalog file with damaged pages in, a whole one out, with every document that could still be read.

SQLite reads a table until the first damaged page; reading it from both ends gets around one of them. Chunks and vectors
that can't be read are made anew by `repair`.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest.catalog import Catalog
from ingest.catalog_care import integrity_problems
from ingest.catalog_rows import StoredDocument, chunk_of, document_of, read_pages_of, utterances_of
from ingest.errors import KnowledgeBaseError, StorageError
from ingest.write_lock import WriteLock


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was saved of a damaged catalog, and what couldn't be, in words. Both empty when it was whole."""

    mended: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def salvage_catalog(folder: Path, *, wait_seconds: float) -> Salvage:
    """Put a new catalog in the place of a damaged one; the damaged file stays beside it as `catalog.damaged`.

    Raises KnowledgeBaseError when nothing can be read of it, BusyError while another process writes.
    """
    path = folder / "catalog.sqlite"
    if not _is_damaged(path):
        return Salvage()
    with WriteLock(folder).acquire(timeout_seconds=wait_seconds):
        fresh = folder / f".salvaged-{os.getpid()}.sqlite"
        fresh.unlink(missing_ok=True)
        try:
            found = _copy(path, fresh)
            path.replace(folder / "catalog.damaged")
            for ending in ("-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            fresh.replace(path)
        except OSError as error:
            raise StorageError(f"{path} can't be mended ({error.strerror or error}); make room, or a copy") from error
        finally:
            for ending in ("", "-wal", "-shm"):
                fresh.with_name(fresh.name + ending).unlink(missing_ok=True)
    return found


def _is_damaged(path: Path) -> bool:
    try:
        catalog = Catalog(path, create=False)
    except StorageError:
        raise
    except KnowledgeBaseError:
        return True
    try:
        return bool(integrity_problems(catalog))
    except StorageError:
        raise
    except KnowledgeBaseError:
        return True
    finally:
        catalog.close()


def _copy(path: Path, fresh: Path) -> Salvage:
    damaged = sqlite3.connect(path, isolation_level=None)
    damaged.text_factory = _decoded
    try:
        meta = {str(key): str(value) for key, value in _all_rows(damaged, "meta", "key", "key, value")}
        documents = {row[1]: row[1:] for row in _all_rows(damaged, "documents", "rowid", "rowid, *")}
        chunks = list(_all_rows(damaged, "chunks", "rowid", _CHUNK))
        places = {str(row[0]): row[1:] for row in _all_rows(damaged, "places", "document_id", _PLACE)}
        tags: dict[str, tuple[str, ...]] = {}
        for id_, tag in _all_rows(damaged, "tags", "document_id, tag", "document_id, tag"):
            tags[str(id_)] = (*tags.get(str(id_), ()), str(tag))
        vectors = {
            str(row[1]): bytes(row[2])
            for row in _all_rows(damaged, "vectors", "embedder, text_hash", "embedder, text_hash, vector")
            if row[0] == meta.get("embedder")
        }
    finally:
        damaged.close()
    if not documents or "embedder" not in meta:
        raise KnowledgeBaseError(
            f"{path} is damaged beyond what can be saved; restore an export with `footnote kb import`, or delete the"
            f" knowledge base with `footnote kb delete --kb {path.parent.name}` and ingest again"
        )
    saved, lost = _readable_documents(documents, chunks, places, tags)
    # The numbers of the new chunks must not be those that an old index knows under another meaning.
    highest = max((int(row[7]) for row in chunks), default=0)
    meta["revision"] = str(int(meta.get("revision", "0")) + 1)
    catalog = Catalog(fresh, create=True)
    try:
        catalog.restore(saved, vectors.items(), meta, first_number=highest + 1_000_000)
    finally:
        catalog.close()
    mended = (f"the catalog was damaged: {len(saved)} documents were saved; the old file is catalog.damaged",)
    return Salvage(mended, tuple(f"{source} can't be read; take it in again with: footnote ingest" for source in lost))


_PLACE = "document_id, read_pages, utterances"
_CHUNK = "id, document_id, span_start, span_end, text, headings, page, number, position, text_hash"


def _all_rows(database: sqlite3.Connection, table: str, key: str, columns: str) -> Iterator[Any]:  # rows of SQLite
    """Give the rows of a table that can be read from its start, then from its end."""
    seen: set[Any] = set()
    for order in ("", " DESC"):
        keys = ", ".join(f"{name}{order}" for name in key.split(", "))
        try:
            for row in database.execute(f"SELECT {columns} FROM {table} NOT INDEXED ORDER BY {keys}"):
                identity = row[:2] if table in ("vectors", "tags") else row[0]
                if identity not in seen:
                    seen.add(identity)
                    yield row
        except sqlite3.DatabaseError:  # the damaged page: go round to the other end
            continue
        return


def _readable_documents(
    documents: Mapping[str, Any],
    chunks: Iterable[Any],
    places: Mapping[str, Any],
    tags: Mapping[str, tuple[str, ...]],
) -> tuple[list[StoredDocument], list[str]]:
    by_document: dict[str, list[Any]] = {}
    for row in sorted(chunks, key=lambda row: (str(row[1]), int(row[8]))):
        by_document.setdefault(str(row[1]), []).append(row)
    saved: list[StoredDocument] = []
    lost: list[str] = []
    for id_, row in sorted(documents.items(), key=lambda item: str(item[1][1])):
        own = by_document.get(id_, [])
        try:
            if any(value is None for value in row):
                raise ValueError("a text that isn't UTF-8")
            read_pages, utterances = (json.loads(column) for column in places.get(id_, ("[]", "[]")))
            document = replace(
                document_of(row[:9]), read_pages=read_pages_of(read_pages), utterances=utterances_of(utterances)
            )
            hashes = tuple(str(c[9]) for c in own)
            saved.append(
                StoredDocument(document, tuple(map(chunk_of, own)), hashes, str(row[9]), tags.get(document.id, ()))
            )
        except (ValueError, TypeError):
            lost.append(str(row[1] or id_))
    return saved, lost


def _decoded(raw: bytes) -> str | None:
    """Never guess at a text that was damaged: what it quotes must be exact."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
