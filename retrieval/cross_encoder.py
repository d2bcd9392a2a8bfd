"""A query and passages in, a score a passage out, by a cross-encoder in this process. Knows nothing of rankings."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.errors import ModelError
from ingest.torch_encoder import torch_dtype


class CrossEncoderReranker:
    """Any sentence-transformers CrossEncoder: a folder, or a name that the hub library resolves (online or from its
    cache). It loads when the first passage is judged. Safe to use from several threads.
    """

    def __init__(self, model: str | Path, *, dtype: str = "auto") -> None:
        self.model = str(model)
        self._dtype = dtype
        self._lock = threading.Lock()
        self._loaded: Any = None  # sentence_transformers.CrossEncoder, imported late

    @property
    def name(self) -> str:
        """The folder's last part, or the hub name without its owner."""
        return Path(self.model).name

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Give the model's own score a passage, not squeezed between 0 and 1, where the best would become equal."""
        if not passages:
            return []
        import torch

        with self._lock:
            if self._loaded is None:
                self._loaded = _load(self.model, self._dtype)
            try:
                found = self._loaded.predict(
                    [(query, passage) for passage in passages],
                    activation_fn=torch.nn.Identity(),
                    convert_to_tensor=True,
                    show_progress_bar=False,
                )
            except torch.OutOfMemoryError as error:
                raise ModelError(
                    f"reranker {self.name} needs more memory than there is for {len(passages)} passages;"
                    " lower FOOTNOTE_RERANK_DEPTH"
                ) from error
        scores = [float(score) for score in found.float().cpu().tolist()]
        if any(score != score for score in scores):
            raise ModelError(f"reranker {self.name} gave scores that are no numbers; its weights are damaged")
        return scores


def load_cross_encoder(model: str, dtype: str, *, role: str, setting: str) -> Any:  # sentence_transformers.CrossEncoder
    """Load a folder or hub name. `role` and `setting` name it in the ModelError for one that can't be loaded."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return CrossEncoder(
            model, local_files_only=Path(model).is_dir(), model_kwargs={"dtype": torch_dtype(torch, dtype)}
        )
    except (OSError, ValueError, KeyError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"{role} {model} can't be loaded ({first}); fetch it with `footnote llm pull hf:ORGANISATION/NAME`, or"
            f" set {setting} to a folder that holds a cross-encoder"
        ) from error


def _load(model: str, dtype: str) -> Any:  # sentence_transformers.CrossEncoder
    loaded = load_cross_encoder(model, dtype, role="reranker", setting="FOOTNOTE_RERANKER")
    if loaded.num_labels != 1:
        raise ModelError(
            f"{model} gives {loaded.num_labels} scores a pair, so it sorts pairs into classes; a reranker gives one:"
            " set FOOTNOTE_RERANKER to one"
        )
    if not _was_trained_to_score(loaded):
        raise ModelError(
            f"{model} has no trained part that scores a pair (it is {_architecture(loaded)}), so it is no reranker;"
            " set FOOTNOTE_RERANKER to a cross-encoder"
        )
    return loaded


def _was_trained_to_score(loaded: Any) -> bool:  # sentence_transformers.CrossEncoder
    """Tell whether the folder had the scoring layer: without one the library makes it up of random numbers."""
    return len(loaded) > 1 or _architecture(loaded).endswith("ForSequenceClassification")


def _architecture(loaded: Any) -> str:  # as above
    return ", ".join(loaded[0].model.config.architectures or ["of no known architecture"])
