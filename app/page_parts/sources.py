"""Where a document's file is, and files that users upload. Knows no Streamlit."""

import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from app.settings import PROJECT, Settings
from ingest.document import SEPARATOR
from ingest.errors import SourceError
from ingest.original import has_original


def uploads_folder(settings: Settings, kb: str) -> Path:
    """Say where the files uploaded to a knowledge base are."""
    return settings.home / "uploads" / kb


def find_original(settings: Settings, source: str) -> str | None:
    """Find what a document was read from: the path of a file, or of one inside an archive; None when it is gone."""
    for path in (Path(source), settings.home / source, PROJECT / source):
        if path.is_absolute() and has_original(path.as_posix()):
            return path.as_posix()
    return None


def is_upload(settings: Settings, kb: str, source: str) -> bool:
    """Tell whether a document's own file was uploaded, so that deleting it deletes the file too.

    An archive that was uploaded stays for what else is in it.
    """
    return SEPARATOR not in source and Path(source).is_relative_to(uploads_folder(settings, kb))


def save_uploads(folder: Path, files: Sequence[tuple[str, bytes]]) -> list[Path]:
    """Save files by name, in place of those of the same name. Raises SourceError."""
    paths = [folder / _file_name(name) for name, _ in files]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, (_, content) in zip(paths, files, strict=True):
            partial = path.with_name(f".{path.name}.part")
            partial.write_bytes(content)
            partial.replace(path)
    except OSError as error:
        raise SourceError(
            f"{folder} can't be written ({error.strerror}); free some space or mend its rights"
        ) from error
    return list(dict.fromkeys(paths))


def delete_upload(settings: Settings, kb: str, source: str) -> None:
    """Delete an uploaded file; one that is gone already is fine."""
    if is_upload(settings, kb, source):
        Path(source).unlink(missing_ok=True)


def delete_uploads(settings: Settings, kb: str) -> None:
    """Delete all files uploaded to a knowledge base."""
    shutil.rmtree(uploads_folder(settings, kb), ignore_errors=True)


def _file_name(name: str) -> str:
    """Give the last part of a name that came from a browser. Raises SourceError when it can't name a file."""
    last = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    cleaned = "".join(character for character in last if character.isprintable()).lstrip(".")
    if not cleaned:
        raise SourceError(f"{name!r} can't name a file; rename it and upload it again")
    return cleaned
