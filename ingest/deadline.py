"""A process in, the same ended when it doesn't get on. Knows nothing about what it does."""

import subprocess
import threading
import time
from types import TracebackType


class Deadline:
    """Kills a process that isn't heard of for `seconds` once the deadline is entered; 0 waits for ever.

    `has_passed` tells afterwards whether it was killed.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        self.has_passed = False
        self._process = process
        self._seconds = seconds
        self._until = 0.0
        self._is_on = seconds > 0
        self._is_over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._watch, name="deadline", daemon=True)

    def __enter__(self) -> "Deadline":
        self.restart()
        if self._is_on:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()
        if self._is_on:
            self._thread.join()

    def restart(self, seconds: float | None = None) -> None:
        """Count anew, from now on up to other `seconds` if given: the process was heard of."""
        with self._changed:
            self._seconds = self._seconds if seconds is None else seconds
            self._until = time.monotonic() + self._seconds
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._is_over:
                left = self._until - time.monotonic()
                if left <= 0:
                    self.has_passed = True
                    self._process.kill()
                    return
                self._changed.wait(left)
