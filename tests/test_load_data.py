"""JSON, JSON Lines, XML, settings files and notebooks: every value keeps the path that names it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.document import Document
from ingest.errors import SourceError
from ingest.load import load_document
from ingest.load_json import load_json
from ingest.load_settings import load_settings


def load(folder: Path, name: str, text: str) -> Document:
    (folder / name).write_text(text, encoding="utf-8")
    return load_document(folder / name)


def blocks(document: Document) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.span.of(document.text)) for block in document.blocks]


def test_records_become_lines_that_name_their_values(tmp_path: Path) -> None:
    records = [
        {"name": "Ada", "born": {"year": 1815, "place": "London"}, "tags": ["maths", "诗"], "ok": True, "died": None},
        {"name": "Bo", "works": [{"title": "A"}, {"title": "B"}], "bio": "One line.\nAnother line."},
    ]
    document = load(tmp_path, "a.json", json.dumps(records))
    assert blocks(document) == [
        (
            "table",
            0,
            "name: Ada; born.year: 1815; born.place: London; tags: maths, 诗; ok: true; died: null\n"
            "name: Bo; works[0].title: A; works[1].title: B",
        ),
        ("paragraph", 0, "bio: One line.\nAnother line."),
    ]
    assert document.metadata["records"] == "2"


def test_an_object_gives_its_values_then_its_lists_of_records_under_headings(tmp_path: Path) -> None:
    text = '{"title": "Ferry", "fare": {"adult": 4.20, "dog": 0.00}, "docks": [{"n": "East"}, {"n": "West"}]}'
    document = load(tmp_path, "a.json", text)
    assert document.title == "Ferry"
    assert blocks(document) == [
        ("table", 0, "title: Ferry\nfare.adult: 4.20; fare.dog: 0.00"),
        ("heading", 1, "docks"),
        ("table", 0, "n: East\nn: West"),
    ]


def test_json_lines_give_a_block_a_record_and_name_the_lines_that_are_broken(tmp_path: Path) -> None:
    text = '{"id": 1, "text": "Adults pay."}\n{"id": 2,\n\n{"id": 3, "text": "Dogs travel."}\n'
    document = load(tmp_path, "a.jsonl", text)
    assert blocks(document) == [("table", 0, "id: 1; text: Adults pay."), ("table", 0, "id: 3; text: Dogs travel.")]
    assert (document.metadata["records"], document.metadata["lines_not_read"]) == ("2", "2")
    assert load(tmp_path, "b.json", '{"id": 1}\n{"id": 2}\n').text == "id: 1\n\nid: 2"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.json",
            '{"a": 1,\n "b" 2}',
            "isn't valid JSON: Expecting ':' delimiter at line 2, column 6; mend that and add it.",
        ),
        ("a.jsonl", "nonsense\n", "isn't valid JSON Lines: Expecting value at line 1; mend it and add it."),
        ("a.json", "[" * 100_000, "is nested too deeply to be read; flatten it and add that."),
        ("a.xml", "<a><b></a>", "isn't valid XML: Opening and ending tag mismatch: b line 1 and a, line 1, column 11"),
        ("a.ipynb", "{}", "is no notebook: it has no list of cells; save it from Jupyter again and add that."),
        ("a.ipynb", "{", "is a damaged notebook (Expecting property name enclosed in double quotes at line 1)"),
    ],
)
def test_broken_data_is_refused_with_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        load(tmp_path, name, text)
    assert str(caught.value).startswith(f"{name} {message}")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="abc 词\n", max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet="kxyz", min_size=1), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(_VALUES)
def test_every_word_of_json_is_in_the_text_and_blocks_are_in_order(value: object) -> None:
    draft = load_json(json.dumps(value, ensure_ascii=False), "a.json")
    for word in _words(value):
        assert word in draft.text
    ends = [0]
    for block in draft.blocks:
        assert block.span.start >= ends[-1] and block.span.of(draft.text).strip() == block.span.of(draft.text)
        ends.append(block.span.end)


def _words(value: object) -> list[str]:
    if isinstance(value, dict):
        return [word for inner in value.values() for word in _words(inner)]
    if isinstance(value, list):
        return [word for inner in value for word in _words(inner)]
    return value.split() if isinstance(value, str) else [str(value)] if type(value) is int else []


def test_xml_gives_records_as_lines_titles_as_headings_and_running_text_as_paragraphs(tmp_path: Path) -> None:
    text = (
        '<?xml version="1.0" encoding="gbk"?><book><title>Ferry 渡船</title>'
        '<fare id="7"><line>Red</line><price currency="kr">4.20</price></fare>'
        '<fare id="8"><line>Blue</line><price>5</price></fare>'
        "<para>Dogs <em>always</em> travel free.</para></book>"
    )
    document = load(tmp_path, "a.xml", text)
    assert document.title == "Ferry 渡船"
    assert blocks(document) == [
        ("heading", 2, "Ferry 渡船"),
        ("table", 0, "id: 7; line: Red; price.currency: kr; price: 4.20\nid: 8; line: Blue; price: 5"),
        ("paragraph", 0, "Dogs always travel free."),
    ]


def test_settings_stay_verbatim_under_their_sections(tmp_path: Path) -> None:
    toml = load(tmp_path, "a.toml", 'name = "x"\n\n[tool.run]\nport = 80  # the port\n')
    assert toml.text == 'name = "x"\n\n[tool.run]\nport = 80  # the port\n'
    assert blocks(toml) == [
        ("code", 0, 'name = "x"'),
        ("heading", 2, "[tool.run]"),
        ("code", 0, "port = 80  # the port"),
    ]
    yaml = load_settings("version: 3\nservices:\n  web:\n    port: 80\n")
    assert [(block.kind, block.name, block.span.of(yaml.text)) for block in yaml.blocks] == [
        ("code", "", "version: 3"),
        ("heading", "services", "services:"),
        ("code", "", "  web:\n    port: 80"),
    ]


def notebook(*cells: dict[str, object]) -> str:
    return json.dumps({"nbformat": 4, "metadata": {"kernelspec": {"name": "python3"}}, "cells": list(cells)})


def test_a_notebook_keeps_its_words_its_code_and_what_the_code_printed(tmp_path: Path) -> None:
    outputs = [
        {"output_type": "stream", "text": ["4.20\n", "\x1b[31mred\x1b[0m\n"]},
        {"output_type": "display_data", "data": {"image/png": "iVBO", "text/plain": "<Figure>"}},
        {
            "output_type": "execute_result",
            "data": {"text/html": "<table><tr><td>a</td><td>1</td></tr></table>", "text/plain": "a 1"},
        },
        {"output_type": "error", "ename": "E", "traceback": ["Traceback", "ValueError: no"]},
    ]
    text = notebook(
        {"cell_type": "markdown", "source": ["# 票价 Fares\n", "\n", "- one\n- two"]},
        {"cell_type": "code", "source": "print(4.20)", "outputs": outputs},
        {"cell_type": "raw", "source": "raw words"},
    )
    document = load(tmp_path, "a.ipynb", text)
    assert document.title == "票价 Fares" and document.metadata["program_language"] == "python3"
    assert blocks(document) == [
        ("heading", 1, "# 票价 Fares"),
        ("list", 0, "- one\n- two"),
        ("code", 0, "print(4.20)"),
        ("code", 0, "4.20\nred"),
        ("figure", 0, "Picture made by cell 2 (image/png)"),
        ("code", 0, "<Figure>"),
        ("table", 0, "| a | 1 |"),
        ("code", 0, "Traceback\nValueError: no"),
        ("paragraph", 0, "raw words"),
    ]


def test_an_endless_output_is_cut_and_counted(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": "x", "outputs": [{"output_type": "stream", "text": "loss " * 10_000}]}
    document = load(tmp_path, "a.ipynb", notebook(cell))
    assert len(document.text) < 4100 and document.metadata["outputs_cut"] == "1"
