"""A query and passages in, a score a passage out: how sure a language model is that the passage answers the query.

The probability of "Yes" against "No" as the first token of a reply about one passage ("true" and "false" in Nogueira et
al., "Document Ranking with a Pretrained Sequence-to-Sequence Model", 2020). Knows nothing of rankings.
"""

from collections.abc import Sequence

from generation.llm import LLM, Message, Prompt
from generation.prompts import PromptLanguage, neutralised, prompt_language
from generation.stated import yes_share
from ingest.errors import ModelError

# The query comes first: what a model has read of it is kept for the next passage.
_TURN: dict[PromptLanguage, str] = {
    "en": "Question: {query}\n\nPassage:\n<passage>\n{passage}\n</passage>\n\n"
    "Does the passage answer the question? Reply with Yes or No only.",
    "zh": "问题：{query}\n\n资料：\n<passage>\n{passage}\n</passage>\n\n资料回答了这个问题吗？只回复“是”或“否”。",
}


class LLMReranker:
    """Any language model that gives the probabilities of its tokens. One passage is asked about after the other."""

    def __init__(self, llm: LLM) -> None:
        self.llm = llm

    @property
    def name(self) -> str:
        """The language model's own name."""
        return self.llm.name

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Give the share of Yes a passage, from 0 to 1; 0 where the model says neither Yes nor No.

        Raises ModelError, also where it gives no probabilities.
        """
        return [self._share(query, passage) for passage in passages]

    def _share(self, query: str, passage: str) -> float:
        turn = _TURN[prompt_language(query)].format(query=neutralised(query), passage=neutralised(passage))
        told = [tokens for tokens in self.llm.next_tokens(Prompt((Message("user", turn),), query)) if tokens]
        if not told:
            raise ModelError(
                f"{self.name} gives no probabilities of Yes and No, which reranker = llm asks it for;"
                " set FOOTNOTE_RERANKER to another one, or FOOTNOTE_RERANK_DEPTH to 0"
            )
        return yes_share(told[-1]) or 0.0
