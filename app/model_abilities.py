"""A served model in, what it can do out: found by tiny real requests, one an ability. Knows nothing of documents.

The one place that tells whether a model sees or hears: for `footnote llm list`, and before a picture is sent.
"""

import base64
import io
import json
import struct
import urllib.error
import urllib.request
import wave
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ingest.addresses import is_near
from ingest.errors import ModelError

_TIMEOUT_SECONDS = 60.0
_BUSY = (408, 429, 502, 503, 504)  # says nothing of what the model can do
_SCHEMA = {"type": "object", "properties": {"a": {"enum": ["x"]}}, "required": ["a"], "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a model on a server can do: a request for it was taken and answered rightly."""

    streams: bool
    structured: bool
    logprobs: bool
    images: bool
    audio: bool


def probe(base_url: str, model: str, api_key: str) -> Abilities:
    """Try each ability. A refusal (a 4xx or 5xx answer) says no. Raises ModelError when the server is silent."""

    def answer(content: object, **options: object) -> str | None:
        body = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 16, **options}
        return _post(f"{base_url.rstrip('/')}/chat/completions", body, api_key)

    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": _SCHEMA, "strict": True}}
    streamed = answer("Say: a", stream=True)
    return Abilities(
        streams=streamed is not None and streamed.startswith("data:"),
        structured=_is_in_form(answer("Say x as JSON", response_format=form, max_tokens=32)),
        logprobs='"logprobs":{' in (answer("Say: a", logprobs=True) or "").replace(" ", ""),
        images=takes("image", base_url, model, api_key),
        audio=takes("audio", base_url, model, api_key),
    )


def takes(kind: Literal["image", "audio"], base_url: str, model: str, api_key: str) -> bool:
    """Tell whether a model takes pictures or recordings: it is sent a small one. Raises ModelError as `probe` does."""
    part: dict[str, object] = {"type": "input_audio", "input_audio": {"data": _sound(), "format": "wav"}}
    if kind == "image":
        part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_pixel()}"}}
    content = [part, {"type": "text", "text": "Say: a"}]
    body = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 16}
    return _post(f"{base_url.rstrip('/')}/chat/completions", body, api_key) is not None


def _post(address: str, body: Mapping[str, object], api_key: str) -> str | None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {api_key or 'none'}"}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)
    proxies = urllib.request.ProxyHandler({} if is_near(address) else None)
    try:
        with urllib.request.build_opener(proxies).open(request, timeout=_TIMEOUT_SECONDS) as response:
            return str(response.read().decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise ModelError(f"{address} refuses the key; set FOOTNOTE_LLM_KEY") from error
        if error.code in _BUSY:
            raise ModelError(f"{address} is busy ({error.code} {error.reason}); try again") from error
        return None
    except OSError as error:
        raise ModelError(f"{address} doesn't answer ({error}); read its log, or try again") from error


def _is_in_form(answer: str | None) -> bool:
    try:
        return bool(json.loads(json.loads(answer or "")["choices"][0]["message"]["content"]) == {"a": "x"})
    except (ValueError, KeyError, IndexError, TypeError):
        return False


def _pixel() -> str:
    """A white picture of 56 x 56 pixels, the least that some models take."""
    side = 56

    def piece(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xff" * 3 * side) * side)
    png = b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", header) + piece(b"IDAT", rows) + piece(b"IEND", b"")
    return base64.b64encode(png).decode()


def _sound() -> str:
    """A tenth of a second of silence."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(3200))
    return base64.b64encode(out.getvalue()).decode()
