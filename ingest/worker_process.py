"""A process that works beside this one, both ends of the talk with it: JSON lines and bytes. Knows nothing of the work.

It is started as a program of its own, so that it doesn't matter what this one is (a page, a script, a process with
threads), and what a hostile file makes of it can't reach this one.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any


class EndedError(Exception):
    """A process that is there no more."""


class WorkerProcess:
    """The end of one who asks; for one thread at a time."""

    def __init__(self, module: str, **environment: str) -> None:
        """Start `module` with more of an environment."""
        root = str(Path(__file__).resolve().parents[1])  # where this code is, installed or not
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],  # -P: no file of the folder that the user stands in is run
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, **environment},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.n_done = 0
        self._stdin, self._stdout = self.process.stdin, self.process.stdout

    def ask(self, question: Mapping[str, object], data: bytes = b"") -> None:
        """Send a question and the bytes that go with it. Raises EndedError."""
        try:
            self._stdin.write(line(question))
            self._stdin.write(data)
            self._stdin.flush()
        except BrokenPipeError as error:
            raise EndedError from error

    def answer(self) -> Any:  # JSON
        """Wait for the next line of what it says. Raises EndedError."""
        said = self._stdout.readline()
        if not said.endswith(b"\n"):
            raise EndedError
        return json.loads(said.decode("utf-8", "surrogatepass"))

    def data(self, n_bytes: int) -> bytes:
        """Read the bytes that follow a line. Raises EndedError."""
        data = self._stdout.read(n_bytes)
        if len(data) < n_bytes:
            raise EndedError
        return data

    def reap(self) -> None:
        """Wait for its end and let go of it."""
        self.process.wait()
        for pipe in (self._stdin, self._stdout):
            with suppress(BrokenPipeError):  # what it never read
                pipe.close()


@contextmanager
def answers() -> Iterator[IO[bytes]]:
    """Give, in a process that works, where its answers go: what a library prints doesn't get between them.

    Ctrl-C is for the process that asks; it ends this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(os.dup(1), "wb") as file:
        os.dup2(2, 1)
        yield file


def line(said: Mapping[str, object]) -> bytes:
    """Give what is said as one line."""
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def how_ended(status: int) -> str:
    """Say how a process ended, by its status as `Popen.wait` gives it."""
    return f"by signal {-status}" if status < 0 else f"with status {status}"
