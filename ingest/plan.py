"""Sources found and documents known in, what an ingest will do out. Reads nothing but content hashes.

A file that is new under its name, while one with the same content is gone, was moved or renamed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ingest.catalog_rows import DocumentInfo
from ingest.discover import Failure
from ingest.document import Document
from ingest.errors import SourceError


@dataclass(frozen=True, slots=True)
class Input:
    """A source to take in: its name, a way to its content hash that is cheaper than loading, and the loading."""

    source: str
    content_hash: Callable[[], str]
    load: Callable[[], Document]


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """A document whose file has another place or name now."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What an ingest would do to each source, and what it would leave out. Loading may still fail."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    moved: tuple[Move, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: tuple[Failure, ...]
    skipped: tuple[Failure, ...]
    ignored: tuple[Failure, ...]


def find_moves(
    inputs: Iterable[Input], known: Mapping[str, DocumentInfo], gone: Collection[str]
) -> dict[str, DocumentInfo]:
    """Give the document that each moved source was, by its new name. Each old one is taken once.

    Of several with the same content one with the same file name is preferred, then the first by name.
    """
    waiting: dict[str, list[DocumentInfo]] = {}
    for source in sorted(gone):
        waiting.setdefault(known[source].content_hash, []).append(known[source])
    moves: dict[str, DocumentInfo] = {}
    for entry in inputs:
        if not waiting:
            break
        if entry.source in known:
            continue
        try:
            content_hash = entry.content_hash()
        except SourceError:  # said again, and reported, when it is loaded
            continue
        if candidates := waiting.get(content_hash):
            chosen = min(candidates, key=lambda info: (_name(info.source) != _name(entry.source), info.source))
            candidates.remove(chosen)
            if not candidates:
                del waiting[content_hash]
            moves[entry.source] = chosen
    return moves


def plan_ingest(
    inputs: Sequence[Input],
    known: Mapping[str, DocumentInfo],
    gone: Sequence[str],
    is_current: Callable[[DocumentInfo, Input], bool],
    *,
    failed: Sequence[Failure],
    skipped: Sequence[Failure],
    ignored: Sequence[Failure],
) -> Plan:
    """Say what an ingest of `inputs` would do, changing nothing."""
    moves = find_moves(inputs, known, gone)
    added: list[str] = []
    updated: list[str] = []
    unchanged: list[str] = []
    failures = list(failed)
    for entry in inputs:
        info = known.get(entry.source)
        try:
            if info is None:
                entry.content_hash()  # that it can be read at all
                if entry.source not in moves:
                    added.append(entry.source)
            else:
                (unchanged if is_current(info, entry) else updated).append(entry.source)
        except SourceError as error:
            failures.append(Failure(entry.source, str(error)))
    moved = tuple(Move(info.source, new) for new, info in sorted(moves.items()))
    left = {move.old for move in moved}
    removed = tuple(source for source in gone if source not in left)
    kinds = (tuple(added), tuple(updated), moved, removed, tuple(unchanged))
    return Plan(*kinds, failed=tuple(failures), skipped=tuple(skipped), ignored=tuple(ignored))


def _name(source: str) -> str:
    return PurePosixPath(source).name
