"""A claim with what backs it and a judge in, a verdict that may be lower out. Knows the Protocol, not the judges.

A judge is an entailment model or a language model. It can only lower what the other checks left: what they refuse, it
does not restore. On a language that it doesn't know it is silent: it is tried on fixed pairs before its first say.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from generation.answer import Status
from generation.support import Support
from ingest.language import has_cjk


class Judge(Protocol):
    """A model that says whether a text states a claim."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    def stated(self, text: str, claim: str) -> float:
        """Give how sure it is that `text` states `claim`, from 0 to 1. Raises ModelError."""


@dataclass(frozen=True, slots=True)
class JudgingConfig:
    """Below `supported` a claim is but partly supported, below `partial` not at all. Round figures, not calibrated: no
    entailment model was at hand."""

    supported: float = 0.5
    partial: float = 0.05


# A text, a claim that it states in other words, and one that it doesn't: swapped, denied, or about something else.
PROBES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "en": (
        ("The crossing measures 3,200 metres.", "The bridge is 3,200 metres long.", "The bridge is not 3,200 metres."),
        ("The yard was bought by Lund in 1931.", "Lund bought the yard in 1931.", "The yard bought Lund in 1931."),
        ("Dogs must be kept on a lead.", "Dogs need a lead.", "Dogs may run free."),
        ("Staff get 25 days of annual leave.", "Employees have 25 days off a year.", "Tea is served at four."),
    ),
    "zh": (
        ("跨海大桥全长三千二百米。", "这座桥长三千二百米。", "这座桥不是三千二百米长。"),
        ("船厂于1931年被隆德公司收购。", "隆德公司1931年收购了船厂。", "船厂1931年收购了隆德公司。"),
        ("狗必须拴绳。", "养狗要拴绳子。", "狗可以不拴绳。"),
        ("员工每年有25天年假。", "职工一年休假25天。", "下午四点供应茶水。"),
    ),
}
_MOST_WRONG = 1  # of 8; a judge that says yes or no by chance gets so far in 1 of 28 cases


class ProbedJudge:
    """A judge with the languages it is known to read, each found out when it first matters."""

    def __init__(self, judge: Judge, config: JudgingConfig | None = None) -> None:
        self.judge = judge
        self._config = config or JudgingConfig()
        self._probing = threading.Lock()
        self._known: dict[str, bool] = {}

    def knows(self, language: str) -> bool:
        """Tell whether it is right on the fixed pairs of "en" or "zh", all but one. Raises ModelError."""
        with self._probing:
            if language not in self._known:
                wrong = 0
                for text, stated, other in PROBES[language]:
                    wrong += self.judge.stated(text, stated) < self._config.supported
                    wrong += self.judge.stated(text, other) >= self._config.supported
                self._known[language] = wrong <= _MOST_WRONG
            return self._known[language]

    def judged(self, support: Support, text: str, claim: str) -> Support:
        """Give the verdict, lowered where the judge doesn't read the claim in the text. Raises ModelError."""
        if support.status == "unsupported" or not all(self.knows(_language(one)) for one in (text, claim)):
            return support
        sure = self.judge.stated(text, claim)
        if sure >= self._config.supported:
            return support
        reason = f"{self.judge.name} does not read it in the quote ({sure:.0%} sure)"
        status: Status = "partial" if sure >= self._config.partial else "unsupported"
        return replace(support, status=status, reasons=(*support.reasons, reason))


def _language(text: str) -> str:
    return "zh" if has_cjk(text) else "en"
