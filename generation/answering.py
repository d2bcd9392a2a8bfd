"""A Retrieval and an LLM in, a cited Answer or an abstention out. Citations and abstention are decided here, not by
the model. Streaming and not streaming are one path. Knows nothing about files or the UI."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from generation.abstain import ABSTENTIONS, AbstainConfig, is_refusal, only_repeats, reason_before
from generation.answer import Answer, Citation, Claim
from generation.citing import CitingConfig, Evidence, EvidenceIndex, Similarity
from generation.claims import ClaimEnd, ClaimStream
from generation.condense import CondensingConfig, Relevance, condense
from generation.fields import misread
from generation.fit import question_fit
from generation.llm import LLM, Message, Prompt, SamplingConfig
from generation.names import names_in, unknown_subjects
from generation.numbers import missing_years
from generation.prompts import PromptLimits, build_prompt, doubting, prompt_language
from generation.support import Support, SupportConfig, check_support, is_foreign
from generation.surroundings import near, other_thing, passages_of
from ingest.document import Span
from retrieval.retrieval import Retrieval

# Instructions, example and chat marks; 420 tokens of the Qwen tokenizer, 460 in Chinese.
_OPENING_TOKENS = 550

PageOf = Callable[[str, int], int | None]
SecondsOf = Callable[[str, Span], tuple[float, float] | None]  # of words in a recording
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """Everything that shapes an answer. Two equal configs on the same retrieval and model give the same answer."""

    # On 2 cores a prompt costs 30-70 tokens a second: passages are paid for with seconds of waiting. All the evidence
    # for 44 of 45 sample questions is in the best sentences of 500 tokens, for 42 in 450, and for 41 in 1,000 tokens of
    # whole passages (benchmarks/LOG.md, 2026-11-25).
    context_tokens_budget: int = 500
    condensing: CondensingConfig = field(default_factory=CondensingConfig)
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
    clock: Clock = time.perf_counter,
) -> Iterator[str | Answer]:
    """Yield the text to show as it comes, markers placed, then the Answer. Raises ModelError.

    `question` is the standalone form of a follow-up; without it `retrieval.question` is answered. The pieces joined
    are `Answer.text`, unless the answer turned out to be an abstention: then `Answer.text` replaces what was shown. A
    piece may be "": the model is still reading, or asked once more.
    """
    started = clock()
    asked = question or retrieval.question
    limits = _limits(llm, config, asked)
    reason = reason_before(retrieval, config.abstain)
    if reason:
        answer = _abstained(retrieval, llm, Prompt((), asked, ()), "", reason, {"total": clock() - started})
        yield answer.text
        yield answer
        return
    excerpts, dropped = condense(
        retrieval.hits,
        (asked, *retrieval.queries[1:]),
        limits.passages_tokens,
        llm.count_tokens,
        relevance=relevance,
        config=config.condensing,
    )
    retrieval = replace(retrieval, dropped=(*retrieval.dropped, *dropped))
    prompt = build_prompt(asked, excerpts, history=history, limits=limits, count_tokens=llm.count_tokens)
    index = EvidenceIndex(prompt.passages, asked, config.citing)
    composer = _Composer(prompt, index, config, page_of, seconds_of, similarity, clock)
    held = ""
    holding = True
    first_token: float | None = None
    with closing(_closable(llm.stream(prompt, config.sampling))) as pieces:
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
    held += composer.flush()
    total = clock() - started
    timings = {
        "first_token": total if first_token is None else first_token,
        "generate": total - composer.seconds,
        "cite": composer.seconds,
        "total": total,
    }
    reason = _reason_after(composer)
    doubtful = False
    if not reason:
        doubtful, reason = _doubts(composer, (asked, *retrieval.queries[1:]), index, relevance, config.abstain)
    if doubtful:
        again = ""
        with closing(_closable(llm.stream(doubting(prompt), config.sampling))) as pieces:
            for piece in pieces:
                again += piece
                yield ""
        timings = {**timings, "doubt": clock() - started - total, "total": clock() - started}
        if is_refusal(again):
            reason = "the model found no answer in the passages when asked again"
    if reason:
        answer = _abstained(retrieval, llm, prompt, composer.completion, reason, timings)
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
    )


class _Composer:
    """Turn the model's text into the shown text: claims cited as soon as they end, markers numbered by first use."""

    def __init__(
        self,
        prompt: Prompt,
        index: EvidenceIndex,
        config: AnswerConfig,
        page_of: PageOf | None,
        seconds_of: SecondsOf | None,
        similarity: Similarity | None,
        clock: Clock,
    ) -> None:
        self.text = ""
        self.completion = ""
        self.claims: list[Claim] = []
        self.unresolved: list[str] = []
        self.labelled_quotes: list[str] = []
        self._contexts: list[str] = []
        self._near: list[str] = []
        self.seconds = 0.0
        self.question = prompt.question
        self._prompt = prompt
        self._config = config
        self._page_of = page_of
        self._seconds_of = seconds_of
        self._similarity = similarity
        self._clock = clock
        self._index = index
        self._stream = ClaimStream()
        self._markers: dict[tuple[str, Span], int] = {}

    def feed(self, piece: str) -> str:
        """Take what the model wrote, give what to show."""
        self.completion += piece
        return "".join(self._show(event) for event in self._stream.feed(piece))

    def flush(self) -> str:
        """Give the rest when the model has ended."""
        return "".join(self._show(event) for event in self._stream.flush())

    @property
    def surroundings(self) -> str:
        """Everything around the quotes used: title, headings, neighbours, the file's name."""
        return "\n".join(self._contexts)

    @property
    def near(self) -> str:
        """What the quotes can refer to: themselves, title, headings, columns, the text just before."""
        return "\n".join(self._near)

    def _show(self, event: str | ClaimEnd) -> str:
        shown = event if isinstance(event, str) else self._cite(event)
        self.text += shown
        return shown

    def _cite(self, end: ClaimEnd) -> str:
        started = self._clock()
        body = end.text[: len(end.text) - len(end.tail)]
        start = len(self.text) - len(body)
        hinted = {number for marker in end.markers for number in marker.numbers}
        known = range(1, len(self._prompt.passages) + 1)
        self.unresolved += [m.raw for m in end.markers if not all(number in known for number in m.numbers)]
        evidence = self._index.find(end.text, hinted, self._similarity)
        context = passages_of(evidence)
        self.labelled_quotes += [" > ".join((e.hit.title, *e.hit.chunk.headings)) + f"\n{e.quote}" for e in evidence]
        self._near += near(evidence)
        # A file's name often holds the year that its text takes for granted: leave-policy-2023.md.
        self._contexts += [context, *(e.hit.source for e in evidence)]
        support = check_support(
            end.text,
            [e.quote for e in evidence],
            question=self.question,
            context=context,
            weights=self._index.weights,
            config=self._config.support,
        )
        read = misread(end.text, self.question, [e.quote for e in evidence], [e.hit.chunk for e in evidence])
        read = read or other_thing(end.text, self.question, evidence)
        if read:
            support = Support("unsupported", support.score, (*support.reasons, read))
        citations = (
            () if support.status == "unsupported" else tuple(self._citation(e, support.status) for e in evidence)
        )
        markers = "".join(f"[{number}]" for number in sorted({c.marker for c in citations}))
        blank = " " if markers and body[-1:].isascii() else ""
        shown = blank + markers + end.tail
        self.claims.append(Claim(end.text, Span(start, len(self.text) + len(shown)), citations, support.status))
        self.seconds += self._clock() - started
        return shown

    def _citation(self, evidence: Evidence, status: Any) -> Citation:
        chunk = evidence.hit.chunk
        marker = self._markers.setdefault((chunk.document_id, evidence.span), len(self._markers) + 1)
        page = self._page_of(chunk.document_id, evidence.span.start) if self._page_of else chunk.page
        return Citation(
            marker=marker,
            document_id=chunk.document_id,
            source=evidence.hit.source,
            title=evidence.hit.title,
            page=page,
            span=evidence.span,
            quote=evidence.quote,
            status=status,
            score=evidence.score,
            seconds=self._seconds_of(chunk.document_id, evidence.span) if self._seconds_of else None,
        )


def _limits(llm: LLM, config: AnswerConfig, question: str) -> PromptLimits:
    """Leave room for the answer, the question and the instructions inside the model's context."""
    fixed = _OPENING_TOKENS + llm.count_tokens(question) + config.sampling.max_tokens + config.history_tokens
    room = max(64, llm.context_tokens - fixed)
    return PromptLimits(min(config.context_tokens_budget, room), config.history_tokens, config.history_turns)


def _reason_after(composer: _Composer) -> str:
    if not composer.completion.strip():
        return "the model wrote nothing"
    if is_refusal(composer.completion):
        return "the model found no answer in the passages"
    if not any(claim.citations for claim in composer.claims):
        return "nothing the model wrote is supported by the passages"
    asked, surroundings = composer.question, composer.surroundings
    if only_repeats(asked, [claim.text for claim in composer.claims if claim.citations]):
        return "the model only repeated the question"
    if years := missing_years(asked, surroundings):
        return f"the passages speak of other years than {', '.join(map(str, years))}"
    return ""


def _doubts(
    composer: _Composer,
    queries: Sequence[str],
    index: EvidenceIndex,
    relevance: Relevance | None,
    config: AbstainConfig,
) -> tuple[bool, str]:
    """Tell whether the evidence speaks of so little of what is asked that the model should be asked again.

    Words are compared with the query in the evidence's language, if there is one. The reason is filled where there is
    nothing to ask: the thing asked about is neither in the evidence nor the title of any passage.
    """
    surroundings = composer.surroundings
    quotes = [citation.quote for claim in composer.claims for citation in claim.citations]
    query = next((query for query in queries if not all(is_foreign(query, quote) for quote in quotes)), None)
    if query is None:
        return False, ""
    fit = question_fit(query, surroundings, index.weights)
    least = config.named_fit if query == queries[0] else config.translated_named_fit
    subjects = unknown_subjects(query, "\n".join((surroundings, *index.titles)))
    if query != queries[0]:  # a word that the translation left as it was is no name
        subjects = [name for name in subjects if name not in queries[0] or name in names_in(queries[0])]
    if subjects and fit < least:
        return False, f"the passages that would answer don't speak of {', '.join(subjects)}"
    if query != queries[0]:  # a small model refuses most of what it has to answer from another language
        return False, ""
    if unknown_subjects(query, "\n".join((composer.near, *index.titles))):
        return True, ""  # named in the passage, but not where the quote could refer to it
    closeness = max(relevance(query, composer.labelled_quotes), default=0.0) if relevance else config.sure_sum / 2
    return fit + closeness < config.sure_sum, ""


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
    )


def _closable(pieces: Iterator[str]) -> Any:  # the LLMs' streams are generators; a test's may be a plain iterator
    return pieces if hasattr(pieces, "close") else (piece for piece in pieces)
