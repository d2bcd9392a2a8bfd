"""Text in, the spans of its sentences out, for English, Chinese and mixed text. Knows nothing about documents.

Two passes, both linear: lines are first joined into logical lines (a wrapped paragraph is one, a list item or a table
row is one each), then each is cut after its sentence ends. A line break counts as wrapping only if the next word would
not have fitted into the widest line of the paragraph; that is how greedy line breaking works, so it needs no tuning.
"""

import re
from collections.abc import Iterator

from ingest.document import Span

_WIDE = re.compile("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]")
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PARAGRAPH = re.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
_STARTS_ITEM = re.compile(
    r"\s*(?:[-*+•‣▪●○◦·–—]\s|\(?\d{1,3}[.)、．]\s?|\(?[a-zA-Z][.)]\s|[（(]?[一二三四五六七八九十]+[）)、．]"
    r"|[|>#]|```|~~~|\u3000\u3000|第[一二三四五六七八九十百\d]+[章节条])"
)
_STANDS_ALONE = re.compile(r"\s*(?:[|#]|```|~~~|[=\-~^*_+.\s]+$)")
_KEY = re.compile(r"[^:：\n]{1,60}[:：]\s")
_ROW = re.compile(r"\s*(?:\||[^:;.\n]{1,60}: [^;\n]{0,200}; [^:;.\n]{1,60}: )")
_FIRST_WORD = re.compile(rf"\s*(?:[{_CJK}]|[^\s{_CJK}]+)")

_CLOSERS = "\"'”’」』）)】》〉］\\]｝}*»›"
_END = re.compile(rf"(?:[。！？｡．!?；]+|…+|\.+)[。！？｡!?…]*[{_CLOSERS}]*(?:\[\d{{1,3}}\])*")
_TOKEN = re.compile(rf"[^\s(（\[\"“‘'—–/{_CJK}]*$")
_NEXT_WORD = re.compile(r"\s*[\"'“‘(（\[*]*([^\s,.;:!?)）\]\"”’]*)")
_ACRONYM = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]$|[A-Z]$")
_LIST_NUMBER = re.compile(r"(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})(?:\.\d{1,3})*$")

# Never the last word of a sentence.
_TITLES_TEXT = (
    "dr mr mrs ms prof st messrs gen sen rep gov capt lt col sgt maj rev hon pres vs v cf e.g i.e viz approx ca resp "
    "esp incl excl est al. mt ft"
)
_TITLES = frozenset(_TITLES_TEXT.split())
# Not the last word before a number or a capital that continues it: "Fig. 3", "No. 7", "Jan. 5".
_BEFORE_NUMBER_TEXT = (
    "no nos fig figs eq eqs sec secs art arts ch chap vol p pp par para tab ex app ref refs n nr jan feb mar apr jun "
    "jul aug sep sept oct nov dec"
)
_BEFORE_NUMBER = frozenset(_BEFORE_NUMBER_TEXT.split())
# May end a sentence, and then the next word is one that starts sentences.
_MAYBE_LAST_TEXT = (
    "inc corp ltd co llc plc bros jr sr etc al u.s u.k u.n e.u a.m p.m ph.d m.d b.a m.a d.c dept univ assn ave blvd "
    "rd sq est gmbh s.a n.v"
)
_MAYBE_LAST = frozenset(_MAYBE_LAST_TEXT.split())
_STARTERS_TEXT = (
    "the a an this that these those it its he she his her we our they their i you your there here in on at by for "
    "from with as if when while after before since although though because however but and or so then thus therefore "
    "moreover furthermore also finally first second third next another some many most each every all both no not what "
    "who where why how which is are was were do does did can could will would may might must should to under during "
    "between both one two three such today yesterday"
)
_STARTERS = frozenset(_STARTERS_TEXT.split())


def split_sentences(text: str) -> list[Span]:
    """Give the sentences in order: disjoint, without surrounding white space, covering every other character."""
    sentences: list[Span] = []
    for start, end in _logical_lines(text):
        sentences.extend(_cut_line(text, start, end))
    return sentences


def hard_lines(text: str) -> list[Span]:
    """Give the logical lines in order: wrapped lines joined, list items and table rows apart, white space trimmed."""
    return [span for start, end in _logical_lines(text) if (span := _trim(text, start, end))]


def _logical_lines(text: str) -> Iterator[tuple[int, int]]:
    for paragraph in _PARAGRAPH.finditer(text):
        block = paragraph.group()
        if "\n" not in block:
            yield paragraph.span()
            continue
        lines = block.split("\n")
        widths = [_width(line) for line in lines]
        widest = max(widths)
        start = position = paragraph.start()
        for index, line in enumerate(lines):
            position += len(line)
            if index + 1 == len(lines) or _breaks(line, lines[index + 1], widths[index], widest):
                yield start, position
                start = position + 1
            position += 1


def _breaks(line: str, following: str, width: int, widest: int) -> bool:
    if widest < 30 or widest > 200:  # labels and addresses below, one line per paragraph above: nothing is wrapped
        return True
    if _STARTS_ITEM.match(following) or _STANDS_ALONE.match(line):
        return True
    word = _FIRST_WORD.match(following)
    if width + 1 + _width(word.group().strip() if word else "") <= widest:
        return True
    key, next_key = _KEY.match(line), _KEY.match(following)
    return bool(key and next_key and key.group() == next_key.group())


def _width(line: str) -> int:
    line = line.rstrip()
    return len(line) if line.isascii() else len(line) + len(_WIDE.findall(line))


def _cut_line(text: str, start: int, end: int) -> Iterator[Span]:
    position = start
    if _ROW.match(text, start, end):
        if row := _trim(text, start, end):
            yield row  # cut inside a cell, the rest would not say which column it is of
        return
    for match in _END.finditer(text, start, end):
        if match.start() < position:
            continue
        if _ends_sentence(text, position, match, end):
            if span := _trim(text, position, match.end()):
                yield span
            position = match.end()
    if span := _trim(text, position, end):
        yield span


def _trim(text: str, start: int, end: int) -> Span | None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    return Span(start + left, start + right) if left < right else None


def _ends_sentence(text: str, sentence_start: int, match: re.Match[str], end: int) -> bool:
    mark = match.group()
    if match.end() == end:
        return True
    following = text[match.end() : match.end() + 1]
    if mark[0] in "。！？｡；":
        return True
    if mark[0] == "．":
        return not following.isdigit()
    if mark[0] in "!?":
        return following.isspace() or _is_cjk(following)
    if mark[0] == "…" or mark.startswith(".."):
        return following.isspace() and not _next_word(text, match.end(), end)[:1].islower()
    return _period_ends(text, sentence_start, match, end)


def _period_ends(text: str, sentence_start: int, match: re.Match[str], end: int) -> bool:
    dot, after = match.start(), match.end()
    window = max(sentence_start, dot - 40)
    found = _TOKEN.search(text[window:dot])
    token = found.group() if found else ""
    if _LIST_NUMBER.match(token) and not text[sentence_start : dot - len(token)].strip():
        return False
    following = text[after]
    if not following.isspace():
        return _is_cjk(following) and after - dot == 1 and not token[-1:].isdigit() and not _ACRONYM.match(token)
    word = _next_word(text, after, end)
    lowered = token.lower()
    if lowered in _TITLES or word[:1].islower():
        return False
    if lowered in _BEFORE_NUMBER and (_holds_digit(word) or (token[:1].isupper() and word.lower() not in _STARTERS)):
        return False
    if lowered in _MAYBE_LAST or _ACRONYM.match(token):
        return word.lower() in _STARTERS or _is_cjk(word[:1])
    return True


def _next_word(text: str, position: int, end: int) -> str:
    found = _NEXT_WORD.match(text, position, min(end, position + 60))
    return found.group(1) if found else ""


def _holds_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)


def _is_cjk(character: str) -> bool:
    return bool(character) and ("\u3040" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff")
