"""A question in, the questions it is made of out: "A and B's X" asks for the X of A and for that of B. Pure.

Found by form alone: two questions in a row, and two things joined by "and" where leaving out either leaves a question.
A part that reads badly does no harm: it only proposes passages.
"""

import re

from ingest.language import has_cjk
from ingest.terms import content_terms, cut_words

_ENDS = re.compile(r"[?？;；]\s*")
_ASKING = "who|whom|whose|what|when|where|which|why|how"
# "Who founded it, and when did it close?" The first clause must ask something by itself.
_ASKS_AGAIN = re.compile(rf",?\s+and\s+(?=(?:in\s+|at\s+|by\s+)?(?:{_ASKING})\b)", re.IGNORECASE)
_ASKS = re.compile(rf"(?:\w+\s+)?(?:{_ASKING})\b", re.IGNORECASE)
_ENGLISH_NAMES = re.compile(r"(?<=\s)(?:[A-Z][\w'-]*|\d{4})(?:\s(?:[A-Z][\w'-]*|\d{4}))*")
_CJK_COMMA = re.compile("[，,]")
_CJK_ASKS = re.compile("[谁几何吗呢]|什么|多少|多[大长高远久]|哪|怎|如何|为什么|是否")
_EACH = re.compile("(?<!的)(?:分别|各自)")
_GLUED_YEAR = re.compile(r"([A-Za-z]+)((?:19|20)\d\d)")
_CJK_LINKS = frozenset(["和", "与", "及", "以及", "跟", "同", "还是"])
_LINKS = frozenset(["and", "&", "versus", "vs", "vs.", "or"])
# What a name doesn't reach over.
_CJK_EDGES = frozenset(["哪些", "哪个", "什么", "多少", "分别", "各自", "比较", "对比", "相比", "请问", "之间"])
_CJK_EDGES |= frozenset("的是了在有将由被把对从谁哪为，。、：,.:()（）年月日届")
_COUNTERS = frozenset(["年", "月", "日", "届", "季度", "号", "版", "期", "次", "季", "集", "款", "代"])
_COUNT = re.compile(r"第?[\d０-９一二三四五六七八九十百两]+")
_ORGANISATION = re.compile(r"(?:公司|集团|银行|大学|学院|医院|法院|研究所|委员会|中心)$")
_OPENING, _CLOSING = "《“「『", "》”」』"
_ABBREVIATED = frozenset(["ltd.", "co.", "inc.", "corp.", "st.", "dr.", "mr.", "ms.", "u.s.", "jr."])
_BOTH_SEXES = "男女"  # 男女单打冠军
_LONGEST_NAME = 8  # tokens
_LONGEST_TWIN = 6


def parts_of(question: str) -> tuple[str, ...]:
    """Give the questions inside a question, in their order; empty when it asks one thing only."""
    clauses = [clause.strip() for clause in _clauses(question) if len(content_terms(clause)) > 1]
    if len(clauses) > 1:
        return _with_subject(clauses)
    return _split_chinese(question) if has_cjk(question) else _split_english(question)


def _clauses(question: str) -> list[str]:
    """Cut between questions, also where they share a question mark."""
    clauses: list[str] = []
    for sentence in _ENDS.split(question):
        if has_cjk(sentence):
            inner = _CJK_COMMA.split(sentence)
            asks_each = all(_CJK_ASKS.search(clause) for clause in inner)
        else:
            inner = _ASKS_AGAIN.split(sentence)
            asks_each = bool(_ASKS.match(inner[0]) and _ENGLISH_NAMES.search(inner[0]))
        clauses += inner if asks_each else [sentence]
    return clauses


def _with_subject(clauses: list[str]) -> tuple[str, ...]:
    """Give later clauses what the first one is about, where they don't say it: its names, or its first words."""
    first = clauses[0]
    names = re.findall(f"[{_OPENING}][^{_CLOSING}]+[{_CLOSING}]", first)
    if not has_cjk(first):
        names = _ENGLISH_NAMES.findall(first)
        return (first, *(clause if _names_any(clause, names) else " ".join([*names, clause]) for clause in clauses[1:]))
    subject = "".join(names) or "".join(cut_words(first)[:2])
    return (first, *(clause if subject in clause else subject + clause for clause in clauses[1:]))


def _names_any(clause: str, names: list[str]) -> bool:
    return not names or any(name in clause for name in names)


def _split_chinese(question: str) -> tuple[str, ...]:
    """Split at the first link between two things that are alike in form, else at the last between any two names:
    earlier ones are more often part of a name (速度与激情).
    """
    words = cut_words(_GLUED_YEAR.sub(r"\1 \2", _EACH.sub("", question)))
    links = [at for at in range(1, len(words)) if words[at] in _CJK_LINKS]
    alike = [(link, _dated(words, link) or _organisations(words, link) or _twins(words, link)) for link in links]
    for link, span in (*alike, *((link, _things(words, link)) for link in reversed(links))):
        if span and span[0] < link and span[1] > link + 1:
            return "".join(words[:link] + words[span[1] :]), "".join(words[: span[0]] + words[link + 1 :])
    if _BOTH_SEXES in question:
        return tuple(question.replace(_BOTH_SEXES, one) for one in _BOTH_SEXES)
    return ()


def _organisations(words: list[str], link: int) -> tuple[int, int] | None:
    span = _things(words, link)
    return span if _ORGANISATION.search(words[link - 1]) and _ORGANISATION.search(words[span[1] - 1]) else None


def _things(words: list[str], link: int) -> tuple[int, int]:
    return _chinese_start(words, link), _chinese_end(words, link)


def _dated(words: list[str], link: int) -> tuple[int, int] | None:
    """Give start and end of two names that each have a year: 2017年甲公司和2019年乙公司."""
    start = _chinese_start(words, link)
    if not (_is_year(words, start - 2) and _is_year(words, link + 1) and words[link + 3 : link + 4]):
        return None
    rest = [*words[:link], words[link], *words[link + 3 :]]
    return start - 2, _chinese_end(rest, link) + 2


def _is_year(words: list[str], at: int) -> bool:
    return at >= 0 and words[at + 1 : at + 2] == ["年"] and bool(_COUNT.fullmatch(words[at]))


def _twins(words: list[str], link: int) -> tuple[int, int] | None:
    """Give start and end of two things that begin or end alike: 最佳女主角和最佳男主角, 成都大运会和杭州亚运会."""
    for length in range(2, _LONGEST_TWIN + 1):
        start, end = link - length, link + 1 + length
        if start < 0 or end > len(words) or not _CJK_EDGES.isdisjoint((words[start], words[end - 1])):
            return None
        left, right = words[link - 1], words[end - 1]
        ends_alike = left == right or (left[-1] == right[-1] and min(len(left), len(right)) > 1)
        if ends_alike or words[start] == words[link + 1]:
            return start, end
    return None


def _chinese_start(words: list[str], link: int) -> int:
    """Give where the thing before a link begins; `link` when there is none."""
    last = link - 1
    if last < 0:
        return link
    if words[last] in _COUNTERS and last and _COUNT.fullmatch(words[last - 1]):
        return last - 1
    if words[last] in _CLOSING:
        return next((at for at in range(last, -1, -1) if words[at] in _OPENING), link)
    if words[last] in _CJK_EDGES:
        return link
    if _ORGANISATION.search(words[last]):
        start = last
        while start and last - start < _LONGEST_NAME and words[start - 1] not in _CJK_EDGES:
            start -= 1
        return start
    if last and len(words[last - 1]) == 1 and has_cjk(words[last - 1]) and words[last - 1] not in _CJK_EDGES:  # 布 林肯
        return last - 1
    return last


def _chinese_end(words: list[str], link: int) -> int:
    """Give where the thing after a link ends; `link + 1` when there is none."""
    first = link + 1
    if first >= len(words):
        return first
    if _COUNT.fullmatch(words[first]) and first + 1 < len(words) and words[first + 1] in _COUNTERS:
        return first + 2
    if words[first] in _OPENING:
        return next((at + 1 for at in range(first, len(words)) if words[at] in _CLOSING), first)
    if words[first] in _CJK_EDGES:
        return first
    if len(words[first]) == 1 and has_cjk(words[first]) and first + 1 < len(words):  # 冬 残奥会
        return first + 1 if words[first + 1] in _CJK_EDGES else first + 2
    if _ORGANISATION.search(words[link - 1]):
        reach = range(first, min(first + _LONGEST_NAME, len(words)))
        end = next((at + 1 for at in reach if _ORGANISATION.search(words[at])), first + 1)
        while end < len(words) and _ORGANISATION.search(words[end]):  # 购物中心 公司
            end += 1
        return end
    return first + 1


def _split_english(question: str) -> tuple[str, ...]:
    """Split at the first link between two names or numbers."""
    words = question.split()
    for link, word in enumerate(words):
        if word.lower() in _LINKS and 1 < link < len(words) - 1 and _is_name(words[link - 1], words[link + 1]):
            start = link - 1
            while start > 1 and _is_named(words[start - 1]) and not _ends_name(words, start - 1):
                start -= 1
            end = link + 1
            while end < len(words) and _is_named(words[end]):
                end += 1
                if _ends_name(words, end - 1):
                    break
            start, end = _with_dates(words, start, end)
            return " ".join(words[:link] + words[end:]), " ".join(words[:start] + words[link + 1 :])
    return ()


def _with_dates(words: list[str], start: int, end: int) -> tuple[int, int]:
    """Widen two things, the first a date and the second a name with one: Acme in 2017 and Green Fields in 2019."""
    is_dated = words[end : end + 1] == ["in"] and words[start - 1] == "in" and len(words) > end + 1
    if not is_dated or not (words[start][-1].isdigit() or words[start + 1][-1].isdigit()):
        return start, end
    end += 1
    while end < len(words) and _is_named(words[end]):
        end += 1
        if _ends_name(words, end - 1):
            break
    start -= 1
    while start > 1 and _is_named(words[start - 1]):
        start -= 1
    return start, end


def _ends_name(words: list[str], at: int) -> bool:
    """Tell whether a name ends with this word; "Acme, Inc." goes on."""
    if words[at][-1] not in ".,?;:" or words[at].lower() in _ABBREVIATED:
        return False
    return not (words[at].endswith(",") and words[at + 1 : at + 2] and words[at + 1].lower() in _ABBREVIATED)


def _is_name(left: str, right: str) -> bool:
    return _is_named(left) and _is_named(right)


def _is_named(word: str) -> bool:
    return word[0].isupper() or word[0].isdigit()
