"""`footnote replay`: a saved answer made again, and what differs."""

import json
from pathlib import Path

import click

from app.commands.options import json_option, served_options


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@served_options
@json_option
@click.pass_context
def command(context: click.Context, file: Path, served: dict[str, str], as_json: bool) -> None:
    """Ask again what `footnote ask --save FILE` kept, and say what differs. Exit 0 when nothing does, else 1."""
    from app.conversation import print_answer, settings_with
    from app.engine import Engine
    from app.replay import changed_documents, differences
    from app.saved_answer import (
        read_saved,
        saved_filters,
        saved_history,
        saved_json,
        saved_pictures,
        saved_sampling,
    )

    saved = read_saved(file)
    top_k = saved["parameters"].get("search.top_k")
    strictness = saved["parameters"].get("strictness")
    settings = settings_with(
        llm=saved["llm"] or None,
        top_k=top_k if isinstance(top_k, int) else None,
        sampling=saved_sampling(saved),
        strictness=strictness if isinstance(strictness, int) else None,
        served=served,
    )
    engine = Engine(settings)
    kb, also, history = saved["kb"], saved["also"], saved_history(saved)
    changed = changed_documents(saved, engine)
    question = saved["answer"]["question"]
    pieces = engine.ask(
        kb, question, history=history, also=also, filters=saved_filters(saved), pictures=saved_pictures(saved)
    )
    answer = print_answer(pieces, out=None)
    again = saved_json(answer, engine, kb=kb, also=also, llm=saved["llm"], history=history)
    found = [*changed, *differences(saved, again)]
    is_same = saved["answer"]["answer"] == answer.text
    if as_json:
        shown = [{"what": one.what, "how": one.how} for one in found]
        click.echo(
            json.dumps(
                {"question": question, "equal": not found, "same_answer": is_same, "differences": shown,
                 "answer": answer.text},
                ensure_ascii=False,
            )
        )  # fmt: skip
    else:
        for one in found:
            click.echo(f"{one.what}: {one.how}")
        same = "the answer is the same" if is_same else "the answer is another"
        click.echo(f"nothing differs: {answer.text}" if not found else f"{len(found)} differences; {same}")
    if found:
        context.exit(1)
