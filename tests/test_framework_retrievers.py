"""A knowledge base inside a real LangChain chain and a real LlamaIndex query engine."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import SimpleChatModel
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from llama_index.core.llms import CompletionResponse, CompletionResponseGen, CustomLLM, LLMMetadata
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import get_response_synthesizer
from pydantic import Field

from ingest.chunk import ChunkingConfig
from ingest.document import Block, Document, Span, document_id
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, ingest_documents
from ingest.terms import content_terms
from retrieval.langchain_retriever import FootnoteRetriever
from retrieval.llama_index_retriever import FootnoteNodeRetriever
from retrieval.retrieval import Retrieval
from retrieval.search import SearchConfig, search
from tests.hashing_embedder import HashingEmbedder

TEXTS = {
    "ferry.md": "The ferry to Ketter leaves at nine from the north pier.",
    "museum.md": "The museum of nets is closed on Mondays.",
    "渡船.md": "去凯特岛的渡船九点从北码头出发。",
}


@pytest.fixture
def find(tmp_path: Path) -> Callable[[str], Retrieval]:
    kb = KnowledgeBase.open(tmp_path, HashingEmbedder(), create=True)
    documents = [
        Document(document_id(name), name, "1", name, text, (), (Block("paragraph", Span(0, len(text))),), "en")
        for name, text in TEXTS.items()
    ]
    ingest_documents(kb, documents, IngestConfig(chunking=ChunkingConfig(size_tokens=60, min_tokens=5)))
    return lambda question: search(kb, question, SearchConfig(top_k=2))


def best_sentence(prompt: str) -> str:
    """Answer a prompt of context and question: with the line of the context that shares most words with the last."""
    *context, question = [line for line in prompt.splitlines() if line.strip()]
    asked = set(content_terms(question))
    return max(context, key=lambda line: len(asked & set(content_terms(line))))


class ReadingChatModel(SimpleChatModel):
    """A chat model that quotes its prompt."""

    @property
    def _llm_type(self) -> str:
        return "reading"

    def _call(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> str:
        return best_sentence(str(messages[-1].content))


class ReadingLLM(CustomLLM):  # type: ignore[misc]  # LlamaIndex comes without types
    """The same for LlamaIndex, whose prompts end with `Query: ...` and `Answer: `; keeps what it was shown."""

    shown: list[str] = Field(default_factory=list)

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        self.shown.append(prompt)
        context = prompt.split("---------------------")[1]
        question = prompt.split("Query: ")[-1].split("Answer:")[0]
        return CompletionResponse(text=best_sentence(f"{context}\n{question.strip()}"))

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        raise NotImplementedError


def test_a_langchain_chain_answers_from_the_passages(find: Callable[[str], Retrieval]) -> None:
    retriever = FootnoteRetriever(search=find)
    prompt = ChatPromptTemplate.from_messages([("human", "{context}\n\n{question}")])
    chain: Any = (
        {
            "context": retriever | (lambda documents: "\n".join(document.page_content for document in documents)),
            "question": RunnablePassthrough(),
        }
        | prompt
        | ReadingChatModel()
        | StrOutputParser()
    )
    assert chain.invoke("When does the ferry to Ketter leave?") == TEXTS["ferry.md"]
    assert chain.batch(["On which day is the museum closed?", "渡船几点出发？"]) == [
        TEXTS["museum.md"],
        TEXTS["渡船.md"],
    ]


def test_a_langchain_document_says_where_it_stands(find: Callable[[str], Retrieval]) -> None:
    document = FootnoteRetriever(search=find).invoke("When does the ferry to Ketter leave?")[0]
    hit = find("When does the ferry to Ketter leave?").hits[0]
    assert (document.id, document.page_content) == (hit.chunk.id, TEXTS["ferry.md"])
    assert document.metadata == {
        "document_id": document_id("ferry.md"),
        "chunk_id": hit.chunk.id,
        "source": "ferry.md",
        "title": "ferry.md",
        "headings": "ferry.md",
        "start": 0,
        "end": len(TEXTS["ferry.md"]),
        "found_start": 0,
        "found_end": len(TEXTS["ferry.md"]),
        "rank": 1,
        "score": hit.score,
        "score_fused": hit.stages["fused"].score,
        "score_dense": hit.stages["dense"].score,
        "score_lexical": hit.stages["lexical"].score,
        "score_sentence": hit.stages["sentence"].score,
    }


def test_a_llama_index_query_engine_answers_from_the_passages(find: Callable[[str], Retrieval]) -> None:
    llm = ReadingLLM()
    engine = RetrieverQueryEngine(FootnoteNodeRetriever(find), get_response_synthesizer(llm=llm))
    response = engine.query("When does the ferry to Ketter leave?")
    assert str(response) == TEXTS["ferry.md"]
    best, hit = response.source_nodes[0], find("When does the ferry to Ketter leave?").hits[0]
    assert (best.node.node_id, best.score) == (hit.chunk.id, hit.score)
    assert best.node.ref_doc_id == document_id("ferry.md")
    assert TEXTS["ferry.md"][best.node.start_char_idx : best.node.end_char_idx] == best.node.text
    (shown,) = llm.shown
    assert "title: ferry.md" in shown
    assert hit.chunk.id not in shown


def test_a_retriever_takes_any_function_that_searches(find: Callable[[str], Retrieval]) -> None:
    def scoped(question: str, *, kb: str) -> Retrieval:
        return find(f"{question} {kb}")

    assert FootnoteRetriever(search=partial(scoped, kb="Ketter")).invoke("ferry")[0].page_content == TEXTS["ferry.md"]


def test_searching_imports_no_framework() -> None:
    code = (
        "import sys, retrieval.search; print(sorted({'langchain_core', 'llama_index', 'torch'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
