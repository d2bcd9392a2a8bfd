"""A question and passages in, scores out, by a sentence-transformers CrossEncoder from a folder or a hub.

The weights load when the first score is asked for; importing torch and the library takes seconds.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ingest.errors import ModelError


@dataclass(frozen=True, slots=True)
class CrossEncoderConfig:
    """How a model is run. `dtype` "auto" is bfloat16 on a GPU or a processor with instructions for it, else float32:
    numbers of 8 bits tie only where a model hardly tells passages apart, and ties keep the order of the legs.
    """

    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    batch_size: int = 16


class CrossEncoderReranker:
    """Any sentence-transformers CrossEncoder with one output. Safe to use from several threads."""

    def __init__(self, model: str | Path, config: CrossEncoderConfig | None = None) -> None:
        self._model = str(model)
        self._config = config or CrossEncoderConfig()
        self._loading = threading.Lock()
        self._loaded: Any = None  # sentence_transformers.CrossEncoder, imported late

    @property
    def name(self) -> str:
        """The folder's last part, or the hub name without its owner."""
        return Path(self._model).name

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Give the logistic of the model's output a passage, 0 to 1. Raises ModelError."""
        if not passages:
            return []
        model = self._encoder()
        import torch

        # The raw output, because in bfloat16 the library's own logistic makes all good passages equal.
        outputs = model.predict(
            [(query, passage) for passage in passages],
            batch_size=self._config.batch_size,
            show_progress_bar=False,
            activation_fn=torch.nn.Identity(),
            convert_to_tensor=True,
        )
        numbers = [float(output) for output in outputs.float().cpu()]
        if not all(map(math.isfinite, numbers)):
            raise ModelError(
                f"reranker {self.name} gave a score that is no number: its weights are damaged or it needs another"
                " dtype; set FOOTNOTE_RERANKER to another model, or to nothing to search without one"
            )
        return [_logistic(number) for number in numbers]

    def _encoder(self) -> Any:  # as above
        with self._loading:
            if self._loaded is None:
                self._loaded = _load(self._model, self._config.dtype)
            return self._loaded


def _load(model: str, dtype: str) -> Any:  # as above
    import torch
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if problem := folder_problem(Path(model)) if Path(model).is_dir() else "":
        raise _unusable(model, problem)
    try:
        loaded = CrossEncoder(
            model, local_files_only=Path(model).is_dir(), model_kwargs={"dtype": _dtype(torch, dtype)}
        )
    except (OSError, ValueError) as error:
        raise _unusable(model, (str(error).strip().splitlines() or [type(error).__name__])[0]) from error
    if loaded.num_labels != 1:
        raise _unusable(model, f"it gives {loaded.num_labels} numbers a pair, and a reranker gives one")
    return loaded


def folder_problem(folder: Path) -> str:
    """Say what keeps a folder from being a CrossEncoder, from its settings alone; empty when nothing does."""
    import json

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "it has no config.json"
    except (OSError, ValueError) as error:
        return f"its config.json can't be read ({error})"
    if not isinstance(config, dict):
        return "its config.json holds no settings"
    kinds = config.get("architectures") or []
    if kinds and not any(str(kind).endswith("ForSequenceClassification") for kind in kinds) and not _is_own(folder):
        return f"it is a {', '.join(map(str, kinds))}, and a CrossEncoder is a ...ForSequenceClassification"
    n_outputs = len(config.get("id2label") or {}) or int(config.get("num_labels") or 2)
    if kinds and n_outputs != 1 and not _is_own(folder):
        return f"it gives {n_outputs} numbers a pair, and a reranker gives one"
    return ""


def _is_own(folder: Path) -> bool:
    """Tell whether the library lists the model's parts itself, as for rerankers made of a language model."""
    return (folder / "modules.json").is_file()


def _unusable(model: str, reason: str) -> ModelError:
    return ModelError(
        f"reranker {model} can't be loaded ({reason.rstrip('.')}); fetch one with `footnote llm pull hf:ORG/NAME`, or set"
        " FOOTNOTE_RERANKER to a folder that holds a sentence-transformers CrossEncoder, or to nothing to search without"
    )


def _dtype(torch: Any, dtype: str) -> Any:  # the torch module and one of its dtypes
    if dtype != "auto":
        return getattr(torch, dtype)
    fast = torch.cuda.is_available() or torch.cpu.get_capabilities().get("amx_bf16", False)
    return torch.bfloat16 if fast else torch.float32


def _logistic(number: float) -> float:
    """1 / (1 + e^-x), also where e^-x is too large to write."""
    return 1 / (1 + math.exp(-number)) if number >= 0 else math.exp(number) / (1 + math.exp(number))
