"""A search as a LangChain retriever: a question in, `Document`s with their places out. Imports langchain-core."""

from collections.abc import Callable

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from retrieval.passage_metadata import passage_metadata
from retrieval.retrieval import Retrieval


class FootnoteRetriever(BaseRetriever):
    """Give the passages of a search, best first, to any LangChain chain or agent.

    `search` is what finds them: `functools.partial(engine.search, "my-kb", top_k=5)`, or a function of your own around
    `retrieval.search.search`; whatever filters it is given hold for every question. The text is the document's own, and
    `metadata` says where it stands (`retrieval.passage_metadata`).
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    search: Callable[[str], Retrieval] = Field(description="finds passages for a question")

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [
            Document(id=hit.chunk.id, page_content=hit.chunk.text, metadata=passage_metadata(hit))
            for hit in self.search(query).hits
        ]
