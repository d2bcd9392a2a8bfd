"""Which suffix names which format, and which loader reads it. Knows nothing about paths or documents."""

from collections.abc import Callable
from pathlib import PurePath

from ingest.errors import UnsupportedError
from ingest.load_config import LoadConfig
from ingest.load_csv import load_csv
from ingest.load_draft import Draft
from ingest.load_html import load_html
from ingest.load_markdown import load_markdown
from ingest.load_text import LARGE_CHARACTERS, load_large_text, load_text
from ingest.step import OnStep

ReadPart = Callable[[bytes, str], Draft]  # reads what is inside a file by its name, such as an attachment

_CODE_TEXT = (
    ".py .pyi .js .mjs .cjs .jsx .ts .tsx .java .go .rs .c .h .cc .cpp .cxx .hpp .hh .cs .rb .php .sh .bash .zsh .ps1 "
    ".kt .kts .swift .scala .lua .pl .r .jl .sql .m .dart .ex .exs .hs .clj .vue .proto .gradle"
)
CODE = frozenset(_CODE_TEXT.split())
ARCHIVES = frozenset([".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz"])
FORMATS = {
    ".md": "markdown", ".markdown": "markdown", ".txt": "text", ".text": "text", ".log": "text", ".rst": "rst",
    ".html": "html", ".htm": "html", ".xhtml": "html", ".pdf": "pdf", ".docx": "docx", ".pptx": "pptx", ".xlsx": "xlsx",
    ".xlsm": "xlsx", ".ods": "ods", ".csv": "csv", ".tsv": "csv", ".epub": "epub", ".rtf": "rtf", ".mbox": "mbox",
    ".eml": "eml", ".msg": "msg", ".ipynb": "notebook", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".xml": "xml", ".yaml": "settings", ".yml": "settings", ".toml": "settings", ".ini": "settings",
    ".png": "image", ".jpg": "image", ".jpeg": "image", ".tif": "image", ".tiff": "image", ".bmp": "image",
    ".webp": "image", ".gif": "image", ".wav": "audio", ".mp3": "audio", ".flac": "audio", ".m4a": "audio",
    ".ogg": "audio", ".oga": "audio", ".opus": "audio",
    **dict.fromkeys(CODE, "code"),
}  # fmt: skip
SUPPORTED = frozenset(FORMATS) | ARCHIVES
KINDS = (
    "PDF, DOCX, PPTX, XLSX, ODS, Markdown, HTML, RST, text, CSV, JSON, XML, YAML, EPUB, RTF, mail, notebooks, program "
    "text, pictures of text, recordings of speech and archives of these"
)
NAMES = {
    "pdf": "PDF", "docx": "DOCX", "pptx": "PPTX", "xlsx": "XLSX", "ods": "ODS", "epub": "EPUB", "rtf": "RTF",
    "html": "HTML", "csv": "CSV", "text": "text file", "markdown": "Markdown", "rst": "reStructuredText file",
    "mbox": "mailbox", "eml": "mail message", "msg": "Outlook message", "notebook": "notebook", "json": "JSON file",
    "jsonl": "JSONL file", "xml": "XML file", "settings": "settings file", "code": "program text",
    "image": "picture", "audio": "recording",
}  # fmt: skip
# Formats whose text is the file itself.
PLAIN = frozenset({"text", "markdown", "rst", "code", "settings"})
BINARY = frozenset({"pdf", "docx", "pptx", "xlsx", "ods", "epub", "rtf", "mbox", "eml", "msg", "image", "audio"})
WITH_MAGIC = BINARY - {"mbox", "eml"}  # of these the first bytes tell
LEGACY = {".doc": ".docx", ".xls": ".xlsx", ".ppt": ".pptx", ".odt": ".docx", ".odp": ".pptx", ".xlsb": ".xlsx"}


def source_suffix(path: PurePath) -> str:
    """Give the suffix that names a file's format: lower case, without a `.gz` around it; `.tar.gz` for archives."""
    name = path.name.lower()
    packed = "".join(PurePath(name).suffixes[-2:])
    return packed if packed in ARCHIVES else PurePath(name.removesuffix(".gz")).suffix


def is_supported(path: PurePath) -> bool:
    """Tell by its name whether a file is of a kind that can be read."""
    return source_suffix(path) in SUPPORTED


def is_archive(path: PurePath) -> bool:
    """Tell by its name whether a file holds documents rather than being one."""
    return source_suffix(path) in ARCHIVES


def load_binary(
    file_format: str, data: bytes, name: str, read_part: ReadPart, config: LoadConfig, on_step: OnStep
) -> Draft:
    """Read bytes as one of the formats in `BINARY`. Raises SourceError."""
    # imported when needed: a run over Markdown notes shouldn't wait for pdfium, lxml or LlamaIndex
    if file_format == "eml":
        from ingest.load_mail import load_eml

        return load_eml(data, name, read_part)
    if file_format == "msg":
        from ingest.load_msg import load_msg

        return load_msg(data, name, read_part)
    if file_format == "mbox":
        from ingest.load_mbox import load_mbox

        return load_mbox(data, name, read_part)
    if file_format == "pdf":
        from ingest.load_pdf import load_pdf

        return load_pdf(data, name, config, on_step)
    if file_format == "image":
        from ingest.load_image import load_image

        return load_image(data, name, config, on_step)
    if file_format == "audio":
        from ingest.load_audio import load_audio

        return load_audio(data, name, config, on_step)
    return _binary_loader(file_format)(data, name)


def _binary_loader(file_format: str) -> Callable[[bytes, str], Draft]:
    match file_format:
        case "docx":
            from ingest.load_docx import load_docx as loader
        case "pptx":
            from ingest.load_pptx import load_pptx as loader
        case "xlsx":
            from ingest.load_xlsx import load_xlsx as loader
        case "ods":
            from ingest.load_ods import load_ods as loader
        case "epub":
            from ingest.load_tail import load_epub as loader
        case _:
            from ingest.load_tail import load_rtf as loader
    return loader


def load_decoded(file_format: str, text: str, name: str) -> Draft:
    """Read text as one of the formats that aren't in `BINARY`. Raises SourceError."""
    if len(text) > LARGE_CHARACTERS and file_format in PLAIN:
        return load_large_text(text)
    match file_format:
        case "csv":
            return load_csv(text, name)
        case "json":
            from ingest.load_json import load_json

            return load_json(text, name)
        case "jsonl":
            from ingest.load_json import load_jsonl

            return load_jsonl(text, name)
        case "xml":
            from ingest.load_xml import load_xml

            return load_xml(text, name)
        case "notebook":
            from ingest.load_notebook import load_notebook

            return load_notebook(text, name)
        case "code":
            from ingest.load_code import load_code

            return load_code(text, name)
        case "settings":
            from ingest.load_settings import load_settings

            return load_settings(text)
        case "rst":
            from ingest.load_rst import load_rst

            return load_rst(text)
    return {"markdown": load_markdown, "html": load_html, "text": load_text}[file_format](text)


def unsupported(name: str, suffix: str) -> UnsupportedError:
    """Make the error for a file of a type that isn't read."""
    if suffix in LEGACY:
        better = LEGACY[suffix]
        return UnsupportedError(f"{name} is of a type that isn't read ({suffix}); save it as {better} and add that.")
    return UnsupportedError(f"{name} is of an unsupported type ({suffix or 'no suffix'}); supported are {KINDS}.")
