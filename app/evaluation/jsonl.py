"""A file of JSON lines in, rows with checked fields out. Every complaint names the file and the line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import SourceError


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON object; `where` is its file and line, as complaints name it."""

    fields: Mapping[str, object]
    where: str

    def wrong(self, what: str) -> SourceError:
        """Make the error that says what is wrong with this row."""
        return SourceError(f"{self.where}: {what}")

    def text(self, *names: str, default: str | None = None) -> str:
        """Give the first of the named fields that is there, as text; numbers are taken as written."""
        for name in names:
            value = self.fields.get(name)
            if isinstance(value, str):
                return value
            if isinstance(value, int | float) and not isinstance(value, bool):
                return str(value)
            if value is not None:
                raise self.wrong(f'"{name}" is {_shown(value)}, wanted a text')
        if default is None:
            raise self.wrong(f'"{names[0]}" is missing')
        return default

    def flag(self, name: str, *, default: bool) -> bool:
        """Give a field that is true or false."""
        value = self.fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(f'"{name}" is {_shown(value)}, wanted true or false')
        return value

    def list(self, name: str) -> list[object]:
        """Give a field that is a list; empty when missing."""
        value = self.fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(f'"{name}" is {_shown(value)}, wanted a list')
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a field that is a list of texts; objects with a "text" count as that text; empty when missing."""
        values = [value.get("text") if isinstance(value, dict) else value for value in self.list(name)]
        for value in values:
            if not isinstance(value, str):
                raise self.wrong(f'"{name}" holds {_shown(value)}, wanted texts')
        return tuple(value for value in values if isinstance(value, str))

    def groups(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Give a field that is a list of lists of texts; a bare text is a group of one; empty when missing."""
        return tuple(
            (value,) if isinstance(value, str) else Row({name: value}, self.where).texts(name)
            for value in self.list(name)
        )

    def rows(self, name: str) -> "tuple[Row, ...]":
        """Give a field that is a list of objects; empty when missing."""
        found = self.list(name)
        for value in found:
            if not isinstance(value, dict):
                raise self.wrong(f'"{name}" holds {_shown(value)}, wanted objects')
        return tuple(Row(value, self.where) for value in found if isinstance(value, dict))


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the objects of a JSON-lines file; blank lines are skipped. Raises SourceError naming file and line."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _parsed(line, f"{path}, line {number}")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from error


def read_object(path: Path) -> Row:
    """Give the one JSON object a file holds. Raises SourceError naming the file."""
    try:
        return _parsed(path.read_text(encoding="utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from error


def refuse_twice(rows: Iterable[tuple[Row, str]]) -> None:
    """Raise SourceError at the first row whose id an earlier row has."""
    seen: set[str] = set()
    for row, identifier in rows:
        if identifier in seen:
            raise row.wrong(f'the id "{identifier}" has been used before')
        seen.add(identifier)


def _parsed(text: str, where: str) -> Row:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(f"{where}: not JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(value, dict):
        raise SourceError(f"{where}: {_shown(value)}, wanted a JSON object")
    return Row(value, where)


def _shown(value: object) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 60 else f"{written[:57]}..."
