"""Text pieces in, the same without the model's reasoning out, and the reasoning. Knows `<think>...</think>` only."""

from typing import Protocol, runtime_checkable

from generation.llm import LLM

_OPEN = "<think>"
_CLOSE = "</think>"


@runtime_checkable
class Thinking(Protocol):
    """An LLM that tells what it thought."""

    @property
    def thinking(self) -> str:
        """What the model thought before the last text in this thread; "" where it didn't or keeps it."""


def thinking_of(llm: LLM) -> str:
    """Give what a model thought before its last text in this thread, "" where it tells nothing."""
    return llm.thinking if isinstance(llm, Thinking) else ""


class ReasoningFilter:
    """Hold back everything between <think> and </think>, wherever the pieces were cut.

    Some templates write the opening tag into the prompt, so that the text begins inside the reasoning. With
    `may_begin_inside` nothing is shown until the closing tag, or the end, has told which it was. Otherwise `leaked`
    tells afterwards that a closing tag came without an opening one.
    """

    def __init__(self, *, may_begin_inside: bool = False) -> None:
        self._thought: list[str] = []
        self.leaked = False
        self._undecided = may_begin_inside
        self._inside = False
        self._held = ""
        self._started = False

    @property
    def thought(self) -> str:
        """What was held back so far."""
        return "".join(self._thought).strip()

    def feed(self, piece: str) -> str:
        """Give what can be shown after this piece."""
        self._held += piece
        shown: list[str] = []
        while (found := self._next_tag()) is not None:
            at, tag = found
            before = self._held[:at]
            self._held = self._held[at + len(tag) :]
            if tag == _CLOSE and not self._inside and not self._undecided:
                self.leaked = True
            hidden = self._inside or tag == _CLOSE
            self._take(before, shown, hidden=hidden)
            self._inside = tag == _OPEN
            self._undecided = False
        if not self._undecided:
            cut = len(self._held) - max(_overlap(self._held, _OPEN), _overlap(self._held, _CLOSE))
            self._take(self._held[:cut], shown, hidden=self._inside)
            self._held = self._held[cut:]
        return "".join(shown)

    def flush(self, *, complete: bool = True) -> str:
        """Give what was held back when the text ends. `complete` is False when the model was cut off."""
        shown: list[str] = []
        self._take(self._held, shown, hidden=self._inside or (self._undecided and not complete))
        self._held = ""
        return "".join(shown)

    def _next_tag(self) -> tuple[int, str] | None:
        places = [(at, tag) for tag in (_OPEN, _CLOSE) if (at := self._held.find(tag)) >= 0]
        return min(places) if places else None

    def _take(self, text: str, shown: list[str], *, hidden: bool) -> None:
        if hidden:
            self._thought.append(text)
            return
        if not self._started:  # the blank lines that follow </think>
            text = text.lstrip()
        self._started = self._started or bool(text)
        shown.append(text)


def _overlap(text: str, tag: str) -> int:
    """Give the length of the longest end of `text` that begins `tag`."""
    return next((n for n in range(min(len(text), len(tag) - 1), 0, -1) if tag.startswith(text[-n:])), 0)
