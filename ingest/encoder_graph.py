"""An encoder's settings and weights in, an OpenVINO model out. Knows layers, not texts, batches or processors.

The graph is built from the weights themselves, so that nothing needs torch, an exporter or a converted copy on disk.
It takes word embeddings, shape (n_texts, n_tokens, dimension), and a mask of ones and zeros, shape (n_texts, n_tokens),
and gives one pooled vector a text, shape (n_texts, dimension), not normalised. The table of word embeddings, most of a
multilingual model's weights, stays outside: its rows are looked up where they lie on disk.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.encoder_folder import Encoder, Floats
from ingest.errors import ModelError

# The weights' names below one layer, by what they do.
_BERT = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
         "output": "attention.output.dense", "norm": "attention.output.LayerNorm"}  # fmt: skip
_MPNET = {"query": "attention.attn.q", "key": "attention.attn.k", "value": "attention.attn.v",
          "output": "attention.attn.o", "norm": "attention.LayerNorm"}  # fmt: skip
_MASKED = np.float32(-1e4)  # added to the logarithm of what padding would get: nothing of it is left


class EncoderWeights:
    """The arrays of a model by name, whatever prefix its authors gave them."""

    def __init__(self, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
        self._weights = weights
        table = "embeddings.word_embeddings.weight"
        found = [name for name in weights if name == table or name.endswith(f".{table}")]
        if len(found) != 1:
            raise ModelError(
                f"the weights hold {len(found)} tables of word embeddings, wanted 1; fetch the model again"
            )
        self._prefix = found[0].removesuffix(table)
        self.words = weights[found[0]]

    def __contains__(self, name: str) -> bool:
        return self._prefix + name in self._weights

    def __getitem__(self, name: str) -> Floats:
        if name not in self:
            raise ModelError(f"the weights hold no {name}; fetch the model again with: footnote llm pull")
        return np.ascontiguousarray(self._weights[self._prefix + name], dtype=np.float32)


def build_graph(encoder: Encoder, weights: EncoderWeights) -> Any:  # openvino.Model; openvino has few types
    """Build the layers of BERT (Devlin et al., NAACL 2019) or MPNet (Song et al., NeurIPS 2020)."""
    return _Builder(encoder, weights).model()


class _Builder:
    def __init__(self, encoder: Encoder, weights: EncoderWeights) -> None:
        import openvino
        from openvino import opset13

        self._ov, self._op = openvino, opset13
        self._encoder, self._weights = encoder, weights
        self._names = _MPNET if encoder.family == "mpnet" else _BERT

    def model(self) -> Any:
        op, encoder = self._op, self._encoder
        words = op.parameter([-1, -1, encoder.dimension], np.float32, name="words")
        mask = op.parameter([-1, -1], np.float32, name="mask")
        length = op.gather(op.shape_of(words), self._ints(1), self._ints(0))
        hidden = self._norm(op.add(words, self._positions(length)), "embeddings.LayerNorm")
        wide = op.unsqueeze(mask, self._ints(1, 2))  # (n_texts, 1, 1, n_tokens)
        bias = op.multiply(op.subtract(op.constant(np.float32(1)), wide), op.constant(_MASKED))
        if encoder.family == "mpnet":
            bias = op.add(bias, self._relative(length))
        for number in range(encoder.n_layers):
            hidden = self._layer(hidden, bias, f"encoder.layer.{number}.")
        return self._ov.Model([self._pooled(hidden, mask)], [words, mask], "encoder")

    def _layer(self, hidden: Any, bias: Any, layer: str) -> Any:
        op = self._op
        attended = self._linear(self._attention(hidden, bias, layer), layer + self._names["output"])
        hidden = self._norm(op.add(attended, hidden), layer + self._names["norm"])
        inner = op.gelu(self._linear(hidden, layer + "intermediate.dense"), "erf")
        return self._norm(op.add(self._linear(inner, layer + "output.dense"), hidden), layer + "output.LayerNorm")

    def _attention(self, hidden: Any, bias: Any, layer: str) -> Any:
        op, n_heads = self._op, self._encoder.n_heads
        size = self._encoder.dimension // n_heads

        def heads(which: str) -> Any:  # (n_texts, n_heads, n_tokens, size)
            split = op.reshape(self._linear(hidden, layer + self._names[which]), self._ints(0, 0, n_heads, size), True)
            return op.transpose(split, self._ints(0, 2, 1, 3))

        mixed = op.scaled_dot_product_attention(heads("query"), heads("key"), heads("value"), bias)
        return op.reshape(op.transpose(mixed, self._ints(0, 2, 1, 3)), self._ints(0, 0, self._encoder.dimension), True)

    def _positions(self, length: Any) -> Any:
        table = self._weights["embeddings.position_embeddings.weight"][self._encoder.first_position :]
        types = "embeddings.token_type_embeddings.weight"
        if types in self._weights:
            table = table + self._weights[types][0]  # every text is of the first type
        return self._first(table[None], length, axis=1)

    def _relative(self, length: Any) -> Any:
        """Give what MPNet adds for the distance of two tokens, shape (1, n_heads, n_tokens, n_tokens)."""
        table = self._weights["encoder.relative_attention_bias.weight"]  # (n_buckets, n_heads)
        places = np.arange(self._encoder.max_tokens)
        buckets = relative_buckets(places[None, :] - places[:, None], len(table))
        biases = np.ascontiguousarray(table[buckets].transpose(2, 0, 1)[None])
        return self._first(self._first(biases, length, axis=2), length, axis=3)

    def _first(self, array: Any, length: Any, *, axis: int) -> Any:
        """Give the first `length` entries along an axis."""
        node = self._op.constant(array) if isinstance(array, np.ndarray) else array
        return self._op.slice(node, self._ints(0), length, self._ints(1), self._ints(axis))

    def _norm(self, hidden: Any, name: str) -> Any:
        op = self._op
        even = op.mvn(hidden, self._ints(-1), True, self._encoder.epsilon, "inside_sqrt")
        scale, shift = (op.constant(self._weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return op.add(op.multiply(even, scale), shift)

    def _linear(self, hidden: Any, name: str) -> Any:
        op = self._op
        product = op.matmul(hidden, op.constant(self._weights[f"{name}.weight"]), False, True)
        return op.add(product, op.constant(self._weights[f"{name}.bias"]))

    def _pooled(self, hidden: Any, mask: Any) -> Any:
        op = self._op
        if self._encoder.pooling == "cls":
            return op.gather(hidden, op.constant(np.int64(0)), op.constant(np.int64(1)))
        weights = op.unsqueeze(mask, self._ints(-1))
        total = op.reduce_sum(op.multiply(hidden, weights), self._ints(1))
        return op.divide(total, op.reduce_sum(weights, self._ints(1)))

    def _ints(self, *values: int) -> Any:
        return self._op.constant(np.array(values, dtype=np.int64))


def relative_buckets(distances: npt.NDArray[np.int64], n_buckets: int) -> npt.NDArray[np.int64]:
    """Give the bucket of each distance: exact ones near by, then ever wider ones, up to 128 tokens away.

    Half the buckets are for each direction (Raffel et al., JMLR 2020, section 2.1).
    """
    half = n_buckets // 2
    exact = half // 2
    far = np.abs(distances)
    wide = exact + np.log(np.maximum(far, 1).astype(np.float32) / exact) / np.log(128 / exact) * (half - exact)
    bucket = np.where(far < exact, far, np.minimum(wide.astype(np.int64), half - 1))
    return np.where(distances > 0, bucket + half, bucket)
