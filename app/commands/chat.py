"""`footnote chat`: a conversation in the terminal. Follow-ups are understood from what was said before."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.options import (
    OutputFile,
    filter_options,
    kbs_option,
    sampling_options,
    served_options,
    strictness_option,
    thinking_option,
)

if TYPE_CHECKING:  # imported when the command runs: `--help` must not wait for FAISS
    from app.views import Json
    from retrieval.filters import Filters


@click.command()
@kbs_option
@filter_options
@sampling_options
@strictness_option
@click.option("--top-k", type=click.IntRange(1, 100), help="How many passages the model may use.")
@thinking_option
@click.option("--no-documents", is_flag=True, help="Talk with the model alone: nothing is looked up, cited or checked.")
@click.option("--save", type=OutputFile(), help="Keep every answer and all it came from, for: footnote replay.")
@click.option("--llm", metavar="NAME", help="A GGUF file, its name in the models folder, or: extractive.")
@served_options
def command(
    kbs: tuple[str, ...],
    filters: "Filters",
    sampling: dict[str, Any],
    strictness: int | None,
    top_k: int | None,
    show_thinking: bool,
    no_documents: bool,
    save: Path | None,
    llm: str | None,
    served: dict[str, str],
) -> None:
    """Ask one question after another. An empty line, /quit or Ctrl-D ends; /new forgets what was said.

    /file PATH takes a picture or a recording along with the next question.
    """
    from app.conversation import print_answer, settings_with, with_files
    from app.engine import Engine
    from app.plain_chat import LONGEST_REPLY_TOKENS, ask_model
    from app.saved_answer import conversation_json, saved_json, write_saved
    from generation.llm import Message
    from ingest.errors import FootnoteError, ModelError, SettingsError
    from retrieval.filters import describe

    if no_documents and (kbs or top_k or not filters.is_empty):
        raise click.UsageError("--no-documents looks nowhere; leave out --kb, --top-k and what says where to look")
    if no_documents and save is not None:
        raise click.UsageError(
            "--save keeps what an answer came from, and --no-documents looks nothing up; leave one out"
        )
    settings = settings_with(llm=llm, top_k=top_k, sampling=sampling, strictness=strictness, served=served)
    engine = Engine(settings)
    name, *also = kbs or (settings.kb,)
    if no_documents:
        held = f"{engine.llm().name} alone, without documents"
    else:
        opened = engine.knowledge_bases_named(name, also)
        held = ", ".join(f"{one.name}: {one.catalog.counts()[0]}" for one in opened) + " documents"
    limits = f"; {described}" if (described := describe(filters)) else ""
    click.echo(f"{held}{limits}. /new starts over, /quit ends.", err=True)
    history: list[Message] = []
    kept: list[Json] = []  # the answers so far, of all conversations if /new begins another
    files: list[Path] = []
    while question := _read_question():
        if question == "/new":
            history.clear()
            files.clear()
            continue
        if question.startswith("/file "):
            files.append(Path(question.removeprefix("/file ").strip()))
            continue
        try:
            asked = with_files(engine, question, files)
        except FootnoteError as error:
            click.echo(f"footnote: {error}", err=True)
            continue
        finally:
            files.clear()
        question = asked.question
        if no_documents:
            longest = sampling.get("max_tokens", LONGEST_REPLY_TOKENS)
            pieces = ask_model(engine, question, history=history, pictures=asked.pictures, max_tokens=longest)
        else:
            pieces = engine.ask(
                name, question, history=history, also=also, filters=filters, pictures=asked.pictures, heard=asked.heard
            )
        try:
            answer = print_answer(pieces, out=sys.stdout, show_thinking=show_thinking)
        except KeyboardInterrupt:
            pieces.close()  # type: ignore[attr-defined]  # a generator: closing it stops the model
            click.echo("\n(stopped)")
            continue
        except (ModelError, SettingsError) as error:
            click.echo(f"footnote: {error}", err=True)
            continue
        if save is not None:
            kept.append(saved_json(answer, engine, kb=name, also=also, llm=llm or "", history=history))
            write_saved(save, conversation_json(kept))
        history += [Message("user", question), Message("assistant", answer.text)]


def _read_question() -> str:
    try:
        question = input("\n> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return ""
    return "" if question in ("/quit", "/exit") else question
