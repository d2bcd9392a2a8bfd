"""One engine, timed, in a process of its own: turns as JSON on standard input, figures as JSON on standard output.

    PYTHON engine_side.py llama|openvino|vllm MODEL NAME=VALUE,... < turns.json

Knows nothing of Footnote: the Python is the engine's own. Each engine's function says which names it takes.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LAST_TOKENS = 96
CONTEXT = 4096
PORT = 18753


class Meter:
    """The pieces of one text, with the wall and processor time of the first and the last."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.tokens = 0
        self.first = self.last = (0.0, 0.0)

    def take(self, text: str) -> None:
        """Count a piece; one without text is no word yet."""
        if text:
            self.first = self.first if self.texts else now()
            self.texts.append(text)

    def end(self, tokens: int) -> None:
        """Say how many tokens the pieces were."""
        self.last, self.tokens = now(), tokens
        self.first = self.first if self.texts else self.last


Ask = Callable[[str, int, Meter], None]


def now() -> tuple[float, float]:
    """Give the wall clock and the processor seconds of this session's processes: the engine's own, and no other."""
    ticks = 0
    for folder in session():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        ticks += int(fields[11]) + int(fields[12])
    return time.perf_counter(), ticks / os.sysconf("SC_CLK_TCK")


def session() -> Iterator[Path]:
    """Yield the folders in /proc of this session's processes."""
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and os.getsid(int(folder.name)) == os.getsid(0):
                yield folder
        except ProcessLookupError:
            continue


def main() -> None:
    """Start the engine, put the turns through it and print."""
    engine, model, given = sys.argv[1:4]
    options = dict(pair.split("=", 1) for pair in given.split(",") if pair)
    turns = json.load(sys.stdin)
    began = time.perf_counter()
    ask, stop = {"llama": llama, "openvino": openvino, "vllm": vllm}[engine](model, options)
    ask("Hi", 1, Meter())
    start_seconds = time.perf_counter() - began
    measured = [measure(ask, calls) for calls in turns]
    peak = peak_mib()
    stop()
    print(json.dumps({"start_seconds": start_seconds, "peak_mib": peak, "turns": measured}, ensure_ascii=False))


def measure(ask: Ask, calls: list[dict[str, Any]]) -> dict[str, Any]:
    """Make the calls of one turn; the last is the answer."""
    began = now()
    for call in calls:
        meter = Meter()
        ask(call["prompt"], min(call["max_tokens"], LAST_TOKENS), meter)
    return {
        "first_seconds": meter.first[0] - began[0],
        "first_cpu_seconds": meter.first[1] - began[1],
        "writing_seconds": meter.last[0] - meter.first[0],
        "writing_cpu_seconds": meter.last[1] - meter.first[1],
        "tokens": meter.tokens,
        "text": "".join(meter.texts),
    }


def peak_mib() -> float:
    """Give the most memory that each process of this session had, added up."""
    lines = (line for folder in session() for line in (folder / "status").read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def llama(model: str, options: dict[str, str]) -> tuple[Ask, Callable[[], None]]:
    """`threads`, `batch`, `flash` (0 or 1), `kv` (q8_0), `spec` (ngram_simple, ngram_mod, ...)."""
    os.environ.update(OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT="0")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_parallel = CONTEXT, 1
    params.n_batch = params.n_ubatch = int(options.get("batch", 256))
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(options.get("threads", 2))
    params.cache_ram_mib = 512
    params.fit_params = params.warmup = False
    params.verbosity = -1
    if "flash" in options:
        kinds = xllamacpp.llama_flash_attn_type
        params.flash_attn_type = (
            kinds.LLAMA_FLASH_ATTN_TYPE_ENABLED if options["flash"] == "1" else kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
    if "kv" in options:
        params.cache_type_k = params.cache_type_v = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{options['kv'].upper()}")
    if "spec" in options:
        kind = f"COMMON_SPECULATIVE_TYPE_{options['spec'].upper()}"
        params.speculative.types = [getattr(xllamacpp.common_speculative_type, kind)]
    server = xllamacpp.Server(params)

    def ask(prompt: str, max_tokens: int, meter: Meter) -> None:
        def receive(event: dict[str, Any]) -> bool:
            if "error" in event:
                raise SystemExit(str(event["error"]))
            meter.take("".join(choice.get("text", "") for choice in event.get("choices") or ()))
            if "timings" in event:
                meter.end(event["timings"]["predicted_n"])
            return False

        request = {"prompt": prompt, "max_tokens": max_tokens, "temperature": 0, "stream": True, "cache_prompt": True}
        server.handle_completions(request, receive)

    return ask, lambda: None


def openvino(model: str, options: dict[str, str]) -> tuple[Ask, Callable[[], None]]:
    """`cb` (1: continuous batching), `precision` (f32, bf16), `kv` (u8, f16), `lookup` (tokens)."""
    import openvino_genai

    properties: dict[str, Any] = {}
    if "precision" in options:
        properties["INFERENCE_PRECISION_HINT"] = options["precision"]
    if "kv" in options:
        properties["KV_CACHE_PRECISION"] = options["kv"]
    if options.get("cb") == "1":
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.enable_prefix_caching, scheduler.cache_size = True, 1
        properties["scheduler_config"] = scheduler
    if "lookup" in options:
        properties["prompt_lookup"] = True
    pipeline = openvino_genai.LLMPipeline(model, "CPU", **properties)

    def ask(prompt: str, max_tokens: int, meter: Meter) -> None:
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = max_tokens
        config.apply_chat_template = False
        config.do_sample = False
        config.set_eos_token_id(151645)
        config.stop_token_ids = {151643, 151645}
        if "lookup" in options:
            config.num_assistant_tokens, config.max_ngram_size = int(options["lookup"]), 3
        done = pipeline.generate([prompt], config, meter.take)
        meter.end(done.perf_metrics.get_num_generated_tokens())

    return ask, lambda: None


def vllm(model: str, options: dict[str, str]) -> tuple[Ask, Callable[[], None]]:
    """Serve a folder of 16-bit weights: the GGUF's, as `footnote llm serve` unpacked it. `reserve` (cores)."""
    folder = f"{model.removesuffix('.gguf')}-unpacked" if model.endswith(".gguf") else model
    command = [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", folder, "--served-model-name", "m"]
    command += ["--host", "127.0.0.1", "--port", str(PORT), "--dtype", "bfloat16", "--max-model-len", str(CONTEXT)]
    command += ["--max-num-seqs", "8", "--enforce-eager", "--kv-cache-memory-bytes", str(2**28)]
    command += ["--enable-prefix-caching"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    if "reserve" in options:
        environment["VLLM_CPU_NUM_OF_RESERVED_CPU"] = options["reserve"]
    server = subprocess.Popen(command, env=environment, stdout=sys.stderr, stderr=sys.stderr)
    url = f"http://127.0.0.1:{PORT}"
    while True:
        if server.poll() is not None:
            raise SystemExit("vLLM stopped")
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                break
        except OSError:
            time.sleep(0.5)

    def ask(prompt: str, max_tokens: int, meter: Meter) -> None:
        body = {"model": "m", "prompt": prompt, "max_tokens": max_tokens, "temperature": 0, "stream": True}
        body["stream_options"] = {"include_usage": True}
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{url}/v1/completions", json.dumps(body).encode(), headers)
        tokens = 0
        with urllib.request.urlopen(request, timeout=600) as response:
            for line in response:
                if line.startswith(b"data: {"):
                    event = json.loads(line[6:])
                    for choice in event["choices"]:
                        meter.take(choice["text"])
                    tokens = (event.get("usage") or {}).get("completion_tokens", tokens)
        meter.end(tokens)

    def stop() -> None:
        server.terminate()
        server.wait(60)

    return ask, stop


if __name__ == "__main__":
    main()
