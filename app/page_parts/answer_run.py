"""An answer written in the background, so that the page can be redrawn and stopped while the model works.

Knows no Streamlit: the page looks at it as often as it likes.
"""

import threading
import time
from collections.abc import Callable, Iterator

from generation.answer import Answer
from ingest.errors import FootnoteError


class AnswerRun:
    """One question being answered. `text` grows; in the end there is an `answer`, an `error`, or it was stopped."""

    def __init__(
        self, pieces: Callable[[], Iterator[str | Answer]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.text = ""
        self.answer: Answer | None = None
        self.error = ""
        self.stopped = False
        self._clock = clock
        self._started = clock()
        self._finished = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._work, args=(pieces,), name="footnote-answer", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will come."""
        return self.stopped or self._finished.is_set()

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return self._clock() - self._started

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until nothing more will come, but no longer than the timeout; tell whether that is so."""
        return self._finished.wait(timeout_seconds) or self.stopped

    def stop(self) -> None:
        """Keep what was written and stop the model at its next piece."""
        with self._lock:
            if not self._finished.is_set():
                self.stopped = True

    def _work(self, pieces: Callable[[], Iterator[str | Answer]]) -> None:
        stream = pieces()
        try:
            for piece in stream:
                if not self._take(piece):
                    break
        except FootnoteError as error:
            self.error = str(error)
        finally:
            # A generator: closing it stops the model, on its server too.
            if close := getattr(stream, "close", None):
                close()
            with self._lock:
                self._finished.set()

    def _take(self, piece: str | Answer) -> bool:
        with self._lock:
            if self.stopped:
                return False
            if isinstance(piece, Answer):
                self.answer = piece
            else:
                self.text += piece
            return True
