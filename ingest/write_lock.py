"""The right to write a folder, held by one process at a time, and who has it. Knows nothing of what is written.

The lock is the operating system's and ends with its process, so that a killed one is no obstacle. Who holds it stands
beside it in `write.holder`, for messages alone.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ingest.errors import BusyError, StorageError


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that writes, on which machine, and since when (local time)."""

    pid: int
    host: str
    since: datetime

    def __str__(self) -> str:
        where = "" if self.host == socket.gethostname() else f" on {self.host}"
        return f"process {self.pid}{where} since {self.since:%Y-%m-%d %H:%M:%S}"


class WriteLock:
    """The lock of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "write.lock")
        self._holder_path = folder / "write.holder"

    @contextmanager
    def acquire(self, *, timeout_seconds: float, on_wait: Callable[[str], None] = lambda who: None) -> Iterator[None]:
        """Hold the right to write. `on_wait` is told who has it when that is another process.

        Raises BusyError when the other keeps it longer than the timeout, StorageError where no lock can be made.
        """
        try:
            with self._first_or_later(timeout_seconds, on_wait):
                self._note_holder()
                try:
                    yield
                finally:
                    if self._lock.lock_counter == 1:  # the outermost hold of this process
                        self._holder_path.unlink(missing_ok=True)
        except Timeout as error:
            raise BusyError(
                f"knowledge base {self._folder.name} is being written by {self._who()}, waited {timeout_seconds:g} s;"
                f" try again when it has finished"
            ) from error

    def holder(self) -> Holder | None:
        """Give who wrote last; None when that process let go in order."""
        try:
            noted = json.loads(self._holder_path.read_text())
            return Holder(
                int(noted["pid"]), str(noted["host"]), datetime.fromtimestamp(self._holder_path.stat().st_mtime)
            )
        except (OSError, ValueError, KeyError, TypeError):  # just let go, or a full disk cut the note short
            return None

    @contextmanager
    def _first_or_later(self, timeout_seconds: float, on_wait: Callable[[str], None]) -> Iterator[None]:
        try:
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                if timeout_seconds <= 0:
                    raise
                on_wait(self._who())
                self._lock.acquire(timeout=timeout_seconds)
        except OSError as error:
            if isinstance(error, Timeout):
                raise
            raise StorageError(
                f"{self._folder} can't be written to ({error.strerror or error}): it can be searched, but nothing can"
                f" be added or removed; make it writable, or copy it to a place that is"
            ) from error
        try:
            yield
        finally:
            self._lock.release()

    def _note_holder(self) -> None:
        if self._lock.lock_counter > 1:  # held by this process already: the note is there
            return
        try:
            self._holder_path.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        except OSError:
            # A full disk: what is at stake is a name in a message, and a delete may be what makes room.
            self._holder_path.unlink(missing_ok=True)

    def _who(self) -> str:
        return str(self.holder() or "another process")
