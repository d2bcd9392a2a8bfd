"""Mailbox bytes in, a draft out: each message under its subject, with what is attached.

Not through LlamaIndex's reader: it drops a message that it fails on, and gives a message that holds only HTML the
words of the message before it.
"""

import mailbox
import tempfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter
from ingest.load_formats import ReadPart
from ingest.load_mail import read_mail, write_mail
from ingest.unread_parts import UnreadPart, with_unread_parts


def load_mbox(data: bytes, name: str, read_part: ReadPart) -> Draft:
    """Give the messages in the order of the file; SourceError when there are none."""
    writer = DraftWriter()
    n_messages = n_without_text = 0
    unread: list[UnreadPart] = []
    for message in _messages(data):
        mail = read_mail(message)
        n_messages += 1
        n_without_text += mail.body is None
        unread += write_mail(mail, writer, read_part)
    if not n_messages:
        raise SourceError(f'{name} is no mailbox: no line in it begins with "From "; export it as mbox and add that.')
    metadata = {"messages": str(n_messages)}
    if n_without_text:
        metadata["messages_without_text"] = str(n_without_text)
    return writer.finish(metadata=with_unread_parts(metadata, unread))


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
