"""One asking of a model: a Retrieval in, shown text and the Answer or abstention out. A prompt that is too long, and
what is done then, is answering.py's."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from generation.abstain import NOT_LIKELY, NOT_STATED, is_refusal, reason_before
from generation.answer import Answer
from generation.answer_config import AnswerConfig
from generation.citing import EvidenceIndex
from generation.composing import Composer, Lookups
from generation.condense import Excerpt, condense
from generation.conflict_notes import state_conflicts
from generation.counting import count_ahead
from generation.doubts import REPEATED, doubts, reason_after
from generation.instructions import notices_of
from generation.limits import limits_for
from generation.llm import LLM, Message, Prompt, closable
from generation.media import Picture
from generation.picturing import Seeing
from generation.prompts import PromptLimits, build_prompt, doubting, prompt_language
from generation.question_form import wants_more
from generation.reasoning import thinking_of
from generation.refusals import left_open, refusal_of
from generation.second_look import with_amounts
from generation.signals import signals_of
from generation.stated import stated_share
from generation.support import is_foreign
from retrieval.retrieval import Retrieval

AnswerStream = Generator[str | Answer, None, None]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A prompt and what becomes of the model's text on it."""

    prompt: Prompt
    index: EvidenceIndex
    composer: Composer


class Turn:
    """What one question needs until it is answered. `question` is its standalone form."""

    def __init__(
        self,
        retrieval: Retrieval,
        llm: LLM,
        config: AnswerConfig,
        lookups: Lookups,
        *,
        question: str,
        history: Sequence[Message],
        pictures: Sequence[Picture],
        passages_share: float = 1.0,
    ) -> None:
        self._lookups = lookups
        self._started = lookups.clock()
        self._config = config.with_more() if wants_more(question) else config
        count_ahead(llm, question, history, retrieval.hits)
        limits, longest = _limits(llm, self._config, question)
        self._limits = replace(limits, passages_tokens=max(1, int(limits.passages_tokens * passages_share)))
        self._sampling = replace(config.sampling, max_tokens=longest)
        self._seeing = Seeing(llm, pictures) if pictures else None
        self._llm = self._seeing or llm
        self._pictures = tuple(pictures)
        self._retrieval = retrieval
        self._question = question
        # A question that was written anew holds all it needs, and a small model repeats the answer before.
        self._history = history if question.startswith(retrieval.question) else ()
        self._stands_alone = not history
        self._is_unsure = False
        self._timings: dict[str, float] = {}
        self._thinking = ""

    def stream(self) -> AnswerStream:
        """Yield the text to show, then the Answer. Raises ModelError, ContextError."""
        # The user's own picture may answer what no passage does.
        has_own = any(not picture.document_id for picture in self._pictures)
        if not has_own and (reason := reason_before(self._retrieval, self._config.abstain)):
            yield from self._declined(reason)
            return
        excerpts = self._condensed()
        draft = self._draft(excerpts)
        if reason := (yield from self._unlikely(draft.prompt, excerpts)):
            yield from self._declined(reason, draft)
            return
        held, is_shown = yield from self._written(draft)
        reason = reason_after(draft.composer)
        is_amiss = reason in ("", REPEATED) and draft.composer.gives_no_amount
        if is_amiss and (looked := (yield from self._looked_again(excerpts))):
            draft, reason, held = looked, "", "" if is_shown else looked.composer.text
        if not reason and not any(claim.picture for claim in draft.composer.claims):
            reason = yield from self._doubted(draft)
        if reason:
            yield from self._declined(reason, draft, is_shown=is_shown)
            return
        if held:
            yield held
        conflicts, said = state_conflicts(draft.composer, self._retrieval.hits, self._lookups, self._config.conflicts)
        if said:
            yield f"\n\n{said}"
        answer = self._answer(draft)
        text = f"{answer.text}\n\n{said}" if said else answer.text
        notes = left_open(self._question, self._retrieval.hits, text) if self._stands_alone else ()
        yield replace(answer, text=text, conflicts=conflicts, conflict_text=said, notes=notes)

    def _condensed(self) -> list[Excerpt]:
        """Give what of the hits fits the prompt; what doesn't is named in the retrieval's `dropped`."""
        excerpts, dropped = condense(
            self._retrieval.hits,
            (self._question, *self._retrieval.queries[1:], *self._retrieval.parts),
            self._limits.passages_tokens,
            self._llm.count_tokens,
            relevance=self._lookups.relevance,
            config=self._config.condensing,
        )
        self._retrieval = replace(self._retrieval, dropped=(*self._retrieval.dropped, *dropped))
        return list(excerpts)

    def _draft(self, excerpts: Sequence[Excerpt]) -> _Draft:
        prompt = build_prompt(
            self._question,
            excerpts,
            history=self._history,
            limits=self._limits,
            count_tokens=self._llm.count_tokens,
        )
        prompt = replace(prompt, pictures=self._pictures)
        index = EvidenceIndex(prompt.passages, self._question, self._config.citing)
        closeness = self._closeness if self._lookups.relevance else None
        return _Draft(prompt, index, Composer(prompt, index, self._config.support, self._lookups, closeness))

    def _closeness(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        relevance = self._lookups.relevance
        assert relevance is not None
        queries = dict.fromkeys((self._question, *self._retrieval.queries[1:], *self._retrieval.parts))
        closeness: npt.NDArray[np.float32] = np.max([relevance(query, texts) for query in queries], axis=0)
        return closeness

    def _unlikely(self, prompt: Prompt, excerpts: Sequence[Excerpt]) -> Generator[str, None, str]:
        """Ask the model whether the passages state the answer, and return why to decline: "" to go on.

        What it says and what the passages' own words say count together. The answer may be in a picture alone.
        """
        if self._pictures:
            return ""
        before = self._lookups.clock()
        share = yield from stated_share(self._llm, prompt)
        if share is not None:
            self._timings["stated"] = self._lookups.clock() - before
        abstain, language = self._config.abstain, prompt_language(self._question)
        if share is not None and share < abstain.least_stated[language]:
            return NOT_STATED
        if is_foreign(self._question, self._retrieval.hits[0].chunk.text):
            return ""  # the answer may be in the other language, whose words can't be compared
        queries = (self._question, *self._retrieval.queries[1:])
        signals = signals_of(queries, excerpts, self._lookups.relevance) if self._lookups.relevance else None
        if signals is None:
            return ""
        calibration = abstain.calibrations[language]
        chance = calibration.chance(replace(signals, stated=share))
        self._is_unsure = chance < calibration.sure
        return NOT_LIKELY if chance < calibration.least else ""

    def _written(self, draft: _Draft) -> Generator[str, None, tuple[str, bool]]:
        """Show the text as the model writes it, and return what of it is still held back, and whether any isn't.

        The beginning is held back, so that a refusal is never shown before it is recognised.
        """
        composer = draft.composer
        held, is_shown = "", False
        first_token: float | None = None
        with closing(closable(self._llm.stream(draft.prompt, self._sampling))) as pieces:
            for piece in pieces:
                if not piece:  # the model is still reading: a chance to stop it
                    yield ""
                    continue
                if first_token is None:
                    first_token = self._seconds()
                held += composer.feed(piece)
                is_long = len(held) >= self._config.held_characters
                is_shown = is_shown or (is_long and not is_refusal(composer.completion))
                if held and is_shown:
                    yield held
                    held = ""
                if composer.is_looping:
                    break
        held += composer.flush()
        self._thinking = thinking_of(self._llm)
        total = self._seconds()
        self._timings |= {
            "first_token": total if first_token is None else first_token,
            "generate": total - composer.seconds,
            "cite": composer.seconds,
        }
        return held, is_shown

    def _looked_again(self, excerpts: Sequence[Excerpt]) -> Generator[str, None, _Draft | None]:
        """Let the model read nothing but amounts, where one was asked for. None when that gives none either."""
        amounts = with_amounts(excerpts, self._question)
        if not amounts:
            return None
        before = self._lookups.clock()
        draft = self._draft(amounts)
        with closing(closable(self._llm.stream(draft.prompt, self._sampling))) as pieces:
            for piece in pieces:
                draft.composer.feed(piece)
                yield ""
                if draft.composer.is_looping:
                    break
        draft.composer.flush()
        self._timings["second_look"] = self._lookups.clock() - before
        if reason_after(draft.composer) or draft.composer.gives_no_amount:
            return None
        self._thinking = thinking_of(self._llm)
        return draft

    def _doubted(self, draft: _Draft) -> Generator[str, None, str]:
        """Ask the model once more where its evidence speaks of little that is asked, and return why to decline."""
        queries = (self._question, *self._retrieval.queries[1:])
        relevance, abstain = self._lookups.relevance, self._config.abstain
        doubtful, reason = doubts(draft.composer, queries, draft.index, relevance, abstain, is_unsure=self._is_unsure)
        if not doubtful:
            return reason
        before = self._lookups.clock()
        again = ""
        with closing(closable(self._llm.stream(doubting(draft.prompt), self._sampling))) as pieces:
            for piece in pieces:
                again += piece
                yield ""
        self._timings["doubt"] = self._lookups.clock() - before
        return "the model found no answer in the passages when asked again" if is_refusal(again) else ""

    def _declined(self, reason: str, draft: _Draft | None = None, *, is_shown: bool = False) -> AnswerStream:
        """Yield an abstention; its text only where nothing else was shown."""
        found = self._retrieval
        refusal = refusal_of(self._question, found.queries, found.hits, stands_alone=self._stands_alone)
        if not is_shown:
            yield refusal.text
        answer = replace(self._answer(draft), claims=(), abstained=True, reason=reason, unresolved=(), boxes=())
        yield replace(answer, text=refusal.text, refusal=refusal.kind, missing=refusal.missing)

    def _answer(self, draft: _Draft | None) -> Answer:
        return Answer(
            question=self._retrieval.question,
            text=draft.composer.text if draft else "",
            claims=tuple(draft.composer.claims) if draft else (),
            abstained=False,
            reason="",
            unresolved=tuple(draft.composer.unresolved) if draft else (),
            retrieval=self._retrieval,
            prompt=draft.prompt.messages if draft else (),
            completion=draft.composer.completion if draft else "",
            model=self._llm.name,
            timings={**self._timings, "total": self._seconds()},
            notices=notices_of(self._retrieval.hits),
            sampling=self._sampling,
            pictures=self._pictures,
            boxes=self._seeing.boxes if self._seeing else (),
            thinking=self._thinking,
        )

    def _seconds(self) -> float:
        return self._lookups.clock() - self._started


def _limits(llm: LLM, config: AnswerConfig, question: str) -> tuple[PromptLimits, int]:
    return limits_for(
        llm.context_tokens,
        llm.count_tokens(question),
        passages_tokens=config.context_tokens_budget,
        answer_tokens=config.sampling.max_tokens,
        history_tokens=config.history_tokens,
        history_turns=config.history_turns,
    )
