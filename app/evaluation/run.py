"""A question set and an engine in, one record per question out. Knows nothing of how the figures are shown."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from app.evaluation.metrics_retrieval import ranked_documents
from app.evaluation.scoring import EVIDENCE_PASSAGES, plain_text, score_answer, score_retrieval, shown_citations
from app.evaluation.sets import EvaluationSet, Question
from generation.answer import Answer
from generation.llm import Message
from ingest.errors import FootnoteError
from retrieval.retrieval import Retrieval


class Asked(Protocol):
    """What is measured: `app.engine.Engine`, or a fake in the tests."""

    def search(
        self,
        kb: str,
        question: str,
        *,
        history: Sequence[Message] = (),
        top_k: int | None = None,
        context: int | None = None,
    ) -> Retrieval:
        """Give the ranked passages for a question, widened to `context` characters."""

    def ask(self, kb: str, question: str, *, history: Sequence[Message] = ()) -> Iterator[str | Answer]:
        """Yield the answer as it is written, then the Answer itself."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What is run and how deep: `top_k` hits a question, evidence within `budget_chars` of the first five.

    With `retrieval_only` each passage may have a fifth of that, with the text around it.
    """

    retrieval_only: bool = False
    top_k: int = 30
    budget_chars: int = 2700


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """What came of one question. `error` is empty unless it failed; then it has no scores. `seconds` of both calls."""

    id: str
    question: str
    language: str
    type: str
    answerable: bool
    scores: Mapping[str, float] = field(default_factory=dict)
    documents: tuple[str, ...] = ()
    answer: str | None = None
    abstained: bool | None = None
    reason: str = ""
    quotes: tuple[tuple[str, str], ...] = ()
    error: str = ""
    search_seconds: float = 0.0
    answer_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SetRun:
    """What came of one set. `records` are fewer than `n_asked` when `interrupted`.

    `failed` are documents that could not be read, with the reason; `n_gold_missing` gold documents that the corpus
    doesn't have, which no search can find. `seconds` are those of the questions, `ingest_seconds` of the corpus.
    """

    name: str
    n_asked: int
    records: tuple[QuestionRecord, ...]
    seconds: float
    ingest_seconds: float = 0.0
    interrupted: bool = False
    failed: tuple[tuple[str, str], ...] = ()
    n_gold_missing: int = 0


def run_questions(engine: Asked, kb: str, questions: EvaluationSet, config: RunConfig) -> Iterator[QuestionRecord]:
    """Yield a record for each question, in order.

    A question that fails becomes a record with its error, except the first: a set-up that can't answer anything raises
    its FootnoteError at once.
    """
    for index, question in enumerate(questions.questions):
        try:
            yield _run_question(engine, kb, question, config)
        except FootnoteError as error:
            if index == 0:
                raise
            yield replace(_blank(question), error=str(error))


def _run_question(engine: Asked, kb: str, question: Question, config: RunConfig) -> QuestionRecord:
    started = time.perf_counter()
    retrieval = engine.search(
        kb,
        question.question,
        history=question.history,
        top_k=config.top_k,
        # A prompt has the passages as they were found; who asks for passages has them as long as they may be.
        context=config.budget_chars // EVIDENCE_PASSAGES if config.retrieval_only else 0,
    )
    searched = time.perf_counter()
    record = replace(
        _blank(question),
        scores=score_retrieval(question, retrieval, config.budget_chars),
        documents=tuple(ranked_documents(hit.source for hit in retrieval.hits)),
        search_seconds=searched - started,
    )
    if config.retrieval_only:
        return record
    answer = _last(engine.ask(kb, question.question, history=question.history))
    return replace(
        record,
        scores={**record.scores, **score_answer(question, answer)},
        answer=plain_text(answer),
        abstained=answer.abstained,
        reason=answer.reason,
        quotes=tuple((quote.source, quote.text) for quote in shown_citations(answer)),
        answer_seconds=time.perf_counter() - searched,
    )


def _blank(question: Question) -> QuestionRecord:
    return QuestionRecord(question.id, question.question, question.language, question.type, question.answerable)


def _last(pieces: Iterable[str | Answer]) -> Answer:
    """Read the answer to its end and give the Answer that comes last."""
    for piece in pieces:
        if isinstance(piece, Answer):
            return piece
    raise ValueError("the engine's answer ended without an Answer")
