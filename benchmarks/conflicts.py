"""Alarms where sources agree, and conflicts found where one is a copy with another value. No model writes.

python -m benchmarks.conflicts [SET ...] [--questions N] [--seed S] [--mending] [--across | --samples] [--show]

A claim of the gold sentence (the answer alone, and the whole sentence) stands over its passage among the nine passages
of the set nearest to the question. As they are, every alarm counts as false. Then a copy of the gold passage with
another value in the place of the answer, under another title and date, takes the second place. `--across` asks
xquad_en over xquad_en and its translation xquad_zh at once, with the embedder of the settings: the value is changed in
the Chinese passage. `--samples` searches the sample documents for every sample question, and takes its answers for
claims; they hold two editions of one policy, which do disagree.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from app.evaluation.layouts import read_set
from app.evaluation.sets import EvaluationSet
from app.settings import PROJECT
from benchmarks.trust_cases import Case, cases
from benchmarks.trust_edits import EDITS
from generation.citing import EvidenceIndex, Similarity
from generation.composing import Composer, Lookups
from generation.conflicts import Found, find_conflicts
from generation.llm import Prompt
from generation.support import SupportConfig
from ingest.document import Chunk, Span
from ingest.embedder import Embedder
from ingest.language import has_cjk
from retrieval.retrieval import Hit

_SETS = Path(__file__).parents[2] / "shared" / "eval"
_NAMES = (
    "squad2_dev",
    "xquad_en",
    "dragonball_en",
    "clapnq_dev",
    "xquad_zh",
    "cmrc2018_trial",
    "drcd_dev",
    "dragonball_zh",
)
_NAME = re.compile(r"[A-Z][\w'’-]+(?: (?:of |the |de |van )?[A-Z][\w'’-]+)*|[\u3400-\u9fff·]{2,6}")
_WHO_ZH = re.compile("谁|誰|哪[里裡个個位座国國家]|什[么麼]人|何人|何[处處地]")


@dataclass(frozen=True, slots=True)
class Edited:
    """A case and the answer's other value: of which kind it is, and the copy that states it."""

    kind: str
    copy: Hit


@click.command()
@click.argument("names", nargs=-1, metavar="SET")
@click.option("--sets", type=click.Path(exists=True, path_type=Path), default=_SETS, help="The folder of the sets.")
@click.option("--questions", "size", default=100, help="Questions of each set.")
@click.option("--seed", default=0)
@click.option("--mending", is_flag=True, help="The half of the documents that may be looked at.")
@click.option("--across", is_flag=True, help="One source in each language; embeds.")
@click.option("--samples", is_flag=True, help="The sample documents, searched; embeds.")
@click.option("--show", is_flag=True, help="Print false alarms and what is missed.")
@click.option("--json", "as_json", is_flag=True)
def main(
    names: tuple[str, ...],
    sets: Path,
    size: int,
    seed: int,
    *,
    mending: bool,
    across: bool,
    samples: bool,
    show: bool,
    as_json: bool,
) -> None:
    """Print, by set, the share of questions with an alarm, and the share of edited copies found, by kind of value."""
    figures: dict[str, float] = {}
    total: Counter[str] = Counter()
    for name in ("xquad_en + xquad_zh",) if across else ("samples",) if samples else names or _NAMES:
        if samples:
            counts = _searched(read_set(PROJECT / "data" / "eval" / "samples"), show=show)
        elif across:
            counts = _across(read_set(sets / "xquad_en"), read_set(sets / "xquad_zh"), size, seed, show=show)
        else:
            counts = _counted(read_set(sets / name), size, seed, held_out=not mending, show=show)
        total += counts
        figures |= _line(name, counts)
    figures |= _line("all", total)
    if as_json:
        click.echo(json.dumps({"name": "conflicts", "figures": figures}))


def _counted(questions: EvaluationSet, size: int, seed: int, *, held_out: bool, show: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    alarmed: set[str] = set()
    names = _names(questions)
    answers = {
        question.question: question.answers[0].strip("。. ") for question in questions.questions if question.answers
    }
    asked: set[str] = set()
    for case in cases(questions, size, seed=seed, held_out=held_out, n_near=9):
        if not case.is_true or case.kind not in ("value", "sentence"):
            continue
        asked.add(case.question)
        found = _found(case, case.passages, None)
        if found and show:
            click.echo(f"ALARM {case.claim}\n  {_shown(found[0])}")
        alarmed |= {case.question} if found else set()
        edited = _edited(case, answers[case.question], names, random.Random(f"{seed} {case.question}"))
        if edited is None:
            continue
        passages = (case.passages[0], edited.copy, *(replace(hit, rank=hit.rank + 1) for hit in case.passages[1:]))
        found = _found(case, passages, None)
        right = any(one.other_hit.source == edited.copy.source for one in found)
        counts.update({f"{edited.kind} n": 1, f"{edited.kind} found": int(right)})
        if show and not right:
            click.echo(f"MISSED {edited.kind} ({case.kind}) {case.claim}\n  Q {case.question}\n  {_sentence(case)}")
    counts.update({"questions": len(asked), "alarms": len(alarmed)})
    return counts


def _across(english: EvaluationSet, chinese: EvaluationSet, size: int, seed: int, *, show: bool) -> Counter[str]:
    """The same with the parallel Chinese passage, as it is and with its answer's number or date changed."""
    from app.engine import Engine
    from app.settings import load_settings

    similarity = _similarity(Engine(load_settings()).embedder())
    answers = {q.id: q.answers[0] for q in chinese.questions if q.answers}
    ids = {q.question: q.id for q in english.questions}
    twins = {case.question: case for case in cases(chinese, 10_000, seed=seed, held_out=True, n_near=4)}
    twins |= {case.question: case for case in cases(chinese, 10_000, seed=seed, held_out=False, n_near=4)}
    asked_zh = {q.id: q.question for q in chinese.questions}
    counts: Counter[str] = Counter()
    for held_out in (True, False):
        for case in cases(english, size, seed=seed, held_out=held_out, n_near=4):
            id_ = ids[case.question]
            twin = twins.get(asked_zh.get(id_, ""))
            if case.kind != "value" or not case.is_true or twin is None:
                continue
            others = tuple(replace(hit, rank=hit.rank + 5) for hit in twin.passages)
            found = _found(case, (*case.passages, *others), similarity)
            counts.update({"questions": 1, "alarms": int(bool(found))})
            if found and show:
                click.echo(f"ALARM {case.claim}\n  {_shown(found[0])}")
            edited = _edited(twin, answers[id_].strip("。. "), [], random.Random(f"{seed} {id_}"))
            if edited is None:
                continue
            rest = tuple(hit for hit in others if hit.source != twin.passages[0].source)
            alarms = bool(_found(case, (*case.passages, *rest), similarity))  # its own translation isn't there
            counts.update({"questions": 1, "alarms": int(alarms)})
            found = _found(case, (*case.passages, replace(edited.copy, rank=6), *rest), similarity)
            right = any(one.other_hit.source == edited.copy.source for one in found)
            counts.update({f"{edited.kind} n": 1, f"{edited.kind} found": int(right)})
            if show and not right:
                click.echo(f"MISSED {edited.kind} {case.claim}\n  {_sentence(case)}\n  {_sentence(twin)}")
    return counts


def _searched(questions: EvaluationSet, *, show: bool) -> Counter[str]:
    """Search for every question, and cite its gold answers from what is found."""
    from app.engine import Engine
    from app.evaluation.corpus import build_corpus, cache_settings
    from app.settings import load_settings

    engine = Engine(cache_settings(load_settings()))
    kb = build_corpus(engine, questions, lambda progress: None).kb
    similarity = _similarity(engine.embedder())
    counts: Counter[str] = Counter()
    for question in questions.questions:
        hits = engine.search(kb, question.question).hits
        claims = question.answers[:1]
        found = [one for claim in claims for one in _conflicts(claim, question.question, hits, hits, similarity)]
        counts.update({"questions": int(question.answerable), "alarms": int(bool(found))})
        if show and found:
            click.echo(f"ALARM {question.id} {question.question} {claims}\n  {_shown(found[0])}")
    return counts


def _similarity(embedder: Embedder) -> Similarity:
    return lambda left, right: embedder.embed_passages(left) @ embedder.embed_passages(right).T


def _found(case: Case, passages: tuple[Hit, ...], similarity: Similarity | None) -> tuple[Found, ...]:
    """Cite the claim from the gold passage, and look for conflicts among all."""
    return _conflicts(case.claim, case.question, case.passages[:1], passages, similarity)


def _conflicts(
    claim: str, question: str, shown: tuple[Hit, ...], hits: tuple[Hit, ...], similarity: Similarity | None
) -> tuple[Found, ...]:
    prompt = Prompt((), question, shown)
    composer = Composer(prompt, EvidenceIndex(shown, question), SupportConfig(), Lookups())
    composer.feed(claim)
    composer.flush()
    return find_conflicts(composer.claims, hits, question, similarity=similarity)


def _edited(case: Case, answer: str, names: Sequence[str], rng: random.Random) -> Edited | None:
    """Copy the gold passage with another value for its answer; None where the answer is no value."""
    gold = case.passages[0]
    if len(answer) > 40 or answer not in gold.chunk.text:
        return None
    for kind in ("date", "number"):
        if other := EDITS[kind](answer, (), rng):
            return Edited(kind, _copy(gold, answer, other))
    others = [
        name for name in names if name != answer and has_cjk(name) == has_cjk(answer) and name not in gold.chunk.text
    ]
    if answer in names and others:
        return Edited("name", _copy(gold, answer, rng.choice(others)))
    return None


def _names(questions: EvaluationSet) -> list[str]:
    """The answers that are names; Chinese ones by their question, for nothing else shows it."""
    found = {
        answer
        for question in questions.questions
        for answer in (a.strip("。. ") for a in question.answers[:1])
        if _NAME.fullmatch(answer) and (not has_cjk(answer) or _WHO_ZH.search(question.question))
    }
    return sorted(found)


def _copy(gold: Hit, answer: str, other: str) -> Hit:
    whole = rf"(?<![A-Za-z0-9.,]){re.escape(answer)}(?![A-Za-z0-9])"
    text = re.sub(whole, lambda match: other, gold.chunk.text)
    title = f"{gold.title}（2031年版）" if has_cjk(text) else f"{gold.title}, edition of 2031"
    chunk = Chunk("copy-0", "copy", Span(0, len(text)), text, gold.chunk.headings, None)
    return Hit(chunk, "copy-2031.md", title, 2, gold.score, {})


def _sentence(case: Case) -> str:
    return " ".join(case.gold.of(case.passages[0].chunk.text).split())


def _shown(found: Found) -> str:
    other = found.other_span.of(found.other_hit.chunk.text)
    return f"{found.value} / {found.other_value}\n  {found.citation.quote!r}\n  {other!r}"


def _line(name: str, counts: Counter[str]) -> dict[str, float]:
    n = max(1, counts["questions"])
    figures = {f"{name}/alarms": counts["alarms"] / n}
    line = f"{name:<22} alarms {100 * counts['alarms'] / n:5.1f} (n {counts['questions']})"
    for kind in ("number", "date", "name"):
        if of := counts[f"{kind} n"]:
            figures[f"{name}/{kind}"] = counts[f"{kind} found"] / of
            line += f"  {kind} {100 * figures[f'{name}/{kind}']:5.1f} (n {of})"
    click.echo(line)
    return figures


if __name__ == "__main__":
    main()
