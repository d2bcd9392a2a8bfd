"""A cell's value and its number format in, the text that a person sees out. Knows nothing about files.

Formats are those of ECMA-376, section 18.8.31, as far as they change what is read: decimals, thousands, percent,
currency, signs, literal words, dates and times. Colours, padding and fractions are left out.
"""

import re
from datetime import date, datetime, time, timedelta

_SECTION = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[])+|(?<=;)(?=;)|^(?=;)')
_BRACKET = re.compile(r"\[(?:\$([^\]-]*)(?:-[^\]]*)?|[^\]$]*)\]")
_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.[#0?]*)?,*(?:[eE][+-][0#?]+)?|\.[#0?]+")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.')
_DATE_PART = re.compile(
    r'"[^"]*"|\\.|\[(?:h+|m+|s+)\]|\[[^\]]*\]|am/pm|a/p|y+|m+|d+|h+|s+(?:\.0+)?|[^ymdhs"\\\[]', re.I
)
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.I)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LOCAL_DATES = ("mm-dd-yy", "m/d/yy h:mm")  # drawn as each reader's machine likes it: we like ISO

Value = str | int | float | bool | datetime | date | time | timedelta | None


def shown_value(value: Value, number_format: str) -> str:
    """Give the value as the sheet shows it; "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return _number(value, number_format)
    return _moment(value, number_format)


def _number(value: float, number_format: str) -> str:
    if number_format in ("General", "@", ""):
        return _general(value)
    sections = _SECTION.findall(number_format)
    if not sections or value != value or value in (float("inf"), float("-inf")):
        return _general(value)
    section, magnitude = sections[0], value
    if value < 0 and len(sections) > 1:
        section, magnitude = sections[1], -value
    elif value == 0 and len(sections) > 2:
        section = sections[2]
    section = _BRACKET.sub(lambda found: f'"{found.group(1) or ""}"', section)
    plain = _LITERAL.sub(lambda found: "\x00" * len(found.group()), section)
    if "General" in plain or "/" in plain:
        return _general(value)
    digits = _DIGITS.search(plain)
    if digits is None:
        return _literal(section) if section.strip() else ""
    before, after = section[: digits.start()], section[digits.end() :]
    body = _digits(abs(magnitude) * 100 ** plain.count("%"), digits.group())
    sign = "-" if magnitude < 0 and any(character in "123456789" for character in body) else ""
    return f"{sign}{_literal(before)}{body}{_literal(after)}".strip()


def _digits(magnitude: float, mask: str) -> str:
    if "e" in mask.lower():
        decimals = len(mask.lower().split("e")[0].partition(".")[2])
        return f"{magnitude:.{decimals}E}"
    magnitude /= 1000 ** (len(mask) - len(mask.rstrip(",")))
    whole, _, decimals_mask = mask.rstrip(",").partition(".")
    needed, most = decimals_mask.count("0"), len(decimals_mask)
    # ten to the twelfth of a unit undoes binary fractions before rounding half up, as spreadsheets do
    text = f"{magnitude + 10.0 ** -(most + 9):.{most}f}" if magnitude < 1e15 else f"{magnitude:.{most}f}"
    integer, _, fraction = text.partition(".")
    while len(fraction) > needed and fraction.endswith("0"):
        fraction = fraction[:-1]
    integer = integer.lstrip("0").rjust(whole.replace(",", "").count("0"), "0")
    if "," in whole and integer:
        integer = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", integer)
    return f"{integer}.{fraction}" if fraction else integer or "0"


def _literal(text: str) -> str:
    text = _LITERAL.sub(lambda found: found.group(1) or found.group(2) or "", text)
    return re.sub(r"[#0?]", "", text)


def _general(value: float) -> str:
    if isinstance(value, int) or (value == value and abs(value) < 1e15 and value == int(value)):
        return str(int(value))
    return f"{value:.10g}"


def _moment(value: datetime | date | time | timedelta, number_format: str) -> str:
    elapsed = _ELAPSED.search(number_format)
    if isinstance(value, timedelta):
        return _elapsed(value, elapsed.group(1)[0].lower() if elapsed else "h", number_format)
    if number_format in _LOCAL_DATES or not re.search(r"[ymdhs]", _LITERAL.sub("", number_format), re.I):
        return _iso(value)
    return "".join(_date_parts(value, number_format.split(";")[0])).strip()


def _iso(value: datetime | date | time) -> str:
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    return value.isoformat() if isinstance(value, date) else value.isoformat("auto" if value.second else "minutes")


def _elapsed(value: timedelta, unit: str, number_format: str) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    if unit == "s":
        return f"{sign}{seconds}"
    whole, rest = divmod(seconds, 60 if unit == "m" else 3600)
    if unit == "m":
        return f"{sign}{whole}:{rest:02d}"
    tail = f":{rest % 60:02d}" if "s" in number_format.lower() or rest % 60 else ""
    return f"{sign}{whole}:{rest // 60:02d}{tail}"


def _date_parts(value: datetime | date | time, number_format: str) -> list[str]:
    day = value if isinstance(value, date) else date(1900, 1, 1)
    clock = value.time() if isinstance(value, datetime) else value if isinstance(value, time) else time(0)
    tokens = _DATE_PART.findall(number_format)
    units = [
        token[0].lower() if token[0].isalpha() and token.lower() not in ("am/pm", "a/p") else "" for token in tokens
    ]
    twelve = any(token.lower() in ("am/pm", "a/p") for token in tokens)
    parts = []
    for index, token in enumerate(tokens):
        low, unit, size = token.lower(), units[index], len(token)
        if unit == "m" and _is_minute(units, index):
            parts.append(f"{clock.minute:02d}" if size > 1 else str(clock.minute))
        elif unit in ("y", "m", "d"):
            parts.append(_day_part(day, unit, size))
        elif unit == "h":
            hour = (clock.hour % 12 or 12) if twelve else clock.hour
            parts.append(f"{hour:02d}" if size > 1 else str(hour))
        elif unit == "s":
            parts.append(f"{clock.second:02d}")
        elif low in ("am/pm", "a/p"):
            parts.append("AM" if clock.hour < 12 else "PM")
        elif not token.startswith("["):
            parts.append(token[1:-1] if token.startswith('"') else token.removeprefix("\\"))
    return parts


def _day_part(day: date, unit: str, size: int) -> str:
    if unit == "y":
        return f"{day.year:04d}" if size > 2 else f"{day.year % 100:02d}"
    number, names = (day.month, _MONTHS) if unit == "m" else (day.day, _DAYS)
    if size > 2:
        name = names[day.month - 1] if unit == "m" else names[day.weekday()]
        return name if size == 4 else name[:3]
    return f"{number:02d}" if size == 2 else str(number)


def _is_minute(units: list[str], index: int) -> bool:
    """An m stands for minutes right after hours or right before seconds, else for months."""
    before = next((unit for unit in reversed(units[:index]) if unit), "")
    after = next((unit for unit in units[index + 1 :] if unit), "")
    return before == "h" or after == "s"
