"""Sound in, the phrases spoken in it out, by a server's `/audio/transcriptions` (vLLM, Xinference, speaches, OpenAI).

Knows the wire alone: WAV goes out as a form, text comes back, with the times of its segments where they are told.
"""

import http.client
import io
import json
import math
import urllib.error
import urllib.request
import wave
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ingest.errors import SourceError
from ingest.load_config import LoadConfig
from ingest.server_reply import opener_for, reason_of
from ingest.speech import SAMPLE_RATE, Heard, Phrase, Samples, quiet_pieces
from ingest.step import OnStep, Step, unsaid

# Nearly 15 MB of WAV at most; vLLM and OpenAI take 25.
_PIECE_SECONDS = 300
_TIMEOUT_SECONDS = 110.0  # less than a file may take, so that the reason is told
_BOUNDARY = "footnote-7d1b0a52"


def hear_by_server(samples: Samples, config: LoadConfig, name: str, on_step: OnStep = unsaid) -> Heard:
    """Give what is said in one channel of `SAMPLE_RATE` samples a second; SourceError about `name` where the server
    can't tell.
    """
    base = config.speech_url.rstrip("/").removesuffix("/audio/transcriptions")
    model = config.speech_model or _first_model(base, config, name)
    language = ""
    phrases: list[Phrase] = []
    for start, end in quiet_pieces(samples, _PIECE_SECONDS):
        on_step(Step("second", start // SAMPLE_RATE, len(samples) // SAMPLE_RATE))
        said = _transcribed(wav_bytes(samples[start:end]), base, model, config, name)
        phrases += _phrases(said, start / SAMPLE_RATE, end / SAMPLE_RATE)
        language = language or str(said.get("language") or "")
    return Heard(language, tuple(phrases))


def wav_bytes(samples: Samples) -> bytes:
    """Give sound as one channel of 16-bit WAV, which every server reads."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes((samples * 32767).astype(np.int16).tobytes())
    return buffer.getvalue()


def _first_model(base: str, config: LoadConfig, name: str) -> str:
    reply = _sent(urllib.request.Request(f"{base}/models"), base, config, name)
    try:
        return str(reply["data"][0]["id"])
    except (KeyError, IndexError, TypeError) as error:
        raise SourceError(
            f"{name} isn't heard: the speech server at {base} lists no model; name one as speech_model."
        ) from error


def _transcribed(sound: bytes, base: str, model: str, config: LoadConfig, name: str) -> Mapping[str, Any]:
    """Ask with the times of segments, and without where the server or its model knows none."""

    def ask(form: str) -> Mapping[str, Any]:
        body = _form({"model": model, "response_format": form, "temperature": "0"}, sound)
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        return _sent(urllib.request.Request(f"{base}/audio/transcriptions", body, headers), base, config, name)

    try:
        return ask("verbose_json")
    except _RefusedError:
        return ask("json")


class _RefusedError(SourceError):
    """The server takes the address and the key, not the request."""


def _sent(request: urllib.request.Request, base: str, config: LoadConfig, name: str) -> Mapping[str, Any]:
    if config.speech_key:
        request.add_header("Authorization", f"Bearer {config.speech_key}")
    where = f"{name} isn't heard: the speech server at {base}"
    try:
        with opener_for(base).open(request, timeout=_TIMEOUT_SECONDS) as response:
            reply = json.load(response)
    except urllib.error.HTTPError as error:
        kind = _RefusedError if error.code in (400, 422) else SourceError
        raise kind(f"{where} answers {error.code} ({reason_of(error)}); check speech_url and speech_model.") from error
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(f"{where} can't be reached ({error}); start it, or unset speech_url.") from error
    except ValueError as error:
        raise SourceError(f"{where} sent no JSON; end speech_url in /v1.") from error
    if not isinstance(reply, Mapping):
        raise SourceError(f"{where} sent what is no transcription; end speech_url in /v1.")
    return reply


def _form(fields: Mapping[str, str], sound: bytes) -> bytes:
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    head = 'Content-Disposition: form-data; name="file"; filename="sound.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    opened = "".join(f"--{_BOUNDARY}\r\n{part}\r\n" for part in parts) + f"--{_BOUNDARY}\r\n{head}"
    return opened.encode() + sound + f"\r\n--{_BOUNDARY}--\r\n".encode()


def _phrases(said: Mapping[str, Any], start: float, end: float) -> Iterator[Phrase]:
    """Give the segments, or all as one phrase; a server that tells no confidence is sure."""
    segments = said.get("segments")
    if not isinstance(segments, list) or not segments:
        segments = [{"text": said.get("text"), "start": 0.0, "end": end - start}]
    for segment in segments:
        if text := " ".join(str(segment.get("text") or "").split()):
            surely = segment.get("avg_logprob")
            confidence = math.exp(min(0.0, surely)) if isinstance(surely, int | float) else 1.0
            begins, ends = (round(start + float(segment.get(key) or 0.0), 2) for key in ("start", "end"))
            yield Phrase(text, begins, max(begins, ends), confidence)
