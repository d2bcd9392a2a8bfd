"""Mailbox bytes in, a draft out: each message under its subject, without attachments.

Not through LlamaIndex's reader: it drops a message that it fails on, and gives a message that holds only HTML the
words of the message before it.
"""

import mailbox
import tempfile
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from ingest.encoding import decode_bytes
from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter, one_line
from ingest.load_html import load_html

_HEADERS = ("From", "To", "Cc", "Date")


def load_mbox(data: bytes, name: str) -> Draft:
    """Give the messages in the order of the file; SourceError when there are none."""
    writer = DraftWriter()
    n_messages = n_unreadable = 0
    for message in _messages(data):
        n_messages += 1
        body = _body(message)
        n_unreadable += body is None
        writer.add("heading", _header(message, "Subject") or "(no subject)", 1)
        headers = [f"{header}: {value}" for header in _HEADERS if (value := _header(message, header))]
        writer.add("paragraph", "\n".join(headers))
        for paragraph in (body or "").replace("\r\n", "\n").split("\n\n"):
            writer.add("paragraph", paragraph)
    if not n_messages:
        raise SourceError(f'{name} is no mailbox: no line in it begins with "From "; export it as mbox and add that.')
    unreadable = {"messages_without_text": str(n_unreadable)} if n_unreadable else {}
    return writer.finish(metadata={"messages": str(n_messages), **unreadable})


def _messages(data: bytes) -> Iterator[EmailMessage]:
    with tempfile.TemporaryDirectory() as folder:  # the standard library reads mailboxes from files only
        path = Path(folder) / "box"
        path.write_bytes(data)
        box = mailbox.mbox(path, create=False)
        try:
            for key in box.iterkeys():
                yield message_from_bytes(box.get_bytes(key), EmailMessage, policy=default)
        finally:
            box.close()


def _header(message: EmailMessage, name: str) -> str:
    try:
        return one_line(str(message.get(name, "")))
    except (MessageError, ValueError, IndexError):  # a header that breaks the mail standard
        return ""


def _body(message: EmailMessage) -> str | None:
    """Give the message's text, plain rather than HTML; None when it has none."""
    part = message.get_body(("plain", "html"))
    payload = part.get_payload(decode=True) if part is not None else None
    if part is None or not isinstance(payload, bytes):
        return None
    try:
        text = payload.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        decoded = decode_bytes(payload)
        text = decoded.text if decoded is not None else ""
    return load_html(text).text if part.get_content_type() == "text/html" else text
