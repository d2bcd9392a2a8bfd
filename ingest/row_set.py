"""Some rows of an index as one value, made once and used by many searches. Knows neither vectors nor words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import faiss
import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Part:
    """The rows of a set that lie in one part of an index, counted from the part's start, as FAISS wants them."""

    def __init__(self, mask: Mask) -> None:
        self.n = int(np.count_nonzero(mask))
        self.is_all = self.n == len(mask)
        self._mask = mask

    @cached_property
    def rows(self) -> Rows:
        """The rows in order."""
        return np.flatnonzero(self._mask)

    @cached_property
    def selector(self) -> faiss.IDSelector:
        """What FAISS asks whether a row is in."""
        self._bits = np.packbits(self._mask, bitorder="little")  # kept, since FAISS reads them where they are
        return faiss.IDSelectorBitmap(self._bits)  # type: ignore[call-arg, arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class RowSet:
    """A set of rows out of those of an index; `mask[row]` tells whether it is in, shape (n rows of the index,)."""

    mask: Mask
    n: int
    _parts: dict[tuple[int, int], Part] = field(default_factory=dict, repr=False)

    @staticmethod
    def where(mask: Mask) -> "RowSet":
        """Give the rows for which `mask` is true."""
        return RowSet(mask, int(np.count_nonzero(mask)))

    @staticmethod
    def of(rows: Iterable[int], n_rows: int) -> "RowSet":
        """Give these rows of an index of `n_rows`."""
        mask = np.zeros(n_rows, dtype=bool)
        mask[np.fromiter(rows, dtype=np.int64)] = True
        return RowSet.where(mask)

    def __len__(self) -> int:
        return self.n

    def __contains__(self, row: int) -> bool:
        return bool(self.mask[row])

    def __iter__(self) -> Iterator[int]:
        return iter(np.flatnonzero(self.mask).tolist())

    def __and__(self, other: "RowSet") -> "RowSet":
        return RowSet.where(self.mask & other.mask)

    def part(self, start: int, end: int) -> Part:
        """Give what is in it of the rows from `start` to before `end`; made once, then kept."""
        if (start, end) not in self._parts:
            self._parts[start, end] = Part(self.mask[start:end])
        return self._parts[start, end]
