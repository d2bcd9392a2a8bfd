"""A question and passages in, scores out, by a server that speaks `/v1/rerank`: vLLM, Xinference, Jina, Cohere.

    POST {base}/rerank {"model", "query", "documents", "top_n"}  ->  {"results": [{"index", "relevance_score"}, ...]}
"""

import json
import math
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from ingest.addresses import is_near
from ingest.errors import ModelError, SettingsError

# Busy or restarting: the same request may well succeed a moment later.
_PASSING = (429, 502, 503, 504)
_LONGEST_ANSWER_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class RerankServerConfig:
    """Where the server is and how to talk to it. `base_url` ends before `/rerank`; `model` "" leaves the choice to it.

    A request that finds the server busy, or no server, is repeated up to `retries` times after `wait_seconds`, twice
    that, and so on, or after what the server asks for, 10 seconds at the most. A timeout isn't repeated.
    """

    base_url: str
    model: str = ""
    api_key: str = ""
    timeout_seconds: float = 30.0
    retries: int = 2
    wait_seconds: float = 0.5


class RerankServer:
    """A reranker behind HTTP. Nothing is sent before the first use. Safe to use from several threads."""

    def __init__(self, config: RerankServerConfig, *, sleep: Callable[[float], None] = time.sleep) -> None:
        if urlsplit(config.base_url).scheme not in ("http", "https"):
            raise SettingsError(
                f"reranker_url must begin with http:// or https://, got {config.base_url!r}; set FOOTNOTE_RERANKER_URL"
                " to an address such as http://127.0.0.1:8000/v1"
            )
        self.config = config
        self._sleep = sleep

    @property
    def name(self) -> str:
        """The model's name, else the server's address."""
        return self.config.model or urlsplit(self.config.base_url).netloc

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Give the server's score a passage, in its own unit. Raises ModelError."""
        if not passages:
            return []
        asked: dict[str, object] = {"query": query, "documents": list(passages), "top_n": len(passages)}
        if self.config.model:
            asked["model"] = self.config.model
        return self._read(self._send(asked), len(passages))

    @property
    def _address(self) -> str:
        base = self.config.base_url.rstrip("/")
        return base if base.endswith("/rerank") else f"{base}/rerank"

    def _send(self, asked: dict[str, object]) -> bytes:
        for attempt in range(self.config.retries + 1):
            is_last = attempt == self.config.retries
            pause = self.config.wait_seconds * 2**attempt
            try:
                return self._post(asked)
            except urllib.error.HTTPError as error:
                with error:
                    if is_last or error.code not in _PASSING:
                        raise self._refused(error) from error
                    pause = _asked_pause(error.headers, pause)
            except (OSError, HTTPException) as error:
                if is_last or _is_timeout(error):
                    raise self._unreachable(error) from error
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _post(self, asked: dict[str, object]) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.config.api_key:
            headers["Authorization"] = f"Bearer {self.config.api_key}"
        body = json.dumps(asked, ensure_ascii=False).encode("utf-8", "replace")
        request = urllib.request.Request(self._address, data=body, headers=headers)
        proxies = [urllib.request.ProxyHandler({})] if is_near(self._address) else []
        opener = urllib.request.build_opener(*proxies)
        with opener.open(request, timeout=self.config.timeout_seconds) as response:
            answer: bytes = response.read(_LONGEST_ANSWER_BYTES + 1)
        return answer

    def _read(self, answer: bytes, n_passages: int) -> list[float]:
        try:
            results = json.loads(answer)["results"]
            found = {int(result["index"]): float(result["relevance_score"]) for result in results}
        except (ValueError, KeyError, TypeError) as error:
            raise self._failed(
                f"answers with something else than results of index and relevance_score: {_clip(answer)}",
                "is this a rerank address?",
            ) from error
        if len(results) != n_passages or sorted(found) != list(range(n_passages)):
            raise self._failed(f"gave scores for {len(found)} of {n_passages} passages", "look at its log")
        if not all(map(math.isfinite, found.values())):
            raise self._failed("gave a score that is no number", "look at its log")
        return [found[index] for index in range(n_passages)]

    def _refused(self, error: urllib.error.HTTPError) -> ModelError:
        said = _reason(error)
        advice = {
            401: "check FOOTNOTE_RERANKER_KEY",
            403: "check FOOTNOTE_RERANKER_KEY",
            404: "check FOOTNOTE_RERANKER_URL, and FOOTNOTE_RERANKER for the model's name",
            413: "lower FOOTNOTE_RERANK_DEPTH",
            429: "wait a little, or lower FOOTNOTE_RERANK_DEPTH",
        }.get(error.code, "look at its log" if error.code >= 500 else "check FOOTNOTE_RERANKER and the server's limits")
        return self._failed(f"answers {error.code} {error.reason}{f' ({said})' if said else ''}", advice)

    def _unreachable(self, error: Exception) -> ModelError:
        if _is_timeout(error):
            return self._failed(
                f"was silent for {self.config.timeout_seconds:g} seconds",
                "it may be busy: try again, raise FOOTNOTE_RERANKER_TIMEOUT or lower FOOTNOTE_RERANK_DEPTH",
            )
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        told = (cause.strerror if isinstance(cause, OSError) else "") or str(cause) or type(cause).__name__
        return self._failed(f"can't be reached or hung up ({told})", "is it running?")

    def _failed(self, what: str, advice: str) -> ModelError:
        return ModelError(
            f"the reranker at {self._address} {what}; {advice}"
            f"{' Or' if advice.endswith('?') else ', or'} set FOOTNOTE_RERANKER_URL to nothing to search without it"
        )


def _is_timeout(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError)


def _asked_pause(headers: Message, otherwise: float) -> float:
    """Give the seconds that the server asks to wait for, 10 at the most; it may also name a date, which is not read."""
    said = headers.get("Retry-After", "")
    return min(float(said), 10.0) if said.isdecimal() else otherwise


def _reason(error: urllib.error.HTTPError) -> str:
    """Give what the server says of its refusal, in whichever of the usual fields it stands."""
    try:
        said: Any = json.loads(error.read(100_000))
    except (ValueError, OSError, HTTPException):
        return ""
    for key in ("error", "message", "detail"):
        if isinstance(said, dict) and key in said:
            said = said[key]
    return " ".join(str(said).split())[:200] if isinstance(said, str) else ""


def _clip(answer: bytes) -> str:
    return " ".join(answer[:200].decode("utf-8", "replace").split()) or "nothing"
