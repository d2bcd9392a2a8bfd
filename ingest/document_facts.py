"""A catalog in, what its documents are called, what they are and when they are from out: what filters look at."""

import re
import weakref
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

from ingest.catalog import Catalog
from ingest.load_formats import FORMATS, source_suffix

_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-/.年]?(\d\d?)[-/.月]?(\d\d?)(?!\d)")


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """`format` is what the bytes are ("pdf", "markdown", ...), `suffix` the ending of the file's name, without its dot.

    `date` is the document's own where it states one, else the day on which its file was last changed when it was taken
    in; None for a web page that states none.
    """

    id: str
    source: str
    title: str
    language: str
    format: str
    suffix: str
    date: date | None


_known: "weakref.WeakKeyDictionary[Catalog, tuple[int, tuple[DocumentFacts, ...]]]" = weakref.WeakKeyDictionary()


def document_facts(catalog: Catalog) -> tuple[DocumentFacts, ...]:
    """List the documents by source. They are read once a revision: `metadata` stands behind the whole text on disk."""
    revision = catalog.revision
    held = _known.get(catalog)
    if held is None or held[0] != revision:
        rows = catalog.rows(
            "SELECT id, source, title, language, json_extract(metadata, '$.format'), json_extract(metadata, '$.date'),"
            " json_extract(metadata, '$.modified') FROM documents WHERE json_valid(metadata) ORDER BY source"
        )
        held = (revision, tuple(_facts(*row) for row in rows))
        _known[catalog] = held
    return held[1]


def document_days(catalog: Catalog, id_: str) -> tuple[date | None, date | None]:
    """Give the day that a document states itself, and the day on which its file was last changed."""
    rows = catalog.rows(
        "SELECT json_extract(metadata, '$.date'), json_extract(metadata, '$.modified') FROM documents"
        " WHERE json_valid(metadata) AND id = ?",
        (id_,),
    )
    stated, modified = rows[0] if rows else (None, None)
    return day_of(str(stated or "")), day_of(modified or "")


def _facts(
    id_: str, source: str, title: str, language: str, format_: str | None, stated: str | None, modified: str | None
) -> DocumentFacts:
    suffix = source_suffix(PurePosixPath(source.rpartition("!/")[2]))
    kind = format_ or FORMATS.get(suffix, "html" if "://" in source else "text")
    dated = day_of(str(stated or "")) or day_of(modified or "")
    return DocumentFacts(id_, source, title, language, kind, suffix.removeprefix("."), dated)


def day_of(stated: str) -> date | None:
    """Give the first day that a text states in figures, year first (2025-03-18, 2025/3/18, 2025年3月18日, 20250318)."""
    for year, month, day in _DATE.findall(stated):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None
