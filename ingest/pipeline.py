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
from ingest.catalog_vectors import without_vectors
from ingest.document import Document, document_id
from ingest.file_hash import hash_file
from ingest.foresee import foreseen_error
from ingest.inputs import Bundle, document_input, file_input, web_input
from ingest.knowledge_base import KnowledgeBase
from ingest.passed_over import PassedOver
from ingest.plan import Plan, plan_ingest
from ingest.report import IngestConfig, IngestReport, IngestStopped, Progress
from ingest.run import Run
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
    run.failed.extend(found.failures)
    run.skipped.extend(found.skipped)
    run.ignored.extend(found.ignored)

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
    known = {info.source: info for info in catalog.documents()} if catalog else {}
    embedder = catalog.meta("embedder") if catalog else None
    unembedded = without_vectors(catalog, embedder) if catalog and embedder else set()
    chunking = repr(config.chunking)

    def is_whole(info: DocumentInfo) -> bool:
        if rebuild or info.chunking != chunking or info.id in unembedded:
            return False
        return not info.leaves_out_pages(config.load.max_ocr_pages)

    def state_fits(bundle: Bundle, inside: Sequence[DocumentInfo]) -> BundleState | None:
        version = bundle.version()  # also for a new one: that it can be read at all
        state = BundleState.from_json(catalog.source_state(bundle.source) if catalog and not rebuild else None)
        return state if state is not None and state.fits(version, chunking, inside, is_whole) else None

    named = {source_name(path, base) for path in paths}

    def passed_over(source: str, content_hash: str) -> PassedOver | None:
        if catalog is None or rebuild or source in named:
            return None
        passed = PassedOver.from_json(catalog.source_state(source))
        holds = passed is not None and passed.holds(content_hash, config.file_timeout_seconds)
        return passed if holds else None

    return plan_ingest(
        inputs,
        known,
        gone_sources(found, paths, base, known),
        is_whole=is_whole,
        state_fits=state_fits,
        passed_over=passed_over,
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
