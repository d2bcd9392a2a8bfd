"""Draws what can be done with knowledge bases as a whole: making one, deleting one."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app.engine import Engine
from app.page_parts.chat_view import SAMPLES
from app.page_parts.escaping import plain
from app.page_parts.session import session
from app.page_parts.sources import delete_uploads
from app.page_parts.texts import Texts
from ingest.errors import FootnoteError


def default_knowledge_base(names: Sequence[str], setting: str) -> str:
    """Choose the knowledge base to open on: the one of the settings, else the samples, else the first."""
    for wanted in (setting, SAMPLES):
        if wanted in names:
            return wanted
    return names[0] if names else setting


def draw_management(engine: Engine, kb: str, n_documents: int, texts: Texts) -> None:
    """Draw the making and deleting of knowledge bases."""
    with st.expander(texts.manage, icon=":material/database:"):
        draw_creation(engine, texts)
        st.button(
            plain(texts.delete_kb.format(kb=kb)),
            key="delete_kb",
            icon=":material/delete_forever:",
            on_click=session().ask_to_delete,
            args=(kb,),
        )
    if session().to_delete == kb:
        _draw_delete_dialog(engine, kb, n_documents, texts)


def draw_creation(engine: Engine, texts: Texts) -> None:
    """Draw the form that makes a knowledge base and opens it."""
    with st.form("create_kb", border=False, clear_on_submit=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(texts.create_kb, placeholder=texts.create_kb_hint, max_chars=64).strip()
            submitted = st.form_submit_button(texts.create)
        if not submitted or not name:
            return
        if name in engine.knowledge_bases():
            st.error(plain(texts.kb_exists.format(kb=name)))
            return
        try:
            with st.spinner(texts.working):
                engine.ingest(name, [])
        except FootnoteError as error:
            st.error(plain(str(error)))
            return
    _go_to(name, texts.created_kb.format(kb=name))


def _draw_delete_dialog(engine: Engine, kb: str, n_documents: int, texts: Texts) -> None:
    @st.dialog(plain(texts.delete_kb.format(kb=kb)), on_dismiss=partial(session().ask_to_delete, ""))
    def confirm() -> None:
        st.markdown(plain(texts.delete_kb_hint.format(kb=kb, documents=texts.counted(texts.n_documents, n_documents))))
        with st.container(horizontal=True):
            if st.button(texts.delete, key="confirm_delete_kb", type="primary"):
                try:
                    engine.delete_knowledge_base(kb)
                except FootnoteError as error:
                    st.error(plain(str(error)))
                    return
                delete_uploads(engine.settings, kb)
                session().ask_to_delete("")
                session().forget(kb)
                _go_to("", texts.deleted_kb.format(kb=kb))
            if st.button(texts.cancel, key="cancel_delete_kb"):
                session().ask_to_delete("")
                st.rerun()

    confirm()


def _go_to(kb: str, notice: str) -> None:
    """Redraw the page on a knowledge base, "" for the default one; the selector hears of it next time."""
    state = session()
    state.notice = notice
    state.report = None
    state.open_source = None
    state.go_to = kb
    st.rerun()
