"""What a catalog held of the sources before an ingest, and so which of them need no reading. Changes nothing."""

from collections.abc import Collection, Sequence

from ingest.bundle_state import BundleState
from ingest.catalog import Catalog
from ingest.catalog_rows import DocumentInfo
from ingest.catalog_vectors import without_vectors
from ingest.inputs import Bundle, Input
from ingest.passed_over import PassedOver
from ingest.report import IngestConfig


class Known:
    """The documents by source as they were. `catalog` is None where there is no knowledge base yet."""

    def __init__(
        self,
        catalog: Catalog | None,
        embedder: str | None,
        config: IngestConfig,
        *,
        rebuild: bool,
        named: Collection[str],
    ) -> None:
        """`named` are the sources that were asked for one by one. With `rebuild` all is to be read again."""
        self.documents = {info.source: info for info in catalog.documents()} if catalog else {}
        self._unembedded = without_vectors(catalog, embedder) if catalog and embedder else set()
        self._catalog = catalog
        self._config = config
        self._chunking = repr(config.chunking)
        self._rebuild = rebuild
        self._named = named

    def at(self, catalog: Catalog, embedder: str) -> "Known":
        """Give what a catalog holds now, for the same ingest."""
        return Known(catalog, embedder, self._config, rebuild=self._rebuild, named=self._named)

    def is_asked_for(self, source: str) -> bool:
        """Tell whether a source was named, or is in: of such a one, also that it holds no words is a failure."""
        return source in self._named or source in self.documents

    def is_embedded(self, info: DocumentInfo) -> bool:
        """Tell whether the vectors of all its chunks are there and may be used."""
        return not self._rebuild and info.id not in self._unembedded

    def is_whole(self, info: DocumentInfo) -> bool:
        """Tell whether a document is read, cut and embedded as this ingest would do it."""
        if not self.is_embedded(info) or info.chunking != self._chunking:
            return False
        return not info.leaves_out_pages(self._config.load.max_ocr_pages)

    def is_current(self, entry: Input) -> bool:
        """Tell whether a source is in, whole, with the bytes that it has now."""
        info = self.documents.get(entry.source)
        return info is not None and self.is_whole(info) and entry.content_hash() == info.content_hash

    def needs_no_reading(self, entry: Input) -> bool:
        """Tell whether a source is as it was: taken in already, without words, or one whose reading was stopped."""
        return self.is_current(entry) or self.passed_over_input(entry) is not None

    def passed_over_input(self, entry: Input) -> PassedOver | None:
        """Give what was remembered of a source that gave no document, if reading it again would be no use."""
        if entry.at_hand is None or self._remembered(entry.source) is None:
            return None
        passed = self.passed_over(entry.source, entry.content_hash())
        return None if passed is None or (entry.source in self.documents and not passed.was_late) else passed

    def passed_over(self, source: str, content_hash: str) -> PassedOver | None:
        """Give what was remembered of a source with these bytes that gave no document, if the same would happen."""
        passed = self._remembered(source)
        holds = passed is not None and passed.holds(content_hash, self._config.file_timeout_seconds)
        return passed if holds else None

    def state_of(self, bundle: Bundle, version: str, inside: Sequence[DocumentInfo]) -> BundleState | None:
        """Give what was remembered of a file with several documents, if it and they are as they were."""
        state = BundleState.from_json(self._catalog.source_state(bundle.source) if self._catalog else None)
        return state if state is not None and state.fits(version, self._chunking, inside, self.is_whole) else None

    def _remembered(self, source: str) -> PassedOver | None:
        if self._catalog is None or self._rebuild or source in self._named:
            return None
        return PassedOver.from_json(self._catalog.source_state(source))
