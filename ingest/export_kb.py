"""A knowledge base in, one archive out that any machine can restore it from: documents, vectors, checksums, no code.

The archive is a ZIP of four files. `documents.jsonl` holds a document a line with its chunks' places; `hashes.txt` and
`vectors.f32` hold the vectors (little-endian float32) by the hash of the text they stand for; `manifest.json` says how
many there are, what made them, and the SHA-256 of each file. Equal contents give equal archives.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from ingest.catalog import Catalog
from ingest.catalog_rows import DocumentInfo, block_row, read_pages_json, utterances_json
from ingest.catalog_vectors import known_vectors
from ingest.errors import KnowledgeBaseError, StorageError

EXPORT_KIND, EXPORT_VERSION = "footnote-export", 1
DOCUMENTS, HASHES, VECTORS, MANIFEST = "documents.jsonl", "hashes.txt", "vectors.f32", "manifest.json"
# What a knowledge base remembers of its embedder.
META_KEYS = ("embedder", "dimension", "knows_chinese", "typical_cosine", "centroid_en", "centroid_zh")
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Exported:
    """What an archive holds, whoever wrote or read it."""

    documents: int
    chunks: int
    vectors: int
    embedder: str
    n_bytes: int


def export_knowledge_base(folder: Path, file: Path) -> Exported:
    """Write the knowledge base in `folder` to `file`, as it is at this moment, while another process may be writing.

    The file appears whole or not at all. Raises KnowledgeBaseError when the knowledge base isn't whole itself,
    StorageError when the file can't be written.
    """
    catalog = Catalog(folder / "catalog.sqlite", create=False)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with catalog.snapshot():
            exported = _write(catalog, temporary, folder.name)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(file)
    except OSError as error:
        raise StorageError(f"{file} can't be written ({error.strerror or error}); choose another place") from error
    finally:
        catalog.close()
        temporary.unlink(missing_ok=True)
    return exported


class _Archive:
    """A ZIP being written, with the SHA-256 and size of each file in it."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self.files: dict[str, dict[str, str | int]] = {}

    def add(self, name: str, pieces: Iterator[bytes]) -> None:
        digest, n_bytes = hashlib.sha256(), 0
        entry = ZipInfo(name)  # dated 1980 always, so that equal contents give equal archives
        entry.compress_type = ZIP_DEFLATED
        with self._archive.open(entry, "w", force_zip64=True) as file:
            for piece in pieces:
                digest.update(piece)
                n_bytes += len(piece)
                file.write(piece)
        self.files[name] = {"sha256": digest.hexdigest(), "bytes": n_bytes}


def _write(catalog: Catalog, path: Path, name: str) -> Exported:
    meta = {key: value for key in META_KEYS if (value := catalog.meta(key)) is not None}
    embedder = meta.get("embedder", "")
    n_documents, n_chunks = catalog.counts()
    hashes: dict[str, None] = {}  # a set that keeps its order
    with ZipFile(path, "w") as zip_file:
        archive = _Archive(zip_file)
        tags = catalog.tags()
        archive.add(DOCUMENTS, (_document_line(catalog, info, hashes, tags) for info in catalog.documents()))
        archive.add(HASHES, (f"{hash_}\n".encode() for hash_ in hashes))
        archive.add(VECTORS, _vectors(catalog, embedder, list(hashes), name))
        manifest = {
            "kind": EXPORT_KIND,
            "version": EXPORT_VERSION,
            "meta": meta,
            "documents": n_documents,
            "chunks": n_chunks,
            "vectors": len(hashes),
            "files": archive.files,
        }
        archive.add(MANIFEST, iter([json.dumps(manifest, indent=1).encode()]))
    return Exported(n_documents, n_chunks, len(hashes), embedder, path.stat().st_size)


def _document_line(
    catalog: Catalog, info: DocumentInfo, hashes: dict[str, None], tags: Mapping[str, Sequence[str]]
) -> bytes:
    document = catalog.document(info.id)
    chunks = catalog.chunks_of(info.id)
    chunk_hashes = catalog.text_hashes_of(info.id)
    if any(chunk.span.of(document.text) != chunk.text for chunk in chunks):
        raise KnowledgeBaseError(f"{info.source} has chunks that differ from its text; mend: footnote kb repair")
    hashes.update(dict.fromkeys(chunk_hashes))
    line: dict[str, Any] = {  # JSON
        "source": document.source,
        "content_hash": document.content_hash,
        "title": document.title,
        "text": document.text,
        "pages": [[page.number, page.span.start, page.span.end, page.label] for page in document.pages],
        "blocks": [block_row(block) for block in document.blocks],
        "language": document.language,
        "metadata": dict(document.metadata),
        "chunking": info.chunking,
        "chunks": [
            [chunk.span.start, chunk.span.end, chunk.page, list(chunk.headings), hash_]
            for chunk, hash_ in zip(chunks, chunk_hashes, strict=True)
        ],
    }
    if document.read_pages:
        line["read_pages"] = read_pages_json(document.read_pages)
    if document.utterances:
        line["utterances"] = utterances_json(document.utterances)
    if own_tags := tags.get(info.id):
        line["tags"] = list(own_tags)
    # ASCII only: a name that isn't valid Unicode (it happens in old file systems) must survive too.
    return json.dumps(line).encode() + b"\n"


def _vectors(catalog: Catalog, embedder: str, hashes: list[str], name: str) -> Iterator[bytes]:
    for start in range(0, len(hashes), _BATCH):
        batch = hashes[start : start + _BATCH]
        found = known_vectors(catalog, embedder, batch)
        if missing := sum(1 for hash_ in batch if hash_ not in found):
            raise KnowledgeBaseError(
                f"{missing} or more chunks of {name} have no vector; mend it first with: footnote kb repair --kb {name}"
            )
        for hash_ in batch:
            yield found[hash_].tobytes()
