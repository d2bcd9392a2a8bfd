"""`footnote ask`: one question, one cited answer, streamed on a terminal."""

import json
import sys

import click

from app.commands.options import json_option, kb_option


@click.command()
@click.argument("question")
@kb_option
@click.option("--top-k", type=click.IntRange(1, 100), help="How many passages the model may use.")
@click.option("--llm", metavar="NAME", help="A GGUF file, its name in the models folder, or: extractive.")
@json_option
def command(question: str, kb: str | None, top_k: int | None, llm: str | None, as_json: bool) -> None:
    """Answer QUESTION from the documents; every sentence cites the words that support it."""
    from app.conversation import print_answer, settings_with
    from app.engine import Engine
    from app.views import answer_json

    settings = settings_with(llm=llm, top_k=top_k)
    engine = Engine(settings)
    answer = print_answer(engine.ask(kb or settings.kb, question), out=None if as_json else sys.stdout)
    if notice := engine.knowledge_base(kb or settings.kb).notice:
        click.echo(f"note: {notice}", err=True)
    if as_json:
        click.echo(json.dumps(answer_json(answer), ensure_ascii=False))
