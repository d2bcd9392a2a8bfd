"""`footnote replay`: saved answers made again, and what differs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands.options import json_option, served_options

if TYPE_CHECKING:  # imported when the command runs: `--help` must not wait for FAISS
    from app.engine import Engine
    from app.settings import Settings
    from app.views import Json


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--last", is_flag=True, help="Of a conversation, only its last answer.")
@served_options
@json_option
@click.pass_context
def command(context: click.Context, file: Path, last: bool, served: dict[str, str], as_json: bool) -> None:
    """Ask again what `footnote ask --save FILE` or `chat --save FILE` kept, and say what differs.

    Exit 0 when nothing does, else 1. Each answer of a conversation is asked for with what had been said before it.
    """
    from app.engine import Engine
    from app.saved_answer import read_turns

    turns = read_turns(file)
    shown: list[Json] = []
    engine: Engine | None = None
    for saved in turns[-1:] if last else turns:
        settings = _settings(saved, served)
        if engine is None or engine.settings != settings:
            engine = Engine(settings)
        shown.append(_replayed(saved, engine))
        if not as_json:
            _say(shown[-1], with_question=len(turns) > 1)
    if as_json:
        one = shown[0] if len(turns) == 1 else {"turns": shown, "equal": all(turn["equal"] for turn in shown)}
        click.echo(json.dumps(one, ensure_ascii=False))
    if not all(turn["equal"] for turn in shown):
        context.exit(1)


def _settings(saved: "Json", served: dict[str, str]) -> "Settings":
    from app.conversation import settings_with
    from app.saved_answer import saved_sampling

    top_k = saved["parameters"].get("search.top_k")
    strictness = saved["parameters"].get("strictness")
    return settings_with(
        llm=None if served else saved["llm"] or None,
        top_k=top_k if isinstance(top_k, int) else None,
        sampling=saved_sampling(saved),
        strictness=strictness if isinstance(strictness, int) else None,
        served=served,
    )


def _replayed(saved: "Json", engine: "Engine") -> "Json":
    from app.conversation import print_answer
    from app.replay import changed_documents, differences
    from app.saved_answer import saved_filters, saved_history, saved_json, saved_pictures

    kb, also, history = saved["kb"], saved["also"], saved_history(saved)
    changed = changed_documents(saved, engine)
    question = saved["answer"]["question"]
    pieces = engine.ask(
        kb, question, history=history, also=also, filters=saved_filters(saved), pictures=saved_pictures(saved)
    )
    answer = print_answer(pieces, out=None)
    again = saved_json(answer, engine, kb=kb, also=also, llm=saved["llm"], history=history)
    found = [*changed, *differences(saved, again)]
    return {
        "question": question,
        "equal": not found,
        "same_answer": saved["answer"]["answer"] == answer.text,
        "differences": [{"what": one.what, "how": one.how} for one in found],
        "answer": answer.text,
    }


def _say(shown: "Json", *, with_question: bool) -> None:
    if with_question:
        click.echo(f"> {shown['question']}")
    for one in shown["differences"]:
        click.echo(f"{one['what']}: {one['how']}")
    if shown["equal"]:
        click.echo(f"nothing differs: {shown['answer']}")
    else:
        same = "the answer is the same" if shown["same_answer"] else "the answer is another"
        click.echo(f"{len(shown['differences'])} differences; {same}")
