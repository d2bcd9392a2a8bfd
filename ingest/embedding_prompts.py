"""An embedding model's name in, what it wants before a query and before a passage out. Knows nothing of servers.

A server takes texts as they are: what the model's card says goes before them must be sent along.
"""

import re
from dataclasses import dataclass

_TASK = "Given a web search query, retrieve relevant passages that answer the query"


@dataclass(frozen=True, slots=True)
class EmbeddingPrompts:
    """What goes before a query and before a passage; "" for nothing."""

    query: str = ""
    passage: str = ""


_SENTENCE = EmbeddingPrompts("Represent this sentence for searching relevant passages: ")
# By the models' own cards; the first that fits counts.
_KNOWN = (
    (re.compile(r"qwen3-?embed"), EmbeddingPrompts(f"Instruct: {_TASK}\nQuery:")),
    (re.compile(r"gte-qwen|\be5\b.*instruct"), EmbeddingPrompts(f"Instruct: {_TASK}\nQuery: ")),
    (re.compile(r"\be5\b"), EmbeddingPrompts("query: ", "passage: ")),
    (re.compile(r"\bbge-(small|base|large)-zh"), EmbeddingPrompts("为这个句子生成表示以用于检索相关文章：")),
    (re.compile(r"\bbge-(small|base|large)\b|mxbai-embed"), _SENTENCE),
    (re.compile(r"arctic-embed.*(v2|2\.0|2:)|arctic-embed2"), EmbeddingPrompts("query: ")),
    (re.compile(r"arctic-embed"), _SENTENCE),
    (re.compile(r"nomic-embed"), EmbeddingPrompts("search_query: ", "search_document: ")),
    (re.compile(r"embedding-?gemma"), EmbeddingPrompts("task: search result | query: ", "title: none | text: ")),
)


def known_prompts(model: str) -> EmbeddingPrompts:
    """Give what a model of this name is known to want; nothing where it isn't known, as bge-m3 wants it."""
    name = model.lower().replace("_", "-")
    return next((prompts for pattern, prompts in _KNOWN if pattern.search(name)), EmbeddingPrompts())
