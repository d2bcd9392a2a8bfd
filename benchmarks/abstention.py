"""How well a model knows before it answers whether the passages state the answer: the lines of `generation/abstain.py`.

    python -m benchmarks.abstention SET... [--sample N] [--seed S] [--json]

Of each set half the sample is answerable, half is not. Every question goes through the whole application up to the
prompt; then the model is asked whether the passages state the answer (`generation/stated.py`), and nothing is written.
Printed are, by language, the AUROC and what each line would decline: the risk-coverage curve that a line is chosen on.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.engine import Engine
from app.evaluation.corpus import build_corpus, cache_settings
from app.evaluation.layouts import read_set
from app.evaluation.sets import EvaluationSet
from app.model_making import make_llm
from app.settings import load_settings
from generation.llm import LLM, Prompt, SamplingConfig
from generation.prompts import REFUSALS, prompt_language
from generation.stated import yes_share
from ingest.pipeline import Progress


@dataclass(frozen=True, slots=True)
class Row:
    """One question: the share of Yes, and whether its documents answer it."""

    set: str
    question: str
    language: str
    answerable: bool
    share: float


class Asking:
    """The model, but it writes no answers: a question with passages is refused at once. Keeps the share of Yes."""

    def __init__(self, llm: LLM) -> None:
        self.llm = llm
        self.share: float | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self.llm.name

    @property
    def context_tokens(self) -> int:
        """The model's context."""
        return self.llm.context_tokens

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Yield the refusal; what has no passages, such as a translation, is the model's."""
        if prompt.passages:
            yield REFUSALS[prompt_language(prompt.question)]
        else:
            yield from self.llm.stream(prompt, sampling)

    def next_tokens(self, prompt: Prompt) -> Iterator[Mapping[str, float]]:
        """Ask the model, and keep what it says."""
        for tokens in self.llm.next_tokens(prompt):
            self.share = yes_share(tokens)
            yield tokens

    def count_tokens(self, text: str) -> int:
        """Count as the model does."""
        return self.llm.count_tokens(text)


def balanced(questions: EvaluationSet, size: int, seed: int) -> EvaluationSet:
    """Draw half the size of the answerable questions and half of the others, mixed."""
    drawing = random.Random(seed)
    kinds = ([q for q in questions.questions if q.answerable is kind] for kind in (True, False))
    drawn = [question for kind in kinds for question in drawing.sample(kind, min(size // 2, len(kind)))]
    return replace(questions, questions=tuple(drawing.sample(drawn, len(drawn))))


def ask_set(engine: Engine, asking: Asking, questions: EvaluationSet) -> Iterator[Row]:
    """Ask every question of a set and give its row; none where nothing was found or the model said neither."""
    kb = build_corpus(engine, questions, _ignore).kb
    for question in questions.questions:
        asking.share = None
        for _ in engine.ask(kb, question.question):
            pass
        if asking.share is not None:
            language = prompt_language(question.question)
            yield Row(questions.name, question.question, language, question.answerable, asking.share)


def auroc(rows: Sequence[Row]) -> float:
    """Give the chance that an answerable question has the greater share; ties count half."""
    yes = [row.share for row in rows if row.answerable]
    no = [row.share for row in rows if not row.answerable]
    wins = sum((a > b) + (a == b) / 2 for a in yes for b in no)
    return wins / (len(yes) * len(no)) if yes and no else float("nan")


def kept_and_declined(rows: Sequence[Row], line: float) -> tuple[float, float]:
    """Give the share of answerable questions that stay at a line, and of the others that are declined."""
    yes = [row.share >= line for row in rows if row.answerable]
    no = [row.share < line for row in rows if not row.answerable]
    return sum(yes) / max(1, len(yes)), sum(no) / max(1, len(no))


def main() -> None:
    """Ask, and print the curve of each language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    settings = cache_settings(load_settings())
    asking = Asking(make_llm(settings))
    engine = Engine(settings, llm=asking)
    rows: list[Row] = []
    for path in arguments.sets:
        for row in ask_set(engine, asking, balanced(read_set(path), arguments.sample, arguments.seed)):
            rows.append(row)
            print(f"{row.share:.3f} {row.answerable!s:5} {row.set} {row.question[:80]}", file=sys.stderr, flush=True)
    figures: dict[str, float] = {}
    for language in sorted({row.language for row in rows}):
        spoken = [row for row in rows if row.language == language]
        n_yes = sum(row.answerable for row in spoken)
        figures |= {f"n_{language}": len(spoken), f"auroc_{language}": round(auroc(spoken), 3)}
        print(f"\n{asking.name}, {language}: AUROC {auroc(spoken):.3f}, n {n_yes} + {len(spoken) - n_yes}")
        print("line   answerable kept   others declined")
        for line in (step / 50 for step in range(20, 50)):
            kept, declined = kept_and_declined(spoken, line)
            print(f"{line:.2f}{kept:19.1%}{declined:18.1%}")
    if arguments.json:
        print(json.dumps({"name": "abstention", "figures": figures}))


def _ignore(progress: Progress) -> None:
    pass


if __name__ == "__main__":
    main()
