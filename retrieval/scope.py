"""An index generation and filters in, the rows that both legs may propose out."""

from dataclasses import dataclass

from ingest.index_generation import IndexGeneration
from ingest.knowledge_base import KnowledgeBase
from ingest.row_set import RowSet
from retrieval.filters import Filters, fitting_documents, nothing_fits


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a search looks: the rows, None for all of them, and the languages that they are in.

    `n_documents` is how many documents fit the filters, None without filters.
    """

    among: RowSet | None
    languages: frozenset[str]
    n_documents: int | None = None


def find_scope(kb: KnowledgeBase, generation: IndexGeneration, filters: Filters) -> Scope:
    """Give the rows of the documents that fit. Raises SettingsError, naming what is there, where none does."""
    if filters.is_empty:
        return Scope(None, frozenset(generation.by_language))
    fitting = fitting_documents(kb.catalog, filters)
    if not fitting:
        raise nothing_fits({kb.name: kb.catalog}, filters)
    among = generation.rows_of_documents([facts.id for facts in fitting])
    languages = (language for language, rows in generation.by_language.items() if (rows & among).n)
    return Scope(among, frozenset(languages), len(fitting))
