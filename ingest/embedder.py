"""Texts in, unit-norm vectors out. Knows nothing about documents or indexes.

The one real implementation runs any sentence-transformers model, from a folder or by hub name: by OpenVINO where it
can run the model and there is no GPU, else by torch. A model loads when a vector or a token is first asked for.
"""

import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from ingest.encoder_folder import Encoder, read_encoder

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


Runtime = Literal["openvino", "torch"]


@dataclass(frozen=True, slots=True)
class EmbedderConfig:
    """How a model is run; the vectors are the same (cosine at least .999), so an index doesn't depend on it. Only of a
    text longer than the model reads, which no chunk is unless the model's window is shorter, torch sees the beginning
    and OpenVINO all, in parts.

    `runtime` "auto" is OpenVINO for a model it can run, unless there is a GPU. `dtype` "auto" is bfloat16 where the
    processor or the GPU has instructions for it, else float32.
    """

    runtime: Literal["auto", "openvino", "torch"] = "auto"
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"


class Runner(Protocol):
    """A loaded model: texts with their prompts in, vectors out."""

    @property
    def dimension(self) -> int: ...

    @property
    def prompts(self) -> Mapping[str, str]: ...

    @property
    def dtype(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Give vectors, shape (len(texts), dimension), of about unit norm or any other."""

    def token_starts(self, text: str) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """What runs a model, and where that isn't OpenVINO, why."""

    runtime: Runtime
    reason: str
    encoder: Encoder | None = None


def choose_runtime(model: str | Path, config: EmbedderConfig) -> Choice:
    """Say what runs a model, reading only its settings."""
    folder = _folder_of(str(model))
    if config.runtime == "torch":
        return Choice("torch", "the settings ask for it")
    if config.runtime == "auto" and _has_gpu():
        return Choice("torch", "there is a GPU")
    encoder = read_encoder(folder) if folder else "it isn't on this machine yet"
    return Choice("torch", encoder) if isinstance(encoder, str) else Choice("openvino", "", encoder)


class SentenceTransformerEmbedder:
    """Any sentence-transformers model: a folder, or a name that the hub library resolves (online or from its cache)."""

    def __init__(self, model: str | Path, *, config: EmbedderConfig | None = None) -> None:
        self._model = str(model)
        self._config = config or EmbedderConfig()
        self._loading = threading.Lock()
        self._runner: Runner | None = None

    @property
    def name(self) -> str:
        """The folder's last part, or the hub name without its owner, so that either form opens the same index."""
        return Path(self._model).name

    @property
    def dimension(self) -> int:
        return self._loaded().dimension

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, "passage")

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self._encode([text], "query")[0]
        return vector

    def token_starts(self, text: str) -> list[int]:
        return self._loaded().token_starts(text)

    def _encode(self, texts: Sequence[str], role: Literal["query", "passage"]) -> Vectors:
        runner = self._loaded()
        if not texts:
            return np.zeros((0, runner.dimension), dtype=np.float32)
        prompt = self._prompt(runner.prompts, role)
        vectors = runner.encode([prompt + text for text in texts])
        # Whatever the model's last step is, bfloat16 leaves norms of .9966-1.0038; a dot product is a cosine only now.
        normed: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return normed

    def _prompt(self, own: Mapping[str, str], role: Literal["query", "passage"]) -> str:
        """Give the model's own prompt; the E5 family needs its two even where the model folder doesn't say so."""
        needed = f"{role}: " if "e5" in self.name.lower().split("-") else ""
        return own.get(role) or (own.get("document") if role == "passage" else None) or needed

    def _loaded(self) -> Runner:
        with self._loading:
            if self._runner is None:
                self._runner = self._load()
            return self._runner

    def _load(self) -> Runner:
        choice = choose_runtime(self._model, self._config)
        if choice.encoder is not None:
            from ingest.openvino_encoder import OpenVINOEncoder

            return OpenVINOEncoder(choice.encoder, dtype=self._config.dtype)
        from ingest.torch_encoder import TorchEncoder

        return TorchEncoder(self._model, dtype=self._config.dtype)


def _folder_of(model: str) -> Path | None:
    """Give the folder of a model: its own, or the hub library's copy; None where there is neither."""
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    for name in (model, f"sentence-transformers/{model}"):  # the library adds this owner to a bare name
        try:
            found = try_to_load_from_cache(name, "modules.json")
        except HFValidationError:
            return None
        if isinstance(found, str):
            return Path(found).parent
    return None


def _has_gpu() -> bool:
    if not (Path("/dev/nvidiactl").exists() or Path("/dev/kfd").exists() or sys.platform in ("win32", "darwin")):
        return False  # known without the seconds that torch takes to come
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()
