"""`footnote search`: ranked passages, and with --explain the way each took through every stage."""

import json
from typing import TYPE_CHECKING

import click

from app.commands.options import filter_options, json_option, kbs_option

if TYPE_CHECKING:  # imported when the command runs: `--help` must not wait for FAISS
    from retrieval.filters import Filters


@click.command()
@click.argument("question")
@kbs_option
@filter_options
@click.option("--top-k", type=click.IntRange(1, 1000), help="How many passages.")
@click.option(
    "--budget-tokens",
    type=click.IntRange(1),
    metavar="N",
    help="Bound all passages together, in the embedder's tokens.",
)
@click.option(
    "--context", type=click.IntRange(1), metavar="N", help="Widen passages to N characters with the text around them."
)
@click.option(
    "--rerank-depth", type=click.IntRange(0), metavar="N", help="How many candidates the reranker reads; 0: none."
)
@click.option("--explain", is_flag=True, help="Show rank and score at every stage, and what was dropped and why.")
@click.option(
    "--why-not", metavar="DOCUMENT", help="Say where a document fell out: its source, file name, title or id."
)
@click.option("--translate", is_flag=True, help="Let the model translate the question where that may help, as in ask.")
@json_option
def command(
    question: str,
    kbs: tuple[str, ...],
    filters: "Filters",
    top_k: int | None,
    budget_tokens: int | None,
    context: int | None,
    rerank_depth: int | None,
    explain: bool,
    why_not: str | None,
    translate: bool,
    as_json: bool,
) -> None:
    """Show the passages that QUESTION finds, best first."""
    from app.engine import Engine
    from app.settings import load_settings, with_search
    from app.views import retrieval_json, retrieval_lines
    from app.why_not_view import why_not_json, why_not_lines

    settings = with_search(load_settings(), budget_tokens=budget_tokens, context=context, rerank_depth=rerank_depth)
    engine = Engine(settings)
    kb, *also = kbs or (settings.kb,)
    retrieval = engine.search(kb, question, top_k=top_k, translated=translate, also=also, filters=filters)
    for notice in engine.notices(kb, also):
        click.echo(f"note: {notice}", err=True)
    traces = engine.why_not(kb, why_not, retrieval, top_k=top_k) if why_not else []
    if as_json:
        shown = retrieval_json(retrieval, explain=explain)
        shown |= {"why_not": [why_not_json(trace) for trace in traces]} if why_not else {}
        click.echo(json.dumps(shown, ensure_ascii=False))
    elif traces and not explain:
        click.echo("\n".join(line for trace in traces for line in why_not_lines(trace)))
    else:
        click.echo("\n".join(retrieval_lines(retrieval, explain=explain)))
        click.echo("\n".join(line for trace in traces for line in why_not_lines(trace)), nl=bool(traces))
