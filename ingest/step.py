"""How far the reading of one file has come. Values only."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """`done` pages, frames or seconds of sound of `total`; 0 where the total isn't known. `part` is the key of the
    attachment that is begun, "" when none is any more, None where nothing is said of that.
    """

    unit: str
    done: int
    total: int = 0
    part: str | None = None

    def __str__(self) -> str:
        return f"{self.unit} {self.done}" + (f" of {self.total}" if self.total else "")


OnStep = Callable[[Step], None]


def unsaid(step: Step) -> None:
    """Tell nobody."""
