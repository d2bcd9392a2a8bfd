"""Draws what an answer can be saved as: HTML and PDF to show, JSON to replay. The files of `footnote ask`."""

import re
from functools import partial

import streamlit as st

from app.engine import Engine
from app.export_answer import answer_page, answer_pdf
from app.page_parts.session import Turn
from app.page_parts.texts import Texts
from app.saved_answer import saved_json, saved_text
from generation.answer import Answer

_LONGEST_NAME = 40


def draw_downloads(engine: Engine, kb: str, turn: Turn, answer: Answer, texts: Texts) -> None:
    """Draw a button for each kind of file; it is made when the button is clicked."""
    page = partial(answer_page, answer, engine, kb)
    pdf = partial(answer_pdf, answer, engine, kb)
    saved = partial(_saved, engine, kb, turn, answer)
    for kind, data, mime, hint in (
        ("HTML", page, "text/html", texts.save_html),
        ("PDF", pdf, "application/pdf", texts.save_pdf),
        ("JSON", saved, "application/json", texts.save_json),
    ):
        st.download_button(
            kind,
            data=data,
            file_name=f"{_name(answer.question)}.{kind.lower()}",
            mime=mime,
            help=hint,
            key=f"save_{kind}_{turn.number}",
            type="tertiary",
            icon=":material/download:",
            on_click="ignore",
        )


def _saved(engine: Engine, kb: str, turn: Turn, answer: Answer) -> str:
    return saved_text(saved_json(answer, engine, kb=kb, also=turn.also, history=turn.history))


def _name(question: str) -> str:
    """Name a file for its question, in letters and digits of any script."""
    return re.sub(r"\W+", "-", question)[:_LONGEST_NAME].strip("-") or "answer"
