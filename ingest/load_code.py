"""Program text in, a draft out: the file verbatim, with each class and function under a heading that names it.

A heading covers the comments and decorators above a definition and its first lines; its name is the qualified one, so
that a chunk of a method says whose it is.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath

from ingest.code_definitions import Definition, guess_definitions, python_definitions
from ingest.document import Block, Span
from ingest.load_draft import Draft, clean_text

_PYTHON = (".py", ".pyi")
_MAX_HEADING_LINES = 30


def load_code(text: str, name: str) -> Draft:
    """Give the lines as they stand. A file that can't be parsed is cut by how its lines begin."""
    text = clean_text(text)
    suffix = PurePosixPath(name.lower().removesuffix(".gz")).suffix
    lines = text.split("\n")
    if suffix in _PYTHON:
        found = python_definitions(text)
    else:
        from ingest.code_grammars import grammar_definitions  # loads compiled grammars

        found = grammar_definitions(text, suffix)
    definitions = guess_definitions(lines, suffix) if found is None else found
    writer = _Blocks(lines)
    writer.write(definitions, 0, len(lines), PurePosixPath(name).stem, 1, resumed=False)
    return Draft(text, tuple(writer.blocks), metadata={"program_language": suffix.lstrip(".")})


class _Blocks:
    """Collects blocks from ranges of lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.blocks: list[Block] = []
        self._lines = lines
        self._offsets = [0]
        for line in lines:
            self._offsets.append(self._offsets[-1] + len(line) + 1)

    def write(
        self, definitions: Sequence[Definition], start: int, end: int, owner: str, level: int, *, resumed: bool
    ) -> None:
        """Append the lines start..end (excluded) of `owner`, in which these definitions lie."""
        for definition in definitions:
            self._gap(start, definition.start, owner, max(level - 1, 1), resumed)
            body = min(
                max(definition.body, definition.start + 1), definition.start + _MAX_HEADING_LINES, definition.end
            )
            self._add("heading", definition.start, body, min(level, 6), definition.name)
            self.write(definition.inner, body, definition.end, definition.name, level + 1, resumed=False)
            start, resumed = definition.end, True
        self._gap(start, end, owner, max(level - 1, 1), resumed)

    def _gap(self, start: int, end: int, owner: str, level: int, resumed: bool) -> None:
        """Append lines that aren't in a definition; after one, under a heading that says whose they are."""
        while start < end and not self._lines[start].strip():
            start += 1
        if start >= end:
            return
        if resumed:
            self._add("heading", start, start + 1, level, owner)
            start += 1
        self._add("code", start, end, 0, "")

    def _add(self, kind: str, start: int, end: int, level: int, name: str) -> None:
        while start < end and not self._lines[end - 1].strip():
            end -= 1
        while start < end and not self._lines[start].strip():
            start += 1
        if start >= end:
            return
        first, last = self._offsets[start], self._offsets[end - 1] + len(self._lines[end - 1])
        self.blocks.append(Block("heading" if kind == "heading" else "code", Span(first, last), level, name))
