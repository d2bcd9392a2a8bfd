"""What every face uses: ingest, search, ask, documents. The same question through any face gives the same answer.

One Engine serves many threads. Knowledge bases and models are opened when first used and kept open.
"""

import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.models import find_model
from app.settings import EXTRACTIVE, Settings
from generation.answer import Answer
from generation.answering import AnswerConfig, stream_answer
from generation.extractive import Extractive
from generation.llama_cpp import LlamaCpp, LlamaCppConfig
from generation.llm import LLM, Message
from generation.openai_server import OpenAIServer, OpenAIServerConfig
from generation.rewrite import standalone_question
from generation.translate import translate_question
from ingest.catalog import DocumentInfo
from ingest.document import Document
from ingest.embedder import Embedder, SentenceTransformerEmbedder
from ingest.errors import KnowledgeBaseError, SettingsError
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestReport, Progress, ingest_documents, ingest_paths
from retrieval.legs import relevance
from retrieval.retrieval import Retrieval
from retrieval.search import search

_SERVER_PROMPT_TOKENS = 1500
_KB_NAME = re.compile(r"\w[\w.-]{0,63}")


def _ignore(progress: Progress) -> None:
    pass


class Engine:
    """Footnote, as the faces see it. `embedder` and `llm` take the place of those that the settings name."""

    def __init__(self, settings: Settings, *, embedder: Embedder | None = None, llm: LLM | None = None) -> None:
        self.settings = settings
        self._opening = threading.RLock()
        self._open: dict[str, KnowledgeBase] = {}
        self._embedder = embedder
        self._llm = llm

    def knowledge_bases(self) -> list[str]:
        """List the knowledge bases by name."""
        folder = self.settings.kb_folder
        return sorted(path.parent.name for path in folder.glob("*/catalog.sqlite")) if folder.is_dir() else []

    def ingest(
        self,
        kb: str,
        paths: Sequence[Path],
        *,
        urls: Sequence[str] = (),
        base: Path | None = None,
        rebuild: bool = False,
        on_progress: Callable[[Progress], None] = _ignore,
    ) -> IngestReport:
        """Bring a knowledge base in step with files, folders and web pages, making it when it isn't there."""
        writer = self._writer(kb, rebuild=rebuild)
        try:
            return ingest_paths(
                writer, paths, self.settings.ingest, urls=urls, base=base, rebuild=rebuild, on_progress=on_progress
            )
        finally:
            writer.close()

    def add_documents(
        self, kb: str, documents: Iterable[Document], *, on_progress: Callable[[Progress], None] = _ignore
    ) -> IngestReport:
        """Add documents that exist as values, making the knowledge base when it isn't there."""
        writer = self._writer(kb)
        try:
            return ingest_documents(writer, documents, self.settings.ingest, on_progress=on_progress)
        finally:
            writer.close()

    def search(
        self,
        kb: str,
        question: str,
        *,
        history: Sequence[Message] = (),
        top_k: int | None = None,
        translated: bool = False,
    ) -> Retrieval:
        """Find passages; a follow-up is first rewritten to stand alone.

        `translated` lets the model translate a question that documents in the other language may answer: what `ask`
        does. Without it no model is needed.
        """
        opened = self.knowledge_base(kb)
        query = standalone_question(question, history, self.llm()) if history else question
        config = self.settings.search if top_k is None else replace(self.settings.search, top_k=top_k)
        translate = self._translate if translated and not isinstance(self.llm(), Extractive) else None
        return search(opened, question, config, query=query, translate=translate)

    def ask(self, kb: str, question: str, *, history: Sequence[Message] = ()) -> Iterator[str | Answer]:
        """Yield the answer's text piece by piece and, last, the Answer itself. Closing it stops the model."""
        retrieval = self.search(kb, question, history=history, translated=True)
        yield from stream_answer(
            retrieval,
            self.llm(),
            self._answer_config(),
            history=history,
            question=retrieval.queries[0],
            page_of=self.page_of(kb),
            similarity=self._similarity,
            relevance=partial(relevance, self.knowledge_base(kb)),
        )

    def documents(self, kb: str) -> list[DocumentInfo]:
        """List a knowledge base's documents, by source."""
        return self.knowledge_base(kb).catalog.documents()

    def document(self, kb: str, document_id: str) -> Document:
        """Give one document with its text."""
        return self.knowledge_base(kb).catalog.document(document_id)

    def delete_document(self, kb: str, document_id: str) -> bool:
        """Remove a document from every next answer; tell whether it was there."""
        writer = self._writer(kb)
        try:
            with writer.writing():
                was_there = writer.remove(document_id)
                writer.refresh()
            return was_there
        finally:
            writer.close()

    def delete_knowledge_base(self, kb: str) -> None:
        """Remove a knowledge base with everything in it."""
        open_kb = self.knowledge_base(kb)
        with self._opening, open_kb.writing():
            self._open.pop(kb).close()
            shutil.rmtree(self._folder(kb))

    def page_of(self, kb: str) -> Callable[[str, int], int | None]:
        """Give a function from (document id, character offset) to the page number there."""
        catalog = self.knowledge_base(kb).catalog

        def page_of(document_id: str, offset: int) -> int | None:
            for page in catalog.pages_of(document_id):
                if page.span.start <= offset < page.span.end:
                    return page.number
            return None

        return page_of

    def knowledge_base(self, kb: str) -> KnowledgeBase:
        """Give the open knowledge base. Raises KnowledgeBaseError when it isn't there."""
        with self._opening:
            if kb not in self._open:
                if kb not in self.knowledge_bases():
                    there = ", ".join(self.knowledge_bases()) or "none yet"
                    raise KnowledgeBaseError(
                        f"there is no knowledge base {kb!r} (there are: {there}); make it with:"
                        f" footnote ingest --kb {kb} PATH"
                    )
                self._open[kb] = KnowledgeBase.open(self._folder(kb), self.embedder(), config=self.settings.index)
            return self._open[kb]

    def embedder(self) -> Embedder:
        """Give the embedder of the settings; its weights load when the first vector is asked for."""
        with self._opening:
            if self._embedder is None:
                local = self.settings.models_folder / self.settings.embedder
                model = local if local.is_dir() else self.settings.embedder
                self._embedder = SentenceTransformerEmbedder(model, config=self.settings.embedding)
            return self._embedder

    def llm(self) -> LLM:
        """Give the language model of the settings; a GGUF loads when the first token is asked for."""
        with self._opening:
            if self._llm is None:
                self._llm = self._make_llm()
            return self._llm

    def _make_llm(self) -> LLM:
        llm = self.settings.llm
        if llm.url:
            return OpenAIServer(
                OpenAIServerConfig(
                    base_url=llm.url,
                    model=llm.model or None,
                    api_key=llm.api_key,
                    context_tokens=llm.context_tokens or None,
                )
            )
        if llm.model == EXTRACTIVE:
            return Extractive()
        path = find_model(llm.model, self.settings.models_folder)
        return LlamaCpp(path, LlamaCppConfig(context_tokens=llm.context_tokens or 4096, threads=llm.threads or None))

    def _answer_config(self) -> AnswerConfig:
        """Give the settings' own; a server reads long prompts quickly, so unless told otherwise it gets more."""
        config = self.settings.answer
        tokens = self.settings.prompt_tokens
        if not tokens and self.settings.llm.url:
            tokens = _SERVER_PROMPT_TOKENS
        return replace(config, context_tokens_budget=tokens) if tokens else config

    def _writer(self, kb: str, *, rebuild: bool = False) -> KnowledgeBase:
        """Open a knowledge base of its own for writing, so that readers keep theirs."""
        if not _KB_NAME.fullmatch(kb):
            raise SettingsError(f"{kb!r} can't name a knowledge base; use letters, digits, - _ . (at most 64)")
        return KnowledgeBase.open(
            self._folder(kb), self.embedder(), create=True, rebuild=rebuild, config=self.settings.index
        )

    def _folder(self, kb: str) -> Path:
        return self.settings.kb_folder / kb

    def _translate(self, question: str) -> str | None:
        return translate_question(question, self.llm())

    def _similarity(self, left: Sequence[str], right: Sequence[str]) -> npt.NDArray[np.float32]:
        """Give the cosines of two lists of texts, shape (len(left), len(right))."""
        embedder = self.embedder()
        similarity: npt.NDArray[np.float32] = embedder.embed_passages(left) @ embedder.embed_passages(right).T
        return similarity
