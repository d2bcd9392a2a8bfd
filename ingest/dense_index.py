"""Vectors in, FAISS files out, and back: nearest rows of a query vector. Knows rows, not chunks.

`vectors.faiss` holds the vectors as they are, in the order of the rows; `lists.faiss`, beyond some size, proposes
candidates; `tail.faiss` holds rows that were added since. All are read where they lie, as memory maps.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from ingest.embedder import Vectors
from ingest.errors import KnowledgeBaseError
from ingest.row_set import Part, Rows, RowSet

VECTORS, LISTS, TAIL = "vectors.faiss", "lists.faiss", "tail.faiss"
_BLOCK_ROWS = 20_000
_TRAINING_ROWS = 40  # a list; FAISS warns below 39

Found = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class DenseIndexConfig:
    """When exact search gives way to inverted lists with exact re-scoring.

    Up to `exact_up_to` rows, exact search is fast enough and the truth; a search among so few of more rows is exact
    too. Beyond, inverted lists over 1-bit codes (RaBitQ: Gao & Long, SIGMOD 2024) propose `rescore_factor` times k
    rows, at least `rescore_least`, and the float32 vectors decide. A fifth of the lists is looked into, at least
    `probes`: recall@10 is .998 or more at 200,000 and 1,000,000 rows, in a 27th of exact search's time
    (benchmarks/LOG.md, 2026-11-25).

    An index of at least `extend_from` rows isn't built anew for every change: up to `tail_up_to` rows are added beside
    it, which are searched exactly, and rows are left out, until both come to `changed_share` of it.
    """

    exact_up_to: int = 25_000
    probes: int = 32
    probed_share: float = 0.2
    rescore_factor: int = 5
    rescore_least: int = 100
    extend_from: int = 20_000
    tail_up_to: int = 20_000
    changed_share: float = 0.05


class DenseIndex:
    """An open FAISS index over unit-norm vectors; scores are cosines."""

    def __init__(
        self,
        flat: faiss.IndexFlatIP,
        lists: faiss.IndexIVF | None,
        tail: faiss.IndexFlatIP | None,
        config: DenseIndexConfig,
    ) -> None:
        self._flat, self._lists, self._tail, self._config = flat, lists, tail, config

    @property
    def n_rows(self) -> int:
        """How many vectors it holds."""
        return self._n_base + (0 if self._tail is None else int(self._tail.ntotal))

    def search(self, query: Vectors, k: int, *, among: RowSet | None = None) -> Found:
        """Give up to k (row, cosine) pairs, best first, of all rows or those `among` alone; ties keep row order."""
        base, n_rows = self._n_base, self.n_rows
        query = np.ascontiguousarray(query[None, :], dtype=np.float32)
        with _one_thread():
            found = self._search_base(query, k, None if among is None else among.part(0, base))
            if self._tail is not None:
                part = None if among is None else among.part(base, n_rows)
                found += [(base + row, score) for row, score in _exact(self._tail, query, k, part)]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]

    def vectors(self, rows: Rows) -> Vectors:
        """Give the stored vectors of these rows, shape (len(rows), dimension)."""
        found: Vectors = np.empty((len(rows), self._flat.d), dtype=np.float32)
        in_tail = rows >= self._n_base
        found[~in_tail] = self._flat.reconstruct_batch(rows[~in_tail])
        if self._tail is not None:
            found[in_tail] = self._tail.reconstruct_batch(rows[in_tail] - self._n_base)
        return found

    @property
    def _n_base(self) -> int:
        return int(self._flat.ntotal)

    def _search_base(self, query: Vectors, k: int, part: Part | None) -> Found:
        n = self._n_base if part is None else part.n
        if self._lists is None or n <= self._config.exact_up_to:
            return _exact(self._flat, query, k, part)
        # A search among 1 row in 10 looks into 10 times the least number of lists, so that as many rows compete.
        n_lists, at_least = self._lists.nlist, self._config.probes * self._n_base // n
        probes = min(n_lists, max(at_least, int(n_lists * self._config.probed_share)))
        # The type stubs miss the keywords that FAISS's Python layer adds to these constructors.
        selector = None if part is None or part.is_all else part.selector
        parameters = faiss.SearchParametersIVF(nprobe=probes, sel=selector)  # type: ignore[call-arg]
        proposed = max(k * self._config.rescore_factor, self._config.rescore_least)
        _, rows = self._lists.search(query, min(n, proposed), params=parameters)
        return _scored(self._flat, query, k, rows[0][rows[0] >= 0])


def build_dense_index(vectors: Vectors, folder: Path, config: DenseIndexConfig) -> str:
    """Write the index of `vectors`, shape (n, dimension), into `folder` and give its kind in FAISS's words.

    Raises OSError when the disk refuses.
    """
    n, dimension = vectors.shape
    flat = faiss.IndexFlatIP(dimension)
    flat.add(np.ascontiguousarray(vectors))
    _write(flat, folder / VECTORS)
    if n <= config.exact_up_to:
        return "Flat"
    del flat  # as large as all vectors; the lists are made from the file
    n_lists = int(np.sqrt(n))
    _write(_lists(_read(folder / VECTORS), n_lists), folder / LISTS)
    return f"IVF{n_lists},RaBitQfs,RFlat"


def build_tail(vectors: Vectors, folder: Path) -> None:
    """Write the vectors of rows that come after those of the index in `folder`. Raises OSError as above."""
    tail = faiss.IndexFlatIP(vectors.shape[1])
    tail.add(np.ascontiguousarray(vectors))
    _write(tail, folder / TAIL)


def tail_vectors(folder: Path, dimension: int) -> Vectors:
    """Give what `build_tail` wrote, shape (n, dimension); nothing where it didn't."""
    if not (folder / TAIL).exists():
        return np.zeros((0, dimension), dtype=np.float32)
    tail = _read(folder / TAIL)
    vectors: Vectors = tail.reconstruct_n(0, int(tail.ntotal))
    return vectors


def open_dense_index(folder: Path, config: DenseIndexConfig) -> DenseIndex:
    """Open what `build_dense_index` and `build_tail` wrote. Raises KnowledgeBaseError when FAISS can't read it."""
    try:
        lists, tail = (_read(folder / name) if (folder / name).exists() else None for name in (LISTS, TAIL))
        return DenseIndex(_read(folder / VECTORS), lists, tail, config)
    except RuntimeError as error:
        raise KnowledgeBaseError(f"{folder} is damaged; rebuild it with: footnote kb repair") from error


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let FAISS search in this thread alone. One question gains little from more, and on a busy machine waiting for
    them takes 20 times as long (benchmarks/LOG.md, 2026-11-25).
    """
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _exact(flat: faiss.IndexFlatIP, query: Vectors, k: int, part: Part | None) -> Found:
    """Compare the query with every row that counts."""
    n = int(flat.ntotal) if part is None else part.n
    if n == 0:
        return []
    if part is not None and n < flat.ntotal // 8:  # rather look those rows up than pass over all others
        return _scored(flat, query, k, part.rows)
    selector = None if part is None or part.is_all else part.selector
    parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
    scores, rows = flat.search(query, min(k, n), params=parameters)
    return [(int(row), float(score)) for row, score in zip(rows[0], scores[0], strict=True) if row >= 0]


def _scored(flat: faiss.IndexFlatIP, query: Vectors, k: int, rows: Rows) -> Found:
    """Compare the query with these rows alone, and give the k best."""
    if len(rows) == 0:  # FAISS refuses
        return []
    scores = np.empty(len(rows), dtype=np.float32)
    rows = np.ascontiguousarray(rows)
    pointers = faiss.swig_ptr(query), len(rows), faiss.swig_ptr(scores), faiss.swig_ptr(rows)
    flat.compute_distance_subset(1, *pointers)  # type: ignore[attr-defined]
    best = np.lexsort((rows, -scores))[:k]
    return list(zip(rows[best].tolist(), scores[best].tolist(), strict=True))


def _lists(flat: faiss.IndexFlatIP, n_lists: int) -> faiss.Index:
    """Sort the rows into lists around centres found in a sample, each vector in a bit a component."""
    lists = faiss.index_factory(flat.d, f"IVF{n_lists},RaBitQfs", faiss.METRIC_INNER_PRODUCT)
    n = int(flat.ntotal)
    sample = np.arange(0, n, max(1, n // (_TRAINING_ROWS * n_lists)))
    lists.train(flat.reconstruct_batch(sample))
    for start in range(0, n, _BLOCK_ROWS):
        lists.add(flat.reconstruct_n(start, min(_BLOCK_ROWS, n - start)))
    return lists


def _read(path: Path) -> Any:  # the stubs know the class of no index that was read
    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)


def _write(index: faiss.Index, path: Path) -> None:
    """Raises OSError when the disk refuses: FAISS says so in a RuntimeError, and leaves half a file."""
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:
        raise OSError(
            f"FAISS can't write {path.name}: {str(error).splitlines()[0].rpartition('Error: ')[2]}"
        ) from error
