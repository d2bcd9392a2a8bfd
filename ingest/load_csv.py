"""CSV and TSV text in, a draft out. Each row becomes a line that names its columns: `Name: Ada; Year: 1815`.

A row that carries its column names can be quoted, searched and read by a model on its own, which a bare row can't.
"""

import csv
import io
import re

from ingest.document import Block, Span
from ingest.errors import SourceError
from ingest.load_draft import Draft, clean_text, one_line

NUMBER = re.compile(r"[-+(]?[$€£¥]?\s?\d[\d.,\s]*%?\)?")
_DELIMITERS = ",\t;|"


def load_csv(text: str, name: str) -> Draft:
    """Give one table block with a line for each row; SourceError when it can't be read as rows."""
    text = clean_text(text)
    try:
        csv.field_size_limit(16_000_000)
        rows = [[one_line(cell) for cell in row] for row in csv.reader(io.StringIO(text), _dialect(text, name))]
    except csv.Error as error:
        raise SourceError(
            f"{name} can't be read as rows of a table ({error}); check its quotes and separators."
        ) from error
    rows = [row for row in rows if any(row)]
    header = rows[0] if rows and _is_header(rows) else []
    lines = [line for row in rows[bool(header) :] if (line := record_line(header, row))]
    if header and not lines:
        lines = ["; ".join(header)]
    body = "\n".join(lines)
    blocks = (Block("table", Span(0, len(body))),) if body else ()
    return Draft(body, blocks, metadata={"columns": "; ".join(header), "rows": str(len(lines))} if header else {})


def record_line(header: list[str], row: list[str]) -> str:
    """Draw a row as `Name: Ada; Year: 1815`; cells beyond the header, or below an empty name, stand alone."""
    named = []
    for index, cell in enumerate(row):
        if cell:
            named.append(f"{header[index]}: {cell}" if index < len(header) and header[index] else cell)
    return "; ".join(named)


def _dialect(text: str, name: str) -> type[csv.Dialect] | csv.Dialect | str:
    sample = text[:20_000]
    if name.lower().removesuffix(".gz").endswith(".tsv"):
        return "excel-tab"
    first = sample.split("\n", 1)[0]
    counts = {delimiter: first.count(delimiter) for delimiter in _DELIMITERS}
    delimiter = max(counts, key=lambda key: counts[key])

    class Sniffed(csv.excel):
        pass

    Sniffed.delimiter = delimiter if counts[delimiter] else ","
    return Sniffed


def _is_header(rows: list[list[str]]) -> bool:
    """A header names every column once and holds no numbers, and something follows that differs in kind or length."""
    first = rows[0]
    if not all(first) or len(set(first)) < len(first) or any(NUMBER.fullmatch(cell) for cell in first):
        return False
    return len(rows) == 1 or max(map(len, first)) <= 80
