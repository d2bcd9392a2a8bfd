"""The knowledge bases of one machine: listed, opened with the embedder they were built with, cared for. Knows no model
that answers and no search."""

import os
import re
import shutil
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.model_making import make_embedder
from app.settings import Settings
from ingest.catalog import Catalog
from ingest.catalog_file import is_made
from ingest.catalog_rows import DocumentInfo
from ingest.document import Document
from ingest.embedder import Embedder, SentenceTransformerEmbedder
from ingest.errors import KnowledgeBaseError, SettingsError, StorageError
from ingest.export_kb import Exported, export_knowledge_base
from ingest.import_kb import import_knowledge_base
from ingest.knowledge_base import KnowledgeBase
from ingest.remembering import RememberingEmbedder
from ingest.repair import Repair, repair_knowledge_base
from ingest.salvage import salvage_catalog
from ingest.tags import clean_tag
from ingest.verify import folder_problems
from ingest.write_lock import WriteLock

_KB_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Summary:
    """A knowledge base in a list; with a `problem` its counts are 0."""

    name: str
    documents: int
    chunks: int
    problem: str | None = None


def _summary(folder: Path) -> Summary:
    try:
        catalog = Catalog(folder / "catalog.sqlite", create=False)
    except KnowledgeBaseError as error:
        return Summary(folder.name, 0, 0, str(error))
    try:
        return Summary(folder.name, *catalog.counts())
    except KnowledgeBaseError as error:
        return Summary(folder.name, 0, 0, str(error))
    finally:
        catalog.close()


class KnowledgeBases:
    """The knowledge bases that the settings name, opened when first used and kept open, for many threads."""

    def __init__(self, settings: Settings, *, embedder: Embedder | None = None) -> None:
        self.settings = settings
        self._opening = threading.RLock()
        self._open: dict[str, KnowledgeBase] = {}
        self._embedder = embedder
        self._embedders: dict[str, Embedder] = {}  # of knowledge bases built with others, by name
        self._remembering: dict[Embedder, RememberingEmbedder] = {}

    def knowledge_bases(self) -> list[str]:
        """List the knowledge bases by name, without what an interrupted first ingest, import or delete left."""
        folder = self.settings.kb_folder
        catalogs = folder.glob("*/catalog.sqlite") if folder.is_dir() else []
        return sorted(path.parent.name for path in catalogs if path.parent.name[0] != "." and is_made(path))

    def summaries(self) -> list[Summary]:
        """Say of each knowledge base how much it holds, or why it can't be opened. Needs no model."""
        return [_summary(self._folder(name)) for name in self.knowledge_bases()]

    def require(self, kb: str) -> None:
        """Raise KnowledgeBaseError unless there is a knowledge base of this name, whole or not."""
        self._existing_folder(kb)

    def documents(self, kb: str) -> list[DocumentInfo]:
        """List a knowledge base's documents, by source."""
        return self.knowledge_base(kb).catalog.documents()

    def document(self, kb: str, document_id: str) -> Document:
        """Give one document with its text."""
        return self.knowledge_base(kb).catalog.document(document_id)

    def delete_document(self, kb: str, document_id: str) -> bool:
        """Remove a document from every next answer; tell whether it was there."""
        folder = self._existing_folder(kb)
        writer = KnowledgeBase.open(folder, self._embedder_of(folder), config=self.settings.index)
        try:
            with writer.writing():
                was_there = writer.remove(document_id)
                writer.refresh()
            return was_there
        finally:
            writer.close()

    def delete_knowledge_base(self, kb: str) -> None:
        """Remove a knowledge base with everything in it."""
        folder = self._existing_folder(kb)
        doomed = folder.with_name(f".deleted-{kb}-{os.getpid()}")
        try:
            with self._opening, WriteLock(folder).acquire(timeout_seconds=10):
                if kb in self._open:
                    self._open.pop(kb).close()
                folder.rename(doomed)  # gone in one step: a kill from here on leaves no half knowledge base
            for leftover in folder.parent.glob(".deleted-*"):
                shutil.rmtree(leftover)
        except OSError as error:
            raise StorageError(f"{kb} can't be deleted ({error.strerror or error}); check its permissions") from error

    def verify(self, kb: str) -> list[str]:
        """List what is wrong with a knowledge base, in words; empty when all is well. Needs no model."""
        return folder_problems(self._existing_folder(kb))

    def repair(self, kb: str) -> Repair:
        """Mend what can be mended from the documents themselves."""
        folder = self._existing_folder(kb)
        salvaged = salvage_catalog(folder, wait_seconds=self.settings.ingest.wait_seconds)
        writer = KnowledgeBase.open(folder, self.embedder(), config=self.settings.index)
        try:
            repaired = repair_knowledge_base(writer, self.settings.ingest)
        finally:
            writer.close()
        return Repair((*salvaged.mended, *repaired.mended), (*salvaged.left, *repaired.left))

    def export(self, kb: str, file: Path) -> Exported:
        """Write a knowledge base to one archive, as it is now, also while another process writes."""
        return export_knowledge_base(self._existing_folder(kb), file)

    def import_(self, kb: str, file: Path) -> Exported:
        """Restore an archive as a new knowledge base, embedding nothing."""
        self._check_name(kb)
        return import_knowledge_base(file, self._folder(kb), config=self.settings.index)

    def tag(
        self, kb: str, document_ids: Collection[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> int:
        """Give documents tags, take others away, and tell how many documents that changed. Needs no model."""
        catalog = Catalog(self._existing_folder(kb) / "catalog.sqlite", create=False)
        try:
            with WriteLock(self._folder(kb)).acquire(timeout_seconds=self.settings.ingest.wait_seconds):
                added, removed = [clean_tag(tag) for tag in add], [clean_tag(tag) for tag in remove]
                return catalog.change_tags(document_ids, add=added, remove=removed)
        finally:
            catalog.close()

    def knowledge_base(self, kb: str) -> KnowledgeBase:
        """Give the open knowledge base. Raises KnowledgeBaseError when it isn't there."""
        with self._opening:
            if kb in self._open and self._open[kb].catalog.was_replaced:
                self._open.pop(kb)  # deleted or restored by another process; a thread may still be reading the old one
            if kb not in self._open:
                folder = self._existing_folder(kb)
                embedder = self.remembering(self._embedder_of(folder))
                self._open[kb] = KnowledgeBase.open(folder, embedder, config=self.settings.index)
            return self._open[kb]

    def knowledge_bases_named(self, kb: str, also: Sequence[str] = ()) -> list[KnowledgeBase]:
        """Give several open knowledge bases, each once. Raises KnowledgeBaseError naming one that isn't there."""
        return [self.knowledge_base(name) for name in dict.fromkeys((kb, *also))]

    def notices(self, kb: str, also: Sequence[str] = ()) -> list[str]:
        """Say what the indexes of some knowledge bases may lack; empty when all are up to date."""
        return [opened.notice for opened in self.knowledge_bases_named(kb, also) if opened.notice]

    def embedder(self) -> Embedder:
        """Give the embedder of the settings; its weights load when the first vector is asked for."""
        with self._opening:
            if self._embedder is None:
                self._embedder = make_embedder(self.settings)
            return self._embedder

    def remembering(self, embedder: Embedder) -> Embedder:
        """Give an embedder for questions, which remembers what it embedded."""
        with self._opening:
            if embedder not in self._remembering:
                self._remembering[embedder] = RememberingEmbedder(embedder)
            return self._remembering[embedder]

    def _embedder_of(self, folder: Path) -> Embedder:
        """Give the embedder that a knowledge base was built with, if it is here; else that of the settings.

        Only reading does so: what is added must come from the embedder that the settings name.
        """
        catalog = Catalog(folder / "catalog.sqlite", create=False)
        try:
            built_with = catalog.meta("embedder")
        finally:
            catalog.close()
        if built_with in self._embedders:
            return self._embedders[built_with]
        if built_with and self._embedder is None and self.settings.embedder_server.url:
            served = make_embedder(self.settings, built_with)
            if served.name == built_with:
                return self._embedders.setdefault(built_with, served)
        if built_with is None or built_with == self.embedder().name:
            return self.embedder()
        # In the models folder, or beside the embedder that the settings name by its path.
        folders = (self.settings.models_folder, Path(self.settings.embedder).absolute().parent)
        local = next((path for models in folders if (path := models / built_with).is_dir()), None)
        if local is None:
            return self.embedder()
        return self._embedders.setdefault(
            built_with, SentenceTransformerEmbedder(local, config=self.settings.embedding)
        )

    def _writer(self, kb: str, *, rebuild: bool = False) -> KnowledgeBase:
        """Open a knowledge base of its own for writing, so that readers keep theirs."""
        self._check_name(kb)
        embedder = self.embedder()
        if self.settings.embedder_server.url:
            embedder.embed_query("probe")  # one that isn't there leaves no empty knowledge base behind
        return KnowledgeBase.open(self._folder(kb), embedder, create=True, rebuild=rebuild, config=self.settings.index)

    def _check_name(self, kb: str) -> None:
        if not _KB_NAME.fullmatch(kb):
            raise SettingsError(f"{kb!r} can't name a knowledge base; use letters, digits, - _ . (at most 64)")

    def _existing_folder(self, kb: str) -> Path:
        if kb not in self.knowledge_bases():
            there = ", ".join(self.knowledge_bases()) or "none yet"
            raise KnowledgeBaseError(
                f"there is no knowledge base {kb!r} (there are: {there}); make it with: footnote ingest --kb {kb} PATH"
            )
        return self._folder(kb)

    def _folder(self, kb: str) -> Path:
        return self.settings.kb_folder / kb
