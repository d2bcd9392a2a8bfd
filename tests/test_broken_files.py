"""Hundreds of broken and hostile files, made from a seed: each is read or refused with a reason, soon, in place."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.broken_files import broken
from tests.read_broken import SECONDS_EACH
from tests.whole_files import samples

ROOT = Path(__file__).parents[1]

Result = dict[str, object]


def read(folder: Path, scratch: Path) -> list[Result]:
    """Read a folder's files in a process of its own, so that not even a crash of a C library ends the tests."""
    scratch.mkdir()
    done = subprocess.run(
        ["nice", sys.executable, "-m", "tests.read_broken", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch), "OMP_NUM_THREADS": "1"},
        timeout=300,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    last = lines[-1] if lines else {}
    assert done.returncode == 0, f"crashed at {last}: {done.stderr[-2000:]}"
    return [line for line in lines if "result" in line]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    folder = tmp_path_factory.mktemp("broken") / "files"
    folder.mkdir()
    for name, data in broken(seed=20261124, per_format=8):
        (folder / name).write_bytes(data)
    for suffix, data in samples().items():
        (folder / f"whole.{suffix}").write_bytes(data)
    with (folder / "sparse.txt").open("wb") as sparse:
        sparse.truncate(2**30)
    found = read(folder, folder.parent / "scratch")
    outside = sorted(path.name for path in folder.parent.iterdir())
    assert outside == ["files", "scratch"] and list((folder.parent / "scratch").iterdir()) == []
    assert not list(Path("/tmp").glob("evil*.md"))
    return found


def test_whole_files_are_read(results: list[Result]) -> None:
    whole = {line["file"]: line["result"] for line in results if str(line["file"]).startswith("whole.")}
    assert whole == {f"whole.{suffix}": "loaded" for suffix in samples()}


def test_at_least_three_hundred_files_were_tried(results: list[Result]) -> None:
    assert len(results) >= 300
    assert {line["result"] for line in results} >= {"loaded", "refused"}


def test_no_broken_file_crashes(results: list[Result]) -> None:
    assert [line for line in results if line["result"] == "crashed"] == []


def test_no_broken_file_takes_long(results: list[Result]) -> None:
    assert [line for line in results if float(str(line["seconds"])) > SECONDS_EACH] == []


def test_every_refusal_names_the_file_and_says_what_to_do(results: list[Result]) -> None:
    refused = [line for line in results if line["result"] == "refused"]
    unclear = [line for line in refused if not str(line["reason"]).startswith(str(line["file"]))]
    assert unclear == []
    assert [line for line in refused if ";" not in str(line["reason"])] == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sparse.txt", "is 1024 MiB, the limit is 512 MiB"),
        ("locked.docx", "is encrypted; save a copy without a password"),
        ("locked.xlsx", "is encrypted; save a copy without a password"),
        ("old.docx", "is an Office file of the old binary kind"),
        ("zeros-in.docx", "is an archive that unpacks to more than 200 times its size"),
        ("zeros-in.xlsx", "is an archive that unpacks to more than 200 times its size"),
        ("zeros.txt.gz", "unpacks to more than 200 times its size"),
        ("zeros.tar.xz", "unpacks to more than 200 times its size"),
        ("huge.png", "pixels"),
        ("white.tif", "is a picture without words"),
        ("deep.json", "is nested too deeply"),
        ("deep.xml", "isn't valid XML"),
    ],
)
def test_what_is_made_to_hurt_is_refused_for_what_it_is(results: list[Result], name: str, reason: str) -> None:
    [found] = [line for line in results if line["file"] == name]
    assert reason in str(found["reason"])
