"""A prompt in, how sure the model is that its passages state the answer out. Knows nothing of how an answer is made.

The probability of "Yes" against "No" as the first token of a reply (Kadavath et al., "Language Models (Mostly) Know
What They Know", 2022, who ask after the answer). Asked before the answer it tells more, and where there is none it need
not be written: benchmarks/LOG.md, 2026-11-25.
"""

from collections.abc import Mapping

from generation.llm import LLM, Prompt
from generation.prompts import asking_if_stated

_YES = frozenset(("yes", "是", "有"))
_NO = frozenset(("no", "否", "不是", "没有", "没"))
_LEAST_MASS = 0.5  # less for both together: the model isn't answering what it is asked


def stated_share(llm: LLM, prompt: Prompt) -> float | None:
    """Give the share of Yes, from 0 to 1; None where the model gives no probabilities or another answer."""
    return yes_share(llm.next_tokens(asking_if_stated(prompt)))


def yes_share(tokens: Mapping[str, float]) -> float | None:
    """Give the share of Yes in the probabilities of Yes and No together; None when they are little of the whole."""
    yes = sum(share for token, share in tokens.items() if token.strip().lower() in _YES)
    no = sum(share for token, share in tokens.items() if token.strip().lower() in _NO)
    return yes / (yes + no) if yes + no >= _LEAST_MASS else None
