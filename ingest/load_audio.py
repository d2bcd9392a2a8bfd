"""A recording's bytes in, a draft out: what is said in it, and when. Knows the formats that FFmpeg (PyAV) decodes.

`ingest/speech.py` hears the words; here they become paragraphs.
"""

import io
import math
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import av
import numpy as np

from ingest.document import Block, Span, Utterance
from ingest.errors import SourceError, WordlessError
from ingest.load_config import LoadConfig
from ingest.load_draft import Draft, one_line
from ingest.load_pdf_words import join
from ingest.speech import SAMPLE_RATE, Heard, Phrase, Samples, hear, speech_model
from ingest.speech_server import hear_by_server
from ingest.step import OnStep, Step, unsaid

_MAX_SECONDS = 4 * 3600  # 0.9 GB of samples, and hours of work
# What the names of the formats promise; FFmpeg knows hundreds more, some of which open other files.
_DEMUXERS = "wav,mp3,flac,ogg,mov,aac"
_PAUSE_SECONDS = 2.0
_PARAGRAPH_SECONDS = 60.0
_ENDS_SENTENCE = (".", "!", "?", "。", "！", "？", "…")


def load_audio(data: bytes, name: str, config: LoadConfig, on_step: OnStep = unsaid) -> Draft:
    """Give the words spoken in a recording; SourceError when it is damaged, longer than four hours or no speech model
    is there, WordlessError without any speech.
    """
    model = None if config.speech_url else speech_model(config, name)  # first: without it there is no use in more
    samples, title = decode_sound(data, name, on_step)
    heard = hear(samples, model, on_step) if model else hear_by_server(samples, config, name, on_step)
    if not heard.phrases:
        raise WordlessError(f"{name} is a recording without speech; there is nothing in it to search or quote.")
    text, blocks, utterances = _paragraphs(heard.phrases)
    metadata = {
        "duration_seconds": f"{len(samples) / SAMPLE_RATE:.0f}",
        "spoken_language": heard.language,
        "speech_model": Path(config.speech_model).name or config.speech_url,
        "speech_confidence": f"{_confidence(heard):.3f}",
    }
    return Draft(text, blocks, (), title or Path(name).stem, metadata, utterances=utterances)


def decode_sound(data: bytes, name: str, on_step: OnStep = unsaid) -> tuple[Samples, str]:
    """Give the sound as one channel of `SAMPLE_RATE` samples a second, and the title that the file states."""
    try:
        options = {"format_whitelist": _DEMUXERS}
        with av.open(io.BytesIO(data), container_options=options, metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise SourceError(f"{name} holds no sound; add a recording.")
            pcm = _decoded(container, name, on_step)
            title = one_line(str(container.metadata.get("title", "")))
    except av.FFmpegError as error:
        raise SourceError(f"{name} is a damaged recording; play it, save it again and add that.") from error
    if not pcm:
        raise SourceError(f"{name} is a damaged recording: there is no sound in it; save it again and add that.")
    samples = np.frombuffer(pcm, dtype=np.int16).astype(np.float32)
    samples /= 32768  # in place: a long recording is held once
    return samples, title


def _decoded(container: av.container.InputContainer, name: str, on_step: OnStep) -> bytearray:
    """Give the sound as 16-bit samples, half of what floats take while it grows."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    pcm = bytearray()
    for frame in chain(container.decode(audio=0), (None,)):  # None asks for what the resampler still holds
        if frame is not None:
            frame.pts = None  # a file may count its time from anywhere
        for part in resampler.resample(frame):
            pcm += part.to_ndarray().tobytes()
        on_step(Step("decoded second", len(pcm) // (2 * SAMPLE_RATE)))
        if len(pcm) > 2 * SAMPLE_RATE * _MAX_SECONDS:
            raise SourceError(f"{name} is longer than {_MAX_SECONDS // 3600} hours; cut it and add the parts.")
    return pcm


def _paragraphs(phrases: Sequence[Phrase]) -> tuple[str, tuple[Block, ...], tuple[Utterance, ...]]:
    """Join phrases to paragraphs, which end at pauses, or with a sentence once they are a minute long."""
    parts: list[str] = []
    length = start = 0
    blocks: list[Block] = []
    utterances: list[Utterance] = []
    since = -math.inf
    for phrase in phrases:
        before = utterances[-1] if utterances else None
        ends = before is not None and (
            phrase.start_seconds - before.end_seconds > _PAUSE_SECONDS
            or (phrase.start_seconds - since > _PARAGRAPH_SECONDS and parts[-1].endswith(_ENDS_SENTENCE))
        )
        if before is None or ends:
            if before is not None:
                blocks.append(Block("paragraph", Span(start, length)))
            glue, since = ("\n\n" if ends else ""), phrase.start_seconds
            start = length + len(glue)
        else:
            tail = parts[-1][-1:] + phrase.text[:1]
            glue = " " if len(join(tail[:1], tail[1:], frozenset())) == 3 else ""
        parts += [glue, phrase.text]
        length += len(glue)
        utterances.append(Utterance(Span(length, length + len(phrase.text)), phrase.start_seconds, phrase.end_seconds))
        length += len(phrase.text)
    blocks.append(Block("paragraph", Span(start, length)))
    return "".join(parts), tuple(blocks), tuple(utterances)


def _confidence(heard: Heard) -> float:
    n_characters = sum(len(phrase.text) for phrase in heard.phrases)
    return sum(phrase.confidence * len(phrase.text) for phrase in heard.phrases) / n_characters
