"""A model, a machine and the user's wishes in; the command and environment of a server out. Starts nothing."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.ports import LOOPBACK
from app.serving_kind import Kind, kind_of, pooling_flags
from app.serving_machine import Machine
from app.serving_model import ServedModel
from app.settings import PROJECT
from ingest.errors import ModelError, SettingsError

Engine = Literal["vllm", "llama.cpp"]
QUANTIZATIONS = ("awq", "gptq", "bitsandbytes", "fp8")
LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # vLLM takes these as --max-lora-rank
_CPU_CONTEXT_TOKENS = 4096
_CPU_REQUESTS = 8
_GPU_SHARE = 0.9  # of a card's memory, vLLM's own default
_ROOM = 1.25  # weights and what a server needs beside them, at the least
_STRUCTURED = '{"backend":"xgrammar","disable_any_whitespace":true}'
_INSTALL = (
    "install it in an environment of its own (python3 -m venv .venv-vllm; .venv-vllm/bin/pip install vllm), or say"
    " where it is: --vllm PATH"
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user said; "", 0 and () leave it to the machine."""

    name: str = ""
    host: str = LOOPBACK
    port: int = 8000
    api_key: str = ""
    engine: str = ""
    quantization: str = ""
    loras: tuple[tuple[str, Path], ...] = ()
    tensor_parallel: int = 0
    context_tokens: int = 0
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """How the server is started. `set_variables` go over the environment; `secrets` too, and are never shown."""

    engine: Engine
    command: tuple[str, ...]
    set_variables: Mapping[str, str]
    secrets: Mapping[str, str]
    models: tuple[str, ...]
    host: str
    port: int
    kind: Kind = "llm"

    @property
    def root_url(self) -> str:
        """Where the server answers on this machine."""
        host = LOOPBACK if self.host in ("0.0.0.0", "::", "localhost") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def make_plan(model: ServedModel, machine: Machine, wishes: Wishes, vllm: Path | None) -> Plan:
    """Choose the engine and its flags. Raises ModelError or SettingsError for what can't work."""
    engine = _engine(model, machine, wishes, vllm)
    if engine == "llama.cpp":
        return _llama_plan(model, wishes)
    if vllm is None:
        raise ModelError(f"vLLM serves {model.target}, and there is none here; {_INSTALL}")
    return _vllm_plan(model, machine, wishes, vllm)


def must_unpack(model: ServedModel, machine: Machine, wishes: Wishes, vllm: Path | None) -> bool:
    """Tell whether vLLM will serve a GGUF, which it can't read: it has no plugin for them, or a CPU to run on."""
    if vllm is None or model.place != "gguf" or _engine(model, machine, wishes, vllm) != "vllm":
        return False
    return not (machine.gpus and any(vllm.resolve().parent.parent.glob("lib/python*/site-packages/vllm_gguf_plugin*")))


def find_vllm(named: str) -> Path | None:
    """Find vLLM's command: the one named, the project's own, or the one on PATH. Raises SettingsError."""
    if named:
        path = Path(named).expanduser().absolute()
        program = path / "bin" / "vllm" if path.is_dir() else path
        if not program.is_file():
            raise SettingsError(f"there is no vLLM at {program}; name its command or its environment's folder")
        return program
    own = PROJECT / ".venv-vllm" / "bin" / "vllm"
    on_path = shutil.which("vllm")
    return own if own.is_file() else Path(on_path) if on_path else None


def _engine(model: ServedModel, machine: Machine, wishes: Wishes, vllm: Path | None) -> Engine:
    if wishes.engine == "llama.cpp" and model.place != "gguf":
        raise SettingsError(f"llama.cpp serves GGUF files, and {model.target} is none; serve it with vLLM")
    if wishes.engine:
        return "vllm" if wishes.engine == "vllm" else "llama.cpp"
    return "llama.cpp" if model.place == "gguf" and not (machine.gpus and vllm) else "vllm"


def _llama_plan(model: ServedModel, wishes: Wishes) -> Plan:
    if wishes.loras or wishes.quantization or wishes.tensor_parallel > 1 or wishes.extra:
        raise SettingsError("--lora, --quantization, --tensor-parallel and flags after -- need vLLM and a model folder")
    name = wishes.name or model.name
    options = {
        "model": model.target,
        "name": name,
        "host": wishes.host,
        "port": wishes.port,
        "context_tokens": wishes.context_tokens or _CPU_CONTEXT_TOKENS,
    }
    return Plan(
        "llama.cpp",
        (sys.executable, "-m", "app.serving_llama", json.dumps(options)),
        {"PYTHONPATH": str(PROJECT)},
        {"FOOTNOTE_SERVER_KEY": wishes.api_key} if wishes.api_key else {},
        (name,),
        wishes.host,
        wishes.port,
    )


def _vllm_plan(model: ServedModel, machine: Machine, wishes: Wishes, vllm: Path) -> Plan:
    name = wishes.name or model.name
    command = [str(vllm), "serve", model.target, "--served-model-name", name]
    command += ["--host", wishes.host, "--port", str(wishes.port), "--enable-prefix-caching"]
    command += _gpu_flags(model, machine, wishes) if machine.gpus else _cpu_flags(model, machine, wishes)
    command += _writing_flags(model) if kind_of(model) == "llm" else pooling_flags(model)
    if wishes.quantization:
        command += ["--quantization", wishes.quantization]
    command += _lora_flags(wishes.loras)
    variables = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if model.place == "ms":
        variables["VLLM_USE_MODELSCOPE"] = "True"
    if model.place in ("folder", "gguf"):
        variables["HF_HUB_OFFLINE"] = "1"
    return Plan(
        "vllm",
        (*command, *wishes.extra),
        variables,
        {"VLLM_API_KEY": wishes.api_key} if wishes.api_key else {},
        (name, *(lora for lora, _ in wishes.loras)),
        wishes.host,
        wishes.port,
        kind_of(model),
    )


def _writing_flags(model: ServedModel) -> list[str]:
    flags = ["--structured-outputs-config", _STRUCTURED]
    if model.thinks:  # answers are to be short, and thinking is not cited
        flags += ["--default-chat-template-kwargs", '{"enable_thinking":false}']
    return flags


def _gpu_flags(model: ServedModel, machine: Machine, wishes: Wishes) -> list[str]:
    n_gpus = wishes.tensor_parallel or _cards_needed(model, machine, wishes)
    if n_gpus > len(machine.gpus):
        raise SettingsError(f"--tensor-parallel {n_gpus} wants as many GPUs, and there are {len(machine.gpus)}")
    context = str(wishes.context_tokens) if wishes.context_tokens else "auto"  # as much as the memory holds
    return ["--max-model-len", context, "--tensor-parallel-size", str(n_gpus)]


def _cards_needed(model: ServedModel, machine: Machine, wishes: Wishes) -> int:
    """The fewest cards, a power of two that the attention heads divide by, whose memory holds the weights."""
    share = {"bitsandbytes": 0.3, "fp8": 0.5}.get(wishes.quantization, 1.0)  # of 16-bit weights, packed while loading
    wanted = model.weights_bytes * share * _ROOM
    card = min(gpu.memory_mib for gpu in machine.gpus) * 2**20 * _GPU_SHARE
    heads = int(model.text_config.get("num_attention_heads", 0))
    counts = [n for n in (1, 2, 4, 8, 16) if n <= len(machine.gpus) and heads % n == 0]
    for n_gpus in counts:
        if n_gpus * card >= wanted:
            return n_gpus
    raise ModelError(
        f"{model.target} takes some {wanted / 1e9:.0f} GB, and {counts[-1]} GPU(s) here hold"
        f" {counts[-1] * card / 1e9:.0f}; take a smaller or quantized one, or --tensor-parallel to try it nevertheless"
    )


def _cpu_flags(model: ServedModel, machine: Machine, wishes: Wishes) -> list[str]:
    if wishes.tensor_parallel > 1:
        raise SettingsError(f"--tensor-parallel {wishes.tensor_parallel} needs GPUs, and none is used here")
    if model.weights_bytes * _ROOM > machine.memory_bytes:
        raise ModelError(
            f"{model.target} has {model.weights_bytes / 1e9:.0f} GB of weights, and this machine"
            f" {machine.memory_bytes / 1e9:.0f} GB of memory; take a smaller one, or its GGUF in 4 bits"
        )
    most = int(model.text_config.get("max_position_embeddings", 0)) or _CPU_CONTEXT_TOKENS
    context = wishes.context_tokens or min(most, _CPU_CONTEXT_TOKENS)
    cache = _cache_bytes(model.text_config, context, machine.memory_bytes - int(model.weights_bytes * _ROOM))
    flags = ["--dtype", "bfloat16", "--max-model-len", str(context), "--max-num-seqs", str(_CPU_REQUESTS)]
    return [*flags, "--enforce-eager", "--kv-cache-memory-bytes", str(cache)]


def _cache_bytes(config: Mapping[str, Any], context: int, free_bytes: int) -> int:
    """Keys and values (2) in 16 bits (2 bytes) for as many requests of full length as are served at once.

    At least one request's, at most half of the memory beside the weights.
    """
    heads = int(config.get("num_attention_heads", 0))
    kv_heads = int(config.get("num_key_value_heads", heads))
    size = int(config.get("head_dim") or (int(config.get("hidden_size", 0)) // heads if heads else 0))
    one = 2 * 2 * int(config.get("num_hidden_layers", 0)) * kv_heads * size * context
    if not one:
        return 2**30
    return max(one, min(one * _CPU_REQUESTS, free_bytes // 2), 2**26)


def _lora_flags(loras: Sequence[tuple[str, Path]]) -> list[str]:
    if not loras:
        return []
    rank = max(_lora_rank(name, folder) for name, folder in loras)
    allowed = [known for known in LORA_RANKS if known >= rank]
    if not allowed:
        raise ModelError(f"an adapter has rank {rank}; vLLM takes at most {LORA_RANKS[-1]}")
    modules = [f"{name}={folder.absolute()}" for name, folder in loras]
    flags = ["--enable-lora", "--max-lora-rank", str(allowed[0]), "--max-loras", str(len(loras))]
    return [*flags, "--lora-modules", *modules]


def _lora_rank(name: str, folder: Path) -> int:
    file = folder / "adapter_config.json"
    try:
        return int(json.loads(file.read_text(encoding="utf-8"))["r"])
    except OSError as error:
        raise ModelError(f"--lora {name}: there is no {file}; give the folder that the fine-tuning wrote") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"--lora {name}: {file} states no rank `r`; is this a LoRA adapter?") from error
