"""`footnote chat`: a conversation in the terminal. Follow-ups are understood from what was said before."""

import sys

import click

from app.commands.options import kb_option


@click.command()
@kb_option
@click.option("--top-k", type=click.IntRange(1, 100), help="How many passages the model may use.")
@click.option("--llm", metavar="NAME", help="A GGUF file, its name in the models folder, or: extractive.")
def command(kb: str | None, top_k: int | None, llm: str | None) -> None:
    """Ask one question after another. An empty line, /quit or Ctrl-D ends; /new forgets what was said."""
    from app.conversation import print_answer, settings_with
    from app.engine import Engine
    from generation.llm import Message
    from ingest.errors import ModelError

    settings = settings_with(llm=llm, top_k=top_k)
    engine = Engine(settings)
    name = kb or settings.kb
    engine.knowledge_base(name)
    click.echo(f"{name}: {len(engine.documents(name))} documents. /new starts over, /quit ends.", err=True)
    history: list[Message] = []
    while question := _read_question():
        if question == "/new":
            history.clear()
            continue
        pieces = engine.ask(name, question, history=history)
        try:
            answer = print_answer(pieces, out=sys.stdout)
        except KeyboardInterrupt:
            pieces.close()  # type: ignore[attr-defined]  # a generator: closing it stops the model
            click.echo("\n(stopped)")
            continue
        except ModelError as error:
            click.echo(f"footnote: {error}", err=True)
            continue
        history += [Message("user", question), Message("assistant", answer.text)]


def _read_question() -> str:
    try:
        question = input("\n> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return ""
    return "" if question in ("/quit", "/exit") else question
