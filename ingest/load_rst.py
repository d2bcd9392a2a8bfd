"""reStructuredText in, a draft out: what a reader of the page sees, without the markup that makes it.

Headings by their underlines, lists, tables, code, and directives by what they hold. A reader of our own rather than
docutils, which stops at the directives and roles that only Sphinx knows, and those are in nearly every real file.
"""

import re
from collections.abc import Callable, Sequence

from ingest.load_draft import Draft, DraftWriter, clean_text, one_line, table_row
from ingest.rst_inline import plain_words
from ingest.rst_lines import (
    ITEM,
    dedented,
    directive_options,
    flat_item,
    further_signatures,
    holds_blocks,
    indented_end,
    is_enumerated_prose,
    lines_while,
    rule_fits,
)
from ingest.rst_tables import csv_rows, grid_rows, is_grid_border, is_simple_border, list_rows, simple_rows

_RULE = re.compile(r"([!-/:-@\[-`{-~])\1{1,}\s*$")
_DIRECTIVE = re.compile(r"\.\.\s+(?:\|[^|]+\|\s+)?([\w:.+-]+?)::(?:\s+(.*))?$")
_SUBSTITUTION = re.compile(r"^\.\.\s+\|([^|]+)\|\s+replace::\s+(.+)$", re.M)
_NOTE = re.compile(r"\.\.\s+\[(#?[\w.-]*|\*)\]\s*(.*)$")
_FIELD = re.compile(r":([^:`\n]{1,60}):\s*(.*)$")
_METADATA = {"author": "author", "authors": "author", "date": "date", "version": "version", "keywords": "keywords"}
_DROPPED = frozenset(
    {"toctree", "index", "contents", "include", "raw", "meta", "highlight", "currentmodule", "module", "py:module",
     "py:currentmodule", "default-role", "role", "sectnum", "tabularcolumns", "only-format", "replace", "unicode",
     "target-notes", "testsetup", "testcleanup", "default-domain", "program", "header", "footer"}
)  # fmt: skip
_CODE = frozenset(
    {"code", "code-block", "sourcecode", "parsed-literal", "math", "doctest", "testcode", "testoutput",
     "productionlist", "prompt", "graphviz", "mermaid", "uml", "ipython", "jupyter-execute"}
)  # fmt: skip
_OBJECTS = frozenset(
    {"function", "class", "method", "classmethod", "staticmethod", "attribute", "data", "exception", "decorator",
     "property", "macro", "type", "struct", "enum", "member", "var", "option", "cmdoption", "envvar", "directive",
     "role", "describe", "object", "confval", "setting", "opcode", "2to3fixer", "pdbcommand", "token", "cfunction"}
)  # fmt: skip


def load_rst(text: str) -> Draft:
    """Give headings, paragraphs, lists, tables, code and figures in order; the head's fields as metadata."""
    text = clean_text(text).expandtabs(8)
    substitutions = {name: one_line(value) for name, value in _SUBSTITUTION.findall(text)}
    reader = _Reader(lambda piece: plain_words(piece, substitutions))
    reader.read(text.split("\n"), 0)
    return reader.writer.finish(title=reader.title, metadata=reader.metadata)


class _Reader:
    """Reads lines and holds what they tell about the document so far."""

    def __init__(self, plain: Callable[[str], str]) -> None:
        self.writer = DraftWriter()
        self.title: str | None = None
        self.metadata: dict[str, str] = {}
        self._plain = plain
        self._styles: list[str] = []  # of underlines, by level
        self._level = 0

    def read(self, lines: Sequence[str], depth: int) -> None:
        """Append the blocks of these lines; `depth` counts what they are nested in."""
        at = 0
        while at < len(lines):
            line = lines[at]
            if not line.strip():
                at += 1
            elif depth == 0 and (size := self._heading(lines, at)):
                at += size
            elif line.startswith("..") and (line.rstrip() == ".." or line[2:3].isspace()):
                at = self._explicit(lines, at, depth)
            elif is_grid_border(line):
                end = lines_while(lines, at, lambda text: text.lstrip()[:1] in ("+", "|"))
                self._table(grid_rows(lines[at:end]))
                at = end
            elif is_simple_border(line):
                at = self._simple_table(lines, at)
            elif line.startswith(" "):
                end = indented_end(lines, at)
                self._nested(lines[at:end], depth)
                at = end
            elif _RULE.match(line) and len(line.strip()) >= 4:
                at += 1  # a line across the page
            elif ITEM.match(line) and not is_enumerated_prose(line):
                at = self._list(lines, at, depth)
            else:
                at = self._paragraph(lines, at, depth)

    def _heading(self, lines: Sequence[str], at: int) -> int:
        """Append a heading that begins here and give the number of its lines; else 0."""

        def rule(index: int) -> str:
            line = lines[index] if index < len(lines) else ""
            return line[0] if line and _RULE.match(line) else ""

        def text(index: int) -> str:
            return lines[index].strip() if index < len(lines) else ""

        over = rule(at)
        if over and text(at + 1) and not rule(at + 1) and rule(at + 2) == over:
            words, style, size = text(at + 1), over * 2, 3
        elif not over and not lines[at].startswith(" ") and rule(at + 1) and rule_fits(lines[at], lines[at + 1]):
            words, style, size = text(at), rule(at + 1), 2
        else:
            return 0
        if style not in self._styles:
            self._styles.append(style)
        self._level = min(self._styles.index(style) + 1, 6)
        words = self._plain(words)
        self.title = self.title or words
        self.writer.add("heading", words, self._level)
        return size

    def _explicit(self, lines: Sequence[str], at: int, depth: int) -> int:
        """Append what a `..` construct holds, and give where it ends."""
        end = indented_end(lines, at + 1)
        body = dedented(lines[at + 1 : end])
        if directive := _DIRECTIVE.match(lines[at]):
            goes_on = at + 1 < end and bool(lines[at + 1].strip())
            self._directive(directive.group(1).lower(), (directive.group(2) or "").strip(), body, depth, goes_on)
        elif note := _NOTE.match(lines[at]):
            self.writer.add("paragraph", self._plain(one_line(f"[{note.group(1)}] {note.group(2)} {' '.join(body)}")))
        return end

    def _directive(self, name: str, argument: str, body: list[str], depth: int, goes_on: bool) -> None:
        options, body = directive_options(body)
        kind = name.rpartition(":")[2] if ":" in name else name
        if name in _DROPPED or kind.startswith("auto"):
            return
        if kind in _CODE:
            self.writer.add("code", "\n".join(body) or argument)
        elif kind in ("figure", "image"):
            self.writer.add("figure", self._plain(options.get("alt", "")))
            self._nested(body, depth)
        elif kind in ("csv-table", "list-table"):
            header = csv_rows([options["header"]]) if "header" in options else []
            self.writer.add("paragraph", self._plain(argument))
            self._table(header + (csv_rows(body) if kind == "csv-table" else list_rows(body)))
        elif kind in _OBJECTS:
            signature = " ".join([argument, *further_signatures(body, options)]).strip()
            self.writer.add("heading", self._plain(signature), min(self._level + 1 + min(depth, 2), 6))
            self._nested(body, depth + 1)
        else:
            label = {"versionadded": "New in", "versionchanged": "Changed in", "deprecated": "Deprecated since"}.get(
                kind
            )
            argument = f"{label} {argument}" if label else argument
            if goes_on and not options:  # a paragraph that begins on the directive's line
                body = [argument, *body]
            else:
                self.writer.add("paragraph", self._plain(argument))
            self._nested(body, depth)

    def _nested(self, lines: Sequence[str], depth: int) -> None:
        if depth < 40:
            self.read(dedented(lines), depth + 1)
        else:
            self.writer.add("paragraph", self._plain(one_line(" ".join(lines))))

    def _list(self, lines: Sequence[str], at: int, depth: int) -> int:
        """Append a list; items that hold more than words and lists of words are read as blocks of their own."""
        items: list[str] = []
        while at < len(lines) and (mark := ITEM.match(lines[at])):
            inside = len(mark.group())
            end = indented_end(lines, at + 1)
            body = [
                lines[at][inside:],
                *(line[min(inside, len(line) - len(line.lstrip())) :] for line in lines[at + 1 : end]),
            ]
            if (flat := list(flat_item(body, mark.group(2), 0))) and not holds_blocks(body):
                items += [self._plain(line) for line in flat]
            else:
                first = lines_while(body, 0, lambda text: bool(text.strip()) and not text.startswith(" "))
                words = one_line(" ".join(body[:first]))
                items.append(
                    self._plain(f"{mark.group(2)} {words.removesuffix('::') + ':' if words.endswith('::') else words}")
                )
                self.writer.add("list", "\n".join(items))
                items = []
                self._after(words, body[first:], depth)
            at = end
        self.writer.add("list", "\n".join(items))
        return at

    def _after(self, words: str, rest: list[str], depth: int) -> None:
        """Append what follows a paragraph that may end with `::`, which makes the next indented lines code."""
        if words.endswith("::"):
            start = lines_while(rest, 0, lambda text: not text.strip())
            end = indented_end(rest, start)
            self.writer.add("code", "\n".join(dedented(rest[start:end])))
            rest = rest[end:]
        self._nested(rest, depth)

    def _paragraph(self, lines: Sequence[str], at: int, depth: int) -> int:
        end = lines_while(lines, at, lambda text: bool(text.strip()) and not text.startswith(" "))
        if (
            end == at + 1
            and end < len(lines)
            and lines[end].startswith(" ")
            and not lines[at].startswith((">>>", "|", ":"))
        ):
            return self._definition(lines, at, depth)
        if lines[at].startswith(">>>"):
            self.writer.add("code", "\n".join(lines[at:end]))
            return end
        if _FIELD.match(lines[at]):
            return self._fields(lines, at)
        if lines[at].startswith("| ") or lines[at].rstrip() == "|":
            self.writer.add(
                "paragraph", self._plain("\n".join(line.removeprefix("|").strip() for line in lines[at:end]))
            )
            return end
        words = "\n".join(line.strip() for line in lines[at:end])
        is_code = words.endswith("::")
        words = (
            (words[:-2].rstrip() if words[:-2].endswith((" ", "\n", "")) and words[-3:-2].isspace() else words[:-1])
            if is_code
            else words
        )
        if words not in (":", ""):
            self.writer.add("paragraph", self._plain(words))
        if is_code:
            start = lines_while(lines, end, lambda text: not text.strip())
            stop = indented_end(lines, start)
            self.writer.add("code", "\n".join(dedented(lines[start:stop])))
            return max(stop, end)
        return end

    def _definition(self, lines: Sequence[str], at: int, depth: int) -> int:
        """Append a term with what stands indented below it: as one block where that is a paragraph."""
        end = indented_end(lines, at + 1)
        body = dedented(lines[at + 1 : end])
        if lines[at].rstrip().endswith("::"):
            self.writer.add("paragraph", self._plain(lines[at].strip()[:-1]))
            self.writer.add("code", "\n".join(body))
        elif not any(not line.strip() for line in body[:-1]) and not holds_blocks(body):
            text = "\n".join(line.strip() for line in (lines[at], *body))
            self.writer.add("paragraph", self._plain(text))
        else:
            self.writer.add("paragraph", self._plain(lines[at].strip()))
            self._nested(body, depth)
        return end

    def _fields(self, lines: Sequence[str], at: int) -> int:
        shown = []
        while at < len(lines) and (field := _FIELD.match(lines[at])):
            end = indented_end(lines, at + 1)
            value = one_line(" ".join([field.group(2), *lines[at + 1 : end]]))
            key = _METADATA.get(field.group(1).lower())
            if key and self._level <= 1:
                self.metadata.setdefault(key, value)
            if value:
                shown.append(f"{field.group(1)}: {self._plain(value)}")
            at = end
        self.writer.add("paragraph", "\n".join(shown))
        return at

    def _simple_table(self, lines: Sequence[str], at: int) -> int:
        borders = [index for index in range(at, min(len(lines), at + 5000)) if is_simple_border(lines[index])]
        blank = next((index for index in borders[1:] if index + 1 >= len(lines) or not lines[index + 1].strip()), None)
        end = (blank if blank is not None else borders[-1]) + 1
        self._table(simple_rows(lines[at:end]))
        return max(end, at + 1)

    def _table(self, rows: Sequence[Sequence[str]]) -> None:
        self.writer.add("table", "\n".join(table_row([self._plain(cell) for cell in row]) for row in rows))
