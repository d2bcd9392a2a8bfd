"""One SQLite file, opened: queries, snapshots, and transactions that raise its revision. Knows no documents."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.catalog_file import as_our_error, open_catalog_file
from ingest.errors import StorageError

_BATCH = 500  # values in one query


class CatalogConnection:
    """An open catalog file with its settings. Threads may share one for reading; a writer opens its own."""

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
        with self.transaction() as db:
            yield db
            db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision'")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction that leaves the revision as it is: no document changes by it; rolled back likewise."""
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
        """Give the rows that a query finds."""
        try:
            return self._db.execute(query, arguments).fetchall()
        except sqlite3.Error as error:
            raise as_our_error(error, self._path) from error

    def stream(self, query: str, arguments: Sequence[str | int]) -> Iterator[Any]:  # as above
        """Give the rows that a query finds one by one. A change meanwhile may or may not show in them."""
        try:
            yield from self._db.execute(query, arguments)
        except sqlite3.Error as error:
            raise as_our_error(error, self._path) from error

    def rows_among(self, query: str, values: Sequence[str | int], *before: str) -> Iterator[Any]:  # as above
        """Give the rows of a query with `{marks}` in the place of any number of `values`; `before` go before them."""
        for start in range(0, len(values), _BATCH):
            batch = values[start : start + _BATCH]
            yield from self.rows(query.format(marks=",".join("?" * len(batch))), (*before, *batch))

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself after some errors, a full disk among them.
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
