"""Paths in, the files to read out, with a reason for every one that won't be. Knows nothing about what is in them."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.load_formats import KINDS, is_supported, source_suffix, unsupported

_MISSING = "does not exist; check the path."
_DEAD_LINK = "is a link to something that is gone; mend or remove it."


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """A source that isn't read, and why. The reason starts with the source's name."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """What paths lead to, each tuple sorted and without repeats.

    `failures` are things asked for by name that can't be had; `skipped` are files met in a folder whose type isn't
    supported. Hidden files and folders, and those that tools fill (`node_modules`), are passed over without a word,
    unless named.
    """

    files: tuple[Path, ...]
    failures: tuple[Failure, ...]
    skipped: tuple[Failure, ...]


def find_sources(paths: Sequence[Path]) -> Found:
    """Give the files that these files and folders hold. A file reached twice, by whatever name, comes once."""
    files: dict[str, Path] = {}
    failures: set[Failure] = set()
    skipped: set[Failure] = set()
    for path in paths:
        for file in _walk(path.absolute(), failures, skipped):
            files.setdefault(os.path.realpath(file), file)
    chosen = tuple(sorted(files.values(), key=lambda file: file.as_posix()))
    return Found(chosen, tuple(sorted(failures)), tuple(sorted(skipped)))


def _walk(path: Path, failures: set[Failure], skipped: set[Failure]) -> Iterator[Path]:
    path = Path(os.path.normpath(path))
    try:
        is_folder = path.is_dir()
        exists = is_folder or path.exists()
    except OSError as error:
        failures.add(
            _failure(path, f"can't be reached: {error.strerror or error}; check the path and its permissions.")
        )
        return
    if not exists:
        failures.add(_failure(path, _DEAD_LINK if path.is_symlink() else _MISSING))
    elif is_folder:
        yield from _walk_folder(path, failures, skipped)
    elif not is_supported(path):
        failures.add(_unsupported(path))
    else:
        yield path


def _walk_folder(folder: Path, failures: set[Failure], skipped: set[Failure]) -> Iterator[Path]:
    n_failures, n_files, n_unsupported = len(failures), 0, 0
    for file in _files_below(folder, failures):
        if not is_supported(file):
            n_unsupported += 1
            skipped.add(_unsupported(file))
        elif file.is_symlink() and not os.path.exists(file):  # noqa: PTH110 (unlike Path.exists, it never raises)
            failures.add(_failure(file, _DEAD_LINK))
        else:
            n_files += 1
            yield file
    if not n_files and len(failures) == n_failures:
        what = "no documents in it"
        if n_unsupported:
            what += f", only {n_unsupported} of types that can't be read"
        failures.add(_failure(folder, f"has {what}; supported are {KINDS}."))


def _files_below(folder: Path, failures: set[Failure]) -> Iterator[Path]:
    """Walk in sorted order, through links to folders but never twice through one folder."""
    seen: set[str] = set()
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        real = os.path.realpath(current)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(current) as entries:
                names = sorted((entry for entry in entries if not _is_furniture(entry.name)), key=lambda e: e.name)
        except OSError as error:
            failures.add(_failure(current, f"can't be listed: {error.strerror or error}; allow your user to read it."))
            continue
        folders = []
        for entry in names:
            if os.path.isdir(entry.path):  # noqa: PTH112 (unlike Path.is_dir, it never raises)
                folders.append(Path(entry.path))
            else:
                yield Path(entry.path)
        waiting.extend(reversed(folders))


def _is_furniture(name: str) -> bool:
    return name.startswith(".") or name in ("node_modules", "__pycache__", "site-packages")


def _unsupported(path: Path) -> Failure:
    return Failure(path.as_posix(), str(unsupported(path.name, source_suffix(path))))


def _failure(path: Path, reason: str) -> Failure:
    return Failure(path.as_posix(), f"{path.name or path} {reason}")
