"""A real FastChat for the tests: controller, worker and OpenAI API, serving the tiny random Qwen3 on loopback ports."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.server_process import free_port, running
from tests.vllm_server import MODEL

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-fastchat" / "bin" / "python"
MODEL_NAME = "tiny-qwen3"


@pytest.fixture(scope="session")
def fastchat_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the tiny Qwen3 with FastChat and give its base URL; skip, with the cause, where it isn't installed."""
    if not PYTHON.is_file():
        pytest.skip(f"there is no {PYTHON.relative_to(ROOT)}; `make test-slow` installs FastChat")
    if not (MODEL / "model.safetensors").is_file():
        pytest.skip(f"there is no {MODEL.relative_to(ROOT)}; `make test` makes it, and needs npm for its tokenizer")
    logs = str(tmp_path_factory.mktemp("fastchat"))
    ports = [free_port() for _ in range(3)]
    controller, worker, api = (f"http://127.0.0.1:{port}" for port in ports)
    variables = {"HF_HUB_OFFLINE": "1", "LOGDIR": logs}

    def command(module: str, port: int, *options: str) -> list[str]:
        return [str(PYTHON), "-m", f"fastchat.serve.{module}", "--host", "127.0.0.1", "--port", str(port), *options]

    with ExitStack() as stack:
        listening = f"{controller}/openapi.json"
        stack.enter_context(running(command("controller", ports[0]), listening, environment=variables, cwd=logs))
        options = ["--controller-address", controller, "--worker-address", worker, "--model-path", str(MODEL)]
        options += ["--model-names", MODEL_NAME, "--conv-template", "qwen-7b-chat", "--device", "cpu"]
        serving = command("model_worker", ports[1], *options, "--dtype", "float32")
        stack.enter_context(running(serving, f"{worker}/openapi.json", environment=variables, cwd=logs))
        # The worker tells the controller of itself before it listens, and the API asks the controller anew each time.
        answering = command("openai_api_server", ports[2], "--controller-address", controller)
        models = f"{api}/v1/models"
        stack.enter_context(running(answering, models, holding=MODEL_NAME, environment=variables, cwd=logs))
        yield f"{api}/v1"
