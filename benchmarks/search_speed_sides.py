"""One side of `benchmarks.search_speed` as a process: python -m benchmarks.search_speed_sides SIDE KB_FOLDER MODEL

Opens the knowledge base, or loads the same vectors and texts as a peer's quickstart holds them, says how long that
took, and answers tasks: one JSON object a line in, one out. No side knows the others.

`exact` is the vector store of LangChain's quickstart alone (its FAISS store is an IndexFlatIP and a dictionary of
documents); `langchain` joins it with rank_bm25 by LangChain's own EnsembleRetriever, as its BM25Retriever does: words
split at white space. `llama_index` is VectorStoreIndex over its FaissVectorStore.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from ingest.dense_index import VECTORS
from ingest.embedder import Embedder, SentenceTransformerEmbedder, Vectors
from ingest.index_generation import current_manifest
from ingest.knowledge_base import KnowledgeBase

TOP_K = 10
Task = dict[str, Any]  # JSON
Retrieve = Callable[[str], int]  # a question in, the number of passages out
Nearest = Callable[[Vectors], list[int]]  # a vector in, the nearest rows out


def footnote(folder: Path, embedder: Embedder) -> tuple[Retrieve, Nearest]:
    """Search as every face does; threads share the knowledge base, as in the page."""
    from retrieval.search import SearchConfig, search

    kb = KnowledgeBase.open(folder, embedder)
    kb.generation()

    def nearest(vector: Vectors) -> list[int]:
        generation = kb.generation()
        return [row for row, _ in generation.dense.search(vector, TOP_K, among=generation.live)]

    return lambda question: len(search(kb, question, SearchConfig(top_k=TOP_K)).hits), nearest


def exact(folder: Path, embedder: Embedder) -> tuple[Retrieve, Nearest]:
    """Do what LangChain's FAISS store does for one question."""
    index, retriever = _langchain_store(folder, embedder)
    return lambda question: len(retriever.invoke(question)), lambda vector: _rows(index, vector)


def langchain(folder: Path, embedder: Embedder) -> tuple[Retrieve, Nearest]:
    """Do what LangChain's EnsembleRetriever does over that store and BM25."""
    from langchain_classic.retrievers.ensemble import EnsembleRetriever
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from rank_bm25 import BM25Okapi

    index, store = _langchain_store(folder, embedder)
    documents = store.documents

    class Words(BaseRetriever):
        """What BM25Retriever is."""

        bm25: Any

        def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
            found: list[Document] = self.bm25.get_top_n(query.split(), documents, n=TOP_K)
            return found

    words = Words(bm25=BM25Okapi([document.page_content.split() for document in documents]))
    both = EnsembleRetriever(retrievers=[words, store], weights=[0.5, 0.5])
    return lambda question: len(both.invoke(question)), lambda vector: _rows(index, vector)


def llama_index(folder: Path, embedder: Embedder) -> tuple[Retrieve, Nearest]:
    """Do what VectorStoreIndex does over a FAISS store."""
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.schema import TextNode
    from llama_index.vector_stores.faiss import FaissVectorStore

    class Embedding(BaseEmbedding):
        """Our embedder in LlamaIndex's interface."""

        def _get_text_embedding(self, text: str) -> list[float]:
            raise NotImplementedError("every node comes with its vector")

        def _get_query_embedding(self, query: str) -> list[float]:
            return list(map(float, embedder.embed_query(query)))

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    vectors = _vectors(folder)
    store = FaissVectorStore(faiss_index=faiss.IndexFlatIP(vectors.d))
    context = StorageContext.from_defaults(vector_store=store)
    index = VectorStoreIndex([], storage_context=context, embed_model=Embedding())
    texts, batch = _texts(folder), 5000
    for start in range(0, len(texts), batch):
        some = texts[start : start + batch]
        rows = vectors.reconstruct_n(start, len(some)).tolist()
        index.insert_nodes([TextNode(text=text, embedding=row) for text, row in zip(some, rows, strict=True)])
    retriever = index.as_retriever(similarity_top_k=TOP_K)
    return lambda question: len(retriever.retrieve(question)), lambda vector: _rows(vectors, vector)


SIDES = {"footnote": footnote, "exact": exact, "langchain": langchain, "llama_index": llama_index}


def _langchain_store(folder: Path, embedder: Embedder) -> tuple[faiss.Index, Any]:
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    index = _vectors(folder)

    class Store(BaseRetriever):
        """What the FAISS store's own retriever is."""

        documents: list[Any]

        def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
            return [self.documents[row] for row in _rows(index, embedder.embed_query(query))]

    texts = _texts(folder)
    return index, Store(documents=[Document(page_content=text, id=str(row)) for row, text in enumerate(texts)])


def _rows(index: faiss.Index, vector: Vectors) -> list[int]:
    rows: list[int] = index.search(np.ascontiguousarray(vector[None, :]), TOP_K)[1][0].tolist()
    return rows


def _vectors(folder: Path) -> faiss.Index:
    return faiss.read_index(str(_generation(folder) / VECTORS))


def _texts(folder: Path) -> list[str]:
    """Give the chunks' texts in the order of the rows."""
    from ingest.catalog import Catalog

    numbers = np.load(_generation(folder) / "rows.npy")
    catalog = Catalog(folder / "catalog.sqlite", create=False)
    by_number = dict(catalog.stream("SELECT number, text FROM chunks", ()))
    catalog.close()
    return [by_number[number] for number in numbers.tolist()]


def _generation(folder: Path) -> Path:
    current = current_manifest(folder)
    assert current is not None
    return current[0]


def _answer(task: Task, retrieve: Retrieve, nearest: Nearest, embedder: Embedder) -> Task:
    if task["do"] == "nearest":
        vectors = [embedder.embed_query(question) for question in task["questions"]]
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)
        timed = [_timed(nearest, vector) for vector in vectors]
        faiss.omp_set_num_threads(threads)
        return {"latencies": [seconds for seconds, _ in timed], "rows": [rows for _, rows in timed]}
    started, cpu_started = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(task["threads"]) as pool:
        latencies = list(pool.map(lambda question: _timed(retrieve, question)[0], task["questions"]))
    return {
        "latencies": latencies,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu_started,
        "memory_bytes": _memory_bytes(),
    }


def _timed(work: Callable[..., Any], *arguments: object) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - started, result


def _memory_bytes() -> int:
    """Give what this process holds in memory now, the read parts of mapped files included."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024


def main() -> None:
    """Open, then answer tasks until the input ends."""
    side, folder, model = sys.argv[1:]
    embedder = SentenceTransformerEmbedder(Path(model))
    embedder.embed_query("the first one loads the weights")
    before = _memory_bytes()
    seconds, (retrieve, nearest) = _timed(SIDES[side], Path(folder), embedder)
    print(json.dumps({"open_seconds": seconds, "embedder_bytes": before}), flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line), retrieve, nearest, embedder)), flush=True)


if __name__ == "__main__":
    main()
