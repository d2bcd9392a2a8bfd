"""An Outlook message (MSG) in, a draft out. Reads the properties of [MS-OXMSG] from their streams by olefile.

A property stream is named `__substg1.0_` + four hex digits of the property + four of its type; numbers stand in
`__properties_version1.0`, in entries of 16 bytes after a head of 32 (24 in a message inside a message).
"""

import io
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import olefile

from ingest.encoding import decode_bytes
from ingest.errors import SourceError
from ingest.load_draft import Draft, brief, one_line
from ingest.load_formats import ReadPart
from ingest.load_html import load_html
from ingest.load_mail import Attachment, Mail, mail_draft, plain_draft
from ingest.rtf_compression import decompress_rtf
from ingest.unread_parts import unread_parts

_SUBJECT, _BODY, _HTML, _RTF = "0037", "1000", "1013", "1009"
_SENDER_NAME, _SENDER_MAIL, _SENDER_SMTP = "0C1A", "0C1F", "5D01"
_TO, _CC = "0E04", "0E03"
_SENT, _DELIVERED, _CODE_PAGE, _BODY_CODE_PAGE = 0x0039, 0x0E06, 0x3FFD, 0x3FDE
_FILE_NAME, _LONG_FILE_NAME, _DATA = "3704", "3707", "3701"
_UNICODE, _ANSI, _BINARY, _OBJECT = "001F", "001E", "0102", "000D"
_TIME, _INTEGER = 0x0040, 0x0003
_MAX_DEPTH = 4
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_DAMAGED = (
    OSError,
    struct.error,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)


def load_msg(data: bytes, name: str, read_part: ReadPart) -> Draft:
    """Give the message with what is attached to it; SourceError when the file is damaged."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            mail = _Storage(container, ()).mail(read_part, 0)
    except _DAMAGED as error:
        raise SourceError(
            f"{name} is a damaged Outlook message ({brief(error)}); save it again from Outlook and add that."
        ) from error
    if not (mail.subject or mail.headers or mail.body):
        raise SourceError(f"{name} holds no message; save it again from Outlook and add that.")
    return mail_draft(mail, read_part)


class _Storage:
    """A folder inside the container that holds a message or an attachment."""

    def __init__(self, container: olefile.OleFileIO, path: tuple[str, ...]) -> None:
        self._container = container
        self._path = path
        self._streams = {
            entry[len(path)].upper(): entry
            for entry in container.listdir(streams=True, storages=False)
            if len(entry) == len(path) + 1 and tuple(entry[: len(path)]) == path
        }
        self._folders = sorted(
            {
                entry[len(path)]
                for entry in container.listdir(streams=False, storages=True)
                if len(entry) == len(path) + 1 and tuple(entry[: len(path)]) == path
            }
        )
        self._numbers = self._fixed_properties()

    def mail(self, read_part: ReadPart, depth: int) -> Mail:
        moment = self.time(_SENT) or self.time(_DELIVERED)
        address = self.text(_SENDER_SMTP) or self.text(_SENDER_MAIL)
        sender = self.text(_SENDER_NAME)
        if "@" in address and address != sender:
            sender = f"{sender} <{address}>".strip()
        date = moment.strftime("%Y-%m-%d %H:%M UTC") if moment is not None else ""
        headers = (("From", sender), ("To", self.text(_TO)), ("Cc", self.text(_CC)), ("Date", date))
        stated = [(key, one_line(value)) for key, value in headers if value]
        return Mail(one_line(self.text(_SUBJECT)), stated, self._body(), list(self._attachments(read_part, depth)))

    def text(self, number: str) -> str:
        if (raw := self._stream(number, _UNICODE)) is not None:
            return raw.decode("utf-16-le", "replace").rstrip("\x00")
        raw = self._stream(number, _ANSI)
        return self._decoded(raw).rstrip("\x00") if raw is not None else ""

    def time(self, number: int) -> datetime | None:
        ticks = self._numbers.get((number, _TIME))
        return _EPOCH + timedelta(microseconds=ticks // 10) if ticks else None

    def _body(self) -> Draft | None:
        if (plain := self.text(_BODY)).strip():
            return plain_draft(plain)
        html = self._stream(_HTML, _BINARY)
        markup = self._decoded(html) if html is not None else self.text(_HTML)
        if markup.strip():
            return load_html(markup)
        packed = self._stream(_RTF, _BINARY)
        return decompress_rtf_draft(packed) if packed is not None else None

    def _attachments(self, read_part: ReadPart, depth: int) -> Iterator[Attachment]:
        for folder in self._folders:
            if folder.lower().startswith("__attach_version1.0_"):
                try:
                    yield from self._attachment(folder, read_part, depth)
                except _DAMAGED as error:
                    name = f"attachment {folder.rpartition('#')[2]}"
                    yield Attachment(name, b"", f"{name} is damaged ({brief(error)}); ask for it again.")

    def _attachment(self, folder: str, read_part: ReadPart, depth: int) -> Iterator[Attachment]:
        held = _Storage(self._container, (*self._path, folder))
        name = one_line(held.text(_LONG_FILE_NAME) or held.text(_FILE_NAME) or held.text("3001")) or "unnamed"
        data = held._stream(_DATA, _BINARY)
        if data is not None:
            yield Attachment(name.replace("/", "_").replace("\\", "_"), data)
        elif any(inner.upper() == f"__SUBSTG1.0_{_DATA}{_OBJECT}" for inner in held._folders):
            yield _message_inside(_Storage(self._container, (*held._path, held._folders[0])), name, read_part, depth)

    def _stream(self, number: str, kind: str) -> bytes | None:
        path = self._streams.get(f"__SUBSTG1.0_{number}{kind}")
        if path is None:
            return None
        data: bytes = self._container.openstream(path).read()
        return data

    def _decoded(self, raw: bytes) -> str:
        page = self._numbers.get((_BODY_CODE_PAGE, _INTEGER)) or self._numbers.get((_CODE_PAGE, _INTEGER))
        try:
            return raw.decode("utf-8" if page == 65001 else f"cp{page}") if page else raw.decode("utf-8")
        except (LookupError, UnicodeError):
            decoded = decode_bytes(raw)
            return decoded.text if decoded is not None else ""

    def _fixed_properties(self) -> dict[tuple[int, int], int]:
        path = self._streams.get("__PROPERTIES_VERSION1.0")
        if path is None:
            return {}
        raw = self._container.openstream(path).read()
        attachment = bool(self._path) and self._path[-1].lower().startswith("__attach")
        head = 32 if not self._path else 8 if attachment else 24
        numbers = {}
        for start in range(head, len(raw) - 15, 16):
            kind, number, _, value = struct.unpack_from("<HHIQ", raw, start)
            numbers[number, kind] = value if kind == _TIME else value & 0xFFFFFFFF
        return numbers


def _message_inside(storage: _Storage, name: str, read_part: ReadPart, depth: int) -> Attachment:
    """Give a forwarded message as the plain text of a message, which reads like any attachment."""
    if depth >= _MAX_DEPTH:
        return Attachment(
            name, b"", f"{name} lies more than {_MAX_DEPTH} messages deep; save it on its own and add that."
        )
    mail = storage.mail(read_part, depth + 1)
    draft = mail_draft(mail, read_part)
    return Attachment(f"{name}.txt", draft.text.encode(), unread=unread_parts(draft.metadata))


def decompress_rtf_draft(packed: bytes) -> Draft:
    """Give the words of a body that is kept as compressed RTF alone."""
    from striprtf.striprtf import rtf_to_text

    rtf = decompress_rtf(packed).decode("cp1252", "replace")
    return plain_draft(rtf_to_text(rtf, errors="ignore"))
