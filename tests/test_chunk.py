"""Chunks: the laws by hypothesis, the choices by hand."""

import re
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunk import ChunkingConfig, chunk_document
from ingest.document import Block, Chunk, Document, Page, Span, chunk_id
from ingest.load_csv import load_csv
from ingest.load_draft import Draft
from ingest.load_markdown import load_markdown

_TOKEN = re.compile(r"[\u3400-\u9fff]|\w+|[^\w\s]")


def words(text: str) -> list[int]:
    """Stand in for a tokenizer: a token is a Chinese character, a word or a mark."""
    return [match.start() for match in _TOKEN.finditer(text)]


def document(draft: Draft, title: str = "Title") -> Document:
    return Document("d", "d.md", "0", title, draft.text, draft.pages, draft.blocks, "en")


def chunks(source: str, size: int = 30, least: int = 8, title: str = "Title") -> list[Chunk]:
    return chunk_document(document(load_markdown(source), title), ChunkingConfig(size, least), words)


def sentence(n_words: int, first: str = "Word") -> str:
    return " ".join([first, *["word"] * (n_words - 2)]) + "."  # n_words tokens with the full stop


def test_each_section_is_a_chunk_with_its_heading_path() -> None:
    body = sentence(20)
    found = chunks(f"# Guide\n\n## Setup\n\n{body}\n\n## Use [it](x)\n\n{body}\n", title="Guide")
    assert [(chunk.headings, chunk.text) for chunk in found] == [
        (("Guide", "Setup"), f"# Guide\n\n## Setup\n\n{body}"),
        (("Guide", "Use it"), f"## Use [it](x)\n\n{body}"),
    ]
    assert found[1].embedded_text.startswith("Guide > Use it\n## Use")


def test_headings_that_repeat_the_title_are_left_out() -> None:
    found = chunks(f"# River Guide\n\n## Eels\n\n{sentence(25)}\n", title="River guide 2025")
    assert {chunk.headings for chunk in found} == {("River guide 2025", "Eels")}


def test_tiny_sections_share_a_chunk_under_their_common_path() -> None:
    found = chunks("# A\n\n## B\n\nOne two.\n\n## C\n\nThree four.\n")
    assert [(chunk.headings, chunk.text) for chunk in found] == [
        (("Title", "A"), "# A\n\n## B\n\nOne two.\n\n## C\n\nThree four.")
    ]


def test_sections_that_are_not_tiny_are_never_joined() -> None:
    body = sentence(10)
    assert len(chunks(f"## A\n\n{body}\n\n## B\n\n{body}\n")) == 2


def test_a_heading_is_never_left_alone_at_the_end() -> None:
    source = f"{sentence(24)}\n\n## Head\n\n{sentence(26)}\n"
    assert [chunk.text.split("\n")[0][:7] for chunk in chunks(source)] == ["Word wo", "## Head"]


def test_a_list_and_a_table_stay_whole_when_they_fit() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    items = "- one two three\n- four five six\n- seven eight"
    source = f"{sentence(20)}\n\n{items}\n\n{sentence(20)}\n\n{table}\n\n{sentence(12)}\n"
    texts = [chunk.text for chunk in chunks(source)]
    assert sum(items in text for text in texts) == 1
    assert sum(table in text for text in texts) == 1


def test_rows_of_a_long_table_carry_its_header() -> None:
    rows = [f"| ship {number} | {number} |" for number in range(12)]
    found = chunks("\n".join(["| name | seats |", "|---|---|", *rows]))
    assert len(found) > 1
    assert [chunk.headings for chunk in found] == [("Title",), *[("Title", "| name | seats |")] * (len(found) - 1)]
    assert all(line in ("| name | seats |", "|---|---|", *rows) for chunk in found for line in chunk.text.split("\n"))


def test_csv_rows_need_no_header() -> None:
    draft = load_csv("name,seats\n" + "".join(f"ship {number},{number}\n" for number in range(12)), "a.csv")
    found = chunk_document(document(draft), ChunkingConfig(30, 8), words)
    assert {chunk.headings for chunk in found} == {("Title",)}
    assert all(line.startswith("name: ship ") for chunk in found for line in chunk.text.split("\n"))


def test_long_paragraphs_are_cut_between_sentences_into_even_parts() -> None:
    found = chunks(" ".join(sentence(9) for _ in range(4)))  # 36 tokens: 3 + 1 would leave a rest
    assert [len(words(chunk.text)) for chunk in found] == [18, 18]
    assert all(chunk.text.endswith(".") for chunk in found)


def test_a_monster_sentence_is_cut_after_a_clause_else_at_a_space() -> None:
    clauses = ", ".join(["one two three four five six"] * 8)
    assert all(chunk.text.rstrip(",").endswith("six") for chunk in chunks(clauses))
    spaced = " ".join(["word"] * 100)
    assert all(set(chunk.text.split()) == {"word"} for chunk in chunks(spaced))


def test_chinese_without_any_mark_is_cut_between_characters() -> None:
    found = chunks("字" * 100)
    assert "".join(chunk.text for chunk in found) == "字" * 100
    assert max(len(chunk.text) for chunk in found) <= 30


def test_one_endless_word_does_not_make_an_endless_chunk() -> None:
    assert max(len(chunk.text) for chunk in chunks("x" * 100_000)) <= 30 * 64


def test_the_page_is_that_of_the_first_character() -> None:
    text = f"{sentence(20)} {sentence(20)}"
    middle = text.index(". ") + 2
    draft = Draft(
        text, (Block("paragraph", Span(0, len(text))),), (Page(1, Span(0, middle)), Page(2, Span(middle, len(text))))
    )
    found = chunk_document(document(draft), ChunkingConfig(30, 8), words)
    assert [(chunk.page, chunk.span.start) for chunk in found] == [(1, 0), (2, middle)]


def test_ids_name_document_place_and_words() -> None:
    chunk = chunks("Some words here.")[0]
    assert chunk.id == chunk_id("d", Span(0, 16), "Some words here.")
    assert chunks("Some words here.") == [chunk]


def test_a_chunk_whose_tokens_differ_out_of_context_is_cut_again() -> None:
    def moody(text: str) -> list[int]:
        """Half as many tokens in a long text as in a short one."""
        return words(text)[:: 2 if len(text) > 400 else 1]

    text = " ".join(sentence(9) for _ in range(30))
    found = chunk_document(document(load_markdown(text)), ChunkingConfig(30, 8), moody)
    assert max(len(moody(chunk.text)) for chunk in found) <= 30
    assert " ".join(chunk.text for chunk in found) == text


def test_an_empty_document_has_no_chunks() -> None:
    assert chunks(" \n ") == []


@pytest.mark.parametrize(("size", "least"), [(0, 0), (10, 11), (10, -1)])
def test_sizes_that_cannot_work_are_refused(size: int, least: int) -> None:
    with pytest.raises(ValueError, match="wanted 0 <= min_tokens <= size_tokens"):
        ChunkingConfig(size, least)


TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n"
SNIPPETS = ["# Head\n\n", "## 小节\n\n", "### Deep\n", "A short sentence. ", "很短的一句话。", "\n\n", "\n", TABLE]
SNIPPETS += ["- item one\n- item two\n\n", "```\ncode\n\nmore\n```\n\n", "word " * 20, "字" * 25, "x" * 70]
SNIPPETS += ["a, b, c; d: e ", "---\n\n", "> quoted\n\n"]
PIECES = st.lists(st.sampled_from(SNIPPETS), max_size=25)


def check_laws(found: Sequence[Chunk], whole: Document, size: int) -> None:
    end = 0
    for chunk in found:
        assert chunk.text == whole.text[chunk.span.start : chunk.span.end] == chunk.text.strip() != ""
        assert not whole.text[end : chunk.span.start].strip()
        assert chunk.span.start >= end
        assert len(words(chunk.text)) <= size
        assert chunk.headings[:1] == ("Title",)
        end = chunk.span.end
    assert not whole.text[end:].strip()


@settings(max_examples=200, deadline=None)
@given(PIECES, st.integers(1, 60), st.data())
def test_chunks_are_verbatim_disjoint_complete_and_small_enough(
    pieces: list[str], size: int, data: st.DataObject
) -> None:
    whole = document(load_markdown("".join(pieces)))
    config = ChunkingConfig(size, data.draw(st.integers(0, size)))
    check_laws(chunk_document(whole, config, words), whole, size)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab 中。.\n", min_size=1, max_size=150), st.lists(st.integers(0, 150), max_size=8))
def test_text_outside_all_blocks_is_covered_too(text: str, cuts: list[int]) -> None:
    edges = sorted({min(cut, len(text)) for cut in cuts})
    blocks = tuple(Block("paragraph", Span(start, end)) for start, end in zip(edges[::2], edges[1::2], strict=False))
    whole = document(Draft(text, blocks))
    check_laws(chunk_document(whole, ChunkingConfig(10, 3), words), whole, 10)


def test_time_grows_with_length_only() -> None:
    text = (sentence(12) + " " + sentence(7) + "\n\n") * 4000 + "endless " * 20_000
    started = time.process_time()
    chunk_document(document(load_markdown(text)), ChunkingConfig(), words)
    assert time.process_time() - started < 6.0  # quadratic work on 500,000 characters would take minutes
