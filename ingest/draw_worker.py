"""A process that draws pages. In: a JSON line that says which. Out: a line once it begins, then a line that describes
the picture and its bytes, or why there is none. `python -m ingest.draw_worker`
"""

import json
import signal
import sys
from collections.abc import Callable
from typing import Any

from ingest.catalog_rows import read_pages_of
from ingest.document import Span
from ingest.errors import SourceError
from ingest.page_drawing import PageImage, PageToDraw, draw_page
from ingest.worker_process import answers, line

Draw = Callable[[PageToDraw], PageImage]


def serve(draw: Draw) -> None:
    """Answer until the other side closes."""
    with answers() as said:
        for question in sys.stdin.buffer:
            asked = json.loads(question)
            said.write(line({"begun": asked["number"]}))
            said.flush()
            # Whoever asks ends this process after as long; the clock ends it also when nobody is there any more.
            _set_clock(2 * asked["seconds"])
            said.writelines(_answer(_page(asked), draw))
            said.flush()
            _set_clock(0)


def _set_clock(seconds: float) -> None:
    if hasattr(signal, "setitimer"):  # Windows has none
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _page(asked: Any) -> PageToDraw:  # JSON
    return PageToDraw(
        source=asked["source"],
        content_hash=asked["content_hash"],
        number=asked["number"],
        is_picture=asked["is_picture"],
        scale=asked["scale"],
        text=asked["text"],
        spans=[Span(start, end) for start, end in asked["spans"]],
        read=next(iter(read_pages_of(asked["read"])), None),
    )


def _answer(page: PageToDraw, draw: Draw) -> list[bytes]:
    try:
        image = draw(page)
    except SourceError as error:
        return [line({"refused": str(error)})]
    shape = {"width": image.width, "height": image.height, "boxes": image.boxes}
    return [line({**shape, "n_bytes": len(image.png)}), image.png]


if __name__ == "__main__":
    serve(draw_page)
