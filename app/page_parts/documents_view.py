"""Draws the documents of a knowledge base: adding, listing, deleting."""

import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from pathlib import Path, PurePath

import streamlit as st

from app.engine import Engine
from app.page_parts.escaping import plain
from app.page_parts.knowledge_bases_view import draw_management
from app.page_parts.session import session
from app.page_parts.sources import delete_upload, is_upload, save_uploads, uploads_folder
from app.page_parts.texts import Texts
from ingest.catalog_rows import DocumentInfo
from ingest.errors import FootnoteError
from ingest.pipeline import IngestReport, Progress
from ingest.web import is_url

_PAGE_LENGTH = 25


def draw_documents(engine: Engine, kb: str, texts: Texts) -> None:
    """Draw the documents of a knowledge base."""
    state = session()
    if state.notice:
        st.success(plain(state.notice), icon=":material/check:")
        state.notice = ""
    documents = engine.documents(kb) if kb in engine.knowledge_bases() else []
    n_chunks = sum(document.n_chunks for document in documents)
    summary = f"{texts.counted(texts.n_documents, len(documents))} · {texts.counted(texts.n_chunks, n_chunks)}"
    with st.container(key="fn_documents"):
        st.html(
            f'<h3 class="fn-title">{escape(kb)} <span class="fn-small" data-testid="fn-summary">{summary}</span></h3>'
        )
        _draw_adding(engine, kb, texts)
        draw_management(engine, kb, len(documents), texts)
        if state.report is not None:
            _draw_report(state.report, texts)
        _draw_list(engine, kb, documents, texts)


def _draw_adding(engine: Engine, kb: str, texts: Texts) -> None:
    state = session()
    with st.container(key=f"fn_upload_{texts.code}"):
        files = st.file_uploader(
            texts.upload, accept_multiple_files=True, key=f"upload_{kb}_{state.n_uploads}", help=texts.upload_hint
        )
    if files:
        uploads = [(file.name, file.getvalue()) for file in files]
        folder = uploads_folder(engine.settings, kb)
        if _ingest(engine, kb, texts, paths=lambda: save_uploads(folder, uploads)):
            state.n_uploads += 1  # a fresh, empty uploader
            st.rerun()
    with st.expander(texts.server_folder, icon=":material/folder_open:"), st.form("server_folder", border=False):
        given = st.text_input(texts.server_folder, help=texts.server_folder_hint, label_visibility="collapsed")
        if st.form_submit_button(texts.ingest) and (place := given.strip()):
            path = Path(place).expanduser()
            if is_url(place):
                done = _ingest(engine, kb, texts, urls=[place])
            elif path.is_absolute() and path.exists():
                done = _ingest(engine, kb, texts, paths=lambda: [path])
            else:
                st.error(plain(texts.server_folder_missing.format(path=place)))
                done = False
            if done:
                st.rerun()


def _ingest(
    engine: Engine,
    kb: str,
    texts: Texts,
    *,
    paths: Callable[[], Sequence[Path]] = list,
    urls: Sequence[str] = (),
) -> bool:
    """Take files or web pages in with a progress bar and remember the report; tell whether it worked."""
    bar = st.progress(0.0, texts.working)
    started = time.monotonic()

    def show(progress: Progress) -> None:
        share = min(progress.bytes_done / progress.bytes_total, 1.0) if progress.bytes_total else 0.0
        name = plain(PurePath(progress.source).name)
        done = min(progress.n_done + 1, progress.n_files)
        counts = {"done": done, "files": progress.n_files, "embedded": progress.n_embedded}
        words = texts.ingesting.format(source=name, **counts)
        if progress.step is not None and progress.step.total:
            words += f" ({progress.step.done}/{progress.step.total})"
        left = progress.seconds_left(time.monotonic() - started)
        if left is not None and left >= 60:
            words += texts.minutes_left.format(minutes=round(left / 60))
        bar.progress(share, words)

    try:
        session().report = engine.ingest(kb, paths(), urls=urls, on_progress=show)
    except FootnoteError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    finally:
        bar.empty()
    return True


def _draw_report(report: IngestReport, texts: Texts) -> None:
    counts = {
        texts.added: report.added,
        texts.updated: (*report.updated, *(move.new for move in report.moved)),
        texts.unchanged: report.unchanged,
        texts.removed: report.removed,
    }
    summary = ", ".join(f"{len(sources)} {name}" for name, sources in counts.items() if sources) or texts.nothing_to_do
    done = texts.ingest_done.format(seconds=f"{report.seconds:.1f}")
    lines = [f"**{plain(summary)}** · {texts.counted(texts.n_chunks, report.chunks)} · {done}"]
    for name, failures in ((texts.failures, report.failed), (texts.skipped, report.skipped)):
        lines += [f"- {name}: {plain(failure.reason)}" for failure in failures]
    lines += [f"- {plain(notice.reason)}" for notice in report.invisible]
    draw = st.warning if report.failed or report.skipped else st.success
    with st.container(horizontal=True, key="fn_report"):
        draw("\n".join([lines[0], "", *lines[1:]]))
        if st.button(texts.dismiss, key="dismiss_report", type="tertiary", icon=":material/close:"):
            session().report = None
            st.rerun()


def _draw_list(engine: Engine, kb: str, documents: Sequence[DocumentInfo], texts: Texts) -> None:
    if not documents:
        st.info(texts.no_documents, icon=":material/upload_file:")
        return
    wanted = ""
    if len(documents) > 8:
        wanted = (
            st.text_input(
                texts.search_documents,
                key=f"find_{kb}",
                placeholder=texts.search_documents,
                label_visibility="collapsed",
                icon=":material/search:",
            )
            .strip()
            .casefold()
        )
    found = [d for d in documents if wanted in f"{d.title}\n{PurePath(d.source).name}".casefold()]
    if not found:
        st.info(texts.no_match)
    n_pages = -(-len(found) // _PAGE_LENGTH)
    page = 1
    if n_pages > 1:
        page = int(st.number_input(texts.page_number, 1, n_pages, key=f"list_page_{kb}", width=160))
    tags = engine.knowledge_base(kb).catalog.tags()
    for document in found[(page - 1) * _PAGE_LENGTH : page * _PAGE_LENGTH]:
        with st.container(horizontal=True, vertical_alignment="center", key=f"fn_document_{document.id}"):
            st.html(_document_html(document, tags.get(document.id, ()), texts))
            _draw_tags(engine, kb, document, tags.get(document.id, ()), texts)
            st.button(
                texts.delete,
                key=f"delete_{document.id}",
                help=f"{texts.delete}: {plain(document.title)}",
                icon=":material/delete:",
                type="tertiary",
                on_click=session().ask_to_delete,
                args=(document.id,),
            )
        if session().to_delete == document.id:
            _draw_delete_dialog(engine, kb, document, texts)


def _draw_tags(engine: Engine, kb: str, document: DocumentInfo, tags: Sequence[str], texts: Texts) -> None:
    """Draw a control that changes a document's tags."""
    key = f"tags_{document.id}"

    def change() -> None:
        typed = {tag.strip() for tag in re.split("[,，、]", st.session_state[key]) if tag.strip()}
        try:
            engine.tag(kb, [document.id], add=sorted(typed), remove=sorted(set(tags) - {t.casefold() for t in typed}))
        except FootnoteError as error:
            session().notice = str(error)

    with st.popover(texts.tags, icon=":material/sell:", type="tertiary"):
        st.text_input(texts.tags, ", ".join(tags), key=key, help=texts.tags_hint, on_change=change)


def _document_html(document: DocumentInfo, tags: Sequence[str], texts: Texts) -> str:
    name = PurePath(document.source).name
    kind = PurePath(name).suffix.lstrip(".").upper()
    facts = [
        kind,
        texts.counted(texts.n_pages, document.n_pages) if document.n_pages else "",
        texts.counted(texts.n_chunks, document.n_chunks),
        texts.languages.get(document.language, document.language),
        *(f"#{tag}" for tag in tags),
        texts.counted(texts.n_invisible, document.n_invisible) if document.n_invisible else "",
        texts.counted(texts.n_unread, len(document.unread)) if document.unread else "",
    ]
    meta = " · ".join(escape(fact) for fact in facts if fact)
    return (
        f'<div class="fn-document"><b>{escape(document.title)}</b>'
        f'<span class="fn-small" title="{escape(document.source)}">{escape(name)}</span>'
        f'<span class="fn-small">{meta}</span></div>'
    )


def _draw_delete_dialog(engine: Engine, kb: str, document: DocumentInfo, texts: Texts) -> None:
    uploaded = is_upload(engine.settings, kb, document.source)
    hint = texts.delete_upload_hint if uploaded else texts.delete_document_hint

    @st.dialog(texts.delete_document, on_dismiss=partial(session().ask_to_delete, ""))
    def confirm() -> None:
        st.markdown(plain(hint.format(title=document.title)))
        with st.container(horizontal=True):
            if st.button(texts.delete, key="confirm_delete", type="primary"):
                try:
                    engine.delete_document(kb, document.id)
                except FootnoteError as error:
                    st.error(plain(str(error)))
                    return
                delete_upload(engine.settings, kb, document.source)
                session().notice = texts.deleted_document.format(title=document.title)
                session().report = None
                session().ask_to_delete("")
                st.rerun()
            if st.button(texts.cancel, key="cancel_delete"):
                session().ask_to_delete("")
                st.rerun()

    confirm()
