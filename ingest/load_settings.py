"""YAML, TOML and INI in, a draft out: the text as it stands, its sections and top keys as headings."""

import re

from ingest.document import Block, Span
from ingest.load_draft import Draft, clean_text

_SECTION = re.compile(r"\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:[#;].*)?$")
_KEY = re.compile(r"(?:- )?([^\s#:'\"\[{&*!|>%@][^:#]{0,80}):\s*(?:[|>&].*|#.*)?$")


def load_settings(text: str) -> Draft:
    """Give the lines verbatim: `[section]` and a top key that opens a block are headings, the rest is code."""
    text = clean_text(text)
    blocks: list[Block] = []
    start = offset = 0
    for line in text.split("\n"):
        found = _SECTION.match(line) or _KEY.match(line)
        if found:
            _add_code(text, start, offset, blocks)
            name = found.group(1).strip()
            level = min(name.count(".") + 1, 6) if line.startswith("[") else 1
            blocks.append(Block("heading", Span(offset, offset + len(line.rstrip())), level, name))
            start = offset + len(line)
        offset += len(line) + 1
    _add_code(text, start, len(text), blocks)
    return Draft(text, tuple(blocks))


def _add_code(text: str, start: int, end: int, blocks: list[Block]) -> None:
    piece = text[start:end]
    if piece.strip():
        blocks.append(Block("code", Span(start + len(piece) - len(piece.lstrip("\n")), start + len(piece.rstrip()))))
