"""Paths in, the files to read out, with a reason for every one that won't be. Knows nothing about what is in them."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.ignore import IGNORE_FILE, IgnoreRules, read_rules, reason_to_ignore
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
    supported; `ignored` are files and whole folders left out on purpose (a rule, a hidden name, what a
    tool put there, a size), unless named.
    `unlisted` are folders that couldn't be looked into: what was known below them may well still be there.
    """

    files: tuple[Path, ...]
    failures: tuple[Failure, ...]
    skipped: tuple[Failure, ...]
    ignored: tuple[Failure, ...] = ()
    unlisted: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was met on the way and isn't read, as it adds up."""

    failures: set[Failure] = field(default_factory=set)
    skipped: set[Failure] = field(default_factory=set)
    ignored: set[Failure] = field(default_factory=set)
    unlisted: set[Path] = field(default_factory=set)


def find_sources(paths: Sequence[Path], *, max_bytes: int | None = None) -> Found:
    """Give the files that these files and folders hold, in folders none above `max_bytes`.

    A file reached twice, by whatever name, comes once.
    """
    files: dict[str, Path] = {}
    seen = _Seen()
    for path in paths:
        for file in _walk(path.absolute(), seen, max_bytes):
            files.setdefault(os.path.realpath(file), file)
    chosen = tuple(sorted(files.values(), key=lambda file: file.as_posix()))
    ignored = tuple(sorted(seen.ignored))
    return Found(
        chosen, tuple(sorted(seen.failures)), tuple(sorted(seen.skipped)), ignored, tuple(sorted(seen.unlisted))
    )


def _walk(path: Path, seen: _Seen, max_bytes: int | None) -> Iterator[Path]:
    failures = seen.failures
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
        yield from _walk_folder(path, seen, max_bytes)
    elif not is_supported(path):
        failures.add(_unsupported(path))
    else:
        yield path


def _walk_folder(folder: Path, seen: _Seen, max_bytes: int | None) -> Iterator[Path]:
    failures = seen.failures
    n_failures, n_files, n_unsupported = len(failures), 0, 0
    for file in _files_below(folder, seen):
        if not is_supported(file):
            n_unsupported += 1
            seen.skipped.add(_unsupported(file))
        elif file.is_symlink() and not os.path.exists(file):  # noqa: PTH110 (unlike Path.exists, it never raises)
            failures.add(_failure(file, _DEAD_LINK))
        elif max_bytes is not None and (size := _size(file)) > max_bytes:
            seen.ignored.add(_failure(file, f"has {size:,} bytes, more than --max-bytes {max_bytes:,}"))
        else:
            n_files += 1
            yield file
    if not n_files and len(failures) == n_failures:
        what = "no documents in it"
        if n_unsupported:
            what += f", only {n_unsupported} of types that can't be read"
        failures.add(_failure(folder, f"has {what}; supported are {KINDS}."))


def _files_below(folder: Path, seen: _Seen) -> Iterator[Path]:
    """Walk in sorted order, through links to folders but never twice through one folder."""
    walked: set[str] = set()
    waiting: list[tuple[Path, tuple[IgnoreRules, ...]]] = [(folder, ())]
    while waiting:
        current, rules = waiting.pop()
        real = os.path.realpath(current)
        if real in walked:
            continue
        walked.add(real)
        listed = _listed(current, rules, seen)
        if listed is None:
            continue
        paths, rules = listed
        folders = []
        for path in paths:
            is_folder = os.path.isdir(path)  # noqa: PTH112 (unlike Path.is_dir, it never raises)
            if path.name == IGNORE_FILE:
                continue
            if reason := reason_to_ignore(path, rules, is_folder=is_folder):
                seen.ignored.add(_failure(path, reason))
            elif is_folder:
                folders.append((path, rules))
            else:
                yield path
        waiting.extend(reversed(folders))


def _listed(
    folder: Path, rules: tuple[IgnoreRules, ...], seen: _Seen
) -> tuple[list[Path], tuple[IgnoreRules, ...]] | None:
    """Give a folder's entries, sorted, and the rules that hold in it; None, and a failure, when they can't be had.

    A folder whose own rules can't be read is left alone whole: they may keep something private out.
    """
    try:
        with os.scandir(folder) as entries:
            paths = sorted(Path(entry.path) for entry in entries)
    except OSError as error:
        seen.failures.add(_failure(folder, f"can't be listed: {error.strerror or error}; allow your user to read it."))
        seen.unlisted.add(folder)
        return None
    try:
        own = read_rules(folder)
    except (OSError, ValueError) as error:
        reason = f"is left alone: its {IGNORE_FILE} can't be read ({error}); mend or remove that."
        seen.failures.add(_failure(folder, reason))
        seen.unlisted.add(folder)
        return None
    return paths, (*rules, own) if own else rules


def _size(path: Path) -> int:
    """Give a file's size, 0 when it has just gone: reading it will say so."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _unsupported(path: Path) -> Failure:
    return Failure(path.as_posix(), str(unsupported(path.name, source_suffix(path))))


def _failure(path: Path, reason: str) -> Failure:
    return Failure(path.as_posix(), f"{path.name or path} {reason}")
