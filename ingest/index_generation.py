"""The derived indexes as immutable generations: built beside the old one, checked, swapped in by one rename.

A generation is a folder `generations/REVISION-DIGEST/` with `vectors.faiss`, `lexical/`, `rows.npy` (row -> chunk
number), `languages.npy` (row -> language) and `manifest.json`; the file `CURRENT` names the one in use. Everything in
it can be rebuilt from the catalog.
"""

import json
import os
import shutil
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.catalog_file import FORMAT_VERSION
from ingest.catalog_rows import IndexRow
from ingest.dense_index import DenseIndex, DenseIndexConfig, build_dense_index, open_dense_index
from ingest.errors import KnowledgeBaseError, StorageError
from ingest.lexical_index import LexicalIndex, build_lexical_index, open_lexical_index


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made from. `digest` depends on the chunks and the embedder alone, so that equal contents
    have equal digests on every machine; `revision` is the catalog's when it was built.
    """

    format_version: int
    revision: int
    digest: str
    embedder: str
    dimension: int
    n_chunks: int
    dense_kind: str
    checksums: dict[str, str]


@dataclass(frozen=True, slots=True)
class IndexGeneration:
    """An open generation. `rows[i]` is the chunk number of row i in both indexes, `languages[i]` its language;
    `by_language` are the rows of each language, ascending.
    """

    manifest: Manifest
    dense: DenseIndex
    lexical: LexicalIndex
    rows: npt.NDArray[np.int64]
    languages: npt.NDArray[np.str_]
    by_language: Mapping[str, npt.NDArray[np.int64]]


def build_generation(
    home: Path, rows: Iterable[IndexRow], *, revision: int, embedder: str, dimension: int, config: DenseIndexConfig
) -> Manifest:
    """Build a generation from the catalog's rows and make it the current one; older ones are removed."""
    generations = home / "generations"
    building = generations / f".building-{os.getpid()}"
    try:
        generations.mkdir(exist_ok=True)
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        manifest = _build(building, rows, revision=revision, embedder=embedder, dimension=dimension, config=config)
        folder = _free_name(generations, f"{revision:08d}-{manifest.digest}")
        building.rename(folder)
        _sync(generations)
        _write_durably(home / "CURRENT", folder.name)
    except OSError as error:
        raise StorageError(
            f"the index of {home.name} can't be written ({error.strerror or error}); the documents are safe and the"
            f" last index still answers. Free some disk space, then run: footnote kb repair --kb {home.name}"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)  # gone already, unless something failed
    remove_superseded(home)
    return manifest


def current_manifest(home: Path) -> tuple[Path, Manifest] | None:
    """Give the current generation's folder and manifest; None when there is none that can be read."""
    try:
        folder = home / "generations" / (home / "CURRENT").read_text().strip()
        manifest = Manifest(**json.loads((folder / "manifest.json").read_text()))
    except (OSError, ValueError, TypeError):  # gone, no JSON, or JSON of another shape
        return None
    return (folder, manifest) if manifest.format_version == FORMAT_VERSION else None


def generation_problems(folder: Path, manifest: Manifest) -> list[str]:
    """List the files that are missing or differ from the manifest; empty when all is well."""
    found = _checksums(folder)
    problems = []
    for name, wanted in manifest.checksums.items():
        if name not in found:
            problems.append(f"{folder.name}/{name} is missing")
        elif found[name] != wanted:
            problems.append(f"{folder.name}/{name} was damaged after it was written")
    return problems


def remove_superseded(home: Path) -> None:
    """Remove all generations but the current one, and what a killed process left. Only the writer may.

    A reader that still has one open keeps its files until it lets go.
    """
    current = current_manifest(home)
    if current is not None:
        for folder in current[0].parent.iterdir():
            if folder != current[0]:
                shutil.rmtree(folder, ignore_errors=True)


def open_generation(folder: Path, manifest: Manifest) -> IndexGeneration:
    """Open a generation. Raises KnowledgeBaseError when its files can't be read or don't fit together."""
    dense = open_dense_index(folder / "vectors.faiss")
    lexical = open_lexical_index(folder / "lexical")
    try:
        rows: npt.NDArray[np.int64] = np.load(folder / "rows.npy", allow_pickle=False)
        languages = np.load(folder / "languages.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise KnowledgeBaseError(f"{folder} is damaged ({error}); rebuild it with: footnote kb repair") from error
    by_language = {str(language): np.flatnonzero(languages == language) for language in np.unique(languages)}
    if not len(rows) == len(languages) == dense.n_rows == lexical.n_rows == manifest.n_chunks:
        raise KnowledgeBaseError(f"{folder} holds unequal numbers of rows; rebuild it with: footnote kb repair")
    return IndexGeneration(manifest, dense, lexical, rows, languages, by_language)


def _build(
    folder: Path, rows: Iterable[IndexRow], *, revision: int, embedder: str, dimension: int, config: DenseIndexConfig
) -> Manifest:
    numbers, languages, vectors = array("q"), [], bytearray()
    digest = sha256(f"{FORMAT_VERSION}:{embedder}:{dimension}".encode())

    def terms() -> Iterator[str]:
        """Give each row's terms and keep the rest of it: of a large catalog only the vectors fit into memory."""
        for row in rows:
            numbers.append(row.number)
            vectors.extend(row.vector)
            languages.append(sys.intern(row.language))
            digest.update(f"{row.chunk_id}{row.text_hash}".encode())
            yield row.terms

    build_lexical_index(terms(), folder / "lexical")
    stacked = np.frombuffer(vectors, dtype="<f4").reshape(-1, dimension)
    kind = build_dense_index(stacked, folder / "vectors.faiss", config)
    np.save(folder / "rows.npy", np.array(numbers, dtype=np.int64))
    np.save(folder / "languages.npy", np.array(languages, dtype="<U8"))
    checksums = _checksums(folder)
    manifest = Manifest(
        FORMAT_VERSION, revision, digest.hexdigest()[:12], embedder, dimension, len(numbers), kind, checksums
    )
    _write_durably(folder / "manifest.json", json.dumps(asdict(manifest), indent=1))
    for name in checksums:
        _sync(folder / name)
    _sync(folder / "lexical")
    return manifest


def _free_name(generations: Path, name: str) -> Path:
    """Never the name of a generation that is there: the one in use must be whole until the next one is."""
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(generations / free for free in names if not (generations / free).exists())


def _checksums(folder: Path) -> dict[str, str]:
    """SHA-256 by file, without tantivy's lock files and without the manifest itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    sums = {}
    for path in files:
        if path.name != "manifest.json":
            with path.open("rb") as file:
                sums[path.relative_to(folder).as_posix()] = file_digest(file, "sha256").hexdigest()
    return sums


def _write_durably(path: Path, content: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(content)
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
