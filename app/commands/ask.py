"""`footnote ask`: one question, one cited answer, streamed on a terminal."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.options import (
    OutputFile,
    filter_options,
    json_option,
    kbs_option,
    sampling_options,
    served_options,
    strictness_option,
    thinking_option,
)

if TYPE_CHECKING:  # imported when the command runs: `--help` must not wait for FAISS
    from retrieval.filters import Filters


@click.command()
@click.argument("question", default="")
@kbs_option
@filter_options
@sampling_options
@strictness_option
@click.option("--top-k", type=click.IntRange(1, 100), help="How many passages the model may use.")
@click.option("--llm", metavar="NAME", help="A GGUF file, its name in the models folder, or: extractive.")
@served_options
@click.option(
    "--image", "images", type=Path, multiple=True, metavar="FILE", help="A picture that goes with it. May be repeated."
)
@click.option(
    "--audio", "recordings", type=Path, multiple=True, metavar="FILE", help="The question, or a part, spoken."
)
@click.option(
    "--save-image",
    "drawn",
    type=OutputFile(),
    metavar="FILE",
    help="Save the pictures with the boxes of the answer, PNG; the second as FILE-2.",
)
@click.option("--save", type=OutputFile(), help="Keep the answer and all it came from, for: footnote replay.")
@click.option("--export", type=OutputFile(), help="Write the answer with its sources: .html or .pdf.")
@thinking_option
@json_option
def command(
    question: str,
    images: tuple[Path, ...],
    recordings: tuple[Path, ...],
    drawn: Path | None,
    kbs: tuple[str, ...],
    filters: "Filters",
    sampling: dict[str, Any],
    strictness: int | None,
    top_k: int | None,
    llm: str | None,
    served: dict[str, str],
    save: Path | None,
    export: Path | None,
    show_thinking: bool,
    as_json: bool,
) -> None:
    """Answer QUESTION from the documents; every sentence cites the words that support it."""
    from app.conversation import print_answer, save_drawn, settings_with, with_files
    from app.engine import Engine
    from app.views import answer_json

    if export is not None and export.suffix.lower() not in (".html", ".htm", ".pdf"):
        raise click.UsageError(f"--export writes .html and .pdf, not {export.name}")
    settings = settings_with(llm=llm, top_k=top_k, sampling=sampling, strictness=strictness, served=served)
    engine = Engine(settings)
    kb, *also = kbs or (settings.kb,)
    asked = with_files(engine, question, (*images, *recordings))
    pieces = engine.ask(kb, asked.question, also=also, filters=filters, pictures=asked.pictures, heard=asked.heard)
    answer = print_answer(pieces, out=None if as_json else sys.stdout, show_thinking=show_thinking)
    if drawn is not None:
        save_drawn(answer, drawn)
    if save is not None:
        from app.saved_answer import saved_json, write_saved

        write_saved(save, saved_json(answer, engine, kb=kb, also=also, llm=llm or ""))
    if export is not None:
        from app.export_answer import write_export

        write_export(export, answer, engine, kb)
    for notice in engine.notices(kb, also):
        click.echo(f"note: {notice}", err=True)
    if as_json:
        click.echo(json.dumps(answer_json(answer), ensure_ascii=False))
