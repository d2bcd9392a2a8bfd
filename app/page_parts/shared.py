"""The one Engine of this process, shared by all users, and its models loaded in the background."""

import threading
from dataclasses import dataclass, field

import streamlit as st

from app.engine import Engine
from app.settings import load_settings
from generation.llama_cpp import LlamaCpp
from generation.prompts import opening
from ingest.errors import FootnoteError


@dataclass(slots=True)
class WarmUp:
    """How far the loading of the models has come; `problem` says what is wrong with them."""

    problem: str = ""
    started: threading.Lock = field(default_factory=threading.Lock)


@st.cache_resource(show_spinner=False)
def shared_engine() -> Engine:
    """Give the Engine. Raises SettingsError."""
    return make_engine()


def make_engine() -> Engine:
    """Make an Engine from the settings."""
    return Engine(load_settings())


@st.cache_resource(show_spinner=False)
def warm_up_state() -> WarmUp:
    """Give the state of the loading."""
    return WarmUp()


def start_warm_up(engine: Engine) -> WarmUp:
    """Load the models in the background, once: call it when the page has been drawn."""
    state = warm_up_state()
    if state.started.acquire(blocking=False):
        threading.Thread(target=_warm_up, args=(engine, state), name="footnote-warm-up", daemon=True).start()
    return state


def _warm_up(engine: Engine, state: WarmUp) -> None:
    try:
        engine.embedder().embed_query("warm-up")
        llm = engine.llm()
        if isinstance(llm, LlamaCpp):
            llm.read_ahead(opening("zh" if engine.settings.language == "zh" else "en"))
    except FootnoteError as error:
        state.problem = str(error)
