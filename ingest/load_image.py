"""A picture's bytes in, a draft out: what OCR reads in it, a page for each frame of a TIFF.

Knows how pictures are opened, also for drawing (`open_frames`); `ingest/ocr_engine.py` reads them.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from PIL import Image, ImageOps

from ingest.errors import SourceError, WordlessError
from ingest.load_config import LoadConfig
from ingest.load_draft import Draft
from ingest.load_pdf import draft_of_lines
from ingest.load_pdf_ocr import ocr_is_off, ocr_metadata, page_ranges, too_many_pages
from ingest.ocr_draft import lay_pages
from ingest.ocr_engine import Reading, read_picture, within_limits
from ingest.step import OnStep, Step, unsaid

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
_MAX_PIXELS = 178_000_000  # a page of A4 at 1200 dpi has 139 million
# What Pillow's decoders raise on damaged files, some of it from C and from the codecs' own parsers.
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, struct.error,
           zlib.error)  # fmt: skip


def load_image(data: bytes, name: str, config: LoadConfig, on_step: OnStep = unsaid) -> Draft:
    """Give the words in a picture; SourceError when it is damaged or far too large, WordlessError without any words,
    UnseenError while OCR is off.
    """
    readings: dict[int, tuple[Reading, float]] = {}
    with open_frames(data, name) as frames:
        if not config.max_ocr_pages:
            raise ocr_is_off(name, len(frames))
        if len(frames) > config.max_ocr_pages:
            raise too_many_pages(name, len(frames), config.max_ocr_pages)
        for number in range(1, len(frames) + 1):
            readings[number] = (read_picture(frames.picture(number), threads=config.threads), 1.0)
            on_step(Step("scanned page", number, len(frames)))
        n_frames, kind = len(frames), frames.kind
    found = {number: reading for number, reading in readings.items() if reading[0].has_words}
    if not found:
        raise WordlessError(f"{name} is a picture without words; there is nothing in it to search or quote.")
    laid = lay_pages(found)
    lines = [laid[number].lines if number in laid else () for number in range(1, n_frames + 1)]
    heights = [laid[number].height if number in laid else 1.0 for number in range(1, n_frames + 1)]
    metadata = {"picture": kind, **ocr_metadata({number: reading for number, (reading, _) in found.items()})}
    if empty := [number for number in range(1, n_frames + 1) if number not in laid]:
        metadata["pages_without_text"] = page_ranges(empty)
    regions = {number - 1: page.regions for number, page in laid.items()}
    draft = draft_of_lines(lines, heights, [None] * n_frames, {}, [[]] * n_frames, regions)
    return replace(draft, metadata=metadata, read_pages=tuple(page.words for page in laid.values()))


class Frames:
    """The pages of an open picture: the frames of a TIFF, the first frame of any other."""

    def __init__(self, image: Image.Image, name: str) -> None:
        self._image = image
        self._name = name
        self.kind = image.format or ""
        self.n_pictures = int(getattr(image, "n_frames", 1))  # of an animation too, of which only the first is a page
        self._n_frames = self.n_pictures if self.kind == "TIFF" else 1

    def __len__(self) -> int:
        return self._n_frames

    def picture(self, number: int) -> Image.Image:
        """Give page `number` (from 1) in RGB, held as the camera was, and no larger than a page needs to be."""
        with _damage_said(self._name):
            self._image.seek(number - 1)
            width, height = self._image.size
            if width * height > _MAX_PIXELS:
                raise SourceError(
                    f"{self._name} has {width:,} x {height:,} pixels, more than the limit of {_MAX_PIXELS:,}; make it"
                    f" smaller and add that."
                )
            return within_limits(_on_white(ImageOps.exif_transpose(self._image)))


@contextmanager
def open_frames(data: bytes, name: str) -> Iterator[Frames]:
    """Open a picture. Raises SourceError when it is damaged."""
    with _damage_said(name):
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        frames = Frames(image, name)
    with image:
        yield frames


@contextmanager
def _damage_said(name: str) -> Iterator[None]:
    try:
        yield
    except Image.DecompressionBombError as error:
        raise SourceError(f"{name} has more pixels than the limit of {_MAX_PIXELS:,}; make it smaller.") from error
    except _DAMAGE as error:
        raise SourceError(f"{name} is a damaged picture; open it in a viewer, save it again and add that.") from error


def _on_white(image: Image.Image) -> Image.Image:
    """Give a picture of any kind in RGB: what is transparent becomes white, 16 bits a pixel become 8."""
    if image.mode[0] in "IF":
        values = np.asarray(image, dtype=np.float32)
        low, high = float(values.min()), float(values.max())
        image = Image.fromarray(((values - low) * (255 / max(high - low, 1.0))).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")
