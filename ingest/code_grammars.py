"""Program text in, where its classes and functions are out, by tree-sitter grammars. Knows nothing about blocks."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import import_module

from tree_sitter import Language, Node, Parser

from ingest.code_definitions import Definition, with_comments

_GRAMMARS = {
    ".js": ("tree_sitter_javascript", "language"), ".mjs": ("tree_sitter_javascript", "language"),
    ".cjs": ("tree_sitter_javascript", "language"), ".jsx": ("tree_sitter_javascript", "language"),
    ".ts": ("tree_sitter_typescript", "language_typescript"), ".tsx": ("tree_sitter_typescript", "language_tsx"),
    ".java": ("tree_sitter_java", "language"), ".go": ("tree_sitter_go", "language"),
    ".rs": ("tree_sitter_rust", "language"), ".c": ("tree_sitter_c", "language"), ".h": ("tree_sitter_cpp", "language"),
    ".cc": ("tree_sitter_cpp", "language"), ".cpp": ("tree_sitter_cpp", "language"),
    ".cxx": ("tree_sitter_cpp", "language"), ".hpp": ("tree_sitter_cpp", "language"),
    ".hh": ("tree_sitter_cpp", "language"), ".cs": ("tree_sitter_c_sharp", "language"),
    ".rb": ("tree_sitter_ruby", "language"), ".php": ("tree_sitter_php", "language_php"),
}  # fmt: skip
_HOLDERS = frozenset(
    {"class_declaration", "abstract_class_declaration", "class", "interface_declaration", "enum_declaration",
     "record_declaration", "struct_declaration", "trait_declaration", "internal_module", "module", "impl_item",
     "trait_item", "mod_item", "class_specifier", "struct_specifier", "namespace_definition", "namespace_declaration",
     "annotation_type_declaration", "file_scoped_namespace_declaration"}
)  # fmt: skip
_LEAVES = frozenset(
    {"function_declaration", "generator_function_declaration", "method_definition", "method_declaration",
     "constructor_declaration", "function_definition", "function_item", "struct_item", "enum_item", "macro_definition",
     "method", "singleton_method", "type_alias_declaration", "type_declaration", "type_item", "enum_specifier",
     "union_item", "local_function_statement", "function_signature"}
)  # fmt: skip
_VARIABLES = frozenset({"lexical_declaration", "variable_declaration"})
_FUNCTIONS = frozenset({"arrow_function", "function_expression", "function", "generator_function", "class"})
_WRAPPERS = frozenset({"export_statement", "template_declaration", "decorated_definition", "ambient_declaration"})
_MAX_DEPTH = 60


def grammar_definitions(text: str, suffix: str) -> list[Definition] | None:
    """Find definitions in the order of the file; None for a language without a grammar here."""
    parser = _parser(suffix)
    if parser is None:
        return None
    root = parser.parse(text.encode("utf-8", "replace")).root_node
    return list(_inside(root, "", 0, text.split("\n"), 0))


@lru_cache(maxsize=32)
def _parser(suffix: str) -> Parser | None:
    if suffix not in _GRAMMARS:
        return None
    module, function = _GRAMMARS[suffix]
    return Parser(Language(getattr(import_module(module), function)()))


def _inside(node: Node, owner: str, floor: int, lines: Sequence[str], depth: int) -> Iterator[Definition]:
    """Give the definitions below a node that aren't inside one another. Lines at or above `floor` are taken already."""
    for child in node.named_children if depth < _MAX_DEPTH else ():
        inner = _unwrapped(child)
        named = _name(inner)
        row = child.start_point[0]
        if named and row >= floor and child.end_point[0] >= row and _has_body(inner):
            name = f"{owner}.{named}" if owner else named
            start = with_comments(lines, row, floor)
            end = child.end_point[0] + (1 if child.end_point[1] else 0)
            body = _body_line(inner, row)
            held = tuple(_inside(inner, name, body, lines, depth + 1)) if inner.type in _HOLDERS else ()
            yield Definition(name, start, body, max(end, start + 1), held)
            floor = max(end, start + 1)
        elif inner.type not in _LEAVES:
            for found in _inside(child, owner, floor, lines, depth + 1):
                yield found
                floor = found.end


def _unwrapped(node: Node) -> Node:
    """Give the definition that an export or a template stands around."""
    if node.type in _WRAPPERS:
        for child in node.named_children:
            if child.type in _HOLDERS | _LEAVES | _VARIABLES:
                return child
    return node


def _has_body(node: Node) -> bool:
    """A mention of a struct isn't its definition, and a variable is one only if it holds a function."""
    return node.type in _LEAVES | _VARIABLES or node.child_by_field_name("body") is not None or node.type == "module"


def _name(node: Node) -> str:
    if node.type in _VARIABLES:
        for declarator in node.named_children:
            value = declarator.child_by_field_name("value")
            if value is not None and value.type in _FUNCTIONS:
                return _text(declarator.child_by_field_name("name"))
        return ""
    if node.type not in _HOLDERS | _LEAVES:
        return ""
    if node.type == "type_declaration":  # Go's, around the named type
        return next((_text(spec.child_by_field_name("name")) for spec in node.named_children), "")
    if node.type == "method_declaration" and (receiver := node.child_by_field_name("receiver")) is not None:
        kind = _text(receiver).strip("()").split()[-1].lstrip("*") if _text(receiver).strip("() ") else ""
        return f"{kind}.{_text(node.child_by_field_name('name'))}".lstrip(".")
    found = node.child_by_field_name("name") or node.child_by_field_name(
        "type" if node.type == "impl_item" else "declarator"
    )
    while found is not None and (deeper := found.child_by_field_name("declarator")) is not None:
        found = deeper
    return _text(found)


def _text(node: Node | None) -> str:
    return " ".join((node.text or b"").decode("utf-8", "replace").split())[:120] if node is not None else ""


def _body_line(node: Node, row: int) -> int:
    """Give the line after the one that opens the body; a definition on one line is all heading."""
    body = node.child_by_field_name("body")
    if body is None:
        return row + 1
    opened = body.start_point[0]
    return opened if opened > row and not (body.text or b"").startswith(b"{") else opened + 1
