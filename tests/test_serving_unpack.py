"""What `llm serve` does with a GGUF that vLLM is to serve. The real unpacking is in test_ten_questions.py."""

from pathlib import Path

import pytest

from app.serving_machine import Gpu, Machine
from app.serving_model import ServedModel, identify
from app.serving_plan import Wishes, must_unpack
from app.serving_unpack import to_be_unpacked, unpack, unpacked
from ingest.errors import ModelError

NO_CARD = Machine((), 10**10)
# As vLLM's Python with app/gguf_to_folder.py: with one file it counts the weights, with a folder too it writes that.
UNPACKS = """#!/bin/sh
[ $# = 3 ] && { echo 1000; exit; }
echo unpacking >> "$(dirname "$0")/calls"
mkdir "$4" && echo '{"model_type": "qwen2"}' > "$4/config.json" && echo weights > "$4/model.safetensors"
"""
LACKS = """#!/bin/sh
[ $# = 3 ] && { echo 1000; exit; }
mkdir "$4"
echo "ModuleNotFoundError: No module named 'gguf'" >&2
exit 1
"""


@pytest.fixture
def gguf(tmp_path: Path) -> ServedModel:
    """A file that says it is a GGUF, as a model."""
    path = tmp_path / "small-q4.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    return identify(str(path), tmp_path)


def environment(folder: Path, python: str) -> Path:
    """Make an environment whose Python is the shell script, and give its vLLM."""
    programs = folder / "env" / "bin"
    programs.mkdir(parents=True)
    for name, text in (("python", python), ("vllm", "#!/bin/sh\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return programs / "vllm"


def test_a_gguf_is_unpacked_once_and_again_when_it_changed(gguf: ServedModel, tmp_path: Path) -> None:
    vllm, models, said = environment(tmp_path, UNPACKS), tmp_path / "models", []
    wanted = ServedModel(str(models / "small-q4-unpacked"), "folder", "small-q4", 8, {"model_type": "qwen2"})

    assert unpacked(gguf, models) is None
    assert unpack(gguf, models, vllm, NO_CARD, said.append) == wanted
    assert unpacked(gguf, models) == wanted
    assert said == [f"Unpacking small-q4.gguf for vLLM, once, into {models / 'small-q4-unpacked'} ..."]
    assert sorted(path.name for path in models.iterdir()) == [".parts", "small-q4-unpacked"]

    Path(gguf.target).write_bytes(b"GGUF" + bytes(101))
    assert unpacked(gguf, models) is None
    assert unpack(gguf, models, vllm, NO_CARD, said.append) == wanted
    assert (vllm.parent / "calls").read_text() == "unpacking\nunpacking\n"


def test_a_failed_unpacking_gives_the_reason_and_leaves_nothing(gguf: ServedModel, tmp_path: Path) -> None:
    models = tmp_path / "models"

    with pytest.raises(ModelError, match=r"can't be unpacked: it lacks the package gguf; install it beside vLLM; or"):
        unpack(gguf, models, environment(tmp_path, LACKS), NO_CARD, lambda _: None)

    assert [path.name for path in models.rglob("*")] == [".parts", ".lock"]


@pytest.mark.parametrize(
    ("n_parameters", "machine", "reason"),
    [
        (10**15, NO_CARD, r"takes 2000000\.2 GB of disk unpacked, and .* has \d+\.\d GB; make room"),
        (10**9, Machine((), 2 * 10**9), r"takes 4.0 GB of memory, and this machine has 2.0 GB; serve it with"),
    ],
)
def test_too_little_disk_or_memory_is_said_before_anything_is_written(
    n_parameters: int, machine: Machine, reason: str, gguf: ServedModel, tmp_path: Path
) -> None:
    vllm = environment(tmp_path, f"#!/bin/sh\necho {n_parameters}\n")

    with pytest.raises(ModelError, match=reason):
        unpack(gguf, tmp_path / "models", vllm, machine, lambda _: None)

    assert [path.name for path in (tmp_path / "models").rglob("*")] == [".parts", ".lock"]


def test_only_a_gguf_that_vllm_cannot_read_is_unpacked(gguf: ServedModel, tmp_path: Path) -> None:
    vllm = environment(tmp_path, UNPACKS)
    cards = Machine((Gpu("L4", 23_034),), 10**10)
    by_vllm = Wishes(engine="vllm")

    assert must_unpack(gguf, NO_CARD, by_vllm, vllm)
    assert not must_unpack(gguf, NO_CARD, Wishes(), vllm)  # llama.cpp serves it
    assert must_unpack(gguf, cards, Wishes(), vllm)
    assert not must_unpack(to_be_unpacked(gguf, tmp_path), NO_CARD, by_vllm, vllm)
    (tmp_path / "env" / "lib" / "python3.12" / "site-packages" / "vllm_gguf_plugin").mkdir(parents=True)
    assert not must_unpack(gguf, cards, Wishes(), vllm)
    assert must_unpack(gguf, NO_CARD, by_vllm, vllm)
