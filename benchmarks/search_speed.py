"""How fast questions find passages at 10,000, 100,000 and 1,000,000 chunks, against LangChain and LlamaIndex.

    python -m benchmarks.search_speed [--quick | --sizes N...] [--questions N] [--rounds N] [--keep FOLDER] [--json]

The chunks are grown from real ones (`benchmarks.search_speed_corpus`), the questions are sentences of them, and every
side holds the same texts and vectors in a process of its own (`benchmarks.search_speed_sides`) and embeds questions
by the same embedder; sides take turns. A time is from the question's text to the passages. Footnote's includes reading
its passages from disk, both legs and its fusion; LlamaIndex and `exact` do the dense leg alone, and all peers hold
everything in memory. CPU ms is a process's processor time for each question, which tells most on a busy machine.
`nearest` is the vector search alone, given the vector, by one thread on either side. Above 100,000 chunks only `exact`
is a peer: the others' Python objects would take more memory than a small machine has. `--quick` is 10,000 chunks.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from app.settings import PROJECT
from benchmarks.search_speed_corpus import Seed, grow, make_seed
from benchmarks.search_speed_sides import SIDES, Task
from ingest.document import Chunk, Document, Span, chunk_id, document_id
from ingest.embedder import Embedder, SentenceTransformerEmbedder
from ingest.index_generation import current_manifest
from ingest.knowledge_base import KnowledgeBase
from retrieval.search import SearchConfig, search

ALL_SIDES_UP_TO = 100_000
THREADS = (1, 8)
_SEED_MEGABYTES = 1.5
Figures = dict[str, float]


class Side:
    """A process that answers tasks."""

    def __init__(self, name: str, folder: Path, model: Path) -> None:
        self.name = name
        command = [sys.executable, "-m", "benchmarks.search_speed_sides", name, str(folder), str(model)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.opened = self._answer()

    def ask(self, **task: object) -> Task:
        """Give the answer to a task."""
        assert self._process.stdin is not None
        print(json.dumps(task), file=self._process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> Task:
        assert self._process.stdout is not None
        answer: Task = json.loads(self._process.stdout.readline())
        return answer


def measure(
    n_chunks: int, seed: Seed, embedder: Embedder, model: Path, folder: Path, questions: list[str], rounds: int
) -> Figures:
    """Give all figures at one size."""
    figures = _made(n_chunks, seed, embedder, folder)
    names = list(SIDES) if n_chunks <= ALL_SIDES_UP_TO else ["footnote", "exact"]
    sides = [Side(name, folder, model) for name in names]
    try:
        figures |= _speeds(sides, questions, rounds)
    finally:
        for side in sides:
            side.close()
    return figures | _changes(folder, embedder)


def _made(n_chunks: int, seed: Seed, embedder: Embedder, folder: Path) -> Figures:
    """Make the knowledge base, unless an earlier run has left it there whole."""
    if current_manifest(folder):
        return {}
    shutil.rmtree(folder, ignore_errors=True)
    started = time.perf_counter()
    kb = grow(seed, n_chunks, folder, embedder)
    _say(f"{n_chunks:,} chunks stored in {time.perf_counter() - started:.0f} s")
    started = time.perf_counter()
    with kb.writing():
        kb.refresh()
    kb.close()
    figures = {"build_seconds": time.perf_counter() - started}
    _say(f"index built in {figures['build_seconds']:.0f} s")
    return figures


def _speeds(sides: list[Side], questions: list[str], rounds: int) -> Figures:
    figures: Figures = {}
    nearest = {side.name: side.ask(do="nearest", questions=questions) for side in sides}
    wanted = [set(rows) for rows in nearest["exact"]["rows"]]
    found = [set(rows) for rows in nearest["footnote"]["rows"]]
    figures["recall@10"] = statistics.mean(len(a & b) / len(b) for a, b in zip(found, wanted, strict=True))
    for name in ("footnote", "exact"):
        figures[f"nearest_p50_ms_{name}"] = 1000 * statistics.median(nearest[name]["latencies"])
    for side in sides:
        figures[f"open_seconds_{side.name}"] = side.opened["open_seconds"]
        side.ask(do="retrieve", questions=questions[:20], threads=1)  # warms up
    for n_threads in THREADS:
        answers: dict[str, list[Task]] = {side.name: [] for side in sides}
        for _ in range(rounds):
            for part in range(4):  # sides take turns several times a round
                for side in sides:
                    task = {"do": "retrieve", "questions": questions[part::4], "threads": n_threads}
                    answers[side.name].append(side.ask(**task))
        for name, given in answers.items():
            latencies = [1000 * seconds for answer in given for seconds in answer["latencies"]]
            for percentile in (50, 95, 99):
                figures[f"p{percentile}_ms_{n_threads}_{name}"] = float(np.percentile(latencies, percentile))
            seconds = sum(answer["seconds"] for answer in given)
            figures[f"questions_per_second_{n_threads}_{name}"] = len(latencies) / seconds
            cpu_seconds = sum(answer["cpu_seconds"] for answer in given)
            figures[f"cpu_ms_{n_threads}_{name}"] = 1000 * cpu_seconds / len(latencies)
            figures[f"memory_mb_{name}"] = given[-1]["memory_bytes"] / 1e6
    return figures


def _changes(folder: Path, embedder: Embedder) -> Figures:
    """Time from a document's text until it is found, and from its deletion until it isn't."""
    text = "The harbour master of Heron Island keeps the key of lighthouse 8843 under the third lobster pot."
    id_ = document_id("added.txt")
    document = Document(id_, "added.txt", "added", "added.txt", text, (), (), "en")
    chunk = Chunk(chunk_id(id_, Span(0, len(text)), text), id_, Span(0, len(text)), text)
    kb = KnowledgeBase.open(folder, embedder)
    kb.generation()
    figures = {}
    for name in ("add", "delete"):
        started = time.perf_counter()
        with kb.writing():
            if name == "add":
                kb.put(document, [chunk], embedder.embed_passages([text]), chunking="grown")
            else:
                kb.remove(id_)
            kb.refresh()
        found = {hit.source for hit in search(kb, text, SearchConfig()).hits}
        figures[f"{name}_seconds"] = time.perf_counter() - started
        assert ("added.txt" in found) == (name == "add")
    kb.close()
    return figures


def print_table(n_chunks: int, figures: Figures) -> None:
    """Print a line for each side, and what else was found."""
    columns = "".join(f"{name:>8}" for _ in THREADS for name in ("p50 ms", "p95", "p99", "CPU ms", "q/s"))
    print(f"\n{n_chunks:,} chunks; 1 thread, then 8 threads\n{'':14}{columns} memory MB   open s")
    for side in SIDES:
        if f"p50_ms_1_{side}" not in figures:
            continue
        cells = []
        for n_threads in THREADS:
            cells += [f"{figures[f'p{percentile}_ms_{n_threads}_{side}']:8.1f}" for percentile in (50, 95, 99)]
            cells += [f"{figures[f'cpu_ms_{n_threads}_{side}']:8.1f}"]
            cells += [f"{figures[f'questions_per_second_{n_threads}_{side}']:8.1f}"]
        print(f"{side:14}{''.join(cells)}{figures[f'memory_mb_{side}']:10.0f}{figures[f'open_seconds_{side}']:9.2f}")
    own, other = (figures[f"nearest_p50_ms_{side}"] for side in ("footnote", "exact"))
    print(
        f"nearest alone p50: {own:.2f} ms, exact {other:.2f} ms; recall@10 {figures['recall@10']:.4f}; add one document"
        f" {figures['add_seconds']:.2f} s, delete it {figures['delete_seconds']:.2f} s"
    )


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main() -> None:
    """Grow each size, measure it and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="10,000 chunks alone")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--model", type=Path, default=PROJECT / "data" / "models" / "multilingual-e5-small")
    parser.add_argument(
        "--keep", type=Path, help="leave the knowledge bases here for the next run (6 GB for a million)"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    model = arguments.model.absolute()
    embedder = SentenceTransformerEmbedder(model)
    seed = make_seed(embedder, _SEED_MEGABYTES)
    _say(f"grown from {len(seed.sentences):,} passages")
    figures: Figures = {"questions": arguments.questions, "rounds": arguments.rounds}
    for n_chunks in [10_000] if arguments.quick else arguments.sizes:
        with tempfile.TemporaryDirectory(prefix="footnote-speed-") as scratch:
            folder = (arguments.keep or Path(scratch)) / str(n_chunks) / "kb"
            questions = seed.questions(arguments.questions)
            found = measure(n_chunks, seed, embedder, model, folder, questions, arguments.rounds)
        print_table(n_chunks, found)
        figures |= {f"{name}_{n_chunks}": round(value, 4) for name, value in found.items()}
    if arguments.json:
        print(json.dumps({"name": "search_speed", "figures": figures}))


if __name__ == "__main__":
    main()
