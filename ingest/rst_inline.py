"""A piece of reStructuredText in, its words without inline markup out. Knows nothing about blocks."""

import re
from collections.abc import Mapping

# Markup is sought within a few hundred characters, so that text full of unclosed marks takes no longer than other text.
_ROLE_TARGET = re.compile(r":[\w.+:-]{1,60}:`([^`<]{1,300})<[^`>]{0,500}>`")
_ROLE = re.compile(r":[\w.+:-]{1,60}:`[~!]?([^`]{1,500})`")
_LINK = re.compile(r"`([^`<]{1,300})<([^`>]{1,500})>`__?")
_REFERENCE = re.compile(r"(?<!`)`([^`]{1,300})`__?(?!\w)")
_WORD_REFERENCE = re.compile(r"\b([A-Za-z][\w.-]{0,100}[A-Za-z0-9])__?(?=[\s.,;:!?)\]]|$)")
_FOOTNOTE = re.compile(r"\[(#?[\w.-]+|\*)\]_")
_STRONG = re.compile(r"\*\*(\S(?:.{0,300}?\S)?)\*\*", re.S)
_EMPHASIS = re.compile(r"(?<![\w*])\*(\S(?:[^*]{0,300}?\S)?)\*(?![\w*])")
_LITERAL = re.compile(r"``(.{1,300}?)``", re.S)
_SUBSTITUTION = re.compile(r"\|([^|\s](?:[^|\n]{0,100}[^|\s])?)\|_{0,2}")
_ESCAPE = re.compile(r"\\(\s|\S)")


def plain_words(text: str, substitutions: Mapping[str, str]) -> str:
    """Give what a reader of the page sees; what stands in double backquotes stays as it is, in single ones."""
    literals: list[str] = []

    def keep(found: re.Match[str]) -> str:
        literals.append(found.group(1))
        return f"\x00{len(literals) - 1}\x00"

    text = _LITERAL.sub(keep, text)
    text = _SUBSTITUTION.sub(lambda found: substitutions.get(found.group(1), found.group()), text)
    text = _ROLE_TARGET.sub(_without_space, text)
    text = _ROLE.sub(r"\1", text)
    text = _LINK.sub(_without_space, text)
    text = _FOOTNOTE.sub(r"[\1]", text)
    text = _REFERENCE.sub(r"\1", text)
    text = _WORD_REFERENCE.sub(r"\1", text)
    text = _STRONG.sub(r"\1", text)
    text = _EMPHASIS.sub(r"\1", text)
    text = _ESCAPE.sub(lambda found: "" if found.group(1).isspace() else found.group(1), text)
    return re.sub("\x00(\\d+)\x00", lambda found: f"`{literals[int(found.group(1))]}`", text)


def _without_space(found: re.Match[str]) -> str:
    return found.group(1).rstrip()
