"""Draws the chat: the conversation, the panel beside it, the question box and its Stop."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from app.engine import Engine
from app.page_parts.answer_run import AnswerRun
from app.page_parts.answer_view import draw_turn, follow_turn
from app.page_parts.citation_view import draw_panel
from app.page_parts.escaping import plain
from app.page_parts.session import Turn, history, session
from app.page_parts.texts import Texts
from app.page_parts.where_view import Where, draw_where
from app.plain_chat import ask_model
from app.seeing import PICTURE_TYPES
from generation.media import Picture
from ingest.errors import FootnoteError

SAMPLES = "samples"
_LONGEST_QUESTION = 4000


def draw_chat(engine: Engine, kb: str, languages: Sequence[Texts]) -> None:
    """Draw the chat with a knowledge base. `languages` has the page's own first."""
    texts = languages[0]
    state = session()
    turns = state.turns(kb)
    with st.container(horizontal=True, vertical_alignment="center", key="fn_scope"):
        alone = st.toggle(texts.no_documents_toggle, key=f"plain_{kb}", help=texts.no_documents_help)
        where = draw_where(engine, kb, texts) if kb in engine.knowledge_bases() and not alone else Where()
    typed = st.chat_input(
        texts.ask_model_placeholder if alone else texts.ask_placeholder,
        key=f"question_{kb}",
        submit_mode="stop",
        max_chars=_LONGEST_QUESTION,
        accept_file="multiple",
        file_type=[*PICTURE_TYPES, "wav", "mp3", "m4a", "ogg", "flac"],
        accept_audio=True,
    )
    if typed:
        _ask_typed(engine, kb, typed, where, texts, alone)
    with st.container(horizontal=True, key="fn_row", gap="medium", vertical_alignment="top"):
        chat = st.container(key="fn_chat")
        if state.open_source is not None:
            with st.container(key="fn_panel", border=True):
                draw_panel(engine, state.open_source.kb or kb, state.open_source, texts)
    with chat:
        # A placeholder, so that the welcome is gone as soon as the first question is there.
        welcome = st.empty()
        if not turns:
            with welcome.container():
                if alone:
                    st.html(_welcome_html(texts.no_documents_toggle, texts.no_documents_help))
                else:
                    _draw_welcome(engine, kb, languages, where)
        for turn in turns:
            if turn.is_open:
                follow_turn(turn, texts, has_native_stop=bool(typed))
            elif draw_turn(engine, kb, turn, texts):
                ask(
                    engine,
                    kb,
                    turn.question,
                    where,
                    alone=turn.plain,
                    instead_of=turn,
                    pictures=turn.pictures,
                    unseen=turn.unseen,
                )
                st.rerun()


def _ask_typed(
    engine: Engine,
    kb: str,
    typed: Any,  # text, or text with files
    where: Where,
    texts: Texts,
    alone: bool,
) -> None:
    said = typed if isinstance(typed, str) else typed.text or ""
    files = [] if isinstance(typed, str) else [(file.name, file.getvalue()) for file in typed.files or ()]
    if not isinstance(typed, str) and typed.audio is not None:
        files.append(("question.wav", typed.audio.getvalue()))
    if not files:
        if said.strip():
            ask(engine, kb, said.strip(), where, alone=alone)
        return
    try:
        with st.spinner(texts.reading_files):
            asked = engine.prepared(said, files)
    except FootnoteError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    ask(
        engine,
        kb,
        asked.question,
        where,
        alone=alone,
        pictures=asked.pictures,
        unseen=bool(asked.notes),
        heard=asked.heard,
    )


def ask(
    engine: Engine,
    kb: str,
    question: str,
    where: Where,
    *,
    alone: bool = False,
    instead_of: Turn | None = None,
    pictures: Sequence[Picture] = (),
    unseen: bool = False,
    heard: Sequence[str] = (),
) -> None:
    """Begin to answer a question, as the conversation's next turn. A question still at work is stopped.

    `alone` asks the model without documents; either kind of turn knows only those of its kind before it.
    """
    state = session()
    turns = state.turns(kb)
    for turn in turns:
        turn.run.stop()
    if instead_of is not None:
        turns.remove(instead_of)
    said = history(turns, plain=alone)
    asking = partial(engine.ask, kb, question, also=where.also, filters=where.filters, heard=heard)
    if alone:
        asking = partial(ask_model, engine, question)
    run = AnswerRun(partial(asking, history=said, pictures=pictures))
    state.n_turns += 1
    turns.append(Turn(state.n_turns, question, run, tuple(pictures), unseen, alone, tuple(said), where.also))


def _draw_welcome(engine: Engine, kb: str, languages: Sequence[Texts], where: Where) -> None:
    texts = languages[0]
    if kb not in engine.knowledge_bases() or not engine.documents(kb):
        nothing = texts.empty_knowledge_base if kb in engine.knowledge_bases() else texts.no_knowledge_base
        st.html(_welcome_html(texts.welcome, nothing))
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.button(texts.go_to_documents, key="go_to_documents", type="primary", on_click=session().show_documents)
        return
    st.html(_welcome_html(texts.welcome, texts.welcome_hint))
    if kb != SAMPLES:
        return
    st.html(f'<p class="fn-small fn-centred">{texts.samples_hint}</p>')
    columns = st.columns(len(languages))
    for column, language in zip(columns, languages, strict=True):
        for number, question in enumerate(language.sample_questions):
            key = f"sample_{language.code}_{number}"
            if column.button(question, key=key, width="stretch", wrap=True):
                ask(engine, kb, question, where)
                st.rerun()


def _welcome_html(heading: str, hint: str) -> str:
    return f'<div class="fn-welcome"><h2>{heading}</h2><p>{hint}</p></div>'
