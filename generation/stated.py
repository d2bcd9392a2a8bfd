"""A prompt in, how sure the model is that its passages state the answer out. Knows nothing of how an answer is made.

The probability of "Yes" against "No" as the first token of a reply (Kadavath et al., "Language Models (Mostly) Know
What They Know", 2022, who ask after the answer). Asked before it, an answer that isn't there need not be written.
"""

from collections.abc import Generator, Mapping

from generation.llm import LLM, Prompt
from generation.prompts import asking_if_stated

_YES = frozenset(("yes", "是", "有"))
_NO = frozenset(("no", "否", "不是", "没有", "没"))
_LEAST_MASS = 0.5  # less for both together: the model isn't answering what it is asked


def stated_share(llm: LLM, prompt: Prompt) -> Generator[str, None, float | None]:
    """Yield "" while the model reads and return the share of Yes, from 0 to 1.

    None where the model gives no probabilities or says something else. Closing it stops the model. Raises ModelError.
    """
    share = None
    for tokens in llm.next_tokens(asking_if_stated(prompt)):
        share = yes_share(tokens)
        yield ""
    return share


def yes_share(tokens: Mapping[str, float]) -> float | None:
    """Give the share of Yes in the probabilities of Yes and No together; None when they are little of the whole."""
    yes = sum(share for token, share in tokens.items() if token.strip().lower() in _YES)
    no = sum(share for token, share in tokens.items() if token.strip().lower() in _NO)
    return yes / (yes + no) if yes + no >= _LEAST_MASS else None
