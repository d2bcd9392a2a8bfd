"""`footnote llm serve`: the commands it makes, a real llama.cpp server under it, and why servers fail."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.commands.llm_serve import command
from app.model_abilities import Abilities
from app.models import SMOLLM
from app.served_list import Served, list_served
from app.servers import served_models
from app.serving_failure import reason
from app.serving_machine import Gpu, Machine
from app.serving_model import ServedModel, identify
from app.serving_plan import Wishes, make_plan
from ingest.errors import ModelError, SettingsError

ROOT = Path(__file__).parents[1]
GGUF = ROOT / "data" / "models" / SMOLLM.name
VLLM = Path("/opt/vllm/bin/vllm")
CARDS = Machine((Gpu("H100", 81_559),) * 2, 10**11)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder of 4 layers, with two heads for keys and values of 64 numbers."""
    model = tmp_path / "mine"
    model.mkdir()
    shape = {"num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 64}
    (model / "config.json").write_text(json.dumps({"model_type": "qwen2", "max_position_embeddings": 1024, **shape}))
    (model / "model.safetensors").write_bytes(b"0" * 1000)
    return model


def flags(plan_command: tuple[str, ...]) -> dict[str, str]:
    """Give each flag with what follows it; "" for a switch."""
    pairs = zip(plan_command, (*plan_command[1:], "--"), strict=True)
    return {flag: "" if value.startswith("--") else value for flag, value in pairs if flag.startswith("--")}


def test_without_a_gpu_the_context_and_cache_fit_the_model(folder: Path, tmp_path: Path) -> None:
    plan = make_plan(identify(str(folder), tmp_path), Machine((), 10**10), Wishes(), VLLM)

    given = flags(plan.command)
    # 2 x 2 bytes x 4 layers x 2 heads x 64 x 1024 tokens x 8 requests = 16.8 MB: the least is taken, 64 MiB
    assert (given["--max-model-len"], given["--kv-cache-memory-bytes"]) == ("1024", "67108864")
    assert (given["--dtype"], "--enforce-eager" in given) == ("bfloat16", True)
    assert plan.set_variables["HF_HUB_OFFLINE"] == "1"


@pytest.mark.parametrize(
    ("name", "quantization", "cards"),
    [("Qwen/Qwen2.5-7B-Instruct", "", "1"), ("Qwen/Qwen2.5-32B-Instruct", "", "2"),
     ("Qwen/Qwen2.5-32B-Instruct", "bitsandbytes", "1"), ("ms:Qwen/Qwen2.5-72B-Instruct-AWQ", "awq", "1")],
)  # fmt: skip
def test_a_model_gets_as_many_gpus_as_hold_it(name: str, quantization: str, cards: str, tmp_path: Path) -> None:
    plan = make_plan(identify(name, tmp_path), CARDS, Wishes(quantization=quantization), VLLM)

    given = flags(plan.command)
    assert (given["--tensor-parallel-size"], given["--max-model-len"]) == (cards, "auto")
    assert given.get("--quantization", "") == quantization
    assert plan.set_variables.get("VLLM_USE_MODELSCOPE") == ("True" if name.startswith("ms:") else None)


def test_a_model_too_large_for_all_gpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes some 180 GB, and 2 GPU"):
        make_plan(identify("Qwen/Qwen2.5-72B-Instruct", tmp_path), CARDS, Wishes(), VLLM)


def test_adapters_are_models_and_the_rank_is_theirs(folder: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "law"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"r": 24}')

    plan = make_plan(identify(str(folder), tmp_path), CARDS, Wishes(loras=(("law", adapter),)), VLLM)

    assert plan.models == ("mine", "law")
    assert (flags(plan.command)["--max-lora-rank"], flags(plan.command)["--lora-modules"]) == ("32", f"law={adapter}")


def test_a_key_is_never_in_the_command(folder: Path, tmp_path: Path) -> None:
    plan = make_plan(identify(str(folder), tmp_path), CARDS, Wishes(api_key="sesame"), VLLM)

    assert "sesame" not in " ".join(plan.command)
    assert plan.secrets == {"VLLM_API_KEY": "sesame"}


def test_a_gguf_without_a_gpu_goes_to_llama_cpp_and_a_folder_without_vllm_is_refused(folder: Path) -> None:
    gguf = ServedModel("/m.gguf", "gguf", "m", 1, {})

    assert make_plan(gguf, Machine((), 10**10), Wishes(), VLLM).engine == "llama.cpp"
    with pytest.raises(ModelError, match="pip install vllm"):
        make_plan(identify(str(folder), folder), Machine((), 10**10), Wishes(), None)
    with pytest.raises(SettingsError, match="serves GGUF files"):
        make_plan(identify(str(folder), folder), CARDS, Wishes(engine="llama.cpp"), VLLM)


def test_models_that_write_nothing_are_served_as_what_they_are(tmp_path: Path) -> None:
    converted = ServedModel("/m", "folder", "m", 1, {"architectures": ["Qwen3ForSequenceClassification"]})
    encoder = ServedModel("/m", "folder", "m", 1, {"architectures": ["XLMRobertaModel"]})
    overrides = (
        '{"architectures":["Qwen3ForSequenceClassification"],"classifier_from_token":["no","yes"],'
        '"is_original_qwen3_reranker":true}'
    )

    plans = [
        make_plan(model, CARDS, Wishes(tensor_parallel=1), VLLM)
        for model in (
            identify("Qwen/Qwen3-Reranker-0.6B", tmp_path),
            identify("ms:Qwen/Qwen3-Embedding-0.6B", tmp_path),
            converted,
            encoder,
            identify("Qwen/Qwen3-8B", tmp_path),
        )
    ]

    assert [plan.kind for plan in plans] == ["reranker", "embedder", "reranker", "embedder", "llm"]
    given = [flags(plan.command) for plan in plans]
    assert [one.get("--runner") for one in given] == ["pooling"] * 4 + [None]
    assert [one.get("--hf-overrides") for one in given] == [overrides, None, None, None, None]
    assert ["--default-chat-template-kwargs" in one for one in given] == [False] * 4 + [True]


def test_a_dry_run_sees_the_cards_that_nvidia_smi_lists(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("nvidia-smi", "echo 'NVIDIA L4, 23034'; echo 'NVIDIA L4, 23034'"), ("vllm", "exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    wanted = [str(folder), "--vllm", str(programs / "vllm"), "--tensor-parallel", "2", "--dry-run", "--", "--seed", "7"]

    done = CliRunner(env={"FOOTNOTE_HOME": str(tmp_path)}).invoke(command, wanted, catch_exceptions=False)

    assert "--tensor-parallel-size 2" in done.stdout
    assert done.stdout.endswith("--seed 7\n")


@pytest.mark.parametrize(
    ("log", "meaning"),
    [
        ("ERROR torch.OutOfMemoryError: CUDA out of memory. Tried", "there is not enough memory"),
        ("ValueError: Model architectures ['FooModel'] are not supported for now", "it doesn't know the model's"),
        ("ModuleNotFoundError: No module named 'modelscope'", "it lacks the package modelscope"),
        ("OSError: [Errno 98] Address already in use", "its port is taken"),
        ("Access to model X is restricted: Cannot access gated repo", "the model is gated"),
        ("INFO 11-25 12:00:00 [a.py:1] loading\nValueError: strange thing", "ValueError: strange thing"),
    ],
)
def test_the_reason_is_found_in_the_log(log: str, meaning: str) -> None:
    assert reason(log).startswith(meaning)


@pytest.mark.skipif(not GGUF.is_file(), reason=f"no {SMOLLM.name}; fetch it: footnote llm pull {SMOLLM.name}")
def test_a_killed_server_is_started_again_and_sigterm_leaves_nothing(tmp_path: Path) -> None:
    port = free_port()
    with serve(tmp_path, GGUF, port) as serving:
        assert next(lines_of(serving, "Ready:")).rstrip() == (
            f"Ready: {GGUF.stem} at http://127.0.0.1:{port}/v1  (Ctrl-C stops it)"
        )
        state = json.loads((tmp_path / "serving" / f"{port}.json").read_text()) if wait_state(tmp_path, port) else {}
        os.kill(state["server_pid"], signal.SIGKILL)
        next(lines_of(serving, "The server died:"))
        again = wait_state(tmp_path, port, other_than=state["server_pid"])
        assert served_models(f"http://127.0.0.1:{port}/v1", "none") == [GGUF.stem]
        (listed,) = list_served([f"http://127.0.0.1:{port}/v1"], "none", tmp_path / "kept", refresh=False)
        assert listed.abilities == Abilities(streams=True, structured=True, logprobs=True, images=False, audio=False)
        assert len(json.loads((tmp_path / "kept").read_text())) == 1
        serving.terminate()
        assert serving.wait(90) == 0
    assert not Path(f"/proc/{again}").exists()
    assert list((tmp_path / "serving").glob("*.json")) == []


def test_a_model_that_is_no_model_and_a_port_in_use_are_said_before_anything_starts(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        out = serve(tmp_path, broken, port).communicate(timeout=90)[0]
    assert f"port {port} is in use; choose another: --port" in out

    failing = serve(tmp_path, broken, free_port())
    out = failing.communicate(timeout=90)[0]
    assert (failing.returncode, "the GGUF can't be loaded" in out) == (2, True), out


@pytest.mark.skipif(not GGUF.is_file() or sys.platform != "linux", reason="needs the small GGUF, and Linux")
def test_a_server_ends_with_the_command_that_is_killed(tmp_path: Path) -> None:
    port = free_port()
    with serve(tmp_path, GGUF, port) as serving:
        server = wait_state(tmp_path, port)
        watched = os.pidfd_open(server)
        serving.kill()
        assert select.select([watched], [], [], 90)[0] == [watched]
        os.close(watched)


def test_a_server_that_is_down_is_a_line_with_the_reason(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"

    assert list_served([url], "none", tmp_path / "kept", refresh=False) == [
        Served(
            url,
            problem=f"no server answers at {url}/models (Connection refused); start one or correct the address",
        )
    ]


def serve(home: Path, model: Path, port: int) -> "subprocess.Popen[str]":
    """Run the command, both its outputs in one pipe."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "app.cli", "llm", "serve", str(model), "--port", str(port)],
        cwd=ROOT, env={**os.environ, "FOOTNOTE_HOME": str(home)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def lines_of(process: "subprocess.Popen[str]", start: str) -> Iterator[str]:
    """Yield what it prints from a line on that begins with `start`."""
    assert process.stdout is not None
    return (line for line in iter(process.stdout.readline, "") if line.startswith(start))


def wait_state(home: Path, port: int, *, other_than: int = 0) -> int:
    """Poll the state file until it names a server of another process; give that process's id."""
    import time

    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        path = home / "serving" / f"{port}.json"
        if path.exists() and (found := int(json.loads(path.read_text())["server_pid"])) != other_than:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30):
                return found
        time.sleep(0.1)
    raise AssertionError(f"no server in {home}")


def free_port() -> int:
    """Give a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
