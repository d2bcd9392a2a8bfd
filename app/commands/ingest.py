"""`footnote ingest`: bring a knowledge base in step with files, folders, archives and web pages, once or always."""

import json
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from app.commands.options import json_option, kb_option

if TYPE_CHECKING:  # imported when the command runs: `--help` must not wait for FAISS
    from app.engine import Engine
    from ingest.pipeline import Progress

SIGINT_STATUS, SIGTERM_STATUS = 130, 143


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="PATH_OR_URL...")
@kb_option
@click.option("--rebuild", is_flag=True, help="Take in every file again, also with another embedder or chunk size.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be added, updated, moved and removed; change nothing, fetch nothing.",
)
@click.option("--watch", is_flag=True, help="Go on following the folders until Ctrl-C; with --json a line a change.")
@click.option("--settle-seconds", type=click.FloatRange(min=0.01), help="How long a watched file must rest; 1.")
@click.option("--tag", "tags", multiple=True, metavar="NAME", help="Tag every document that is named here; repeatable.")
@click.option("--max-characters", type=click.IntRange(1), help="The longest text a document may hold.")
@click.option("--max-bytes", type=click.IntRange(1), help="Ignore larger files in folders.")
@click.option("--wait-seconds", type=click.FloatRange(min=0), help="How long to wait for another writer; 30.")
@click.option(
    "--file-timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Give a file up whose reading doesn't get on for so long (more for large ones); 120; 0: never.",
)
@json_option
def command(
    sources: tuple[str, ...],
    kb: str | None,
    rebuild: bool,
    dry_run: bool,
    watch: bool,
    settle_seconds: float | None,
    tags: tuple[str, ...],
    max_characters: int | None,
    max_bytes: int | None,
    wait_seconds: float | None,
    file_timeout: float | None,
    as_json: bool,
) -> None:
    """Add files, folders, archives and web pages (http:// or https://).

    Only what changed is read again; files gone from a named folder or archive are removed.

    Hidden files are left out, and what a .footnoteignore in a folder names (in gitignore's syntax).
    """
    from dataclasses import replace

    from app.engine import Engine
    from app.settings import load_settings
    from app.views import plan_json, plan_lines
    from ingest.tags import clean_tag
    from ingest.web import is_url

    if dry_run and watch:
        raise click.UsageError("--dry-run changes nothing, so there is nothing to --watch; choose one")
    paths, urls = [Path(name) for name in sources if not is_url(name)], [name for name in sources if is_url(name)]
    if watch and urls:
        raise click.UsageError(
            f"--watch follows files and folders; no server tells when {urls[0]} changes. Leave it out, and ingest it"
            f" again without --watch whenever you like"
        )
    settings = load_settings()
    config = replace(
        settings.ingest,
        max_characters=max_characters or settings.ingest.max_characters,
        max_bytes=max_bytes,
        wait_seconds=settings.ingest.wait_seconds if wait_seconds is None else wait_seconds,
        file_timeout_seconds=settings.ingest.file_timeout_seconds if file_timeout is None else file_timeout,
    )
    engine = Engine(replace(settings, ingest=config))
    cleaned = tuple(clean_tag(tag) for tag in tags)
    name = kb or settings.kb
    if dry_run:
        plan = engine.plan(name, paths, urls=urls, rebuild=rebuild)
        click.echo(json.dumps(plan_json(plan), ensure_ascii=False) if as_json else "\n".join(plan_lines(plan)))
        if plan.failed:
            raise click.exceptions.Exit(1)
        return
    signal.signal(signal.SIGTERM, _interrupt)
    if watch:
        from app.commands.ingest_watch import watch_folders

        watch_folders(
            engine, name, paths, settle_seconds=settle_seconds, rebuild=rebuild, tags=cleaned, as_json=as_json
        )
        return
    again = shlex.join(
        ["footnote", "ingest", *sources, *(["--kb", kb] if kb else []), *(f"--tag={tag}" for tag in tags)]
    )
    _ingest_once(engine, name, paths, urls, rebuild=rebuild, tags=cleaned, as_json=as_json, again=again)


def _ingest_once(
    engine: "Engine",
    name: str,
    paths: list[Path],
    urls: list[str],
    *,
    rebuild: bool,
    tags: tuple[str, ...],
    as_json: bool,
    again: str,
) -> None:
    from app.views import ingest_json, ingest_lines, stopped_lines
    from ingest.pipeline import IngestStopped

    try:
        with _progress_bar() as show:
            report = engine.ingest(
                name, paths, urls=urls, rebuild=rebuild, on_progress=show, on_wait=waiting_for(name), tags=tags
            )
    except IngestStopped as stopped:
        if as_json:
            click.echo(json.dumps({**ingest_json(stopped.report), "stopped": True}, ensure_ascii=False))
        click.echo("\n".join(stopped_lines(stopped.report, again)), err=True)
        raise click.exceptions.Exit(_status(stopped.__cause__)) from stopped
    except KeyboardInterrupt as stopped:
        click.echo(f"Stopped. What was committed is kept; go on with: {again}", err=True)
        raise click.exceptions.Exit(_status(stopped)) from stopped
    click.echo(json.dumps(ingest_json(report), ensure_ascii=False) if as_json else "\n".join(ingest_lines(report)))
    if report.failed:
        raise click.exceptions.Exit(1)


@contextmanager
def _progress_bar() -> Iterator[Callable[["Progress"], None]]:
    """Draw how many bytes of the files are done, their rate and the time left, and how many passages a second."""
    from tqdm import tqdm

    form = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}B [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
    with tqdm(
        total=1, unit="B", unit_scale=True, bar_format=form, file=sys.stderr, disable=not sys.stderr.isatty(),
        leave=False, dynamic_ncols=True,
    ) as bar:  # fmt: skip

        def show(progress: "Progress") -> None:
            bar.total, bar.n = max(progress.bytes_total, 1), progress.bytes_done
            bar.set_postfix_str(progress_words(progress, bar.format_dict["elapsed"]))

        yield show


def progress_words(progress: "Progress", seconds: float) -> str:
    """Say which file of how many is being read, how far, and how many passages were embedded a second."""
    rate = progress.n_embedded / seconds if seconds > 0 else 0.0
    step = f"{progress.step}, " if progress.step else ""
    return f"{progress.n_done}/{progress.n_files} files, {rate:.0f} passages/s {step}{Path(progress.source).name}"[:70]


def waiting_for(name: str) -> Callable[[str], None]:
    """Give what says on standard error whom an ingest is waiting for."""

    def say(who: str) -> None:
        click.echo(f"waiting: {name} is being written by {who}", err=True)

    return say


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End in order on SIGTERM as on Ctrl-C."""
    raise KeyboardInterrupt(number)


def _status(interrupt: BaseException | None) -> int:
    terminated = interrupt is not None and interrupt.args == (signal.SIGTERM,)
    return SIGTERM_STATUS if terminated else SIGINT_STATUS
