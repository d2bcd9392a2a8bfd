"""A true claim in, false ones made from it by one edit each, and the same fact in another form out. Seeded, no model.

The patterns are written apart from those of `generation/`, so that the check isn't measured by its own eyes.
"""

import random
import re
from collections.abc import Callable, Sequence

_NUMBER = re.compile(r"(?<![\w.,-])\d[\d,]*(?:\.\d+)?(?![\w-])|(?<![\d.,])\d+(?=[\u4e00-\u9fff%])")
_MAGNITUDES = (("million", "billion"), ("thousand", "million"), ("billion", "million"), ("万", "亿"), ("亿", "万"))
_UNITS = (
    ("percent", "kilometres"), ("days", "weeks"), ("years", "months"), ("months", "weeks"), ("hours", "minutes"),
    ("minutes", "hours"), ("miles", "metres"), ("metres", "miles"), ("km", "mm"), ("weeks", "days"),
    ("公里", "米"), ("小时", "分钟"), ("分钟", "小时"), ("天", "周"), ("个月", "天"), ("美元", "欧元"), ("元", "美元"),
)  # fmt: skip
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_YEAR = re.compile(r"(?<!\d)(?:1[0-9]|20)\d\d(?!\d|[,.]\d)")
_MONTH = re.compile(r"\b(?:" + "|".join(_MONTHS) + r")\b(?= \d)|(?<=年)\d{1,2}(?=月)")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+(?: [A-Z][a-z]+)*(?!\w)")
_AUXILIARY = re.compile(r"\b(?:is|are|was|were|can|could|will|would|must|should)\b(?! not|n't)")
_DENIED = re.compile(r"(?<=\b(?:is|as|re|ld|an)) not\b|不(?=[能会是得可再需])|(?<=[没])有")
_AFFIRMED_ZH = re.compile("(?<![不也还但只就算于可若])(?:是(?![否非])|可以|能够)")
_QUANTIFIERS = (
    ("at least", "at most"), ("more than", "less than"), ("over(?= \\d)", "under"), ("before", "after"),
    ("after", "before"), ("some", "all"), ("most(?= [a-z]+s\\b)", "all"), ("largest", "smallest"),
    ("highest", "lowest"), ("increased?", "decrease"), ("first", "last"), ("less than", "more than"), ("many", "few"),
    ("至少", "至多"), ("超过", "低于"), ("以上", "以下"), ("以前|之前", "之后"), ("以后|之后", "之前"),
    ("部分", "全部"), ("最大", "最小"), ("最高", "最低"), ("增加|增长", "减少"), ("提高", "降低"), ("首次", "末次"),
)  # fmt: skip
_ORDERED = re.compile(
    r"(?<![A-Za-z] )\b(?P<one>[A-Z][a-z]+(?: [A-Z][a-z]+)*)(?P<verb> (?:\w+ ){0,2}?[a-z]+(?:ed|es|won|led) (?:the )?)"
    r"(?P<other>[A-Z][a-z]+(?: [A-Z][a-z]+)*)"
)
_FROM_TO = re.compile(
    r"(?P<one>\d[\d,.]*)(?P<verb>[^\d.,;，。]{1,12}(?:\bto\b|增至|增长到|提高到|降至|至)[^\d]{0,4})(?P<other>\d[\d,.]*)"
)

Edit = Callable[[str, Sequence[str], random.Random], str | None]


def _replaced(text: str, match: re.Match[str] | None, new: str) -> str | None:
    return text[: match.start()] + new + text[match.end() :] if match else None


def _number(text: str, _: Sequence[str], rng: random.Random) -> str | None:
    match = _NUMBER.search(text)
    if not match or _YEAR.fullmatch(match.group()):
        return None
    digit = next(i for i, c in enumerate(match.group()) if c.isdigit())
    old = match.group()[digit]
    new = rng.choice([c for c in "123456789" if c != old])
    return _replaced(text, match, match.group()[:digit] + new + match.group()[digit + 1 :])


def _other_number(text: str, others: Sequence[str], rng: random.Random) -> str | None:
    match = _NUMBER.search(text)
    numbers = sorted({m.group() for other in others for m in _NUMBER.finditer(other)} - set(_NUMBER.findall(text)))
    same = [n for n in numbers if match and bool(_YEAR.fullmatch(n)) == bool(_YEAR.fullmatch(match.group()))]
    return _replaced(text, match, rng.choice(same)) if same else None


def _swapped(pairs: Sequence[tuple[str, str]]) -> Edit:
    def edit(text: str, _: Sequence[str], __: random.Random) -> str | None:
        for old, new in pairs:
            found = re.search(rf"\b(?:{old})\b" if old[0].isascii() else old, text)
            if found:
                return _replaced(text, found, new)
        return None

    return edit


def _unit(text: str, _: Sequence[str], __: random.Random) -> str | None:
    for old, new in _UNITS:
        found = re.search(
            rf"(?<=\d) ?{old}(?![a-z])" if old.isascii() else rf"(?<=[\d百千万亿]){old}(?![\u4e00人])", text
        )
        if found:
            return _replaced(text, found, f" {new}" if old.isascii() else new)
    return None


def _date(text: str, _: Sequence[str], rng: random.Random) -> str | None:
    if month := _MONTH.search(text):
        old = month.group()
        new = str(int(old) % 12 + 1) if old.isdigit() else rng.choice([m for m in _MONTHS if m != old])
        return _replaced(text, month, new)
    year = _YEAR.search(text)
    return _replaced(text, year, str(int(year.group()) + rng.choice((-3, -2, -1, 1, 2, 3)))) if year else None


def _name(text: str, others: Sequence[str], rng: random.Random) -> str | None:
    match = _NAME.search(text)
    names = sorted({m.group() for other in others for m in _NAME.finditer(other)})
    known = [n for n in names if n not in text and match and match.group() not in n and n not in _MONTHS]
    return _replaced(text, match, rng.choice(known)) if known else None


def _negation(text: str, _: Sequence[str], __: random.Random) -> str | None:
    if found := _DENIED.search(text):
        return _replaced(text, found, "")
    if re.search(r"\b(?:not|never|no|without|neither)\b|n't|[不没未无非無沒]", text):
        return None
    if found := _AUXILIARY.search(text):
        return _replaced(text, found, f"{found.group()} not")
    found = _AFFIRMED_ZH.search(text)
    return _replaced(text, found, f"不{found.group()}") if found else None


def _order(text: str, _: Sequence[str], __: random.Random) -> str | None:
    match = _ORDERED.search(text) or _FROM_TO.search(text)
    if not match or match["one"] == match["other"]:
        return None
    return _replaced(text, match, match["other"] + match["verb"] + match["one"])


EDITS: dict[str, Edit] = {
    "number": _number,
    "number of the document": _other_number,
    "magnitude": _swapped(_MAGNITUDES),
    "unit": _unit,
    "date": _date,
    "name of the document": _name,
    "negation": _negation,
    "quantifier, direction": _swapped(_QUANTIFIERS),
    "who did what to whom": _order,
}


def other_form(text: str) -> str | None:
    """Give the claim with its first number, date or denial written in another way, None where it has none."""
    full_width = text.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    forms = (
        (r"\b([A-Z][a-z]{2,8}) (\d{1,2}), (\d{4})\b", r"\2 \1 \3"),
        (r"(\d+(?:\.\d+)?) ?%", r"\1 percent" if text.isascii() else r"百分之\1"),
        (r"(?<![\d,])(\d),(\d)00,000(?![,\d])", r"\1.\2 million"),
        (r"(?<![\d.])(\d+)万", r"\g<1>0000"),
        (r"\b(is|was|are|were) not\b", r"\1n't"),
        (r"\bcannot\b", "can not"),
    )
    for pattern, form in forms:
        changed = re.sub(pattern, form, text, count=1)
        if changed != text:
            return changed
    return full_width if full_width != text else None
