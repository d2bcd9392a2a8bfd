"""What is remembered of a file that holds several documents, so that it isn't opened again before it changes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.catalog_rows import DocumentInfo
from ingest.discover import Failure


@dataclass(frozen=True, slots=True)
class BundleState:
    """The hash of its bytes, the chunking, how many documents it gave, and what in it isn't of a kind that is read."""

    version: str
    chunking: str
    n_documents: int
    skipped: tuple[Failure, ...] = ()

    def fits(
        self, version: str, chunking: str, inside: Sequence[DocumentInfo], is_whole: Callable[[DocumentInfo], bool]
    ) -> bool:
        """Tell whether the file and its documents are as they were then, and each of those `is_whole`."""
        as_then = (self.version, self.chunking, self.n_documents) == (version, chunking, len(inside))
        return as_then and all(map(is_whole, inside))

    def to_json(self) -> str:
        """Give the state as text."""
        skipped = [[failure.source, failure.reason] for failure in self.skipped]
        return json.dumps([self.version, self.chunking, self.n_documents, skipped], ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | None) -> "BundleState | None":
        """Read the state back; None when nothing was remembered."""
        if not text:
            return None
        version, chunking, n_documents, skipped = json.loads(text)
        return cls(version, chunking, n_documents, tuple(Failure(*entry) for entry in skipped))
