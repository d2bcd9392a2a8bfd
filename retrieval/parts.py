"""A question in, the questions it is made of out: "A and B's X" asks for the X of A and for that of B. Pure.

Found by form alone: two questions in a row, and two things joined by "and" where leaving out either leaves a question.
A part that reads badly does no harm: it only proposes passages.
"""

import re

from ingest.language import has_cjk
from ingest.terms import content_terms, cut_words

_ENDS = re.compile(r"[?？;；]\s*")
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
_LONGEST_NAME = 8  # tokens


def parts_of(question: str) -> tuple[str, ...]:
    """Give the questions inside a question, in their order; empty when it asks one thing only."""
    clauses = [clause.strip() for clause in _ENDS.split(question) if len(content_terms(clause)) > 1]
    if len(clauses) > 1:
        return _with_subject(clauses)
    return _split_chinese(question) if has_cjk(question) else _split_english(question)


def _with_subject(clauses: list[str]) -> tuple[str, ...]:
    """Give later clauses what the first one is about, where they don't say it: its names, or its first words."""
    first = clauses[0]
    names = re.findall(f"[{_OPENING}][^{_CLOSING}]+[{_CLOSING}]", first)
    if not has_cjk(first):
        names = re.findall(r"(?<=\s)(?:[A-Z][\w'-]*|\d{4})(?:\s(?:[A-Z][\w'-]*|\d{4}))*", first)
        return (first, *(clause if _names_any(clause, names) else " ".join([*names, clause]) for clause in clauses[1:]))
    subject = "".join(names) or "".join(cut_words(first)[:2])
    return (first, *(clause if subject in clause else subject + clause for clause in clauses[1:]))


def _names_any(clause: str, names: list[str]) -> bool:
    return not names or any(name in clause for name in names)


def _split_chinese(question: str) -> tuple[str, ...]:
    words = cut_words(question)
    for link, word in enumerate(words):
        if word in _CJK_LINKS:
            start, end = _chinese_start(words, link), _chinese_end(words, link)
            if start < link and end > link + 1:
                return "".join(words[:link] + words[end:]), "".join(words[:start] + words[link + 1 :])
    return ()


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
            while start > 1 and _is_named(words[start - 1]) and not words[start - 1].endswith((",", "?")):
                start -= 1
            end = link + 1
            while end < len(words) and _is_named(words[end]):
                end += 1
                if words[end - 1][-1] in ".,?;:" and words[end - 1].lower() not in _ABBREVIATED:
                    break
            return " ".join(words[:link] + words[end:]), " ".join(words[:start] + words[link + 1 :])
    return ()


def _is_name(left: str, right: str) -> bool:
    return _is_named(left) and _is_named(right)


def _is_named(word: str) -> bool:
    return word[0].isupper() or word[0].isdigit()
