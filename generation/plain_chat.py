"""A question and what was said before in, the model's own reply out, marked as coming from no document.

Nothing is searched, cited or checked here.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from generation.answer import Answer
from generation.composing import Clock
from generation.counting import count_ahead
from generation.llm import LLM, Message, Prompt, SamplingConfig, closable
from generation.media import Picture
from generation.reasoning import thinking_of
from retrieval.retrieval import Retrieval

_MARKS_TOKENS = 16  # what a chat template writes around a message, from above


def stream_plain(
    question: str,
    llm: LLM,
    sampling: SamplingConfig,
    *,
    history: Sequence[Message] = (),
    pictures: Sequence[Picture] = (),
    clock: Clock = time.perf_counter,
) -> Iterator[str | Answer]:
    """Yield the reply as it is written, then the Answer, whose `from_documents` is False. Raises ModelError.

    The oldest turns are left out where the model's context doesn't hold them; the reply gets half of it at most.
    """
    started = clock()
    sampling = replace(sampling, max_tokens=min(sampling.max_tokens, llm.context_tokens // 2))
    asked = Message("user", question, tuple(picture.media for picture in pictures))
    messages = (*_fitting(history, question, llm, sampling), asked)
    text = ""
    first_token: float | None = None
    with closing(closable(llm.stream(Prompt(messages, question), sampling))) as pieces:
        for piece in pieces:
            if piece and first_token is None:
                first_token = clock() - started
            text += piece
            yield piece
    total = clock() - started
    yield Answer(
        question=question,
        text=text,
        claims=(),
        abstained=False,
        reason="",
        unresolved=(),
        retrieval=Retrieval(question, (question,), (), (), (), ""),
        prompt=messages,
        completion=text,
        model=llm.name,
        timings={"first_token": total if first_token is None else first_token, "total": total},
        sampling=sampling,
        pictures=tuple(pictures),
        thinking=thinking_of(llm),
        from_documents=False,
    )


def _fitting(history: Sequence[Message], question: str, llm: LLM, sampling: SamplingConfig) -> tuple[Message, ...]:
    """Give the last turns that fit beside the question and the reply, beginning with a user's."""
    count_ahead(llm, question, history)
    left = llm.context_tokens - sampling.max_tokens - llm.count_tokens(question) - 2 * _MARKS_TOKENS
    kept: list[Message] = []
    for message in reversed(history):
        left -= llm.count_tokens(message.content) + _MARKS_TOKENS
        if left < 0:
            break
        kept.insert(0, message)
    while kept and kept[0].role != "user":
        kept.pop(0)
    return tuple(kept)
