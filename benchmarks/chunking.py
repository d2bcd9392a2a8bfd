"""How to cut documents: Footnote's chunker in several sizes against the common splitters, at an equal budget of text.

    python -m benchmarks.chunking SET... [--quick] [--variants NAME...] [--json]

Every variant cuts the same documents, is embedded by the same model and searched by the same search; what counts is the
evidence recall (`app.evaluation.evidence`) within the first 1,000, 2,700 and 4,000 characters that come back, so that
longer chunks win nothing by being longer, and within 2,700 characters of the best five. `--quick` takes 100 questions
of each set, else 400; the corpus stays whole, but of a set of many documents (more than 500) only those are taken that
some question needs, and their neighbours.
"""

import argparse
import importlib.util
import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from langchain_text_splitters import RecursiveCharacterTextSplitter

from app.engine import Engine
from app.evaluation.corpus import record_document
from app.evaluation.evidence import Quoted, cut_to_budget, evidence_recall
from app.evaluation.layouts import read_set
from app.evaluation.sets import EvaluationSet, Question
from app.settings import load_settings
from ingest.catalog_rows import text_hash
from ingest.chunk import ChunkingConfig, chunk_document
from ingest.document import Chunk, Document, Span, chunk_id
from ingest.embedder import Embedder, Vectors
from ingest.knowledge_base import KnowledgeBase
from retrieval.search import SearchConfig, search

BUDGETS = (1000, 2700, 4000)
TOP, TOP_BUDGET = 5, 2700
COLUMNS = (*(f"@{budget}" for budget in BUDGETS), f"top {TOP} @{TOP_BUDGET}")
MANY_DOCUMENTS = 500
NEIGHBOURS = 4  # documents of such a set that are kept before and after a gold one

Chunker = Callable[[Document], list[Chunk]]


def chunkers(embedder: Embedder) -> dict[str, Chunker]:
    """Name every variant."""

    def ours(size: int, least: int, *, headings: bool = True) -> Chunker:
        config = ChunkingConfig(size_tokens=size, min_tokens=least)

        def cut(document: Document) -> list[Chunk]:
            chunks = chunk_document(document, config, embedder.token_starts)
            return chunks if headings else [replace(chunk, headings=()) for chunk in chunks]

        return cut

    def recursive(size: int, overlap: int) -> Chunker:
        splitter = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap, add_start_index=True)

        def cut(document: Document) -> list[Chunk]:
            found = splitter.create_documents([document.text])
            return [_chunk(document, d.metadata["start_index"], d.page_content) for d in found if d.page_content]

        return cut

    def sentences(size: int, overlap: int) -> Chunker:
        splitter = sentence_splitter(size, overlap, embedder)

        def cut(document: Document) -> list[Chunk]:
            chunks, position = [], 0
            for text in splitter.split_text(document.text):
                at = document.text.find(text, max(0, position - len(text)))  # its own offsets go astray in repeats
                if at >= 0:
                    chunks.append(_chunk(document, at, text))
                    position = at + len(text)
            return chunks

        return cut

    return {
        "footnote 100/30": ours(100, 30),
        "footnote 150/45": ours(150, 45),
        "footnote 200/60": ours(200, 60),
        "footnote 200/0": ours(200, 0),
        "footnote 200/120": ours(200, 120),
        "footnote 200/60 without headings": ours(200, 60, headings=False),
        "footnote 300/90": ours(300, 90),
        "footnote 400/120": ours(400, 120),
        "recursive 500 characters": recursive(500, 0),
        "recursive 800 characters": recursive(800, 0),
        "recursive 800, overlap 160": recursive(800, 160),
        "sentences 200 tokens": sentences(200, 0),
        "sentences 200, overlap 40": sentences(200, 40),
    }


def sentence_splitter(size: int, overlap: int, embedder: Embedder) -> Any:  # LlamaIndex's, which has no types here
    """Make LlamaIndex's splitter."""
    os.environ["NLTK_DATA"] = _word_lists().name
    from llama_index.core.node_parser import SentenceSplitter

    def tokens(text: str) -> list[int]:
        return list(embedder.token_starts(text))

    return SentenceSplitter(chunk_size=size, chunk_overlap=overlap, tokenizer=tokens)


@cache
def _word_lists() -> "tempfile.TemporaryDirectory[str]":
    """Copy nltk's word lists until the program ends: it refuses files under several names, as installers make."""
    package = importlib.util.find_spec("llama_index.core")
    assert package is not None
    assert package.origin is not None
    folder = tempfile.TemporaryDirectory()
    shutil.copytree(Path(package.origin).parent / "_static" / "nltk_cache", folder.name, dirs_exist_ok=True)
    return folder


def _chunk(document: Document, start: int, text: str) -> Chunk:
    span = Span(start, start + len(text))
    return Chunk(chunk_id(document.id, span, text), document.id, span, text)


class Cache:
    """Vectors by text, so that what two variants cut alike is embedded once."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}

    def vectors(self, chunks: Sequence[Chunk]) -> Vectors:
        """Give the chunks' vectors, shape (len(chunks), dimension)."""
        texts = {text_hash(chunk.embedded_text): chunk.embedded_text for chunk in chunks}
        missing = sorted(texts.keys() - self._known.keys(), key=lambda key: len(texts[key]))
        for start in range(0, len(missing), 256):
            keys = missing[start : start + 256]
            self._known.update(zip(keys, self._embedder.embed_passages([texts[key] for key in keys]), strict=True))
        keys = [text_hash(chunk.embedded_text) for chunk in chunks]
        return np.array([self._known[key] for key in keys], dtype=np.float32).reshape(len(keys), -1)


def build(folder: Path, documents: Sequence[Document], cut: Chunker, embedder: Embedder, cache: Cache) -> KnowledgeBase:
    """Make a knowledge base of the documents as `cut` cuts them."""
    kb = KnowledgeBase.open(folder, embedder, create=True)
    with kb.writing():
        for document in documents:
            chunks = cut(document)
            kb.put(document, chunks, cache.vectors(chunks), chunking="benchmark")
        kb.refresh()
    return kb


def measure(kb: KnowledgeBase, asked: Sequence[Question]) -> dict[str, float]:
    """Give the mean evidence recall within every budget, the mean over question types where there are types."""
    by_type: dict[str, list[list[float]]] = {}
    for question in asked:
        hits = search(kb, question.question, SearchConfig(top_k=30)).hits
        found = [Quoted(hit.source, hit.chunk.text) for hit in sorted(hits, key=lambda hit: hit.rank)]
        gold = tuple(question.relevance)
        recalls = [evidence_recall(question.gold_spans, cut_to_budget(found, budget), gold) for budget in BUDGETS]
        best = search(kb, question.question, SearchConfig(top_k=TOP)).hits
        few = cut_to_budget([Quoted(hit.source, hit.chunk.text) for hit in best], TOP_BUDGET)
        by_type.setdefault(question.type, []).append([*recalls, evidence_recall(question.gold_spans, few, gold)])
    means = np.mean([np.mean(rows, axis=0) for rows in by_type.values()], axis=0)  # (n_columns,)
    return {name: float(mean) for name, mean in zip(COLUMNS, means, strict=True)}


def read(path: Path, n_sampled: int) -> tuple[list[Document], list[Question], EvaluationSet]:
    """Give the documents and the questions with evidence of one set."""
    questions = read_set(path)
    asked = [question for question in questions.questions if question.gold_spans and question.relevance]
    if n_sampled < len(asked):
        asked = random.Random(0).sample(asked, n_sampled)
    records = questions.records
    if len(records) > MANY_DOCUMENTS:
        needed = {source for question in asked for source in question.relevance}
        gold = [number for number, record in enumerate(records) if record.id in needed]
        kept = sorted({n for g in gold for n in range(g - NEIGHBOURS, g + NEIGHBOURS + 1) if 0 <= n < len(records)})
        records = tuple(records[number] for number in kept)
    return [record_document(record) for record in records], asked, questions


def main() -> None:
    """Measure every set and print a table each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    embedder = Engine(load_settings()).embedder()
    cache = Cache(embedder)
    figures: dict[str, float] = {}
    for path in arguments.sets:
        documents, asked, questions = read(path, 100 if arguments.quick else 400)
        print(f"\n{questions.name}, n = {len(asked)}, {len(documents)} documents")
        print(f"{'':34}  chunks  " + "  ".join(COLUMNS), flush=True)
        for name, cut in chunkers(embedder).items():
            if arguments.variants and name not in arguments.variants:
                continue
            with tempfile.TemporaryDirectory() as folder:
                kb = build(Path(folder) / "kb", documents, cut, embedder, cache)
                row, n_chunks = measure(kb, asked), kb.generation().dense.n_rows
                kb.close()
            print(f"{name:34}{n_chunks:8}  " + "  ".join(f"{value:5.1%}" for value in row.values()), flush=True)
            figures.update({f"{questions.name} {name} {metric}": round(v, 4) for metric, v in row.items()})
    if arguments.json:
        print(json.dumps({"name": "chunking", "figures": figures}))


if __name__ == "__main__":
    main()
