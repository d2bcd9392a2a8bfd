"""A piece of reStructuredText in, its words without inline markup out. Knows nothing about blocks."""

import re
from collections.abc import Mapping

_ROLE_TARGET = re.compile(r":[\w.+-]+(?::[\w.+-]+)*:`([^`<]+?)\s*<[^`>]*>`")
_ROLE = re.compile(r":[\w.+-]+(?::[\w.+-]+)*:`[~!]?([^`]+)`")
_LINK = re.compile(r"`([^`<]+?)\s*<([^`>]+)>`__?")
_REFERENCE = re.compile(r"(?<!`)`([^`]+)`__?(?!\w)")
_WORD_REFERENCE = re.compile(r"\b([A-Za-z][\w.-]*[A-Za-z0-9])__?(?=[\s.,;:!?)\]]|$)")
_FOOTNOTE = re.compile(r"\[(#?[\w.-]+|\*)\]_")
_STRONG = re.compile(r"\*\*(\S(?:.*?\S)?)\*\*", re.S)
_EMPHASIS = re.compile(r"(?<![\w*])\*(\S(?:[^*]*?\S)?)\*(?![\w*])")
_LITERAL = re.compile(r"``(.+?)``", re.S)
_SUBSTITUTION = re.compile(r"\|([^|\s](?:[^|\n]*[^|\s])?)\|_{0,2}")
_ESCAPE = re.compile(r"\\(\s|\S)")


def plain_words(text: str, substitutions: Mapping[str, str]) -> str:
    """Give what a reader of the page sees; what stands in double backquotes stays as it is, in single ones."""
    literals: list[str] = []

    def keep(found: re.Match[str]) -> str:
        literals.append(found.group(1))
        return f"\x00{len(literals) - 1}\x00"

    text = _LITERAL.sub(keep, text)
    text = _SUBSTITUTION.sub(lambda found: substitutions.get(found.group(1), found.group()), text)
    text = _ROLE_TARGET.sub(r"\1", text)
    text = _ROLE.sub(r"\1", text)
    text = _LINK.sub(r"\1", text)
    text = _FOOTNOTE.sub(r"[\1]", text)
    text = _REFERENCE.sub(r"\1", text)
    text = _WORD_REFERENCE.sub(r"\1", text)
    text = _STRONG.sub(r"\1", text)
    text = _EMPHASIS.sub(r"\1", text)
    text = _ESCAPE.sub(lambda found: "" if found.group(1).isspace() else found.group(1), text)
    return re.sub("\x00(\\d+)\x00", lambda found: f"`{literals[int(found.group(1))]}`", text)
