"""`footnote web`: start the page, say where it is once it answers, and stop it with this command."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

import click

from app.ports import LOOPBACK, PAGE_PORT, other_port, port_problem
from ingest.errors import SettingsError

PAGE = Path(__file__).resolve().parents[1] / "page.py"
START_SECONDS = 120.0
POLL_SECONDS = 0.2

# The page works from what is on this machine: unless the user says so, no library may ask a hub or report home.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


@click.command()
@click.option("--port", type=int, default=PAGE_PORT, show_default=True, help="The port to listen on.")
@click.option("--host", default=LOOPBACK, show_default=True, help="The address to listen on; 0.0.0.0 lets others in.")
@click.option("--kb", help="The knowledge base that the page opens on.")
def command(port: int, host: str, kb: str | None) -> None:
    """Start the page in the browser; Ctrl-C stops it."""
    problem = port_problem(port, host)
    if problem:
        other = other_port(port)
        raise SettingsError(f"{problem}; choose another: footnote web --port {other} (make run PORT={other})")
    environment = {**OFFLINE, **os.environ}
    if kb:
        environment["FOOTNOTE_KB"] = kb
    server = subprocess.Popen(streamlit_command(port, host), env=environment, stdin=subprocess.DEVNULL)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.terminate()

    signal.signal(signal.SIGTERM, stop)
    address = f"http://{_reachable(host)}:{port}"
    threading.Thread(target=_say_when_ready, args=(server, address), daemon=True).start()
    try:
        status = server.wait()
    except KeyboardInterrupt:
        server.terminate()
        server.wait()
        click.echo("\nStopped.", err=True)
        status = 0
    sys.exit(0 if status in (0, -signal.SIGTERM) else 1)


def streamlit_command(port: int, host: str) -> list[str]:
    """Give the command that serves the page."""
    options = {
        "server.port": str(port),
        "server.address": host,
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": _reachable(host),
        "server.fileWatcherType": "none",
        "logger.hideWelcomeMessage": "true",
        "theme.light.primaryColor": "#2f5f98",  # of what has the focus or is chosen; red would look like an error
        "theme.dark.primaryColor": "#5f95d3",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(PAGE), *arguments]


def answers(address: str) -> bool:
    """Tell whether the page's server at `address` is up."""
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _say_when_ready(server: "subprocess.Popen[bytes]", address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if answers(address):
            click.echo(f"\n  Footnote is at {address}  (Ctrl-C stops it)\n")
            return
        time.sleep(POLL_SECONDS)


def _reachable(host: str) -> str:
    return LOOPBACK if host in ("0.0.0.0", "::", "localhost") else host
