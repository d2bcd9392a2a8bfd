"""A set's corpus in, a knowledge base that holds it out, built once per content by the project's own pipeline."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import ingest
from app.engine import Engine
from app.evaluation.jsonl import read_object
from app.evaluation.sets import EvaluationSet, Record, corpus_hash
from app.settings import Settings
from ingest.catalog_file import FORMAT_VERSION
from ingest.document import Block, Document, Span, document_id
from ingest.errors import SettingsError
from ingest.language import detect_language
from ingest.load_draft import clean_text
from ingest.pipeline import Progress

CACHE_FOLDER = "eval-cache"


@dataclass(frozen=True, slots=True)
class BuiltCorpus:
    """The knowledge base `kb` of a set, and the documents that could not be read, with the reason."""

    kb: str
    failed: tuple[tuple[str, str], ...]


def cache_settings(settings: Settings) -> Settings:
    """Give the settings under which sets are kept apart from the user's knowledge bases, with the same models."""
    embedder, llm = settings.models_folder / settings.embedder, settings.models_folder / settings.llm.model
    return replace(
        settings,
        home=settings.home / CACHE_FOLDER,
        embedder=str(embedder) if embedder.is_dir() else settings.embedder,
        llm=replace(settings.llm, model=str(llm)) if settings.llm.model and llm.exists() else settings.llm,
    )


def build_corpus(engine: Engine, questions: EvaluationSet, on_progress: Callable[[Progress], None]) -> BuiltCorpus:
    """Build the set's knowledge base, or take the one built before.

    Its name holds a hash of the corpus and of the settings it is built with. When the code of `ingest` has changed
    since, the corpus is cut and indexed again (texts that are the same keep their vectors): a figure is never that of
    an index that today's code would not build. Raises SettingsError for a set without a corpus.
    """
    if not questions.records and questions.documents is None:
        raise SettingsError(
            f"{questions.name} brings no corpus.jsonl and no documents/; name the knowledge base to ask with --kb"
        )
    settings = engine.settings
    built_with = (
        FORMAT_VERSION,
        corpus_hash(questions),
        engine.embedder().name,
        settings.ingest.chunking,
        settings.index,
    )
    kb = f"{_slug(questions.name)}-{hashlib.sha256(repr(built_with).encode()).hexdigest()[:12]}"
    marker, code = settings.home / f"{kb}.json", _code_hash()
    if marker.is_file() and kb in engine.knowledge_bases() and (found := _marked(marker, code)) is not None:
        return BuiltCorpus(kb, found)
    if questions.documents is not None:
        folder = questions.documents.resolve()
        report = engine.ingest(kb, [folder], base=folder, rebuild=marker.is_file(), on_progress=on_progress)
    else:
        documents = (record_document(record, code) for record in questions.records)
        report = engine.add_documents(kb, documents, on_progress=on_progress)
    failed = tuple((failure.source, failure.reason) for failure in report.failed)
    marker.write_text(json.dumps({"code": code, "failed": dict(failed)}, ensure_ascii=False), encoding="utf-8")
    return BuiltCorpus(kb, failed)


def record_document(record: Record, code: str = "") -> Document:
    """Make a corpus record a document: its id is the source, each line with text a paragraph. Its text is kept.

    `code` is part of the version, so that the pipeline takes the record in again when that has changed.
    """
    text = clean_text(record.text)
    return Document(
        id=document_id(record.id),
        source=record.id,
        content_hash=hashlib.sha256(f"{code}\0{record.title}\0{text}".encode("utf-8", "surrogatepass")).hexdigest(),
        title=clean_text(record.title) or record.id,
        text=text,
        pages=(),
        blocks=tuple(_paragraphs(text)),
        language=detect_language(text),
    )


def _paragraphs(text: str) -> Iterator[Block]:
    for line in re.finditer(r"[^\n]+", text):
        bare = line[0].strip()
        if bare:
            start = line.start() + line[0].index(bare)
            yield Block("paragraph", Span(start, start + len(bare)))


def _marked(marker: Path, code: str) -> tuple[tuple[str, str], ...] | None:
    """Give the failures of the build that `marker` stands for; None when other code made it."""
    row = read_object(marker)
    failed = row.fields.get("failed")
    if row.text("code", default="") != code or not isinstance(failed, dict):
        return None
    return tuple((str(source), str(reason)) for source, reason in failed.items())


def _code_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(ingest.__path__[0]).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _slug(name: str) -> str:
    return re.sub(r"[^\w-]+", "-", name).strip("-_")[:40] or "set"
