"""Draws one turn of a conversation: the question, and the answer as it is written and when it is done."""

from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import StopException

from app.page_parts.answer_html import answer_html, plain_html
from app.page_parts.escaping import plain
from app.page_parts.retrieval_html import retrieval_html
from app.page_parts.session import Turn, opened, session
from app.page_parts.texts import Texts

_LOOK_SECONDS = 0.25

# The component only places HTML that `answer_html` has escaped, and says what was clicked.
_answer_component = st.components.v2.component(
    "footnote_answer",
    html='<div class="fn-root"></div>',
    js=Path(__file__).with_name("answer.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def draw_turn(turn: Turn, texts: Texts) -> bool:
    """Draw a turn that is over. Tell whether the user wants it asked again."""
    _draw_question(turn)
    with st.chat_message("assistant", avatar=":material/format_quote:"):
        if turn.answer is not None:
            _draw_answer(turn, texts)
            return False
        if turn.run.text:
            st.html(plain_html(turn.run.text))
        if turn.run.stopped:
            st.html(f'<p class="fn-note" role="note">{texts.stopped}</p>')
        else:
            # Without an error of ours it is a bug: its traceback is in the server's log, and the conversation goes on.
            reason = turn.run.error or texts.broke_off
            st.error(f"**{texts.failed}** · {plain(reason)}", icon=":material/error:")
        return st.button(texts.ask_again, key=f"again_{turn.number}", icon=":material/refresh:", type="tertiary")


def follow_turn(turn: Turn, texts: Texts, *, has_native_stop: bool) -> None:
    """Draw a turn while it is written, and redraw the page when it is over. Stop ends it; any other click does not."""
    _draw_question(turn)
    with st.chat_message("assistant", avatar=":material/format_quote:"):
        shown = st.empty()
        if not has_native_stop and st.button(texts.stop, key=f"stop_{turn.number}", icon=":material/stop_circle:"):
            turn.run.stop()
        _redraw_when_stopped(turn)
        try:
            while not turn.run.wait(_LOOK_SECONDS):
                shown.html(_writing_html(turn, texts))
        except StopException:
            turn.run.stop()
            raise
    st.rerun()


@st.fragment(run_every=1.0)
def _redraw_when_stopped(turn: Turn) -> None:
    """Redraw the page after the native Stop, which ends the script without a last word."""
    if turn.run.stopped:
        st.rerun()


def _draw_question(turn: Turn) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        st.html(plain_html(turn.question, css_class="fn-question"))


def _writing_html(turn: Turn, texts: Texts) -> str:
    if turn.run.text:
        return f'<div class="fn-writing" aria-live="polite">{plain_html(turn.run.text)}</div>'
    seconds = f"{turn.run.seconds:.0f} s" if texts.code == "en" else f"{turn.run.seconds:.0f} 秒"
    hint = f'<p class="fn-small">{texts.waiting_hint}</p>' if turn.run.seconds > 4 else ""
    return f'<div class="fn-waiting"><span class="fn-pulse"></span>{texts.working} {seconds}</div>{hint}'


def _draw_answer(turn: Turn, texts: Texts) -> None:
    answer = turn.answer
    if answer is None:
        return
    key = f"answer_{turn.number}"
    _answer_component(
        key=key,
        data={"html": answer_html(answer, texts), "open": _target_of_open(turn)},
        on_open_change=partial(_open, turn, key),
    )
    with st.expander(texts.why, icon=":material/manage_search:"):
        st.html(retrieval_html(answer.retrieval, texts))
    seconds = f"{answer.timings.get('total', 0.0) + answer.retrieval.timings.get('retrieve', 0.0):.1f}"
    st.caption(plain(texts.answered_by.format(model=answer.model, seconds=seconds)))


def _open(turn: Turn, key: str) -> None:
    target = st.session_state[key].open
    if isinstance(target, str):
        session().open_source = opened(turn, target)


def _target_of_open(turn: Turn) -> str:
    source = session().open_source
    if source is None or source.turn != turn.number:
        return ""
    return source.target
