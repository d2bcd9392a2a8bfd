"""A real vLLM for the tests: the tiny random Qwen3, served on a loopback port, stopped when the tests are done.

Use it with `pytest_plugins = ("tests.vllm_server",)` and a test argument `vllm_server`.
"""

import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.server_process import free_port, running

ROOT = Path(__file__).resolve().parent.parent
VLLM = ROOT / ".venv-vllm" / "bin" / "vllm"
MODEL = ROOT / "data" / "models" / "tiny-qwen3-random"
MODEL_NAME = "tiny-qwen3"
# With its own two layers the model writes faster than the server sends: the first piece comes when all is written.
SLOWER = {"num_hidden_layers": 24, "layer_types": ["full_attention"] * 24}
MODEL_TOKENS = 2048
_VARIABLES = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True, slots=True)
class VllmServer:
    """A running server: `base_url` ends in /v1, `model` is the name it serves its model under."""

    base_url: str
    model: str
    context_tokens: int

    @property
    def root_url(self) -> str:
        """The address of /health and /metrics."""
        return self.base_url.removesuffix("/v1")


@pytest.fixture(scope="session")
def vllm_server() -> Iterator[VllmServer]:
    """Serve the tiny Qwen3 with vLLM; skip, with the cause, on a machine that can't have it."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    port = free_port()
    with running(_command(port), f"http://127.0.0.1:{port}/health", environment=_VARIABLES):
        yield VllmServer(f"http://127.0.0.1:{port}/v1", MODEL_NAME, MODEL_TOKENS)


def why_not() -> str:
    """Say why vLLM can't be started here; empty when it can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "vLLM for CPUs comes for Linux on x86_64 only"
    if not VLLM.is_file():
        return f"there is no {VLLM.relative_to(ROOT)}; `make test` installs it"
    if not (MODEL / "model.safetensors").is_file():
        return f"there is no {MODEL.relative_to(ROOT)}; `make test` makes it, and needs npm for its tokenizer"
    return ""


def _command(port: int) -> list[str]:
    return [
        str(VLLM),
        "serve",
        str(MODEL),
        *("--served-model-name", MODEL_NAME),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--dtype", "bfloat16", "--max-model-len", str(MODEL_TOKENS), "--max-num-seqs", "8", "--enforce-eager"),
        *("--kv-cache-memory-bytes", "67108864"),
        *("--load-format", "dummy", "--hf-overrides", json.dumps(SLOWER)),
        *("--structured-outputs-config", '{"backend":"xgrammar","disable_any_whitespace":true}'),
        *("--default-chat-template-kwargs", '{"enable_thinking":false}'),
    ]
