"""Sound in, the phrases spoken in it out, with their times. Runs any Whisper model in faster-whisper's format.

The model is loaded once a process. Stretches without speech are found first and left out, because Whisper invents
words for silence and music.
"""

import math
import threading
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


def hear(samples: npt.NDArray[np.float32], model: "WhisperModel", on_step: OnStep = unsaid) -> Heard:
    """Give what is said in one channel of `SAMPLE_RATE` samples a second; no phrases where nothing is."""
    with _HEARING:
        language, _, _ = model.detect_language(samples, vad_filter=True)
        on_step(Step("second", 0, len(samples) // SAMPLE_RATE))
        segments, _ = model.transcribe(
            samples,
            language=language,
            vad_filter=True,
            condition_on_previous_text=False,  # else one mistake may repeat itself to the end
            initial_prompt=_CHINESE_PROMPT if language == "zh" else None,
        )
        phrases = []
        for segment in segments:
            on_step(Step("second", round(segment.end), len(samples) // SAMPLE_RATE))
            if text := " ".join(segment.text.split()):
                sure = math.exp(segment.avg_logprob)
                phrases.append(Phrase(text, round(segment.start, 2), round(segment.end, 2), sure))
    return Heard(language, tuple(phrases))
