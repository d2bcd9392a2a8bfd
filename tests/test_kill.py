"""SIGKILL at every durable step and at random moments: never a lost, doubled or half document, and the next run ends
where an undisturbed one would have.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.killed import write_documents

ROOT = Path(__file__).parents[1]
OPERATIONS = ("ingest", "update", "delete")
SIGKILLED = -9


class Killer:
    """The process that forks and kills, and the folders it works on."""

    def __init__(self, folder: Path, *, preload: Path | None = None, extends: bool = False) -> None:
        self._folder = folder
        self.extends = extends
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.killed"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                "OMP_NUM_THREADS": "1",
                "PATH": "",
                "LANG": "C.UTF-8",
                "LD_PRELOAD": str(preload or ""),
                "EXTENDS": "1" * extends,
            },
        )
        self._templates = {operation: self._template(operation) for operation in OPERATIONS}
        self.whole = {operation: self._timed(operation) for operation in OPERATIONS}

    def kill(self, operation: str, **when: float) -> dict[str, Any]:
        """Kill the operation at `step`, or after `fraction` of its time; neither lets it end."""
        task = {"template": str(self._templates[operation]), "home": str(self._folder / "home"), "operation": operation}
        if "fraction" in when:
            task["seconds"] = self.whole[operation]["seconds"]
        return self._ask(task | when)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait() == 0

    def _ask(self, task: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(task), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert (answer["left_status"], answer["again_status"]) == (0, 0), answer
        return answer

    def _template(self, operation: str) -> Path:
        template = self._folder / f"before-{operation}"
        template.mkdir()
        write_documents(template / "documents", updated=False)
        if operation != "ingest":
            made = {"template": str(template), "home": str(self._folder / "made"), "operation": "ingest"}
            self._ask(made)
            (self._folder / "made" / "kb").rename(template / "kb")
        if operation == "update":
            write_documents(template / "documents", updated=True)
        return template

    def _timed(self, operation: str) -> dict[str, Any]:
        task = {"template": str(self._templates[operation]), "home": str(self._folder / "home"), "operation": operation}
        started = time.perf_counter()
        answer = self._ask(task)
        # An operation is the first of three parts of a task: itself, a look, and itself again with a look.
        return answer | {"seconds": (time.perf_counter() - started) / 3}


@pytest.fixture(scope="module", params=[False, True], ids=["built anew", "extended"])
def killer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    # SIGKILL loses nothing that was written, synced or not, so memory serves as well as a disk and is faster.
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory)) if os.access(memory, os.W_OK) else tmp_path_factory.mktemp("killed")
    killer = Killer(folder, extends=request.param)
    yield killer
    killer.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def call_killer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    """One that counts the calls to the system instead."""
    compiler, memory = shutil.which("cc"), Path("/dev/shm")
    if compiler is None or sys.platform != "linux":
        pytest.skip("no C compiler on Linux here, which counting calls to the system takes")
    library = tmp_path_factory.mktemp("library") / "disk_steps.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, ROOT / "tests" / "disk_steps.c", "-ldl"], check=True)
    folder = Path(tempfile.mkdtemp(dir=memory)) if os.access(memory, os.W_OK) else tmp_path_factory.mktemp("killed")
    killer = Killer(folder, preload=library)
    yield killer
    killer.close()
    shutil.rmtree(folder)


def assert_nothing_lost_doubled_or_half(killer: Killer, operation: str, answer: dict[str, Any]) -> None:
    before = {} if operation == "ingest" else killer.whole["ingest"]["again"]["documents"]
    whole = killer.whole[operation]["again"]
    after, left = whole["documents"], answer["left"]["documents"]
    assert answer["left"]["problems"] == []
    for source, version in left.items():
        assert version in (before.get(source), after.get(source)), f"{source} is neither old nor new"
    assert before.items() & after.items() <= left.items(), "a document that nobody touched is lost"
    if operation == "update":
        assert len({"documents/moved.md", "documents/elsewhere.md"} & left.keys()) == 1, (
            "moved: once, not none or twice"
        )
        assert "documents/edited.md" in left
    found = {source for hits in answer["left"]["hits"] for source, _, _ in hits}
    assert found <= left.keys()
    again = answer["again"] | {"extended": whole["extended"]}  # an index may come about in either way
    assert again == whole, "the next run doesn't end where an undisturbed one does"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_every_step_nothing_is_lost_doubled_or_half(killer: Killer, operation: str) -> None:
    """Where an index is extended, at every fourth here and at the others in the slow test."""
    n_left = _kill_at(killer, operation, stride=4 if killer.extends else 1)
    if operation == "ingest" and not killer.extends:  # what was committed stays: a later death leaves no fewer
        assert n_left == sorted(n_left)
        assert set(n_left) == {0, 1, 2, 3, 4}


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["update", "delete"])
def test_killed_at_every_step_of_extending_an_index_nothing_is_lost_doubled_or_half(
    killer: Killer, operation: str
) -> None:
    if killer.extends:
        _kill_at(killer, operation, stride=1)


def _kill_at(killer: Killer, operation: str, *, stride: int) -> list[int]:
    """Kill at every stride-th step, and give how many documents each death left."""
    n_steps = killer.whole[operation]["steps"]
    assert n_steps > 20
    if operation != "ingest":
        assert killer.whole[operation]["left"]["extended"] == killer.extends
    n_left = []
    for step in range(1, n_steps + 1, stride):
        answer = killer.kill(operation, step=step)
        assert answer["status"] == SIGKILLED
        assert_nothing_lost_doubled_or_half(killer, operation, answer)
        n_left.append(len(answer["left"]["documents"]))
    print(f"\n{operation}: killed at {len(n_left)} of {n_steps} steps")  # noqa: T201
    return n_left


@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_random_moments_nothing_is_lost_doubled_or_half(killer: Killer, operation: str) -> None:
    _kill_at_random(killer, operation, 7)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_every_call_that_changes_the_disk_nothing_is_lost_doubled_or_half(
    call_killer: Killer, operation: str
) -> None:
    """Inside SQLite's commits and tantivy's writes too."""
    step = 0
    while True:
        step += 1
        answer = call_killer.kill(operation, step=step, calls=True)
        assert_nothing_lost_doubled_or_half(call_killer, operation, answer)
        if answer["status"] != SIGKILLED:
            break
    assert step > call_killer.whole[operation]["steps"]
    print(f"\n{operation}: killed at each of {step - 1} calls")  # noqa: T201


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_200_random_moments_nothing_is_lost_doubled_or_half(killer: Killer, operation: str) -> None:
    _kill_at_random(killer, operation, 200)


def _kill_at_random(killer: Killer, operation: str, n: int) -> None:
    chance = random.Random(f"{operation} {n}")
    answers = [killer.kill(operation, fraction=chance.random()) for _ in range(n)]
    for answer in answers:
        assert_nothing_lost_doubled_or_half(killer, operation, answer)
    n_killed = sum(answer["status"] == SIGKILLED for answer in answers)
    assert n_killed >= 1  # how many depends on how busy the machine is
    print(f"\n{operation}: killed at {n_killed} of {n} random moments, the others had ended")  # noqa: T201
