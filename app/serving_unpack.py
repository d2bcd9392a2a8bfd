"""A GGUF in, the folder of 16-bit weights that vLLM serves out, made once. Knows nothing of the server.

vLLM itself reads no GGUF any more: its environment's transformers unpacks it, in a process of its own.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.model_files import PARTS_FOLDER, locked
from app.serving_failure import last_line, reason
from app.serving_machine import Machine
from app.serving_model import ServedModel, identify
from app.serving_process import END_WITH_THIS_PROCESS, inherited_environment
from ingest.errors import ModelError

_SCRIPT = Path(__file__).with_name("gguf_to_folder.py")
_MARK = "unpacked-from.json"
_BYTES_ON_DISK = 2  # of a parameter
_BYTES_IN_MEMORY = 4  # the 1.5B took 5.5 GB at its peak
_SPARE_BYTES = 200_000_000  # tokenizer and file system
_POLL_SECONDS = 0.2
_SAY_SECONDS = 5.0


def unpacked(model: ServedModel, models_folder: Path) -> ServedModel | None:
    """Give the model as a folder where it was unpacked before, and the GGUF is still the same."""
    folder = _folder(model, models_folder)
    if _mark_of(folder) != _mark(Path(model.target)):
        return None
    return replace(identify(str(folder), models_folder), name=model.name)


def to_be_unpacked(model: ServedModel, models_folder: Path) -> ServedModel:
    """Give the model as `unpack` would, but for what is known only once it is done."""
    return ServedModel(str(_folder(model, models_folder).absolute()), "folder", model.name, 0, {})


def unpack(
    model: ServedModel, models_folder: Path, vllm: Path, machine: Machine, say: Callable[[str], None]
) -> ServedModel:
    """Unpack the model into a folder of 16-bit weights, in place of what lies there; of two calls the second waits.

    Raises ModelError with what is missing: disk, memory, a package in vLLM's environment, or a known architecture.
    """
    gguf, folder, parts = Path(model.target), _folder(model, models_folder), models_folder / PARTS_FOLDER
    python = _python_of(vllm)
    parts.mkdir(parents=True, exist_ok=True)
    with locked(parts):
        if made := unpacked(model, models_folder):
            return made
        _check_room(gguf, folder, _n_parameters(python, gguf), machine)
        making = parts / f"{folder.name}.making"
        shutil.rmtree(making, ignore_errors=True)
        say(f"Unpacking {gguf.name} for vLLM, once, into {folder} ...")
        try:
            _run(python, (str(gguf), str(making)), say)
            (making / _MARK).write_text(json.dumps(_mark(gguf)), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return replace(identify(str(folder), models_folder), name=model.name)


def _folder(model: ServedModel, models_folder: Path) -> Path:
    return models_folder / f"{Path(model.target).stem}-unpacked"


def _mark(gguf: Path) -> dict[str, object]:
    """What tells this file from another one of its name."""
    stat = gguf.stat()
    return {"name": gguf.name, "size_bytes": stat.st_size, "modified_ns": stat.st_mtime_ns}


def _mark_of(folder: Path) -> object:
    try:
        return json.loads((folder / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # never made, or by hand: it is made anew
        return None


def _python_of(vllm: Path) -> Path:
    """The Python that vLLM's command runs in, which lies beside it."""
    folder = vllm.resolve().parent
    python = next((path for name in ("python", "python3") if (path := folder / name).is_file()), None)
    if python is None:
        raise ModelError(
            f"there is no Python beside {vllm} to unpack the GGUF with; name vLLM's environment: --vllm PATH"
        )
    return python


def _n_parameters(python: Path, gguf: Path) -> int:
    return int(_run(python, (str(gguf),), lambda _: None).split()[-1])


def _check_room(gguf: Path, folder: Path, n_parameters: int, machine: Machine) -> None:
    wanted, free = n_parameters * _BYTES_ON_DISK + _SPARE_BYTES, shutil.disk_usage(folder.parent).free
    if free < wanted:
        raise ModelError(
            f"{gguf.name} takes {wanted / 1e9:.1f} GB of disk unpacked, and {folder.parent} has {free / 1e9:.1f} GB;"
            " make room, or serve it with --engine llama.cpp"
        )
    if machine.memory_bytes < n_parameters * _BYTES_IN_MEMORY:
        raise ModelError(
            f"unpacking {gguf.name} takes {n_parameters * _BYTES_IN_MEMORY / 1e9:.1f} GB of memory, and this machine"
            f" has {machine.memory_bytes / 1e9:.1f} GB; serve it with --engine llama.cpp"
        )


def _run(python: Path, arguments: Sequence[str], say: Callable[[str], None]) -> str:
    """Run the script, tell now and then what it is at, and give what it printed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(python), "-I", str(_SCRIPT), *arguments],
            env={**inherited_environment(), "HF_HUB_OFFLINE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            preexec_fn=END_WITH_THIS_PROCESS,
        )
        began = said_at = time.monotonic()
        try:
            while process.poll() is None:
                time.sleep(_POLL_SECONDS)
                now = time.monotonic()
                if now - said_at > _SAY_SECONDS:
                    say(f"  {now - began:4.0f} s  {last_line(_text(log.fileno()))[:100]}")
                    said_at = now
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            raise ModelError(
                f"the GGUF can't be unpacked: {reason(_text(log.fileno()))}; or serve it with --engine llama.cpp"
            )
        return _text(out.fileno())


def _text(file: int) -> str:
    return os.pread(file, 1_000_000, 0).decode("utf-8", "replace")
