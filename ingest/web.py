"""A web address in, what is there out: as bytes with a name that says what they are. The one module that fetches."""

import json
import re
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import Request, build_opener

from ingest.errors import SourceError
from ingest.load import decompressed
from ingest.load_formats import FORMATS, is_archive, source_suffix

WEB_SCHEMES = ("http://", "https://")
_TYPES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "text/markdown": ".md",
    "application/pdf": ".pdf", "text/csv": ".csv", "application/json": ".json", "application/x-ndjson": ".jsonl",
    "application/xml": ".xml", "text/xml": ".xml", "application/rtf": ".rtf", "text/rtf": ".rtf",
    "application/epub+zip": ".epub", "message/rfc822": ".eml", "application/x-ipynb+json": ".ipynb",
    "application/vnd.ms-outlook": ".msg", "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}  # fmt: skip
_SAYS_LITTLE = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream"})
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.I)


@dataclass(frozen=True, slots=True)
class WebConfig:
    """How pages are fetched: `timeout_seconds` bounds each wait and, times ten, the whole; `max_bytes` the size."""

    timeout_seconds: float = 20.0
    max_bytes: int = 64 * 2**20
    user_agent: str = "footnote-rag (document reader)"


@dataclass(frozen=True, slots=True)
class WebState:
    """What a server said about a page's version, to ask with the next time, and the hash of what it gave."""

    etag: str = ""
    last_modified: str = ""
    content_hash: str = ""

    def to_json(self) -> str:
        """Give the state as text."""
        return json.dumps([self.etag, self.last_modified, self.content_hash])

    @classmethod
    def from_json(cls, text: str | None) -> "WebState":
        """Read the state back; an empty one when nothing was remembered."""
        return cls(*json.loads(text)) if text else cls()


@dataclass(frozen=True, slots=True)
class WebPage:
    """What an address gave: the bytes, a file name that says what they are, where redirects led, and its version."""

    data: bytes
    name: str
    url: str
    modified: datetime | None
    etag: str = ""
    last_modified: str = ""


def is_url(text: str) -> bool:
    """Tell a web address from a path."""
    return text.lower().startswith(WEB_SCHEMES)


def fetch(url: str, config: WebConfig, *, known: WebState | None = None) -> WebPage | None:
    """Get what is at an address; None when the server says that it is still what `known` describes.

    SourceError, which starts with the address, when it can't be had, is too large or of a kind that isn't read.
    """
    headers = {"User-Agent": config.user_agent, "Accept-Encoding": "gzip"}
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    if known is not None and known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    try:
        with build_opener().open(Request(_ascii(url), headers=headers), timeout=config.timeout_seconds) as response:
            return _page(url, response, _body(url, response, config))
    except HTTPError as error:
        error.close()
        if error.code == 304:
            return None
        raise SourceError(
            f"{url} answered {error.code} {error.reason}; check the address, or that it needs no login."
        ) from error
    except TimeoutError as error:
        raise _late(url, config) from error
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _late(url, config) from error
        what = "no such host, or no network" if isinstance(error.reason, socket.gaierror) else str(error.reason)
        raise SourceError(f"{url} can't be reached ({what}); check the address and the network.") from error
    except (HTTPException, OSError, ValueError) as error:
        detail = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(f"{url} can't be fetched ({detail}); check the address and try again.") from error


def _ascii(url: str) -> str:
    """Give the address as it travels: other scripts' hosts in IDNA, everything else beyond ASCII in percent signs."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode("ascii")
    if not host:
        raise ValueError("it names no host")
    at = f"{host}:{parts.port}" if parts.port else f"[{host}]" if ":" in host else host
    safe = "/%:=&?~#+!$,;'@()*[]"
    return urlunsplit((parts.scheme, at, quote(parts.path, safe), quote(parts.query, safe), ""))


def _body(url: str, response: HTTPResponse, config: WebConfig) -> bytes:
    """Read piece by piece, so that neither an endless answer nor a trickle goes on for long."""
    started, parts, size = time.monotonic(), [], 0
    while part := response.read1(1 << 16):
        size += len(part)
        if size > config.max_bytes:
            raise SourceError(
                f"{url} is more than {config.max_bytes // 2**20} MiB; save what matters of it and add that."
            )
        if time.monotonic() - started > 10 * config.timeout_seconds:
            raise _late(url, config)
        parts.append(part)
    stated = response.headers.get("Content-Length", "")
    if stated.isdigit() and size < int(stated):
        raise SourceError(f"{url} broke off after {size:,} of {int(stated):,} bytes; try again.")
    data = b"".join(parts)
    if response.headers.get("Content-Encoding", "").lower() == "gzip" and data:
        data = decompressed(data, url)
    if not data:
        raise SourceError(f"{url} answered with nothing; check the address.")
    return data


def _late(url: str, config: WebConfig) -> SourceError:
    return SourceError(f"{url} took more than {config.timeout_seconds:g} s to answer; try again later.")


def _page(url: str, response: HTTPResponse, data: bytes) -> WebPage:
    headers = response.headers
    content_type = headers.get_content_type() if headers.get("Content-Type") else ""
    final = response.geturl()
    name, suffix = _name(final, content_type)
    if suffix is None:
        raise SourceError(f"{url} is of a type that isn't read ({content_type}); add its text or a PDF of it.")
    charset = _CHARSET.search(headers.get("Content-Type", ""))
    if charset and FORMATS[source_suffix(Path(name))] in ("html", "text", "markdown", "csv"):
        data = _as_utf8(data, charset.group(1))
    last_modified = headers.get("Last-Modified", "")
    return WebPage(data, name, final, _moment(last_modified), headers.get("ETag", ""), last_modified)


def _name(url: str, content_type: str) -> tuple[str, str | None]:
    """Give a file name for the bytes, and its suffix; the content type decides where it says something."""
    parts = urlsplit(url)
    path = PurePosixPath(unquote(parts.path))
    own = source_suffix(Path(path.name))
    readable = own in FORMATS and not is_archive(Path(path.name))
    suffix = _TYPES.get(content_type)
    if content_type in _SAYS_LITTLE and readable:
        suffix = own
    elif not content_type:
        suffix = suffix or ".html"
    elif suffix is None and content_type.startswith("text/"):
        suffix = own if readable else ".txt"
    stem = path.stem if readable else path.name
    return f"{stem or parts.hostname}{suffix or ''}", suffix


def _as_utf8(data: bytes, charset: str) -> bytes:
    """What the server says about the encoding counts, where the bytes agree."""
    try:
        return data.decode(charset).encode("utf-8")
    except (LookupError, UnicodeError):
        return data


def _moment(http_date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(http_date).astimezone(UTC) if http_date else None
    except ValueError:
        return None
