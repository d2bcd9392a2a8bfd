"""An archive attached to a message in, a draft out: each file inside it under its path."""

from pathlib import PurePosixPath

from ingest.archive import read_packed
from ingest.errors import SourceError
from ingest.load_draft import Draft, DraftWriter
from ingest.load_formats import ReadPart, is_supported, source_suffix, unsupported


def load_packed(data: bytes, name: str, read_part: ReadPart) -> Draft:
    """Give the files that can be read; the others are named in the metadata. SourceError when none can."""
    writer = DraftWriter()
    n_read = 0
    unread: list[str] = []
    for member in read_packed(data, name, lambda path: is_supported(PurePosixPath(path))):
        path = PurePosixPath(member.path)
        problem = member.problem or ("" if is_supported(path) else str(unsupported(path.name, source_suffix(path))))
        if problem:
            unread.append(problem)
            continue
        try:
            draft = read_part(member.data, path.name)
        except SourceError as error:
            unread.append(str(error))
            continue
        n_read += 1
        writer.add("heading", member.path, 1)
        writer.include(draft, deeper=1)
    if not n_read:
        raise SourceError(f"{name} holds no documents that can be read; {' '.join(unread) or 'it is empty.'}")
    return writer.finish(metadata={"attachments_not_read": " ".join(unread)} if unread else {})
