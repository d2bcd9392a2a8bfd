"""Starts a program that serves, waits until it answers, stops it and all it started. Knows no model server by name."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

START_SECONDS = 600.0
STOP_SECONDS = 20.0


@contextmanager
def running(
    command: Sequence[str],
    health: str,
    *,
    environment: Mapping[str, str],
    holding: str = "",
    cwd: str | None = None,
    start_seconds: float = START_SECONDS,
) -> Iterator[None]:
    """Run `command` until the block ends. It begins when `health` answers 200 with a body that holds `holding`."""
    # The tests' own environment must not leak into another one: its Python has other packages.
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            list(command),
            env={**kept, **environment},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_until_healthy(server, health, holding, log.fileno(), start_seconds)
            yield
        finally:
            _stop(server)


def free_port() -> int:
    """Give a loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(
    server: "subprocess.Popen[bytes]", health: str, holding: str, log: int, start_seconds: float
) -> None:
    deadline = time.monotonic() + start_seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(health, timeout=5) as response:
                if response.status == 200 and holding in response.read().decode():
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.3)
    size = os.fstat(log).st_size
    tail = os.pread(log, 4000, max(0, size - 4000)).decode("utf-8", "replace")
    state = "stopped" if server.poll() is not None else f"is not healthy after {start_seconds:.0f} s"
    pytest.fail(f"{server.args!r} {state}; the end of its log:\n{tail}")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """Stop the server and what it started: they are one process group."""
    for stop_signal in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, stop_signal)
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            break
