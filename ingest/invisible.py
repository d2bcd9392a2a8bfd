"""What no reader of the original sees: told from a style, counted in a draft's metadata. Knows no format's files."""

import re
from dataclasses import replace
from pathlib import Path

from ingest.document import Document
from ingest.load_draft import Draft

_HIDING = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?"
    r"|font-size\s*:\s*(?:0(?:\.\d+)?|1)(?:px|pt)?|font-size\s*:\s*0(?:\.[01]\d*)?(?:r?em|%))\s*(?:!important\s*)?(?:;|$)",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]+)", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*([^;!]+)", re.IGNORECASE)
_WHITE = re.compile(r"white|#f{3}|#f{6}|rgba?\(\s*255\s*,\s*255\s*,\s*255\s*(?:,\s*1(?:\.0*)?\s*)?\) *", re.IGNORECASE)


def is_hiding(style: str, *, on_white: bool) -> bool:
    """Tell whether an inline style hides the text of its element: not shown, without size, or white on white, which
    the style says itself or `on_white` of the page.
    """
    if _HIDING.search(style):
        return True
    colour, background = _COLOUR.search(style), _BACKGROUND.search(style)
    if colour is None or not _WHITE.fullmatch(colour.group(1).strip()):
        return False
    return bool(_WHITE.fullmatch(background.group(1).strip())) if background else on_white


def with_invisible(draft: Draft, n_characters: int) -> Draft:
    """Keep with a draft how many characters were left out because no reader sees them."""
    if not n_characters:
        return draft
    return replace(draft, metadata={**draft.metadata, "invisible_characters": str(n_characters)})


def invisible_notice(document: Document) -> str:
    """Say what was left out of a document, "" when nothing was."""
    n = document.metadata.get("invisible_characters", "")
    return f"{Path(document.source).name}: {n} characters of invisible text were left out" if n else ""
