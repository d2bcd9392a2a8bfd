"""What a served model is for, by its configuration and name: answers, vectors or an order. Starts nothing."""

import json
import re
from typing import Literal

from app.serving_model import ServedModel

Kind = Literal["llm", "embedder", "reranker"]
_RERANKER = re.compile(r"rerank", re.IGNORECASE)
_EMBEDDER = re.compile(r"embed|\b(?:e5|gte|bge|jina)\b", re.IGNORECASE)
# Qwen3-Reranker is a chat model that says yes or no; so told, vLLM takes the score from these two tokens alone.
_QWEN3_RERANKER = {
    "architectures": ["Qwen3ForSequenceClassification"],
    "classifier_from_token": ["no", "yes"],
    "is_original_qwen3_reranker": True,
}


def kind_of(model: ServedModel) -> Kind:
    """Say what a model is for. Encoders and models with a head for scores never write; of others the name says it."""
    name = model.name.replace("_", "-")
    architecture = _architecture(model)
    if _RERANKER.search(name) or architecture.endswith("ForSequenceClassification"):
        return "reranker"
    if _EMBEDDER.search(name) or architecture.startswith(("Bert", "XLMRoberta", "Roberta", "NewModel")):
        return "embedder"
    return "llm"


def pooling_flags(model: ServedModel) -> list[str]:
    """Give vLLM's flags for a model that writes nothing."""
    flags = ["--runner", "pooling"]
    if kind_of(model) == "reranker" and _is_qwen3(model):
        flags += ["--hf-overrides", json.dumps(_QWEN3_RERANKER, separators=(",", ":"))]
    return flags


def _is_qwen3(model: ServedModel) -> bool:
    """Whether it is the original with the head of a chat model, not one converted to a head for scores."""
    return "qwen3" in model.name.lower() and _architecture(model) in ("", "Qwen3ForCausalLM")


def _architecture(model: ServedModel) -> str:
    named = model.config.get("architectures") or [""]
    return str(named[0])
