"""Text in, the quantities and dates it states out, whatever their form: 1,200,000 = 1.2 million = 120万. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from ingest.document import Span

_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9}
_UNITS = {
    "percent": "% percent per-cent pct 百分之 个百分点",
    "usd": "$ usd us$ dollar dollars 美元 美金",
    "eur": "€ eur euro euros 欧元",
    "gbp": "£ gbp pounds-sterling 英镑",
    "cny": "¥ cny rmb yuan 元 块 人民币 块钱",
    "crown": "crown crowns krone kroner krona kronor 克朗",
    "day": "day days 天 日",
    "week": "week weeks 周 星期 个星期",
    "month": "month months 个月 月",
    "year": "year years 年",
    "hour": "hour hours hr hrs h 小时 个小时",
    "minute": "minute minutes min mins 分钟",
    "second": "second seconds sec secs 秒 秒钟",
    "km": "km kilometre kilometres kilometer kilometers 公里 千米",
    "m": "m metre metres meter meters 米 公尺",
    "cm": "cm centimetre centimetres centimeter centimeters 厘米 公分",
    "mm": "mm millimetre millimetres millimeter millimeters 毫米",
    "mile": "mile miles 英里",
    "foot": "ft foot feet 英尺",
    "kg": "kg kilogram kilograms 公斤 千克",
    "g": "g gram grams 克",
    "tonne": "t ton tons tonne tonnes 吨",
    "celsius": "°c ℃ 摄氏度",
}
_UNIT_OF = {form: unit for unit, forms in _UNITS.items() for form in forms.replace("-", " ").split()}
UNIT_WORDS = " ".join(_UNIT_OF)
_ZH_UNITS = sorted((form for form in _UNIT_OF if not form.isascii()), key=len, reverse=True)
_ZH_DIGITS = {
    digit: value
    for value, digits in enumerate(("零〇", "一", "二两", "三", "四", "五", "六", "七", "八", "九"))
    for digit in digits
}
_ZH_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_ONES = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
)
_TENS = re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = re.findall(
    r"\w+",
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth",
)
_WORDS: dict[str, int] = {word: value for value, word in enumerate(_ONES)}
_WORDS |= {word: 10 * value for value, word in enumerate(_TENS, 2)}
_WORDS |= {word: value for value, word in enumerate(_ORDINALS) if word not in ("second", "zeroth")}
_WORDS |= {"hundred": 100, "dozen": 12, "once": 1, "twice": 2, "half": 0, "thousand": 1000, "million": 10**6,
           "billion": 10**9, "hundreds": 100, "thousands": 1000}  # fmt: skip
_WORDS.pop("half")
_NUMBER_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))

_MONTHS = re.findall(r"\w+", "january february march april may june july august september october november december")
# Capitalised: "you may 3 times" is no date.
_MONTH = "|".join(
    f"(?:[{month[0].upper()}]{month[1:3]}(?:{month[3:]}|{'t' if month == 'september' else ''})|{month.upper()})\\.?"
    for month in _MONTHS
)
_DATES = (
    re.compile(r"(?<!\d)(?P<y>\d{4})\s*年(?:\s*(?P<m>\d{1,2})\s*月(?:\s*(?P<d>\d{1,2})\s*[日号])?)?"),
    re.compile(r"(?<!\d)(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*[日号]"),
    re.compile(r"(?<![\d.])(?P<y>[12]\d{3})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})(?![\d])"),
    re.compile(rf"\b(?P<mon>{_MONTH})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<y>\d{{4}}))?\b"),
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<mon>{_MONTH})(?:,?\s+(?P<y>\d{{4}}))?\b"),
    re.compile(rf"\b(?P<mon>{_MONTH}),?\s+(?P<y>\d{{4}})\b"),
)
# "5. What we propose" states no five.
_ENUMERATION = re.compile(r"(?m)(?:^|(?<=\|))[ \t]*\d{1,2}[.)、][ \t]+(?=[^\W\d])")
_ZH_YEAR = re.compile("[一二三四五六七八九〇零○]{4}(?=年)")
_ZH_DATE_PART = re.compile("[一二三四五六七八九十]{1,3}(?=[月日号])")
_NUMBER = re.compile(
    r"(?P<cur>us\$|hk\$|[$€£¥])?\s?(?P<n>(?<![A-Za-z\d_.])(?<![A-Z]-)\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![A-Z]-)(?<!\d)\d+(?:\.\d+)?)",
    re.I,
)
_AFTER = re.compile(r"(?:st|nd|rd|th)?[\s\-]*(?P<word>%|°c|[a-z$]+)?", re.IGNORECASE)
_ZH_NUMBER = re.compile(r"(?P<pct>百分之)?(?P<n>[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?)")
_EN_NUMBER = re.compile(rf"\b(?:{_NUMBER_WORD})(?:(?:[\s-]+(?:and\s+)?)(?:{_NUMBER_WORD}))*\b", re.IGNORECASE)
# After these a single Chinese digit counts something; elsewhere 一 and 两 are often just words.
_MEASURE = re.compile(
    "[个名位人次天日周月年岁点分秒米元块种类项条件篇本部座家间层级等届期号倍成页章节万亿]|小时|公里|公斤|英里"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit where it is one we know; `span` is in the folded text."""

    value: float
    unit: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Date:
    """A calendar date; what isn't said is None."""

    year: int | None
    month: int | None
    day: int | None
    span: Span

    def agrees(self, other: "Date") -> bool:
        """Tell whether nothing that both say differs and `other` says everything that this says."""
        mine, theirs = (self.year, self.month, self.day), (other.year, other.month, other.day)
        return all(a is None or a == b for a, b in zip(mine, theirs, strict=True))


def fold(text: str) -> str:
    """Fold width and vulgar fractions, so that ３０％ reads 30% and 6½ reads 6.5. Traditional number signs too."""
    text = re.sub(r"(\d)½", r"\1.5", text).replace("½", "0.5")
    text = unicodedata.normalize("NFKC", text).replace("萬", "万").replace("億", "亿").replace("兩", "两")
    text = text.replace("個", "个").replace("號", "号").replace("點", "点")
    return re.sub(r"(?<=\d)\s+(?=[万亿千百])", "", text)


def canonical(text: str) -> str:
    """Fold a text and write the Chinese numerals of its dates in digits. Spans of quantities and dates are in this."""
    return _with_arabic_dates(fold(text))


def unit_of(word: str) -> str | None:
    """Give the unit that a word or sign stands for, one for all its forms."""
    return _UNIT_OF.get(word.lower())


def dates(text: str) -> list[Date]:
    """Give the dates of a text in order. A bare year is a quantity, not a date, unless 年 follows it."""
    return list(_dates_in(text))


@lru_cache(maxsize=4096)  # the same sentences are compared with every claim
def _dates_in(text: str) -> tuple[Date, ...]:
    folded = _with_arabic_dates(fold(text))
    found: list[Date] = []
    for pattern in _DATES:
        for match in pattern.finditer(folded):
            span = Span(*match.span())
            if any(span.overlaps(date.span) for date in found):
                continue
            parts = match.groupdict()
            name = parts.get("mon")
            month = 1 + [m[:3] for m in _MONTHS].index(name[:3].lower()) if name else _integer(parts.get("m"))
            date = Date(_integer(parts.get("y")), month, _integer(parts.get("d")), span)
            if (date.month or 1) <= 12 and (date.day or 1) <= 31:
                found.append(date)
    return tuple(sorted(found, key=lambda date: date.span))


def quantities(text: str) -> list[Quantity]:
    """Give the numbers of a text in order, digits, English words and Chinese numerals alike, without its dates."""
    return list(_quantities_in(text))


@lru_cache(maxsize=4096)
def _quantities_in(text: str) -> tuple[Quantity, ...]:
    folded = _ENUMERATION.sub(lambda sign: " " * len(sign.group()), _with_arabic_dates(fold(text)))
    taken = [date.span for date in dates(text)]
    found: list[Quantity] = []
    for quantity in (*_digits(folded), *_chinese(folded), *_english(folded)):
        if not any(quantity.span.overlaps(span) for span in taken):
            found.append(quantity)
            taken.append(quantity.span)
    return tuple(sorted(found, key=lambda quantity: quantity.span))


def fact_terms(text: str) -> set[str]:
    """Give the numbers and dates of a text as terms that are equal when the facts are: "#1200000", "@3-1"."""
    terms = {f"#{quantity.value:.10g}" for quantity in quantities(text)}
    for date in dates(text):
        terms |= {f"#{date.year}"} if date.year else set()
        terms |= {f"@{date.month}-{date.day}"} if date.month and date.day else set()
        terms |= {f"@{date.month}"} if date.month and not date.day else set()
    return terms


def without_number_words(text: str) -> str:
    """Blank out numbers written as words; `fact_terms` has them already."""
    text = _EN_NUMBER.sub(" ", text)
    return _ZH_NUMBER.sub(lambda match: " " if len(match.group()) > 1 else match.group(), text)


def _with_arabic_dates(text: str) -> str:
    text = _ZH_YEAR.sub(lambda m: "".join(str(_ZH_DIGITS.get(c, 0)) for c in m.group()), text)
    return _ZH_DATE_PART.sub(lambda m: str(int(_chinese_value(m.group()))), text)


def _digits(text: str) -> list[Quantity]:
    found = []
    for match in _NUMBER.finditer(text):
        value, end = float(match.group("n").replace(",", "")), match.end()
        currency = match.group("cur")
        unit = _UNIT_OF.get(currency.lower().removeprefix("hk")) if currency else None
        scale = re.compile("[十百千万亿]+").match(text, end)
        if scale and not text.startswith(("千米", "千克", "千瓦", "百分"), end):
            for sign in scale.group():
                value *= _ZH_SCALES[sign]
            end = scale.end()
        after = _AFTER.match(text, end)
        word = (after.group("word") or "").lower() if after else ""
        if after and word in _SCALES and (len(word) > 2 or currency or word in ("bn", "mn")):
            value, end = value * _SCALES[word], after.end()
            after = _AFTER.match(text, end)
            word = (after.group("word") or "").lower() if after else ""
        unit = unit or _UNIT_OF.get(word) or _chinese_unit(text, end)
        if text[max(0, match.start() - 3) : match.start()] == "百分之":
            unit = "percent"
        found.append(Quantity(round(value, 6), unit, Span(match.start("n"), end)))
    return found


def _chinese(text: str) -> list[Quantity]:
    found = []
    for match in _ZH_NUMBER.finditer(text):
        sign = match.group("n")
        if text[max(0, match.start() - 1) : match.start()].isdigit() or sign in ("万", "亿", "千", "百"):
            continue
        if len(sign) == 1 and not match.group("pct") and not _counts(text, match):
            continue
        unit = "percent" if match.group("pct") else _chinese_unit(text, match.end())
        found.append(Quantity(_chinese_value(sign), unit, Span(*match.span())))
    return found


def _counts(text: str, match: re.Match[str]) -> bool:
    return text[max(0, match.start() - 1) : match.start()] == "第" or bool(_MEASURE.match(text, match.end()))


def _english(text: str) -> list[Quantity]:
    found = []
    for match in _EN_NUMBER.finditer(text):
        total = current = 0.0
        for word in re.split(r"[\s-]+", match.group().lower()):
            if word == "and":
                continue
            value = _WORDS[word]
            if value >= 100:
                current = (current or 1) * value
                if value >= 1000:
                    total, current = total + current, 0.0
            else:
                current += value
        after = _AFTER.match(text, match.end())
        unit = _UNIT_OF.get((after.group("word") or "").lower()) if after else None
        found.append(Quantity(total + current, unit, Span(*match.span())))
    return found


def _chinese_value(sign: str) -> float:
    whole, _, fraction = sign.partition("点")
    if not any(character in _ZH_SCALES for character in whole):
        value = float(int("".join(str(_ZH_DIGITS[character]) for character in whole) or "0"))
    else:
        value = _scaled(whole)
    return value + (float("0." + "".join(str(_ZH_DIGITS[c]) for c in fraction)) if fraction else 0.0)


def _scaled(sign: str) -> float:
    total = section = digit = 0.0
    for character in sign:
        if character in _ZH_DIGITS:
            digit = _ZH_DIGITS[character]
        elif (scale := _ZH_SCALES[character]) >= 10_000:
            total = (total + section + digit or 1) * scale
            section = digit = 0.0
        else:
            section, digit = section + (digit or 1) * scale, 0.0
    return total + section + digit


def _chinese_unit(text: str, at: int) -> str | None:
    at += len(text[at : at + 2]) - len(text[at : at + 2].lstrip())
    return next((_UNIT_OF[form] for form in _ZH_UNITS if text.startswith(form, at)), None)


def _integer(text: str | None) -> int | None:
    return int(text) if text else None


_YEAR_ANYWHERE = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")


def missing_years(question: str, text: str) -> tuple[int, ...]:
    """Give the years that a question asks about and a text doesn't mention, in order: a sign of another year's fact."""
    known = {date.year for date in dates(text)} | {int(year) for year in _YEAR_ANYWHERE.findall(text)}
    asked = [date.year for date in dates(question) if date.year is not None]
    asked += [int(q.value) for q in quantities(question) if q.unit is None and 1800 <= q.value <= 2100]
    return tuple(year for year in dict.fromkeys(asked) if year not in known)


def speaks_of_years(text: str) -> bool:
    """Tell whether a text gives any year."""
    return any(date.year is not None for date in dates(text)) or bool(_YEAR_ANYWHERE.search(text))
