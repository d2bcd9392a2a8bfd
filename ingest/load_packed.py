"""An archive attached to a message in, a draft out: each file inside it under its path."""

from pathlib import PurePosixPath

from ingest.archive import read_packed
from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter
from ingest.load_formats import ReadPart, is_supported, source_suffix, unsupported
from ingest.unread_parts import UnreadPart, unread_part, unread_parts, with_unread_parts


def load_packed(data: bytes, name: str, read_part: ReadPart) -> Draft:
    """Give the files that can be read; the others are named in the metadata. SourceError when none can."""
    writer = DraftWriter()
    n_read = 0
    unread: list[UnreadPart] = []
    for member in read_packed(data, name, lambda path: is_supported(PurePosixPath(path))):
        path = PurePosixPath(member.path)
        if member.problem:
            unread.append(UnreadPart(member.path, member.problem))
            continue
        try:
            if not is_supported(path):
                raise unsupported(path.name, source_suffix(path))
            draft = read_part(member.data, path.name)
        except SourceError as error:
            unread.append(unread_part(member.path, error))
            continue
        n_read += 1
        writer.add("heading", member.path, 1)
        writer.include(draft, deeper=1)
        unread += [part.inside(member.path) for part in unread_parts(draft.metadata)]
    if not n_read:
        reasons = " ".join(part.reason for part in unread)
        raise SourceError(f"{name} holds no documents that can be read; {reasons or 'it is empty.'}")
    return writer.finish(metadata=with_unread_parts({}, unread))
