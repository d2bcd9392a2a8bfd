"""An answer in, what an export shows of it out: its text by claims, what to know of it, each source with its page.

The files themselves are drawn from this alone, so that HTML and PDF say the same. Knows neither.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.engine import Engine
from app.page_parts.answer_html import cited, flag_of, notice_words
from app.page_parts.excerpt import Excerpt, cut_excerpt, locate, shorten
from app.page_parts.marker_notes import marker_notes
from app.page_parts.texts import Texts
from app.page_parts.texts_en import ENGLISH
from app.page_parts.texts_zh import CHINESE
from generation.answer import Answer, Citation, Status
from generation.draw_boxes import draw_pictures
from generation.prompts import prompt_language
from ingest.document import Document
from ingest.errors import KnowledgeBaseError, SourceError
from ingest.page_image import has_page_images, page_image

_MOST_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the answer's text: a claim with its status, or what is between claims.

    `markers` are those in it that name a source; `flag` says after it what is wrong with the claim.
    """

    text: str
    status: Status | None = None
    markers: frozenset[int] = frozenset()
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, PNG, with what it shows in words."""

    png: bytes
    label: str


@dataclass(frozen=True, slots=True)
class Source:
    """A cited source: its quote, and its page with the quote marked, the text around it, or why there is neither."""

    marker: int
    place: str
    file: str
    status: Status
    status_name: str
    quote: str
    notes: tuple[str, ...] = ()
    page: Figure | None = None
    excerpt: Excerpt | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """Everything an export shows, in the question's language. `remarks` come under the text, `cautions` stand out."""

    texts: Texts
    question: str
    pieces: tuple[Piece, ...]
    remarks: tuple[str, ...]
    cautions: tuple[str, ...]
    conflict: Piece | None  # our own words on what other documents say otherwise
    pictures: tuple[Figure, ...]
    sources: tuple[Source, ...]
    written_by: str


def exported(answer: Answer, engine: Engine, kb: str) -> Exported:
    """Gather what is shown. `kb` holds the documents of citations that name none themselves."""
    texts = CHINESE if prompt_language(answer.question) == "zh" else ENGLISH
    return Exported(
        texts=texts,
        question=answer.question,
        pieces=tuple(_pieces(answer, texts)),
        remarks=tuple(_remarks(answer, texts)),
        cautions=tuple(notice_words(answer.notices, texts)),
        conflict=Piece(answer.conflict_text, markers=_markers(answer)) if answer.conflicts else None,
        pictures=tuple(
            Figure(picture.png, picture.caption(texts.boxes_guessed))
            for picture in draw_pictures(answer.pictures, answer.boxes)
            if picture.boxes or not picture.picture.document_id
        ),
        sources=tuple(_source(citation, engine, kb, texts, answer.retrieval.kbs) for _, citation in cited(answer)),
        written_by=f"{answer.model} · {answer.retrieval.generation}",
    )


def _pieces(answer: Answer, texts: Texts) -> Iterator[Piece]:
    position, known, text = 0, _markers(answer), answer.claimed_text
    for claim in answer.claims:
        if position < claim.span.start:
            yield Piece(text[position : claim.span.start], markers=known)
        markers = frozenset(citation.marker for citation in claim.citations)
        flag = "" if claim.status == "supported" else flag_of(claim, texts)
        yield Piece(claim.span.of(text), claim.status, markers, flag)
        position = claim.span.end
    if position < len(text):
        yield Piece(text[position:], markers=known)


def _markers(answer: Answer) -> frozenset[int]:
    return frozenset(citation.marker for _, citation in cited(answer))


def _remarks(answer: Answer, texts: Texts) -> Iterator[str]:
    if answer.abstained:
        yield texts.reason_in_words(answer.reason)
        for hit in answer.retrieval.hits[:_MOST_NEAREST]:
            place = texts.place(hit.title, hit.chunk.page, hit.page_label, hit.seconds)
            yield f"{texts.nearest_evidence}: {place}: “{shorten(hit.chunk.text, 200)}”"
    yield from answer.notes
    yield from marker_notes(answer, texts)


def _source(citation: Citation, engine: Engine, kb: str, texts: Texts, kbs: Sequence[str]) -> Source:
    source = Source(
        marker=citation.marker,
        place=texts.place(citation.title, citation.page, citation.page_label, citation.seconds),
        file=f"{citation.kb}: {citation.source}" if len(kbs) > 1 else citation.source,
        status=citation.status,
        status_name=texts.statuses[citation.status],
        quote=citation.quote,
    )
    try:
        document = engine.document(citation.kb or kb, citation.document_id)
    except KnowledgeBaseError:
        return replace(source, notes=(texts.document_gone,))
    if locate(document.text, citation.span, citation.quote) != citation.span:
        return replace(source, notes=(texts.document_changed,))
    return _with_page(source, citation, document, texts)


def _with_page(source: Source, citation: Citation, document: Document, texts: Texts) -> Source:
    if citation.page is not None and has_page_images(document):
        try:
            picture = page_image(document, citation.page, [citation.span])
        except SourceError as error:
            source = replace(source, notes=(str(error),))
        else:
            label = texts.picture_of_page.format(page=citation.page, title=document.title)
            notes = () if picture.boxes else (texts.not_located,)
            return replace(source, notes=notes, page=Figure(picture.png, label))
    return replace(source, excerpt=cut_excerpt(document.text, citation.span))
