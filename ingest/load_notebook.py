"""A Jupyter notebook in, a draft out: Markdown cells as Markdown, code as code, what the code printed below it."""

import json
import re
from collections.abc import Iterator

from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter
from ingest.load_html import load_html
from ingest.load_json import Json, parse_json
from ingest.load_markdown import load_markdown

_MAX_OUTPUT = 4000  # characters of one output; logs of a training run go on for ever
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def load_notebook(text: str, name: str) -> Draft:
    """Give the cells in order; SourceError when the file is no notebook."""
    try:
        notebook = parse_json(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" ({error.msg} at line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise SourceError(f"{name} is a damaged notebook{where}; save it again and add that.") from error
    cells = _cells(notebook)
    if cells is None:
        raise SourceError(f"{name} is no notebook: it has no list of cells; save it from Jupyter again and add that.")
    writer = DraftWriter()
    title, n_cut = None, 0
    for number, cell in enumerate(cells, 1):
        kind, source = cell.get("cell_type"), _text(cell.get("source", cell.get("input")))
        if kind == "markdown":
            draft = load_markdown(source)
            title = title or draft.title
            writer.include(draft)
        elif kind == "heading":  # notebooks of format 3
            writer.add("heading", source, 1)
        elif kind == "code":
            writer.add("code", source)
            n_cut += sum(_write_output(output, number, writer) for output in _dicts(cell.get("outputs")))
        else:
            writer.add("paragraph", source)
    metadata = {"cells": str(len(cells)), "program_language": _language(notebook)}
    if n_cut:
        metadata["outputs_cut"] = str(n_cut)
    return writer.finish(title=title, metadata=metadata)


def _write_output(output: dict[str, Json], number: int, writer: DraftWriter) -> bool:
    """Append what a cell gave; tell whether it had to be cut."""
    data = output.get("data", output)
    data = data if isinstance(data, dict) else {}
    for picture in (key for key in data if key.startswith("image/") or key in ("png", "jpeg", "svg")):
        writer.add("figure", f"Picture made by cell {number} ({picture})")
    markup = _text(data.get("text/html"))
    if "<table" in markup and len(markup) <= 50 * _MAX_OUTPUT:
        draft = load_html(markup)
        if len(draft.text) <= _MAX_OUTPUT:
            writer.include(draft)
            return False
    if markdown := _text(data.get("text/markdown")):
        writer.include(load_markdown(markdown[:_MAX_OUTPUT]))
        return len(markdown) > _MAX_OUTPUT
    shown = _text(output.get("text")) or _text(data.get("text/plain")) or _text(output.get("traceback"), "\n")
    shown = _TERMINAL.sub("", shown)
    writer.add("code", shown[:_MAX_OUTPUT])
    return len(shown) > _MAX_OUTPUT


def _cells(notebook: Json) -> list[dict[str, Json]] | None:
    if not isinstance(notebook, dict):
        return None
    sheets = notebook.get("worksheets")
    if isinstance(sheets, list) and "cells" not in notebook:
        return [cell for sheet in _dicts(sheets) for cell in _dicts(sheet.get("cells"))]
    return list(_dicts(notebook.get("cells"))) if isinstance(notebook.get("cells"), list) else None


def _dicts(value: Json) -> Iterator[dict[str, Json]]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict):
            yield entry


def _text(value: Json, between: str = "") -> str:
    """Text stands in one piece or as a list of lines."""
    if isinstance(value, list):
        return between.join(entry for entry in value if isinstance(entry, str))
    return value if isinstance(value, str) else ""


def _language(notebook: Json) -> str:
    metadata = notebook.get("metadata") if isinstance(notebook, dict) else None
    for key in ("language_info", "kernelspec"):
        info = metadata.get(key) if isinstance(metadata, dict) else None
        found = info.get("name") or info.get("language") if isinstance(info, dict) else None
        if isinstance(found, str):
            return found
    return ""
