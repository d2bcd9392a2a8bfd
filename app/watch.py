"""Folders that change in, a call after every change that came to rest out. Knows no knowledge base and no output.

The operating system's notices only wake it up; what changed is told by looking at the files, so that a lost notice or a
network drive that sends none is made good at the next look. A file is at rest when two looks find the same stamp.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from ingest.discover import find_sources
from ingest.file_hash import Stamp, stamp_of

Stamps = Mapping[Path, Stamp | None]
_READING = frozenset({"opened", "closed_no_write"})  # what our own look at a file causes


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """`settle_seconds` between two looks; a file that still changes after `patience_looks` of them holds up the others
    no longer. Without any notice there is a look every `rescan_seconds`.
    """

    settle_seconds: float = 1.0
    patience_looks: int = 30
    rescan_seconds: float = 30.0
    max_bytes: int | None = None


def follow(
    paths: Sequence[Path],
    sync: Callable[[frozenset[Path]], bool],
    config: WatchConfig,
    *,
    wait: Callable[[float], object] | None = None,
    on_note: Callable[[str], None] = lambda note: None,
) -> None:
    """Call `sync` now and after every change, until an exception ends it.

    `sync` is given the files that are still being written, and tells whether it could do its work; if not, it is
    called again at the next look. `wait(seconds)` waits that long at most and returns early on a notice. `on_note` is
    told when the system sends no notices, so that changes are seen only at the next look.
    """
    if wait is not None:
        _loop(paths, sync, config, wait)
        return
    notices = _Notices()
    observer = Observer()
    try:
        for folder, recursive in _watched(paths).items():
            observer.schedule(notices, str(folder), recursive=recursive)
        observer.start()
    except OSError as error:  # more folders than the system's limit of watches, or a file system that has none
        on_note(f"no notices of changes ({error}); looking every {config.rescan_seconds:g} s instead")
        _loop(paths, sync, config, notices.wait)
        return
    try:
        _loop(paths, sync, config, notices.wait)
    finally:
        observer.stop()
        observer.join()


def unsettled(before: Stamps, now: Stamps) -> frozenset[Path]:
    """Give the files that are new or differ since the look before."""
    return frozenset(path for path, stamp in now.items() if before.get(path) != stamp)


class _Notices(FileSystemEventHandler):
    """Turns notices of changes into one flag."""

    def __init__(self) -> None:
        self._came = threading.Event()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _READING:
            self._came.set()

    def wait(self, seconds: float) -> None:
        self._came.wait(seconds)
        self._came.clear()


def _loop(
    paths: Sequence[Path],
    sync: Callable[[frozenset[Path]], bool],
    config: WatchConfig,
    wait: Callable[[float], object],
) -> None:
    rest = threading.Event()  # never set: a wait that a signal can end
    done: Stamps | None = None
    while True:
        now = _look(paths, config)
        if now == done:
            wait(config.rescan_seconds)
            continue
        moving: frozenset[Path] = frozenset()
        for _ in range(config.patience_looks):
            rest.wait(config.settle_seconds)
            before, now = now, _look(paths, config)
            moving = unsettled(before, now)
            if before == now:
                break
        could = sync(moving)
        # A file left out as unfinished must be looked at again, whatever its stamp is then.
        done = {path: stamp for path, stamp in now.items() if path not in moving} if could else None
        if not could:
            wait(config.rescan_seconds)


def _look(paths: Sequence[Path], config: WatchConfig) -> Stamps:
    return {path: stamp_of(path) for path in find_sources(paths, max_bytes=config.max_bytes).files}


def _watched(paths: Sequence[Path]) -> dict[Path, bool]:
    """Give the folders to get notices of, and whether with all that is below: for a file the one it lies in."""
    watched: dict[Path, bool] = {}
    for path in paths:
        if path.is_dir():
            watched[path.absolute()] = True
        elif path.parent.is_dir():
            watched.setdefault(path.parent.absolute(), False)
    return watched
