"""What this machine has for a model server: graphics cards and memory. Knows nothing of models."""

import os
import shutil
import subprocess
from dataclasses import dataclass

from ingest.errors import ModelError

_QUERY = ("--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics card that CUDA programs see."""

    name: str
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Machine:
    """The cards, in the driver's order, and the main memory."""

    gpus: tuple[Gpu, ...]
    memory_bytes: int


def this_machine(*, with_gpus: bool) -> Machine:
    """Look at the machine. Without `nvidia-smi` there are no cards. Raises ModelError when the driver fails."""
    return Machine(_gpus() if with_gpus else (), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _gpus() -> tuple[Gpu, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        done = subprocess.run([program, *_QUERY], capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"{program} doesn't work ({error}); mend the driver, or serve with --device cpu") from error
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())
        raise ModelError(f"{program} finds no usable card ({said}); mend the driver, or serve with --device cpu")
    rows = [[field.strip() for field in line.rsplit(",", 1)] for line in done.stdout.splitlines() if line.strip()]
    try:
        return tuple(Gpu(name, int(memory)) for name, memory in rows)
    except ValueError as error:
        raise ModelError(f"{program} says what is no list of cards: {done.stdout.strip()!r}") from error
