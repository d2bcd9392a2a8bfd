"""Other readers of PDFs, each a function from a PDF's bytes to its text. Those that aren't installed are left out."""

import io
import logging
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pypdfium2


def peers() -> dict[str, Callable[[bytes], str]]:
    """Name the readers at hand. Missing ones: pip install pypdf pdfplumber opendataloader-pdf (the last needs Java)."""
    found: dict[str, Callable[[bytes], str]] = {"pypdfium2": _by_pypdfium2}
    if find_spec("pypdf"):
        found["pypdf"] = _by_pypdf
    if find_spec("pdfplumber"):
        found["pdfplumber"] = _by_pdfplumber
    if find_spec("opendataloader_pdf") and shutil.which("java"):
        found["opendataloader-pdf"] = _by_opendataloader
    return found


def _by_pypdfium2(pdf: bytes) -> str:
    return "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))


def _by_pypdf(pdf: bytes) -> str:
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def _by_pdfplumber(pdf: bytes) -> str:
    import pdfplumber

    logging.getLogger("pdfminer").setLevel(logging.ERROR)  # it warns of every font that lacks a box

    with pdfplumber.open(io.BytesIO(pdf)) as document:
        return "\n".join(page.extract_text() for page in document.pages)


def _by_opendataloader(pdf: bytes) -> str:
    import opendataloader_pdf

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "oracle.pdf"
        file.write_bytes(pdf)
        opendataloader_pdf.convert(str(file), folder, format="markdown", quiet=True)
        return (Path(folder) / "oracle.md").read_text(encoding="utf-8")
