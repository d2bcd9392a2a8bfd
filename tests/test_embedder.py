"""OpenVINO and torch give the same vectors of the same model, and what OpenVINO can't run goes through torch."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ingest.embedder import Choice, EmbedderConfig, SentenceTransformerEmbedder, choose_runtime
from ingest.encoder_folder import read_encoder
from ingest.encoder_graph import relative_buckets
from ingest.errors import ModelError
from ingest.openvino_encoder import make_batches
from tests.tiny_encoders import FAMILIES, change_json, make_encoder

E5 = Path(__file__).parents[1] / "data" / "models" / "multilingual-e5-small"
TEXTS = [
    "the old bridge is 48 metres long",
    "桥 is long",
    "",
    "the bridge " * 18,  # as much as the model reads
    "年 假 申 请 : the old old old bridge is long long long 48 48 metres " * 2,
]
ON_TORCH = EmbedderConfig(runtime="torch", dtype="float32")
ON_OPENVINO = EmbedderConfig(runtime="openvino", dtype="float32")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models of every family that pool by mean, and one that takes the first token."""
    made = {family: make_encoder(tmp_path_factory.mktemp(family), family) for family in FAMILIES}
    made["cls"] = make_encoder(tmp_path_factory.mktemp("cls"), "bert", pooling="cls")
    made["bare"] = tmp_path_factory.mktemp("bare") / "bare"
    shutil.copytree(made["bert"], made["bare"])
    change_json(made["bare"] / "config_sentence_transformers.json", prompts={})
    return made


@pytest.mark.parametrize("kind", [*FAMILIES, "cls"])
def test_both_runtimes_give_the_same_vectors(folders: dict[str, Path], kind: str) -> None:
    by_torch = SentenceTransformerEmbedder(folders[kind], config=ON_TORCH)
    by_openvino = SentenceTransformerEmbedder(folders[kind], config=ON_OPENVINO)

    np.testing.assert_allclose(by_openvino.embed_passages(TEXTS), by_torch.embed_passages(TEXTS), atol=2e-5)
    np.testing.assert_allclose(by_openvino.embed_query(TEXTS[0]), by_torch.embed_query(TEXTS[0]), atol=2e-5)
    assert by_openvino.dimension == by_torch.dimension == 32
    for text in TEXTS:
        assert by_openvino.token_starts(text) == by_torch.token_starts(text)


def test_a_text_gets_its_vector_whatever_it_is_embedded_with(folders: dict[str, Path]) -> None:
    embedder = SentenceTransformerEmbedder(folders["bert"], config=ON_OPENVINO)
    together = embedder.embed_passages(TEXTS * 30)

    alone = np.concatenate([embedder.embed_passages([text]) for text in TEXTS])

    np.testing.assert_allclose(together, np.tile(alone, (30, 1)), atol=2e-6)
    assert embedder.embed_passages([]).shape == (0, 32)


def test_a_text_longer_than_the_model_reads_is_read_to_its_end(folders: dict[str, Path]) -> None:
    embedder = SentenceTransformerEmbedder(folders["bert"], config=ON_OPENVINO)
    first, second, third = "the old bridge " * 12, "is 48 metres " * 12, "桥 年 假 " * 12
    # "passage : " and 108 words are 110 tokens; 38 fit beside the two that frame them, so three parts: 37, 37, 36.
    words = f"passage : {first}{second}{third}".split()
    parts = [" ".join(words[0:37]), " ".join(words[37:74]), " ".join(words[74:110])]

    vector = embedder.embed_passages([first + second + third, "桥"])[0]

    bare = SentenceTransformerEmbedder(folders["bare"], config=ON_OPENVINO)
    expected = np.array([39, 39, 38]) @ bare.embed_passages(parts)
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=2e-6)


@pytest.mark.skipif(not E5.is_dir(), reason="no embedder; fetch it with: footnote llm pull")
def test_the_default_model_is_faithful_to_float32_in_what_this_processor_computes_with() -> None:
    texts = [
        "Employees who are absent for more than three days must hand in a certificate.",
        "员工缺勤超过三天须提交证明。加班按小时工资的一点五倍支付，或在本季度内安排调休。",
        "def main() -> None:\n    return print('hello')",
        "The river rises in the northern mountains. " * 12,
    ]

    fast = SentenceTransformerEmbedder(E5).embed_passages(texts)
    exact = SentenceTransformerEmbedder(E5, config=ON_TORCH).embed_passages(texts)

    assert (fast * exact).sum(axis=1).min() >= 0.999
    np.testing.assert_allclose(np.linalg.norm(fast, axis=1), 1.0, atol=1e-6)


@pytest.mark.skipif(not E5.is_dir(), reason="no embedder; fetch it with: footnote llm pull")
def test_embedding_a_question_imports_no_torch() -> None:
    code = (
        "import sys; from ingest.embedder import *;"
        f" SentenceTransformerEmbedder({str(E5)!r}, config=EmbedderConfig(runtime='openvino')).embed_query('hello');"
        " print({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_a_model_of_another_make_goes_through_torch_and_says_why(folders: dict[str, Path], tmp_path: Path) -> None:
    def changed(file: str, **values: object) -> Choice:
        folder = tmp_path / f"model-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for path in folders["bert"].rglob("*"):
            if path.is_file():
                target = folder / path.relative_to(folders["bert"])
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(path.read_bytes())
        change_json(folder / file, **values)
        return choose_runtime(folder, EmbedderConfig(runtime="openvino"))

    assert changed("config.json", hidden_act="relu") == Choice("torch", "its layers aren't plain BERT layers")
    assert changed("config.json", model_type="qwen3") == Choice("torch", "it is of the family qwen3")
    assert changed("1_Pooling/config.json", pooling_mode="max").reason == "it pools tokens in a way of its own"
    assert (
        choose_runtime(tmp_path / "none", EmbedderConfig(runtime="openvino")).reason == "it isn't on this machine yet"
    )
    assert choose_runtime(folders["bert"], ON_TORCH) == Choice("torch", "the settings ask for it")


def test_a_cut_off_weight_file_is_an_error_that_says_what_to_do(folders: dict[str, Path], tmp_path: Path) -> None:
    for path in folders["bert"].iterdir():
        (tmp_path / path.name).symlink_to(path)
    weights = tmp_path / "model.safetensors"
    whole = weights.read_bytes()
    weights.unlink()
    for length in (0, 5, 100, len(whole) - 10):
        weights.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="fetch the model again"):
            SentenceTransformerEmbedder(tmp_path, config=ON_OPENVINO).embed_query("the bridge")


def test_batches_hold_every_text_once_with_its_own_tokens() -> None:
    ids = [list(range(1, n + 1)) for n in (3, 900, 0, 17, 1999, 16, 3, 500, 450)]

    batches = list(make_batches(ids, 1999))

    found = {
        number: row[mask > 0].tolist()
        for batch in batches
        for number, row, mask in zip(batch.numbers, batch.ids, batch.mask, strict=True)
    }
    assert found == dict(enumerate(ids))
    assert [batch.ids.shape for batch in batches] == [(1, 1999), (1, 904), (2, 504), (5, 24)]


def test_distances_fall_into_the_buckets_of_the_paper() -> None:
    # 32 buckets: 16 a direction, of which 8 exact; then 8 + log(d / 8) / log(16) * 8, at most 15.
    distances = np.array([0, -1, -7, -8, -11, -16, -127, -500, 1, 7, 16])

    assert relative_buckets(distances, 32).tolist() == [0, 1, 7, 8, 8, 10, 15, 15, 17, 23, 26]


def test_settings_of_a_whole_folder_are_read(folders: dict[str, Path]) -> None:
    encoder = read_encoder(folders["mpnet"])

    assert not isinstance(encoder, str)
    assert (encoder.family, encoder.dimension, encoder.first_position, encoder.max_tokens) == ("mpnet", 32, 2, 40)
    assert dict(encoder.prompts) == {"query": "query : ", "document": "passage : "}
