"""A document, a page and spans in, a picture of the page with the spans marked out. Knows nothing of the UI.

Pages are drawn by a process beside this one (`ingest/draw_worker.py`), which is kept for the next page: a PDF that
crashes pdfium, or keeps it for ever, takes neither a page nor a server along.
"""

import atexit
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.catalog_rows import read_pages_json
from ingest.deadline import Deadline
from ingest.document import Document, Span
from ingest.errors import SourceError
from ingest.page_drawing import PageImage, PageToDraw
from ingest.web import is_url
from ingest.worker_process import EndedError, WorkerProcess, how_ended

__all__ = ["PageImage", "has_page_images", "page_image"]

_MODULE = "ingest.draw_worker"
_DRAW_SECONDS = 60.0  # a page takes a tenth of one, a picture of 178 million pixels ten
_START_SECONDS = 60.0


def has_page_images(document: Document) -> bool:
    """Tell whether the document's pages can be drawn: a PDF's and a picture's can, a slide's or a sheet's can't."""
    return bool(document.pages) and document.metadata.get("format", "pdf") in ("pdf", "image")


def page_image(document: Document, page: int, spans: Sequence[Span], *, scale: float = 1.5) -> PageImage:
    """Draw page number `page` (from 1) at `scale` times 72 dpi, with the words of `spans` that stand on it marked.

    SourceError when the document has no pages to draw, its file is gone or has changed since it was read, or drawing
    the page ends the process that draws it or takes too long.
    """
    name = Path(document.source).name
    if not has_page_images(document):
        raise SourceError(f"{name} has no pages to draw; only PDFs and pictures have.")
    if not 1 <= page <= len(document.pages):
        raise ValueError(f"{name} has pages 1..{len(document.pages)}, got {page}")
    return _DRAWER.draw(_page_to_draw(document, page, spans, scale))


def _page_to_draw(document: Document, number: int, spans: Sequence[Span], scale: float) -> PageToDraw:
    held = document.pages[number - 1].span
    clipped = [(max(span.start, held.start), min(span.end, held.end)) for span in spans]
    return PageToDraw(
        source=document.source if is_url(document.source) else str(Path(document.source).absolute()),
        content_hash=document.content_hash,
        number=number,
        is_picture=document.metadata.get("format") == "image",
        scale=scale,
        text=held.of(document.text),
        spans=[Span(start - held.start, end - held.start) for start, end in clipped if start < end],
        read=next((read for read in document.read_pages if read.number == number), None),
    )


class _Drawer:
    """The process that draws, started with the first page. Threads wait for each other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: WorkerProcess | None = None
        self._owner = 0

    def draw(self, page: PageToDraw) -> PageImage:
        """Have a page drawn; in a new process if what an earlier page did may have ended the one that is there."""
        with self._lock:
            while True:
                worker = self._there()
                deadline = Deadline(worker.process, _START_SECONDS)
                try:
                    with deadline:
                        return _asked(worker, page, deadline)
                except EndedError as ended:
                    self.close()
                    if deadline.has_passed:
                        raise SourceError(_late(page)) from ended
                    if not worker.n_done:
                        raise SourceError(_ended(page, worker.process.returncode)) from ended
                except SourceError:
                    raise
                except BaseException:  # asked and not answered: the next page must not get this one's picture
                    self.close()
                    raise

    def close(self) -> None:
        """End the process."""
        if self._worker is not None and self._owner == os.getpid():
            self._worker.process.kill()
            self._worker.reap()
        self._worker = None

    def _there(self) -> WorkerProcess:
        if self._worker is not None and (self._owner != os.getpid() or self._worker.process.poll() is not None):
            self.close()
        if self._worker is None:
            self._worker, self._owner = WorkerProcess(_MODULE), os.getpid()
        return self._worker


def _asked(worker: WorkerProcess, page: PageToDraw, deadline: Deadline) -> PageImage:
    worker.ask(_question(page))
    worker.answer()  # it has begun
    deadline.restart(_DRAW_SECONDS)
    answer = worker.answer()
    png = worker.data(answer.get("n_bytes", 0))
    worker.n_done += 1
    if "refused" in answer:
        raise SourceError(answer["refused"])
    left_top_right_bottom = (tuple(map(float, box)) for box in answer["boxes"])
    return PageImage(png, answer["width"], answer["height"], tuple(left_top_right_bottom))  # type: ignore[arg-type]


def _question(page: PageToDraw) -> dict[str, Any]:  # JSON
    return {
        "source": page.source,
        "content_hash": page.content_hash,
        "number": page.number,
        "is_picture": page.is_picture,
        "scale": page.scale,
        "text": page.text,
        "spans": [[span.start, span.end] for span in page.spans],
        "read": read_pages_json([page.read] if page.read else []),
        "seconds": _DRAW_SECONDS,
    }


def _ended(page: PageToDraw, status: int) -> str:
    name, how = Path(page.source).name, how_ended(status)
    return (
        f"{name} ended the process that drew its page {page.number} ({how}); it is damaged or too large, save it anew"
        f" and add that."
    )


def _late(page: PageToDraw) -> str:
    name = Path(page.source).name
    return (
        f"{name} can't be shown: drawing its page {page.number} took longer than {_DRAW_SECONDS:.3g} s and was stopped;"
        f" it is damaged or slow to draw, open it in a PDF viewer."
    )


_DRAWER = _Drawer()
atexit.register(_DRAWER.close)
