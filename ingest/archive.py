"""An archive in, the files inside it out, one by one. Nothing is ever unpacked to disk. Knows nothing about formats.

A file inside an archive is named `archive.zip!/folder/file.md`; inside an archive within, `a.zip!/b.tar!/file.md`.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from ingest.document import SEPARATOR
from ingest.encoding import decode_bytes
from ingest.errors import SourceError
from ingest.load import MAX_BYTES, check_file, unreadable
from ingest.load_sniff import MAX_RATIO, RATIO_FROM, is_bomb

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Wants = Callable[[str], bool]

MAX_ARCHIVE_BYTES = 16 * 2**30  # packed; members are read one at a time
MAX_MEMBERS = 100_000
_MAX_DEPTH = 3  # of archives inside archives
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
    ValueError, IndexError, OverflowError, UnicodeDecodeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an archive: its path there, and its bytes, or why they can't be had."""

    path: str
    data: bytes = b""
    modified: datetime | None = None
    problem: str = ""


def read_members(archive: Path, wants: Wants = lambda path: True) -> Iterator[Member]:
    """Give the files inside, in the archive's order and those of archives within; hidden ones are passed over.

    Members that `wants` declines by their path come without their bytes, and archives within aren't opened. A member
    that can't be read comes with its problem. SourceError when the archive itself can't be read any further.
    """
    name = archive.name
    try:
        check_file(archive, limit=MAX_ARCHIVE_BYTES)
        size = archive.stat().st_size
        with archive.open("rb") as file:
            yield from _members(file, name, size, "", _Budget(size), wants)
    except OSError as error:
        # bz2 and gzip report damage as OSError without a number
        raise (unreadable(archive, error) if error.errno else _damaged(name, error)) from error


def read_packed(data: bytes, name: str, wants: Wants = lambda path: True) -> Iterator[Member]:
    """Give the files inside an archive that isn't a file itself, as `read_members` does."""
    try:
        yield from _members(io.BytesIO(data), name, len(data), "", _Budget(len(data)), wants)
    except OSError as error:
        raise _damaged(name, error) from error


def read_member(archive: Path, member: str) -> tuple[bytes, datetime | None]:
    """Give the bytes of one file inside and the time it was changed. Raises SourceError."""
    for found in read_members(archive, lambda path: member == path or member.startswith(path + SEPARATOR)):
        if found.path == member:
            if found.problem:
                raise SourceError(found.problem)
            return found.data, found.modified
    raise SourceError(f"{member} isn't in {archive.name} any more; add {archive.name} again.")


def split_source(source: str) -> tuple[Path, str] | None:
    """Take a member's name apart into the archive's path and the path inside; None for a name of another kind."""
    archive, separator, member = source.partition(SEPARATOR)
    while separator and not Path(archive).is_file():
        more, separator, member = member.partition(SEPARATOR)
        archive = f"{archive}{SEPARATOR}{more}"
    return (Path(archive), member) if separator and member else None


def is_inside(source: str, archive: str) -> bool:
    """Tell by its name whether a source is a file inside an archive, or inside one within."""
    return source.startswith(archive + SEPARATOR)


def holders(source: str) -> list[str]:
    """Give the names of all that a source may lie inside, by its name; none for what is no archive's member."""
    parts = source.split(SEPARATOR)
    return [SEPARATOR.join(parts[:n]) for n in range(1, len(parts))]


class _Budget:
    """What may still be read of an archive with all that is in it."""

    def __init__(self, size: int) -> None:
        self.members = MAX_MEMBERS
        self.bytes = max(2**30, MAX_RATIO * size)

    def take(self, name: str, n_bytes: int) -> None:
        self.members -= 1
        self.bytes -= n_bytes
        if self.bytes < 0:
            raise SourceError(_bomb(name))
        if self.members < 0:
            raise SourceError(f"{name} holds more than {MAX_MEMBERS:,} files; split it and add the parts.")


def _members(file: IO[bytes], name: str, size: int, inside: str, budget: _Budget, wants: Wants) -> Iterator[Member]:
    """Give the members of an archive of `size` bytes that lies at `inside` in the outermost one."""
    try:
        start = file.read(512)
        file.seek(0)

        def wanted(path: str) -> bool:
            return wants(f"{inside}{path}")

        if start.startswith(b"PK"):
            found = _zip_members(file, name, size, wanted)
        else:
            found = _tar_members(file, name, start, size, wanted)
        for member in found:
            budget.take(name, len(member.data))
            yield from _unfolded(member, name, inside, budget, wants)
    except _DAMAGED as error:
        raise _damaged(name, error) from error


def _unfolded(member: Member, name: str, inside: str, budget: _Budget, wants: Wants) -> Iterator[Member]:
    path = f"{inside}{member.path}"
    if member.problem or not _looks_like_archive(member) or not wants(path):
        yield Member(path, member.data, member.modified, member.problem)
        return
    if path.count(SEPARATOR) + 1 >= _MAX_DEPTH:
        yield Member(path, problem=f"{member.path} lies more than {_MAX_DEPTH} archives deep; unpack {name} first.")
        return
    try:
        inner = io.BytesIO(member.data)
        yield from _members(inner, member.path, len(member.data), f"{path}{SEPARATOR}", budget, wants)
    except (SourceError, OSError) as error:
        problem = str(error) if isinstance(error, SourceError) else str(_damaged(member.path, error))
        yield Member(path, problem=problem)


def _looks_like_archive(member: Member) -> bool:
    name = member.path.lower()
    return name.endswith((".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz"))


def _zip_members(file: IO[bytes], name: str, size: int, wanted: Wants) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        entries = {_zip_name(entry): entry for entry in archive.infolist() if not entry.is_dir()}
        sizes = [entry.file_size for entry in entries.values() if not is_bomb(entry.file_size, entry.compress_size)]
        if is_bomb(sum(sizes), size):
            raise SourceError(_bomb(name))
        for path, entry in entries.items():
            if _is_hidden(path):
                continue
            problem = _problem(path, entry.file_size, name)
            if entry.flag_bits & 1:
                problem = f"{path} in {name} is encrypted; pack it without a password and add that."
            elif is_bomb(entry.file_size, entry.compress_size):
                problem = _bomb(f"{path} in {name}")
            if problem:
                yield Member(path, problem=problem)
                continue
            if not wanted(_inside(path)):
                yield Member(_inside(path))
                continue
            try:
                yield Member(_inside(path), archive.read(entry), _zip_time(entry))
            except (*_DAMAGED, OSError):
                yield Member(path, problem=f"{path} in {name} is damaged; pack it again and add that.")


def _zip_name(entry: zipfile.ZipInfo) -> str:
    """Undo the reading of names that aren't marked as UTF-8: Chinese Windows writes them in GB 18030."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    try:
        decoded = decode_bytes(entry.filename.encode("cp437"))
    except UnicodeEncodeError:
        return entry.filename
    return decoded.text if decoded is not None else entry.filename


def _zip_time(entry: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*entry.date_time, tzinfo=UTC) if entry.date_time[0] > 1980 else None
    except ValueError:
        return None


def _tar_members(file: IO[bytes], name: str, start: bytes, size: int, wanted: Wants) -> Iterator[Member]:
    seen: set[str] = set()
    with _unpacked(file, start) as stream:
        counted = io.BufferedReader(_Counted(stream, size, name), 1 << 16)
        with tarfile.open(fileobj=counted, mode="r|") as archive:  # a stream: never goes back, never holds it whole
            for entry in archive:
                path = entry.name
                if entry.isdir() or _is_hidden(path):
                    continue
                problem = _problem(path, entry.size, name)
                if not entry.isfile():
                    problem = f"{path} in {name} is a link or a device, not a file."
                elif is_bomb(entry.size, size):  # a sparse file, whose zeros aren't stored
                    problem = _bomb(f"{path} in {name}")
                elif path in seen:
                    problem = f"{path} is in {name} twice; only the first is read."
                seen.add(path)
                held = archive.extractfile(entry) if not problem and wanted(_inside(path)) else None
                if held is None:
                    yield Member(path if problem else _inside(path), problem=problem)
                else:
                    yield Member(_inside(path), held.read(), datetime.fromtimestamp(max(0, entry.mtime), UTC))


@contextmanager
def _unpacked(file: IO[bytes], start: bytes) -> Iterator[IO[bytes] | io.BufferedIOBase]:
    if start.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=file) as packed:
            yield packed
    elif start.startswith(b"BZh"):
        with bz2.BZ2File(file) as packed_bz2:
            yield packed_bz2
    elif start.startswith(b"\xfd7zXZ"):
        with lzma.LZMAFile(file) as packed_xz:
            yield packed_xz
    else:
        yield file


class _Counted(io.RawIOBase):
    """A stream that stops when it gives far more than a real archive of its size would."""

    def __init__(self, stream: IO[bytes] | io.BufferedIOBase, size: int, name: str) -> None:
        super().__init__()
        self._stream = stream
        self._left = max(RATIO_FROM, MAX_RATIO * size)
        self._name = name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        data = self._stream.read(len(view))
        self._left -= len(data)
        if self._left < 0:
            raise SourceError(_bomb(self._name))
        view[: len(data)] = data
        return len(data)


def _is_hidden(path: str) -> bool:
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return any((part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in parts)


def _inside(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).as_posix().removeprefix("./")


def _problem(path: str, size: int, name: str) -> str:
    clean = path.replace("\\", "/")
    if clean.startswith("/") or ".." in clean.split("/") or clean[1:3] == ":/" or "\x00" in clean or not clean:
        return f"{path!r} in {name} names a place outside the archive; it is not read."
    if size > MAX_BYTES:
        return f"{path} in {name} is {size / 2**20:.0f} MiB, the limit is {MAX_BYTES // 2**20} MiB; split it."
    return ""


def _bomb(what: str) -> str:
    return f"{what} unpacks to more than {MAX_RATIO} times its size; that is no document, look at what it holds."


def _damaged(name: str, error: Exception) -> SourceError:
    detail = " ".join(str(error).split()) or type(error).__name__
    return SourceError(f"{name} is a damaged archive, or not one ({detail}); pack it again and add that.")
