"""A Retrieval and an LLM in, a cited Answer or an abstention out. Citations and abstention are decided here, not by
the model. Streaming and not streaming are one path. Knows nothing about files or the UI."""

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from generation.abstain import ABSTENTIONS, NOT_STATED, AbstainConfig, is_refusal, reason_before
from generation.answer import Answer
from generation.citing import CitingConfig, EvidenceIndex, Similarity
from generation.composing import Clock, Composer, PageOf, SecondsOf
from generation.condense import CondensingConfig, Excerpt, Relevance, condense
from generation.doubts import REPEATED, doubts, reason_after
from generation.instructions import notices_of
from generation.limits import limits_for
from generation.llm import LLM, Message, Prompt, SamplingConfig, closable
from generation.media import Picture
from generation.picturing import Seeing
from generation.prompts import PromptLanguage, PromptLimits, build_prompt, doubting, prompt_language
from generation.question_form import wants_more
from generation.reasoning import thinking_of
from generation.second_look import with_amounts
from generation.stated import stated_share
from generation.support import SupportConfig
from ingest.errors import ContextError
from retrieval.retrieval import Retrieval

_FEWER: dict[PromptLanguage, str] = {
    "en": "The prompt was longer than the model's context{limit}; it was asked again with fewer passages.",
    "zh": "提示词超出了模型的上下文{limit}，已减少资料重新提问。",
}
_LIMIT: dict[PromptLanguage, str] = {"en": " ({n} tokens)", "zh": "（{n} 个 token）"}


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
    abstain: AbstainConfig = field(default_factory=AbstainConfig)
    # An answer's beginning is held back this long, so that a refusal is never shown before it is recognised.
    held_characters: int = 60


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
    pictures: Sequence[Picture] = (),
    clock: Clock = time.perf_counter,
) -> Iterator[str | Answer]:
    """Yield the text to show as it comes, markers placed, then the Answer. Raises ModelError.

    `question` is the standalone form of a follow-up; without it `retrieval.question` is answered. The pieces joined
    are `Answer.text`, unless the answer turned out to be an abstention, or the model gave a better one when it was
    asked once more: then `Answer.text` replaces what was shown. A piece may be "": the model is still reading.
    A prompt that is too long for the model is made again with half the passages, once, and `Answer.notes` say so.
    """
    once = partial(
        _stream_once,
        retrieval,
        llm,
        config,
        question=question,
        page_of=page_of,
        seconds_of=seconds_of,
        similarity=similarity,
        relevance=relevance,
        pictures=pictures,
        clock=clock,
    )
    shown = False
    try:
        with closing(once(history=history)) as items:
            for item in items:
                shown = shown or bool(item)
                yield item
        return
    except ContextError as error:
        if shown:
            raise
        language = prompt_language(question or retrieval.question)
        limit = _LIMIT[language].format(n=error.limit) if error.limit else ""
        note = _FEWER[language].format(limit=limit)
    with closing(once(history=(), passages_share=0.5)) as items:
        for item in items:
            yield replace(item, notes=(*item.notes, note)) if isinstance(item, Answer) else item


def _stream_once(
    retrieval: Retrieval,
    llm: LLM,
    config: AnswerConfig,
    *,
    history: Sequence[Message],
    question: str | None,
    page_of: PageOf | None,
    seconds_of: SecondsOf | None,
    similarity: Similarity | None,
    relevance: Relevance | None,
    pictures: Sequence[Picture],
    clock: Clock,
    passages_share: float = 1.0,
) -> Generator[str | Answer, None, None]:
    started = clock()
    asked = question or retrieval.question
    if wants_more(asked):
        config = _with_more(config)
    limits, longest = _limits(llm, config, asked)
    limits = replace(limits, passages_tokens=max(1, int(limits.passages_tokens * passages_share)))
    config = replace(config, sampling=replace(config.sampling, max_tokens=longest))
    seeing = Seeing(llm, pictures) if pictures else None
    llm = seeing or llm
    # The user's own picture may answer what no passage does.
    has_own = any(not picture.document_id for picture in pictures)
    reason = "" if has_own else reason_before(retrieval, config.abstain)
    if reason:
        answer = _abstained(retrieval, llm, Prompt((), asked, ()), "", reason, {"total": clock() - started})
        yield answer.text
        yield answer
        return
    excerpts, dropped = condense(
        retrieval.hits,
        (asked, *retrieval.queries[1:], *retrieval.parts),
        limits.passages_tokens,
        llm.count_tokens,
        relevance=relevance,
        config=config.condensing,
    )
    retrieval = replace(retrieval, dropped=(*retrieval.dropped, *dropped))
    # A question that was written anew holds all it needs, and a small model repeats the answer before.
    told = history if asked.startswith(retrieval.question) else ()

    queries = dict.fromkeys((asked, *retrieval.queries[1:], *retrieval.parts))

    def closest(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        assert relevance is not None
        closeness: npt.NDArray[np.float32] = np.max([relevance(query, texts) for query in queries], axis=0)
        return closeness

    closeness = closest if relevance else None

    def composed(excerpts: Sequence[Excerpt]) -> tuple[Prompt, EvidenceIndex, Composer]:
        prompt = build_prompt(asked, excerpts, history=told, limits=limits, count_tokens=llm.count_tokens)
        prompt = replace(prompt, pictures=tuple(pictures))
        index = EvidenceIndex(prompt.passages, asked, config.citing)
        composer = Composer(prompt, index, config.support, page_of, seconds_of, similarity, clock, closeness)
        return prompt, index, composer

    prompt, index, composer = composed(excerpts)
    before = clock()
    share = None if pictures else (yield from stated_share(llm, prompt))  # the answer may be in a picture alone
    timings: dict[str, float] = {} if share is None else {"stated": clock() - before}
    if share is not None and share < config.abstain.least_stated[prompt_language(asked)]:
        timings = {**timings, "total": clock() - started}
        answer = _abstained(retrieval, llm, prompt, "", NOT_STATED, timings)
        yield answer.text
        yield answer
        return
    held = ""
    holding = True
    first_token: float | None = None
    with closing(closable(llm.stream(prompt, config.sampling))) as pieces:
        for piece in pieces:
            if not piece:  # the model is still reading: a chance to stop it
                yield ""
                continue
            if first_token is None:
                first_token = clock() - started
            held += composer.feed(piece)
            holding = holding and (len(held) < config.held_characters or is_refusal(composer.completion))
            if held and not holding:
                yield held
                held = ""
            if composer.is_looping:
                break
    held += composer.flush()
    thinking = thinking_of(llm)
    total = clock() - started
    timings |= {
        "first_token": total if first_token is None else first_token,
        "generate": total - composer.seconds,
        "cite": composer.seconds,
        "total": total,
    }
    reason = reason_after(composer)
    if reason in ("", REPEATED) and composer.gives_no_amount and (amounts := with_amounts(excerpts, asked)):
        looked = composed(amounts)
        yield from _written(llm, looked[0], config.sampling, looked[2])
        timings = {**timings, "second_look": clock() - started - total, "total": clock() - started}
        if not reason_after(looked[2]) and not looked[2].gives_no_amount:
            prompt, index, composer = looked
            thinking = thinking_of(llm)
            reason, held = "", composer.text if holding else ""
    doubtful = False
    if not reason and not any(claim.picture for claim in composer.claims):
        doubtful, reason = doubts(composer, (asked, *retrieval.queries[1:]), index, relevance, config.abstain)
    if doubtful:
        before = clock()
        again = ""
        with closing(closable(llm.stream(doubting(prompt), config.sampling))) as pieces:
            for piece in pieces:
                again += piece
                yield ""
        timings = {**timings, "doubt": clock() - before, "total": clock() - started}
        if is_refusal(again):
            reason = "the model found no answer in the passages when asked again"
    if reason:
        answer = _abstained(retrieval, llm, prompt, composer.completion, reason, timings)
        answer = replace(answer, sampling=config.sampling, pictures=tuple(pictures), thinking=thinking)
        if holding:
            yield answer.text
        yield answer
        return
    if held:
        yield held
    yield Answer(
        question=retrieval.question,
        text=composer.text,
        claims=tuple(composer.claims),
        abstained=False,
        reason="",
        unresolved=tuple(composer.unresolved),
        retrieval=retrieval,
        prompt=prompt.messages,
        completion=composer.completion,
        model=llm.name,
        timings=timings,
        notices=notices_of(retrieval.hits),
        sampling=config.sampling,
        pictures=tuple(pictures),
        boxes=seeing.boxes if seeing else (),
        thinking=thinking,
    )


def _written(llm: LLM, prompt: Prompt, sampling: SamplingConfig, composer: Composer) -> Iterator[str]:
    """Let the model write to its end unseen; each "" is a chance to stop it."""
    with closing(closable(llm.stream(prompt, sampling))) as pieces:
        for piece in pieces:
            composer.feed(piece)
            yield ""
            if composer.is_looping:
                break
    composer.flush()


def _with_more(config: AnswerConfig) -> AnswerConfig:
    return replace(
        config,
        context_tokens_budget=max(config.context_tokens_budget, config.more_tokens_budget),
        condensing=replace(config.condensing, neighbours=max(config.condensing.neighbours, config.more_neighbours)),
    )


def _limits(llm: LLM, config: AnswerConfig, question: str) -> tuple[PromptLimits, int]:
    return limits_for(
        llm.context_tokens,
        llm.count_tokens(question),
        passages_tokens=config.context_tokens_budget,
        answer_tokens=config.sampling.max_tokens,
        history_tokens=config.history_tokens,
        history_turns=config.history_turns,
    )


def _abstained(
    retrieval: Retrieval, llm: LLM, prompt: Prompt, completion: str, reason: str, timings: Mapping[str, float]
) -> Answer:
    return Answer(
        question=retrieval.question,
        text=ABSTENTIONS[prompt_language(prompt.question)],
        claims=(),
        abstained=True,
        reason=reason,
        unresolved=(),
        retrieval=retrieval,
        prompt=prompt.messages,
        completion=completion,
        model=llm.name,
        timings=timings,
        notices=notices_of(retrieval.hits),
    )
