"""Lines of reStructuredText in, where their pieces begin and end out. Knows nothing about documents."""

import re
from collections.abc import Callable, Iterator, Sequence

from ingest.load_draft import one_line

ITEM = re.compile(r"(\s*)([-*+•]|\(?(?:\d{1,3}|#|[a-zA-Z])[.)])\s+(?=\S)")
_OPTION = re.compile(r":([\w -]+):(?:\s+(.*))?$")


def rule_fits(title: str, rule: str) -> bool:
    """Tell whether an underline is long enough for a title; half of it is, as writers in wide scripts count."""
    return (
        len(title.rstrip()) <= 200
        and len(rule.strip()) >= min(3, len(title.strip()))
        and len(rule.strip()) * 2 >= len(title.strip())
    )


def lines_while(lines: Sequence[str], at: int, holds: Callable[[str], bool]) -> int:
    """Give where the lines from `at` on stop to hold."""
    while at < len(lines) and holds(lines[at]):
        at += 1
    return at


def indented_end(lines: Sequence[str], at: int) -> int:
    """Give where the indented lines that begin here end; blank ones at their end aren't counted."""
    end = at
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith(" ")):
        at += 1
        if lines[at - 1].strip():
            end = at
    return end


def dedented(lines: Sequence[str]) -> list[str]:
    """Give lines without the indentation that all share, and without blank ones before them."""
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    least = min(indents, default=0)
    cut = [line[least:] for line in lines]
    start = lines_while(cut, 0, lambda text: not text.strip())
    return cut[start:]


def directive_options(body: list[str]) -> tuple[dict[str, str], list[str]]:
    """Take the options off a directive's body."""
    options: dict[str, str] = {}
    at = 0
    while at < len(body) and (option := _OPTION.match(body[at])):
        options[option.group(1)] = (option.group(2) or "").strip()
        at += 1
    return options, body[at:]


def further_signatures(body: list[str], options: dict[str, str]) -> Iterator[str]:
    """Take the further signatures of an object off its body: they stand right below, before a blank line."""
    if options or not body or not any(not line.strip() for line in body):
        return
    end = lines_while(body, 0, lambda text: bool(text.strip()))
    if all(re.match(r"[\w.]+\(", line) for line in body[:end]):
        yield from body[:end]
        del body[:end]


def flat_item(body: Sequence[str], mark: str, depth: int) -> Iterator[str]:
    """Give an item as one line, and the items of lists inside it indented below."""
    words: list[str] = []
    inner: list[str] = []
    at = 0
    while at < len(body):
        if found := ITEM.match(body[at]):
            inside = len(found.group())
            end = lines_while(
                body, at + 1, lambda text: not text.strip() or len(text) - len(text.lstrip()) >= 1 + len(found.group(1))
            )
            inner += flat_item(
                [body[at][inside:], *(line.strip() for line in body[at + 1 : end])], found.group(2), depth + 1
            )
            at = end
        else:
            words.append(body[at].strip())
            at += 1
    yield "  " * depth + f"{mark} {one_line(' '.join(words))}"
    yield from inner


def holds_blocks(body: Sequence[str]) -> bool:
    """Tell whether lines hold code, tables or directives."""
    return any(line.rstrip().endswith("::") or line.lstrip().startswith((".. ", ">>>", "+--", "===")) for line in body)


def is_enumerated_prose(line: str) -> bool:
    """Tell an initial, as in "A. Turing wrote", from an item."""
    return bool(re.match(r"[A-Z]\.\s+[A-Z][a-z]+\s", line))
