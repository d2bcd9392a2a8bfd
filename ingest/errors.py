"""Every error a user can cause or meet. Only `app` catches the base and shows it.

FootnoteError
├── SourceError          a file that can't be read as a document (named, with what to do)
├── KnowledgeBaseError   a knowledge base that is missing, damaged, locked or built with other settings
├── ModelError           an embedding or language model that is missing, unreachable or failing
└── SettingsError        settings or arguments that contradict each other
"""


class FootnoteError(Exception):
    """Say what happened, why, and what to do, in one or two sentences."""


class SourceError(FootnoteError):
    """A source that can't become a document. The message starts with the source's name."""


class KnowledgeBaseError(FootnoteError):
    """A knowledge base that can't be used as asked."""


class ModelError(FootnoteError):
    """A model that can't be loaded, reached or used."""


class SettingsError(FootnoteError):
    """Settings that can't work, alone or together."""
