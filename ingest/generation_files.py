"""The files of an index generation: what its manifest promises of them, checks, and writing that lasts.

A check when a generation is opened reads little of a large file: its size, and a sample. `kb verify` reads everything.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path

from ingest.catalog_file import FORMAT_VERSION
from ingest.terms import TERMS_VERSION

MANIFEST = "manifest.json"
_WHOLE_BYTES = 4_000_000  # a file of at most this size is its own sample
_ENDS_BYTES, _PLACES, _PLACE_BYTES = 65_536, 64, 4096


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made from. `digest` depends on the chunks, their embedded texts and the embedder alone, so
    that equal contents have equal digests on every machine, however they came about; `revision` is the catalog's when
    it was built, `terms_version` that of `ingest.terms`. `n_rows` counts the rows of the files, `n_chunks` those of
    them that are live.
    """

    format_version: int
    terms_version: str
    revision: int
    digest: str
    embedder: str
    dimension: int
    n_chunks: int
    n_rows: int
    n_base: int
    dense_kind: str
    checksums: dict[str, str]
    samples: dict[str, str]


def read_manifest(folder: Path) -> Manifest | None:
    """Give a generation's manifest; None when there is none that can be read."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text()))
    except (OSError, ValueError, TypeError):  # gone, no JSON, or JSON of another shape
        return None
    is_ours = manifest.format_version == FORMAT_VERSION and manifest.terms_version == TERMS_VERSION
    return manifest if is_ours else None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it so that it is there whole or not at all."""
    write_durably(folder / MANIFEST, json.dumps(asdict(manifest), indent=1))


def file_problems(folder: Path, manifest: Manifest, *, samples_only: bool = False) -> list[str]:
    """List the files that are missing or differ from the manifest; empty when all is well.

    With `samples_only`, damage inside a large file may go unseen.
    """
    wanted = manifest.samples if samples_only else manifest.checksums
    problems = []
    for name, sum_ in wanted.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{folder.name}/{name} is missing")
        elif (sample(path) if samples_only else checksum(path)) != sum_:
            problems.append(f"{folder.name}/{name} was damaged after it was written")
    return problems


def file_names(folder: Path) -> list[str]:
    """Name the files, without tantivy's lock files and without the manifest itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return [path.relative_to(folder).as_posix() for path in files if path.name != MANIFEST]


def checksum(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def sample(path: Path) -> str:
    """Give the SHA-256 of a file's size and, where it is large, of its ends and of places between them."""
    size = path.stat().st_size
    digest = sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= _WHOLE_BYTES:
            digest.update(file.read())
        else:
            digest.update(file.read(_ENDS_BYTES))
            for number in range(1, _PLACES):
                file.seek(size * number // _PLACES)
                digest.update(file.read(_PLACE_BYTES))
            file.seek(size - _ENDS_BYTES)
            digest.update(file.read())
    return digest.hexdigest()


def share_file(old: Path, new: Path) -> None:
    """Let a file that is never changed be in a second folder too; where it can't be in two, copy it."""
    try:
        os.link(old, new)
    except OSError:  # another file system, or one without links; a full disk refuses the copy too
        shutil.copyfile(old, new)
        sync(new)


def write_durably(path: Path, content: str) -> None:
    """Replace a small file in one step that survives a crash."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(content)
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
