"""A knowledge base's folder in, everything that is wrong with it out, in words. Changes nothing, needs no model."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from ingest.catalog import Catalog
from ingest.catalog_care import (
    chunk_numbers,
    count_chunks_without_vector,
    count_orphan_chunks,
    integrity_problems,
    vectors_of,
)
from ingest.document import Span, chunk_id, document_id
from ingest.errors import KnowledgeBaseError
from ingest.generation_files import Manifest, file_problems
from ingest.index_generation import current_manifest, open_generation

# A unit vector in float32 is this near to norm 1, with room for those that were normalised in bfloat16.
NORM_TOLERANCE = 1e-2
_WORD = re.compile(r"[^\W_]")


def folder_problems(folder: Path) -> list[str]:
    """List what is wrong with the knowledge base in `folder`, also when it can't even be opened."""
    try:
        catalog = Catalog(folder / "catalog.sqlite", create=False)
    except KnowledgeBaseError as error:
        return [str(error)]
    try:
        return knowledge_base_problems(folder, catalog)
    finally:
        catalog.close()


def knowledge_base_problems(folder: Path, catalog: Catalog) -> list[str]:
    """List what is wrong with an open catalog and the index beside it; empty when all is well."""
    try:
        with catalog.snapshot():
            return [*catalog_problems(catalog), *_index_problems(folder, catalog)]
    except KnowledgeBaseError as error:
        return [str(error)]


def catalog_problems(catalog: Catalog) -> list[str]:
    """List what is wrong inside the catalog."""
    if broken := integrity_problems(catalog):
        return broken  # what the file says about documents can't be trusted then
    problems = [f"{n} chunks belong to no document" for n in [count_orphan_chunks(catalog)] if n]
    problems += [problem for info in catalog.documents() for problem in _document_problems(catalog, info.id)]
    return [*problems, *_vector_problems(catalog)]


def damaged_documents(catalog: Catalog) -> list[str]:
    """Give the ids of documents whose record doesn't fit together."""
    return [info.id for info in catalog.documents() if any(_document_problems(catalog, info.id))]


def damaged_vectors(catalog: Catalog, embedder: str) -> list[str]:
    """Give the hashes of texts whose vector from `embedder` has a wrong length or isn't a unit vector."""
    dimension = int(catalog.meta("dimension") or 0)
    return [hash_ for hash_, vector in vectors_of(catalog, embedder) if not _is_unit(vector, dimension)]


def _document_problems(catalog: Catalog, id_: str) -> Iterator[str]:
    try:
        document = catalog.document(id_)
    except (ValueError, TypeError) as error:  # its JSON or its spans
        yield f"document {id_}: its pages, blocks or metadata are damaged ({error})"
        return
    if document.id != document_id(document.source):
        yield f"{document.source}: its id {document.id} isn't that of its source"
    spans = [block.span for block in document.blocks] + [page.span for page in document.pages]
    spans += [said.span for said in document.utterances]
    if wrong := sum(1 for span in spans if span.end > len(document.text)):
        yield f"{document.source}: {wrong} blocks, pages or utterances reach beyond its text"
    n_pages = len(document.pages)
    if wrong := sum(1 for page in document.read_pages if not 1 <= page.number <= n_pages):
        yield f"{document.source}: words are placed on {wrong} pages that it hasn't"
    chunks = catalog.chunks_of(document.id)
    if wrong := sum(1 for chunk in chunks if chunk.span.of(document.text) != chunk.text):
        yield f"{document.source}: {wrong} chunks differ from the document's text"
    elif wrong := sum(1 for chunk in chunks if chunk.id != chunk_id(document.id, chunk.span, chunk.text)):
        yield f"{document.source}: {wrong} chunks have an id that isn't theirs"
    if _WORD.search(_outside(document.text, [chunk.span for chunk in chunks])):
        yield f"{document.source}: some of its words are in no chunk"
    if any(left.span.end > right.span.start for left, right in pairwise(chunks)):
        yield f"{document.source}: its chunks overlap or are out of order"


def _outside(text: str, spans: Sequence[Span]) -> str:
    """Give the characters that no span covers; spans that are out of order are another problem's."""
    ends = [0, *(span.end for span in spans)]
    starts = [*(span.start for span in spans), len(text)]
    return "".join(text[end:start] for end, start in zip(ends, starts, strict=True))


def _vector_problems(catalog: Catalog) -> Iterator[str]:
    embedder = catalog.meta("embedder")
    if embedder is None:
        if catalog.counts()[1]:
            yield "there are chunks, but no embedder is named"
        return
    if damaged := len(damaged_vectors(catalog, embedder)):
        yield f"{damaged} vectors have a wrong length or norm"
    if missing := count_chunks_without_vector(catalog, embedder):
        yield f"{missing} chunks have no vector from {embedder}"


def _is_unit(vector: bytes, dimension: int) -> bool:
    if len(vector) != 4 * dimension:
        return False
    norm = float(np.linalg.norm(np.frombuffer(vector, dtype="<f4").astype(np.float64)))
    return abs(norm - 1) <= NORM_TOLERANCE  # false for NaN too


def _index_problems(folder: Path, catalog: Catalog) -> list[str]:
    current = current_manifest(folder)
    if current is None:
        return ["the index is missing"]
    path, manifest = current
    problems = file_problems(path, manifest)
    if manifest.embedder != (catalog.meta("embedder") or manifest.embedder):
        problems.append(f"the index was built with {manifest.embedder}, the catalog with {catalog.meta('embedder')}")
    if manifest.revision != catalog.revision:
        return ["the index is older than the catalog", *problems]
    if manifest.n_chunks != catalog.counts()[1]:
        problems.append(f"the index holds {manifest.n_chunks} chunks, the catalog {catalog.counts()[1]}")
    leftovers = sorted(entry.name for entry in path.parent.iterdir() if entry != path)
    problems += [f"generations/{name} is left over" for name in leftovers]
    return problems or _row_problems(path, manifest, catalog)


def _row_problems(path: Path, manifest: Manifest, catalog: Catalog) -> list[str]:
    try:
        table = open_generation(path, manifest).table
    except KnowledgeBaseError as error:
        return [str(error)]
    rows = sorted(table.rows[table.live].tolist())
    return [] if rows == chunk_numbers(catalog) else ["the index holds other chunks than the catalog"]
