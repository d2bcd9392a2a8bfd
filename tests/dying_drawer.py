"""A process that draws pages and that some pages end, as a hostile page may end pdfium."""

import os
import signal

from ingest.draw_worker import serve
from ingest.page_drawing import PageImage, PageToDraw, draw_page


def draw_or_die(page: PageToDraw) -> PageImage:
    """Draw a page, unless it is the second one."""
    if page.number == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    return draw_page(page)


if __name__ == "__main__":
    serve(draw_or_die)
