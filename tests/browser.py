"""A real page server and a real headless Chromium, for tests. Both are ended by those who start them."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from app.commands.web import OFFLINE, answers, streamlit_command

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_START_SECONDS = 90.0


@contextmanager
def page_server(home: Path, settings: Mapping[str, str], log: Path) -> Iterator[str]:
    """Serve the page with its data in `home`; give its address. `settings` are environment variables."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_")}
    environment |= OFFLINE | {"FOOTNOTE_HOME": str(home)} | dict(settings)
    address = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        server = subprocess.Popen(
            streamlit_command(port, "127.0.0.1"),
            env=environment,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
        try:
            _wait_for(server, address, log)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium with a fresh profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def open_page(
    browser: Browser, address: str, *, locale: str = "en-US", size: tuple[int, int] = (1280, 800)
) -> tuple[Page, list[str]]:
    """Open the page as a new user; give it with the list of addresses it asks for elsewhere, which grows."""
    context = browser.new_context(locale=locale, viewport={"width": size[0], "height": size[1]})
    context.set_default_timeout(180_000)
    elsewhere: list[str] = []
    page = context.new_page()
    page.on(
        "request",
        lambda request: None if _is_ours(request.url, address) else elsewhere.append(request.url),
    )
    page.goto(address)
    page.get_by_test_id("stChatInputTextArea").wait_for()
    return page, elsewhere


def _is_ours(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws", 1), "data:", "blob:"))


def _wait_for(server: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not answers(address):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the page did not start:\n{log.read_text(errors='replace')}")
        try:
            server.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
