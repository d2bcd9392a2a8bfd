"""Chunks in, their vectors out: those the catalog has, and the others embedded, each text once.

Knows batches and memory, not files.
"""

from collections.abc import Callable, Mapping
from itertools import islice

from ingest.catalog_rows import text_hash
from ingest.catalog_vectors import known_vectors
from ingest.chunk import ChunkingConfig, iter_chunks
from ingest.document import Document
from ingest.embedder import Vectors
from ingest.knowledge_base import KnowledgeBase

_LARGE_BATCH = 1024  # chunks


def vectors_of(
    kb: KnowledgeBase, texts: Mapping[str, str], batch_chunks: int, on_embedded: Callable[[int], None]
) -> tuple[dict[str, Vectors], set[str]]:
    """Give the vectors of `texts` (by their hash), and which of them were embedded now.

    Texts of like length are embedded together. `on_embedded` is told the number in each batch.
    """
    vectors = known_vectors(kb.catalog, kb.embedder.name, texts)
    missing = sorted((key for key in texts if key not in vectors), key=lambda key: (len(texts[key]), key))
    for start in range(0, len(missing), batch_chunks):
        batch = missing[start : start + batch_chunks]
        vectors.update(zip(batch, kb.embedder.embed_passages([texts[key] for key in batch]), strict=True))
        on_embedded(len(batch))
    return vectors, set(missing)


def put_large(
    kb: KnowledgeBase,
    document: Document,
    config: ChunkingConfig,
    *,
    batch_chunks: int,
    on_embedded: Callable[[int], None],
    on_share: Callable[[float], None],
) -> int:
    """Commit a document of any size; give its number of chunks.

    Vectors go to the catalog as they are made, where they are no document's until the chunks, cut a second time, are
    committed with the document in one transaction. `on_embedded` is told the number of vectors in each batch,
    `on_share` which share of the text is done.
    """
    chunks = iter_chunks(document, config, kb.embedder.token_starts)
    while batch := list(islice(chunks, _LARGE_BATCH)):
        texts = {text_hash(chunk.embedded_text): chunk.embedded_text for chunk in batch}
        vectors, new = vectors_of(kb, texts, batch_chunks, on_embedded)
        kb.keep_vectors({key: vectors[key] for key in sorted(new)})
        on_share(batch[-1].span.end / len(document.text))
    again = iter_chunks(document, config, kb.embedder.token_starts)
    return kb.put_kept(document, again, chunking=repr(config))
