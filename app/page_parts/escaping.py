"""Text in, Streamlit Markdown that shows exactly that text out: no markup, no link, no picture, no icon."""

import re

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def plain(text: str) -> str:
    """Escape text for a label or a message of Streamlit, on one line."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))
