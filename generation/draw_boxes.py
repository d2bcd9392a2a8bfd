"""Pictures and boxes in, PNGs with the boxes drawn on them out."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from generation.boxes import Box
from generation.media import Media, Picture

_COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as PNG with its boxes, numbered from 1."""

    picture: Picture
    png: bytes
    boxes: tuple[Box, ...]

    def caption(self, guessed: str) -> str:
        """Name the picture and what is in its boxes; `guessed` is said where the model named no picture."""
        labels = [f"{number} {box.label}".strip() for number, box in enumerate(self.boxes, 1)]
        said = [guessed] if any(box.is_guess for box in self.boxes) else []
        return " · ".join((self.picture.media.name, *labels, *said))


def draw_pictures(pictures: Sequence[Picture], boxes: Sequence[Box]) -> list[Drawn]:
    """Give every picture with its own boxes, in their order."""
    drawn = []
    for number, picture in enumerate(pictures, 1):
        held = tuple(box for box in boxes if box.picture == number)
        drawn.append(Drawn(picture, draw_boxes(picture.media, held), held))
    return drawn


def draw_boxes(media: Media, boxes: Sequence[Box]) -> bytes:
    """Give the picture with each box outlined and numbered from 1, in the order in which the model wrote them."""
    with Image.open(io.BytesIO(media.data)) as opened:
        picture = opened.convert("RGB")
    drawing = ImageDraw.Draw(picture)
    width = max(2, max(picture.size) // 300)
    font = ImageFont.load_default(max(12, max(picture.size) // 50))
    for number, box in enumerate(boxes, 1):
        colour = _COLOURS[(number - 1) % len(_COLOURS)]
        left, right = box.left * picture.width, box.right * picture.width
        top, bottom = box.top * picture.height, box.bottom * picture.height
        drawing.rectangle((left, top, right, bottom), outline=colour, width=width)
        around = drawing.textbbox((left + width, top + width), str(number), font=font)
        drawing.rectangle(around, fill=colour)
        drawing.text((left + width, top + width), str(number), fill="white", font=font)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
