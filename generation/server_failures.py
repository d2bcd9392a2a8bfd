"""An OpenAI client's exception in, a sentence that says what to do and whether to try again out. Asks no server."""

import re
from collections.abc import Mapping
from typing import Any

from ingest.errors import ContextError, ModelError

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 20.0
_PASSING = (408, 409, 429, 500, 502, 503, 504)
_OUT_OF_MEMORY = re.compile(r"out of memory|\boom\b|memoryerror|can't allocate|failed to allocate", re.IGNORECASE)

# vLLM, FastChat, SGLang and llama-server, each in its own words.
_TOO_LONG = re.compile(
    r"context.?(?:length|size|window)|too long|maximum.{0,20}length|max_(?:completion_)?tokens.{0,60}too large",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"context.?(?:length|size|window)\D{0,30}(\d{3,7})", re.IGNORECASE)
_NO_SYSTEM = re.compile(r"system (?:role|message|prompt)|roles? must alternate", re.IGNORECASE)


def explained(error: Exception, place: str, timeout_seconds: float, model: str | None) -> ModelError:
    """Say what went wrong at `place` and what to do about it."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return ModelError(
            f"{place} was silent for {timeout_seconds:g} seconds; it may be busy: try again, or raise the timeout"
        )
    if isinstance(error, openai.APIConnectionError):
        return ModelError(
            f"{place} can't be reached or hung up ({_root_cause(error)}); is it running?"
            " start one with: footnote llm serve"
        )
    if isinstance(error, openai.APIStatusError):
        reason = _reason(error)
        message = f"{place} {_advice(error.status_code, reason, model)}"
        if error.status_code in (400, 413, 422) and _TOO_LONG.search(reason):
            return ContextError(message, _limit_of(error.body, reason))
        return ModelError(message)
    if isinstance(error, openai.APIError):
        return ModelError(f"{place} broke off the answer: {_reason(error)}")
    return ModelError(f"{place} sent what is no answer ({error}); is this an OpenAI-compatible address?")


def retry_seconds(error: BaseException | None, attempt: int) -> float | None:
    """Say how long to wait before a request is made again, None where that helps nothing. `attempt` is from 0.

    The server's Retry-After counts, up to 20 seconds; one that asks for more isn't asked again. A silent server is
    busy or hangs: asked again it would be silent for as long. Memory that is used up stays so.
    """
    import openai

    if isinstance(error, openai.APITimeoutError):
        return None
    pause: float = _FIRST_PAUSE_SECONDS * 2.0**attempt
    if isinstance(error, openai.APIConnectionError):
        return pause
    if not isinstance(error, openai.APIStatusError) or error.status_code not in _PASSING:
        return None
    if _OUT_OF_MEMORY.search(_reason(error)):
        return None
    asked = error.response.headers.get("retry-after", "")
    wait = float(asked) if re.fullmatch(r"\d+(\.\d+)?", asked) else pause
    return wait if wait <= _LONGEST_PAUSE_SECONDS else None


def refuses_system(error: BaseException | None) -> bool:
    """Tell whether a server refused a request because its chat template knows no system message."""
    import openai

    return isinstance(error, openai.BadRequestError) and bool(_NO_SYSTEM.search(_reason(error)))


def _advice(status: int, reason: str, model: str | None) -> str:
    if status in (401, 403):
        return f"refused the key ({status}: {reason}); set the API key it expects"
    if status == 404:
        wanted = f"has no model {model!r}" if model else "has no such address"
        return f"{wanted} (404: {reason}); see its /v1/models for the names, and end the base URL in /v1"
    if status >= 500 and _OUT_OF_MEMORY.search(reason):
        return f"ran out of memory ({status}: {reason}); start it with a shorter context or fewer parallel requests"
    if status in (400, 413, 422):
        too_long = re.search(r"context|too long|maximum.{0,20}length|max_tokens|too large", reason, re.IGNORECASE)
        mending = "ask with fewer passages or set its real context size" if too_long else "check model and extra_body"
        return f"can't take the request ({status}: {reason}); {mending}"
    if status == 429:
        return f"has too many requests (429: {reason}); wait a little and ask again"
    return f"failed ({status}: {reason}); ask again, or read its log"


def _limit_of(body: object, reason: str) -> int | None:
    """Read the context size that a server says it has."""
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    told = inner.get("n_ctx") if isinstance(inner, Mapping) else None  # llama-server
    if isinstance(told, int):
        return told
    said = _LIMIT.search(reason)
    return int(said.group(1)) if said else None


def _reason(error: Any) -> str:  # openai's errors carry the body as whatever JSON the server sent
    body = error.body
    if isinstance(body, Mapping):
        inner = body.get("error", body)
        found = inner.get("message") or inner.get("detail") if isinstance(inner, Mapping) else inner
        body = found or body
    text = " ".join(str(body or error.message).split())
    return text if len(text) <= 300 else text[:299] + "…"


def _root_cause(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error) or type(error).__name__
