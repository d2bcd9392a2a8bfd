"""What each row of an index is: its chunk, language and document, in a few arrays. Knows neither vectors nor words."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.catalog_rows import IndexRow
from ingest.errors import KnowledgeBaseError
from ingest.row_set import Mask, Rows, RowSet


@dataclass(frozen=True, slots=True)
class RowTable:
    """Arrays over the rows, each in a file of its own.

    `rows` are the chunks' numbers, `languages` and `documents` places among the names, `fingerprints` two numbers out
    of the SHA-256 of each chunk and its text, and `live` tells whether the chunk was there when this was written.
    """

    rows: Rows
    languages: npt.NDArray[np.uint8]
    language_names: npt.NDArray[np.str_]
    documents: npt.NDArray[np.int32]
    document_ids: npt.NDArray[np.str_]
    fingerprints: npt.NDArray[np.uint64]  # (n rows, 2)
    live: Mask

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_live(self) -> int:
        """How many rows stand for a chunk."""
        return int(np.count_nonzero(self.live))

    def by_language(self) -> dict[str, RowSet]:
        """Give the live rows of each language that has any."""
        names = enumerate(self.language_names.tolist())
        found = {name: RowSet.where((self.languages == place) & self.live) for place, name in names}
        return {name: rows for name, rows in found.items() if rows.n}

    def of_documents(self, document_ids: Collection[str]) -> RowSet:
        """Give the live rows of these documents; ids that aren't there have none."""
        wanted = np.isin(self.document_ids, np.array(list(document_ids), dtype=np.str_))
        return RowSet.where(wanted[self.documents] & self.live)

    def are_among(self, numbers: Rows) -> Mask:
        """Tell for each row whether its chunk's number is one of `numbers`, which ascend."""
        if len(numbers) == 0:
            return np.zeros(len(self), dtype=bool)
        places = np.minimum(np.searchsorted(numbers, self.rows), len(numbers) - 1)
        there: Mask = numbers[places] == self.rows
        return there

    def digest(self, header: str) -> str:
        """Name the live rows: equal for equal chunks in any order, whatever else was there before."""
        sums = self.fingerprints[self.live].sum(axis=0, dtype=np.uint64)
        return sha256(header.encode() + sums.astype("<u8").tobytes()).hexdigest()[:12]

    def save(self, folder: Path) -> list[str]:
        """Write the arrays, and give the names of their files. Raises OSError when the disk refuses."""
        for part in fields(self):
            np.save(folder / f"{part.name}.npy", getattr(self, part.name))
        return [f"{part.name}.npy" for part in fields(self)]


class RowTableMaker:
    """Takes rows one by one, after those of an older table where there is one."""

    def __init__(self, after: RowTable | None = None) -> None:
        self._after = after
        self._language_places = _places(after.language_names if after else ())
        self._document_places = _places(after.document_ids if after else ())
        self._columns: tuple[list[int], list[int], list[int]] = ([], [], [])
        self._fingerprints = bytearray()

    def add(self, row: IndexRow) -> None:
        """Take the next row."""
        numbers, languages, documents = self._columns
        numbers.append(row.number)
        languages.append(self._language_places.setdefault(row.language, len(self._language_places)))
        documents.append(self._document_places.setdefault(row.document_id, len(self._document_places)))
        self._fingerprints += sha256(f"{row.chunk_id}{row.text_hash}".encode()).digest()[:16]

    def table(self, *, still_live: Mask | None = None) -> RowTable:
        """Give the table; of the older rows, `still_live` tells which are."""
        numbers, languages, documents = self._columns
        new = RowTable(
            np.array(numbers, dtype=np.int64),
            np.array(languages, dtype=np.uint8),
            np.array(list(self._language_places), dtype=np.str_),
            np.array(documents, dtype=np.int32),
            np.array(list(self._document_places), dtype=np.str_),
            np.frombuffer(bytes(self._fingerprints), dtype="<u8").reshape(-1, 2).astype(np.uint64),
            np.ones(len(numbers), dtype=bool),
        )
        old = self._after
        if old is None:
            return new
        return RowTable(
            np.concatenate([old.rows, new.rows]),
            np.concatenate([old.languages, new.languages]),
            new.language_names,
            np.concatenate([old.documents, new.documents]),
            new.document_ids,
            np.concatenate([old.fingerprints, new.fingerprints]),
            np.concatenate([old.live if still_live is None else still_live, new.live]),
        )


def open_row_table(folder: Path) -> RowTable:
    """Open what `RowTable.save` wrote; what is large is read where it lies.

    Raises KnowledgeBaseError when the arrays can't be read or don't fit together.
    """
    try:
        # As plain arrays over the maps: reading one element of a memmap takes numpy three times as long.
        files = {part.name: folder / f"{part.name}.npy" for part in fields(RowTable)}
        table = RowTable(**{name: np.load(path, mmap_mode="r").view(np.ndarray) for name, path in files.items()})
    except (OSError, ValueError, EOFError) as error:
        raise KnowledgeBaseError(f"{folder} is damaged ({error}); rebuild it with: footnote kb repair") from error
    by_row = (table.rows, table.languages, table.documents, table.fingerprints, table.live)
    if {len(column) for column in by_row} != {len(table)}:
        raise KnowledgeBaseError(f"{folder} holds unequal numbers of rows; rebuild it with: footnote kb repair")
    return table


def _places(names: npt.NDArray[np.str_] | tuple[str, ...]) -> dict[str, int]:
    return {str(name): place for place, name in enumerate(names)}
