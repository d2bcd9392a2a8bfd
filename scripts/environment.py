"""Makes `.venv/` from requirements.lock. Knows nothing of models, samples or the page.

An environment that was begun and not finished is made anew: half an install looks whole to pip and uv. What was
downloaded lies in their caches. One that is finished and in date is left alone without touching the network.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.pip_settings import read_pip_settings, uv_variables

ROOT = Path(__file__).resolve().parent.parent
UV = "uv==0.13.9"
STAMP = "footnote-ready"
FULL_DISK_BYTES = 300_000_000


class SetUpError(Exception):
    """Set-up can't go on; the message says why and what to do."""


def ensure_environment(folder: Path, *, needed_bytes: int) -> None:
    """Have the environment of requirements.lock and the project itself in `folder`."""
    wanted = fingerprint((ROOT / "requirements.lock", ROOT / "pyproject.toml"))
    if is_ready(folder, wanted):
        return
    started = time.monotonic()
    check_disk(ROOT, needed_bytes)
    begin(folder)
    python = folder / "bin" / "python"
    # torch goes first and with pip, which finds a CPU build where this machine's configuration offers one.
    torch = _pinned("torch")
    say(f"Installing {torch} ...")
    pip_install(python, ["--constraint", str(ROOT / "requirements.lock"), torch, _pinned("setuptools"), UV])
    say("Installing requirements.lock ...")
    uv_install(python, ["--requirement", str(ROOT / "requirements.lock")])
    uv_install(python, ["--no-deps", "--editable", str(ROOT)])
    finish(folder, wanted)
    say(f"{folder.name} is ready ({time.monotonic() - started:.0f} s).")


def fingerprint(files: Sequence[Path]) -> str:
    """Give a digest of the files' contents and this Python's version: when it changes, so must the environment."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {UV}".encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def is_ready(folder: Path, wanted: str) -> bool:
    """Tell whether the environment was finished for the fingerprint `wanted` and its Python still runs."""
    stamp = folder / STAMP
    # A .venv of a Python that was since removed has a dangling bin/python.
    return stamp.is_file() and stamp.read_text() == wanted and (folder / "bin" / "python").exists()


def begin(folder: Path) -> None:
    """Open the environment for change: an out-of-date one is kept and updated, an unfinished one made anew."""
    stamp = folder / STAMP
    keep = stamp.is_file() and (folder / "bin" / "python").exists()
    stamp.unlink(missing_ok=True)
    if keep:
        return
    say(f"Making {folder.name} with Python {sys.version.split()[0]} ...")
    run([sys.executable, "-m", "venv", "--clear", str(folder)], "Python could not make an environment")


def finish(folder: Path, wanted: str) -> None:
    """Mark the environment as whole, in one step."""
    making = folder / f"{STAMP}.making"
    making.write_text(wanted)
    making.replace(folder / STAMP)


def pip_install(python: Path, arguments: Sequence[str]) -> None:
    """Install with pip; its warnings are kept back unless it fails."""
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
    # Without a terminal pip's list of what it collects is only noise.
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    run(command + quiet, "pip could not install", keep_stderr=True)


def uv_install(python: Path, arguments: Sequence[str], *, uv: Path | None = None) -> None:
    """Install with uv, told what pip is configured to do. Sources are built with the environment's own setuptools."""
    command = [str(uv or python.parent / "uv"), "pip", "install", "--python", str(python), "--no-build-isolation"]
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    run([*command, *quiet, *arguments], "uv could not install", variables=uv_settings(python))


def uv_settings(python: Path) -> dict[str, str]:
    """Give the variables that make uv do what this `python`'s pip is configured to do."""
    command = [str(python), "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True)
    return uv_variables(read_pip_settings(listing.stdout), os.environ)


def run(
    command: Sequence[str], failure: str, *, variables: Mapping[str, str] | None = None, keep_stderr: bool = False
) -> None:
    """Run `command` in the project's folder; raise SetUpError, with the likely cause, when it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE if keep_stderr else None,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    errors = [line for line in (done.stderr or "").splitlines() if not line.startswith("WARNING")]
    print("\n".join(errors[-30:]), file=sys.stderr)
    raise SetUpError(f"{failure}: its reason stands above. {likely_cause(chr(10).join(errors))}")


def likely_cause(output: str) -> str:
    """Say what to do about a failed installation whose words were `output` (empty where they went to the terminal)."""
    if "No space left on device" in output or shutil.disk_usage(ROOT).free < FULL_DISK_BYTES:
        return "The disk is full: make room, then run the same command again; it goes on where it stopped."
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        return (
            "If a package had to be compiled, install a C compiler and Python's headers "
            "(Debian: apt-get install build-essential python3-dev). Else check the network, and pip's settings "
            "(python3 -m pip config list), then run the same command again."
        )
    return "Check the network and pip's settings (python3 -m pip config list), then run the same command again."


def check_disk(folder: Path, needed_bytes: int) -> None:
    """Raise SetUpError when the disk of `folder` has less than `needed_bytes` free."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise SetUpError(
            f"set-up needs about {needed_bytes / 1e9:.0f} GB of free disk and {folder} has {free / 1e9:.1f} GB; "
            "make room, then run the same command again"
        )


def say(text: str) -> None:
    """Tell the user what is being done."""
    print(text, flush=True)


def _pinned(package: str) -> str:
    """Give `package==version` as requirements.lock pins it."""
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line.strip()
    raise SetUpError(f"requirements.lock does not pin {package}; run: make lock")
