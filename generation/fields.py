"""A claim and the table rows or records quoted for it in, whether they speak of another row or column out. Pure.

Small models read a table's right row and wrong column, or the other way round; both values stand in the passage, so
that numbers and words alone would pass.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from generation.matching import surface_of, terms_of
from generation.numbers import quantities
from generation.tables import spelled_lines
from ingest.document import Chunk

_SEVERAL = re.compile(r"\b(?:and|both|each)\b|以及|分别|和|[?？].+[?？]", re.IGNORECASE)
_UNIT_SUFFIX = re.compile(r"_[a-z]{1,2}$|\s*[(（][^()（）]*[)）]$")
_DESCRIBED = re.compile(r"(?:\W|\d+[.)])*\s*([^:：(（—–]{1,30}?)\s*[:：(（—–]\s*(\S.*)")
_CELL = re.compile(r"\s*([^:;\n]{1,60}): ([^;\n]*)")


def descriptions(headings: Iterable[str]) -> dict[str, str]:
    """Give what headings say of a thing beside its name: of "Line B: Lantern Wharf to Ketter Island", by "Line B"."""
    found: dict[str, list[str]] = {}
    for heading in headings:
        if match := _DESCRIBED.fullmatch(heading):
            found.setdefault(match[1], []).append(match[2])
    return {name: "\n".join(said) for name, said in found.items()}


def misread(
    claim: str,
    question: str,
    quotes: Sequence[str],
    chunks: Iterable[Chunk],
    described: Mapping[str, str] | None = None,
) -> str:
    """Say which other row or column the quotes speak of, "" when nothing shows that they do.

    `chunks` hold the quotes' tables, `described` what is known of things that columns are named for. Judged only where
    every quote is a row or record.
    """
    rows = {line: fields for chunk in chunks for line, fields in _rows(chunk).items()}
    lines = [line for quote in quotes for line in quote.split("\n") if re.search(r"[^\W_]", line)]
    quoted = [fields for line in lines if (fields := rows.get(line) or _fields(line))]
    if not quoted or len(quoted) < len(lines):
        return ""
    said = surface_of(f"{claim}\n{question}") | _letters(f"{claim}\n{question}")
    return _other_row(said, quoted, list(rows.values())) or _other_column(
        claim, said, question, quoted, described or {}
    )


def narrowed(line: str, question: str, described: Mapping[str, str] | None = None) -> str:
    """Give a spelled row without the numbers of columns that fit the question worse than another column of numbers.

    The first field, which says what the row is about, and fields of words stay. Nothing goes where no such column holds
    half of its name in the question, and where the question asks for several things.
    """
    fields = _fields(line)
    if not fields or _SEVERAL.search(question):
        return line
    said = surface_of(question) | _letters(question)
    numbers = {
        name: _fit(_UNIT_SUFFIX.sub("", name), said, described or {})
        for name, value in fields[1:]
        if re.search(r"\d", value)
    }
    best = max(numbers.values(), default=0.0)
    if best < 0.5:
        return line
    kept = [f"{name}: {value}" for name, value in fields if numbers.get(name, best) >= best]
    return ("- " if line.startswith("- ") else "") + "; ".join(kept)


def columns_of(quote: str, chunk: Chunk) -> tuple[str, ...]:
    """Give the names of the columns that the quote's rows have, () where it holds no row of a table."""
    spelled = {line: shown.removeprefix("- ") for line, shown in _spelled(chunk).items() if shown != line}
    cells = (cell for line in quote.split("\n") for cell in spelled.get(line, "").split("; "))
    return tuple(dict.fromkeys(cell.split(": ")[0] for cell in cells if ": " in cell))


def _rows(chunk: Chunk) -> dict[str, list[tuple[str, str]]]:
    return {line: _fields(shown) for line, shown in _spelled(chunk).items()}


def _spelled(chunk: Chunk) -> dict[str, str]:
    return dict(zip(chunk.text.split("\n"), spelled_lines(chunk.text, chunk.headings), strict=True))


def _other_row(
    said: frozenset[str], quoted: Sequence[list[tuple[str, str]]], rows: Sequence[list[tuple[str, str]]]
) -> str:
    """The rows are known by their first cell: the claim names that of a row which isn't quoted, and none that is."""
    keys = [fields[0][1] for fields in quoted]
    if any(_named(key, said) for key in keys):
        return ""
    header = {fields[0][0] for fields in quoted}
    others = [f[0][1] for f in rows if f and f[0][0] in header and f[0][1] not in keys and _named(f[0][1], said)]
    return f"the quote's row is {keys[0]}, not {others[0]}" if others else ""


def _other_column(
    claim: str,
    said: frozenset[str],
    question: str,
    quoted: Sequence[list[tuple[str, str]]],
    described: Mapping[str, str],
) -> str:
    """A number of the claim stands only in columns whose names fit the claim worse than that of another number."""
    asked = {quantity.value for quantity in quantities(question)}
    for number in (q.value for q in quantities(claim) if q.value not in asked):
        fits = [
            (_fit(name, said, described), name, number in {q.value for q in quantities(value)})
            for fields in quoted
            for name, value in fields
            if quantities(value)
        ]
        holding = [fit for fit in fits if fit[2]]
        if not holding:
            continue
        best, chosen = max(fits), max(holding)
        if best[0] > chosen[0] and chosen[0] < 1:
            return f"{number:g} is the quote's {chosen[1]}, not its {best[1]}"
    return ""


def _fields(line: str) -> list[tuple[str, str]]:
    """Give names and values of "name: value; name: value", [] for a line that is no record of three fields."""
    parts = line.removeprefix("- ").split("; ")
    found = [match.groups() for part in parts if (match := _CELL.fullmatch(part))]
    return [(name.strip(), value.strip()) for name, value in found] if len(found) == len(parts) >= 3 else []


def _named(name: str, said: frozenset[str]) -> bool:
    terms = terms_of(name)
    return bool(terms) and not any(term[0] in "#@" for term in terms) and terms <= said


def _fit(name: str, said: frozenset[str], described: Mapping[str, str]) -> float:
    """How much of a column's name, and of what is known of the thing it is named for, is spoken of."""
    return _share(name, said) + _share(described.get(name, ""), said)


def _share(name: str, said: frozenset[str]) -> float:
    letters = _letters(name)
    terms = terms_of(name.replace("_", " ")) - {letter.lower() for letter in letters} | letters
    return len(terms & said) / len(terms) if terms else 0.0


def _letters(text: str) -> frozenset[str]:
    """Give the single capitals of a text, which tell "Line A" from "Line B"; as a word "A" begins a sentence."""
    return frozenset(re.findall(r"(?<=\w )[A-Z](?!\w)", text))
