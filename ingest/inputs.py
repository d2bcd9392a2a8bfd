"""Places where documents come from in, what an ingest does with each out. Knows nothing about knowledge bases.

An `Input` is one document. A `Bundle` is a file with several inside: it is opened only when its bytes have changed, and
then only members that have changed are read as documents.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath

from ingest.archive import SEPARATOR, Member, read_members
from ingest.discover import Failure
from ingest.document import Document
from ingest.errors import SourceError
from ingest.file_hash import hash_file
from ingest.load import load_document, read_document
from ingest.load_config import LoadConfig
from ingest.load_formats import is_archive, is_supported, source_suffix, unsupported
from ingest.web import WebConfig, WebPage, WebState, fetch


@dataclass(frozen=True, slots=True)
class Input:
    """A source to take in: its name, a way to its content hash that is cheaper than loading, and the loading.

    `state` gives what is to be remembered of it once it is taken in, if anything. A file of its own has a `path`, and
    another process can load it.
    """

    source: str
    content_hash: Callable[[], str]
    load: Callable[[], Document]
    state: Callable[[], str] | None = None
    path: Path | None = None
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


def file_input(
    path: Path, source: str, hash_of: Callable[[Path], str] = hash_file, load: LoadConfig | None = None
) -> Input | Bundle:
    """Give what a file is to an ingest; `hash_of` gives the hash of its bytes."""
    size_bytes = _size_bytes(path)
    if is_archive(path):
        return Bundle(source, partial(hash_of, path), partial(_archive_inputs, path, source, load), size_bytes)
    read = partial(load_document, path, source=source, config=load)
    return Input(source, partial(hash_of, path), read, path=path, size_bytes=size_bytes)


def document_input(document: Document) -> Input:
    """Give a document that exists already as what an ingest takes."""
    return Input(document.source, lambda: document.content_hash, lambda: document)


def web_input(
    url: str, config: WebConfig, remembered: Callable[[str], str | None], load: LoadConfig | None = None
) -> Input:
    """Give a web page as what an ingest takes; `remembered` gives its state from last time once it is asked for."""
    page = _Page(url, config, remembered, load)
    return Input(url, page.content_hash, page.load, page.state)


class _Page:
    """A web page, fetched once, and only if it has changed since last time."""

    def __init__(
        self, url: str, config: WebConfig, remembered: Callable[[str], str | None], load: LoadConfig | None
    ) -> None:
        self._url = url
        self._load_config = load
        self._config = config
        self._remembered = remembered
        self._known = WebState()
        self._fetched: WebPage | None = None

    def content_hash(self) -> str:
        self._known = WebState.from_json(self._remembered(self._url))
        self._fetched = fetch(self._url, self._config, known=self._known)
        return self._known.content_hash if self._fetched is None else _hash_bytes(self._fetched.data)

    def load(self) -> Document:
        page = self._fetched or fetch(self._url, self._config)
        if page is None:
            raise SourceError(f"{self._url} says that it hasn't changed, though it wasn't asked; try again later.")
        self._fetched = page
        document = read_document(page.data, page.name, self._url, page.modified, self._load_config)
        return replace(document, metadata={**document.metadata, "url": page.url})

    def state(self) -> str:
        page = self._fetched
        if page is None:
            return self._known.to_json()
        return WebState(page.etag, page.last_modified, _hash_bytes(page.data)).to_json()


def _archive_inputs(path: Path, source: str, load: LoadConfig | None) -> Iterator[Input | Unread]:
    for member in read_members(path, lambda inside: is_supported(Path(inside))):
        yield _member_input(member, f"{source}{SEPARATOR}{member.path}", load)


def _member_input(member: Member, source: str, load: LoadConfig | None) -> Input | Unread:
    name = PurePosixPath(member.path).name
    if member.problem:
        return Unread(Failure(source, member.problem))
    if not is_supported(Path(name)):
        return Unread(Failure(source, str(unsupported(name, source_suffix(Path(name))))), skipped=True)
    return Input(
        source,
        partial(_hash_bytes, member.data),
        partial(_load_member, member.data, name, source, member.modified, load),
    )


def _load_member(data: bytes, name: str, source: str, modified: datetime | None, load: LoadConfig | None) -> Document:
    if not data:
        raise SourceError(f"{name} is empty (0 bytes); add it again once it has content.")
    return read_document(data, name, source, modified, load)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone meanwhile: said when it is read
        return 0


def _hash_bytes(data: bytes) -> str:
    return sha256(data).hexdigest()
