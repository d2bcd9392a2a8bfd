"""A picture and boxes in, a PNG with the boxes drawn on it out."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from generation.boxes import Box
from generation.media import Media

_COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e")


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
