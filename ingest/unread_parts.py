"""What lies inside a mail and can't be read: named with its reason, kept in the document's metadata. Values only."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ingest.document import SEPARATOR
from ingest.errors import SourceError, UnheardError, UnseenError, UnsupportedError, WordlessError

UNREAD_PARTS = "parts_not_read"
_SKIPPED = (WordlessError, UnheardError, UnseenError, UnsupportedError)


@dataclass(frozen=True, slots=True)
class UnreadPart:
    """An attachment, or a file in an attached archive (`a.zip!/b.docx`), and why it isn't in the text. One of a kind
    that isn't read, or without words, is `is_skipped` as it is in a folder; others have failed.
    """

    name: str
    reason: str
    is_skipped: bool = False

    def inside(self, name: str) -> "UnreadPart":
        """Give the same as a part of what is called `name`."""
        return replace(self, name=f"{name}{SEPARATOR}{self.name}")


def unread_part(name: str, error: SourceError) -> UnreadPart:
    """Say that a part can't be read."""
    return UnreadPart(name, str(error), isinstance(error, _SKIPPED))


def with_unread_parts(metadata: Mapping[str, str], parts: Iterable[UnreadPart]) -> dict[str, str]:
    """Keep the parts with a draft's metadata."""
    rows = [[part.name, part.reason, part.is_skipped] for part in parts]
    return {**metadata, UNREAD_PARTS: json.dumps(rows, ensure_ascii=False)} if rows else dict(metadata)


def unread_parts(metadata: Mapping[str, str]) -> tuple[UnreadPart, ...]:
    """Give the parts that metadata names."""
    return tuple(UnreadPart(*row) for row in json.loads(metadata.get(UNREAD_PARTS) or "[]"))
