"""What loaders collect: blocks and pages lie where they say, whatever is added in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.document import Block, Page, Span
from ingest.load_draft import Draft, DraftWriter, brief

_STEPS = st.lists(st.one_of(st.just(None), st.text(alphabet="ab 词\n\x00", max_size=8)), max_size=12)


@given(_STEPS)
def test_pages_follow_each_other_to_the_end_and_blocks_hold_what_was_added(steps: list[str | None]) -> None:
    writer = DraftWriter()
    added: list[tuple[str, int]] = []
    n_pages = 0
    for step in steps:
        if step is None:
            writer.begin_page(f"label {n_pages}")
            n_pages += 1
        else:
            writer.add("paragraph", step)
            if words := step.replace("\x00", " ").strip():
                added.append((words, n_pages))
    draft = writer.finish()
    assert [block.span.of(draft.text) for block in draft.blocks] == [words for words, _ in added]
    assert [page.number for page in draft.pages] == list(range(1, n_pages + 1))
    for page, following in zip(draft.pages, draft.pages[1:], strict=False):
        assert page.span.end == following.span.start
    for block, (_, number) in zip(draft.blocks, added, strict=True):
        holding = [page.number for page in draft.pages if page.span.start <= block.span.start < page.span.end]
        assert holding == ([number] if number else [])


def test_an_included_draft_keeps_its_blocks_in_place_and_its_names() -> None:
    writer = DraftWriter()
    writer.add("heading", "Above", 1)
    inner = Draft("\nTitle\n\nwords  \n", (Block("heading", Span(1, 6), 5, "name"), Block("paragraph", Span(8, 13))))
    writer.include(inner, deeper=2)
    draft = writer.finish()
    assert draft.text == "Above\n\n\nTitle\n\nwords"
    assert [(block.span.of(draft.text), block.level, block.name) for block in draft.blocks] == [
        ("Above", 1, ""),
        ("Title", 6, "name"),
        ("words", 0, ""),
    ]


def test_a_page_without_words_at_the_end_is_kept() -> None:
    writer = DraftWriter()
    writer.begin_page()
    writer.add("paragraph", "words")
    writer.begin_page("last")
    assert writer.finish().pages == (Page(1, Span(0, 5)), Page(2, Span(5, 5), "last"))


def test_a_long_error_is_cut_and_an_empty_one_named() -> None:
    assert brief(ValueError("a\nb")) == "a b" and brief(KeyError()) == "KeyError"
    assert len(brief(ValueError("x" * 500))) == 120
