"""One set's corpus in one knowledge base against halves of it in two, by embedder: what asking several at once costs.

python -m benchmarks.several [SET] [--quick] [--json]
"""

import json
import random
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import click

from app.engine import Engine
from app.evaluation.corpus import cache_settings, record_document
from app.evaluation.layouts import read_set
from app.evaluation.sets import EvaluationSet, Record
from app.settings import load_settings

_SET = Path(__file__).parents[2] / "shared" / "eval" / "squad2_dev"
_E5, _MINILM = "multilingual-e5-small", "all-MiniLM-L6-v2"
# What is searched together: for each knowledge base its embedder, and which half of the corpus it holds (2: all of it).
_LAYOUTS = {
    "all in one, e5": ((_E5, 2),),
    "all in one, MiniLM": ((_MINILM, 2),),
    "halves, e5 and e5": ((_E5, 0), (_E5, 1)),
    "halves, e5 and MiniLM": ((_E5, 0), (_MINILM, 1)),
    "halves, MiniLM and e5": ((_MINILM, 0), (_E5, 1)),
}


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=_SET, metavar="SET")
@click.option(
    "--layout", "layouts", multiple=True, type=click.Choice(list(_LAYOUTS)), help="Only these; all when none."
)
@click.option("--quick", is_flag=True, help="Ask 100 questions instead of 500.")
@click.option("--json", "as_json", is_flag=True)
def main(path: Path, layouts: tuple[str, ...], quick: bool, as_json: bool) -> None:
    """Measure recall@1, recall@10 and MRR@10, and which knowledge base the first passage comes from."""
    questions = read_set(path)
    asked = [q for q in questions.questions if q.relevance and q.question.strip()]
    asked = random.Random(0).sample(asked, min(len(asked), 100 if quick else 500))
    settings = cache_settings(load_settings())
    engine = Engine(settings)
    figures: dict[str, dict[str, float]] = {}
    click.echo(
        f"{questions.name}, {len(asked)} questions\n{'':<24}{'R@1':>7}{'R@10':>7}{'MRR':>7}{'first from 1st':>16}"
    )
    for name in layouts or _LAYOUTS:
        parts = _LAYOUTS[name]
        kbs = [_built(questions, embedder, half) for embedder, half in parts]
        ranks, firsts = [], 0
        for question in asked:
            hits = engine.search(kbs[0], question.question, top_k=10, also=kbs[1:]).hits
            sources = list(dict.fromkeys(hit.source for hit in hits))
            found = [rank for rank, source in enumerate(sources, 1) if source in question.relevance]
            ranks.append(found[0] if found else 0)
            firsts += bool(hits) and hits[0].kb == kbs[0]
        n = len(asked)
        figures[name] = {
            "recall@1": sum(rank == 1 for rank in ranks) / n,
            "recall@10": sum(rank > 0 for rank in ranks) / n,
            "mrr@10": sum(1 / rank for rank in ranks if rank) / n,
            "first_from_first": firsts / n,
        }
        click.echo(
            f"{name:<24}"
            + "".join(f"{100 * value:>{7 if i < 3 else 16}.1f}" for i, value in enumerate(figures[name].values()))
        )
    if as_json:
        click.echo(json.dumps({"name": "several", "figures": figures}))


def _built(questions: EvaluationSet, embedder: str, half: int) -> str:
    """Make the knowledge base of a half of the corpus, once."""
    settings = cache_settings(replace(load_settings(), embedder=embedder))
    engine = Engine(settings)
    kb = f"several-{questions.name}-{'abw'[half]}-{embedder.split('-')[0]}"
    records = (record for record in questions.records if half == 2 or _half(record) == half)
    if kb not in engine.knowledge_bases():
        engine.add_documents(kb, (record_document(record) for record in records))
    return kb


def _half(record: Record) -> int:
    return sha256(record.id.encode()).digest()[0] % 2


if __name__ == "__main__":
    main()
