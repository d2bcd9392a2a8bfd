"""A query and passages in, a score a passage out, by a server's `/rerank` (vLLM, Xinference, Jina, Cohere).

Knows the wire alone: `{"model", "query", "documents", "top_n"}` goes out, `{"results": [{"index", "relevance_score"}]}`
comes back.
"""

import http.client
import json
import math
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ingest.errors import ModelError, SettingsError
from ingest.server_reply import opener_for, reason_of

_LONGEST_REPLY_BYTES = 16_000_000
# Too many requests, and a server that is starting, overloaded or behind a gateway that can't reach it.
_WORTH_ANOTHER_TRY = (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class RerankServerConfig:
    """Where the server is: `base_url` with or without `/rerank` at its end. `model` "" leaves the choice to it.

    `timeout_seconds` is the longest silence. `retries` count where another try may help: the server hung up, or said
    that it is busy; `pause_seconds` lie between two tries.
    """

    base_url: str
    model: str = ""
    api_key: str = ""
    timeout_seconds: float = 30.0
    retries: int = 2
    pause_seconds: float = 0.5


class RerankServer:
    """A reranker behind HTTP. Nothing is sent before the first use. Safe to use from several threads."""

    def __init__(self, config: RerankServerConfig, *, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(config.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"{config.base_url!r} is no address of a rerank server; set FOOTNOTE_RERANKER_URL to one such as"
                " http://127.0.0.1:8000/v1"
            )
        self.config = config
        self._sleep = sleep
        base = config.base_url.rstrip("/")
        self._address = base if base.endswith("/rerank") else f"{base}/rerank"
        self._opener = opener_for(base)

    @property
    def name(self) -> str:
        """The model's name, else the server's."""
        return self.config.model or urlsplit(self.config.base_url).netloc

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Give the server's relevance score a passage. Raises ModelError."""
        if not passages:
            return []
        wanted: dict[str, object] = {"query": query, "documents": list(passages), "top_n": len(passages)}
        if self.config.model:
            wanted["model"] = self.config.model
        reply = self._post(json.dumps(wanted).encode())
        try:
            return _scores(json.loads(reply), len(passages))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._error(f"does not answer as a rerank server does ({error}); check the address") from error

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self.config.api_key:
            headers["Authorization"] = f"Bearer {self.config.api_key}"
        request = urllib.request.Request(self._address, data=body, headers=headers)
        for tries_left in range(self.config.retries, -1, -1):
            try:
                with self._opener.open(request, timeout=self.config.timeout_seconds) as response:
                    reply: bytes = response.read(_LONGEST_REPLY_BYTES + 1)
                if len(reply) > _LONGEST_REPLY_BYTES:
                    raise self._error("sends more than 16 MB for one ranking; check the address")
                return reply
            except urllib.error.HTTPError as error:
                with error:
                    reason = reason_of(error)
                if error.code not in _WORTH_ANOTHER_TRY or not tries_left:
                    raise self._error(_advice(error.code, reason)) from error
            except (OSError, http.client.HTTPException) as error:
                cause = error.reason if isinstance(error, urllib.error.URLError) else error
                if not isinstance(cause, ConnectionResetError | http.client.HTTPException) or not tries_left:
                    raise self._error(self._unreached(cause)) from error
            self._sleep(self.config.pause_seconds)
        raise AssertionError("the last try returns or raises")

    def _unreached(self, cause: object) -> str:
        if isinstance(cause, TimeoutError):
            return (
                f"was silent for {self.config.timeout_seconds:g} seconds; it may be busy: lower FOOTNOTE_RERANK_DEPTH"
            )
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause) or type(cause).__name__
        return f"can't be reached or hung up ({reason}); start it, or correct FOOTNOTE_RERANKER_URL"

    def _error(self, what: str) -> ModelError:
        return ModelError(
            f"the rerank server at {self._address} {what}; to search without it, set FOOTNOTE_RERANK_DEPTH=0"
        )


def _scores(reply: Any, n_passages: int) -> list[float]:  # whatever JSON the server sent
    """Put the results into the order of the passages; every passage must be there once, with a number."""
    found: dict[int, float] = {}
    for result in reply["results"]:
        index, score = result["index"], float(result["relevance_score"])
        if type(index) is not int or not 0 <= index < n_passages or index in found:
            raise ValueError(f"result {index!r} of {n_passages} passages")
        if not math.isfinite(score):
            raise ValueError(f"score {score}")
        found[index] = score
    if len(found) < n_passages:
        raise ValueError(f"{len(found)} scores for {n_passages} passages")
    return [found[index] for index in range(n_passages)]


def _advice(status: int, reason: str) -> str:
    if status in (401, 403):
        return f"refused the key ({status}: {reason}); set FOOTNOTE_RERANKER_KEY to the one it expects"
    if status == 404:
        return (
            f"has no such address or model (404: {reason}); FOOTNOTE_RERANKER_URL mostly ends in /v1, and"
            " FOOTNOTE_RERANKER_MODEL must be a model it serves"
        )
    if 300 <= status < 400:
        return f"points elsewhere ({status}); set FOOTNOTE_RERANKER_URL to where it points"
    if status in (400, 413, 422):
        return (
            f"can't take the request ({status}: {reason}); set FOOTNOTE_RERANKER_MODEL, or lower FOOTNOTE_RERANK_DEPTH"
        )
    if status == 429:
        return f"has too many requests (429: {reason}); wait a little and ask again"
    return f"failed ({status}: {reason}); ask again, or read its log"
