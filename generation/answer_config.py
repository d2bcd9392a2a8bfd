"""What shapes an answer. Values only."""

from dataclasses import dataclass, field, replace

from generation.abstain import AbstainConfig
from generation.citing import CitingConfig
from generation.condense import CondensingConfig
from generation.conflicts import ConflictConfig
from generation.llm import SamplingConfig
from generation.support import SupportConfig


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """Everything that shapes an answer. Two equal configs on the same retrieval and model give the same answer."""

    # On 2 cores a prompt costs 30-70 tokens a second: passages are paid for with seconds of waiting. All the evidence
    # for 44 of 45 sample questions is in the best sentences of 500 tokens, for 42 in 450, and for 41 in 1,000 tokens of
    # whole passages (benchmarks/LOG.md, 2026-11-25).
    context_tokens_budget: int = 500
    condensing: CondensingConfig = field(default_factory=CondensingConfig)
    # A question that asks for steps, a list or a comparison gets more, and more around each good sentence.
    more_tokens_budget: int = 700
    more_neighbours: int = 3
    history_tokens: int = 150
    history_turns: int = 1
    sampling: SamplingConfig = field(default_factory=lambda: SamplingConfig(max_tokens=256))
    citing: CitingConfig = field(default_factory=CitingConfig)
    support: SupportConfig = field(default_factory=SupportConfig)
    conflicts: ConflictConfig = field(default_factory=ConflictConfig)
    abstain: AbstainConfig = field(default_factory=AbstainConfig)
    # An answer's beginning is held back this long, so that a refusal is never shown before it is recognised.
    held_characters: int = 60

    def with_more(self) -> "AnswerConfig":
        """Give the config for a question that asks for steps, a list or a comparison."""
        neighbours = max(self.condensing.neighbours, self.more_neighbours)
        return replace(
            self,
            context_tokens_budget=max(self.context_tokens_budget, self.more_tokens_budget),
            condensing=replace(self.condensing, neighbours=neighbours),
        )
