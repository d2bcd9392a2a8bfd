"""The reasoning filter, wherever the pieces were cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.reasoning import ReasoningFilter


def _shown(text: str, size: int = 1, *, may_begin_inside: bool = False, complete: bool = True) -> str:
    visible = ReasoningFilter(may_begin_inside=may_begin_inside)
    pieces = [visible.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(pieces) + visible.flush(complete=complete)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Mira", "Mira"),
        ("<think>Bo?</think>\n\nMira", "Mira"),
        ("<think></think>Mira", "Mira"),
        ("Mira <think>Bo?</think>Solberg", "Mira Solberg"),
        ("a < b and <thing>", "a < b and <thing>"),
        ("Mira <thin", "Mira <thin"),
        ("<think>Bo", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_is_between_the_tags_is_hidden(text: str, shown: str, size: int) -> None:
    assert _shown(text, size) == shown


@pytest.mark.parametrize(
    ("text", "complete", "shown"),
    [
        ("Bo?</think>Mira", True, "Mira"),
        ("Mira", True, "Mira"),
        ("Bo or", False, ""),
        ("<think>Bo</think>M", True, "M"),
    ],
)
def test_a_text_that_may_begin_inside_the_reasoning_waits_for_the_tag(text: str, complete: bool, shown: str) -> None:
    assert _shown(text, 2, may_begin_inside=True, complete=complete) == shown


@given(st.lists(st.sampled_from(["<think>", "</think>", "a", " b", "<", "\n", "</"]), max_size=10), st.integers(1, 5))
def test_where_the_pieces_were_cut_changes_nothing(parts: list[str], size: int) -> None:
    text = "".join(parts)
    cut, whole = ReasoningFilter(), ReasoningFilter()
    in_pieces = "".join(cut.feed(text[at : at + size]) for at in range(0, len(text), size)) + cut.flush()
    at_once = whole.feed(text) + whole.flush()

    # Text that leaked reasoning is an error for its reader, so only the flag must agree.
    assert cut.leaked == whole.leaked
    assert cut.leaked or cut.thought == whole.thought
    assert cut.leaked or in_pieces == at_once
