"""JSON and JSON Lines in, a draft out: each record a line that names its values, `name: Ada; born.year: 1815`.

As with CSV, a record that carries its names can be quoted, searched and read by a model on its own.
"""

import json
from collections.abc import Iterator, Sequence

from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter, clean_text, one_line

_LONG_VALUE = 200  # characters; longer ones, and those of several lines, stand as paragraphs of their own
_LONG_RECORD = 600
_TITLES = ("title", "name", "标题", "名称")

# What a JSON file can hold; numbers are kept as they are written.
Json = str | bool | None | list["Json"] | dict[str, "Json"]


class _Literal(str):
    """A number as it is written in the file: 1.10 stays 1.10, and no digit is too many."""

    __slots__ = ()


def load_json(text: str, name: str) -> Draft:
    """Give the records in order; SourceError says at which line the text stops being JSON."""
    try:
        value = parse_json(text)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Extra data") and len(_good_lines(text)) > 1:
            return load_jsonl(text, name)
        raise SourceError(
            f"{name} isn't valid JSON: {error.msg} at line {error.lineno}, column {error.colno}; mend that and add it."
        ) from error
    except RecursionError as error:
        raise _too_deep(name) from error
    writer = DraftWriter()
    try:
        _write_value(value, "", writer, 1)
    except RecursionError as error:
        raise _too_deep(name) from error
    metadata = {"records": str(len(value))} if isinstance(value, list) else {}
    return writer.finish(title=_title(value), metadata=metadata)


def load_jsonl(text: str, name: str) -> Draft:
    """Give each line's record as a block; lines that aren't JSON are counted in the metadata.

    SourceError when no line is.
    """
    writer = DraftWriter()
    bad: list[str] = []
    n_records, first_error = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = parse_json(line)
        except (json.JSONDecodeError, RecursionError) as error:
            detail = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            first_error = first_error or f"{detail} at line {number}"
            bad.append(str(number))
            continue
        n_records += 1
        try:
            _write_records([record], "", writer)
        except RecursionError as error:
            raise _too_deep(name) from error
    if not n_records:
        raise SourceError(
            f"{name} isn't valid JSON Lines: {first_error or 'no line holds anything'}; mend it and add it."
        )
    shown = ", ".join(bad[:20]) + (f" and {len(bad) - 20} more" if len(bad) > 20 else "")
    return writer.finish(metadata={"records": str(n_records), **({"lines_not_read": shown} if bad else {})})


def parse_json(text: str) -> Json:
    """Read JSON with its numbers as they are written. Raises json.JSONDecodeError and RecursionError."""
    value: Json = json.loads(text, parse_float=_Literal, parse_int=_Literal, parse_constant=_Literal)
    return value


def _too_deep(name: str) -> SourceError:
    return SourceError(f"{name} is nested too deeply to be read; flatten it and add that.")


def _good_lines(text: str) -> list[Json]:
    try:
        return [parse_json(line) for line in text.split("\n") if line.strip()]
    except (json.JSONDecodeError, RecursionError):
        return []


def _write_value(value: Json, path: str, writer: DraftWriter, level: int) -> None:
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        if path:
            writer.add("heading", path, level)
        _write_records(value, "", writer)
    elif isinstance(value, dict):
        _write_object(value, path, writer, level)
    else:
        _write_records([value], path, writer)


def _write_object(value: dict[str, Json], path: str, writer: DraftWriter, level: int) -> None:
    """Give plain values and small objects as lines, then what holds records under headings of their own."""
    lines: list[str] = []
    large: list[tuple[str, Json]] = []
    for key, inner in value.items():
        inside = _join(path, key)
        pairs = list(_pairs(inner, inside)) if not _holds_records(inner) else []
        if not pairs:
            large.append((inside, inner))
        elif sum(len(name) + len(text) for name, text in pairs) <= _LONG_RECORD and not any(map(_is_long, pairs)):
            lines.append(_line(pairs))
        else:
            for pair in pairs:
                if _is_long(pair):
                    writer.add("table", "\n".join(lines))
                    lines = []
                    writer.add("paragraph", f"{pair[0]}: {pair[1]}")
                else:
                    lines.append(_line([pair]))
    writer.add("table", "\n".join(lines))
    for inside, inner in large:
        if isinstance(inner, dict):
            writer.add("heading", inside, level)
            _write_object(inner, inside, writer, min(level + 1, 6))
        else:
            _write_value(inner, inside, writer, level)


def _write_records(records: Sequence[Json], path: str, writer: DraftWriter) -> None:
    """Give each record as a line; one with long values as paragraphs instead."""
    lines: list[str] = []
    for record in records:
        pairs = list(_pairs(record, path))
        short = [pair for pair in pairs if not _is_long(pair)]
        if short:
            lines.append(_line(short))
        if len(short) < len(pairs):
            writer.add("table", "\n".join(lines))
            lines = []
            for name, text in filter(_is_long, pairs):
                writer.add("paragraph", f"{name}: {text}" if name else text)
    writer.add("table", "\n".join(lines))


def _holds_records(value: Json) -> bool:
    """Tell whether a list of objects lies somewhere inside."""
    if isinstance(value, dict):
        return any(map(_holds_records, value.values()))
    return isinstance(value, list) and sum(isinstance(item, dict) for item in value) > 1


def _pairs(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """Give every value with its path: `born.year`, `works[0].title`. Lists of plain values are one value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _pairs(inner, _join(path, key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, inner in enumerate(value):
            yield from _pairs(inner, f"{path}[{index}]")
    elif isinstance(value, list):
        if value:
            yield path, ", ".join(map(_shown, value))
    else:
        yield path, _shown(value)


def _join(path: str, key: str) -> str:
    key = one_line(key)
    return f"{path}.{key}" if path else key


def _shown(value: Json) -> str:
    if isinstance(value, str):
        return clean_text(value).strip()
    return {None: "null", True: "true", False: "false"}.get(value, "") if not isinstance(value, list | dict) else ""


def _is_long(pair: tuple[str, str]) -> bool:
    return len(pair[1]) > _LONG_VALUE or "\n" in pair[1]


def _line(pairs: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {text}" if name else text for name, text in pairs)


def _title(value: Json) -> str | None:
    if isinstance(value, dict):
        for key in _TITLES:
            found = value.get(key)
            if isinstance(found, str) and not isinstance(found, _Literal) and 0 < len(found) <= 200:
                return found
    return None
