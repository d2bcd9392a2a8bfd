"""What every face uses: ingest, search, ask, documents. The same question through any face gives the same answer.

One Engine serves many threads. Knowledge bases and models are opened when first used and kept open.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.hearing import Spoken, hear_question
from app.knowledge_bases import KnowledgeBases
from app.model_making import make_judge, make_llm, make_reranker
from app.seeing import Asked, page_pictures, prepare, takes_media
from app.settings import Settings
from generation.abstain import abstain_config, is_refusal
from generation.answer import Answer
from generation.answer_config import AnswerConfig
from generation.answering import stream_answer
from generation.extractive import Extractive
from generation.judging import ProbedJudge
from generation.llm import LLM, Message
from generation.media import Picture
from generation.rewrite import standalone_question
from generation.translate import translate_question
from ingest.catalog import Catalog
from ingest.document import Document, Page, Span, seconds_of
from ingest.document_facts import document_days
from ingest.embedder import Embedder
from ingest.file_hash import hash_file
from ingest.pipeline import IngestReport, Progress, ingest_documents, ingest_paths, plan_paths
from ingest.plan import Plan
from retrieval.dictionary import Dictionary, open_dictionary
from retrieval.editions import Dated
from retrieval.filters import EVERYWHERE, Filters
from retrieval.legs import relevance
from retrieval.rerank import Reranker
from retrieval.rerank_probe import ProbedReranker
from retrieval.retrieval import Hit, Retrieval
from retrieval.search import SearchConfig
from retrieval.several import scaled_configs, search_several
from retrieval.why_not import WhyNot, why_not
from retrieval.widen import ContextConfig

_SERVER_PROMPT_TOKENS = 1500


def _ignore(progress: Progress) -> None:
    pass


def _ignore_wait(who: str) -> None:
    pass


class Engine(KnowledgeBases):
    """Footnote, as the faces see it. `embedder`, `llm` and `reranker` take the place of those the settings name."""

    def __init__(
        self,
        settings: Settings,
        *,
        embedder: Embedder | None = None,
        llm: LLM | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        super().__init__(settings, embedder=embedder)
        self._llm = llm
        self._reranker = ProbedReranker(reranker) if reranker else None
        self._dictionary: Dictionary | None = None
        self._judge: ProbedJudge | None = None
        self._sees: bool | None = None
        self._hears: bool | None = None

    def ingest(
        self,
        kb: str,
        paths: Sequence[Path],
        *,
        urls: Sequence[str] = (),
        base: Path | None = None,
        rebuild: bool = False,
        on_progress: Callable[[Progress], None] = _ignore,
        on_wait: Callable[[str], None] = _ignore_wait,
        hash_of: Callable[[Path], str] = hash_file,
        unfinished: Collection[Path] = (),
        tags: Collection[str] = (),
    ) -> IngestReport:
        """Bring a knowledge base in step with files, folders, archives and web pages, making it when it isn't there.

        `on_wait` is told who else is writing; `hash_of`, `unfinished` and `tags` are those of `ingest_paths`.
        """
        writer = self._writer(kb, rebuild=rebuild)
        try:
            return ingest_paths(
                writer,
                paths,
                self.settings.ingest,
                urls=urls,
                base=base,
                rebuild=rebuild,
                on_progress=on_progress,
                on_wait=on_wait,
                hash_of=hash_of,
                unfinished=unfinished,
                tags=tags,
            )
        finally:
            writer.close()

    def plan(
        self,
        kb: str,
        paths: Sequence[Path],
        *,
        urls: Sequence[str] = (),
        base: Path | None = None,
        rebuild: bool = False,
    ) -> Plan:
        """Say what `ingest` would do, changing nothing, fetching nothing and loading no model."""
        self._check_name(kb)
        if kb not in self.knowledge_bases():
            return plan_paths(None, paths, self.settings.ingest, urls=urls, base=base)
        catalog = Catalog(self._folder(kb) / "catalog.sqlite", create=False)
        try:
            return plan_paths(catalog, paths, self.settings.ingest, urls=urls, base=base, rebuild=rebuild)
        finally:
            catalog.close()

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
        also: Sequence[str] = (),
        filters: Filters = EVERYWHERE,
        config: SearchConfig | None = None,
        context: int | None = None,
    ) -> Retrieval:
        """Find passages; a follow-up is first rewritten to stand alone. `config` takes the place of the settings' own.

        `also` names more knowledge bases to search at the same time, `filters` the documents to look at. `translated`
        lets the model translate a question that documents in the other language may answer: what `ask` does. Without
        it no model is needed. `context` widens passages to so many characters.
        """
        opened = self.knowledge_bases_named(kb, also)
        query = standalone_question(question, history, self.llm()) if history else question
        said = history[-1].content if query != question and history[-1].role == "assistant" else ""
        said = "" if is_refusal(said) else said  # a refusal's words are none of the documents'
        config = config or self.settings.search
        if top_k is not None:
            config = replace(config, top_k=top_k)
        if context is not None:
            config = replace(config, context=ContextConfig(context))
        translate = self._translate if translated and not isinstance(self.llm(), Extractive) else None
        return search_several(
            opened,
            question,
            config,
            query=query,
            said=said,
            filters=filters,
            dictionary=self.dictionary,
            translate=translate,
            reranker=self.reranker(),
        )

    def ask(
        self,
        kb: str,
        question: str,
        *,
        history: Sequence[Message] = (),
        also: Sequence[str] = (),
        filters: Filters = EVERYWHERE,
        pictures: Sequence[Picture] = (),
        heard: Sequence[str] = (),
    ) -> Iterator[str | Answer]:
        """Yield the answer's text piece by piece and, last, the Answer itself. Closing it stops the model.

        `pictures` are the user's own, and `heard` becomes notes of the answer: both of `prepared`. A model that sees is
        also shown pages that are pictures.
        """
        retrieval = self.search(kb, question, history=history, translated=True, also=also, filters=filters)
        if self.settings.llm.page_images and (self.settings.llm.url or self.settings.llm.vision == "yes"):
            pages, retrieval = page_pictures(retrieval, self.document, self.settings.llm.page_images, lambda: self.sees)
            pictures = (*pictures, *pages)
        opened = self.knowledge_bases_named(kb, also)
        # Of several embedders one that reads Chinese compares sentences of every language.
        comparing = next((one for one in opened if one.embedder_knows_chinese()), opened[0])
        items = stream_answer(
            retrieval,
            self.llm(),
            self._answer_config(),
            history=history,
            question=retrieval.queries[0],
            page_of=self._page_of,
            seconds_of=self._seconds_of,
            similarity=self._similarity,
            relevance=partial(relevance, comparing),
            dated_of=self._dated_of,
            judge=self.judge(),
            pictures=pictures,
        )
        with closing(items):  # type: ignore[type-var]  # a generator
            for item in items:
                yield replace(item, notes=(*heard, *item.notes)) if isinstance(item, Answer) else item

    def prepared(self, question: str, files: Sequence[tuple[str, bytes]]) -> Asked:
        """Put pictures and recordings (name and bytes) in a question. Raises SourceError, ModelError."""
        return prepare(question, files, lambda: self.sees, self._hear)

    @property
    def sees(self) -> bool:
        """Whether the model sees pictures; its server is asked once. Raises ModelError."""
        if self._sees is None:
            self._sees = takes_media("image", self.llm(), self.settings.llm.vision)
        return self._sees

    @property
    def hears(self) -> bool:
        """Whether the model hears; its server is asked once. Raises ModelError."""
        if self._hears is None:
            self._hears = takes_media("audio", self.llm(), self.settings.llm.audio)
        return self._hears

    def why_not(self, kb: str, document: str, retrieval: Retrieval, *, top_k: int | None = None) -> list[WhyNot]:
        """Trace where a document fell out of a search of `kb`, and of the other knowledge bases that it searched."""
        config = self.settings.search if top_k is None else replace(self.settings.search, top_k=top_k)
        also = [name for name in retrieval.kbs if name != kb]
        opened = self.knowledge_bases_named(kb, also)
        configs = scaled_configs(opened, config)
        traces = [why_not(one, document, retrieval, configs[one.name], dictionary=self.dictionary) for one in opened]
        found = [trace for traced in traces for trace in traced if trace.verdict != "missing"]
        return found or [trace for traced in traces for trace in traced]

    def dictionary(self) -> Dictionary:
        """Give the dictionary that finds English passages for Chinese questions, and the other way round."""
        with self._opening:
            if self._dictionary is None:
                self._dictionary = open_dictionary(self.settings.models_folder)
            return self._dictionary

    def llm(self) -> LLM:
        """Give the language model of the settings; a GGUF loads when the first token is asked for."""
        with self._opening:
            if self._llm is None:
                self._llm = make_llm(self.settings)
            return self._llm

    def reranker(self) -> ProbedReranker | None:
        """Give the reranker of the settings, None where they name none; its weights load with its first score."""
        with self._opening:
            if self._reranker is None and self.settings.reranker.is_set:
                made = make_reranker(self.settings, self.llm)
                self._reranker = ProbedReranker(made, is_trusted=self.settings.reranker.is_llm)
            return self._reranker

    def judge(self) -> ProbedJudge | None:
        """Give what judges claims, None where the settings name nothing; its weights load with its first claim."""
        with self._opening:
            if self._judge is None and self.settings.entailment and (made := make_judge(self.settings)):
                self._judge = ProbedJudge(made)
            return self._judge

    def _answer_config(self) -> AnswerConfig:
        """Give the settings' own; a server reads long prompts quickly, so unless told otherwise it gets more."""
        config = self.settings.answer
        abstain = abstain_config(config.abstain, self.llm().name, self.settings.strictness / 100)
        config = replace(config, abstain=abstain)
        tokens = self.settings.prompt_tokens
        if not tokens and self.settings.llm.url:
            tokens = _SERVER_PROMPT_TOKENS
        return replace(config, context_tokens_budget=tokens) if tokens else config

    def _hear(self, name: str, data: bytes) -> Spoken:
        return hear_question(name, data, self.settings.ingest.load, self.llm, lambda: self.hears)

    def _translate(self, question: str) -> str | None:
        return translate_question(question, self.llm())

    def _page_of(self, hit: Hit, offset: int) -> Page | None:
        """Give the page that holds a character of a hit's document."""
        pages = self.knowledge_base(hit.kb).catalog.pages_of(hit.chunk.document_id)
        return next((page for page in pages if page.span.start <= offset < page.span.end), None)

    def _seconds_of(self, hit: Hit, span: Span) -> tuple[float, float] | None:
        """Give when the words of a hit's document are spoken, in a recording."""
        return seconds_of(self.knowledge_base(hit.kb).catalog.utterances_of(hit.chunk.document_id), span)

    def _dated_of(self, hit: Hit) -> Dated:
        """Give from when a hit's document is."""
        return Dated(*document_days(self.knowledge_base(hit.kb).catalog, hit.chunk.document_id))

    def _similarity(self, left: Sequence[str], right: Sequence[str]) -> npt.NDArray[np.float32]:
        """Give the cosines of two lists of texts, shape (len(left), len(right))."""
        embedder = self.remembering(self.embedder())
        similarity: npt.NDArray[np.float32] = embedder.embed_passages(left) @ embedder.embed_passages(right).T
        return similarity
