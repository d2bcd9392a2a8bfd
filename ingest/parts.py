"""The attachments of one file as they are read: which is at work is said, and those known to be bad are refused.

So whoever reads the file in a process of its own knows which attachment ended that process, and can leave it out.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256

from ingest.errors import SourceError
from ingest.step import OnStep, Step

ALL_PARTS = ""  # as a key: whatever lies inside


class Parts:
    """`bad` says by the key of a part why it must not be read."""

    def __init__(self, bad: Mapping[str, str], on_step: OnStep) -> None:
        self._bad = bad
        self._on_step = on_step
        self._open: list[str] = []
        self._n_begun = 0

    @contextmanager
    def reading(self, data: bytes, name: str) -> Iterator[None]:
        """Say that a part is being read, inside those that are being read already; SourceError when it is bad."""
        key = f"{sha256(data).hexdigest()[:32]} {name}"
        if reason := self._bad.get(key) or self._bad.get(ALL_PARTS):
            raise SourceError(reason)
        self._n_begun += 1
        self._open.append(key)
        self._say()
        try:
            yield
        finally:
            self._open.pop()
            self._say()

    def _say(self) -> None:
        self._on_step(Step("attachment", self._n_begun, part=self._open[-1] if self._open else ""))


def part_name(key: str) -> str:
    """Give the name of a part by its key."""
    return key.partition(" ")[2]
