"""What Footnote costs on top of a model server: the same prompts through Footnote and through a bare HTTP client.

    python -m benchmarks.serving [--base-url URL | --paced N] [--model NAME] [--at N...] [--rounds N] [--questions N]
                                 [--answer-tokens N] [--device TEXT] [--quick] [--json]

Without `--base-url` it is llama.cpp in this process, whose calls are repeated without Footnote around them. `--paced N`
starts a server that writes N tokens a second on each stream, as fast as a real model on a GPU does and with nothing
computed: benchmarks/paced_server.py. The questions are the sample ones. A first pass through Footnote records every
call that it makes; its share of prompt tokens found in the prefix cache is vLLM's own count. Then Footnote and the bare
client take turns, N questions at a time, with all prompts cached on both sides. `tokens/s` counts the server's pieces
over the wall time of all; `first` is the median time to the first piece, for Footnote after retrieval. Overhead is how
much slower Footnote is: with its searches, and without the time that they took.
"""

import argparse
import json
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import httpx

from app.engine import Engine
from app.model_making import make_llm
from app.settings import PROJECT, LLMSettings, Settings
from generation.answer import Answer
from generation.answer_config import AnswerConfig
from generation.counting import CountsAhead
from generation.llm import LLM, Prompt, SamplingConfig

KB = "samples"
SAMPLES = PROJECT / "data" / "eval" / "samples"
ANSWER_TOKENS = 64
Call = tuple[Prompt, SamplingConfig]
T = TypeVar("T")


@dataclass(slots=True)
class Side:
    """What one side did in all its turns at one concurrency."""

    pieces: int = 0
    seconds: float = 0.0
    searching: float = 0.0  # seconds of all questions together, many at a time
    cpu_seconds: float = 0.0
    firsts: list[float] = field(default_factory=list)

    @property
    def speed(self) -> float:
        """Pieces per second."""
        return self.pieces / self.seconds

    def speed_without_search(self, n: int) -> float:
        """Pieces per second, the searches of `n` questions at a time taken off."""
        return self.pieces / (self.seconds - self.searching / n)


class Recording:
    """A language model that notes its calls, the pieces they gave and when the first came, by thread."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self._of_thread = threading.local()
        self.name, self.context_tokens, self.count_tokens = llm.name, llm.context_tokens, llm.count_tokens

    def begin(self) -> None:
        """Forget what this thread's last question did."""
        self._of_thread.calls, self._of_thread.times = [], []

    @property
    def calls(self) -> list[Call]:
        """The calls of this thread's question."""
        calls: list[Call] = self._of_thread.calls
        return calls

    @property
    def times(self) -> list[float]:
        """When each piece of this thread's question came."""
        times: list[float] = self._of_thread.times
        return times

    def count_ahead(self, texts: Iterable[str]) -> None:
        """Let the model count, if it counts ahead."""
        if isinstance(self._llm, CountsAhead):
            self._llm.count_ahead(texts)

    def next_tokens(self, prompt: Prompt) -> Mapping[str, float]:
        """Give the model's own, as a call of one token."""
        self.calls.append((prompt, SamplingConfig(max_tokens=1)))
        return self._llm.next_tokens(prompt)

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Pass on what the model writes."""
        self.calls.append((prompt, sampling))
        for piece in self._llm.stream(prompt, sampling):
            if piece:
                self.times.append(time.perf_counter())
            yield piece


class Bare:
    """The server behind a plain HTTP client that reads the lines and nothing else."""

    def __init__(self, base_url: str, model: str) -> None:
        self._url, self._model = f"{base_url}/chat/completions", model
        self._client = httpx.Client(timeout=600, trust_env=False, limits=httpx.Limits(max_connections=64))

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Yield the text of each frame."""
        body = {
            "model": self._model,
            "messages": [{"role": message.role, "content": message.content} for message in prompt.messages],
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "seed": sampling.seed,
            "stop": list(sampling.stop) or None,
            "stream": True,
        }
        with self._client.stream("POST", self._url, json=body) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    for choice in json.loads(line[6:])["choices"]:
                        if text := choice["delta"].get("content"):
                            yield text


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", default="", help="a running OpenAI-compatible server, ending in /v1")
    parser.add_argument("--paced", type=float, default=0.0, metavar="N", help="a server of N tokens a second a stream")
    parser.add_argument("--first-ms", type=float, default=100.0, help="how long that one reads a prompt")
    parser.add_argument("--answer-tokens", type=int, default=ANSWER_TOKENS)
    parser.add_argument("--model", default="", help="its model; the first it offers if left out")
    parser.add_argument("--at", type=int, nargs="+", default=[1, 8, 32], help="how many questions at a time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=32)
    parser.add_argument("--device", default=f"{platform.processor() or platform.machine()}, processor only")
    parser.add_argument("--quick", action="store_true", help="8 questions, one round, 1 and 8 at a time")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.quick:
        asked.at, asked.rounds, asked.questions = [1, 8], 1, 8
    with tempfile.TemporaryDirectory() as folder, _paced(asked.paced, asked.first_ms) as paced_url:
        asked.base_url = asked.base_url or paced_url
        settings = _settings(Path(folder), asked.base_url, asked.model, asked.answer_tokens)
        recording = Recording(make_llm(settings))
        engine = Engine(settings, llm=recording)
        engine.ingest(KB, [SAMPLES / "documents"])
        other = Bare(asked.base_url, recording.name).stream if asked.base_url else make_llm(settings).stream
        questions = _questions(asked.questions)
        print(f"{recording.name} on {asked.device}; {len(questions)} questions, {asked.rounds} rounds")
        figures = _measure(engine, recording, other, questions, asked.at, asked.rounds, asked.base_url)
    if asked.json:
        print(json.dumps({"name": "serving", "device": asked.device, "figures": figures}))


def _measure(
    engine: Engine,
    recording: Recording,
    bare: Callable[[Prompt, SamplingConfig], Iterator[str]],
    questions: Sequence[str],
    at: Sequence[int],
    rounds: int,
    base_url: str,
) -> dict[str, float]:
    before = _prefix_cache(base_url)
    recorded = [_through_footnote(engine, recording, question)[3] for question in questions]
    figures: dict[str, float] = {}
    if before and (after := _prefix_cache(base_url)) and after[1] > before[1]:
        figures["prefix_hit_rate"] = (after[0] - before[0]) / (after[1] - before[1])
        print(f"prompt tokens found in the prefix cache in the first pass: {figures['prefix_hit_rate']:.1%}")
    print(
        f"{'at once':>8} {'Footnote tokens/s':>18} {'bare':>8} {'overhead':>9} {'without search':>15} {'first ms':>9}"
        f" {'bare':>8} {'CPU ms a question':>18} {'bare':>6}"
    )
    for n in at:
        footnote, plain = Side(), Side()
        for _ in range(rounds):
            _turn(footnote, n, questions, lambda question: _through_footnote(engine, recording, question)[:3])
            _turn(plain, n, recorded, lambda calls: _through_client(bare, calls))
        overhead = 1 - footnote.speed / plain.speed
        beyond = 1 - footnote.speed_without_search(n) / plain.speed
        first, bare_first = (1000 * statistics.median(side.firsts) for side in (footnote, plain))
        cpu, bare_cpu = (1000 * side.cpu_seconds / rounds / len(questions) for side in (footnote, plain))
        print(
            f"{n:8} {footnote.speed:18.1f} {plain.speed:8.1f} {overhead:9.1%} {beyond:15.1%} {first:9.0f}"
            f" {bare_first:8.0f} {cpu:18.0f} {bare_cpu:6.0f}"
        )
        figures |= {
            f"tokens_per_second@{n}": footnote.speed,
            f"overhead@{n}": overhead,
            f"overhead_without_search@{n}": beyond,
            f"first_ms@{n}": first,
            f"first_overhead_ms@{n}": first - bare_first,
            f"cpu_ms@{n}": cpu - bare_cpu,
        }
    return figures


def _turn(side: Side, n: int, items: Sequence[T], work: Callable[[T], tuple[int, float, float]]) -> None:
    """Let `n` threads work through all items, and add what they did to `side`."""
    started, cpu_started = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(n) as pool:
        done = list(pool.map(work, items))
    side.seconds += time.perf_counter() - started
    side.cpu_seconds += time.process_time() - cpu_started
    side.pieces += sum(pieces for pieces, _, _ in done)
    side.searching += sum(searching for _, _, searching in done)
    side.firsts += [first for pieces, first, _ in done if pieces]


def _through_footnote(engine: Engine, recording: Recording, question: str) -> tuple[int, float, float, list[Call]]:
    """Ask, and give the number of pieces, the seconds from retrieval to the first, those of it, and the calls made."""
    recording.begin()
    started = time.perf_counter()
    *_, answer = engine.ask(KB, question)
    assert isinstance(answer, Answer)
    times = recording.times
    searched = answer.retrieval.timings["retrieve"]
    return len(times), times[0] - started - searched if times else 0.0, searched, recording.calls


def _through_client(
    bare: Callable[[Prompt, SamplingConfig], Iterator[str]], calls: Sequence[Call]
) -> tuple[int, float, float]:
    """Repeat the calls of one question, one after the other."""
    started = time.perf_counter()
    # A call of one token asks for its probabilities: no piece of an answer.
    came = [
        (time.perf_counter(), sampling.max_tokens)
        for prompt, sampling in calls
        for piece in bare(prompt, sampling)
        if piece
    ]
    times = [at for at, max_tokens in came if max_tokens > 1]
    return len(times), times[0] - started if times else 0.0, 0.0


def _prefix_cache(base_url: str) -> tuple[float, float] | None:
    """Give vLLM's counts of prompt tokens found and looked for in its prefix cache; None of other servers."""
    if not base_url:
        return None
    try:
        with urllib.request.urlopen(f"{base_url.removesuffix('/v1')}/metrics", timeout=10) as response:
            text = response.read().decode()
    except OSError:
        return None
    found = [re.findall(rf"^vllm:prefix_cache_{name}_total\{{.*\}} (\S+)$", text, re.M) for name in ("hits", "queries")]
    return (float(found[0][0]), float(found[1][0])) if all(found) else None


def _questions(n: int) -> list[str]:
    lines = (SAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    alone = [record["question"] for record in records if record["answerable"] and len(record["question"]) > 20]
    return alone[:n]


@contextmanager
def _paced(tokens_per_second: float, first_ms: float) -> Iterator[str]:
    """Run a paced server in a process of its own, and give its address; "" for none."""
    if not tokens_per_second:
        yield ""
        return
    told = ["--tokens-per-second", str(tokens_per_second), "--first-ms", str(first_ms)]
    command = [sys.executable, "-m", "benchmarks.paced_server", *told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _settings(folder: Path, base_url: str, model: str, answer_tokens: int) -> Settings:
    (folder / "models").symlink_to(PROJECT / "data" / "models")
    config = AnswerConfig()
    config = replace(config, sampling=replace(config.sampling, max_tokens=answer_tokens))
    llm = LLMSettings(url=base_url, model=model) if base_url else LLMSettings()
    return Settings(home=folder, llm=llm, answer=config)


if __name__ == "__main__":
    main()
