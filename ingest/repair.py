"""A knowledge base with something wrong in, one as whole as can be out, with what was mended and what was not.

Documents are the truth and are never made up: what is derived from them (chunks, vectors, the index) is made anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.catalog_care import (
    forget_chunking,
    integrity_problems,
    numbers_without_vector,
    remove_orphan_chunks,
    remove_vectors,
    set_vectors,
)
from ingest.catalog_vectors import forget_unused_vectors
from ingest.document import Document
from ingest.errors import KnowledgeBaseError
from ingest.index_generation import current_manifest
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, ingest_documents
from ingest.verify import damaged_documents, damaged_vectors


@dataclass(frozen=True, slots=True)
class Repair:
    """What was mended, and what is still wrong, in words."""

    mended: tuple[str, ...]
    left: tuple[str, ...]


def repair_knowledge_base(kb: KnowledgeBase, config: IngestConfig) -> Repair:
    """Rebuild what is derived: chunks that differ from their text, vectors that are missing or damaged, the index.

    Raises BusyError while another process writes, StorageError when the disk refuses.
    """
    with kb.writing(timeout_seconds=config.wait_seconds):
        if broken := integrity_problems(kb.catalog):
            return Repair((), tuple(broken))
        mended = [*_mend_documents(kb, config), *_mend_vectors(kb, config)]
        before = current_manifest(kb.folder)
        index_was_wrong = bool(kb.problems())
        forget_unused_vectors(kb.catalog, kb.embedder.name)
        kb.rebuild()
        after = current_manifest(kb.folder)
    if index_was_wrong or before is None or after is None or before[1].digest != after[1].digest:
        mended.append("the index was built anew")
    return Repair(tuple(mended), tuple(kb.problems()))


def _mend_documents(kb: KnowledgeBase, config: IngestConfig) -> list[str]:
    mended = []
    if orphans := remove_orphan_chunks(kb.catalog):
        mended.append(f"{orphans} chunks that belonged to no document were removed")
    readable, unreadable = _read(kb, damaged_documents(kb.catalog))
    if readable:
        ingest_documents(kb, readable, config, rebuild=True)
        mended += [f"{document.source} was cut into chunks again" for document in readable]
    for id_ in unreadable:
        forget_chunking(kb.catalog, id_)
        mended.append(f"document {id_} is marked: the next `footnote ingest` of its file takes it in anew")
    return mended


def _read(kb: KnowledgeBase, ids: Sequence[str]) -> tuple[list[Document], list[str]]:
    readable: list[Document] = []
    unreadable: list[str] = []
    for id_ in ids:
        try:
            readable.append(kb.catalog.document(id_))
        except (ValueError, TypeError, KnowledgeBaseError):
            unreadable.append(id_)
    return readable, unreadable


def _mend_vectors(kb: KnowledgeBase, config: IngestConfig) -> list[str]:
    """Embed again the chunks whose vector is missing or no unit vector of the right length."""
    embedder = kb.embedder
    remove_vectors(kb.catalog, embedder.name, damaged_vectors(kb.catalog, embedder.name))
    numbers = numbers_without_vector(kb.catalog, embedder.name)
    for start in range(0, len(numbers), config.batch_chunks):
        stored = kb.catalog.chunks_by_number(numbers[start : start + config.batch_chunks])
        texts = [found.chunk.embedded_text for found in stored.values()]
        vectors = np.asarray(embedder.embed_passages(texts), dtype="<f4")  # (n, dimension)
        set_vectors(kb.catalog, embedder.name, dict(zip(stored, zip(texts, vectors, strict=True), strict=True)))
    return [f"{len(numbers)} chunks were embedded again"] if numbers else []
