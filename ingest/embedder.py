"""Texts in, unit-norm vectors out. Knows nothing about documents or indexes.

The one real implementation runs any sentence-transformers model, from a folder or by hub name. It imports torch
(seconds) only when a vector or a token count is first asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ingest.errors import ModelError

Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """A model that turns texts into vectors whose dot product says how alike they are."""

    @property
    def name(self) -> str:
        """The name kept in the index; an index made under another name is refused."""

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Give unit-norm float32 vectors, shape (len(texts), dimension), in the order of `texts`."""

    def embed_query(self, text: str) -> Vectors:
        """Give one unit-norm float32 vector, shape (dimension,)."""

    def token_starts(self, text: str) -> list[int]:
        """Give the start offset in `text` of every token, in order."""


@dataclass(frozen=True, slots=True)
class EmbedderConfig:
    """How a model is run. `dtype` "auto" is bfloat16 where the processor has AMX or a GPU is there, else float32."""

    dtype: str = "auto"
    batch_size: int = 32


class SentenceTransformerEmbedder:
    """Any sentence-transformers model: a folder, or a name that the hub library resolves (online or from its cache)."""

    def __init__(self, model: str | Path, *, config: EmbedderConfig | None = None) -> None:
        self._model_source = str(model)
        self._config = config or EmbedderConfig()

    @property
    def name(self) -> str:
        """The folder's last part, or the hub name without its owner, so that either form opens the same index."""
        return Path(self._model_source).name

    @property
    def dimension(self) -> int:
        return int(self._model.get_embedding_dimension())

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return self._encode(list(texts), self._prompts["passage"])

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self._encode([text], self._prompts["query"])[0]
        return vector

    def token_starts(self, text: str) -> list[int]:
        encoding = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return [start for start, end in encoding["offset_mapping"] if end > start]

    def _encode(self, texts: list[str], prompt: str) -> Vectors:
        tensor = self._model.encode(
            texts, prompt=prompt, batch_size=self._config.batch_size, convert_to_tensor=True, show_progress_bar=False
        )
        vectors = tensor.float().cpu().numpy()
        # bfloat16 leaves norms of .9966-1.0038; a dot product is a cosine only after this.
        normed: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return normed

    @cached_property
    def _prompts(self) -> dict[str, str]:
        """The model's own prompts; the E5 family needs its two even where the model folder doesn't say so."""
        own: dict[str, str] = dict(self._model.prompts or {})
        is_e5 = "e5" in self.name.lower().split("-")
        passage = own.get("passage") or own.get("document") or ("passage: " if is_e5 else "")
        return {"query": own.get("query") or ("query: " if is_e5 else ""), "passage": passage}

    @cached_property
    def _tokenizer(self) -> Any:  # a transformers tokenizer, whose types differ by model
        return self._model.tokenizer

    @cached_property
    def _model(self) -> Any:  # sentence_transformers.SentenceTransformer, imported late
        is_folder = Path(self._model_source).is_dir()
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            return SentenceTransformer(
                self._model_source, local_files_only=is_folder, model_kwargs={"dtype": self._dtype(torch)}
            )
        except (OSError, ValueError) as error:
            raise ModelError(
                f"embedder {self._model_source} can't be loaded ({_first_line(error)}); fetch it with "
                f"`footnote llm pull`, or give a folder that holds a sentence-transformers model"
            ) from error

    def _dtype(self, torch: Any) -> Any:  # the torch module and one of its dtypes
        if self._config.dtype != "auto":
            return getattr(torch, self._config.dtype)
        # Cosine to float32 at least .9999 on 128 mixed passages, 1.6 times as fast (benchmarks/LOG.md, 2026-11-22).
        fast = torch.cuda.is_available() or torch.cpu.get_capabilities().get("amx_bf16", False)
        return torch.bfloat16 if fast else torch.float32


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
