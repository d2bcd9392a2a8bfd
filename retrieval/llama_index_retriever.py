"""A search as a LlamaIndex retriever: a question in, nodes with their places and scores out. Imports LlamaIndex."""

from collections.abc import Callable

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from retrieval.passage_metadata import SHOWN_TO_MODELS, passage_metadata
from retrieval.retrieval import Hit, Retrieval


class FootnoteNodeRetriever(BaseRetriever):  # type: ignore[misc]  # LlamaIndex comes without types
    """Give the passages of a search, best first, to any LlamaIndex query engine.

    `search` is what finds them: `functools.partial(engine.search, "my-kb", top_k=5)`, or a function of your own around
    `retrieval.search.search`; whatever filters it is given hold for every question. A node's offsets are those of the
    document's text; a model is shown its title, page and headings, not ids and offsets.
    """

    def __init__(self, search: Callable[[str], Retrieval]) -> None:
        self._search = search
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [NodeWithScore(node=_node(hit), score=hit.score) for hit in self._search(query_bundle.query_str).hits]


def _node(hit: Hit) -> TextNode:
    metadata = passage_metadata(hit)
    return TextNode(
        id_=hit.chunk.id,
        text=hit.chunk.text,
        start_char_idx=hit.chunk.span.start,
        end_char_idx=hit.chunk.span.end,
        metadata=metadata,
        excluded_llm_metadata_keys=[key for key in metadata if key not in SHOWN_TO_MODELS],
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=hit.chunk.document_id)},
    )
