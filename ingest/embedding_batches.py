"""Batches in, their vectors out in the same order, several asked for at a time. Knows nothing of servers."""

import queue
import threading
from collections.abc import Callable, Sequence

from ingest.embedder import Vectors

Embed = Callable[[Sequence[str], threading.Event], Vectors]


def embed_batches(embed: Embed, batches: Sequence[Sequence[str]], at_once: int) -> list[Vectors]:
    """Give the vectors of each batch, asking for at most `at_once` batches at a time.

    `embed` gets an event that is set when nobody wants the rest any more: another batch failed, whose error is raised,
    or Ctrl-C, which doesn't wait for what is under way.
    """
    stopped = threading.Event()
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Vectors | BaseException]] = queue.SimpleQueue()
    for number in range(len(batches)):
        waiting.put(number)

    def work() -> None:
        while not stopped.is_set():
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((number, embed(batches[number], stopped)))
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that asked
                done.put((number, error))
                return

    # Daemons: a program that ends doesn't wait for a silent server.
    for _ in range(min(at_once, len(batches))):
        threading.Thread(target=work, name="footnote-embedding", daemon=True).start()
    vectors: dict[int, Vectors] = {}
    try:
        while len(vectors) < len(batches):
            number, result = done.get()
            if isinstance(result, BaseException):
                raise result
            vectors[number] = result
    finally:
        stopped.set()
    return [vectors[number] for number in range(len(batches))]
