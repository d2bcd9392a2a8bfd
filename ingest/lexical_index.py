"""Terms in, a BM25 index on disk out, and back: the rows that share a question's terms. Knows rows, not chunks.

tantivy does the work; what the terms are is decided by `ingest.terms` alone, on both sides, so the index splits on
spaces and nothing else.
"""

import math
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tantivy

from ingest.errors import KnowledgeBaseError, StorageError
from ingest.row_set import RowSet

K1 = 1.2  # tantivy's BM25 constant, as in Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009
_ANALYZER = "spaces"
_NAMED_ROWS = 500
_BUILDING_BYTES, _EXTENDING_BYTES = 128_000_000, 16_000_000


@dataclass(frozen=True, slots=True)
class LexicalMatches:
    """Rows with their BM25 scores, best first, and `best_possible`: what a row would get that holds every term of the
    question often. Terms that the index doesn't know count in it, so score / best_possible tells, from 0 to 1, how much
    of the question a row answers to: near 0 where question and documents are in different languages.
    """

    rows: tuple[tuple[int, float], ...]
    best_possible: float


class LexicalIndex:
    """An open lexical index."""

    def __init__(self, index: tantivy.Index, *, copied_to: TemporaryDirectory[str] | None = None) -> None:
        self._index = index
        self._copied_to = copied_to  # goes with this object
        self._searcher = index.searcher()

    @property
    def n_rows(self) -> int:
        """How many rows it holds."""
        return int(self._searcher.num_docs)

    def idf(self, term: str) -> float:
        """Give ln(1 + (N - n + .5) / (n + .5)) for a term held by n of N rows; the highest for an unknown term."""
        holders = self._searcher.doc_freq("terms", term)
        return math.log(1 + (self.n_rows - holders + 0.5) / (holders + 0.5))

    def search(self, terms: Sequence[str], k: int, *, among: RowSet | None = None) -> LexicalMatches:
        """Give up to k rows that hold at least one of `terms`, each term counted once, of all rows or those `among`
        alone. Ties keep row order.
        """
        return self.search_any([{term: 1.0} for term in dict.fromkeys(terms)], k, among=among)

    def search_any(
        self, groups: Sequence[Mapping[str, float]], k: int, *, among: RowSet | None = None
    ) -> LexicalMatches:
        """Do what `search` does for groups of terms; of each group a row's best term counts.

        A group is terms of one meaning, each with the weight of its BM25 score, such as a word's translations. Ties
        keep row order.
        """
        groups = [group for group in groups if group]
        if not groups or self.n_rows == 0:
            return LexicalMatches((), 0.0)
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, self._any_of(group)) for group in groups])
        rows = self._best(query, k) if among is None else self._best_among(query, k, among)
        best_possible = sum(self._best_idf(group) * (K1 + 1) for group in groups)
        return LexicalMatches(tuple(sorted(rows, key=lambda pair: (-pair[1], pair[0]))[:k]), best_possible)

    def _best(self, query: tantivy.Query, limit: int) -> list[tuple[int, float]]:
        hits = self._searcher.search(query, limit=limit, count=False).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        return [(int(row or 0), float(score)) for row, (score, _) in zip(rows, hits, strict=True)]

    def _best_among(self, query: tantivy.Query, k: int, among: RowSet) -> list[tuple[int, float]]:
        """Few rows are named to tantivy. Of many, as many of the best are taken as are likely to hold k of them, and
        ten times more until they do: reading the row of a hit costs far less than naming one.
        """
        if len(among) == 0:
            return []
        if len(among) <= _NAMED_ROWS:
            named = tantivy.Query.term_set_query(self._index.schema, "row", list(among))
            unscored = tantivy.Query.const_score_query(named, 0.0)
            both = [(tantivy.Occur.Must, unscored), (tantivy.Occur.Must, query)]
            return self._best(tantivy.Query.boolean_query(both), k)
        limit = k + 2 * k * self.n_rows // len(among)
        while True:
            hits = self._best(query, min(limit, self.n_rows))
            found = [pair for pair in hits if pair[0] in among]
            if len(found) >= k or len(hits) < limit:
                return found
            limit *= 10

    def _any_of(self, group: Mapping[str, float]) -> tantivy.Query:
        schema = self._index.schema
        terms = [
            tantivy.Query.boost_query(tantivy.Query.term_query(schema, "terms", term), weight)
            for term, weight in group.items()
        ]
        return terms[0] if len(terms) == 1 else tantivy.Query.disjunction_max_query(terms)

    def _best_idf(self, group: Mapping[str, float]) -> float:
        """Give the highest weighted idf of the terms that the index knows; that of an unknown one if it knows none."""
        known = [weight * self.idf(term) for term, weight in group.items() if self.knows(term)]
        return max(known) if known else max(map(self.idf, group))

    def knows(self, term: str) -> bool:
        """Tell whether any row holds a term."""
        return int(self._searcher.doc_freq("terms", term)) > 0


def build_lexical_index(terms: Iterable[str], folder: Path) -> int:
    """Write the index of rows 0.., each a space-separated string of terms, and give their number.

    Raises OSError when the disk refuses: tantivy says so in a ValueError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", indexed=True, fast=True)
    builder.add_text_field("terms", tokenizer_name=_ANALYZER, index_option="freq")
    try:
        index = tantivy.Index(builder.build(), path=str(folder))
        return _write(index, terms, 0, heap_bytes=_BUILDING_BYTES)
    except ValueError as error:
        raise OSError(f"tantivy can't write {folder.name}: {error}") from error


def extend_lexical_index(terms: Iterable[str], first_row: int, folder: Path) -> int:
    """Add rows from `first_row` on to an index, and give their number. Files that are there stay as they are, but for
    tantivy's list of them, which is replaced. Raises OSError as above.
    """
    try:
        return _write(tantivy.Index.open(str(folder)), terms, first_row, heap_bytes=_EXTENDING_BYTES)
    except ValueError as error:
        raise OSError(f"tantivy can't write {folder.name}: {error}") from error


def open_lexical_index(folder: Path) -> LexicalIndex:
    """Open what `build_lexical_index` wrote. Raises KnowledgeBaseError when tantivy can't read it."""
    try:
        if os.access(folder, os.W_OK):
            return LexicalIndex(_with_analyzer(tantivy.Index.open(str(folder))))
        # tantivy takes a lock file even to read: in a read-only folder it reads a copy.
        copy = TemporaryDirectory(prefix="footnote-")
        shutil.copytree(folder, copy.name, dirs_exist_ok=True)
        return LexicalIndex(_with_analyzer(tantivy.Index.open(copy.name)), copied_to=copy)
    except OSError as error:
        raise StorageError(
            f"{folder} is read-only and can't be copied ({error.strerror}); let TMPDIR name a folder with some room"
        ) from error
    except ValueError as error:
        raise KnowledgeBaseError(f"{folder} is damaged; rebuild it with: footnote kb repair") from error


def _with_analyzer(index: tantivy.Index) -> tantivy.Index:
    index.register_tokenizer(_ANALYZER, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    return index


def _write(index: tantivy.Index, terms: Iterable[str], first_row: int, *, heap_bytes: int) -> int:
    # One thread keeps the rows in order, and so the ties.
    writer = _with_analyzer(index).writer(heap_size=heap_bytes, num_threads=1)
    row = first_row - 1
    for row, row_terms in enumerate(terms, start=first_row):
        document = tantivy.Document()
        document.add_unsigned("row", row)
        document.add_text("terms", row_terms)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    return row + 1 - first_row
