"""`footnote llm complete`: a model goes on with a text, without a chat template or documents. For base models."""

import json
import sys
from dataclasses import asdict
from typing import Any

import click

from app.commands.options import json_option, sampling_options


@click.command("complete")
@click.argument("prompt")
@sampling_options
@click.option("--llm", metavar="NAME", help="A GGUF file, or its name in the models folder.")
@json_option
def command(prompt: str, sampling: dict[str, Any], llm: str | None, as_json: bool) -> None:
    """Let the configured model go on with PROMPT (- reads standard input), as base models do.

    A server needs /v1/completions. Nothing is looked up, cited or checked.
    """
    from app.conversation import settings_with
    from app.model_making import make_llm
    from generation.base_completion import continue_text

    settings = settings_with(llm=llm, top_k=None, sampling=sampling)
    model, told = make_llm(settings), settings.answer.sampling
    text = sys.stdin.read() if prompt == "-" else prompt
    written = ""
    for piece in continue_text(model, text, told):
        written += piece
        if not as_json:
            sys.stdout.write(piece)
            sys.stdout.flush()
    if as_json:
        shown = {"prompt": text, "completion": written, "model": model.name}
        click.echo(json.dumps({**shown, "sampling": asdict(told)}, ensure_ascii=False))
    else:
        click.echo()
