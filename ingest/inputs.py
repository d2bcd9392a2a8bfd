"""Places where documents come from in, what an ingest does with each out. Knows nothing about knowledge bases.

An `Input` is one document. A `Bundle` is a file with several inside: it is opened only when its bytes have changed, and
then only members that have changed are read as documents.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath

from ingest.archive import Member, read_members
from ingest.discover import Failure
from ingest.document import SEPARATOR, Document
from ingest.errors import SourceError
from ingest.file_hash import hash_file
from ingest.load_formats import is_archive, is_supported, source_suffix, unsupported
from ingest.raw_file import RawFile
from ingest.web import WebConfig, WebPage, WebState, fetch

Read = Callable[[RawFile], Document]


@dataclass(frozen=True, slots=True)
class Input:
    """A source to take in: its name, a way to its content hash that is cheaper than loading, and the loading.

    `load` is given what reads a file's bytes. `state` gives what is to be remembered of it once it is taken in, if
    anything. A file and a member are `at_hand`, and can be read before their turn comes.
    """

    source: str
    content_hash: Callable[[], str]
    load: Callable[[Read], Document]
    state: Callable[[], str] | None = None
    at_hand: RawFile | None = None
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Unread:
    """A member that isn't taken in; one of a type that isn't supported is `skipped` rather than failed."""

    failure: Failure
    skipped: bool = False

    @property
    def source(self) -> str:
        return self.failure.source


@dataclass(frozen=True, slots=True)
class Bundle:
    """A file that holds several documents: its name, the hash of its bytes, and what is in it, read as it is asked."""

    source: str
    version: Callable[[], str]
    members: Callable[[], Iterator[Input | Unread]]
    size_bytes: int = 0


def no_documents(source: str) -> Failure:
    """Say that an archive holds nothing to read."""
    return Failure(source, f"{PurePosixPath(source).name} holds no documents.")


def file_input(path: Path, source: str, hash_of: Callable[[Path], str] = hash_file) -> Input | Bundle:
    """Give what a file is to an ingest; `hash_of` gives the hash of its bytes."""
    size_bytes = _size_bytes(path)
    if is_archive(path):
        return Bundle(source, partial(hash_of, path), partial(_archive_inputs, path, source), size_bytes)
    raw = RawFile(path.name, source, path)
    return Input(source, partial(hash_of, path), partial(_read, raw), at_hand=raw, size_bytes=size_bytes)


def document_input(document: Document) -> Input:
    """Give a document that exists already as what an ingest takes."""
    return Input(document.source, lambda: document.content_hash, lambda read: document)


def web_input(url: str, config: WebConfig, remembered: Callable[[str], str | None]) -> Input:
    """Give a web page as what an ingest takes; `remembered` gives its state from last time once it is asked for."""
    page = _Page(url, config, remembered)
    return Input(url, page.content_hash, page.load, page.state)


class _Page:
    """A web page, fetched once, and only if it has changed since last time."""

    def __init__(self, url: str, config: WebConfig, remembered: Callable[[str], str | None]) -> None:
        self._url = url
        self._config = config
        self._remembered = remembered
        self._known = WebState()
        self._fetched: WebPage | None = None

    def content_hash(self) -> str:
        self._known = WebState.from_json(self._remembered(self._url))
        self._fetched = fetch(self._url, self._config, known=self._known)
        return self._known.content_hash if self._fetched is None else _hash_bytes(self._fetched.data)

    def load(self, read: Read) -> Document:
        page = self._fetched or fetch(self._url, self._config)
        if page is None:
            raise SourceError(f"{self._url} says that it hasn't changed, though it wasn't asked; try again later.")
        self._fetched = page
        document = read(RawFile(page.name, self._url, data=page.data, modified=page.modified))
        return replace(document, metadata={**document.metadata, "url": page.url})

    def state(self) -> str:
        page = self._fetched
        if page is None:
            return self._known.to_json()
        return WebState(page.etag, page.last_modified, _hash_bytes(page.data)).to_json()


def _archive_inputs(path: Path, source: str) -> Iterator[Input | Unread]:
    for member in read_members(path, lambda inside: is_supported(Path(inside))):
        yield _member_input(member, f"{source}{SEPARATOR}{member.path}")


def _member_input(member: Member, source: str) -> Input | Unread:
    name = PurePosixPath(member.path).name
    if member.problem:
        return Unread(Failure(source, member.problem))
    if not is_supported(Path(name)):
        return Unread(Failure(source, str(unsupported(name, source_suffix(Path(name))))), skipped=True)
    raw = RawFile(name, source, data=member.data, modified=member.modified)
    return Input(source, partial(_hash_bytes, member.data), partial(_read, raw), at_hand=raw)


def _read(raw: RawFile, read: Read) -> Document:
    return read(raw)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone meanwhile: said when it is read
        return 0


def _hash_bytes(data: bytes) -> str:
    return sha256(data).hexdigest()
