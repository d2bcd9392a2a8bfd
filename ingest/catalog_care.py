"""An open catalog in, what `verify` looks at and `repair` mends out. Knows the tables, not what is right."""

from collections.abc import Iterator, Mapping, Sequence

from ingest.catalog import Catalog
from ingest.catalog_file import note_change_in_place
from ingest.catalog_rows import text_hash
from ingest.catalog_vectors import NO_VECTOR
from ingest.embedder import Vectors


def integrity_problems(catalog: Catalog) -> list[str]:
    """Give what SQLite finds wrong with the file itself."""
    return [f"catalog.sqlite: {row[0]}" for row in catalog.rows("PRAGMA integrity_check") if row[0] != "ok"]


def count_orphan_chunks(catalog: Catalog) -> int:
    """Count chunks whose document isn't there, which foreign keys should make impossible."""
    return len(catalog.rows("PRAGMA foreign_key_check"))


def count_chunks_without_vector(catalog: Catalog, embedder: str) -> int:
    """Count chunks that have no vector from `embedder`."""
    return int(catalog.rows(f"SELECT COUNT(*) FROM chunks WHERE {NO_VECTOR}", (embedder,))[0][0])


def chunk_numbers(catalog: Catalog) -> list[int]:
    """Give the numbers of all chunks, ascending."""
    return [int(row[0]) for row in catalog.rows("SELECT number FROM chunks ORDER BY number")]


def vectors_of(catalog: Catalog, embedder: str) -> Iterator[tuple[str, bytes]]:
    """Give every (text hash, vector as little-endian float32) of `embedder`."""
    rows = catalog.stream("SELECT text_hash, vector FROM vectors WHERE embedder = ?", (embedder,))
    return ((str(row[0]), bytes(row[1])) for row in rows)


def numbers_without_vector(catalog: Catalog, embedder: str) -> list[int]:
    """Give the numbers of chunks that have no vector from `embedder`, ascending."""
    rows = catalog.rows(f"SELECT number FROM chunks WHERE {NO_VECTOR} ORDER BY number", (embedder,))
    return [int(row[0]) for row in rows]


def remove_orphan_chunks(catalog: Catalog) -> int:
    """Remove chunks whose document isn't there, and give their number."""
    if not count_orphan_chunks(catalog):
        return 0
    with catalog.change() as db:
        return db.execute("DELETE FROM chunks WHERE document_id NOT IN (SELECT id FROM documents)").rowcount


def forget_chunking(catalog: Catalog, document_id: str) -> None:
    """Mark a document as one to be taken in anew by the next ingest of its source."""
    with catalog.change() as db:
        db.execute("UPDATE documents SET chunking = '' WHERE id = ?", (document_id,))


def remove_vectors(catalog: Catalog, embedder: str, hashes: Sequence[str]) -> None:
    """Remove vectors, used or not; whether every chunk has one is open again then."""
    if hashes:
        with catalog.change() as db:
            db.execute("DELETE FROM meta WHERE key = 'embedded_by'")
            db.executemany(
                "DELETE FROM vectors WHERE embedder = ? AND text_hash = ?", [(embedder, hash_) for hash_ in hashes]
            )


def set_vectors(catalog: Catalog, embedder: str, made: Mapping[int, tuple[str, Vectors]]) -> None:
    """Store, for chunks by number, the text that was embedded and its vector, in one transaction."""
    with catalog.change() as db:
        db.execute("DELETE FROM meta WHERE key = 'embedded_by'")  # the old texts' vectors may be of no use now
        note_change_in_place(db)
        for number, (text, vector) in made.items():
            hash_ = text_hash(text)
            db.execute(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", (embedder, hash_, vector.astype("<f4").tobytes())
            )
            db.execute("UPDATE chunks SET text_hash = ? WHERE number = ?", (hash_, number))
