"""What is to be read as a document, as it is handed to whoever reads it, here or in another process.

Decides what is never read in the process that ingests.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.document import Document
from ingest.errors import SourceError
from ingest.load import load_document, read_document
from ingest.load_config import LoadConfig
from ingest.load_formats import FORMATS, source_suffix
from ingest.load_sniff import sniff
from ingest.step import OnStep, unsaid

# Read by this project's own code and Python's csv and json, which neither crash nor, in lines like these, go on for
# ever. Everything else goes through C or C++ (pdfium, lxml, Lexbor, tree-sitter, Pillow, FFmpeg, OCR and speech models)
# or through libraries that unpack and follow what a file says of itself.
_SAFE = frozenset({"text", "markdown", "rst", "settings", "csv", "json", "jsonl"})
_SNIFFED_BYTES = 8192


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file by its `path`, or the `data` of a member or a web page; the suffix of `name` says what it is.

    `bad_parts` are attachments to be left out, with the reason of each (`ingest/parts.py`).
    """

    name: str
    source: str
    path: Path | None = None
    data: bytes = b""
    modified: datetime | None = None
    bad_parts: tuple[tuple[str, str], ...] = ()

    @property
    def size_bytes(self) -> int:
        """Give its size; 0 for a file that is gone, which is said when it is read."""
        if self.path is None:
            return len(self.data)
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def is_safe(self) -> bool:
        """Tell whether it can be read in the process that ingests: by its name, and by how it begins."""
        if self.name.lower().endswith(".gz") or FORMATS.get(source_suffix(Path(self.name))) not in _SAFE:
            return False
        return sniff(self._beginning()) is None  # else it is a PDF or a picture, whatever its name

    def _beginning(self) -> bytes:
        if self.path is None:
            return self.data[:_SNIFFED_BYTES]
        try:
            with self.path.open("rb") as file:
                return file.read(_SNIFFED_BYTES)
        except OSError:  # said when it is read
            return b""


def read_raw(raw: RawFile, config: LoadConfig, on_step: OnStep = unsaid) -> Document:
    """Read it in this process. Raises SourceError or OSError, as `load_document` does."""
    bad_parts = dict(raw.bad_parts)
    if raw.path is not None:
        return load_document(raw.path, source=raw.source, config=config, on_step=on_step, bad_parts=bad_parts)
    if not raw.data:
        raise SourceError(f"{raw.name} is empty (0 bytes); add it again once it has content.")
    return read_document(raw.data, raw.name, raw.source, raw.modified, config, on_step=on_step, bad_parts=bad_parts)
