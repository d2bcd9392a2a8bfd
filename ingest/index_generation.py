"""The derived indexes as immutable generations: built beside the old one, checked, swapped in by one rename.

A generation is a folder `generations/REVISION-DIGEST/` with `vectors.faiss` (and `lists.faiss`, `tail.faiss`),
`lexical/`, the arrays of `ingest.row_table` and `manifest.json`; the file `CURRENT` names the one in use. Everything in
it can be rebuilt from the catalog. One that differs little from the last shares that one's large files: vectors of new
rows stand in the tail, their words in a segment of their own, and rows whose chunk is gone are no longer live.
"""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import numpy.typing as npt

from ingest.catalog_file import FORMAT_VERSION
from ingest.catalog_rows import IndexRow
from ingest.dense_index import (
    LISTS,
    VECTORS,
    DenseIndex,
    DenseIndexConfig,
    build_dense_index,
    build_tail,
    open_dense_index,
    tail_vectors,
)
from ingest.errors import KnowledgeBaseError, StorageError
from ingest.generation_files import (
    Manifest,
    checksum,
    file_names,
    read_manifest,
    sample,
    share_file,
    sync,
    write_durably,
    write_manifest,
)
from ingest.lexical_index import LexicalIndex, build_lexical_index, extend_lexical_index, open_lexical_index
from ingest.row_set import Mask, RowSet
from ingest.row_table import RowTable, RowTableMaker, open_row_table
from ingest.terms import TERMS_VERSION

LEXICAL = "lexical"


@dataclass(frozen=True, slots=True)
class IndexGeneration:
    """An open generation. `rows[i]` is the chunk number of row i in both indexes. `live` are the rows that stand for a
    chunk, None when all do, and `by_language` those of each language.
    """

    manifest: Manifest
    dense: DenseIndex
    lexical: LexicalIndex
    table: RowTable
    live: RowSet | None
    by_language: Mapping[str, RowSet]

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """The chunks' numbers, row by row."""
        return self.table.rows

    def language(self, row: int) -> str:
        """Give the language of a row."""
        return str(self.table.language_names[self.table.languages[row]])

    def rows_of_documents(self, document_ids: Collection[str]) -> RowSet:
        """Give the live rows of these documents, to search among: make it once a filter, not once a question."""
        rows = self.table.of_documents(document_ids)
        return rows if self.live is None else rows & self.live

    def without(self, gone: Mask) -> "IndexGeneration":
        """Give the generation without the rows for which `gone` is true, shape (n rows,)."""
        live = RowSet.where(self.table.live & ~gone)
        by_language = {name: RowSet.where(rows.mask & live.mask) for name, rows in self.by_language.items()}
        kept = {name: rows for name, rows in by_language.items() if rows.n}
        return IndexGeneration(self.manifest, self.dense, self.lexical, self.table, live, kept)


@dataclass(frozen=True, slots=True)
class Change:
    """How the catalog differs from a generation: rows to add, and which of the generation's rows are still live."""

    added: Sequence[IndexRow]
    still_live: Mask


def build_generation(
    home: Path, rows: Iterable[IndexRow], *, revision: int, embedder: str, dimension: int, config: DenseIndexConfig
) -> Manifest:
    """Build a generation from the catalog's rows and make it the current one; older ones are removed."""
    with _swapped_in(home) as folder:
        maker = RowTableMaker()
        with TemporaryFile(dir=folder) as spool:

            def terms() -> Iterator[str]:
                """Give each row's terms and put the rest of it by: of a large catalog nothing is held but numbers."""
                for row in rows:
                    maker.add(row)
                    spool.write(row.vector)
                    yield row.terms

            n_rows = build_lexical_index(terms(), folder / LEXICAL)
            spool.flush()
            shape = (n_rows, dimension)
            vectors = np.memmap(spool, dtype="<f4", mode="r", shape=shape) if n_rows else np.zeros(shape, "<f4")
            kind = build_dense_index(vectors, folder, config)
            del vectors
        table = maker.table()
        table.save(folder)
        return _finished(folder, table, (revision, embedder, dimension), n_rows, kind, {})


def extend_generation(home: Path, old: Path, manifest: Manifest, change: Change, *, revision: int) -> Manifest:
    """Build the generation that differs from the one in the folder `old` by a change, sharing its large files, and
    make it the current one; the old one is removed.
    """
    with _swapped_in(home) as folder:
        table = open_row_table(old)
        maker = RowTableMaker(table)
        for row in change.added:
            maker.add(row)
        shared = _share_files(old, folder)
        extend_lexical_index((row.terms for row in change.added), len(table), folder / LEXICAL)
        added = np.frombuffer(b"".join(row.vector for row in change.added), dtype="<f4")
        tail = np.concatenate([tail_vectors(old, manifest.dimension), added.reshape(-1, manifest.dimension)])
        if len(tail):
            build_tail(tail, folder)
        extended = maker.table(still_live=change.still_live)
        extended.save(folder)
        source = (revision, manifest.embedder, manifest.dimension)
        known = {name: (manifest.checksums[name], manifest.samples[name]) for name in shared}
        return _finished(folder, extended, source, manifest.n_base, manifest.dense_kind, known)


def current_manifest(home: Path) -> tuple[Path, Manifest] | None:
    """Give the current generation's folder and manifest; None when there is none that can be read."""
    try:
        folder = home / "generations" / (home / "CURRENT").read_text().strip()
    except (OSError, ValueError):  # gone, or no text
        return None
    manifest = read_manifest(folder)
    return None if manifest is None else (folder, manifest)


def remove_superseded(home: Path) -> None:
    """Remove all generations but the current one, and what a killed process left. Only the writer may.

    A reader that still has one open keeps its files until it lets go.
    """
    current = current_manifest(home)
    if current is not None:
        for folder in current[0].parent.iterdir():
            if folder != current[0]:
                shutil.rmtree(folder, ignore_errors=True)


def open_generation(folder: Path, manifest: Manifest, config: DenseIndexConfig | None = None) -> IndexGeneration:
    """Open a generation. Raises KnowledgeBaseError when its files can't be read or don't fit together."""
    dense = open_dense_index(folder, config or DenseIndexConfig())
    lexical = open_lexical_index(folder / LEXICAL)
    table = open_row_table(folder)
    counts = (len(table), dense.n_rows, lexical.n_rows, table.n_live)
    if counts != (manifest.n_rows, manifest.n_rows, manifest.n_rows, manifest.n_chunks):
        raise KnowledgeBaseError(f"{folder} holds unequal numbers of rows; rebuild it with: footnote kb repair")
    live = None if table.n_live == len(table) else RowSet.where(table.live)
    return IndexGeneration(manifest, dense, lexical, table, live, table.by_language())


@contextmanager
def _swapped_in(home: Path) -> Iterator[Path]:
    """Give a folder to build a generation in; once it holds one, make that the current one and remove the others."""
    generations = home / "generations"
    building = generations / f".building-{os.getpid()}"
    try:
        generations.mkdir(exist_ok=True)
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        yield building
        manifest = read_manifest(building)
        assert manifest is not None  # just written
        folder = _free_name(generations, f"{manifest.revision:08d}-{manifest.digest}")
        building.rename(folder)
        sync(generations)
        write_durably(home / "CURRENT", folder.name)
    except OSError as error:
        raise StorageError(
            f"the index of {home.name} can't be written ({error.strerror or error}); the documents are safe and the"
            f" last index still answers. Free some disk space, then run: footnote kb repair --kb {home.name}"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)  # gone already, unless something failed
    remove_superseded(home)


def _share_files(old: Path, folder: Path) -> list[str]:
    """Let the files of the base be in `folder` too; give the names of those that nothing will change."""
    (folder / LEXICAL).mkdir()
    names = [VECTORS, *([LISTS] if (old / LISTS).exists() else [])]
    names += [name for name in file_names(old) if name.startswith(f"{LEXICAL}/")]
    for name in names:
        if name.endswith(".json"):  # what tantivy replaces
            shutil.copyfile(old / name, folder / name)
        else:
            share_file(old / name, folder / name)
    return [name for name in names if not name.endswith(".json")]


def _finished(
    folder: Path,
    table: RowTable,
    source: tuple[int, str, int],
    n_base: int,
    kind: str,
    known: Mapping[str, tuple[str, str]],
) -> Manifest:
    """Write the manifest of what is in the folder, and see all of it to the disk; `known` are sums of shared files."""
    revision, embedder, dimension = source
    names = file_names(folder)
    sums = {name: known.get(name) or (checksum(folder / name), sample(folder / name)) for name in names}
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        terms_version=TERMS_VERSION,
        revision=revision,
        digest=table.digest(f"{FORMAT_VERSION}:{TERMS_VERSION}:{embedder}:{dimension}"),
        embedder=embedder,
        dimension=dimension,
        n_chunks=table.n_live,
        n_rows=len(table),
        n_base=n_base,
        dense_kind=kind,
        checksums={name: whole for name, (whole, _) in sums.items()},
        samples={name: part for name, (_, part) in sums.items()},
    )
    write_manifest(folder, manifest)
    for name in names:
        if name not in known:
            sync(folder / name)
    sync(folder / LEXICAL)
    sync(folder)
    return manifest


def _free_name(generations: Path, name: str) -> Path:
    """Never the name of a generation that is there: the one in use must be whole until the next one is."""
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(generations / free for free in names if not (generations / free).exists())
