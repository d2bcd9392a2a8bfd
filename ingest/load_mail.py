"""A mail message in, a draft out: subject, headers, text, and what is attached. Shared by EML and Outlook messages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime

from ingest.encoding import decode_bytes
from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter, one_line
from ingest.load_formats import ReadPart
from ingest.load_html import load_html
from ingest.unread_parts import UnreadPart, unread_part, unread_parts, with_unread_parts

_HEADERS = ("From", "To", "Cc", "Date")
_MAX_ATTACHMENTS = 200
_NO_SUBJECT = "(no subject)"
_BROKEN = (MessageError, ValueError, IndexError, KeyError, AttributeError, TypeError, LookupError)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is attached to a message; `name` says by its suffix how it is read, `problem` why it can't be. `unread` is
    what can't be inside one that was read already.
    """

    name: str
    data: bytes
    problem: str = ""
    unread: tuple[UnreadPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Mail:
    """A message. `headers` are those to show, in order; `body` is the draft of its text, None when it has none."""

    subject: str
    headers: Sequence[tuple[str, str]]
    body: Draft | None
    attachments: Sequence[Attachment]


def load_eml(data: bytes, name: str, read_part: ReadPart) -> Draft:
    """Give a message in Internet format (RFC 5322); SourceError when the file is no message."""
    mail = read_mail(message_from_bytes(data, EmailMessage, policy=default))
    if not mail.headers and not mail.subject:
        raise SourceError(
            f"{name} is no mail message: it has no sender, date or subject; export it again and add that."
        )
    return mail_draft(mail, read_part)


def read_mail(message: EmailMessage) -> Mail:
    """Give a parsed message's parts."""
    headers = [(key, value) for key in _HEADERS if (value := header(message, key))]
    return Mail(header(message, "Subject"), headers, body(message), list(_attachments(message)))


def mail_draft(mail: Mail, read_part: ReadPart) -> Draft:
    """Draw a message. An attachment that can't be read is named in the text and, with the reason, in the metadata."""
    writer = DraftWriter()
    unread = write_mail(mail, writer, read_part)
    stated = dict(mail.headers)
    metadata = {
        "author": stated.get("From", ""),
        "to": stated.get("To", ""),
        "date": _day(stated.get("Date", "")),
        "attachments": "; ".join(attachment.name for attachment in mail.attachments),
    }
    metadata = {key: value for key, value in metadata.items() if value}
    return writer.finish(title=mail.subject or _NO_SUBJECT, metadata=with_unread_parts(metadata, unread))


def write_mail(mail: Mail, writer: DraftWriter, read_part: ReadPart) -> list[UnreadPart]:
    """Append a message under its subject; give the attachments that weren't read."""
    writer.add("heading", mail.subject or _NO_SUBJECT, 1)
    writer.add("paragraph", "\n".join(f"{key}: {value}" for key, value in mail.headers))
    if mail.body is not None:
        writer.include(mail.body, deeper=1)
    unread = [
        UnreadPart(
            attachment.name, f"{attachment.name} is one of more than {_MAX_ATTACHMENTS} attachments, all that are read."
        )
        for attachment in mail.attachments[_MAX_ATTACHMENTS:]
    ]
    for attachment in mail.attachments[:_MAX_ATTACHMENTS]:
        name = attachment.name
        writer.add("heading", f"Attachment: {name}", 2)
        unread += [part.inside(name) for part in attachment.unread]
        if attachment.problem:
            unread.append(UnreadPart(name, attachment.problem))
            continue
        try:
            draft = read_part(attachment.data, name)
            writer.include(draft, deeper=2)
            unread += [part.inside(name) for part in unread_parts(draft.metadata)]
        except SourceError as error:
            unread.append(unread_part(name, error))
    return unread


def header(message: EmailMessage, name: str) -> str:
    """Give a header's words, "" when it is missing or breaks the mail standard."""
    try:
        return one_line(str(message.get(name, "")))
    except _BROKEN:
        return ""


def body(message: EmailMessage) -> Draft | None:
    """Give the message's text, plain rather than HTML, with quoted history; None when it has none."""
    try:
        part = message.get_body(("plain", "html"))
        payload = part.get_payload(decode=True) if part is not None else None
    except _BROKEN:
        return None
    if part is None or not isinstance(payload, bytes):
        return None
    text = _decoded(payload, part.get_content_charset())
    return load_html(text) if part.get_content_type() == "text/html" else plain_draft(text)


def plain_draft(text: str) -> Draft:
    """Give plain words paragraph by paragraph, as they stand."""
    writer = DraftWriter()
    for paragraph in text.replace("\r\n", "\n").split("\n\n"):
        writer.add("paragraph", paragraph)
    return writer.finish()


def _decoded(payload: bytes, charset: str | None) -> str:
    try:
        return payload.decode(charset or "utf-8")
    except (LookupError, ValueError):
        decoded = decode_bytes(payload)
        return decoded.text if decoded is not None else ""


def _attachments(message: EmailMessage) -> Iterator[Attachment]:
    """Give files, and messages that are forwarded whole; pictures that only decorate a page are left out."""
    try:
        parts = list(message.iter_attachments())
    except _BROKEN:
        return
    for number, part in enumerate(parts, 1):
        is_message = part.get_content_type() == "message/rfc822"
        name = _file_name(part) or (f"message {number}.eml" if is_message else "")
        if not name and part.get_content_maintype() == "text":
            name = f"part {number}{'.html' if part.get_content_subtype() == 'html' else '.txt'}"
        if not name or (part.get("Content-ID") and part.get_content_maintype() == "image"):
            continue
        if is_message and not name.lower().endswith(".eml"):
            name += ".eml"
        yield Attachment(name, _payload(part, is_message))


def _payload(part: EmailMessage, is_message: bool) -> bytes:
    try:
        if is_message:
            held = part.get_payload()
            inner = held[0] if isinstance(held, list) and held else None
            return inner.as_bytes() if isinstance(inner, EmailMessage) else b""
        payload = part.get_payload(decode=True)
    except _BROKEN:
        return b""
    return payload if isinstance(payload, bytes) else b""


def _file_name(part: EmailMessage) -> str:
    try:
        return one_line(part.get_filename() or "").replace("/", "_").replace("\\", "_")
    except _BROKEN:
        return ""


def _day(text: str) -> str:
    """Give a header's date as ISO."""
    try:
        return parsedate_to_datetime(text).date().isoformat()
    except (ValueError, IndexError, TypeError):
        return text[:10] if _is_iso(text[:10]) else ""


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return bool(text)
