"""Markdown in, a draft out. The text is the source itself (less the front matter), so that offsets are exact."""

import re
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.document import Block, BlockKind, Span
from ingest.load_draft import Draft, clean_text

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_FIELD = re.compile(r"^([A-Za-z][\w-]*)[ \t]*:[ \t]*(.*)$", re.M)
_KINDS: dict[str, BlockKind] = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "blockquote_open": "paragraph",
    "html_block": "paragraph",
}


def load_markdown(text: str) -> Draft:
    """Give the Markdown source with its headings, lists, tables and code as blocks, front matter as metadata."""
    text = clean_text(text)
    metadata: dict[str, str] = {}
    if front := _FRONT_MATTER.match(text):
        metadata = _fields(front.group(1))
        text = text[front.end() :]
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    blocks = _blocks(text, tokens)
    title = metadata.pop("title", None) or _first_heading(tokens)
    return Draft(text, tuple(blocks), title=title, metadata=metadata)


def _fields(front: str) -> dict[str, str]:
    fields = {}
    for name, value in _FIELD.findall(front):
        value = value.strip().strip("\"'")
        if value and value not in ("|", ">"):
            fields[name.lower()] = value
    return fields


def _blocks(text: str, tokens: list[Token]) -> list[Block]:
    offsets = [0]
    for line in text.split("\n"):
        offsets.append(offsets[-1] + len(line) + 1)
    blocks: list[Block] = []
    for token in tokens:
        kind = _KINDS.get(token.type)
        if kind is None or token.level != 0 or token.map is None:
            continue
        start, end = offsets[token.map[0]], min(offsets[token.map[1]], len(text))
        piece = text[start:end]
        start, end = end - len(piece.lstrip()), start + len(piece.rstrip())
        if start < end:
            level = int(token.tag[1]) if kind == "heading" else 0
            blocks.append(Block(kind, Span(start, end), level))
    return blocks


def _first_heading(tokens: list[Token]) -> str | None:
    for token, following in pairwise(tokens):
        if token.type == "heading_open" and token.tag in ("h1", "h2"):
            return "".join(child.content for child in following.children or []).strip() or None
    return None
