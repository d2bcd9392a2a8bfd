"""A tag as a user typed it in, as it is kept out."""

import unicodedata

from ingest.errors import SettingsError

_LONGEST = 64


def clean_tag(typed: str) -> str:
    """Give a tag in one spelling: NFKC, lower case, single spaces. Raises SettingsError where it is no tag."""
    tag = " ".join(unicodedata.normalize("NFKC", typed).casefold().split())
    if not tag or len(tag) > _LONGEST or not tag.isprintable():
        raise SettingsError(f"{typed!r} can't be a tag; use up to {_LONGEST} letters, digits or words")
    return tag
