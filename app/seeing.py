"""What a question's pictures and recordings become: sent to a model that sees, else read by OCR; speech becomes words.

The same for every face. Also finds the pages of passages that only a picture tells all of.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

from app.hearing import Spoken
from app.model_abilities import takes
from generation.llm import LLM
from generation.media import Picture, read_image
from generation.openai_server import OpenAIServer
from generation.standby import StandBy
from ingest.document import Document
from ingest.errors import ModelError, SettingsError, SourceError
from ingest.load_formats import FORMATS, source_suffix
from retrieval.retrieval import Dropped, Hit, Retrieval

_MOST_OCR_CHARACTERS = 1500
_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif")
PICTURE_TYPES = tuple(suffix[1:] for suffix in _PICTURES)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what goes with it: pictures for the model, what the user is told before it is sent, and who heard
    its recordings.
    """

    question: str
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()


def takes_media(kind: Literal["image", "audio"], llm: LLM, setting: str) -> bool:
    """Tell whether a model takes pictures or recordings: by the setting, else its server is sent a small one.

    Of two models, the first counts; while it can't tell, its stand-by answers, which is sent none. Raises ModelError.
    """
    if isinstance(llm, StandBy):
        try:
            return takes_media(kind, llm.first, setting)
        except ModelError:
            return False
    if setting != "auto" or not isinstance(llm, OpenAIServer):
        return setting == "yes"
    return takes(kind, llm.config.base_url, llm.name, llm.config.api_key)


def prepare(
    question: str,
    files: Sequence[tuple[str, bytes]],
    sees: Callable[[], bool],
    hear: Callable[[str, bytes], Spoken],
) -> Asked:
    """Put a question's files in it. Raises SourceError for one that can't be used."""
    pictures: list[Picture] = []
    parts, notes, heard = [question.strip()] if question.strip() else [], [], []
    if not parts and not files:
        raise SettingsError("the question is empty; ask something")
    for name, data in files:
        if PurePath(name).suffix.lower() not in _PICTURES:
            if FORMATS.get(source_suffix(PurePath(name)), "audio") != "audio":
                raise SourceError(f"{name} is neither a picture nor a recording; add it as a document: footnote ingest")
            spoken = hear(name, data)
            parts.append(spoken.words)
            heard.append(spoken.note)
        elif sees():
            pictures.append(Picture(read_image(data, name), title=name))
        else:
            parts.append(f"({name}: {_read(name, data)})")
            notes.append(
                f"{name} isn't sent: the model sees no pictures. The words read in it by OCR are added to the question."
            )
    if not parts:
        raise SettingsError("a picture alone asks nothing; write a question with it")
    return Asked("\n".join(parts), tuple(pictures), tuple(notes), tuple(heard))


def page_pictures(
    retrieval: Retrieval, document_of: Callable[[str, str], Document], most: int, sees: Callable[[], bool]
) -> tuple[tuple[Picture, ...], Retrieval]:
    """Draw the pages of the best hits that hold a picture or a chart or are scans, at most `most`; say which failed."""
    from ingest.page_image import page_image

    pictures: list[Picture] = []
    dropped: list[Dropped] = []
    for hit, document, number in _pictured_pages(retrieval.hits[:5], document_of):
        if len(pictures) >= most or not sees():  # asked only when there is something to see
            break
        name = f"{hit.title}, p. {number}"
        try:
            media = read_image(page_image(document, number, [], scale=2.0).png, name)
        except SourceError as error:
            dropped.append(Dropped(hit.chunk.id, hit.source, "picture", str(error), hit.kb))
            continue
        pictures.append(Picture(media, document.id, hit.title, number))
    return tuple(pictures), replace(retrieval, dropped=(*retrieval.dropped, *dropped))


def _pictured_pages(
    hits: Sequence[Hit], document_of: Callable[[str, str], Document]
) -> Iterator[tuple[Hit, Document, int]]:
    """Give the pages that passages stand on and that show more than words, each once."""
    from ingest.page_image import has_page_images
    from ingest.pictured import is_pictured

    seen: set[tuple[str, int]] = set()
    for hit in hits:
        if hit.chunk.page is None:
            continue
        document = document_of(hit.kb, hit.chunk.document_id)
        if not has_page_images(document):
            continue
        for page in document.pages:
            where = (document.id, page.number)
            if where in seen or not page.span.overlaps(hit.chunk.span):
                continue
            seen.add(where)
            if is_pictured(document, page.number):
                yield hit, document, page.number


def _read(name: str, data: bytes) -> str:
    from ingest.load_config import LoadConfig
    from ingest.load_image import load_image

    read_image(data, name)  # the same files are refused, whichever model answers
    text = " ".join(load_image(data, name, LoadConfig()).text.split())
    return text if len(text) <= _MOST_OCR_CHARACTERS else text[:_MOST_OCR_CHARACTERS] + "…"
