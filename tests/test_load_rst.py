"""reStructuredText: what a reader of the page sees, block by block."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.load_rst import load_rst
from ingest.rst_inline import plain_words


def blocks(text: str) -> list[tuple[str, int, str]]:
    draft = load_rst(text)
    return [(block.kind, block.level, block.span.of(draft.text)) for block in draft.blocks]


def test_headings_take_their_levels_from_the_order_of_their_marks() -> None:
    text = (
        "=====\nGuide\n=====\n\n:Author: Rook\n\nFares\n=====\n\nWords\nhere.\n\n渡船\n----\n\nMore.\n\nDogs\n=====\n"
    )
    assert blocks(text) == [
        ("heading", 1, "Guide"),
        ("paragraph", 0, "Author: Rook"),
        ("heading", 2, "Fares"),
        ("paragraph", 0, "Words\nhere."),
        ("heading", 3, "渡船"),
        ("paragraph", 0, "More."),
        ("heading", 2, "Dogs"),
    ]
    draft = load_rst(text)
    assert (draft.title, draft.metadata) == ("Guide", {"author": "Rook"})


def test_lists_keep_their_levels_and_what_their_items_hold() -> None:
    text = "- one\n  goes on\n- two\n\n  - inner\n\n1. first::\n\n      code()\n\n2. second\n"
    assert blocks(text) == [
        ("list", 0, "- one goes on\n- two\n  - inner"),
        ("list", 0, "1. first:"),
        ("code", 0, "code()"),
        ("list", 0, "2. second"),
    ]


def test_grid_and_simple_tables_give_rows() -> None:
    grid = (
        "+------+-------+\n| Line | Fare  |\n+======+=======+\n| Red  | 4.20  |\n|      | krone |\n+------+-------+\n"
    )
    assert blocks(grid) == [("table", 0, "| Line | Fare |\n| Red | 4.20 krone |")]
    simple = "=====  ====\nLine   Fare\n=====  ====\nRed    4.20\n渡船    5\n       more\n=====  ====\n\nAfter.\n"
    assert blocks(simple) == [
        ("table", 0, "| Line | Fare |\n| Red | 4.20 |\n| 渡船 | 5 more |"),
        ("paragraph", 0, "After."),
    ]


def test_directives_give_what_they_hold_and_comments_nothing() -> None:
    text = """
.. note:: Mind the
   weir.

.. code-block:: python
   :linenos:

   x = 1

       y = 2

.. figure:: eel.png
   :alt: An eel

   Eels climb.

.. csv-table:: Fares
   :header: Line, Fare

   Red, 4.20

.. list-table::

   * - Dock
     - Boats
   * - East
     - 2

.. py:function:: pay(fare)

   Pays the *fare*.

.. toctree::

   other

.. a comment
   of two lines

.. _target:

.. [1] A footnote.
"""
    assert blocks(text) == [
        ("paragraph", 0, "Mind the\nweir."),
        ("code", 0, "x = 1\n\n    y = 2"),
        ("figure", 0, "An eel"),
        ("paragraph", 0, "Eels climb."),
        ("paragraph", 0, "Fares"),
        ("table", 0, "| Line | Fare |\n| Red | 4.20 |"),
        ("table", 0, "| Dock | Boats |\n| East | 2 |"),
        ("heading", 1, "pay(fare)"),
        ("paragraph", 0, "Pays the fare."),
        ("paragraph", 0, "[1] A footnote."),
    ]


def test_literal_blocks_terms_and_line_blocks() -> None:
    text = "Run this::\n\n    make it\n\nTerm\n    Its meaning.\n\n| A line\n| another\n\n>>> 1 + 1\n2\n"
    assert blocks(text) == [
        ("paragraph", 0, "Run this:"),
        ("code", 0, "make it"),
        ("paragraph", 0, "Term\nIts meaning."),
        ("paragraph", 0, "A line\nanother"),
        ("code", 0, ">>> 1 + 1\n2"),
    ]


def test_inline_markup_leaves_its_words() -> None:
    text = "See :ref:`the fares <fares>`, :func:`pay`, ``x * y``, **bold**, *soft*, "
    text += "`site <https://e.org>`_, name_, [1]_ and |v|."
    assert plain_words(text, {"v": "2.0"}) == "See the fares, pay, `x * y`, bold, soft, site, name, [1] and 2.0."
    assert plain_words("2 * 3 * 4 and snake_case_name and a_b", {}) == "2 * 3 * 4 and snake_case_name and a_b"


_LINE = st.sampled_from(
    [
        "",
        "Words here",
        "====",
        "----",
        "- item",
        "  more",
        "   .. note:: x",
        "1. one",
        "+--+--+",
        "| a | b |",
        "== ==",
        "::",
        ".. code::",
        "词",
        ":f: v",
    ]
)


@given(st.lists(_LINE, max_size=25))
def test_any_lines_are_read_and_blocks_are_in_order_and_apart(lines: list[str]) -> None:
    draft = load_rst("\n".join(lines))
    end = 0
    for block in draft.blocks:
        words = block.span.of(draft.text)
        assert block.span.start >= end and words and words == words.strip()
        end = block.span.end
