"""Draws "Where to look": the knowledge bases, documents, folders, types, tags and days a question is limited to."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

import streamlit as st

from app.engine import Engine
from app.page_parts.escaping import plain
from app.page_parts.texts import Texts
from ingest.catalog import Catalog
from ingest.document_facts import document_facts
from ingest.errors import FootnoteError, SettingsError
from retrieval.filters import EVERYWHERE, Filters, make_filters

_MOST_DOCUMENTS = 2_000


@dataclass(frozen=True, slots=True)
class Where:
    """What a question is limited to: more knowledge bases to search besides the page's own, and filters."""

    also: tuple[str, ...] = ()
    filters: Filters = EVERYWHERE


def draw_where(engine: Engine, kb: str, texts: Texts) -> Where:
    """Draw the control, folded up, and give what is chosen. What is wrong with it is said in it and limits nothing."""
    key = f"where_{kb}"
    others = [name for name in engine.knowledge_bases() if name != kb]
    n_chosen = sum(bool(st.session_state.get(f"{key}_{name}")) for name in _CONTROLS)
    label = f"{texts.where} · {texts.where_limited.format(n=n_chosen)}" if n_chosen else texts.where
    with st.popover(label, icon=":material/filter_alt:", width=260):
        also = st.multiselect(texts.where_also, others, key=f"{key}_also", placeholder=texts.choose) if others else []
        searched = [kb, *also]
        try:
            catalogs = [engine.knowledge_base(name).catalog for name in searched]
        except FootnoteError as error:
            st.error(plain(str(error)))
            return Where()
        filters = _draw_filters(catalogs, key, texts)
    return Where(tuple(also), filters)


_CONTROLS = ("also", "documents", "folders", "types", "tags", "since", "until")


def _draw_filters(catalogs: Iterable[Catalog], key: str, texts: Texts) -> Filters:
    facts = [one for catalog in catalogs for one in document_facts(catalog)]
    tags = sorted({tag for catalog in catalogs for own in catalog.tags().values() for tag in own})
    sources = sorted({one.source for one in facts})
    folders = sorted({PurePosixPath(source.replace("!/", "/")).parent.as_posix() for source in sources} - {"."})
    documents: list[str] = []
    if len(sources) <= _MOST_DOCUMENTS:
        documents = st.multiselect(
            texts.where_documents, sources, key=f"{key}_documents", format_func=_file_name, placeholder=texts.choose
        )
    chosen_folders: list[str] = []
    if folders:
        chosen_folders = st.multiselect(texts.where_folders, folders, key=f"{key}_folders", placeholder=texts.choose)
    types = st.multiselect(
        texts.where_types, sorted({one.format for one in facts}), key=f"{key}_types", placeholder=texts.choose
    )
    chosen_tags = st.multiselect(texts.where_tags, tags, key=f"{key}_tags", placeholder=texts.choose) if tags else []
    with st.container(horizontal=True):
        since = st.text_input(texts.where_since, key=f"{key}_since", placeholder="2024-05")
        until = st.text_input(texts.where_until, key=f"{key}_until", placeholder="2025")
    try:
        return make_filters(
            documents=documents, folders=chosen_folders, types=types, tags=chosen_tags, since=since, until=until
        )
    except SettingsError as error:
        st.error(plain(str(error)))
        return EVERYWHERE


def _file_name(source: str) -> str:
    return PurePosixPath(source.replace("!/", "/")).name
