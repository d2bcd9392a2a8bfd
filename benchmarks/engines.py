"""Which engine answers fastest on a machine without a GPU: Footnote's own prompts through llama.cpp, OpenVINO and vLLM.

    python -m benchmarks.engines [SIDE...] [--rounds N] [--openvino-python PATH] [--vllm-python PATH] [--model GGUF]
                                 [--quick] [--json]

A SIDE is ENGINE or ENGINE:NAME=VALUE,...: `llama`, `llama:threads=1`, `llama:spec=ngram_simple`, `openvino:cb=1`,
`vllm` (benchmarks/engine_side.py has the names). The prompts are those of two conversations, one in English and one in
Chinese, of a question and a follow-up; every call that Footnote makes for them is repeated. Each side runs in a
process of its own, one after the other, `--rounds` times. `first` is the time to the first word of the answer, with
the calls before it; `decode` counts the answer's tokens after the first; `cpu` is processor time, which other work on
the machine changes little. Medians over both languages and all rounds.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.engine import Engine
from app.settings import EMBEDDED_LLM, PROJECT, Settings
from generation.llm import Message, Prompt, SamplingConfig
from ingest.token_estimate import estimate_tokens

KB = "samples"
SAMPLES = PROJECT / "data" / "eval" / "samples"
FOLLOW_UPS = ("s31", "s35")
SIDE_SECONDS = 1800
Call = dict[str, object]  # of the side's process: {"prompt": text, "max_tokens": n}


@dataclass(slots=True)
class Listening:
    """A language model that notes what it is asked, is sure of the answer and gives a set one."""

    answer: str = ""
    calls: list[Call] = field(default_factory=list)
    name: str = "listening"
    context_tokens: int = 4096

    def count_tokens(self, text: str) -> int:
        """Estimate."""
        return estimate_tokens(text)

    def next_tokens(self, prompt: Prompt) -> Iterator[Mapping[str, float]]:
        """Say Yes."""
        self.calls.append({"prompt": as_chatml(prompt.messages), "max_tokens": 1})
        yield {"Yes": 1.0}

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Give the set answer."""
        self.calls.append({"prompt": as_chatml(prompt.messages), "max_tokens": sampling.max_tokens})
        yield self.answer


def main() -> None:
    """Run the sides and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sides", nargs="*", default=["llama"], metavar="SIDE")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--openvino-python", default=sys.executable, help="a Python that has openvino-genai")
    parser.add_argument("--vllm-python", default=str(PROJECT / ".venv-vllm" / "bin" / "python"))
    parser.add_argument("--model", default=str(PROJECT / "data" / "models" / EMBEDDED_LLM))
    parser.add_argument("--quick", action="store_true", help="the English conversation alone, one round")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    pythons = {"llama": sys.executable, "openvino": asked.openvino_python, "vllm": asked.vllm_python}
    turns = conversations()
    if asked.quick:
        asked.rounds, turns = 1, turns[:2]
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in asked.sides}
    for _ in range(asked.rounds):
        for side in asked.sides:
            runs[side].append(run_side(side, pythons, asked.model, turns))
    figures = {side: figures_of(results) for side, results in runs.items()}
    for side, of_side in figures.items():
        print(side.ljust(40), "  ".join(f"{name} {value:.2f}" for name, value in of_side.items()))
    if asked.json:
        flat = {f"{side} {name}": value for side, values in figures.items() for name, value in values.items()}
        print(json.dumps({"name": "engines", "figures": flat}))


def conversations() -> list[list[Call]]:
    """Give the calls of each turn: question and follow-up, first in English, then in Chinese."""
    turns = []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models").symlink_to(PROJECT / "data" / "models")
        llm = Listening()
        engine = Engine(Settings(home=Path(folder)), llm=llm)
        engine.ingest(KB, [SAMPLES / "documents"])
        for record in map(json.loads, (SAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()):
            if record["id"] not in FOLLOW_UPS:
                continue
            history = [Message(said["role"], said["content"]) for said in record["history"]]
            for question, before in ((history[0].content, []), (record["question"], history)):
                llm.calls, llm.answer = [], history[1].content
                list(engine.ask(KB, question, history=before))
                turns.append(llm.calls)
    return turns


def as_chatml(messages: Sequence[Message]) -> str:
    """Write messages as Qwen2.5's chat template does."""
    said = "".join(f"<|im_start|>{message.role}\n{message.content}<|im_end|>\n" for message in messages)
    return f"{said}<|im_start|>assistant\n"


def run_side(side: str, pythons: Mapping[str, str], model: str, turns: list[list[Call]]) -> dict[str, Any]:
    """Run all turns in a process of its own and give what it measured."""
    engine, _, options = side.partition(":")
    command = [pythons[engine], str(Path(__file__).with_name("engine_side.py")), engine, model, options]
    done = subprocess.run(
        command,
        input=json.dumps(turns),
        capture_output=True,
        text=True,
        timeout=SIDE_SECONDS,
        check=False,
        start_new_session=True,
    )
    if done.returncode != 0:
        sys.exit(f"{side} failed: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(side.ljust(40), json.dumps(result, ensure_ascii=False), file=sys.stderr, flush=True)
    return result


def figures_of(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Give the medians over the rounds and languages."""
    answers = [turn for result in results for turn in result["turns"]]
    asked, following = answers[::2], answers[1::2]
    written = [answer for answer in answers if answer["tokens"] > 1]
    return {
        "start_s": statistics.median(result["start_seconds"] for result in results),
        "memory_mib": statistics.median(result["peak_mib"] for result in results),
        "first_s": statistics.median(answer["first_seconds"] for answer in asked),
        "followup_first_s": statistics.median(answer["first_seconds"] for answer in following),
        "first_cpu_s": statistics.median(answer["first_cpu_seconds"] for answer in asked),
        "followup_first_cpu_s": statistics.median(answer["first_cpu_seconds"] for answer in following),
        "decode_tokens_per_s": statistics.median((a["tokens"] - 1) / a["writing_seconds"] for a in written),
        "cpu_s_per_token": statistics.median(a["writing_cpu_seconds"] / (a["tokens"] - 1) for a in written),
        "n": len(answers),
    }


if __name__ == "__main__":
    main()
