"""A Retrieval and an LLM in, a cited Answer or an abstention out. Citations and abstention are decided here, not by
the model. Streaming and not streaming are one path. Knows nothing about files or the UI."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from generation.answer import Answer
from generation.answer_config import AnswerConfig
from generation.citing import Similarity
from generation.composing import Clock, DatedOf, Lookups, PageOf, SecondsOf
from generation.condense import Relevance
from generation.judging import ProbedJudge
from generation.llm import LLM, Message
from generation.media import Picture
from generation.prompts import PromptLanguage, prompt_language
from generation.turn import Turn
from ingest.errors import ContextError
from retrieval.retrieval import Retrieval

_FEWER: dict[PromptLanguage, str] = {
    "en": "The prompt was longer than the model's context{limit}; it was asked again with fewer passages.",
    "zh": "提示词超出了模型的上下文{limit}，已减少资料重新提问。",
}
_LIMIT: dict[PromptLanguage, str] = {"en": " ({n} tokens)", "zh": "（{n} 个 token）"}


def answer_question(
    retrieval: Retrieval,
    llm: LLM,
    config: AnswerConfig,
    *,
    history: Sequence[Message] = (),
    question: str | None = None,
    page_of: PageOf | None = None,
    seconds_of: SecondsOf | None = None,
    similarity: Similarity | None = None,
    relevance: Relevance | None = None,
    dated_of: DatedOf | None = None,
    judge: ProbedJudge | None = None,
    clock: Clock = time.perf_counter,
) -> Answer:
    """Give the whole answer at once. Raises ModelError."""
    stream = stream_answer(
        retrieval,
        llm,
        config,
        history=history,
        question=question,
        page_of=page_of,
        seconds_of=seconds_of,
        similarity=similarity,
        relevance=relevance,
        dated_of=dated_of,
        judge=judge,
        clock=clock,
    )
    for item in stream:
        if isinstance(item, Answer):
            return item
    raise AssertionError("stream_answer always ends with the Answer")


def stream_answer(
    retrieval: Retrieval,
    llm: LLM,
    config: AnswerConfig,
    *,
    history: Sequence[Message] = (),
    question: str | None = None,
    page_of: PageOf | None = None,
    seconds_of: SecondsOf | None = None,
    similarity: Similarity | None = None,
    relevance: Relevance | None = None,
    dated_of: DatedOf | None = None,
    judge: ProbedJudge | None = None,
    pictures: Sequence[Picture] = (),
    clock: Clock = time.perf_counter,
) -> Iterator[str | Answer]:
    """Yield the text to show as it comes, markers placed, then the Answer. Raises ModelError.

    `question` is the standalone form of a follow-up; without it `retrieval.question` is answered. The pieces joined
    are `Answer.text`, unless the answer turned out to be an abstention, or the model gave a better one when it was
    asked once more: then `Answer.text` replaces what was shown. A piece may be "": the model is still reading.
    A prompt that is too long for the model is made again with half the passages, once, and `Answer.notes` say so.
    """
    lookups = Lookups(page_of, seconds_of, similarity, relevance, judge, dated_of, clock)
    asked = question or retrieval.question
    once = partial(Turn, retrieval, llm, config, lookups, question=asked, pictures=pictures)
    shown = False
    try:
        with closing(once(history=history).stream()) as items:
            for item in items:
                shown = shown or bool(item)
                yield item
        return
    except ContextError as error:
        if shown:
            raise
        language = prompt_language(asked)
        limit = _LIMIT[language].format(n=error.limit) if error.limit else ""
        note = _FEWER[language].format(limit=limit)
    with closing(once(history=(), passages_share=0.5).stream()) as items:
        for item in items:
            yield replace(item, notes=(*item.notes, note)) if isinstance(item, Answer) else item
