"""A file's name in, why it can't be read out, where that can be said without opening it."""

from pathlib import Path

from ingest.errors import SourceError, UnheardError
from ingest.load_config import LoadConfig
from ingest.load_formats import FORMATS, source_suffix
from ingest.speech import unheard_reason


def foreseen_error(name: str, config: LoadConfig) -> SourceError | None:
    """Give the error that reading it will raise: a recording needs a speech model, a picture OCR."""
    file_format = FORMATS.get(source_suffix(Path(name)))
    if file_format == "audio" and (reason := unheard_reason(config, name)):
        return UnheardError(reason)
    if file_format == "image" and not config.max_ocr_pages:
        from ingest.load_pdf_ocr import ocr_is_off  # loads pdfium

        return ocr_is_off(name, 1)
    return None
