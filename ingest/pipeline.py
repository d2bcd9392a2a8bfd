"""Files, archives and web pages in, an up-to-date knowledge base out, with a report of what changed and what failed.

A file is committed as soon as its vectors are there, so that stopping at any moment loses at most the batch at work.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urldefrag

from ingest.bundle_state import BundleState
from ingest.catalog import Catalog
from ingest.catalog_rows import DocumentInfo
from ingest.document import Document, document_id
from ingest.file_hash import hash_file
from ingest.foresee import foreseen_error
from ingest.inputs import Bundle, document_input, file_input, web_input
from ingest.knowledge_base import KnowledgeBase
from ingest.plan import Plan, plan_ingest
from ingest.report import IngestConfig, IngestReport, IngestStopped, Progress
from ingest.run import Run
from ingest.run_known import Known
from ingest.sources import found_sources, gone_sources, source_name

__all__ = [
    "IngestConfig",
    "IngestReport",
    "IngestStopped",
    "Progress",
    "ingest_documents",
    "ingest_paths",
    "plan_paths",
]


def ingest_paths(
    kb: KnowledgeBase,
    paths: Sequence[Path],
    config: IngestConfig,
    *,
    urls: Sequence[str] = (),
    base: Path | None = None,
    rebuild: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_wait: Callable[[str], None] = lambda who: None,
    hash_of: Callable[[Path], str] = hash_file,
    unfinished: Collection[Path] = (),
    tags: Collection[str] = (),
) -> IngestReport:
    """Bring the knowledge base in step with files, folders, archives and web pages.

    A source is named by its absolute path, or by its path relative to `base`. Files below a named folder that were
    ingested before and are gone, or ignored now, are removed. `rebuild` takes in every file again. Files in
    `unfinished` are still being written and left as they are. `on_wait` is told who else is writing. Every document
    that is in gets the `tags`, unchanged ones too. Bad files are reported, never raised; an interrupt is raised as
    IngestStopped once what was done is searchable.
    """
    found = found_sources(paths, max_bytes=config.max_bytes, unfinished=unfinished)
    files = [file_input(path, source_name(path, base), hash_of) for path in found.files]
    pages = [web_input(url, config.web, kb.catalog.source_state) for url in _pages(urls)]
    named = [source_name(path, base) for path in paths]
    run = Run(kb, config, rebuild=rebuild, on_progress=on_progress, named=named)
    run.tally.failed.extend(found.failures)
    run.tally.skipped.extend(found.skipped)
    run.tally.ignored.extend(found.ignored)

    def gone(known: Iterable[str]) -> list[str]:
        return gone_sources(found, paths, base, known)

    try:
        report = run.take_in([*files, *pages], gone, on_wait=on_wait)
    except IngestStopped as stopped:
        _tag(kb, stopped.report, tags, config)
        raise
    _tag(kb, report, tags, config)
    return report


def _tag(kb: KnowledgeBase, report: IngestReport, tags: Collection[str], config: IngestConfig) -> None:
    if tags:
        sources = (*report.added, *report.updated, *report.unchanged, *(move.new for move in report.moved))
        with kb.writing(timeout_seconds=config.wait_seconds):
            kb.catalog.change_tags({document_id(source) for source in sources}, add=tags)


def plan_paths(
    catalog: Catalog | None,
    paths: Sequence[Path],
    config: IngestConfig,
    *,
    urls: Sequence[str] = (),
    base: Path | None = None,
    rebuild: bool = False,
) -> Plan:
    """Say what `ingest_paths` would do, changing nothing and fetching nothing.

    `catalog` is None where there is no knowledge base yet.
    """
    found = found_sources(paths, max_bytes=config.max_bytes)
    inputs = [file_input(path, source_name(path, base)) for path in found.files]
    named = frozenset(source_name(path, base) for path in paths)
    known = Known(catalog, catalog.meta("embedder") if catalog else None, config, rebuild=rebuild, named=named)

    def state_fits(bundle: Bundle, inside: Sequence[DocumentInfo]) -> BundleState | None:
        return known.state_of(bundle, bundle.version(), inside)  # asked also for a new one: that it can be read at all

    return plan_ingest(
        inputs,
        known.documents,
        gone_sources(found, paths, base, known.documents),
        is_whole=known.is_whole,
        state_fits=state_fits,
        passed_over=known.passed_over,
        foreseen=partial(foreseen_error, config=config.load),
        named=named,
        pages=_pages(urls),
        failed=found.failures,
        skipped=found.skipped,
        ignored=found.ignored,
    )


def ingest_documents(
    kb: KnowledgeBase,
    documents: Iterable[Document],
    config: IngestConfig,
    *,
    rebuild: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> IngestReport:
    """Add documents that exist as values already, such as the records of an evaluation corpus.

    `rebuild` takes in also those that are there in the same version.
    """
    inputs = [document_input(document) for document in documents]
    return Run(kb, config, rebuild=rebuild, on_progress=on_progress).take_in(inputs, lambda known: [])


def _pages(urls: Sequence[str]) -> list[str]:
    """Give each page once, whatever part of it an address names."""
    return list(dict.fromkeys(urldefrag(url).url for url in urls))
