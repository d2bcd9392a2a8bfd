"""`footnote web`: it says where the page is once the page answers, and takes the server with it when it stops."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from app.commands.web import streamlit_command

ROOT = Path(__file__).parents[1]


def test_the_page_is_served_at_the_address_said_and_is_gone_when_stopped(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    web = subprocess.Popen(
        [sys.executable, "-c", "from app.cli import main; main()", "web", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "FOOTNOTE_HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert web.stdout is not None
    try:
        line = next(line for line in web.stdout if "Footnote is at" in line)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            assert page.status == 200
    finally:
        web.send_signal(signal.SIGTERM)
        status = web.wait(20)

    assert line.strip() == f"Footnote is at http://127.0.0.1:{port}  (Ctrl-C stops it)"
    assert status == 0
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))  # nothing holds it any more


def test_the_page_reports_nothing_home_and_listens_only_where_it_is_told() -> None:
    command = streamlit_command(8501, "127.0.0.1")

    options = dict(zip(command[5::2], command[6::2], strict=True))
    assert options["--browser.gatherUsageStats"] == "false"
    assert options["--server.address"] == "127.0.0.1"
    assert options["--server.headless"] == "true"
