"""HTML in, a draft out: its readable text block by block, without scripts, menus and page furniture."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.invisible import is_hiding, with_invisible
from ingest.load_draft import Draft, DraftWriter, one_line, table_row

_DROPPED_TEXT = (
    "script style noscript template svg math iframe object canvas head button select input textarea form nav audio "
    "video"
)
_DROPPED = frozenset(_DROPPED_TEXT.split())
_BLOCKS_TEXT = (
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer header "
    "hgroup hr html li main ol p section summary table tbody ul pre h1 h2 h3 h4 h5 h6"
)
_BLOCKS = frozenset(_BLOCKS_TEXT.split())
_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "menu", "menubar"})
_INLINE_SPACE = re.compile(r"[ \t\n\r\f\v]+")


def load_html(source: str) -> Draft:
    """Give the page's text: headings, paragraphs, lists, tables as `| a | b |` rows, `pre` as code."""
    tree = LexborHTMLParser(source)
    n_invisible = _take_out_invisible(tree, source)
    draft = _walk(tree, keep_chrome=False)
    if not draft.text:
        draft = _walk(tree, keep_chrome=True)
    return with_invisible(draft, n_invisible)


def _take_out_invisible(tree: LexborHTMLParser, source: str) -> int:
    """Remove the elements whose own style hides them, and count their characters."""
    plain = not tree.css_matches("style, link, [bgcolor]") and "background" not in source  # so the page is white
    n_characters = 0
    for node in reversed(tree.css("[style]")):  # inner ones first
        if is_hiding(node.attributes.get("style") or "", on_white=plain):
            n_characters += len(one_line(node.text()))
            node.decompose()
    return n_characters


def _walk(tree: LexborHTMLParser, *, keep_chrome: bool) -> Draft:
    walker = _Walker(keep_chrome)
    if tree.body is not None:
        walker.visit(tree.body, inside_article=False, depth=0)
        walker.flush()
    return walker.writer.finish(title=_title(tree), metadata=_metadata(tree))


def _title(tree: LexborHTMLParser) -> str | None:
    for selector in ("title", "h1"):
        node = tree.css_first(selector)
        if node is not None and (title := one_line(node.text())):
            return title
    return None


def _metadata(tree: LexborHTMLParser) -> dict[str, str]:
    metadata = {}
    root = tree.css_first("html")
    if root is not None and (lang := root.attributes.get("lang")):
        metadata["lang"] = lang
    for node in tree.css("meta[name]"):
        name, content = (node.attributes.get("name") or "").lower(), one_line(node.attributes.get("content") or "")
        if content and name in ("author", "date", "dcterms.date", "dc.creator", "description", "keywords"):
            metadata.setdefault({"dcterms.date": "date", "dc.creator": "author"}.get(name, name), content)
    return metadata


class _Walker:
    """Visits the tree in order and holds the inline text that waits for its block to end."""

    def __init__(self, keep_chrome: bool) -> None:
        self.writer = DraftWriter()
        self._keep_chrome = keep_chrome
        self._inline: list[str] = []

    def visit(self, node: LexborNode, *, inside_article: bool, depth: int) -> None:
        for child in node.iter(include_text=True):
            tag = child.tag or ""
            if tag == "-text":
                self._inline.append(_INLINE_SPACE.sub(" ", child.text_content or ""))
            elif tag == "br":
                self._inline.append("\n")
            elif not self._is_dropped(child, tag, inside_article):
                self._element(child, tag, inside_article or tag in ("article", "main"), depth)

    def flush(self, level: int = 0) -> None:
        text = _tidy("".join(self._inline))
        self._inline = []
        self.writer.add("heading" if level else "paragraph", text, level)

    def _element(self, node: LexborNode, tag: str, inside_article: bool, depth: int) -> None:
        if tag not in _BLOCKS:
            if depth > 400:
                self._inline.append(one_line(node.text(separator=" ")))
                return
            self.visit(node, inside_article=inside_article, depth=depth + 1)
            return
        self.flush()
        if tag == "pre":
            self.writer.add("code", node.text().strip("\n"))
        elif tag == "table" and _is_data_table(node):
            self._table(node)
        elif tag in ("ul", "ol") and node.css_first("table, pre, h1, h2, h3, h4") is None:
            self.writer.add("list", "\n".join(_items(node, 0)))
        elif depth > 400:
            self.writer.add("paragraph", one_line(node.text(separator=" ")))
        else:
            self.visit(node, inside_article=inside_article, depth=depth + 1)
            self.flush(int(tag[1]) if tag[0] == "h" and tag[1:].isdigit() else 0)

    def _table(self, node: LexborNode) -> None:
        caption = node.css_first("caption")
        if caption is not None:
            self.writer.add("paragraph", one_line(caption.text(separator=" ")))
        rows = []
        for row in node.css("tr"):
            cells = [one_line(cell.text(separator=" ")) for cell in row.iter() if cell.tag in ("td", "th")]
            if any(cells):
                rows.append(table_row(cells))
        self.writer.add("table", "\n".join(rows))

    def _is_dropped(self, node: LexborNode, tag: str, inside_article: bool) -> bool:
        if tag in _DROPPED and not (self._keep_chrome and tag in ("nav", "form")):
            return True
        if tag.startswith(("-", "_", "!")):
            return True
        if self._keep_chrome:
            return False
        attributes = node.attributes
        if attributes.get("role") in _ROLES or "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return True
        class_names = (attributes.get("class") or "").split()
        if "navheader" in class_names or "navfooter" in class_names:  # DocBook's page furniture
            return True
        if tag == "footer":
            return not inside_article
        return tag == "header" and not inside_article and node.css_first("h1, h2") is None


def _is_data_table(table: LexborNode) -> bool:
    """Tell data from layout: a layout table holds one cell a row, or block structure inside its cells."""
    if table.css_first("td table, th table, h1, h2, h3, pre") is not None:
        return False
    return any(sum(1 for cell in row.iter() if cell.tag in ("td", "th")) > 1 for row in table.css("tr"))


def _items(node: LexborNode, depth: int) -> list[str]:
    lines = []
    number = int(start) if (start := node.attributes.get("start") or "1").isdigit() else 1
    for item in node.iter():
        if item.tag != "li":
            continue
        inline, nested = [], []
        for child in item.iter(include_text=True):
            if child.tag in ("ul", "ol") and depth < 40:
                nested.extend(_items(child, depth + 1))
            elif child.tag == "-text":
                inline.append(_INLINE_SPACE.sub(" ", child.text_content or ""))
            elif child.tag not in _DROPPED:
                gap = " " if child.tag in _BLOCKS or child.tag == "br" else ""
                inline.append(gap + _INLINE_SPACE.sub(" ", child.text()) + gap)
        marker = f"{number}. " if node.tag == "ol" else "- "
        number += 1
        if text := one_line("".join(inline)):
            lines.append("  " * depth + marker + text)
        lines.extend(nested)
    return lines


def _tidy(text: str) -> str:
    lines = (" ".join(line.split(" ")).strip() for line in text.split("\n"))
    return "\n".join(re.sub(" {2,}", " ", line) for line in lines if line)
