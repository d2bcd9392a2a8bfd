"""Texts in, vectors out, by OpenVINO on the processor. Knows tokens and batches, not prompts or documents.

Imports neither torch nor transformers: a question is embedded half a second after the process starts. Texts are run in
batches of equal length, as many batches at once as there are cores.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.cores import n_cores
from ingest.encoder_folder import WEIGHTS, Encoder, Floats, forget_pages, read_weights
from ingest.encoder_graph import EncoderWeights, build_graph
from ingest.errors import ModelError

# Best of 256 to 8,192 tokens: larger batches fall out of the cache (benchmarks/LOG.md, 2026-11-25).
_BATCH_TOKENS = 1024
# Lengths are rounded up to this, so that few shapes occur; each new one costs the runtime a plan. With 16 there is
# twice the padding (benchmarks/LOG.md, 2026-11-25).
_LENGTH_STEP = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts run together: their numbers, and their tokens padded to one length, shape (n_texts, n_tokens)."""

    numbers: list[int]
    ids: npt.NDArray[np.int64]
    mask: Floats


class OpenVINOEncoder:
    """A loaded model. Safe to use by several threads at once."""

    def __init__(self, encoder: Encoder, *, dtype: str = "auto") -> None:
        self._encoder = encoder
        self._dtype = dtype
        self.dimension = encoder.dimension

    @property
    def prompts(self) -> Mapping[str, str]:
        """The model's own prompts, by what they are for."""
        return self._encoder.prompts

    @property
    def dtype(self) -> str:
        """The numbers it computes with: bfloat16 where the processor has instructions for it, else float32."""
        if self._dtype != "auto":
            return self._dtype
        return "bfloat16" if "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "float32"

    def encode(self, texts: Sequence[str]) -> Floats:
        """Give a vector a text, shape (len(texts), dimension).

        A text of more than the model's `max_tokens` is read in parts, whose directions are averaged by their lengths.
        """
        plain = [text.lower() if self._encoder.lower_case else text for text in texts]
        parts = [self._parts(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(plain)]
        vectors = self._encode([part for of_text in parts for part in of_text])
        if len(vectors) == len(texts):
            return vectors
        found, at = np.zeros((len(texts), self.dimension), dtype=np.float32), 0
        for number, of_text in enumerate(parts):
            mine = vectors[at : at + len(of_text)]
            directions = mine / np.maximum(np.linalg.norm(mine, axis=1, keepdims=True), 1e-12)
            found[number] = np.array([len(part) for part in of_text], dtype=np.float32) @ directions
            at += len(of_text)
        return found

    def _parts(self, ids: list[int]) -> list[list[int]]:
        """Cut what is longer than the model reads into parts of like length, each between the tokens that frame it."""
        longest = self._encoder.max_tokens
        if len(ids) <= longest:
            return [ids]
        inner = ids[1:-1]
        n_parts = -(-len(inner) // (longest - 2))
        size = -(-len(inner) // n_parts)
        return [[ids[0], *inner[at : at + size], ids[-1]] for at in range(0, len(inner), size)]

    def _encode(self, ids: Sequence[Sequence[int]]) -> Floats:
        found = np.zeros((len(ids), self.dimension), dtype=np.float32)
        batches = make_batches(ids, self._encoder.max_tokens)
        # Requests in turn rather than the runtime's queue, whose callbacks can wait for each other for ever when an
        # error or Ctrl-C ends it early.
        running: deque[tuple[Any, list[int]]] = deque()

        def finish() -> Any:
            request, numbers = running.popleft()
            request.wait()
            found[numbers] = request.get_output_tensor(0).data
            return request

        try:
            for batch in batches:
                request = finish() if len(running) == n_cores() else self._model.create_infer_request()
                words = np.asarray(self._weights.words[batch.ids], dtype=np.float32)
                request.start_async({"words": words, "mask": batch.mask})
                running.append((request, batch.numbers))
            while running:
                finish()
        finally:
            for request, _ in running:
                request.wait()
        return found

    def token_starts(self, text: str) -> list[int]:
        """Give the start of every token of `text`, in order."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return [start for start, end in encoding.offsets if end > start]

    @cached_property
    def _ov(self) -> Any:  # the openvino module
        import openvino

        return openvino

    @cached_property
    def _core(self) -> Any:  # openvino.Core
        return self._ov.Core()

    @cached_property
    def _weights(self) -> EncoderWeights:
        return EncoderWeights(read_weights(self._encoder.folder / WEIGHTS))

    @cached_property
    def _model(self) -> Any:  # openvino.CompiledModel
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if self.dtype == "bfloat16" else "f32",
            "NUM_STREAMS": str(n_cores()),
            "INFERENCE_NUM_THREADS": str(n_cores()),
        }
        model = self._core.compile_model(build_graph(self._encoder, self._weights), "CPU", settings)
        forget_pages(self._weights.words)  # the layers are in the model now; rows of the words come as they are needed
        return model

    @cached_property
    def _tokenizer(self) -> Any:  # tokenizers.Tokenizer, which never cuts and never pads
        from tokenizers import Tokenizer

        path = self._encoder.folder / "tokenizer.json"
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # what the library raises has no narrower type
            raise ModelError(f"{path} can't be read ({error}); fetch the model again") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer


def make_batches(ids: Sequence[Sequence[int]], longest: int) -> Iterator[Batch]:
    """Put texts of like length together, longest first, at most `_BATCH_TOKENS` with padding unless one has more.

    No text has more than `longest` tokens, and none is padded beyond.
    """
    order = sorted(range(len(ids)), key=lambda number: (-len(ids[number]), number))
    at = 0
    while at < len(order):
        length = min(max(-(-len(ids[order[at]]) // _LENGTH_STEP), 1) * _LENGTH_STEP, longest)
        numbers = order[at : at + max(_BATCH_TOKENS // length, 1)]
        padded = np.zeros((len(numbers), length), dtype=np.int64)
        mask = np.zeros((len(numbers), length), dtype=np.float32)
        for row, number in enumerate(numbers):
            padded[row, : len(ids[number])] = ids[number]
            mask[row, : len(ids[number])] = 1.0
        yield Batch(numbers, padded, mask)
        at += len(numbers)
