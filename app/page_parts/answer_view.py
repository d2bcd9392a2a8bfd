"""Draws one turn of a conversation: the question, and the answer as it is written and when it is done."""

import threading
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import StopException, add_script_run_ctx

from app.engine import Engine
from app.page_parts.answer_html import answer_html, plain_html
from app.page_parts.downloads_view import draw_downloads
from app.page_parts.escaping import plain
from app.page_parts.retrieval_html import retrieval_html, why_not_html
from app.page_parts.session import Session, Turn, opened, session
from app.page_parts.texts import Texts
from generation.answer import Answer
from generation.draw_boxes import draw_pictures
from ingest.errors import FootnoteError
from retrieval.retrieval import Retrieval

_LOOK_SECONDS = 0.25
_SUPERSEDED_SECONDS = 1.5

# The component only places HTML that `answer_html` has escaped, and says what was clicked.
_answer_component = st.components.v2.component(
    "footnote_answer",
    html='<div class="fn-root"></div>',
    js=Path(__file__).with_name("answer.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def draw_turn(engine: Engine, kb: str, turn: Turn, texts: Texts) -> bool:
    """Draw a turn that is over. Tell whether the user wants it asked again."""
    _draw_question(turn, texts)
    with st.chat_message("assistant", avatar=":material/format_quote:"):
        if turn.answer is not None:
            _draw_answer(turn, texts, engine, kb)
            return False
        return _draw_unfinished(turn, texts)


def follow_turn(turn: Turn, texts: Texts, *, has_native_stop: bool) -> None:
    """Draw a turn while it is written, and redraw the page when it is over. Stop ends it; any other click does not."""
    _draw_question(turn, texts)
    with st.chat_message("assistant", avatar=":material/format_quote:"):
        shown = st.empty()
        if not has_native_stop:
            st.button(texts.stop, key=f"stop_{turn.number}", icon=":material/stop_circle:", on_click=turn.run.stop)
        state = session()
        n_runs = state.n_runs
        try:
            while not turn.run.wait(_LOOK_SECONDS):
                shown.html(_writing_html(turn, texts))
        except StopException:
            if not _was_superseded(state, n_runs, turn):
                turn.run.stop()
                _draw_last(shown, turn, texts)
            raise
    st.rerun()


def _was_superseded(state: Session, n_runs: int, turn: Turn) -> bool:
    """Tell whether the script was stopped because the user clicked something else, not Stop, and it runs anew already.

    Streamlit ends a script the same way for both (runner.fastReruns). Nothing of Streamlit may be touched here.
    """
    for _ in range(round(_SUPERSEDED_SECONDS / _LOOK_SECONDS)):
        if state.n_runs != n_runs or turn.run.wait(_LOOK_SECONDS):
            break
    return state.n_runs != n_runs


def _draw_last(shown: DeltaGenerator, turn: Turn, texts: Texts) -> None:
    """Draw a turn's last state. A script that was told to stop can draw nothing more itself, a thread can."""

    def draw() -> None:
        with shown.container():
            if turn.answer is None:
                _draw_unfinished(turn, texts)
            else:
                _draw_answer(turn, texts)

    thread = threading.Thread(target=draw, name="footnote-stopped")
    add_script_run_ctx(thread)
    thread.start()
    thread.join()


def _draw_unfinished(turn: Turn, texts: Texts) -> bool:
    """Draw what there is of a turn without an answer. Tell whether the user wants it asked again."""
    if turn.run.text:
        st.html(plain_html(turn.run.text))
    if turn.run.stopped:
        st.html(f'<p class="fn-note" role="note">{texts.stopped_alone if turn.plain else texts.stopped}</p>')
    else:
        # Without an error of ours it is a bug: its traceback is in the server's log, and the conversation goes on.
        reason = turn.run.error or texts.broke_off
        st.error(f"**{texts.failed}** · {plain(reason)}", icon=":material/error:")
    return st.button(texts.ask_again, key=f"again_{turn.number}", icon=":material/refresh:", type="tertiary")


def _draw_question(turn: Turn, texts: Texts) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        st.html(plain_html(turn.question, css_class="fn-question"))
        for picture in turn.pictures:
            st.image(picture.media.data, caption=plain(picture.media.name), width=280)
        if turn.unseen:
            st.caption(texts.pictures_read)


def _writing_html(turn: Turn, texts: Texts) -> str:
    if turn.run.text:
        return f'<div class="fn-writing" aria-live="polite">{plain_html(turn.run.text)}</div>'
    seconds = f"{turn.run.seconds:.0f} s" if texts.code == "en" else f"{turn.run.seconds:.0f} 秒"
    hint = f'<p class="fn-small">{texts.waiting_hint}</p>' if turn.run.seconds > 4 and not turn.plain else ""
    working = texts.working_alone if turn.plain else texts.working
    return f'<div class="fn-waiting"><span class="fn-pulse"></span>{working} {seconds}</div>{hint}'


def _draw_answer(turn: Turn, texts: Texts, engine: Engine | None = None, kb: str = "") -> None:
    answer = turn.answer
    if answer is None:
        return
    if answer.thinking:
        with st.expander(texts.thinking, icon=":material/psychology:"):
            st.html(plain_html(answer.thinking))
    if not answer.from_documents:
        st.html(plain_html(answer.text) + f'<p class="fn-note" role="note">{texts.from_model}</p>')
        _draw_notes(answer)
        _draw_writer(answer, texts)
        return
    key = f"answer_{turn.number}"
    _answer_component(
        key=key,
        data={"html": answer_html(answer, texts), "open": _target_of_open(turn)},
        on_open_change=partial(_open, turn, key),
    )
    if answer.boxes:
        for drawn in draw_pictures(answer.pictures, answer.boxes):
            if drawn.boxes:
                st.image(drawn.png, caption=plain(drawn.caption(texts.boxes_guessed)), width=520)
    with st.expander(texts.why, icon=":material/manage_search:"):
        st.html(retrieval_html(answer.retrieval, texts))
        if engine is not None:
            _draw_why_not(engine, kb, turn.number, answer.retrieval, texts)
    _draw_notes(answer)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"fn_foot_{turn.number}"):
        _draw_writer(answer, texts)
        if engine is not None:
            draw_downloads(engine, kb, turn, answer, texts)


def _draw_notes(answer: Answer) -> None:
    for note in answer.notes:
        st.caption(plain(note))


def _draw_writer(answer: Answer, texts: Texts) -> None:
    seconds = f"{answer.timings.get('total', 0.0) + answer.retrieval.timings.get('retrieve', 0.0):.1f}"
    st.caption(plain(texts.answered_by.format(model=answer.model, seconds=seconds)))


def _draw_why_not(engine: Engine, kb: str, number: int, retrieval: Retrieval, texts: Texts) -> None:
    """Draw the question for a document that is missed among the passages, and where it fell out."""
    missed = st.text_input(texts.why_not, key=f"why_not_{number}", placeholder=texts.why_not_hint, width=360)
    if missed.strip():
        try:
            traces = engine.why_not(kb, missed.strip(), retrieval)
        except FootnoteError as error:
            st.error(plain(str(error)))
            return
        st.html(why_not_html(traces, texts))


def _open(turn: Turn, key: str) -> None:
    target = st.session_state[key].open
    if isinstance(target, str):
        session().open_source = opened(turn, target)


def _target_of_open(turn: Turn) -> str:
    source = session().open_source
    if source is None or source.turn != turn.number:
        return ""
    return source.target
