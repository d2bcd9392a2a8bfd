"""What the loaders are told beside the file itself. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """`speech_model` hears recordings: the folder of a faster-whisper model; "" where there is none yet, and
    `speech_missing` says then how to get it. With a `speech_url` it is a model of that server's
    `/audio/transcriptions`, "" the first it lists. Pages are read by OCR up to `max_ocr_pages` a document: at some 5
    seconds of processor time each, more are an accident more often than a wish. OCR and a speech model in this process
    work in `threads` of the processor; 0: one a core.
    """

    speech_model: str = ""
    speech_missing: str = "set speech_model to the folder of a faster-whisper model"
    max_ocr_pages: int = 1000
    threads: int = 0
    speech_url: str = ""
    speech_key: str = ""
