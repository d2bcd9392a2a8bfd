"""How a search is made: what each stage is told, and what can't be searched with."""

from dataclasses import dataclass, field

from ingest.errors import SettingsError
from retrieval.close_sentences import ClosenessConfig
from retrieval.coverage import CoverageConfig
from retrieval.editions import EditionConfig
from retrieval.fuse import FusionConfig
from retrieval.pack import PackingConfig
from retrieval.rerank import RerankConfig
from retrieval.spread import SpreadConfig
from retrieval.widen import ContextConfig


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How many passages a search gives, how many candidates each leg proposes, and how they are joined.

    `budget_tokens`: how many tokens all passages may have together, counted as chunk sizes are, by the embedder's
    tokenizer; 0 is no such bound. `top_k` holds beside it.
    `translate_below`: when the best passage in the question's own language scores less, the question is translated, if
    there is someone to do it. On the 38 answerable sample questions without history, 7 of 8 whose answer stands in the
    other language score below .62, and 2 of 30 others (benchmarks/LOG.md, 2026-11-25).
    """

    top_k: int = 10
    budget_tokens: int = 0
    n_candidates: int = 100
    use_dense: bool = True
    use_lexical: bool = True
    use_parts: bool = True
    # How much a passage's score for the whole question counts beside that for a part of it.
    whole_weight: float = 0.5
    translate_below: float = 0.62
    # What a passage scores for question and previous answer together counts this much: a follow-up often leans on the
    # answer's words ("and for 300,000?" after "the manager approves up to 20,000").
    said_weight: float = 0.8
    fusion: FusionConfig = field(default_factory=FusionConfig)
    coverage: CoverageConfig = field(default_factory=CoverageConfig)
    closeness: ClosenessConfig = field(default_factory=ClosenessConfig)
    packing: PackingConfig = field(default_factory=PackingConfig)
    editions: EditionConfig = field(default_factory=EditionConfig)
    spread: SpreadConfig = field(default_factory=SpreadConfig)
    rerank: RerankConfig = field(default_factory=RerankConfig)
    context: ContextConfig = field(default_factory=ContextConfig)


def check(question: str, config: SearchConfig) -> None:
    """Raise SettingsError for an empty question, and for settings that leave nothing to search in or with."""
    if not question.strip():
        raise SettingsError("the question is empty; ask something")
    if config.top_k < 1:
        raise SettingsError(f"top_k must be at least 1, got {config.top_k}")
    depths = (("rerank_depth", config.rerank.depth), ("sentence_depth", config.closeness.depth))
    for name, value in (("budget_tokens", config.budget_tokens), *depths):
        if value < 0:
            raise SettingsError(f"{name} must not be below 0, got {value}")
    if not (config.use_dense or config.use_lexical):
        raise SettingsError("both the dense and the lexical leg are off; switch one on")
