"""HTML: what a reader sees, block by block."""

from pathlib import Path

from ingest.load import load_document
from ingest.load_draft import Draft
from ingest.load_html import load_html


def outline(draft: Draft) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.span.of(draft.text)) for block in draft.blocks]


PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Fares &amp; times</title><meta name="author" content="A. Rook"><style>p{}</style></head>
<body>
<header><a href="/">Home</a></header><nav><ul><li>Menu</li></ul></nav>
<main><h1>Fares</h1>
<p>Adults pay <b>4.20</b> crowns,
   children half.<br>Dogs travel free.</p>
<script>var x = "not text";</script>
<ul><li>Single</li><li>Return<ol><li>same day</li></ol></li></ul>
<table><tr><th>Zone</th><th>Price</th></tr><tr><td>A</td><td>4.20</td></tr></table>
<pre>line 1
  line 2</pre>
<h2>时刻表</h2><p>首班05:40开出。</p></main>
<footer>Copyright</footer></body></html>"""


def test_text_is_kept_and_furniture_dropped() -> None:
    draft = load_html(PAGE)
    assert outline(draft) == [
        ("heading", 1, "Fares"),
        ("paragraph", 0, "Adults pay 4.20 crowns, children half.\nDogs travel free."),
        ("list", 0, "- Single\n- Return\n  1. same day"),
        ("table", 0, "| Zone | Price |\n| A | 4.20 |"),
        ("code", 0, "line 1\n  line 2"),
        ("heading", 2, "时刻表"),
        ("paragraph", 0, "首班05:40开出。"),
    ]
    assert draft.title == "Fares & times"
    assert draft.metadata == {"lang": "en", "author": "A. Rook"}


def test_a_header_with_the_title_of_an_article_is_text() -> None:
    draft = load_html("<body><header><h1>Big news</h1></header><article><footer>By Ada</footer><p>Words.</p></article>")
    assert [text for _, _, text in outline(draft)] == ["Big news", "By Ada", "Words."]


def test_layout_tables_and_bare_text_are_read_in_order() -> None:
    draft = load_html("one<table><tr><td>left <h2>Head</h2> right</td></tr></table>two<div>three<p>four</div>")
    assert [text for _, _, text in outline(draft)] == ["one", "left", "Head", "right", "two", "three", "four"]


def test_a_page_of_nothing_but_menus_keeps_them() -> None:
    assert load_html("<body><nav><ul><li>Alpha</li><li>Beta</li></ul></nav></body>").text == "- Alpha\n- Beta"


def test_deep_nesting_ends() -> None:
    assert "deep" in load_html("<div>" * 3000 + "deep" + "</div>" * 3000).text


def test_html_named_txt_is_read_as_html_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    path.write_text(PAGE, encoding="utf-8")
    document = load_document(path)
    assert document.title == "Fares & times"
    assert (document.metadata["format"], document.metadata["named_as"]) == ("html", "text")
