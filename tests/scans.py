"""Makes scans: pages of the samples as pictures, clean or as an office scanner gives them."""

import io
import random
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
ENGLISH, CHINESE = "member-handbook-2025.pdf", "渡船安全操作规程.pdf"


def sample_page(name: str, page: int = 1, *, dpi: int = 150) -> Image.Image:
    """Give a page of a sample as a picture."""
    document = pypdfium2.PdfDocument(SAMPLES / name)
    try:
        picture: Image.Image = document[page - 1].render(scale=dpi / 72).to_pil().convert("L")
        return picture
    finally:
        document.close()


def top(picture: Image.Image, share: float = 0.35) -> Image.Image:
    """Give the upper part of a page, which takes less time to read."""
    return picture.crop((0, 0, picture.width, round(picture.height * share)))


def degraded(picture: Image.Image, seed: int = 1) -> Image.Image:
    """Give a page as a poor scan: grey paper, specks, out of focus, aslant by one degree."""
    dice = random.Random(seed)
    grey = picture.convert("L").point(lambda value: 60 + value * 175 // 255)
    grey = grey.rotate(1.0, resample=Image.Resampling.BICUBIC, fillcolor=235)
    pixels = grey.load()
    assert pixels is not None
    for _ in range(grey.width * grey.height // 400):
        pixels[dice.randrange(grey.width), dice.randrange(grey.height)] = dice.randrange(60, 235)
    return grey.filter(ImageFilter.GaussianBlur(0.7))


def scan_pdf(pictures: Sequence[Image.Image], *, dpi: int = 150) -> bytes:
    """Give a PDF whose pages are pictures, as scanners make them."""
    buffer = io.BytesIO()
    first, *others = pictures
    first.save(buffer, "PDF", resolution=dpi, save_all=True, append_images=others, title="scan")
    return buffer.getvalue()


def picture_of(words: str, size: tuple[int, int] = (420, 90)) -> Image.Image:
    """Give a small picture with a line of words."""
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).text((16, 24), words, fill="black", font=ImageFont.load_default(28))
    return picture


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """Give a picture as a file of this kind."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
