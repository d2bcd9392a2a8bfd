"""A number of chunks in, a knowledge base of that size out, grown from real passages and their real vectors.

The seed is the manuals of `benchmarks.ingest_corpus`, taken in as `footnote ingest` does. A grown chunk joins some
sentences of one passage with fewer of another; its vector lies between those two passages' vectors, a little beside the
line. So words are as frequent as in the manuals and vectors lie in their clusters, but a million chunks needn't be
embedded. Everything that a search reads is as an ingest would have made it.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.settings import PROJECT
from benchmarks.ingest_corpus import make_corpus
from ingest.catalog_rows import document_row, text_hash
from ingest.document import Block, Document, Span, chunk_id, document_id
from ingest.embedder import Embedder, Vectors
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, ingest_paths
from ingest.sentences import split_sentences
from ingest.terms import index_terms

CHUNKS_A_DOCUMENT = 20
_CACHE = PROJECT / ".cache" / "search-speed"
_NOISE = 0.2  # the length of the step off the line between two unit vectors
_BATCH = 20_000
_QUESTION_CHARACTERS, _QUESTION_TERMS = (12, 160), 4


@dataclass(frozen=True, slots=True)
class Seed:
    """Real passages: the sentences of each with their terms, its language, and its vector, shape (n passages,
    dimension).
    """

    sentences: list[list[tuple[str, str]]]
    languages: list[str]
    vectors: Vectors

    def questions(self, n: int) -> list[str]:
        """Give sentences out of passages all over the manuals."""
        least, most = _QUESTION_CHARACTERS
        sentences = [sentence for found in self.sentences for sentence in found]
        fit = [
            text for text, terms in sentences if least <= len(text) <= most and len(terms.split()) >= _QUESTION_TERMS
        ]
        chosen = np.random.default_rng(1).choice(len(fit), size=n, replace=False)
        return [fit[place] for place in chosen]


def make_seed(embedder: Embedder, megabytes: float) -> Seed:
    """Take the manuals in, once for all runs, and give their passages."""
    folder = _CACHE / f"{embedder.name.replace('/', '-')}-{megabytes}"
    with_documents = KnowledgeBase.open(folder / "kb", embedder, create=True)
    if with_documents.catalog.counts()[0] == 0:
        documents = make_corpus(folder / "documents", int(megabytes * 1e6))
        ingest_paths(with_documents, [documents], IngestConfig())
    query = (
        "SELECT chunks.text, language, vector FROM chunks JOIN vectors ON vectors.embedder = ?"
        " AND vectors.text_hash = chunks.text_hash ORDER BY chunks.text_hash"
    )
    rows = with_documents.catalog.rows(query, (embedder.name,))
    with_documents.close()
    vectors = np.frombuffer(b"".join(row[2] for row in rows), dtype="<f4").reshape(len(rows), -1)
    return Seed([_sentences(row[0]) for row in rows], [row[1] for row in rows], vectors)


def grow(seed: Seed, n_chunks: int, folder: Path, embedder: Embedder) -> KnowledgeBase:
    """Make a knowledge base of `n_chunks`; its index isn't built yet."""
    kb = KnowledgeBase.open(folder, embedder, create=True)
    chance = np.random.default_rng(n_chunks)
    with kb.writing():
        kb.put(_document("empty.txt", [])[0], [], np.zeros((0, embedder.dimension), dtype=np.float32))
        for start in range(0, n_chunks, _BATCH):
            with kb.catalog.change() as db:
                _add(db, seed, range(start, min(start + _BATCH, n_chunks)), chance, embedder.name)
    return kb


def _add(db: sqlite3.Connection, seed: Seed, numbers: range, chance: np.random.Generator, embedder: str) -> None:
    grown = list(_grown(seed, len(numbers), chance))
    chunks: list[tuple[str | int | None, ...]] = []
    vectors: list[tuple[str, str, bytes]] = []
    for start in range(0, len(grown), CHUNKS_A_DOCUMENT):
        its = grown[start : start + CHUNKS_A_DOCUMENT]
        document, spans = _document(f"grown/{numbers[start]:08d}.txt", [text for text, *_ in its])
        db.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", document_row(document, "grown"))
        for position, (span, (text, terms, language, vector)) in enumerate(zip(spans, its, strict=True)):
            id_ = chunk_id(document.id, span, text)
            hash_ = text_hash(id_)
            place = (id_, document.id, position, span.start, span.end)
            chunks.append((*place, text, "[]", None, hash_, terms, language))
            vectors.append((embedder, hash_, vector))
    db.executemany(
        "INSERT INTO chunks (id, document_id, position, span_start, span_end, text, headings, page, text_hash,"
        " terms, language) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        chunks,
    )
    db.executemany("INSERT INTO vectors VALUES (?, ?, ?)", sorted(vectors))


def _grown(seed: Seed, n: int, chance: np.random.Generator) -> Iterator[tuple[str, str, str, bytes]]:
    """Give text, terms, language and vector of `n` chunks."""
    n_seed, dimension = seed.vectors.shape
    pairs = chance.integers(n_seed, size=(n, 2))
    shares = chance.uniform(0.5, 1.0, size=(n, 1)).astype(np.float32)
    noise = chance.standard_normal((n, dimension), dtype=np.float32) * np.float32(_NOISE / np.sqrt(dimension))
    vectors = shares * seed.vectors[pairs[:, 0]] + (1 - shares) * seed.vectors[pairs[:, 1]] + noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    windows = chance.uniform(size=(n, 2))
    for (first, second), share, vector, (one, two) in zip(pairs, shares[:, 0], vectors, windows, strict=True):
        found = [*_window(seed.sentences[first], share, one), *_window(seed.sentences[second], 1 - share, two)]
        terms = " ".join(terms for _, terms in found)
        yield "\n".join(text for text, _ in found), terms, seed.languages[first], vector.tobytes()


def _window(sentences: list[tuple[str, str]], share: float, place: float) -> list[tuple[str, str]]:
    """Give a run of neighbours, a share of all, at least one."""
    n = max(1, round(share * len(sentences)))
    start = int(place * (len(sentences) - n + 1))
    return sentences[start : start + n]


def _sentences(text: str) -> list[tuple[str, str]]:
    found = [span.of(text) for span in split_sentences(text)] or [text]
    return [(sentence, " ".join(index_terms(sentence))) for sentence in found]


def _document(source: str, texts: list[str]) -> tuple[Document, list[Span]]:
    spans, at = [], 0
    for text in texts:
        spans.append(Span(at, at + len(text)))
        at += len(text) + 1
    blocks = tuple(Block("paragraph", span) for span in spans)
    text = "\n".join(texts)
    return Document(document_id(source), source, text_hash(text), source, text, (), blocks, "mixed", {}), spans
