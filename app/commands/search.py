"""`footnote search`: ranked passages, and with --explain the way each took through every stage."""

import json

import click

from app.commands.options import json_option, kb_option


@click.command()
@click.argument("question")
@kb_option
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
@click.option("--translate", is_flag=True, help="Let the model translate the question where that may help, as in ask.")
@json_option
def command(
    question: str,
    kb: str | None,
    top_k: int | None,
    budget_tokens: int | None,
    context: int | None,
    rerank_depth: int | None,
    explain: bool,
    translate: bool,
    as_json: bool,
) -> None:
    """Show the passages that QUESTION finds, best first."""
    from app.engine import Engine
    from app.settings import load_settings, with_search
    from app.views import retrieval_json, retrieval_lines

    settings = with_search(load_settings(), budget_tokens=budget_tokens, context=context, rerank_depth=rerank_depth)
    engine = Engine(settings)
    retrieval = engine.search(kb or settings.kb, question, top_k=top_k, translated=translate)
    if notice := engine.knowledge_base(kb or settings.kb).notice:
        click.echo(f"note: {notice}", err=True)
    if as_json:
        click.echo(json.dumps(retrieval_json(retrieval, explain=explain), ensure_ascii=False))
    else:
        click.echo("\n".join(retrieval_lines(retrieval, explain=explain)))
