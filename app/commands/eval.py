"""`footnote eval`: measure retrieval and answers on question sets, and compare two measurements."""

import json
from dataclasses import replace
from pathlib import Path

import click

from app.commands.options import served_options, strictness_option


@click.command(name="eval", epilog="The figures are defined, with worked examples, in docs/evaluation.md.")
@click.argument("sets", metavar="SET...", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--kb", metavar="NAME", help="Ask this knowledge base instead of building one from the set's documents.")
@click.option("--retrieval-only", is_flag=True, help="Search only: no language model, no answer figures.")
@click.option("--sample", "sample_size", type=click.IntRange(1), metavar="N", help="Ask N questions drawn at random.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="S", help="Which N questions --sample draws.")
@click.option(
    "--top-k",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    metavar="K",
    help="Passages to rank for the retrieval figures; answers use the settings' own number.",
)
@click.option(
    "--budget-chars",
    type=click.IntRange(1),
    default=2700,
    show_default=True,
    metavar="N",
    help="Characters of the first five passages that evidence@5 looks at.",
)
@click.option(
    "--budget-tokens",
    type=click.IntRange(1),
    metavar="N",
    help="Bound a question's passages, in the embedder's tokens.",
)
@click.option(
    "--rerank-depth", type=click.IntRange(0), metavar="N", help="How many candidates the reranker reads; 0: none."
)
@served_options
@strictness_option
@click.option("--documents", is_flag=True, help="Ingest the set's documents/ even where it has a corpus.jsonl.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write all records.")
@click.option(
    "--compare",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    nargs=2,
    metavar="RUN_A RUN_B",
    help="Compare two saved runs question by question; asks nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(
    context: click.Context,
    sets: tuple[Path, ...],
    kb: str | None,
    retrieval_only: bool,
    sample_size: int | None,
    seed: int,
    top_k: int,
    budget_chars: int,
    budget_tokens: int | None,
    rerank_depth: int | None,
    served: dict[str, str],
    strictness: int | None,
    documents: bool,
    save: Path | None,
    compare: tuple[Path, Path] | None,
    as_json: bool,
) -> None:
    """Measure retrieval and answers on question sets.

    A SET is a folder with questions.jsonl and its documents (corpus.jsonl or documents/), a BEIR folder, or a SQuAD
    file. Figures are percentages with their 95% interval; in JSON fractions from 0 to 1.
    """
    if compare:
        if sets:
            raise click.UsageError("--compare takes two saved runs and no SET")
        _compare(*compare, as_json=as_json)
        return
    if not sets:
        raise click.UsageError("name at least one SET, or two saved runs with --compare")
    from app.evaluation.layouts import read_set
    from app.evaluation.measure import measure_sets
    from app.evaluation.report import set_figures, table
    from app.evaluation.run import RunConfig
    from app.evaluation.saved_run import save_runs
    from app.evaluation.sets import sample
    from app.settings import load_settings, with_search

    chosen = [sample(read_set(path, prefer_documents=documents), sample_size, seed) for path in sets]
    config = RunConfig(retrieval_only=retrieval_only, top_k=top_k, budget_chars=budget_chars)
    settings = with_search(load_settings(given=served), budget_tokens=budget_tokens, rerank_depth=rerank_depth)
    if strictness is not None:
        settings = replace(settings, strictness=strictness)
    runs = []
    for run in measure_sets(settings, chosen, config, kb=kb):
        runs.append(run)
        if not as_json:
            click.echo(("\n" if len(runs) > 1 else "") + table(run))
    if save:
        save_runs(save, runs, {"sample": sample_size, "seed": seed, "top_k": top_k, "budget_chars": budget_chars})
    if as_json:
        click.echo(json.dumps({"sets": {run.name: set_figures(run) for run in runs}}, ensure_ascii=False))
    if any(run.interrupted for run in runs):
        context.exit(130)
    if any(run.failed or any(record.error for record in run.records) for run in runs):
        context.exit(1)


def _compare(a: Path, b: Path, *, as_json: bool) -> None:
    from app.evaluation.saved_run import compare_runs, comparison_json, comparison_table

    compared = compare_runs(a, b)
    if as_json:
        click.echo(json.dumps(comparison_json(compared), ensure_ascii=False))
    else:
        click.echo("\n\n".join(comparison_table(found) for found in compared))
