"""Text in, the values it states out, comparable with another text's: numbers with units, dates, times, versions. Pure.

Two values agree where both can be true: 1.2 km and 1,200 m, "about 1.2 million" and 1,203,400, "at least 20" and 25,
March 2025 and 12 March 2025.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from generation.intervals import Interval, intervals
from generation.numbers import Date, Quantity, canonical, dates, quantities, unit_of
from ingest.document import Span

Kind = Literal["number", "date", "time", "version"]

_VERSION = re.compile(
    r"(?<![\w.])v?\d+(?:\.\d+){2,}(?![\w.]*\d)|(?<![A-Za-z])v\d+(?:\.\d+)*"
    r"|(?:(?<=version )|(?<=release )|(?<=版本)|(?<=版本 ))\d+\.\d+",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?<![\d:.])(?P<h>[01]?\d|2[0-4])[:：](?P<m>[0-5]\d)(?![\d:])(?:\s*(?P<half>[ap])\.?m\b\.?)?", re.IGNORECASE
)
_ABOUT_BEFORE = re.compile(
    r"(?:\b(?:about|around|approximately|approx\.?|roughly|some|nearly|almost|close to|estimated(?: at)?|circa|ca?\.)"
    r"|[~≈]|约|大约|近|将近|接近|估计|逾)\s*[$€£¥]?$",
    re.IGNORECASE,
)
_ABOUT_AFTER = re.compile(r"\s*(?:\w+ )?(?:or so\b|[多余餘])|.{0,3}?(?:左右|上下)")
_AFTER_UNIT = re.compile(r"[ -]?(?:%|°C|[A-Za-z]+)|[\u3400-\u9fff]{1,3}")
_CJK = "\u3400-\u9fff"
_WORD_BEFORE = re.compile(rf"([{_CJK}]{{1,2}}|[^\W\d_{_CJK}]+)\W*$")
_WORD_AFTER = re.compile(rf"[\W_]*([{_CJK}]{{1,2}}|[^\W\d_{_CJK}]+)")
_BASE: dict[str, tuple[str, float]] = {
    "km": ("length", 1000), "m": ("length", 1), "cm": ("length", 0.01), "mm": ("length", 0.001),
    "mile": ("length", 1609.344), "foot": ("length", 0.3048), "tonne": ("mass", 1000), "kg": ("mass", 1),
    "g": ("mass", 0.001), "second": ("time", 1), "minute": ("time", 60), "hour": ("time", 3600),
    "day": ("time", 86_400), "week": ("time", 604_800), "month": ("time", 2_629_746), "year": ("time", 31_556_952),
}  # fmt: skip
_CONVERTED = 0.03  # "90 days" are "3 months", "5 miles" are "8 km"
_ABOUT = 0.1


@dataclass(frozen=True, slots=True)
class Value:
    """One value. `text` is how it is written, `span` where in the canonical text, `around` the words beside it.

    A number has `least` and `most`, which are equal unless a bound or a range is stated; it is of `n_digits`.
    """

    kind: Kind
    text: str
    span: Span
    unit: str | None = None
    least: float = 0.0
    most: float = 0.0
    is_about: bool = False
    n_digits: int = 0
    date: Date | None = None
    around: tuple[str, str] = ("", "")


@lru_cache(maxsize=2_000)
def stated_values(text: str) -> tuple[Value, ...]:
    """Give the values in order. A year alone is a date."""
    text = canonical(text)
    found: list[Value] = []
    for kind, pattern in (("version", _VERSION), ("time", _TIME)):
        for match in pattern.finditer(text):
            found.append(Value("version" if kind == "version" else "time", match.group(), Span(*match.span())))
    for value in found:
        text = text[: value.span.start] + " " * len(value.text) + text[value.span.end :]
    for date in dates(text):
        found.append(Value("date", date.span.of(text), date.span, date=date))
    ranges = intervals(text)
    found += (_number(text, quantity, ranges) for quantity in quantities(text))
    return tuple(sorted(_joined(found), key=lambda value: value.span))


def agree(one: Value, other: Value) -> bool:
    """Tell whether both values can be true of one thing; values of different kinds or units never agree."""
    if one.kind != other.kind:
        return False
    if one.date and other.date:
        return one.date.agrees(other.date) or other.date.agrees(one.date)
    if one.kind == "time":
        return _minutes(one.text) & _minutes(other.text) != set()
    if one.kind == "version":
        return one.text.lower().lstrip("v") == other.text.lower().lstrip("v")
    return _numbers_agree(one, other)


def comparable(one: Value, other: Value) -> bool:
    """Tell whether two values are of one kind and unit, so that they can disagree. Without a unit they must count the
    same: one of the words beside them is the same.
    """
    if one.kind != other.kind:
        return False
    if one.date and other.date:
        return [part is None for part in (one.date.year, one.date.month, one.date.day)] == [
            part is None for part in (other.date.year, other.date.month, other.date.day)
        ]
    if one.kind != "number":
        return True
    if one.unit is None and other.unit is None:
        return any(mine and mine == theirs for mine, theirs in zip(one.around, other.around, strict=True))
    return _dimension(one.unit) == _dimension(other.unit)


def _numbers_agree(one: Value, other: Value) -> bool:
    dimension = _dimension(one.unit)
    if dimension != _dimension(other.unit) and None not in (one.unit, other.unit):
        return False
    converted = one.unit != other.unit and None not in (one.unit, other.unit)
    factors = (_factor(one.unit), _factor(other.unit)) if converted else (1.0, 1.0)
    (a, b), (c, d) = (tuple(end * f for end in (v.least, v.most)) for v, f in zip((one, other), factors, strict=True))
    bounds = (_bound(one), _bound(other))
    if bounds[0] != bounds[1]:  # a number within a range, a range within a bound
        return (a <= c and d <= b) or (c <= a and b <= d)
    return _equal(a, c, one, other, converted=converted) and _equal(b, d, one, other, converted=converted)


def _equal(a: float, b: float, one: Value, other: Value, *, converted: bool) -> bool:
    if a == b or math.isclose(a, b, rel_tol=1e-6):
        return True
    if math.isinf(a) or math.isinf(b):
        return False
    tolerance = _ABOUT if one.is_about or other.is_about else _CONVERTED if converted else 0.0
    if abs(a - b) <= tolerance * max(abs(a), abs(b)):
        return True
    rough, fine = (one, other) if one.n_digits < other.n_digits else (other, one)
    exact = b if fine is other else a
    return 2 <= rough.n_digits < fine.n_digits and math.isclose(
        _rounded(exact, rough.n_digits), a if fine is other else b
    )


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def _bound(value: Value) -> str:
    if value.least == value.most:
        return "exact"
    return "least" if math.isinf(value.most) else "most" if math.isinf(value.least) else "range"


def _dimension(unit: str | None) -> str | None:
    return _BASE[unit][0] if unit in _BASE else unit


def _factor(unit: str | None) -> float:
    return _BASE[unit][1] if unit in _BASE else 1.0


def _minutes(text: str) -> set[int]:
    """Give the minutes of the day that a time can mean: "7:30" in the morning or, where nothing says, the evening."""
    match = _TIME.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no time")
    minutes = int(match["h"]) * 60 + int(match["m"])
    half = (match["half"] or "").lower()
    if half:
        return {minutes % 720 + (720 if half == "p" else 0)}
    return {minutes}


def _number(text: str, quantity: Quantity, ranges: Sequence[Interval]) -> Value:
    start, end = quantity.span.start, quantity.span.end
    after = _WORD_AFTER.match(text, end)
    before = _WORD_BEFORE.search(text[max(0, start - 40) : start])
    around = (before[1].lower() if before else "", after[1].lower()[:6] if after else "")
    written = text[start:end]
    bare = written.replace(",", "")
    is_year = quantity.unit is None and re.fullmatch(r"[12]\d{3}", written) and 1000 <= quantity.value <= 2100
    if is_year:
        date = Date(int(quantity.value), None, None, quantity.span)
        return Value("date", written, quantity.span, date=date)
    of = next((r for r in ranges if quantity.value in (r.least, r.most)), None)
    least, most = (of.least, of.most) if of else (quantity.value, quantity.value)
    digits = re.sub(r"\D", "", bare) if "." in bare else re.sub(r"\D", "", bare).rstrip("0")
    return Value(
        "number",
        _with_unit(text, quantity),
        quantity.span,
        quantity.unit,
        least,
        most,
        bool(_ABOUT_BEFORE.search(text[:start]) or _ABOUT_AFTER.match(text, end)),
        max(1, len(digits.lstrip("0"))),
        around=around,
    )


def _with_unit(text: str, quantity: Quantity) -> str:
    start, end = quantity.span.start, quantity.span.end
    sign = re.search(r"(?:us|hk)?[$€£¥]\s?$|百分之$", text[:start], re.IGNORECASE)
    if sign:
        return text[sign.start() : end].strip()
    unit = _AFTER_UNIT.match(text, end) if quantity.unit else None
    while unit and unit.group()[-1:] >= "\u3400" and unit_of(unit.group()) != quantity.unit and len(unit.group()) > 1:
        unit = _AFTER_UNIT.match(text, end, unit.end() - 1)  # 天带 is 天
    return text[start : unit.end() if unit else end].strip()


def _joined(values: Sequence[Value]) -> Iterator[Value]:
    """Give the values, the two numbers of a range as one."""
    previous: Value | None = None
    for value in sorted(values, key=lambda value: value.span):
        if previous and _bound(value) == "range" and (previous.least, previous.most) == (value.least, value.most):
            yield replace(previous, text=f"{previous.text}-{value.text}", unit=value.unit, around=value.around)
            previous = None
            continue
        if previous:
            yield previous
        previous = value
    if previous:
        yield previous
