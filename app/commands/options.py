"""The options that commands share."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # imported when a command runs: `--help` must not wait for FAISS
    from retrieval.filters import Filters

kb_option = click.option("--kb", metavar="NAME", help="The knowledge base; FOOTNOTE_KB or `default` when not given.")
kbs_option = click.option(
    "--kb",
    "kbs",
    multiple=True,
    metavar="NAME",
    help="The knowledge base; FOOTNOTE_KB or `default` when not given. Several: --kb A --kb B.",
)


class OutputFile(click.Path):
    """A file to be written: its folder must be there before minutes go into what it is to hold."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # click's own
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.absolute().parent.is_dir():
            self.fail(f"there is no folder {path.parent}; make it, or name another file", param, ctx)
        return path


class _Temperature(click.FloatRange):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # click's own
        if str(value).strip().lower().lstrip("+-") == "nan":  # lies in every range
            self.fail(f"{value!r} is not a number", param, ctx)
        return float(super().convert(value, param, ctx))


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object; messages go to stderr.")

thinking_option = click.option("--show-thinking", is_flag=True, help="Show under an answer what the model thought.")


def _address(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.startswith(("http://", "https://")):
        raise click.BadParameter(f"{value!r} is no address of a server; write it like http://127.0.0.1:8000/v1")
    return value


_SERVED = (
    click.option(
        "--llm-url",
        callback=_address,
        metavar="URL",
        help="An OpenAI-compatible server, such as http://127.0.0.1:8000/v1; its key is FOOTNOTE_LLM_KEY.",
    ),
    click.option("--model", metavar="NAME", help="The model on that server; the first it offers if left out."),
)

_SAMPLING = (
    click.option("--seed", type=int, metavar="N", help="The seed of the model's choices."),
    click.option("--temperature", type=_Temperature(0, 2), metavar="T", help="0 takes the likeliest token."),
    click.option("--max-tokens", type=click.IntRange(1), metavar="N", help="The longest answer, in tokens."),
    click.option("--stop", multiple=True, metavar="TEXT", help="End the answer before this text. May be repeated."),
)

_FILTERS = (
    click.option(
        "--document",
        "documents",
        multiple=True,
        metavar="NAME",
        help="Look only in this document: its source, file name, title, a part of these, or its id. May be repeated,"
        " like the next three.",
    ),
    click.option(
        "--folder",
        "folders",
        multiple=True,
        metavar="PATH",
        help="Look only in this folder (handbook, /data/2025), or in what a glob matches ('2025/*/minutes*').",
    ),
    click.option("--type", "types", multiple=True, metavar="TYPE", help="Look only in pdf, docx, md, ..."),
    click.option("--tag", "tags", multiple=True, metavar="NAME", help="Look only in documents with this tag."),
    click.option(
        "--from", "since", default="", metavar="DATE", help="Look only in documents of this day or later: 2025-03-18,"
        " 2025-03 or 2025. A document's day is the one it states, else that of its file."
    ),
    click.option("--until", default="", metavar="DATE", help="Look only in documents until this day, month or year."),
)  # fmt: skip


strictness_option = click.option(
    "--strictness",
    type=click.IntRange(0, 100),
    metavar="N",
    help="How readily a question is declined that the passages may not answer: 0 to 100.  [default: 50]",
)


def sampling_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say how the model writes, as one argument `sampling`: those that were given."""

    # Any: click hands the command's own options through, of many types.
    @functools.wraps(command)
    def with_sampling(
        *, seed: int | None, temperature: float | None, max_tokens: int | None, stop: tuple[str, ...], **own: Any
    ) -> None:
        given = {"seed": seed, "temperature": temperature, "max_tokens": max_tokens, "stop": stop or None}
        command(sampling={name: value for name, value in given.items() if value is not None}, **own)

    for option in reversed(_SAMPLING):
        with_sampling = option(with_sampling)
    return with_sampling


def served_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name a server and its model, as one argument `served`: settings by name."""

    # Any: click hands the command's own options through, of many types.
    @functools.wraps(command)
    def with_served(*, llm_url: str | None, model: str | None, **own: Any) -> None:
        from app.settings import load_settings

        if own.get("llm") and (llm_url or model):
            raise click.UsageError(
                "--llm is a model in this process, --llm-url and --model are a server's; give one kind"
            )
        if model and not llm_url and not load_settings().llm.url:
            raise click.UsageError("--model names a model on a server; give --llm-url too, or --llm for a GGUF file")
        # The settings' model is one of the settings' server.
        served = {"llm_url": llm_url, "llm_model": model or ""} if llm_url else {"llm_model": model} if model else {}
        command(served=served, **own)

    for option in reversed(_SERVED):
        with_served = option(with_served)
    return with_served


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where to look, as one argument `filters`."""

    # Any: click hands the command's own options through, of many types.
    @functools.wraps(command)
    def with_filters(
        *,
        documents: tuple[str, ...],
        folders: tuple[str, ...],
        types: tuple[str, ...],
        tags: tuple[str, ...],
        since: str,
        until: str,
        **own: Any,
    ) -> None:
        from retrieval.filters import make_filters

        filters: Filters = make_filters(
            documents=documents, folders=folders, types=types, tags=tags, since=since, until=until
        )
        command(filters=filters, **own)

    for option in reversed(_FILTERS):
        with_filters = option(with_filters)
    return with_filters
