"""The support check on true claims and on claims made false by edits, and citations against gold sentences. No model.

python -m benchmarks.trust [SET ...] [--questions N] [--seed S] [--mending] [--show KIND] [--quick] [--json]
"""

import json
from collections import Counter, defaultdict
from pathlib import Path

import click

from app.evaluation.layouts import read_set
from benchmarks.trust_cases import Case, cases
from generation.answer import Claim
from generation.citing import EvidenceIndex
from generation.composing import Composer, Lookups
from generation.llm import Prompt
from generation.support import SupportConfig
from ingest.document import Span

_SETS = Path(__file__).parents[2] / "shared" / "eval"
_NAMES = ("squad2_dev", "clapnq_dev", "dragonball_en", "cmrc2018_trial", "drcd_dev", "dragonball_zh")


@click.command()
@click.argument("names", nargs=-1, metavar="SET")
@click.option("--sets", type=click.Path(exists=True, path_type=Path), default=_SETS, help="The folder of the sets.")
@click.option("--questions", "size", default=100, help="Questions of each set.")
@click.option("--seed", default=0)
@click.option("--mending", is_flag=True, help="The half of the documents that may be looked at.")
@click.option("--show", default="", help="Print what goes wrong in claims of this kind.")
@click.option("--quick", is_flag=True, help="20 questions of each set.")
@click.option("--json", "as_json", is_flag=True)
def main(
    names: tuple[str, ...], sets: Path, size: int, seed: int, *, mending: bool, show: str, quick: bool, as_json: bool
) -> None:
    """Print, by set and kind of claim, the shares called supported and unsupported, and citation precision, recall."""
    figures: dict[str, float] = {}
    total: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name in names or _NAMES:
        questions = read_set(sets / name)
        kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for case in cases(questions, 20 if quick else size, seed=seed, held_out=not mending):
            claim = _judged(case)
            label = f"{'true' if case.is_true else 'false'}: {case.kind}"
            for key in (label, "true" if case.is_true else "false"):
                kinds[key].update(_counts(case, claim))
                total[key].update(_counts(case, claim))
            if show and show in label and case.is_true == (claim.status == "unsupported"):
                click.echo(f"- {claim.status}: {case.claim}\n  Q {case.question}\n  gold {_gold(case)}")
        figures |= _table(name, kinds)
    figures |= _table("all", total)
    if as_json:
        click.echo(json.dumps({"name": "trust", "figures": figures}))


def _judged(case: Case) -> Claim:
    """Let the claim through what every answer goes through. One that is cut into several counts by its worst part."""
    prompt = Prompt((), case.question, case.passages)
    index = EvidenceIndex(case.passages, case.question)
    composer = Composer(prompt, index, SupportConfig(), Lookups())
    composer.feed(case.claim)
    composer.flush()
    worst = min(composer.claims, key=lambda claim: ("unsupported", "partial", "supported").index(claim.status))
    cited = tuple(citation for claim in composer.claims for citation in claim.citations)
    return Claim(case.claim, Span(0, 0), cited, worst.status)


def _counts(case: Case, claim: Claim) -> dict[str, int]:
    hit = case.passages[0]
    offset = hit.chunk.span.start
    gold = Span(offset + case.gold.start, offset + case.gold.end)
    right = sum(c.document_id == hit.chunk.document_id and c.span.overlaps(gold) for c in claim.citations)
    return {"n": 1, claim.status: 1, "cited": len(claim.citations), "right": right, "found": int(right > 0)}


def _table(name: str, kinds: dict[str, Counter[str]]) -> dict[str, float]:
    click.echo(f"\n{name:<34}{'n':>6}{'supported':>11}{'partial':>9}{'unsupp.':>9}{'cit. P':>8}{'cit. R':>8}")
    figures: dict[str, float] = {}
    for kind, counts in sorted(kinds.items(), reverse=True):
        n = counts["n"]
        line = f"{kind:<34}{n:>6}{100 * counts['supported'] / n:>11.1f}{100 * counts['partial'] / n:>9.1f}"
        line += f"{100 * counts['unsupported'] / n:>9.1f}"
        figures |= {f"{name}/{kind}/{key}": round(counts[key] / n, 4) for key in ("supported", "unsupported")}
        if kind.startswith("true"):
            precision, recall = counts["right"] / max(1, counts["cited"]), counts["found"] / n
            figures |= {f"{name}/{kind}/precision": round(precision, 4), f"{name}/{kind}/recall": round(recall, 4)}
            line += f"{100 * precision:>8.1f}{100 * recall:>8.1f}"
        click.echo(line)
    return figures


def _gold(case: Case) -> str:
    return " ".join(case.gold.of(case.passages[0].chunk.text).split())


if __name__ == "__main__":
    main()
