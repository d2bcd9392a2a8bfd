"""`footnote kb verify|repair|export|import`: knowledge bases that are whole, and copies of them elsewhere."""

import json
from pathlib import Path

import click

from app.commands.options import json_option, kb_option


@click.command()
@kb_option
@json_option
def verify(kb: str | None, as_json: bool) -> None:
    """Check every document, chunk, vector and index file; exit 1 when something is wrong."""
    from app.engine import Engine
    from app.settings import load_settings

    settings = load_settings()
    name = kb or settings.kb
    problems = Engine(settings).verify(name)
    if as_json:
        click.echo(json.dumps({"name": name, "ok": not problems, "problems": problems}, ensure_ascii=False))
    else:
        click.echo(
            "\n".join(
                [*problems, f"mend it with: footnote kb repair --kb {name}"] if problems else [f"{name} is whole"]
            )
        )
    if problems:
        raise click.exceptions.Exit(1)


@click.command()
@kb_option
@json_option
def repair(kb: str | None, as_json: bool) -> None:
    """Rebuild what is derived from the documents; say what was mended and, with exit 1, what couldn't be."""
    from app.engine import Engine
    from app.settings import load_settings

    settings = load_settings()
    name = kb or settings.kb
    done = Engine(settings).repair(name)
    if as_json:
        shown = {"name": name, "ok": not done.left, "mended": list(done.mended), "problems": list(done.left)}
        click.echo(json.dumps(shown, ensure_ascii=False))
    else:
        lines = [*(f"mended: {what}" for what in done.mended), *(f"left:   {what}" for what in done.left)]
        click.echo("\n".join(lines if done.left else [*lines, f"{name} is whole"]))
    if done.left:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@kb_option
@json_option
def export(file: Path, kb: str | None, as_json: bool) -> None:
    """Write a knowledge base to one FILE that `kb import` restores anywhere, also while it is being written to."""
    from app.engine import Engine
    from app.settings import load_settings
    from app.views import exported_json

    settings = load_settings()
    name = kb or settings.kb
    done = Engine(settings).export(name, file)
    if as_json:
        click.echo(json.dumps({"name": name, "file": str(file), **exported_json(done)}, ensure_ascii=False))
    else:
        click.echo(f"{file}: {name}, {done.documents} documents, {done.chunks} chunks, {done.n_bytes / 1e6:,.1f} MB")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@kb_option
@json_option
def import_(file: Path, kb: str | None, as_json: bool) -> None:
    """Restore what `kb export` wrote as a new knowledge base. Embeds nothing; refuses a damaged FILE."""
    from app.engine import Engine
    from app.settings import load_settings
    from app.views import exported_json

    settings = load_settings()
    name = kb or settings.kb
    done = Engine(settings).import_(name, file)
    if as_json:
        click.echo(json.dumps({"name": name, "file": str(file), **exported_json(done)}, ensure_ascii=False))
    else:
        click.echo(f"{name}: {done.documents} documents, {done.chunks} chunks, restored from {file}")
    if not settings.embedder_server.url and done.embedder not in ("", Path(settings.embedder).name):
        click.echo(
            f"note: it was made with {done.embedder}, settings say {settings.embedder}; to search it set"
            f" FOOTNOTE_EMBEDDER={done.embedder}",
            err=True,
        )
