"""Values as the catalog's tables hold them, and back. Knows no SQL."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ingest.document import Block, Chunk, Document, Page, PlacedWord, ReadPage, Span, Utterance
from ingest.language import detect_language
from ingest.terms import term_lines
from ingest.unread_parts import UnreadPart


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document without its text, for lists. `ocr_pages_limit` is what kept some of its pages from being read,
    `n_invisible` how many characters were left out because no reader of the original sees them,
    `unread` which attachments aren't in it.
    """

    id: str
    source: str
    title: str
    content_hash: str
    language: str
    n_chunks: int
    n_pages: int
    n_characters: int
    chunking: str
    ocr_pages_limit: int | None = None
    n_invisible: int = 0
    unread: tuple[UnreadPart, ...] = ()

    def leaves_out_pages(self, ocr_pages: int) -> bool:
        """Tell whether scanned pages weren't read that would be now, with `ocr_pages` to a document."""
        return self.ocr_pages_limit is not None and self.ocr_pages_limit < ocr_pages


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk with what its document is called, its place (from 0) among the document's chunks, and the terms that
    are indexed for it: a line for title and headings, then one a sentence.
    """

    chunk: Chunk
    position: int
    source: str
    title: str
    terms: str


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the indexes are built from: a chunk's number, id, terms, language, vector (float32 bytes), the hash of the
    text that the vector stands for, and its document's id.
    """

    number: int
    chunk_id: str
    terms: str
    language: str
    vector: bytes
    text_hash: str
    document_id: str


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the catalog keeps it: its chunks, the hash of what was embedded for each, chunking and tags."""

    document: Document
    chunks: tuple[Chunk, ...]
    hashes: tuple[str, ...]
    chunking: str
    tags: tuple[str, ...] = ()


def text_hash(embedded_text: str) -> str:
    """Name a text by its first 32 hex digits of SHA-256."""
    return sha256(embedded_text.encode()).hexdigest()[:32]


def document_row(document: Document, chunking: str) -> tuple[str, ...]:
    """Give the columns of `documents`."""
    pages = json.dumps([[page.number, page.span.start, page.span.end, page.label] for page in document.pages])
    blocks = json.dumps([block_row(block) for block in document.blocks], ensure_ascii=False)
    metadata = json.dumps(dict(document.metadata), ensure_ascii=False)
    head = (document.id, document.source, document.content_hash, document.title, document.text)
    return (*head, pages, blocks, document.language, metadata, chunking)


def block_row(block: Block) -> list[str | int]:
    """Give a block as a list for JSON: kind, start, end, level, and its name when it has one."""
    row: list[str | int] = [block.kind, block.span.start, block.span.end, block.level]
    return [*row, block.name] if block.name else row


def chunk_row(chunk: Chunk, position: int, embedded_hash: str, title: str) -> tuple[str | int | None, ...]:
    """Give the columns of `chunks` but its number; `title` is its document's."""
    headings = json.dumps(chunk.headings, ensure_ascii=False)
    terms = chunk_terms(title, chunk.headings, chunk.text)
    place = (chunk.id, chunk.document_id, position, chunk.span.start, chunk.span.end)
    language = detect_language(chunk.text)
    return (*place, chunk.text, headings, chunk.page, embedded_hash, terms, language)


def chunk_terms(title: str, headings: Sequence[str], text: str) -> str:
    """Give the lines of terms that are indexed for a chunk; a title that the headings hold counts once."""
    return term_lines(" ".join(headings if title in headings else (title, *headings)), text)


def chunk_of(row: Sequence[str | int | None]) -> Chunk:
    """Make a chunk of its first seven columns: id, document, span, text, headings, page."""
    identity, document, start, end, text, headings, page = row[:7]
    span = Span(int(start or 0), int(end or 0))
    number = int(page) if page is not None else None
    return Chunk(str(identity), str(document), span, str(text), tuple(json.loads(str(headings))), number)


def places_row(document: Document) -> tuple[str, str, str]:
    """Give the columns of `places`."""
    pages, utterances = read_pages_json(document.read_pages), utterances_json(document.utterances)
    return document.id, json.dumps(pages, ensure_ascii=False), json.dumps(utterances)


def read_pages_json(pages: Sequence[ReadPage]) -> list[list[int | list[list[str | float]]]]:
    """Give pages that were read by OCR as lists for JSON: number, turn, and for each word its text and place."""
    return [
        [page.number, page.turn, [[word.text, word.left, word.top, word.right, word.bottom] for word in page.words]]
        for page in pages
    ]


def read_pages_of(values: Sequence[Any]) -> tuple[ReadPage, ...]:
    """Make pages of what `read_pages_json` gave."""
    return tuple(
        ReadPage(int(number), int(turn) % 4, tuple(PlacedWord(str(text), *map(float, box)) for text, *box in words))
        for number, turn, words in values
    )


def utterances_json(utterances: Sequence[Utterance]) -> list[list[int | float]]:
    """Give utterances as lists for JSON: start, end, and the seconds."""
    return [[said.span.start, said.span.end, said.start_seconds, said.end_seconds] for said in utterances]


def utterances_of(values: Sequence[Any]) -> tuple[Utterance, ...]:
    """Make utterances of what `utterances_json` gave."""
    return tuple(Utterance(Span(start, end), float(begin), float(until)) for start, end, begin, until in values)


def document_of(row: Sequence[str]) -> Document:
    """Make a document of its row without the chunking; its places stand in another table."""
    blocks = tuple(Block(kind, Span(start, end), *rest) for kind, start, end, *rest in json.loads(row[6]))
    return Document(row[0], row[1], row[2], row[3], row[4], pages_of(row[5]), blocks, row[7], json.loads(row[8]))


def pages_of(column: str) -> tuple[Page, ...]:
    """Make a document's pages of their column."""
    return tuple(Page(number, Span(start, end), label) for number, start, end, label in json.loads(column))
