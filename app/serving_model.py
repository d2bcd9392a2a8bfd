"""The name of a model in, what a server needs to know of it out: where it is, how big, of which kind."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.model_hubs import HubModel, parse_hub_name
from app.models import find_model
from ingest.errors import ModelError

Place = Literal["folder", "gguf", "hf", "ms"]
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_BILLIONS = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)b(?![a-z])", re.IGNORECASE)
_FOUR_BITS = re.compile(r"awq|gptq|int4|4bit|bnb", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """`target` is what the server is told; `name` what it is called unless the user says otherwise.

    `weights_bytes` is 0 and `config` empty where they can't be known before the server fetches the model.
    """

    target: str
    place: Place
    name: str
    weights_bytes: int
    config: dict[str, Any]  # the model's own config.json

    @property
    def text_config(self) -> dict[str, Any]:
        """The part of the configuration that speaks of the language model: a vision model nests it."""
        inner = self.config.get("text_config")
        return inner if isinstance(inner, dict) else self.config

    @property
    def thinks(self) -> bool:
        """Whether its chat template opens with thinking unless told not to."""
        return "qwen3" in f"{self.config.get('model_type', '')} {self.target}".lower()


def identify(named: str, models_folder: Path) -> ServedModel:
    """Say what `named` is: a folder or GGUF file (also by its name in the models folder), or a hub's name.

    Raises ModelError when it is nothing of these, or not a model.
    """
    hub = parse_hub_name(named)
    if hub is None and not Path(named).expanduser().exists() and not (models_folder / named).exists():
        hub = HubModel("hf", named, "") if _HUB_NAME.fullmatch(named) else None
    if hub is not None:
        return _on_hub(hub)
    path = find_model(named, models_folder)
    return _gguf(path) if path.is_file() else _folder(path)


def _on_hub(hub: HubModel) -> ServedModel:
    if hub.file:
        raise ModelError(f"one file of a hub's model is fetched first: footnote llm pull {hub}; then serve its name")
    size = _BILLIONS.search(hub.repository)
    per_parameter = 0.6 if _FOUR_BITS.search(hub.repository) else 2.0
    weights = int(float(size[1]) * 1e9 * per_parameter) if size else 0
    return ServedModel(hub.repository, hub.hub, hub.local_name, weights, {})


def _gguf(path: Path) -> ServedModel:
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelError(f"{path} is not a GGUF file or is damaged; give a GGUF file or a model's folder")
    return ServedModel(str(path.absolute()), "gguf", path.stem, path.stat().st_size, {})


def _folder(path: Path) -> ServedModel:
    inside = sorted(path.glob("*.gguf"))
    if len(inside) == 1 and not (path / "config.json").is_file():
        return _gguf(inside[0])
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} is no model folder: it has no config.json; give the folder that has one") from error
    except ValueError as error:
        raise ModelError(f"{path / 'config.json'} is damaged ({error}); fetch the model again") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path / 'config.json'} is damaged (no JSON object); fetch the model again")
    weights = sum(file.stat().st_size for ending in ("safetensors", "bin") for file in path.glob(f"*.{ending}"))
    if not weights:
        raise ModelError(f"{path} has no weights (*.safetensors); fetch the model again, or finish copying it")
    return ServedModel(str(path.absolute()), "folder", path.name, weights, config)
