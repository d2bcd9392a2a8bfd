"""Ingest against the LlamaIndex and LangChain quickstarts: same files, same weights, interleaved, whole processes.

    python -m benchmarks.ingest [--quick | --megabytes N] [--rounds N] [--model FOLDER] [--json]

The files are HTML, text and PDF manuals out of Debian packages (English and Chinese), about 20 MB, with `--quick` 2 MB;
`apt-get download` fetches them once. What counts is tokens that the embedder really read, from a process's start to a
searchable index on disk: the LlamaIndex quickstart makes chunks of 1,024 tokens, which an embedder of 256 cuts to
a quarter without a word. Then Footnote alone: a second run with nothing changed, one with 1% of the files changed, and
what share of the machine's matrix multiplication rate its embedding reaches.
"""

import argparse
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from app.settings import PROJECT
from benchmarks.ingest_corpus import make_corpus
from benchmarks.ingest_sides import SIDES

Row = dict[str, float]


def run_side(side: str, documents: Path, model: Path, home: Path) -> Row:
    """Run one side as a process of its own, and look at the memory that it and those it starts take together."""
    home.mkdir(exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ingest_sides", side, str(documents), str(model), str(home)],
        env={**os.environ, "BENCHMARK_STARTED": str(time.time()), "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if side in ("llama_index", "langchain") else None,  # their progress bars
        text=True,
    ) as process:
        assert process.stdout is not None
        peak_bytes = peak_memory_bytes(process.pid, until=process.stdout.fileno())
        printed = process.stdout.read()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    row: Row = json.loads(printed.splitlines()[-1])
    return row | {"memory_bytes": max(peak_bytes, row.get("memory_bytes", 0.0))}


def peak_memory_bytes(process_id: int, *, until: int) -> int:
    """Give the most that a process and those below it held at one time, seen ten times a second, until the file
    descriptor `until` has something to read. What they share is counted once for each.

    The system's own figure for ended children (`RUSAGE_CHILDREN`) can't be used: a process counts in it with what the
    one that started it held at that moment, and nothing says whether two had their peaks at the same time.
    """
    peak = 0
    while not select.select([until], [], [], 0.1)[0]:
        peak = max(peak, sum(map(_resident_bytes, _with_those_below(process_id))))
    return peak


def _with_those_below(process_id: int) -> Iterator[int]:
    yield process_id
    for task in Path(f"/proc/{process_id}/task").glob("*"):
        for child in _read(task / "children").split():
            yield from _with_those_below(int(child))


def _resident_bytes(process_id: int) -> int:
    pages = _read(Path(f"/proc/{process_id}/statm")).split()[1:2]
    return int(pages[0]) * os.sysconf("SC_PAGE_SIZE") if pages else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return ""


def measure(documents: Path, model: Path, rounds: int, scratch: Path) -> tuple[dict[str, list[Row]], dict[str, Row]]:
    """Give a row a round for each side, and Footnote's second run, run with changes, and embedding rate."""
    rows: dict[str, list[Row]] = {side: [] for side in SIDES}
    for number in range(rounds):
        for side, found in rows.items():
            found.append(run_side(side, documents, model, scratch / f"{side}-{number}"))
            print(f"round {number + 1} {side}: {found[-1]}", file=sys.stderr, flush=True)
    home = scratch / "footnote-0"
    later = {"nothing changed": run_side("footnote", documents, model, home)}
    change_files(documents, share=0.01)
    later["1% changed"] = run_side("footnote", documents, model, home)
    later["rate"] = run_side("rate", documents, model, home)
    return rows, later


def change_files(documents: Path, *, share: float) -> None:
    """Add a sentence to every hundredth text or page."""
    files = sorted(path for path in documents.rglob("*") if path.is_file() and path.suffix in (".html", ".txt"))
    for path in files[:: round(1 / share)]:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n<p>This page was looked through again and found to be right.</p>\n")


def figures_of(rows: dict[str, list[Row]], later: dict[str, Row]) -> dict[str, float]:
    """Give what the rows come to: ratios of Footnote to each peer within a round, their medians over the rounds."""
    figures: dict[str, float] = {"rounds": len(rows["footnote"])}
    for side, found in rows.items():
        figures[f"tokens_per_second_{side}"] = statistics.median(r["tokens_read"] / r["seconds"] for r in found)
        figures[f"tokens_per_cpu_second_{side}"] = statistics.median(r["tokens_read"] / r["cpu_seconds"] for r in found)
        figures[f"peak_memory_mb_{side}"] = max(row["memory_bytes"] for row in found) / 1e6
        figures[f"share_of_text_{side}"] = min(row["tokens_read"] / row["tokens"] for row in found)
    for peer in ("llama_index", "langchain"):
        for unit in ("seconds", "cpu_seconds"):
            ratios = [
                (own["tokens_read"] / own[unit]) / (row["tokens_read"] / row[unit])
                for own, row in zip(rows["footnote"], rows[peer], strict=True)
            ]
            figures[f"tokens_per_{unit.removesuffix('s')}_ratio_{peer}"] = statistics.median(ratios)
        figures[f"peak_memory_ratio_{peer}"] = figures["peak_memory_mb_footnote"] / figures[f"peak_memory_mb_{peer}"]
    first = statistics.median(row["seconds"] for row in rows["footnote"])
    figures["share_of_text_indexed"] = figures["share_of_text_footnote"]
    figures["nothing_changed_ratio"] = later["nothing changed"]["seconds"] / first
    figures["one_percent_changed_ratio"] = later["1% changed"]["seconds"] / first
    figures["share_of_matmul_rate"] = later["rate"]["share_of_matmul_rate"]
    return {name: round(value, 4) for name, value in figures.items()}


def print_table(rows: dict[str, list[Row]], figures: dict[str, float]) -> None:
    """Print a line for each side, and what else was found."""
    print(f"\n{'':14}tokens/s  tokens/CPU s  seconds (range)  memory MB  text read  files failed")
    for side, found in rows.items():
        seconds = [row["seconds"] for row in found]
        print(
            f"{side:14}{figures[f'tokens_per_second_{side}']:8.0f}{figures[f'tokens_per_cpu_second_{side}']:14.0f}"
            f"{min(seconds):9.1f}-{max(seconds):.1f}{figures[f'peak_memory_mb_{side}']:11.0f}"
            f"{figures[f'share_of_text_{side}']:11.1%}{found[0]['failed']:14.0f}"
        )
    for name in (*(f"tokens_per_second_ratio_{peer}" for peer in ("llama_index", "langchain")),
                 *(f"tokens_per_cpu_second_ratio_{peer}" for peer in ("llama_index", "langchain")),
                 "peak_memory_ratio_langchain", "peak_memory_ratio_llama_index", "nothing_changed_ratio",
                 "one_percent_changed_ratio", "share_of_matmul_rate"):  # fmt: skip
        print(f"{name:40}{figures[name]:8.3f}")


def main() -> None:
    """Make the corpus, run every side and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 MB instead of 20")
    parser.add_argument("--megabytes", type=float, help="another size")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--model", type=Path, default=PROJECT / "data" / "models" / "all-MiniLM-L6-v2")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="footnote-ingest-") as scratch:
        megabytes = arguments.megabytes or (2 if arguments.quick else 20)
        documents = make_corpus(Path(scratch) / "documents", int(megabytes * 1e6))
        rows, later = measure(documents, arguments.model.absolute(), arguments.rounds, Path(scratch))
    figures = figures_of(rows, later)
    print_table(rows, figures)
    if arguments.json:
        print(json.dumps({"name": "ingest", "figures": figures}))


if __name__ == "__main__":
    main()
