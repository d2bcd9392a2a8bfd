"""`footnote ingest --watch`: keep a knowledge base in step with folders until Ctrl-C."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from app.commands.ingest import waiting_for
from app.engine import Engine
from app.views import ingest_json, ingest_lines
from app.watch import WatchConfig, follow
from ingest.errors import BusyError, StorageError
from ingest.file_hash import HashMemory
from ingest.pipeline import IngestReport, IngestStopped


def watch_folders(
    engine: Engine,
    kb: str,
    paths: Sequence[Path],
    *,
    settle_seconds: float | None,
    rebuild: bool,
    tags: tuple[str, ...],
    as_json: bool,
) -> None:
    """Take in what is there, then every change once it rests. Ends in order on Ctrl-C and SIGTERM."""
    hashes = HashMemory()
    first = True

    def sync(unfinished: frozenset[Path]) -> bool:
        nonlocal first
        try:
            report = engine.ingest(
                kb,
                paths,
                rebuild=rebuild and first,
                on_wait=waiting_for(kb),
                hash_of=hashes.hash_file,
                unfinished=unfinished,
                tags=tags,
            )
        except (BusyError, StorageError) as error:
            click.echo(f"footnote: {error}; trying again", err=True)
            return False
        if first or _has_news(report):
            _show(report, as_json=as_json)
        first = False
        return True

    config = WatchConfig(max_bytes=engine.settings.ingest.max_bytes)
    if settle_seconds is not None:
        config = WatchConfig(settle_seconds=settle_seconds, max_bytes=config.max_bytes)
    click.echo(f"following {', '.join(map(str, paths))}; stop with Ctrl-C", err=True)
    try:
        follow(paths, sync, config, on_note=lambda note: click.echo(note, err=True))
    except IngestStopped as stopped:
        _show(stopped.report, as_json=as_json)
        click.echo(f"Stopped following; {stopped.report.n_left} files wait for the next ingest", err=True)
    except KeyboardInterrupt:
        click.echo("Stopped following; everything that came to rest is in", err=True)


def _has_news(report: IngestReport) -> bool:
    return bool(report.added or report.updated or report.moved or report.removed or report.failed)


def _show(report: IngestReport, *, as_json: bool) -> None:
    click.echo(json.dumps(ingest_json(report), ensure_ascii=False) if as_json else "\n".join(ingest_lines(report)))
    sys.stdout.flush()  # whoever reads along sees it now
