"""A reading process that some files end, as a hostile file may end a parser, and that others hold for ever."""

import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import ingest.load
from ingest.document import Document
from ingest.load_config import LoadConfig
from ingest.load_draft import Draft
from ingest.parse_worker import serve
from ingest.raw_file import RawFile, read_raw
from ingest.step import OnStep, Step


def load_or_die(raw: RawFile, config: LoadConfig, on_step: OnStep) -> Document:
    """Read a file, unless its name says how to end, or not to end, instead."""
    stem = raw.name.partition(".")[0]
    if stem == "killer":
        os.kill(os.getpid(), signal.SIGKILL)
    if stem == "exit":
        os._exit(3)
    if stem == "noise":
        os.write(1, b"a library says something\n")
    if stem == "slow":
        on_step(Step("page", 12, 300))
    if stem == "littering":
        Path(tempfile.gettempdir(), "litter").touch()
    if stem == "steady":
        for number in range(6):
            time.sleep(0.3)
            on_step(Step("page", number))
    if stem == "poison":
        threading.Timer(0.2, os._exit, (4,)).start()
    if stem == "b":
        time.sleep(0.4)
    while stem in ("slow", "hanging", "littering"):
        time.sleep(60)
    return read_raw(raw, config, on_step)


_load_decoded = ingest.load.load_decoded


def load_decoded_or_die(file_format: str, text: str, name: str) -> Draft:
    """Read a text, of an attachment too, unless its name says not to."""
    if name == "killer.html":
        os.kill(os.getpid(), signal.SIGKILL)
    while name == "hanging.html":
        time.sleep(60)
    return _load_decoded(file_format, text, name)


if __name__ == "__main__":
    ingest.load.load_decoded = load_decoded_or_die
    serve(load_or_die)
