"""An index generation and filters in, the rows that both legs may propose out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.index_generation import IndexGeneration
from ingest.knowledge_base import KnowledgeBase
from retrieval.filters import Filters, fitting_documents, nothing_fits


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a search looks. `rows` are ascending, None for all of them; `by_language` are those of each language.

    `n_documents` is how many documents fit the filters, None without filters.
    """

    rows: npt.NDArray[np.int64] | None
    by_language: Mapping[str, npt.NDArray[np.int64]]
    n_documents: int | None = None


def find_scope(kb: KnowledgeBase, generation: IndexGeneration, filters: Filters) -> Scope:
    """Give the rows of the documents that fit. Raises SettingsError, naming what is there, where none does."""
    if filters.is_empty:
        return Scope(None, generation.by_language)
    fitting = fitting_documents(kb.catalog, filters)
    if not fitting:
        raise nothing_fits({kb.name: kb.catalog}, filters)
    numbers = kb.catalog.chunk_numbers_of([facts.id for facts in fitting])
    rows = np.flatnonzero(np.isin(generation.rows, numbers))
    by_language = {
        str(language): rows[generation.languages[rows] == language]
        for language in np.unique(generation.languages[rows])
    }
    return Scope(rows, by_language, len(fitting))
