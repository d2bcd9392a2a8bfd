"""A model's context in, how much of it passages, history and answer get out. Counts nothing itself."""

from generation.prompts import PromptLimits

# Instructions, example and chat marks; 420 tokens of the Qwen tokenizer, 460 in Chinese.
_OPENING_TOKENS = 550
# The same without the example: 160 tokens, as the estimate counts them 190.
_BARE_TOKENS = 230
# Passages with less room than this say too little; the example goes first then.
_ENOUGH_TOKENS = 200
_LEAST_TOKENS = 32


def limits_for(
    context_tokens: int,
    question_tokens: int,
    *,
    passages_tokens: int,
    answer_tokens: int,
    history_tokens: int,
    history_turns: int,
) -> tuple[PromptLimits, int]:
    """Give the prompt's limits, and the longest answer in tokens.

    Where a context doesn't hold all that is wanted, the example is left out, the answer gets a quarter of the context
    at most, and there is history only beside enough passages.
    """
    enough = min(passages_tokens, _ENOUGH_TOKENS)
    room = context_tokens - _OPENING_TOKENS - question_tokens - answer_tokens - history_tokens
    if room >= enough:
        return PromptLimits(min(passages_tokens, room), history_tokens, history_turns), answer_tokens
    answer_tokens = max(1, min(answer_tokens, context_tokens // 4))
    room = context_tokens - _BARE_TOKENS - question_tokens - answer_tokens
    if room - history_tokens >= enough:
        room -= history_tokens
    else:
        history_tokens = history_turns = 0
    shown = max(_LEAST_TOKENS, min(passages_tokens, room))
    return PromptLimits(shown, history_tokens, history_turns, with_example=False), answer_tokens
