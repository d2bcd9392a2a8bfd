"""Every error a user can cause or meet. Only `app` catches the base and shows it.

FootnoteError
├── SourceError          a file that can't be read as a document (named, with what to do)
│   ├── WordlessError    a picture or a recording that is whole and holds no words
│   ├── UnheardError     a recording, and no speech model is there to hear it with
│   ├── UnseenError      a picture, and OCR is turned off
│   ├── UnsupportedError a file of a kind that isn't read
│   └── LateError        a file whose reading didn't get on and was stopped
├── KnowledgeBaseError   a knowledge base that is missing, damaged or built with other settings
│   ├── StorageError     its disk is full, read-only or failing: right use, wrong moment
│   └── BusyError        another process is writing to it
├── ModelError           an embedding or language model that is missing, unreachable or failing
│   └── ContextError     its context is too small for what it was sent
└── SettingsError        settings or arguments that contradict each other
"""


class FootnoteError(Exception):
    """Say what happened, why, and what to do, in one or two sentences."""


class SourceError(FootnoteError):
    """A source that can't become a document. The message starts with the source's name."""


class WordlessError(SourceError):
    """A picture without text or a recording without speech: nothing is wrong with it. In a folder it is passed over."""


class UnheardError(SourceError):
    """A recording that nothing is wrong with, but no speech model is there. In a folder it is left out for now."""


class UnseenError(SourceError):
    """A picture that nothing is wrong with, but OCR is turned off. In a folder it is left out for now."""


class UnsupportedError(SourceError):
    """A file of a kind that isn't read. In a folder it is passed over."""


class LateError(SourceError):
    """A file that a parser didn't get on with for longer than it may take. It isn't tried again before it changes."""


class KnowledgeBaseError(FootnoteError):
    """A knowledge base that can't be used as asked."""


class StorageError(KnowledgeBaseError):
    """A knowledge base whose disk can't be written or read at present. What was committed is safe."""


class BusyError(KnowledgeBaseError):
    """A knowledge base that another process is writing to, for longer than one was ready to wait."""


class ModelError(FootnoteError):
    """A model that can't be loaded, reached or used."""


class ContextError(ModelError):
    """A prompt that is longer than the model's context. `limit` is that context in tokens, None where it isn't told."""

    def __init__(self, message: str, limit: int | None = None) -> None:
        super().__init__(message)
        self.limit = limit


class SettingsError(FootnoteError):
    """Settings that can't work, alone or together."""
