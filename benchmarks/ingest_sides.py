"""One side of `benchmarks.ingest` as a whole process: python -m benchmarks.ingest_sides SIDE DOCUMENTS MODEL HOME

Prints a line once there is a searchable index, and then one of JSON: seconds and CPU seconds from the process's start
to that moment, its own peak memory, and what the embedder really read. The quickstarts are those of the two libraries'
documentation, over the same sentence-transformers folder; neither library's own wrapper of that is used (the packages
aren't needed by anything else here), but a class of its interface that calls the same `encode`.
"""

import importlib.util
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Embedded = list[str]  # every text that was given to the embedder, as it was given


def footnote(documents: Path, model: Path, home: Path) -> tuple[int, Callable[[], Embedded]]:
    """Ingest as the command does."""
    from app.engine import Engine
    from app.settings import Settings

    engine = Engine(Settings(home=home, embedder=str(model)))
    report = engine.ingest("benchmark", [documents])

    def embedded() -> Embedded:
        catalog = engine.knowledge_base("benchmark").catalog
        return [chunk.embedded_text for info in catalog.documents() for chunk in catalog.chunks_of(info.id)]

    return len(report.failed), embedded


def llama_index(documents: Path, model: Path, home: Path) -> tuple[int, Callable[[], Embedded]]:
    """https://developers.llamaindex.ai: SimpleDirectoryReader, VectorStoreIndex.from_documents, persist."""
    package = importlib.util.find_spec("llama_index.core")
    assert package is not None
    assert package.origin is not None
    # Its word lists are copied, because nltk refuses files with several names, which some installers make.
    words = Path(package.origin).parent / "_static" / "nltk_cache"
    os.environ["NLTK_DATA"] = str(shutil.copytree(words, home / "nltk", dirs_exist_ok=True))
    from llama_index.core import Settings, SimpleDirectoryReader, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(model))
    texts: Embedded = []

    class Embedding(BaseEmbedding):
        """What HuggingFaceEmbedding is: batches of 10, normalised."""

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, batch: list[str]) -> list[list[float]]:
            texts.extend(batch)
            vectors: list[list[float]] = encoder.encode(batch, normalize_embeddings=True).tolist()
            return vectors

        def _get_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embeddings([query])[0]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    Settings.embed_model = Embedding()
    loaded = SimpleDirectoryReader(str(documents), recursive=True).load_data()
    index = VectorStoreIndex.from_documents(loaded)
    index.storage_context.persist(str(home / "llama_index"))
    read = {document.metadata["file_path"] for document in loaded}
    return sum(path.is_file() for path in documents.rglob("*")) - len(read), lambda: texts


def langchain(documents: Path, model: Path, home: Path) -> tuple[int, Callable[[], Embedded]]:
    """https://docs.langchain.com, the RAG tutorial: load, RecursiveCharacterTextSplitter(1000, 200), embed, FAISS.

    Its loaders live in langchain-community, which is no longer maintained; what they call is called here: bs4 for HTML,
    pypdf a page for PDF, and the text itself for the rest.
    """
    import faiss
    import numpy as np
    from langchain_core.documents import Document
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    from sentence_transformers import SentenceTransformer

    loaded, failed = [], 0
    for path in sorted(documents.rglob("*")):
        if path.is_file():
            texts = _plain_texts(path)
            failed += not texts
            loaded += [Document(text, metadata={"source": str(path)}) for text in texts]
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
    chunks = [chunk.page_content for chunk in splitter.split_documents(loaded)]
    encoder = SentenceTransformer(str(model))
    vectors = encoder.encode(chunks, normalize_embeddings=True)  # batches of 32, sorted by length
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    faiss.write_index(index, str(home / "langchain.faiss"))
    (home / "langchain.json").write_text(json.dumps(chunks))
    return failed, lambda: chunks


def _plain_texts(path: Path) -> list[str]:
    if path.suffix == ".pdf":
        from pypdf import PdfReader

        return [page.extract_text() for page in PdfReader(path).pages]
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix in (".html", ".htm"):
        from bs4 import BeautifulSoup

        return [BeautifulSoup(text, "html.parser").get_text()]
    return [text]


SIDES = {"footnote": footnote, "llama_index": llama_index, "langchain": langchain}


def count_tokens(texts: Sequence[str], model: Path, *, reads_all: bool) -> tuple[int, int]:
    """Give how many tokens the texts have, and how many of them the embedder read (special ones are no text)."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    window = json.loads((model / "sentence_bert_config.json").read_text())["max_seq_length"] - 2
    lengths = [len(found.ids) for found in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
    return sum(lengths), sum(lengths) if reads_all else sum(min(length, window) for length in lengths)


def embedding_rate(texts: Sequence[str], model: Path) -> dict[str, float]:
    """Give how many operations a second embedding does, and what share of what large matrix products reach here.

    A token costs two operations a weight of the layers; attention's own are left out, so the share is a little low.
    """
    import torch

    from ingest.embedder import SentenceTransformerEmbedder

    embedder = SentenceTransformerEmbedder(model)
    embedder.embed_passages(texts[:64])
    config = json.loads((model / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    weights = config["num_hidden_layers"] * (4 * hidden**2 + 2 * hidden * inner)
    tokens = count_tokens(texts, model, reads_all=True)[1]
    embedding, product = 0.0, 0.0
    for _ in range(3):  # one after the other, the best of each: other work on the machine only takes away
        started = time.perf_counter()
        embedder.embed_passages(texts)
        embedding = max(embedding, 2 * weights * tokens / (time.perf_counter() - started))
        for dtype in (torch.float32, torch.bfloat16):
            left = torch.randn(2048, 2048, dtype=dtype)
            left @ left
            started = time.perf_counter()
            for _ in range(5):
                left @ left
            product = max(product, 5 * 2 * 2048**3 / (time.perf_counter() - started))
    return {"embedding": embedding, "matmul": product, "share_of_matmul_rate": embedding / product}


def main() -> None:
    """Run one side and print what it took."""
    side, documents, model, home = sys.argv[1], *map(Path, sys.argv[2:5])
    if side == "rate":
        texts = footnote(documents, model, home)[1]()
        print(json.dumps(embedding_rate(texts[:512], model)))
        return
    started = float(os.environ["BENCHMARK_STARTED"])
    n_failed, embedded = SIDES[side](documents, model, home)
    print("searchable", flush=True)  # for whoever watches the memory: what follows is the benchmark's own work
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    row: dict[str, Any] = {
        "seconds": time.time() - started,
        "cpu_seconds": sum(usage.ru_utime + usage.ru_stime for usage in usages),
        "memory_bytes": usages[0].ru_maxrss * 1024,
        "failed": n_failed,
    }
    row["tokens"], row["tokens_read"] = count_tokens(embedded(), model, reads_all=side == "footnote")
    print(json.dumps(row))


if __name__ == "__main__":
    main()
