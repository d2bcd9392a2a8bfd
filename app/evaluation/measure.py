"""Settings and question sets in, finished runs out: corpora built, questions asked, progress on standard error."""

import time
from collections.abc import Iterator, Sequence

from tqdm import tqdm

from app.engine import Engine
from app.evaluation.corpus import build_corpus, cache_settings
from app.evaluation.metrics_retrieval import relevant
from app.evaluation.run import Asked, QuestionRecord, RunConfig, SetRun, run_questions
from app.evaluation.sets import EvaluationSet, corpus_sources
from app.settings import Settings
from ingest.errors import SettingsError
from ingest.pipeline import Progress


def measure_sets(
    settings: Settings, sets: Sequence[EvaluationSet], config: RunConfig, *, kb: str | None = None
) -> Iterator[SetRun]:
    """Yield each set's run. Ctrl-C ends the set at hand with what was done so far, and is the last run.

    With `kb` that knowledge base is asked; else one is built from each set's corpus, apart from the user's own.
    Raises SettingsError when two sets have one name.
    """
    names = [questions.name for questions in sets]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise SettingsError(f"two sets are called {twice}; rename one folder or measure them one after the other")
    engine = Engine(settings if kb else cache_settings(settings))
    for questions in sets:
        run = _measure(engine, questions, config, kb)
        yield run
        if run.interrupted:
            return


def _measure(engine: Engine, questions: EvaluationSet, config: RunConfig, kb: str | None) -> SetRun:
    started = time.perf_counter()
    failed: tuple[tuple[str, str], ...] = ()
    if kb:
        sources = frozenset(document.source for document in engine.documents(kb))
    else:
        with tqdm(desc=f"{questions.name}: ingest", unit=" documents", disable=None) as bar:
            corpus = build_corpus(engine, questions, lambda progress: _show(bar, progress))
        kb, failed, sources = corpus.kb, corpus.failed, corpus_sources(questions)
    ingested = time.perf_counter()
    records, interrupted = ask_all(engine, kb, questions, config)
    return SetRun(
        name=questions.name,
        n_asked=len(questions.questions),
        records=tuple(records),
        seconds=time.perf_counter() - ingested,
        ingest_seconds=ingested - started,
        interrupted=interrupted,
        failed=failed,
        n_gold_missing=len(_gold(questions) - sources),
    )


def ask_all(engine: Asked, kb: str, questions: EvaluationSet, config: RunConfig) -> tuple[list[QuestionRecord], bool]:
    """Ask every question with a progress bar; tell with the records whether Ctrl-C cut them short."""
    records: list[QuestionRecord] = []
    running = run_questions(engine, kb, questions, config)
    try:
        for record in tqdm(
            running, desc=questions.name, total=len(questions.questions), unit=" questions", disable=None
        ):
            records.append(record)
    except KeyboardInterrupt:
        return records, True
    return records, False


def _show(bar: "tqdm[None]", progress: Progress) -> None:
    bar.total = progress.n_files
    bar.update(progress.n_done - bar.n)


def _gold(questions: EvaluationSet) -> set[str]:
    return {document for question in questions.questions for document in relevant(question.relevance)}
