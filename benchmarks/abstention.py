"""How well it is known before an answer is written whether the passages hold it: the calibration of `generation`.

    python -m benchmarks.abstention SET... --rows FILE [--sample N] [--seed S] [--without-model]   gathers rows
    python -m benchmarks.abstention --fit FILE [--json]                  fits the weights, prints risk and coverage

Of each set half the sample is answerable, half is not; where a set has no others, the gold documents are taken out of
what the search finds. A set of RGB (`en_fact.jsonl`) asks with its right passages and with the noise alone. A row holds
no text: the signals of `generation/signals.py`, the model's share of Yes (`generation/stated.py`) and the label. Rows
are added to FILE as they come; a question that is there is not asked again. Nothing is written by the model.
"""

import argparse
import hashlib
import json
import random
import sys
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from app.engine import Engine
from app.evaluation.corpus import build_corpus, cache_settings
from app.evaluation.layouts import read_set
from app.evaluation.sets import EvaluationSet, Question
from app.model_making import make_llm
from app.settings import load_settings
from benchmarks.abstention_fit import Row, print_fit, read_rows
from benchmarks.noise import read_rgb
from generation.answer_config import AnswerConfig
from generation.condense import condense
from generation.extractive import Extractive
from generation.llm import LLM
from generation.prompts import PromptLimits, build_prompt, prompt_language
from generation.question_form import wants_more
from generation.signals import signals_of
from generation.stated import stated_share
from ingest.pipeline import Progress
from retrieval.legs import relevance
from retrieval.retrieval import Retrieval

_DEEP = 24  # hits, so that ten are left when the gold documents are taken out


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and whether it is asked without the documents that answer it."""

    question: Question
    without_gold: bool

    @property
    def answerable(self) -> bool:
        """Whether what is searched answers it."""
        return self.question.answerable and not self.without_gold

    def key(self, set_name: str) -> str:
        """Name the case without its text."""
        return hashlib.sha256(f"{set_name}\0{self.question.id}\0{self.without_gold}".encode()).hexdigest()[:12]


def cases(questions: EvaluationSet, size: int, seed: int) -> list[Case]:
    """Draw half the size of answerable questions and half of others, in turn."""
    drawing = random.Random(seed)
    asked = [q for q in questions.questions if q.question.strip() and not q.history]
    yes = [q for q in asked if q.answerable]
    no = [q for q in asked if not q.answerable]
    drawn = drawing.sample(yes, min(size // 2, len(yes)))
    others = no or [q for q in yes if q not in drawn and q.relevance] or [q for q in yes if q.relevance]
    declined = drawing.sample(others, min(size // 2, len(others)))
    pairs = zip((Case(q, False) for q in drawn), (Case(q, q.answerable) for q in declined), strict=False)
    return [case for pair in pairs for case in pair]


def row_of(engine: Engine, llm: LLM, kb: str, name: str, case: Case, config: AnswerConfig) -> Row | None:
    """Give a case's row; None where the words of question and passages can't be compared."""
    asked = case.question.question
    found = _found(engine, kb, case)
    close = partial(relevance, engine.knowledge_base(kb))
    config = config.with_more() if wants_more(asked) else config
    queries = (asked, *found.queries[1:])
    budget = config.context_tokens_budget
    excerpts, _ = condense(
        found.hits, (*queries, *found.parts), budget, llm.count_tokens, relevance=close, config=config.condensing
    )
    signals = signals_of(queries, excerpts, close)
    if signals is None:
        return None
    limits = PromptLimits(budget, config.history_tokens, config.history_turns)
    prompt = build_prompt(asked, excerpts, limits=limits, count_tokens=llm.count_tokens)
    stated = _asked(stated_share(llm, prompt))
    closeness = None if signals.closeness is None else round(signals.closeness, 4)
    share = None if stated is None else round(stated, 4)
    language = prompt_language(asked)
    return Row(case.key(name), name, language, case.answerable, round(signals.words, 4), closeness, share)


def _asked(asking: Generator[str, None, float | None]) -> float | None:
    while True:
        try:
            next(asking)
        except StopIteration as end:
            share: float | None = end.value
            return share


def _found(engine: Engine, kb: str, case: Case) -> Retrieval:
    top_k = engine.settings.search.top_k
    found = engine.search(kb, case.question.question, top_k=_DEEP if case.without_gold else top_k)
    hits = [hit for hit in found.hits if not (case.without_gold and hit.source in case.question.relevance)][:top_k]
    return replace(found, hits=tuple(replace(hit, rank=rank) for rank, hit in enumerate(hits, 1)))


def gather(paths: list[Path], *, size: int, seed: int, known: set[str], with_model: bool) -> Iterator[Row]:
    """Yield the rows of sets that aren't known yet, a question of each set in turn."""
    settings = cache_settings(load_settings())
    llm: LLM = make_llm(settings) if with_model else Extractive()
    engine = Engine(settings, llm=llm)
    todo = []
    for path in paths:
        questions = read_rgb(path) if path.is_file() else read_set(path)
        kb = build_corpus(engine, questions, _ignore).kb
        drawn = cases(questions, size, seed)
        todo += [(place / len(drawn), kb, questions.name, case) for place, case in enumerate(drawn)]
    for _, kb, name, case in sorted(todo, key=lambda entry: entry[0]):
        if case.key(name) not in known and (row := row_of(engine, llm, kb, name, case, settings.answer)):
            yield row


def main() -> None:
    """Gather rows, or fit to them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--fit", type=Path)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-model", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.fit:
        figures = print_fit(read_rows(arguments.fit))
        if arguments.json:
            print(json.dumps({"name": "abstention", "figures": figures}))
        return
    if not arguments.sets or not arguments.rows:
        parser.error("name sets and --rows FILE, or --fit FILE")
    known = {row.key for row in read_rows(arguments.rows)} if arguments.rows.is_file() else set()
    rows = gather(
        arguments.sets,
        size=arguments.sample,
        seed=arguments.seed,
        known=known,
        with_model=not arguments.without_model,
    )
    with arguments.rows.open("a", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(asdict(row)) + "\n")
            file.flush()
            print(row, file=sys.stderr)


def _ignore(progress: Progress) -> None:
    pass


if __name__ == "__main__":
    main()
