"""Paths in; the files to read, their names, and which known sources are gone out. Reads no content."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ingest.archive import holders
from ingest.discover import Failure, Found, find_sources
from ingest.web import is_url


def found_sources(paths: Sequence[Path], *, max_bytes: int | None, unfinished: Collection[Path] = ()) -> Found:
    """Give the files that paths lead to; those in `unfinished` are still being written and only named as skipped."""
    found = find_sources(paths, max_bytes=max_bytes)
    if not unfinished:
        return found
    waiting = tuple(
        Failure(path.as_posix(), f"{path.name} is still being written; it is taken in once it rests")
        for path in found.files
        if path in unfinished
    )
    return replace(
        found, files=tuple(path for path in found.files if path not in unfinished), skipped=(*found.skipped, *waiting)
    )


def gone_sources(found: Found, paths: Sequence[Path], base: Path | None, known: Iterable[str]) -> list[str]:
    """Give the known sources below the named folders that are there no more.

    A file that is there but can't be read now, or lies in a folder that can't be listed now, keeps its last good
    version, and is reported. What lies in an archive that is there is left to reading it, and web pages lie nowhere.
    """
    present = {source_name(path, base) for path in found.files}
    present |= {source_name(Path(failure.source), base) for failure in (*found.failures, *found.skipped)}
    folders = [source_name(path, base) for path in paths if path.is_dir()]
    unlisted = [source_name(path, base) for path in found.unlisted]
    return [
        source
        for source in known
        if present.isdisjoint((source, *holders(source)))
        and not is_url(source)
        and any(_is_below(source, folder) for folder in folders)
        and not any(_is_below(source, folder) for folder in unlisted)
    ]


def source_name(path: Path, base: Path | None) -> str:
    """Name a path: absolute, or relative to `base` where it lies below it."""
    absolute = path.absolute()
    if base is not None and absolute.is_relative_to(base.absolute()):
        return absolute.relative_to(base.absolute()).as_posix()
    return absolute.as_posix()


def _is_below(source: str, folder: str) -> bool:
    return folder == "." or source.startswith(folder.rstrip("/") + "/")
