"""Runs the `footnote` command of `hashing_cli` as a user would, in a data folder of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def start(home: Path, *arguments: str, gates: Path | None = None) -> subprocess.Popen[str]:
    """Start the command and give the running process."""
    environment = {"FOOTNOTE_HOME": str(home), "FOOTNOTE_EMBEDDER": "hashing", "FOOTNOTE_LLM": "extractive"}
    environment |= {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
    if gates is not None:
        environment["GATES"] = str(gates)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.hashing_cli", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def ended(process: subprocess.Popen[str], *, status: int = 0, said: str = "") -> tuple[str, str]:
    """Type what is said, wait for the end and give standard output and error; there is never a traceback."""
    out, err = process.communicate(said, timeout=120)
    assert process.returncode == status, (process.returncode, out, err)
    assert "Traceback" not in err
    return out, err


def footnote(home: Path, *arguments: str, status: int = 0) -> tuple[str, str]:
    """Run the command to its end and give standard output and error."""
    return ended(start(home, *arguments), status=status)


def footnote_json(home: Path, *arguments: str, status: int = 0) -> Any:  # JSON
    """Run the command with --json and give the object it prints."""
    return json.loads(footnote(home, *arguments, "--json", status=status)[0])


def sources_found(home: Path, question: str) -> list[str]:
    """Give the file names of what a search finds, best first, each once."""
    hits = footnote_json(home, "search", question)["hits"]
    return list(dict.fromkeys(Path(hit["source"]).name for hit in hits))


def many_paragraphs(subject: str, n: int = 530) -> str:
    """Give a text of n chunks: enough to fill a batch, so that it is committed by itself."""
    return "\n\n".join(f"# {subject} {i}\n\n" + f"{subject}{i} rides along the quay " * 14 for i in range(n))
