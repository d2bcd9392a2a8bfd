"""A process that reads files for an ingest: a JSON line in, `[path, source, config]`, one out, the document or why not.

What a file does to this process, ending it included, happens to that file alone. `python -m ingest.parse_worker`
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ingest.catalog_rows import document_row, places_row
from ingest.document import Document
from ingest.errors import SourceError, UnheardError, WordlessError
from ingest.load import load_document
from ingest.load_config import LoadConfig

Load = Callable[[Path, str, LoadConfig], Document]


def load(path: Path, source: str, config: LoadConfig) -> Document:
    """Read a file."""
    return load_document(path, source=source, config=config)


def serve(load: Load) -> None:
    """Answer until the other side closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that ingests; it ends this one
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever a library prints must not get between the answers
        for line in sys.stdin.buffer:
            path, source, config = json.loads(line)
            answers.write(_answer(Path(path), source, LoadConfig(**config), load))
            answers.flush()


def _answer(path: Path, source: str, config: LoadConfig, load: Load) -> bytes:
    try:
        document = load(path, source, config)
        answer: dict[str, object] = {"document": document_row(document, ""), "places": places_row(document)[1:]}
    except WordlessError as error:
        answer = {"wordless": str(error)}
    except UnheardError as error:
        answer = {"unheard": str(error)}
    except SourceError as error:
        answer = {"refused": str(error)}
    except OSError as error:
        answer = {"unreadable": [error.errno, error.strerror]}
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


if __name__ == "__main__":
    serve(load)
