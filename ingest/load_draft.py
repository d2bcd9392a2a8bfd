"""What every format loader gives back: a text with its blocks and pages. Knows nothing about files or formats."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ingest.document import Block, BlockKind, Page, ReadPage, Span, Utterance

_LIBRARIES = frozenset({"python-docx", "python-pptx", "openpyxl"})
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A parsed file before it gets its name: `title` and `metadata` hold only what the file itself says."""

    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    title: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    read_pages: tuple[ReadPage, ...] = ()
    utterances: tuple[Utterance, ...] = ()


class DraftWriter:
    """Collects a text block by block, for formats whose text isn't the file itself. Blocks stand a blank line apart."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[tuple[int, str | None]] = []  # where each begins, and its label

    def add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        """Append one block; a text without words is ignored."""
        text = clean_text(text).strip()
        if text:
            start = self._append(text)
            self._blocks.append(Block(kind, Span(start, self._length), level))

    def include(self, draft: Draft, *, deeper: int = 0) -> None:
        """Append another draft's text and blocks, its headings `deeper` levels down. Its pages aren't taken over."""
        if not draft.text.strip():
            return
        shift = self._append(draft.text.rstrip())
        for block in draft.blocks:
            span = Span(block.span.start + shift, min(block.span.end + shift, self._length))
            level = min(block.level + deeper, 6) if block.level else 0
            self._blocks.append(Block(block.kind, span, level, block.name))

    def begin_page(self, label: str | None = None) -> None:
        """Say that what is added from now on stands on the next page."""
        self._pages.append((self._length + 2 if self._parts else 0, label))

    def finish(self, *, title: str | None = None, metadata: Mapping[str, str] | None = None) -> Draft:
        """Give the collected text as a Draft."""
        starts = [min(start, self._length) for start, _ in self._pages]
        spans = [Span(start, end) for start, end in zip(starts, [*starts[1:], self._length], strict=False)]
        pages = tuple(Page(number, spans[number - 1], label) for number, (_, label) in enumerate(self._pages, 1))
        return Draft("".join(self._parts), tuple(self._blocks), pages, title, dict(metadata or {}))

    def _append(self, text: str) -> int:
        """Append a text a blank line below the one before; give the offset at which it starts."""
        if self._parts:
            self._parts.append("\n\n")
            self._length += 2
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        return start


def clean_text(text: str) -> str:
    """Give the text with `\\n` line ends and without control characters or lone surrogates (each becomes a space)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _CONTROL.sub(" ", text)


def one_line(text: str) -> str:
    """Give the text with every run of white space made one space."""
    return " ".join(clean_text(text).split())


def brief(error: Exception) -> str:
    """Give what an error says on one short line; its kind when it says nothing."""
    words = one_line(str(error))
    return (words if len(words) <= 120 else f"{words[:119]}…") or type(error).__name__


def office_metadata(
    author: str | None, subject: str | None, keywords: str | None, date: datetime | None
) -> dict[str, str]:
    """Give what an Office file says of itself; what it leaves out, and the name of a library as author, is left out."""
    metadata = {
        "author": one_line(author or ""),
        "subject": one_line(subject or ""),
        "keywords": one_line(keywords or ""),
        "date": date.date().isoformat() if date is not None else "",
    }
    return {key: value for key, value in metadata.items() if value and value not in _LIBRARIES}


def table_row(cells: list[str]) -> str:
    """Draw one table row as `| a | b |`."""
    return "| " + " | ".join(one_line(cell).replace("|", "¦") for cell in cells) + " |"
