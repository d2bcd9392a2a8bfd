"""An open catalog in, what the indexes are built from out. Knows no index."""

import json
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ingest.catalog_connection import CatalogConnection
from ingest.catalog_file import note_change_in_place
from ingest.catalog_rows import IndexRow, chunk_terms
from ingest.terms import TERMS_VERSION

_INDEX_COLUMNS = (
    "number, chunks.id, terms, chunks.language, vector, chunks.text_hash, document_id FROM chunks"
    " JOIN documents ON documents.id = document_id"
    " JOIN vectors ON vectors.embedder = ? AND vectors.text_hash = chunks.text_hash"
)


def index_rows(catalog: CatalogConnection, embedder: str) -> Iterator[IndexRow]:
    """Give every chunk in an order that depends on the documents alone, not on when they were added."""
    rows = catalog.stream(f"SELECT {_INDEX_COLUMNS} ORDER BY source, position", (embedder,))
    return (IndexRow(*row) for row in rows)


def index_rows_of(catalog: CatalogConnection, embedder: str, numbers: Sequence[int]) -> list[IndexRow]:
    """Give the chunks with these numbers in that order; those without a vector are left out."""
    query = f"SELECT source, position, {_INDEX_COLUMNS} WHERE number IN ({{marks}})"
    found = catalog.rows_among(query, numbers, embedder)
    return [IndexRow(*row[2:]) for row in sorted(found, key=lambda row: (row[0], row[1]))]


def chunk_numbers(catalog: CatalogConnection) -> npt.NDArray[np.int64]:
    """Give the numbers of all chunks, ascending."""
    # Out of an index, which is far smaller than the table with its texts.
    rows = catalog.stream("SELECT number FROM chunks INDEXED BY chunks_by_document", ())
    return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64))


def renew_terms(catalog: CatalogConnection) -> None:
    """Index every chunk under the terms of this version of `ingest.terms`, in one transaction."""
    with catalog.change() as db:
        last = 0
        while rows := db.execute(
            "SELECT number, title, headings, chunks.text FROM chunks JOIN documents ON documents.id = document_id"
            " WHERE number > ? ORDER BY number LIMIT 1000",
            (last,),
        ).fetchall():
            last = rows[-1][0]
            db.executemany(
                "UPDATE chunks SET terms = ? WHERE number = ?",
                [(chunk_terms(title, json.loads(headings), text), number) for number, title, headings, text in rows],
            )
        db.execute("INSERT OR REPLACE INTO meta VALUES ('terms', ?)", (TERMS_VERSION,))
        note_change_in_place(db)
