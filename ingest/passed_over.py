"""What is remembered of a file that gave no document, so that it isn't read every time. Values only."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PassedOver:
    """The hash of its bytes and why it gave none: it holds no words or, after `seconds`, its reading was stopped."""

    content_hash: str
    reason: str
    seconds: float = 0.0

    @property
    def was_late(self) -> bool:
        """Tell a file whose reading was stopped from one without words, with which nothing is wrong."""
        return self.seconds > 0

    def to_json(self) -> str:
        """Give the state as text."""
        late = [self.seconds] if self.was_late else []
        return json.dumps([self.content_hash, self.reason, *late], ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | None) -> "PassedOver | None":
        """Read the state back; None when nothing was remembered."""
        return cls(*json.loads(text)) if text else None

    def holds(self, content_hash: str, timeout_seconds: float) -> bool:
        """Tell whether the same would happen again: its bytes are the same, and it is given no more time (0: all)."""
        if content_hash != self.content_hash:
            return False
        return not self.was_late or 0 < timeout_seconds <= self.seconds
