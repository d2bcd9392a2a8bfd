"""Two models in, one out that answers when the first can't. Knows nothing of servers, documents or the UI."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TypeVar

from generation.counting import CountsAhead
from generation.llm import LLM, Prompt, SamplingConfig
from generation.reasoning import thinking_of
from ingest.errors import ContextError, ModelError

T = TypeVar("T")

_REST_SECONDS = 30.0  # how long a model that failed isn't asked again


class StandBy:
    """An LLM that takes `second` while `first` fails before its first token. `name` says which one wrote, and why.

    Once text was shown, a failure is an error: nothing is said twice.
    """

    def __init__(self, first: LLM, second: LLM, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.first = first
        self.second = second
        self._clock = clock
        self._rests_until = 0.0
        self._why = ""
        self._wrote = threading.local()

    @property
    def name(self) -> str:
        """The model that wrote last in this thread, else the one that would write now."""
        why = getattr(self._wrote, "why", None)
        if why is None:
            why = self._why if self._rests else ""
        if not why:
            try:
                return self.first.name  # a server that is down can't tell
            except ModelError as error:
                self._rest(error)
                why = self._why
        return f"{self.second.name} (stand-by: {why})"

    @property
    def thinking(self) -> str:
        """What the model that wrote last in this thread thought."""
        return thinking_of(self.second if getattr(self._wrote, "why", "") else self.first)

    @property
    def context_tokens(self) -> int:
        """The context size of the one that would write now."""
        return self._asked(lambda llm: llm.context_tokens)

    def count_tokens(self, text: str) -> int:
        """Count by the one that would write now."""
        return self._asked(lambda llm: llm.count_tokens(text))

    def count_ahead(self, texts: Iterable[str]) -> None:
        """Let the one that would write now count, if it counts ahead."""
        self._asked(lambda llm: llm.count_ahead(texts) if isinstance(llm, CountsAhead) else None)

    def next_tokens(self, prompt: Prompt) -> Iterator[Mapping[str, float]]:
        """Ask the one that would write now. A failure of the first is nothing here: writing then finds it out."""
        try:
            yield from (self.second if self._rests else self.first).next_tokens(prompt)
        except ContextError:
            raise
        except ModelError as error:
            if self._rests:
                raise
            self._rest(error)

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Yield the first model's text, or the second's where the first failed before it wrote any."""
        if not self._rests:
            shown = False
            try:
                with closing(iter(self.first.stream(prompt, sampling))) as pieces:  # type: ignore[type-var]  # generators
                    for piece in pieces:
                        if piece and not shown:
                            shown, self._wrote.why = True, ""
                        yield piece
                return
            except ContextError:  # it works, and can be asked with less
                raise
            except ModelError as error:
                if shown:
                    raise
                self._rest(error)
        self._wrote.why = self._why
        if any(message.media for message in prompt.messages):
            self._wrote.why += "; the pictures weren't sent"
        messages = tuple(replace(message, media=()) for message in prompt.messages)
        yield from self.second.stream(replace(prompt, messages=messages), sampling)

    @property
    def _rests(self) -> bool:
        return self._clock() < self._rests_until

    def _rest(self, error: ModelError) -> None:
        self._why = str(error)
        self._rests_until = self._clock() + _REST_SECONDS

    def _asked(self, ask: Callable[[LLM], T]) -> T:
        if not self._rests:
            try:
                return ask(self.first)
            except ContextError:
                raise
            except ModelError as error:
                self._rest(error)
        return ask(self.second)
