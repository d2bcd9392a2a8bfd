"""A document's source in, the bytes it was read from out: a file's, or those of a file inside an archive."""

from pathlib import Path

from ingest.archive import read_member, split_source
from ingest.errors import SourceError
from ingest.load import read_source
from ingest.web import is_url


def has_original(source: str) -> bool:
    """Tell whether the file that a source names, or the archive around it, is still there."""
    return Path(source).is_file() or split_source(source) is not None


def read_original(source: str) -> bytes:
    """Give the bytes. Raises SourceError when they can't be had any more."""
    if is_url(source):
        raise SourceError(f"{source} is on the web and isn't kept here; open the address to see it.")
    inside = split_source(source) if not Path(source).is_file() else None
    if inside is None:
        return read_source(Path(source))
    data, _ = read_member(*inside)
    if not data:
        raise SourceError(f"{inside[1]} in {inside[0].name} is empty now; add {inside[0].name} again.")
    return data
