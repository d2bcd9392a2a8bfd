"""`footnote ingest`: bring a knowledge base in step with files, folders, archives and web pages."""

import json
import sys
from pathlib import Path

import click

from app.commands.options import json_option, kb_option


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH_OR_URL...")
@kb_option
@click.option("--rebuild", is_flag=True, help="Take in every file again, also with another embedder or chunk size.")
@click.option("--max-characters", type=click.IntRange(1), help="The longest text a document may hold.")
@json_option
def command(paths: tuple[str, ...], kb: str | None, rebuild: bool, max_characters: int | None, as_json: bool) -> None:
    """Add files, folders, archives and web pages (http:// or https://).

    Only what changed is read again; files gone from a named folder or archive are removed.
    """
    from dataclasses import replace

    from tqdm import tqdm

    from app.engine import Engine
    from app.settings import load_settings
    from app.views import ingest_json, ingest_lines
    from ingest.pipeline import Progress
    from ingest.web import is_url

    settings = load_settings()
    if max_characters is not None:
        settings = replace(settings, ingest=replace(settings.ingest, max_characters=max_characters))
    with tqdm(total=1, unit="file", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:

        def show(progress: Progress) -> None:
            bar.total, bar.n = progress.n_files, progress.n_done
            bar.set_postfix_str(f"{progress.n_embedded} embedded {Path(progress.source).name}"[:60])

        files, urls = [Path(path) for path in paths if not is_url(path)], [path for path in paths if is_url(path)]
        report = Engine(settings).ingest(kb or settings.kb, files, urls=urls, rebuild=rebuild, on_progress=show)
    if as_json:
        click.echo(json.dumps(ingest_json(report), ensure_ascii=False))
    else:
        click.echo("\n".join(ingest_lines(report)))
    if report.failed:
        raise click.exceptions.Exit(1)
