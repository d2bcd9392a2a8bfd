"""A file in, its SHA-256 out; and a memory of them, for a process that looks at the same files again and again."""

from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path

from ingest.errors import SourceError

# What says that a file wasn't touched: size, both times to the nanosecond, inode.
Stamp = tuple[int, int, int, int]


def hash_file(path: Path) -> str:
    """Give the hex SHA-256 of a file's bytes. Raises SourceError when it can't be read."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path.name} can't be read ({error.strerror}); check its permissions") from error


def stamp_of(path: Path) -> Stamp | None:
    """Give a file's stamp; None when it isn't there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


@dataclass(frozen=True, slots=True)
class HashMemory:
    """Hashes by path, each good as long as the file's stamp stays the same."""

    _known: dict[Path, tuple[Stamp, str]] = field(default_factory=dict)

    def hash_file(self, path: Path) -> str:
        """Give the hex SHA-256 of a file's bytes, reading it only when it was touched since the last time."""
        before = stamp_of(path)
        if before is not None and (known := self._known.get(path)) and known[0] == before:
            return known[1]
        found = hash_file(path)
        if before is not None and before == stamp_of(path):  # else it is being written, and must be read again
            self._known[path] = (before, found)
        return found
