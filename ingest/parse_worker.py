"""A process that reads files for an ingest. In: a JSON line that describes a file, and the bytes of what is no file.
Out: a line once it begins, lines of how far it has come, then the document, or why not. `python -m ingest.parse_worker`

What a file does to this process, ending it included, happens to that file alone.
"""

import ctypes
import json
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from ingest.catalog_rows import document_row, places_row
from ingest.document import Document
from ingest.errors import SourceError, UnheardError, UnseenError, WordlessError
from ingest.load_config import LoadConfig
from ingest.raw_file import RawFile, read_raw
from ingest.step import OnStep, Step
from ingest.worker_process import answers, line

Load = Callable[[RawFile, LoadConfig, OnStep], Document]
_SECONDS_BETWEEN_STEPS = 0.2
_PR_SET_PDEATHSIG = 1  # of Linux's prctl


def serve(load: Load) -> None:
    """Answer until the other side closes."""
    if sys.platform == "linux":
        _end_with_parent()
    with answers() as said:
        for question in sys.stdin.buffer:
            asked = json.loads(question)
            raw = _raw_file(asked, sys.stdin.buffer)
            said.write(line({"begun": raw.name}))
            said.flush()
            said.writelines(_answer(raw, LoadConfig(**asked["config"]), load, _Steps(said).say))
            said.flush()


def _end_with_parent() -> None:
    """Have the system end this process with the one that ingests, and be the first to go when memory runs out."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with suppress(OSError):  # in a sandbox that doesn't have it
        Path("/proc/self/oom_score_adj").write_text("500")


def _raw_file(asked: Any, stream: IO[bytes]) -> RawFile:  # JSON
    path = Path(asked["path"]) if asked["path"] is not None else None
    modified = datetime.fromisoformat(asked["modified"]) if asked["modified"] else None
    bad_parts = tuple((key, reason) for key, reason in asked["bad_parts"])
    return RawFile(asked["name"], asked["source"], path, stream.read(asked["n_bytes"]), modified, bad_parts)


class _Steps:
    """Says how far a file is read, a few times a second at most, and of each attachment that it is begun."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers
        self._said = 0.0

    def say(self, step: Step) -> None:
        """Say it, unless it begins no attachment and something was said just now."""
        now = time.monotonic()
        if step.part is not None or now - self._said >= _SECONDS_BETWEEN_STEPS:
            self._said = now
            self._answers.write(line({"step": [step.unit, step.done, step.total, step.part]}))
            self._answers.flush()


def _answer(raw: RawFile, config: LoadConfig, load: Load, on_step: OnStep) -> list[bytes]:
    """Give the answer's line and, after a document's, its text: a long one isn't held as JSON too."""
    try:
        document = load(raw, config, on_step)
    except WordlessError as error:
        return [line({"wordless": str(error)})]
    except UnheardError as error:
        return [line({"unheard": str(error)})]
    except UnseenError as error:
        return [line({"unseen": str(error)})]
    except SourceError as error:
        return [line({"refused": str(error)})]
    except OSError as error:
        return [line({"unreadable": [error.errno, error.strerror]})]
    text = document.text.encode("utf-8", "surrogatepass")
    row = document_row(replace(document, text=""), "")
    return [line({"document": row, "places": places_row(document)[1:], "n_bytes": len(text)}), text]


if __name__ == "__main__":
    serve(read_raw)
