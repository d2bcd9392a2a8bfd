"""A sentence-transformers folder in, what it takes to run it out: sizes, pooling, prompts, weights.

Knows the files, not how a model is run. `read_encoder` tells which models `ingest/encoder_graph.py` can build.
"""

import json
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ingest.errors import ModelError

Pooling = Literal["mean", "cls"]
Floats = npt.NDArray[np.float32]

WEIGHTS = "model.safetensors"
_MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
# Families whose layers are BERT's; the names of the weights differ, and the first position of a text.
_FAMILIES = ("bert", "roberta", "xlm-roberta", "camembert", "mpnet")


@dataclass(frozen=True, slots=True)
class Encoder:
    """A model's settings. `first_position` is the row of the position table where a text begins."""

    folder: Path
    family: str
    dimension: int
    n_heads: int
    n_layers: int
    epsilon: float
    first_position: int
    max_tokens: int
    pooling: Pooling
    lower_case: bool
    prompts: Mapping[str, str]


def read_encoder(folder: Path) -> Encoder | str:
    """Give the model in `folder`, or the reason why only the library that wrote it can run it."""
    needed = ("modules.json", "config.json", "tokenizer.json", WEIGHTS)
    if missing := [name for name in needed if not (folder / name).is_file()]:
        return f"it has no {missing[0]}"
    modules = [entry["type"].rsplit(".", 1)[-1] for entry in _json(folder / "modules.json")]
    if modules not in _MODULES:
        return f"it is {' + '.join(modules)}"
    config, pooling = _json(folder / "config.json"), _pooling(_json(folder / "modules.json"), folder)
    if config.get("model_type") not in _FAMILIES:
        return f"it is of the family {config.get('model_type')}"
    if config.get("hidden_act", "gelu") != "gelu" or config.get("position_embedding_type", "absolute") != "absolute":
        return "its layers aren't plain BERT layers"
    if pooling is None:
        return "it pools tokens in a way of its own"
    family = config["model_type"]
    first = 0 if family == "bert" else int(config.get("pad_token_id", 1)) + 1
    own = _json(folder / "sentence_bert_config.json", {})
    tokenizer = _json(folder / "tokenizer_config.json", {})
    said = own.get("max_seq_length") or tokenizer.get("model_max_length")
    longest = int(config["max_position_embeddings"]) - first
    return Encoder(
        folder=folder,
        family=family,
        dimension=int(config["hidden_size"]),
        n_heads=int(config["num_attention_heads"]),
        n_layers=int(config["num_hidden_layers"]),
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        first_position=first,
        max_tokens=min(int(said or longest), longest),
        pooling=pooling,
        lower_case=bool(own.get("do_lower_case")),
        prompts=_json(folder / "config_sentence_transformers.json", {}).get("prompts") or {},
    )


def read_weights(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    """Map a safetensors file: arrays that are read when used. bfloat16 comes as float32, integers are left out.

    The format is a length (8 bytes, little-endian), a JSON header of that length, and the arrays.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        data = np.memmap(path, mode="r", offset=8 + length, dtype=np.uint8)
        return {
            name: _floats(data[slice(*entry["data_offsets"])], entry["dtype"]).reshape(entry["shape"])
            for name, entry in header.items()
            if name != "__metadata__" and entry["dtype"] in ("F32", "F16", "BF16")
        }
    except (OSError, ValueError, OverflowError, MemoryError) as error:  # cut off, or no such file at all
        raise ModelError(f"{path} can't be read ({error}); fetch the model again with: footnote llm pull") from error


def forget_pages(array: npt.NDArray[np.generic]) -> None:
    """Give back the memory of the mapped file that an array lies in; it is read again where it is used again."""
    mapped: mmap.mmap | None = getattr(array, "_mmap", None)  # of np.memmap, and of its views
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _floats(data: npt.NDArray[np.uint8], dtype: str) -> npt.NDArray[np.generic]:
    if dtype == "BF16":  # the upper half of a float32
        return (data.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return data.view(np.float32 if dtype == "F32" else np.float16)


def _pooling(modules: list[dict[str, str]], folder: Path) -> Pooling | None:
    settings = _json(folder / modules[1]["path"] / "config.json", {})
    if settings.get("include_prompt", True) is not True:
        return None
    modes = {key for key, value in settings.items() if key.startswith("pooling_mode_") and value is True}
    mode = settings.get("pooling_mode")
    if mode == "mean" or modes == {"pooling_mode_mean_tokens"}:
        return "mean"
    return "cls" if mode == "cls" or modes == {"pooling_mode_cls_token"} else None


def _json(path: Path, default: Any = None) -> Any:  # whatever JSON the model's authors wrote
    if default is not None and not path.is_file():
        return default
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} can't be read ({error}); fetch the model again with: footnote llm pull") from error
