"""What a question's pictures and recordings become: sent to a model that sees, else read by OCR; speech is heard here.

The same for every face. Also finds the pages of passages that only a picture tells all of.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from generation.llm import LLM, Message, Prompt, SamplingConfig
from generation.media import Picture, read_audio, read_image
from generation.openai_server import OpenAIServer
from ingest.document import Document
from ingest.errors import ModelError, SettingsError, SourceError
from retrieval.retrieval import Dropped, Retrieval

if TYPE_CHECKING:
    from app.settings import Settings

_MOST_OCR_CHARACTERS = 1500
_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif")
PICTURE_TYPES = tuple(suffix[1:] for suffix in _PICTURES)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what goes with it: pictures for the model, and what the user is told before it is sent."""

    question: str
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()


def sees_images(llm: LLM, setting: str) -> bool:
    """Tell whether a model sees pictures: by the setting, else a server is shown a small one. Raises ModelError."""
    if setting != "auto" or not isinstance(llm, OpenAIServer):
        return setting == "yes"
    from PIL import Image

    from generation.media import encode_image

    probe = encode_image(Image.new("RGB", (56, 56), "white"), "probe.png")
    prompt = Prompt((Message("user", "Say: yes", (probe,)),), "Say: yes")
    try:
        for _ in llm.stream(prompt, SamplingConfig(max_tokens=1)):
            break
    except ModelError as error:
        if "can't take the request" in str(error) or "failed (500" in str(error):
            return False
        if "wrote nothing" not in str(error) and "wrote no answer" not in str(error):
            raise
    return True


def prepare(question: str, files: Sequence[tuple[str, bytes]], settings: "Settings", sees: Callable[[], bool]) -> Asked:
    """Put a question's files in it. Raises SourceError for one that can't be used."""
    pictures: list[Picture] = []
    parts, notes = [question.strip()] if question.strip() else [], []
    for name, data in files:
        if PurePath(name).suffix.lower() not in _PICTURES:
            parts.append(_heard(name, data, settings))
        elif sees():
            pictures.append(Picture(read_image(data, name), title=name))
        else:
            parts.append(f"({name}: {_read(name, data)})")
            notes.append(
                f"{name} isn't sent: the model sees no pictures. The words read in it by OCR are added to the question."
            )
    if not parts:
        raise SettingsError("a picture alone asks nothing; write a question with it")
    return Asked("\n".join(parts), tuple(pictures), tuple(notes))


def page_pictures(
    retrieval: Retrieval, document_of: Callable[[str, str], Document], most: int, sees: Callable[[], bool]
) -> tuple[tuple[Picture, ...], Retrieval]:
    """Draw the pages of the best hits that hold a figure or are scans, at most `most`; say of which it failed."""
    from ingest.page_image import has_page_images, page_image

    pictures: list[Picture] = []
    dropped: list[Dropped] = []
    seen: set[tuple[str, int]] = set()
    for hit in retrieval.hits[:5]:
        chunk = hit.chunk
        if chunk.page is None or len(pictures) >= most or (chunk.document_id, chunk.page) in seen:
            continue
        seen.add((chunk.document_id, chunk.page))
        document = document_of(hit.kb, chunk.document_id)
        if not has_page_images(document) or not _is_pictured(document, chunk.page):
            continue
        if not sees():  # asked only when there is something to see
            break
        name = f"{hit.title}, p. {chunk.page}"
        try:
            media = read_image(page_image(document, chunk.page, [], scale=2.0).png, name)
        except SourceError as error:
            dropped.append(Dropped(chunk.id, hit.source, "picture", str(error), hit.kb))
            continue
        pictures.append(Picture(media, chunk.document_id, hit.title, chunk.page))
    return tuple(pictures), replace(retrieval, dropped=(*retrieval.dropped, *dropped))


def _is_pictured(document: Document, number: int) -> bool:
    """Tell whether a page was read by OCR or holds a figure."""
    page = document.pages[number - 1]
    return any(read.number == number for read in document.read_pages) or any(
        block.kind == "figure" and block.span.overlaps(page.span) for block in document.blocks
    )


def _read(name: str, data: bytes) -> str:
    from ingest.load_config import LoadConfig
    from ingest.load_image import load_image

    read_image(data, name)  # the same files are refused, whichever model answers
    text = " ".join(load_image(data, name, LoadConfig()).text.split())
    return text if len(text) <= _MOST_OCR_CHARACTERS else text[:_MOST_OCR_CHARACTERS] + "…"


def _heard(name: str, data: bytes, settings: "Settings") -> str:
    from ingest.load_audio import load_audio

    read_audio(data, name)  # refuses what is too long for a question before the minutes that hearing it takes
    return " ".join(load_audio(data, name, settings.ingest.load).text.split())
