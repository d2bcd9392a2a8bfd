"""Text in, the ranges of numbers it states out: "250,000以上", "between 2 and 5 days", "under 6". Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generation.matching import surface_of
from generation.numbers import Quantity, fold, quantities

_JOINS = re.compile(
    r"\s*(?:to|and|up to|but not (?:more|over)(?: than)?|[-–—~～至到]|以上至|以上[，,]?不?(?:足|满|到)?)\s*", re.I
)
_LEAST_BEFORE = re.compile(
    r"(?:over|above|more than|at least|from|exceed(?:s|ing)|beyond|longer than|older than|"
    r"no(?:t)? (?:less|fewer|shorter|younger) than|not (?:under|below)|"
    r"不(?:得|能)?(?:少|低|小)于|至少|超过|高于|大于|满|≥|>)\s*[$€£¥]?$",
    re.I,
)
_MOST_BEFORE = re.compile(
    r"(?:under|below|less than|fewer than|up to|at most|within|no(?:t)? (?:more|longer|older) than|"
    r"not (?:over|above|exceeding|to exceed)|younger than|shorter than|"
    r"不(?:得|能)?(?:超过|高于|多于|大于)|最多|至多|不足|不满|未满|低于|小于|少于|≤|<)\s*[$€£¥]?$",
    re.I,
)
_LEAST_AFTER = re.compile(
    r"\s*(?:\w+ )?(?:or (?:more|over|above|older)|and (?:above|over|more|older))\b|\s*\+|.{0,4}?以上", re.I
)
_MOST_AFTER = re.compile(
    r"\s*(?:\w+ )?(?:or (?:less|under|below|younger)|and (?:below|under|less))\b|.{0,4}?(?:以下|以内)", re.I
)


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers from `least` to `most`, both counted in: whether an end belongs to it is seldom said clearly."""

    least: float
    most: float
    unit: str | None

    def holds(self, quantity: Quantity) -> bool:
        """Tell whether a quantity lies in it; a unit that isn't said fits any."""
        same = self.unit is None or quantity.unit is None or self.unit == quantity.unit
        return same and self.least <= quantity.value <= self.most


def intervals(text: str) -> list[Interval]:
    """Give the ranges in order; a lone number is none."""
    folded, found = fold(text), quantities(text)
    stated: list[Interval] = []
    skip = False
    for number, quantity in enumerate(found):
        if skip:
            skip = False
            continue
        following = found[number + 1] if number + 1 < len(found) else None
        if following and _joined(folded, quantity, following):
            unit = following.unit or quantity.unit
            if quantity.value < following.value and quantity.unit in (None, unit):
                stated.append(Interval(quantity.value, following.value, unit))
                skip = True
                continue
        before, after = folded[: quantity.span.start], folded[quantity.span.end :]
        most, least = _length(_MOST_BEFORE.search(before)), _length(_LEAST_BEFORE.search(before))
        if most > least or (most == least == 0 and _MOST_AFTER.match(after)):
            stated.append(Interval(float("-inf"), quantity.value, quantity.unit))
        elif least or _LEAST_AFTER.match(after):
            stated.append(Interval(quantity.value, float("inf"), quantity.unit))
    return stated


def _length(match: re.Match[str] | None) -> int:
    """The longer of two signs counts: "not less than" holds "less than", 不超过 holds 超过."""
    return len(match.group()) if match else 0


def surface_with(text: str, asked: Sequence[Quantity]) -> frozenset[str]:
    """Give all a text can match, with every asked number that lies in a range it states."""
    ranges = intervals(text) if asked else []
    return surface_of(text) | {f"#{q.value:.10g}" for q in asked if any(range_.holds(q) for range_ in ranges)}


def _joined(folded: str, first: Quantity, second: Quantity) -> bool:
    between = folded[first.span.end : second.span.start]
    return bool(
        _JOINS.fullmatch(re.sub(r"^\s*[a-z%克朗元天岁米年月日]{1,8}(?=\s*(?:to|and|至|到|以上|-|–))", "", between))
    )
