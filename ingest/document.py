"""The values a source becomes: Document with its pages and blocks, and the Chunks cut from it. Pure data."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

SEPARATOR = "!/"  # in the name of a source: between what holds others, an archive or a mail, and what is inside

BlockKind = Literal["heading", "paragraph", "list", "table", "code", "figure"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open character offsets into `Document.text`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"a span needs 0 <= start <= end, got {self.start}..{self.end}")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """Give the characters of `text` that this span covers."""
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        """Tell whether the two spans share at least one character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Page:
    """One page: `number` counts from 1 in file order; `label` is what is printed on it, where the file says."""

    number: int
    span: Span
    label: str | None = None

    @property
    def printed(self) -> str:
        """What is printed on the page where that isn't simply its number, else nothing."""
        return self.label if self.label and self.label != str(self.number) else ""


@dataclass(frozen=True, slots=True)
class Block:
    """One structural unit. `level` is 1-6 for headings and 0 otherwise. Blocks are in text order and disjoint.

    `name` is what a heading is called where its own words don't say it: `Client.retry` for a method's first lines.
    """

    kind: BlockKind
    span: Span
    level: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word as it was read in a picture, and where it stands: as fractions of the upright page, from the top left."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page that was read by OCR: its words in the order of its text, line by line. The file's picture of it stands
    upright once it is turned clockwise by `turn` quarters.
    """

    number: int
    turn: int
    words: tuple[PlacedWord, ...]


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of a recording's text and when it is spoken, in seconds from the recording's beginning."""

    span: Span
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Document:
    """A source's text with its structure. `id` names the source, `content_hash` (of the bytes) its version.

    `read_pages` are those of its pages that were read by OCR, `utterances` what is said in a recording, in order.
    """

    id: str
    source: str
    content_hash: str
    title: str
    text: str
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    language: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    read_pages: tuple[ReadPage, ...] = ()
    utterances: tuple[Utterance, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """Give the number of the page that holds the character at `offset`; None for sources without pages."""
        for page in self.pages:
            if page.span.start <= offset < page.span.end:
                return page.number
        return None

    def seconds_of(self, span: Span) -> tuple[float, float] | None:
        """Give from when to when the words of `span` are spoken; None where nothing says so."""
        return seconds_of(self.utterances, span)


def seconds_of(utterances: Sequence[Utterance], span: Span) -> tuple[float, float] | None:
    """Give from when to when the words of `span` are spoken; None where none of `utterances` overlaps it."""
    heard = [utterance for utterance in utterances if utterance.span.overlaps(span)]
    if not heard:
        return None
    return min(said.start_seconds for said in heard), max(said.end_seconds for said in heard)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document: `text == document.text[span]`. `headings` runs from the title inwards."""

    id: str
    document_id: str
    span: Span
    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None

    @property
    def embedded_text(self) -> str:
        """What the embedder and the lexical index see: the heading path, then the text. Never quoted."""
        return f"{' > '.join(self.headings)}\n{self.text}" if self.headings else self.text


def document_id(source: str) -> str:
    """Name a source: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def chunk_id(document_id: str, span: Span, text: str) -> str:
    """Name a chunk by document, place and words, so that equal input gives equal ids on every machine."""
    return hashlib.sha256(
        f"{document_id}:{span.start}:{span.end}:{text}".encode("utf-8", "surrogateescape")
    ).hexdigest()[:16]
