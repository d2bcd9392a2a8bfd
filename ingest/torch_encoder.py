"""Texts in, vectors out, by sentence-transformers and torch: on a GPU, and for models that OpenVINO can't run here."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.errors import ModelError


class TorchEncoder:
    """A loaded model; importing torch and the library takes seconds."""

    def __init__(self, model: str, *, dtype: str = "auto") -> None:
        self._model = _load(model, dtype)

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return int(self._model.get_embedding_dimension())

    @property
    def prompts(self) -> Mapping[str, str]:
        """The model's own prompts, by what they are for."""
        return dict(self._model.prompts or {})

    @property
    def dtype(self) -> str:
        """The numbers it computes with."""
        return str(self._model.dtype).removeprefix("torch.")

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Give a vector a text, shape (len(texts), dimension)."""
        # An empty prompt, because a model may name one of its own as the default.
        tensor = self._model.encode(
            list(texts), prompt="", batch_size=32, convert_to_tensor=True, show_progress_bar=False
        )
        vectors: npt.NDArray[np.float32] = tensor.float().cpu().numpy()
        return vectors

    def token_starts(self, text: str) -> list[int]:
        """Give the start of every token of `text`, in order."""
        encoding = self._model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return [start for start, end in encoding["offset_mapping"] if end > start]


def _load(model: str, dtype: str) -> Any:  # sentence_transformers.SentenceTransformer, imported late
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(
            model, local_files_only=Path(model).is_dir(), model_kwargs={"dtype": torch_dtype(torch, dtype)}
        )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"embedder {model} can't be loaded ({_first_line(error)}); fetch it with "
            f"`footnote llm pull`, or give a folder that holds a sentence-transformers model"
        ) from error


def torch_dtype(torch: Any, dtype: str) -> Any:  # the torch module and one of its dtypes
    """Give the numbers to compute with; "auto" is bfloat16 where there are instructions for it, else float32."""
    if dtype != "auto":
        return getattr(torch, dtype)
    # Cosine to float32 at least .9999 on 128 mixed passages, 1.6 times as fast (benchmarks/LOG.md, 2026-11-22).
    fast = torch.cuda.is_available() or torch.cpu.get_capabilities().get("amx_bf16", False)
    return torch.bfloat16 if fast else torch.float32


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
