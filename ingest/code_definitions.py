"""Program text in, where its classes and functions are out: Python by its own parser, the rest by how lines begin."""

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_COMMENT = re.compile(
    r"\s*(?:#(?!\s*(?:include|define|if|endif|else|pragma)\b)|//|/\*|\*|--|;;|@\w|\[\w|%%|'''|\"\"\")"
)
_WORDS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|override|open|suspend|async|inline|"
    r"sealed|data|pub(?:\([^)]*\))?|unsafe|extern|local|virtual|partial|case|implicit|lazy|fileprivate|mutating)\s+)*"
)
_DEFINES = re.compile(
    rf"(\s*){_WORDS}(?:function|func|fun|fn|def|defp|defmodule|defmacro|class|object|interface|trait|struct|enum|protocol"
    r"|extension|module|sub|message|service|impl|namespace|package|rpc|task)\s+([\w.:$?!]+)"
)
_SHELL = re.compile(r"(\s*)([\w:-]+)\s*\(\)\s*\{?\s*$")
_SQL = re.compile(
    r"(\s*)create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+|materialized\s+|unique\s+)?"
    r"(?:table|view|function|procedure|index|trigger|type|schema)\s+(?:if\s+not\s+exists\s+)?([\w.\"`\[\]]+)",
    re.I,
)
_ASSIGNED = re.compile(r"(\s*)(?:local\s+)?([\w.:]+)\s*(?:<-|=)\s*function\b")
_LISP = re.compile(r"(\s*)\((?:defn-?|def|defmacro|defprotocol|defrecord|ns)\s+([^\s()\[\]]+)")
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or function: its qualified name and its lines start..end (excluded, from 0); `body` follows the head."""

    name: str
    start: int
    body: int
    end: int
    inner: tuple["Definition", ...] = ()


def python_definitions(text: str) -> list[Definition] | None:
    """Find classes, functions and methods; None when this isn't Python that can be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the program's own string escapes
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return list(_python_inner(tree.body, "", 0, text.split("\n"), 0))


def _python_inner(
    body: Sequence[ast.stmt], owner: str, floor: int, lines: Sequence[str], depth: int
) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{owner}.{node.name}" if owner else node.name
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
            start = with_comments(lines, first, floor)
            inside = node.body[0].lineno - 1
            end = node.end_lineno or node.lineno
            deeper = isinstance(node, ast.ClassDef) and depth < _MAX_DEPTH
            inner = tuple(_python_inner(node.body, name, inside, lines, depth + 1)) if deeper else ()
            yield Definition(name, start, inside, end, inner)
            floor = end
        else:
            floor = node.end_lineno or floor


def with_comments(lines: Sequence[str], start: int, floor: int) -> int:
    """Give where the comments right above a line begin, but nothing above `floor`."""
    while start > floor and _COMMENT.match(lines[start - 1]):
        start -= 1
    return start


def guess_definitions(lines: Sequence[str], suffix: str) -> list[Definition]:
    """Find definitions by the words that begin their lines; what is indented deeper lies inside."""
    pattern = {".sql": _SQL, ".clj": _LISP, ".r": _ASSIGNED}.get(suffix, _DEFINES)
    found: list[tuple[int, int, str]] = []  # line, indent, name
    for number, line in enumerate(lines):
        matched = pattern.match(line) if len(line) < 2000 else None
        if matched is None and pattern is _DEFINES and len(line) < 2000:
            matched = _SHELL.match(line) or _ASSIGNED.match(line)
        if matched:
            found.append((number, len(matched.group(1).expandtabs(4)), matched.group(2).strip('"`[]:')))
    return _guessed(found, 0, len(found), "", 0, len(lines), lines, 0)


def _guessed(
    found: Sequence[tuple[int, int, str]],
    first: int,
    last: int,
    owner: str,
    floor: int,
    end: int,
    lines: Sequence[str],
    depth: int,
) -> list[Definition]:
    definitions: list[Definition] = []
    index = first
    while index < last:
        number, indent, own = found[index]
        following = index + 1
        while following < last and found[following][1] > indent:
            following += 1
        stop = with_comments(lines, found[following][0], number + 1) if following < last else end
        name = f"{owner}.{own}" if owner else own
        start = with_comments(lines, number, floor)
        inner: list[Definition] = []
        if depth < _MAX_DEPTH:
            inner = _guessed(found, index + 1, following, name, number + 1, stop, lines, depth + 1)
        definitions.append(Definition(name, start, number + 1, stop, tuple(inner)))
        floor, index = stop, following
    return definitions
