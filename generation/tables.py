"""A passage's text in, the same lines with its tables spelled out for a model to read out. Never quoted from. Pure.

Small models read a cell from the wrong column when rows and header stand apart: of the row "| Monthly pass | 96.00 |
58.00 |" Qwen2.5-Coder-1.5B gave the first price for the second line. A row that names its columns leaves no doubt.
"""

import re
from collections.abc import Sequence

_ROW = re.compile(r"^\s*\|(.*)\|\s*$")
_RECORD = re.compile(r"\s*[^:;.\n]{1,60}: [^;\n]{0,200}; [^:;.\n]{1,60}: ")
_RULE = re.compile(r"^[\s|:\-]+$")


def is_row(line: str) -> bool:
    """Tell whether a line makes sense without the lines around it: a row of three cells or more, a record's fields."""
    cells = _cells(line)
    return len(cells) > 2 if cells is not None else bool(_RECORD.match(line))


def spelled_lines(text: str, headings: Sequence[str] = ()) -> list[str]:
    """Give the text's lines, each row of a table with three columns or more as "header: cell; header: cell; ...".

    The header is the table's first row, or, where the text begins inside a table, the last heading. Rows of another
    width than the header, and tables without a full header, stay as they are; the rule below a header becomes "".
    """
    shown: list[str] = []
    header: list[str] | None = None
    carried = _cells(headings[-1]) if headings else None
    for line in text.split("\n"):
        cells = _cells(line)
        if cells is None:
            header = None
            shown.append(line)
            continue
        first = header is None
        if header is None:
            header, carried = carried or cells, None
        if _RULE.match(line):
            shown.append("")
        else:
            shown.append(line if first and header is cells else _spelled(header, cells) or line)
    return shown


def _cells(line: str) -> list[str] | None:
    match = _ROW.match(line)
    return [cell.strip() for cell in match[1].split("|")] if match else None


def _spelled(header: Sequence[str], cells: Sequence[str]) -> str | None:
    if len(header) < 3 or len(header) != len(cells) or not all(header[1:]):
        return None
    named = (f"{name}: {cell}" if name else cell for name, cell in zip(header, cells, strict=True) if cell)
    return "- " + "; ".join(named)
