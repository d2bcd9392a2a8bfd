"""Texts in, unit-norm vectors out, by a server's `/embeddings` (vLLM, Xinference, Ollama, TEI, llama-server, OpenAI).

Knows the wire alone: `{"model", "input": [...]}` goes out, `{"data": [{"index", "embedding"}]}` comes back, a vector as
numbers or in base64. A text that the server finds too long goes in halves, whose vectors are averaged.
"""

import base64
import http.client
import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from ingest.embedder import Vectors
from ingest.embedding_batches import embed_batches
from ingest.embedding_prompts import EmbeddingPrompts, known_prompts
from ingest.errors import ModelError, SettingsError
from ingest.server_reply import opener_for, reason_of
from ingest.token_estimate import estimated_token_starts

_LONGEST_REPLY_BYTES = 64_000_000
_LONGEST_PAUSE_SECONDS = 60.0
# Too many requests, and a server that stumbled, is starting, or is behind a gateway that can't reach it.
_WORTH_ANOTHER_TRY = (429, 500, 502, 503, 504)
_TOO_LONG = re.compile(r"context|too long|too large|length|less than \d+ tokens|max\w* .*tokens", re.IGNORECASE)
_SHORTEST_PART = 8  # characters


@dataclass(frozen=True, slots=True)
class EmbeddingServerConfig:
    """Where the server is: `base_url` with or without `/embeddings` at its end; `model` "" takes the first it lists.

    A prompt of None is what a model of this name is known to want. `dimension` is what the vectors must have, 0 for
    whatever they have. `timeout_seconds` is the longest silence. A request that may succeed later is sent again
    `retries` times, after `pause_seconds`, twice that, four times that, or when the server says.
    """

    base_url: str
    model: str = ""
    api_key: str = ""
    query_prompt: str | None = None
    passage_prompt: str | None = None
    dimension: int = 0
    timeout_seconds: float = 60.0
    retries: int = 5
    pause_seconds: float = 0.5
    batch_texts: int = 32  # what TEI takes at most unless told otherwise
    requests_at_once: int = 4


class _Refused(Exception):
    """The server can't take these texts together, or not at all."""


class EmbeddingServer:
    """An embedder behind HTTP. Nothing is sent before the first use. Safe to use from several threads."""

    def __init__(self, config: EmbeddingServerConfig) -> None:
        parts = urlsplit(config.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"{config.base_url!r} is no address of an embedding server; set FOOTNOTE_EMBEDDER_URL to one such as"
                " http://127.0.0.1:8000/v1"
            )
        self.config = config
        self._base = config.base_url.rstrip("/").removesuffix("/embeddings")
        self._opener = opener_for(self._base)
        self._asking = threading.Lock()
        self._model = config.model
        self._dimension = config.dimension
        self._has_answered = False
        self._encoding = "base64"  # a quarter of the bytes of numbers in decimal

    @property
    def name(self) -> str:
        """The model's name without its owner, and the dimension; a passage prompt of one's own makes another name."""
        return f"{self.model.rpartition('/')[2]}@{self.dimension}{self._prompt_mark()}"

    @property
    def model(self) -> str:
        """The model's name on the server. Asks the server when the settings name none. Raises ModelError."""
        with self._asking:
            if not self._model:
                try:
                    self._model = str(json.loads(self._send("/models", None))["data"][0]["id"])
                except (ValueError, KeyError, TypeError, IndexError, _Refused) as error:
                    raise self._error("lists no model; set FOOTNOTE_EMBEDDER_MODEL to the one to use") from error
            return self._model

    @property
    def dimension(self) -> int:
        """How many numbers a vector has; found by embedding a word."""
        if not self._dimension:
            self.embed_query("probe")
        return self._dimension

    @property
    def prompts(self) -> EmbeddingPrompts:
        """What goes before queries and passages."""
        known, config = known_prompts(self.model), self.config
        return EmbeddingPrompts(
            known.query if config.query_prompt is None else config.query_prompt,
            known.passage if config.passage_prompt is None else config.passage_prompt,
        )

    def made(self, embedder: str) -> int:
        """Give the dimension of vectors that were made under the name `embedder`, if it is this model; else 0."""
        pattern = rf"{re.escape(self.model.rpartition('/')[2])}@(\d+){re.escape(self._prompt_mark())}"
        found = re.fullmatch(pattern, embedder)
        return int(found[1]) if found else 0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        prompt, size = self.prompts.passage, self.config.batch_texts
        prompted = [prompt + text for text in texts]
        batches = [prompted[start : start + size] for start in range(0, len(prompted), size)]
        return np.concatenate(embed_batches(self._embed, batches, self.config.requests_at_once))

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self._embed([self.prompts.query + text], threading.Event())[0]
        return vector

    def token_starts(self, text: str) -> list[int]:
        """Estimate: to ask the server would be a request a chunk, and few servers tell."""
        return estimated_token_starts(text)

    def _embed(self, texts: Sequence[str], stopped: threading.Event) -> Vectors:
        """Give unit vectors; texts that are too many or too long for one request go in halves."""
        try:
            return self._normed(self._ask(texts, stopped))
        except _Refused as refused:
            if len(texts) > 1:
                middle = len(texts) // 2
                halves = [self._embed(part, stopped) for part in (texts[:middle], texts[middle:])]
                return np.concatenate(halves)
            text = texts[0]
            if len(text) < 2 * _SHORTEST_PART or not _TOO_LONG.search(str(refused)):
                raise self._error(f"can't take the request ({refused}); set FOOTNOTE_EMBEDDER_MODEL") from refused
            middle = len(text) // 2
            space = text.rfind(" ", len(text) // 4, middle)
            cut = space if space > 0 else middle
            return self._normed(self._embed([text[:cut], text[cut:]], stopped).mean(axis=0, keepdims=True))

    def _ask(self, texts: Sequence[str], stopped: threading.Event) -> Vectors:
        encoding = self._encoding
        wanted = {"model": self.model, "input": list(texts), "encoding_format": encoding}
        try:
            reply = self._send("/embeddings", json.dumps(wanted).encode(), stopped)
        except _Refused as refused:
            if encoding == "float" or "encoding" not in str(refused):
                raise
            self._encoding = "float"
            return self._ask(texts, stopped)
        try:
            vectors = _vectors(json.loads(reply), len(texts))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._error(f"does not answer as an embedding server does ({error}); check the address") from error
        with self._asking:
            self._dimension = self._dimension or vectors.shape[1]
        if vectors.shape[1] != self._dimension:
            raise self._error(
                f"gives vectors of {vectors.shape[1]} numbers for {self._model}, wanted {self._dimension}; serve the"
                " model as before, or run: footnote ingest --rebuild"
            )
        return vectors

    def _normed(self, vectors: Vectors) -> Vectors:
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)  # (n_texts, 1)
        if not (np.isfinite(norms).all() and (norms > 0).all()):
            raise self._error("gives a vector that is zero or no number; serve the model with --dtype float32")
        normed: Vectors = vectors / norms
        return normed

    def _send(self, path: str, body: bytes | None, stopped: threading.Event | None = None) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self.config.api_key:
            headers["Authorization"] = f"Bearer {self.config.api_key}"
        request = urllib.request.Request(self._base + path, data=body, headers=headers)
        stopped = stopped or threading.Event()
        for tried in range(self.config.retries + 1):
            pause = self.config.pause_seconds * 2**tried
            is_last = tried == self.config.retries or stopped.is_set()
            try:
                with self._opener.open(request, timeout=self.config.timeout_seconds) as response:
                    reply: bytes = response.read(_LONGEST_REPLY_BYTES + 1)
                if len(reply) > _LONGEST_REPLY_BYTES:
                    raise self._error("sends more than 64 MB for one request; check the address")
                self._has_answered = True
                return reply
            except urllib.error.HTTPError as error:
                with error:
                    reason = reason_of(error)
                if error.code in (400, 413, 422):
                    raise _Refused(f"{error.code}: {reason}") from error
                if error.code not in _WORTH_ANOTHER_TRY or is_last or _TOO_LONG.search(reason):
                    if error.code == 500 and _TOO_LONG.search(reason):  # Ollama and llama-server
                        raise _Refused(f"500: {reason}") from error
                    raise self._error(_advice(error.code, reason)) from error
                pause = max(pause, _retry_after(error.headers.get("Retry-After", "")))
            except (OSError, http.client.HTTPException) as error:
                cause = error.reason if isinstance(error, urllib.error.URLError) else error
                # One that never answered isn't running; one that did may be starting again.
                is_gone = isinstance(cause, ConnectionRefusedError) and not self._has_answered
                if isinstance(cause, TimeoutError) or is_gone or is_last:
                    raise self._error(self._unreached(cause)) from error
            stopped.wait(min(pause, _LONGEST_PAUSE_SECONDS))
        raise AssertionError("the last try returns or raises")

    def _prompt_mark(self) -> str:
        prompt = self.config.passage_prompt
        if prompt is None or prompt == known_prompts(self.model).passage:
            return ""
        return f"+{sha256(prompt.encode()).hexdigest()[:6]}"

    def _unreached(self, cause: object) -> str:
        if isinstance(cause, TimeoutError):
            return (
                f"was silent for {self.config.timeout_seconds:g} seconds; it may be busy: try again, or raise"
                " FOOTNOTE_EMBEDDER_TIMEOUT"
            )
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause) or type(cause).__name__
        return f"can't be reached or hung up ({reason}); start it and run this again, or correct FOOTNOTE_EMBEDDER_URL"

    def _error(self, what: str) -> ModelError:
        return ModelError(f"the embedding server at {self._base} {what}")


def _vectors(reply: Any, n_texts: int) -> Vectors:  # whatever JSON the server sent
    """Put the vectors into the order of the texts; every text must be there once, all of one length."""
    found: dict[int, Vectors] = {}
    for result in reply["data"]:
        index, value = result["index"], result["embedding"]
        if type(index) is not int or not 0 <= index < n_texts or index in found:
            raise ValueError(f"vector {index!r} of {n_texts} texts")
        if isinstance(value, str):
            found[index] = np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").astype(np.float32)
        else:
            found[index] = np.asarray(value, dtype=np.float32)
        if found[index].ndim != 1 or not len(found[index]):
            raise ValueError(f"vector {index} has shape {found[index].shape}")
    if len(found) < n_texts:
        raise ValueError(f"{len(found)} vectors for {n_texts} texts")
    return np.stack([found[index] for index in range(n_texts)])


def _retry_after(value: str) -> float:
    return float(value) if re.fullmatch(r"\d{1,6}(\.\d+)?", value) else 0.0


def _advice(status: int, reason: str) -> str:
    if status in (401, 403):
        return f"refused the key ({status}: {reason}); set FOOTNOTE_EMBEDDER_KEY to the one it expects"
    if status == 404:
        return (
            f"has no such address or model (404: {reason}); FOOTNOTE_EMBEDDER_URL mostly ends in /v1, and"
            " FOOTNOTE_EMBEDDER_MODEL must be a model it serves"
        )
    if 300 <= status < 400:
        return f"points elsewhere ({status}); set FOOTNOTE_EMBEDDER_URL to where it points"
    if status == 429:
        return f"has too many requests (429: {reason}); wait a little and run this again"
    return f"failed ({status}: {reason}); read its log, and run this again"
