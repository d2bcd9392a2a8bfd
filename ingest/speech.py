"""Sound in, the phrases spoken in it out, with their times. Runs any Whisper model in faster-whisper's format.

The model is loaded once a process. Stretches without speech are found first and left out, because Whisper invents
words for silence and music.
"""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingest.cores import n_cores
from ingest.errors import SourceError, UnheardError
from ingest.load_config import LoadConfig
from ingest.step import OnStep, Step, unsaid

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

SAMPLE_RATE = 16_000
# Without it, Whisper writes Mandarin in traditional or simplified characters as it happens, and without punctuation.
_CHINESE_PROMPT = "以下是普通话的句子。"
_HEARING = threading.Lock()
_PIECE_SECONDS = 600  # Whisper's features of an hour take 3 GB
_LOOK_SHARE = 0.05  # of a piece: its end, in which the quietest half second is looked for
_FRAME = SAMPLE_RATE // 10

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Some words that were spoken together; `confidence` is from 0 to 1."""

    text: str
    start_seconds: float
    end_seconds: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in a recording, in order, and in which language (`en`, `zh`, ...)."""

    language: str
    phrases: tuple[Phrase, ...]


def unheard_reason(config: LoadConfig, name: str) -> str | None:
    """Say why the recording `name` can't be heard: the model's folder isn't there. None where it can."""
    path = Path(config.speech_model).expanduser()
    if config.speech_url:
        return None
    if config.speech_model and (path.is_dir() or not path.is_absolute()):
        return None
    return f"{name} is a recording, and there is no speech model to hear it with; {config.speech_missing}"


def speech_model(config: LoadConfig, name: str) -> "WhisperModel":
    """Give the loaded model: a folder, a size or a hub name that faster-whisper knows.

    UnheardError about the recording `name` where the folder isn't there.
    """
    if reason := unheard_reason(config, name):
        raise UnheardError(reason)
    model, path = config.speech_model, Path(config.speech_model).expanduser()
    try:
        return _loaded(str(path) if path.is_dir() else model, config.threads)
    except (RuntimeError, ValueError, OSError) as error:  # what CTranslate2 and the hub's client raise
        raise SourceError(f"{name} is a recording, and the speech model {model} can't be loaded ({error}).") from error


@lru_cache(maxsize=1)
def _loaded(model: str, threads: int) -> "WhisperModel":
    from faster_whisper import WhisperModel

    return WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=threads or n_cores())


def hear(samples: Samples, model: "WhisperModel", on_step: OnStep = unsaid) -> Heard:
    """Give what is said in one channel of `SAMPLE_RATE` samples a second; no phrases where nothing is.

    The language is that of the first piece in which something is said.
    """
    language, is_known = "", False
    phrases: list[Phrase] = []
    with _HEARING:
        for start, end in quiet_pieces(samples, _PIECE_SECONDS):
            if not is_known:
                language, _, _ = model.detect_language(samples[start:end], vad_filter=True)
            on_step(Step("second", start // SAMPLE_RATE, len(samples) // SAMPLE_RATE))
            for phrase in _piece_phrases(samples[start:end], model, language, start / SAMPLE_RATE):
                on_step(Step("second", round(phrase.end_seconds), len(samples) // SAMPLE_RATE))
                phrases.append(phrase)
            is_known = bool(phrases)
    return Heard(language, tuple(phrases))


def quiet_pieces(samples: Samples, seconds: int) -> Iterator[tuple[int, int]]:
    """Cut a long recording where it is quietest, about every `seconds`."""
    start = 0
    while len(samples) - start > 1.5 * seconds * SAMPLE_RATE:
        latest = start + seconds * SAMPLE_RATE
        earliest = latest - int(_LOOK_SHARE * seconds) * SAMPLE_RATE
        frames = samples[earliest:latest].reshape(-1, _FRAME)  # (n_frames, _FRAME)
        loudness = np.convolve(np.square(frames).mean(axis=1), np.ones(5), "valid")
        end = earliest + (int(loudness.argmin()) * 2 + 5) * _FRAME // 2  # the middle of half a second
        yield start, end
        start = end
    yield start, len(samples)


def _piece_phrases(piece: Samples, model: "WhisperModel", language: str, offset: float) -> Iterator[Phrase]:
    segments, _ = model.transcribe(
        piece,
        language=language,
        vad_filter=True,
        condition_on_previous_text=False,  # else one mistake may repeat itself to the end
        initial_prompt=_CHINESE_PROMPT if language == "zh" else None,
    )
    for segment in segments:
        if text := " ".join(segment.text.split()):
            begin, end = round(offset + segment.start, 2), round(offset + segment.end, 2)
            yield Phrase(text, begin, end, math.exp(segment.avg_logprob))
