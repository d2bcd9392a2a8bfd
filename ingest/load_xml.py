"""XML in, a draft out: elements that repeat as records in lines, running text as paragraphs, titles as headings."""

from collections.abc import Iterator, Sequence

from lxml import etree
from lxml.etree import _Element

from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter, brief, one_line

_HEADINGS = frozenset({"title", "head", "heading", "h1", "h2", "h3", "h4", "h5", "h6", "caption", "subtitle"})
_LONG_RECORD = 600  # characters
_LONG_VALUE = 200


def load_xml(text: str, name: str) -> Draft:
    """Give the words of the elements in order; SourceError says at which line the text stops being XML.

    Entities that the file defines itself are left as they stand: a few lines of them can grow to gigabytes.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True,
                             encoding="utf-8")  # fmt: skip
    try:
        root = etree.fromstring(text.strip().encode("utf-8", "replace"), parser)
        writer = DraftWriter()
        _Walk(writer).visit(root, "", 1)
    except etree.XMLSyntaxError as error:
        raise SourceError(f"{name} isn't valid XML: {brief(error)}; mend that and add it.") from error
    title = next((one_line(_words(node)) for node in root.iter() if _tag(node) == "title"), None)
    return writer.finish(title=title, metadata={"root": _tag(root)})


class _Walk:
    """Visits the tree in order and holds the lines that wait for their table to end."""

    def __init__(self, writer: DraftWriter) -> None:
        self._writer = writer
        self._lines: list[str] = []

    def visit(self, node: _Element, path: str, level: int) -> None:
        self._visit(node, path, level)
        self._flush()

    def _visit(self, node: _Element, path: str, level: int) -> None:
        tag = _tag(node)
        inside = f"{path}.{tag}" if path else tag
        children = [child for child in node if isinstance(child.tag, str)]
        if tag.lower() in _HEADINGS and (words := one_line(_words(node))) and len(words) <= _LONG_VALUE:
            self._flush()
            self._writer.add("heading", words, min(level, 6))
        elif children and _is_mixed(node):
            self._flush()
            self._writer.add("paragraph", one_line(_words(node)))
        elif not children or _is_record(node):
            self._record(list(_pairs(node, "" if children else tag)))
        else:
            if attributes := list(_attributes(node, tag)):
                self._record(attributes)
            for child in children:
                self._visit(child, inside, level + 1)

    def _record(self, pairs: Sequence[tuple[str, str]]) -> None:
        short = [f"{name}: {text}" for name, text in pairs if len(text) <= _LONG_VALUE]
        if short:
            self._lines.append("; ".join(short))
        for name, text in pairs:
            if len(text) > _LONG_VALUE:
                self._flush()
                self._writer.add("paragraph", f"{name}: {text}")

    def _flush(self) -> None:
        self._writer.add("table", "\n".join(self._lines))
        self._lines = []


def _tag(node: _Element) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def _words(node: _Element) -> str:
    return "".join(_pieces(node))


def _pieces(node: _Element) -> Iterator[str]:
    for piece in node.itertext():
        yield str(piece)


def _is_mixed(node: _Element) -> bool:
    """Tell whether words stand between the children."""
    return bool((node.text or "").strip()) or any((child.tail or "").strip() for child in node)


def _is_record(node: _Element) -> bool:
    """Tell whether an element holds a few plain values and nothing that runs on."""
    size = 0
    for inner in node.iter():
        if inner is not node and len(inner) and _is_mixed(inner):
            return False
        if _tag(inner).lower() in _HEADINGS and inner.getparent() is node and len(node) > 6:
            return False
        size += len(inner.text or "") + len(_tag(inner))
        if size > _LONG_RECORD:
            return all(len(child) == 0 for child in node)
    siblings = [len(child) for child in node]
    tags = [_tag(child) for child in node]
    return not (any(siblings) and len(set(tags)) == 1 and len(tags) > 1)


def _pairs(node: _Element, path: str) -> Iterator[tuple[str, str]]:
    yield from _attributes(node, path)
    if text := one_line(node.text or ""):
        yield path or _tag(node), text
    for child in node:
        if isinstance(child.tag, str):
            yield from _pairs(child, f"{path}.{_tag(child)}" if path else _tag(child))


def _attributes(node: _Element, path: str) -> Iterator[tuple[str, str]]:
    for key, value in node.attrib.items():
        if text := one_line(str(value)):
            name = etree.QName(key).localname
            yield f"{path}.{name}" if path else name, text
