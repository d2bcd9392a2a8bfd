"""Sources found and documents known in, what an ingest will do out. Reads content hashes, and archives that changed.

A file that is new under its name, while one with the same content is gone, was moved or renamed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ingest.archive import is_inside
from ingest.bundle_state import BundleState
from ingest.catalog_rows import DocumentInfo
from ingest.discover import Failure
from ingest.errors import SourceError, UnheardError, UnseenError
from ingest.inputs import Bundle, Input, no_documents
from ingest.passed_over import PassedOver
from ingest.web import is_url


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """A document whose file has another place or name now."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What an ingest would do to each source, and what it would leave out. Loading may still fail.

    `pages` are web pages, which a plan doesn't fetch: only the ingest can tell whether they changed.
    """

    added: tuple[str, ...]
    updated: tuple[str, ...]
    moved: tuple[Move, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: tuple[Failure, ...]
    skipped: tuple[Failure, ...]
    ignored: tuple[Failure, ...]
    pages: tuple[str, ...] = ()


class Moves:
    """Finds which of the `gone` documents a new source is; each is found once. `found` is by the new name.

    Of several with the same content one with the same file name is preferred, then the first by name.
    """

    def __init__(self, known: Mapping[str, DocumentInfo], gone: Collection[str]) -> None:
        self.found: dict[str, DocumentInfo] = {}
        self._known = known
        self._waiting: dict[str, list[DocumentInfo]] = {}
        for source in sorted(gone):
            self._waiting.setdefault(known[source].content_hash, []).append(known[source])

    def look_for(self, entry: Input) -> None:
        """See whether a file, or one in an archive, is one that is gone elsewhere."""
        if not self._waiting or entry.source in self._known or is_url(entry.source):
            return
        try:
            content_hash = entry.content_hash()
        except SourceError:  # said again, and reported, when it is loaded
            return
        if candidates := self._waiting.get(content_hash):
            chosen = min(candidates, key=lambda info: (_name(info.source) != _name(entry.source), info.source))
            candidates.remove(chosen)
            self.found[entry.source] = chosen
            if not candidates:
                del self._waiting[content_hash]


def plan_ingest(
    inputs: Sequence[Input | Bundle],
    known: Mapping[str, DocumentInfo],
    gone: Sequence[str],
    *,
    is_whole: Callable[[DocumentInfo], bool],
    state_fits: Callable[[Bundle, Sequence[DocumentInfo]], BundleState | None],
    passed_over: Callable[[str, str], PassedOver | None],
    foreseen: Callable[[str], SourceError | None],
    named: Collection[str],
    pages: Sequence[str],
    failed: Sequence[Failure],
    skipped: Sequence[Failure],
    ignored: Sequence[Failure],
) -> Plan:
    """Say what an ingest of `inputs` would do, changing nothing.

    A known document that isn't `is_whole` is taken in anew, whatever its bytes. `state_fits` gives what was remembered
    of an archive that is unchanged, `passed_over` what is of a source with this content hash that gave no document;
    `foreseen` says by its name why a file can't be read. `named` were asked for one by one.
    """
    planning = _Planning(known, gone, is_whole, passed_over, foreseen, named, failed, skipped)
    for entry in inputs:
        if isinstance(entry, Input):
            planning.moves.look_for(entry)
    for entry in inputs:
        try:
            if isinstance(entry, Input):
                planning.plan(entry)
            else:
                planning.plan_bundle(entry, state_fits)
        except SourceError as error:
            planning.failed.append(Failure(entry.source, str(error)))
    return planning.result(gone, ignored, pages)


class _Planning:
    """A plan as it grows."""

    def __init__(
        self,
        known: Mapping[str, DocumentInfo],
        gone: Sequence[str],
        is_whole: Callable[[DocumentInfo], bool],
        passed_over: Callable[[str, str], PassedOver | None],
        foreseen: Callable[[str], SourceError | None],
        named: Collection[str],
        failed: Sequence[Failure],
        skipped: Sequence[Failure],
    ) -> None:
        self.moves = Moves(known, gone)
        self.failed = list(failed)
        self._skipped = list(skipped)
        self._known = known
        self._is_whole = is_whole
        self._passed_over = passed_over
        self._foreseen = foreseen
        self._named = named
        self._added: list[str] = []
        self._updated: list[str] = []
        self._unchanged: list[str] = []
        self._left: list[str] = []  # members that an archive holds no more

    def plan(self, entry: Input) -> None:
        content_hash = entry.content_hash()  # for a new one: that it can be read at all
        info = self._known.get(entry.source)
        passed = self._passed_over(entry.source, content_hash)
        if info is not None and self._is_whole(info) and content_hash == info.content_hash:
            self._unchanged.append(entry.source)
        elif passed is not None and (info is None or passed.was_late):
            (self.failed if passed.was_late else self._skipped).append(Failure(entry.source, passed.reason))
        elif error := self._foreseen(_name(entry.source)):
            is_asked_for = entry.source in self._named or info is not None
            is_passed_over = isinstance(error, UnheardError | UnseenError) and not is_asked_for
            (self._skipped if is_passed_over else self.failed).append(Failure(entry.source, str(error)))
            self.moves.found.pop(entry.source, None)  # it stays unread wherever it went
        elif info is not None:
            self._updated.append(entry.source)
        elif entry.source not in self.moves.found:
            self._added.append(entry.source)

    def plan_bundle(
        self, bundle: Bundle, state_fits: Callable[[Bundle, Sequence[DocumentInfo]], BundleState | None]
    ) -> None:
        inside = known_inside(bundle.source, self._known)
        if state := state_fits(bundle, inside):
            self._unchanged.extend(info.source for info in inside)
            self._skipped.extend(state.skipped)
            return
        found: set[str] = set()
        n_documents = 0
        for entry in bundle.members():
            found.add(entry.source)
            if isinstance(entry, Input):
                self.moves.look_for(entry)
                self.plan(entry)
            else:
                (self._skipped if entry.skipped else self.failed).append(entry.failure)
            n_documents += isinstance(entry, Input) or not entry.skipped
        if not n_documents:
            self.failed.append(no_documents(bundle.source))
        self._left.extend(info.source for info in inside if info.source not in found)

    def result(self, gone: Sequence[str], ignored: Sequence[Failure], pages: Sequence[str]) -> Plan:
        moved = tuple(Move(info.source, new) for new, info in sorted(self.moves.found.items()))
        left = {move.old for move in moved}
        removed = tuple(source for source in (*gone, *self._left) if source not in left)
        kinds = (tuple(self._added), tuple(self._updated), moved, removed, tuple(self._unchanged))
        return Plan(
            *kinds,
            failed=tuple(self.failed),
            skipped=tuple(self._skipped),
            ignored=tuple(ignored),
            pages=tuple(pages),
        )


def known_inside(archive: str, known: Mapping[str, DocumentInfo]) -> list[DocumentInfo]:
    """Give the known documents that came from inside an archive, by source."""
    return [known[source] for source in sorted(source for source in known if is_inside(source, archive))]


def _name(source: str) -> str:
    return PurePosixPath(source).name
