"""The Streamlit page that `footnote web` runs: the header and the chosen view. The parts are in `page_parts`."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.engine import Engine
from app.page_parts.chat_view import draw_chat
from app.page_parts.documents_view import draw_documents
from app.page_parts.escaping import plain
from app.page_parts.knowledge_bases_view import default_knowledge_base
from app.page_parts.session import KB_KEY, LANGUAGE_KEY, VIEW_KEY, session
from app.page_parts.shared import shared_engine, start_warm_up
from app.page_parts.texts import Texts, language_of
from app.page_parts.texts_en import ENGLISH
from app.page_parts.texts_zh import CHINESE
from ingest.errors import FootnoteError

_LANGUAGES = {"en": ENGLISH, "zh": CHINESE}
_LANGUAGE_NAMES = {"en": "English", "zh": "中文"}
_PARTS = Path(__file__).parent / "page_parts"


def main() -> None:
    """Draw the page for one user."""
    st.set_page_config(page_title="Footnote", page_icon=str(_PARTS / "icon.svg"), layout="wide")
    st.html(_PARTS / "style.css")
    session().n_runs += 1
    try:
        engine = shared_engine()
        kb, languages = _draw_header(engine)
        problem = start_warm_up(engine).problem
        if problem:
            st.warning(f"{languages[0].model_problem}: {plain(problem)}", icon=":material/warning:")
        if st.session_state[VIEW_KEY] == "documents":
            draw_documents(engine, kb, languages[0])
        else:
            draw_chat(engine, kb, languages)
    except FootnoteError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _draw_header(engine: Engine) -> tuple[str, Sequence[Texts]]:
    """Draw the choices at the top. Give the knowledge base, and the languages with the chosen one first."""
    setting = engine.settings.language
    st.session_state.setdefault(LANGUAGE_KEY, language_of(setting, st.context.locale))
    st.session_state.setdefault(VIEW_KEY, "chat")
    # The language chosen by the last click is in the session before its control is drawn.
    texts = _LANGUAGES[st.session_state[LANGUAGE_KEY]]
    with st.container(horizontal=True, vertical_alignment="center", key="fn_header"):
        st.html(f'<div class="fn-brand"><b>Footnote</b><span>{texts.tagline}</span></div>')
        kb = _draw_knowledge_bases(engine, texts)
        _draw_views(texts)
        st.button(
            texts.new_conversation,
            key="new_conversation",
            icon=":material/add_comment:",
            on_click=session().forget,
            args=(kb,),
        )
        st.segmented_control(
            texts.language,
            tuple(_LANGUAGE_NAMES),
            format_func=_LANGUAGE_NAMES.__getitem__,
            key=LANGUAGE_KEY,
            required=True,
            label_visibility="collapsed",
        )
    others = [language for language in _LANGUAGES.values() if language is not texts]
    return kb, (texts, *others)


def _draw_views(texts: Texts) -> None:
    """Draw the choice of the view.

    The browser sends a control's last label with every click, also when the program has chosen another view since or
    the labels are in another language now. So the control then starts anew, and a late label of the old one is lost.
    """
    key = f"{VIEW_KEY}_{st.session_state[LANGUAGE_KEY]}_{session().n_views}"
    st.session_state.setdefault(key, st.session_state[VIEW_KEY])
    st.segmented_control(
        texts.view,
        ("chat", "documents"),
        format_func={"chat": texts.chat, "documents": texts.documents}.__getitem__,
        key=key,
        required=True,
        on_change=_show_chosen,
        args=(key,),
        label_visibility="collapsed",
    )


def _show_chosen(key: str) -> None:
    st.session_state[VIEW_KEY] = st.session_state[key]


def _draw_knowledge_bases(engine: Engine, texts: Texts) -> str:
    """Draw the choice of knowledge base and give the chosen one."""
    names = engine.knowledge_bases() or [engine.settings.kb]
    state = session()
    if state.go_to is not None or st.session_state.get(KB_KEY) not in names:
        wanted = state.go_to if state.go_to in names else default_knowledge_base(names, engine.settings.kb)
        st.session_state[KB_KEY] = wanted
        state.n_kbs += 1
        state.go_to = None
    key = f"{KB_KEY}_{state.n_kbs}"
    st.session_state.setdefault(key, st.session_state[KB_KEY])
    return st.selectbox(
        texts.knowledge_base,
        names,
        key=key,
        on_change=_open_chosen,
        args=(key,),
        label_visibility="collapsed",
        width=200,
    )


def _open_chosen(key: str) -> None:
    st.session_state[KB_KEY] = st.session_state[key]
    session().close_source()


if __name__ == "__main__":
    main()
