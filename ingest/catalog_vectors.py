"""An open catalog in, the vectors in it out: which there are, which are missing, which are of no use any more.

Vectors are kept by (embedder, hash of the embedded text), whosever chunk that is.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from ingest.catalog_connection import CatalogConnection
from ingest.catalog_file import note_losses
from ingest.embedder import Vectors

NO_VECTOR = "NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.embedder = ? AND vectors.text_hash = chunks.text_hash)"
UNUSED = "NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.text_hash = vectors.text_hash)"


def known_vectors(catalog: CatalogConnection, embedder: str, text_hashes: Iterable[str]) -> dict[str, Vectors]:
    """Give the stored vectors among `text_hashes`, by hash."""
    query = "SELECT text_hash, vector FROM vectors WHERE embedder = ? AND text_hash IN ({marks})"
    rows = catalog.rows_among(query, list(dict.fromkeys(text_hashes)), embedder)
    return {row[0]: np.frombuffer(row[1], dtype="<f4") for row in rows}


def keep_vectors(catalog: CatalogConnection, embedder: str, vectors: Mapping[str, Vectors]) -> None:
    """Store vectors by text hash ahead of the chunks that they are for; until those come, nothing else changes."""
    with catalog.transaction() as db:
        db.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
            ((embedder, hash_, vector.astype("<f4").tobytes()) for hash_, vector in vectors.items()),
        )
        if _are_losses_noted(catalog, embedder):
            db.executemany("INSERT OR IGNORE INTO lost VALUES (?)", ((hash_,) for hash_ in vectors))


def without_vectors(catalog: CatalogConnection, embedder: str) -> set[str]:
    """Give the ids of documents that have a chunk without a vector from `embedder`.

    Once there were none there are none: whatever adds a chunk adds its vector. (What a fault of the disk takes away
    is named by `verify` and mended by `repair`.)
    """
    if _are_losses_noted(catalog, embedder):
        return set()
    rows = catalog.rows(f"SELECT DISTINCT document_id FROM chunks WHERE {NO_VECTOR}", (embedder,))
    return {str(row[0]) for row in rows}


def forget_unused_vectors(catalog: CatalogConnection, embedder: str) -> int:
    """Remove vectors that no chunk refers to, and other embedders' once every chunk has one from `embedder`.

    Gives their number; changes nothing, not even the revision, where there are none. Only the first time all
    vectors are looked through: from then on the catalog notes which ones lost a chunk.
    """
    if not _are_losses_noted(catalog, embedder):
        return _forget_all_unused(catalog, embedder)
    unused = f"text_hash IN (SELECT text_hash FROM lost) AND {UNUSED}"
    n_unused = int(catalog.rows(f"SELECT COUNT(*) FROM vectors WHERE embedder = ? AND {unused}", (embedder,))[0][0])
    with catalog.change() if n_unused else catalog.transaction() as db:
        db.execute(f"DELETE FROM vectors WHERE embedder = ? AND {unused}", (embedder,))
        db.execute("DELETE FROM lost")
    return n_unused


def _are_losses_noted(catalog: CatalogConnection, embedder: str) -> bool:
    """Tell whether every chunk was found to have a vector from `embedder`, and losses were noted ever since."""
    return catalog.meta("embedded_by") == embedder


def _forget_all_unused(catalog: CatalogConnection, embedder: str) -> int:
    complete = not without_vectors(catalog, embedder)
    unused = f"{UNUSED} OR (? AND embedder != ?)"
    arguments = (int(complete), embedder)
    is_any = bool(catalog.rows(f"SELECT EXISTS (SELECT 1 FROM vectors WHERE {unused})", arguments)[0][0])
    if not (is_any or complete):
        return 0
    with catalog.change() if is_any else catalog.transaction() as db:
        n_unused = db.execute(f"DELETE FROM vectors WHERE {unused}", arguments).rowcount
        if complete:
            note_losses(db, embedder)
    return n_unused
