"""Draws the side panel: a source's page with the quote boxed, or its text with the quote marked."""

import base64
import mimetypes
from functools import partial
from html import escape
from pathlib import Path, PurePath

import streamlit as st

from app.engine import Engine
from app.page_parts.answer_html import STATUS_SIGNS, citation_label
from app.page_parts.escaping import plain
from app.page_parts.excerpt import cut_excerpt, locate, shorten
from app.page_parts.session import KB_KEY, OpenSource, session
from app.page_parts.sources import find_original
from app.page_parts.texts import Texts
from generation.draw_boxes import Drawn
from ingest.document import Document, Span
from ingest.errors import KnowledgeBaseError, SourceError
from ingest.original import read_original
from ingest.page_image import PageImage, has_page_images, page_image
from ingest.web import WEB_SCHEMES

# The component places HTML that is escaped below, and scrolls to what is marked in it.
_source_component = st.components.v2.component(
    "footnote_source",
    html='<div class="fn-root"></div>',
    js=Path(__file__).with_name("source.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def draw_panel(engine: Engine, kb: str, opened: OpenSource, texts: Texts) -> None:
    """Draw the panel of an open source, with a button that closes it."""
    _draw_head(opened, texts)
    if opened.picture is not None:
        _draw_picture(opened.picture, opened, texts)
        return
    try:
        document = engine.document(kb, opened.document_id)
    except KnowledgeBaseError:
        _draw_quote(opened, texts)
        st.warning(texts.document_gone, icon=":material/delete:")
        return
    _draw_quote(opened, texts)
    span = locate(document.text, opened.span, opened.quote)
    if document.text[opened.span.start : opened.span.end] != opened.quote:
        st.warning(texts.document_changed, icon=":material/edit_document:")
    original = find_original(engine.settings, document.source)
    page = opened.page if span is None else document.page_at(span.start)
    is_web_page = document.source.startswith(WEB_SCHEMES)
    if original is None and not is_web_page:
        st.caption(texts.file_gone)
    if original is not None and document.utterances:
        _draw_recording(original, document, span)
    drawable = original is not None and page is not None and has_page_images(document)
    if not drawable or page is None or not _draw_page(document, page, span, opened, texts):
        _draw_text(document, span, opened, texts)
    if original is not None:
        _draw_download(original, texts)
    elif is_web_page:
        st.link_button(texts.open_web_page, document.source, icon=":material/open_in_new:")


def _draw_head(opened: OpenSource, texts: Texts) -> None:
    citation = opened.citation
    heading = texts.panel_source.format(marker=citation.marker) if citation else texts.panel_passage
    heading = texts.panel_picture if opened.picture else heading
    label = citation_label(citation, texts) if citation else heading
    status = ""
    if citation:
        sign = STATUS_SIGNS[citation.status]
        status = f'<span class="fn-status fn-{citation.status}">{sign} {escape(texts.statuses[citation.status])}</span>'
    place = escape(texts.place(opened.title, opened.page, opened.page_label, opened.seconds))
    name = escape(PurePath(opened.source).name)
    if opened.kb and opened.kb != st.session_state.get(KB_KEY):
        name = f"{escape(opened.kb)} · {name}"
    with st.container(horizontal=True, vertical_alignment="top", key="fn_panel_head"):
        st.html(
            f'<div class="fn-place"><h3 class="fn-panel-title" aria-label="{escape(label)}">'
            f'{escape(heading)} {status}</h3><b>{place}</b> <span class="fn-small">{name}</span></div>'
        )
        if st.button(texts.close, key="close_panel", icon=":material/close:", type="tertiary"):
            session().close_source()
            st.rerun()


def _draw_quote(opened: OpenSource, texts: Texts) -> None:
    if opened.citation is None:
        return
    claim = f'<p class="fn-small">{escape(texts.for_claim)}: {escape(_claim(opened))}</p>'
    quote = f'<blockquote class="fn-quote" data-testid="fn-quote">{escape(opened.quote)}</blockquote>'
    st.html(f'<div class="fn-quoted"><span class="fn-small">{escape(texts.quote)}</span>{quote}{claim}</div>')


def _claim(opened: OpenSource) -> str:
    return shorten(opened.claim.replace("**", ""), 300)


def _draw_picture(drawn: Drawn, opened: OpenSource, texts: Texts) -> None:
    """Draw the picture that the model saw, whole, with its boxes: no words were there to check the claim by."""
    claim = escape(texts.claim_in_picture.format(claim=_claim(opened)))
    caption = escape(drawn.caption(texts.boxes_guessed))
    picture = PageImage(drawn.png, drawn.picture.media.width, drawn.picture.media.height, ())
    html = page_html(drawn.png, picture, drawn.picture.media.name, quoted=False)
    _show(
        f'<p class="fn-note" role="note">{claim}</p>{html}<p class="fn-small">{caption} · {escape(texts.zoom)}</p>',
        opened,
    )


def _draw_page(document: Document, page: int, span: Span | None, opened: OpenSource, texts: Texts) -> bool:
    """Draw the page with the quote marked; tell whether its picture could be made."""
    spans = [span] if span is not None else []
    try:
        picture = page_image(document, page, spans)
        # A passage that is not cited must not look like a checked quote: its page stays unmarked, and gets an outline.
        shown = picture if opened.citation else page_image(document, page, [])
    except SourceError as error:
        st.warning(plain(str(error)), icon=":material/image_not_supported:")
        return False
    if not picture.boxes:
        st.warning(texts.not_located, icon=":material/location_off:")
    label = texts.picture_of_page.format(page=page, title=document.title)
    html = page_html(shown.png, picture, label, quoted=opened.citation is not None)
    printed = document.pages[page - 1].printed
    footer = texts.page_of.format(page=page, pages=len(document.pages))
    footer = f"{texts.page_name(page, printed)} · {footer}" if printed else footer
    _show(f'{html}<p class="fn-small">{escape(footer)} · {escape(texts.zoom)}</p>', opened)
    return True


def page_html(png: bytes, picture: PageImage, label: str, *, quoted: bool) -> str:
    """Give a page's picture with boxes over it."""
    kind = "fn-box-quote" if quoted else "fn-box-passage"
    across, down = 100 / picture.width, 100 / picture.height
    boxes = "".join(
        f'<span class="fn-box {kind}" style="left:{left * across:.3f}%;top:{top * down:.3f}%;'
        f'width:{(right - left) * across:.3f}%;height:{(bottom - top) * down:.3f}%"></span>'
        for left, top, right, bottom in picture.boxes
    )
    data = base64.b64encode(png).decode("ascii")
    image = f'<img src="data:image/png;base64,{data}" alt="{escape(label)}">'
    return f'<div class="fn-page" tabindex="0"><div class="fn-sheet">{image}{boxes}</div></div>'


def excerpt_html(document: Document, span: Span | None, *, quoted: bool) -> str:
    """Give the stored text around a span with it marked; the document's beginning, unmarked, where there is none."""
    excerpt = cut_excerpt(document.text, span if span is not None else Span(0, 0))
    kind = "fn-mark-quote" if quoted else "fn-mark-passage"
    mark = f'<mark class="{kind}">{escape(excerpt.quote)}</mark>' if excerpt.quote else ""
    before = f"{'… ' if excerpt.cut_before else ''}{escape(excerpt.before)}"
    after = f"{escape(excerpt.after)}{' …' if excerpt.cut_after else ''}"
    return f'<div class="fn-excerpt" tabindex="0">{before}{mark}{after}</div>'


def _draw_recording(original: str, document: Document, span: Span | None) -> None:
    """Draw a player that starts where the words are spoken."""
    seconds = document.seconds_of(span) if span is not None else None
    kind = mimetypes.guess_type(original)[0] or "audio/wav"
    st.audio(read_original(original), format=kind, start_time=int(seconds[0]) if seconds else 0)


def _draw_text(document: Document, span: Span | None, opened: OpenSource, texts: Texts) -> None:
    if span is None:
        st.warning(texts.not_located, icon=":material/location_off:")
    html = excerpt_html(document, span, quoted=opened.citation is not None)
    _show(f'<span class="fn-small">{escape(texts.in_document)}</span>{html}', opened)


def _show(html: str, opened: OpenSource) -> None:
    _source_component(key=f"source_{opened.turn}_{opened.target}", data={"html": html})


def _draw_download(original: str, texts: Texts) -> None:
    st.download_button(
        texts.download,
        data=partial(read_original, original),
        file_name=PurePath(original).name,
        icon=":material/download:",
        key="download_source",
        on_click="ignore",
    )
