"""Sound in, the phrases spoken in it out, with their times. Runs any Whisper model in faster-whisper's format.

The model is loaded once a process. Stretches without speech are found first and left out, because Whisper invents
words for silence and music.
"""

import math
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingest.errors import SourceError, UnheardError

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

SAMPLE_RATE = 16_000
# Without it, Whisper writes Mandarin in traditional or simplified characters as it happens, and without punctuation.
_CHINESE_PROMPT = "以下是普通话的句子。"
_HEARING = threading.Lock()


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


def speech_model(model: str, name: str, missing: str) -> "WhisperModel":
    """Give the loaded model: a folder, a size or a hub name that faster-whisper knows.

    UnheardError about the recording `name` says `missing` where the folder isn't there.
    """
    path = Path(model).expanduser()
    if not model or (path.is_absolute() and not path.is_dir()):
        raise UnheardError(f"{name} is a recording, and there is no speech model to hear it with; {missing}")
    try:
        return _loaded(str(path) if path.is_dir() else model)
    except (RuntimeError, ValueError, OSError) as error:  # what CTranslate2 and the hub's client raise
        raise SourceError(f"{name} is a recording, and the speech model {model} can't be loaded ({error}).") from error


@lru_cache(maxsize=1)
def _loaded(model: str) -> "WhisperModel":
    from faster_whisper import WhisperModel

    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=threads)


def hear(samples: npt.NDArray[np.float32], model: "WhisperModel") -> Heard:
    """Give what is said in one channel of `SAMPLE_RATE` samples a second; no phrases where nothing is."""
    with _HEARING:
        language, _, _ = model.detect_language(samples, vad_filter=True)
        segments, _ = model.transcribe(
            samples,
            language=language,
            vad_filter=True,
            condition_on_previous_text=False,  # else one mistake may repeat itself to the end
            initial_prompt=_CHINESE_PROMPT if language == "zh" else None,
        )
        phrases = tuple(
            Phrase(text, round(segment.start, 2), round(segment.end, 2), math.exp(segment.avg_logprob))
            for segment in segments
            if (text := " ".join(segment.text.split()))
        )
    return Heard(language, phrases)
