"""An answer's text in, as it is written; what can be shown and the claims it makes out. Knows no passages.

A claim is one sentence or list item without its markers. Characters are taken one by one, so that the result never
depends on where a stream was cut.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.sentences import split_sentences

_WORDS = re.findall(
    r"\w+",
    "id passage passages source sources doc docs document documents ref refs reference references citation quote "
    "段落 来源 资料 文档 文段 片段 参考 引用 出处",
)
_WORD = "(?:" + "|".join(sorted(_WORDS, key=len, reverse=True)) + ")"
_NUMBER = r"\d{1,3}"
_LIST = rf"{_NUMBER}(?:\s*(?:[,，、;；&/\-–—~～至和]|and|to)\s*(?:{_WORD}\s*[:：#]?\s*)?{_NUMBER})*"
_MARKER = re.compile(
    rf"[\[［【〔]\s*(?:\^|{_WORD}\s*[:：#.]?\s*)?(?:{_LIST})\s*[\]］】〕]|[(（]\s*{_WORD}\s*[:：#.]?\s*(?:{_LIST})\s*[)）]",
    re.IGNORECASE,
)
_BEGINS_MARKER = re.compile(r"([\[［【〔(（])\s*\^?([^\W\d_]*)[\s:：#.]*((?:\d[\d\s,，、;；&/\-–—~～至和:：#.^\w]*)?)")
_RANGE = re.compile(rf"({_NUMBER})\s*(?:[-–—~～至]|to)\s*({_NUMBER})", re.IGNORECASE)
_LONGEST_MARKER = 48
# What stands between two markers in a row: "[1], [2] and [3]".
_BETWEEN = re.compile(r"\s{0,2}(?:[,，、;；&]\s?)?(?:a|an|and\s?|和|及)?")

_ITEM = re.compile(r"\s*(?:>\s*)*(?:[-*+•·]\s+|\d{1,3}[.)]\s+|\d{1,2}、|[(（]\d{1,2}[)）]\s*)?")
_TAIL = re.compile(r"\s*[.。!！?？…；;]+[\"'”’」』）)】》*_]*$")
_HELD = ".。!！?？…；;\"'”’」』）)】》*_" + "".join(
    chr(c) for c in range(0x3001) if chr(c).isspace() and chr(c) != "\n"
)
_ENDS = ".。!！?？…；;"
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation marker as the model wrote it, and the passage numbers it names."""

    raw: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClaimEnd:
    """The claim whose words have just been shown, all but `tail`: its last punctuation, which follows the markers."""

    text: str
    markers: tuple[Marker, ...]
    tail: str


class MarkerStream:
    """Cut markers out of a text that comes in pieces. A marker split across pieces is never half shown."""

    def __init__(self) -> None:
        self.in_fence = False
        self._line = ""
        self._held = ""
        self._between: str | None = None  # text after a marker that goes if another marker follows

    def feed(self, piece: str) -> list[str | Marker]:
        """Give what is now known to be text or a marker."""
        out: list[str | Marker] = []
        for character in piece:
            self._step(character, out)
        return _joined(out)

    def flush(self) -> list[str | Marker]:
        """Give what was held back when the text ends."""
        out: list[str | Marker] = []
        self._release(out)
        return _joined(out)

    def _step(self, character: str, out: list[str | Marker]) -> None:
        if not self._held:
            if character in "[［【〔(（" and not self._in_code():
                self._held = character
            elif self._between is not None and _BETWEEN.fullmatch(self._between + character) and character != "\n":
                self._between += character
            else:
                self._release_between(out)
                self._text(character, out)
            return
        self._held += character
        if _MARKER.fullmatch(self._held):
            out.append(Marker(self._held, _numbers(self._held)))
            self._held = self._between = ""
        elif not _may_become_marker(self._held):
            held, self._held = self._held, ""
            self._release_between(out)
            self._text(held[0], out)
            for later in held[1:]:
                self._step(later, out)

    def _release_between(self, out: list[str | Marker]) -> None:
        between, self._between = self._between or "", None
        for character in between:
            self._text(character, out)

    def _release(self, out: list[str | Marker]) -> None:
        self._release_between(out)
        held, self._held = self._held, ""
        for character in held:
            self._text(character, out)

    def _text(self, character: str, out: list[str | Marker]) -> None:
        out.append(character)
        if character == "\n":
            if self._line.lstrip().startswith(("```", "~~~")):
                self.in_fence = not self.in_fence
            self._line = ""
        else:
            self._line += character

    def _in_code(self) -> bool:
        return self.in_fence or self._line.count("`") % 2 == 1


class ClaimStream:
    """Cut an answer into claims while it is written. Yields text to show, and ClaimEnd after a claim's last word."""

    def __init__(self) -> None:
        self._stream = MarkerStream()
        self._buffer = ""  # the current claim without markers
        self._shown = 0  # how much of the buffer was given out
        self._found: list[Marker] = []

    def feed(self, piece: str) -> Iterator[str | ClaimEnd]:
        """Give the events that this piece makes certain."""
        for character in piece:
            for item in self._stream.feed(character):
                yield from self._take(item)

    def flush(self) -> Iterator[str | ClaimEnd]:
        """Give the last events when the text ends."""
        for item in self._stream.flush():
            yield from self._take(item)
        yield from self._end_line()

    def _take(self, item: str | Marker) -> Iterator[str | ClaimEnd]:
        if isinstance(item, Marker):
            self._found.append(item)
            stripped = self._buffer.rstrip(" \t")
            self._buffer = stripped if len(stripped) >= self._shown else self._buffer[: self._shown]
            return
        for character in item:
            if character == "\n":
                yield from self._end_line()
                yield "\n"
                continue
            if character == " " and not self._buffer and self._found:
                continue  # the blank after a marker that opens the line
            self._buffer += character
            yield from self._advance(character)

    def _advance(self, character: str) -> Iterator[str | ClaimEnd]:
        if self._stream.in_fence:
            yield from self._show(len(self._buffer))
            return
        words = self._buffer.rstrip(_HELD)
        waiting = self._buffer[self._shown :]
        ended = next((at for at, held in enumerate(waiting) if held in _ENDS), -1)
        after = waiting[ended + 1 :].lstrip(_HELD) if ended >= 0 else ""
        if not after:
            yield from self._show(len(words))
        elif character in " \t" or _CJK.match(after[-1]) or len(after) > 40:  # the next word is known: decide
            spans = split_sentences(self._buffer)
            if len(spans) > 1:
                rest = self._buffer[spans[-1].start :]
                yield from self._end_claims(self._buffer[: spans[-1].start])
                self._buffer, self._shown = rest, 0
                yield from self._show(len(rest.rstrip(_HELD)))
            else:
                yield from self._show(len(words))

    def _end_line(self) -> Iterator[str | ClaimEnd]:
        if self._stream.in_fence or not self._is_claim(self._buffer):
            yield from self._show(len(self._buffer))
        else:
            yield from self._end_claims(self._buffer)
        self._buffer, self._shown = "", 0

    def _end_claims(self, text: str) -> Iterator[str | ClaimEnd]:
        """Close every sentence of `text`, the start of the buffer. The markers so far belong to the last one."""
        spans = split_sentences(text)
        starts = [0, *(span.start for span in spans[1:])]
        for index, start in enumerate(starts):
            end = starts[index + 1] if index + 1 < len(starts) else len(text)
            sentence = text[start:end]
            if not self._is_claim(sentence):
                yield from self._show(end)
                continue
            item = _ITEM.match(sentence)
            begin = item.end() if item else 0
            body = sentence[begin:].rstrip()
            tail = _TAIL.search(body)
            cut = tail.start() if tail and tail.start() else len(body)
            yield from self._show(start + begin + cut)
            markers = tuple(self._found) if index + 1 == len(starts) else ()
            yield ClaimEnd(body, markers, body[cut:])
            if index + 1 == len(starts):
                self._found = []
            self._shown = start + begin + len(body)
            yield from self._show(end)

    def _show(self, end: int) -> Iterator[str]:
        if end > self._shown:
            yield self._buffer[self._shown : end]
            self._shown = end

    @staticmethod
    def _is_claim(text: str) -> bool:
        stripped = text.strip().rstrip("*_ ")
        if not any(character.isalnum() for character in stripped):
            return False
        return not stripped.startswith(("#", "```", "~~~")) and not stripped.endswith((":", "："))


def claims_in(text: str) -> list[ClaimEnd]:
    """Give the claims of a whole text, in order."""
    stream = ClaimStream()
    events = [*stream.feed(text), *stream.flush()]
    return [event for event in events if isinstance(event, ClaimEnd)]


def without_markers(text: str) -> str:
    """Give the text as it is shown before any citation is placed."""
    stream = ClaimStream()
    return "".join(
        event.tail if isinstance(event, ClaimEnd) else event for event in (*stream.feed(text), *stream.flush())
    )


def markers_in(text: str) -> list[Marker]:
    """Give the markers of a whole text, in order."""
    stream = MarkerStream()
    return [item for item in (*stream.feed(text), *stream.flush()) if isinstance(item, Marker)]


def _joined(items: Iterable[str | Marker]) -> list[str | Marker]:
    out: list[str | Marker] = []
    for item in items:
        if isinstance(item, str) and out and isinstance(out[-1], str):
            out[-1] += item
        else:
            out.append(item)
    return out


def _may_become_marker(held: str) -> bool:
    match = _BEGINS_MARKER.fullmatch(held)
    if not match or len(held) > _LONGEST_MARKER:
        return False
    bracket, word, numbers = match.groups()
    if bracket in "(（" and numbers and not word:
        return False
    return not word or any(known.startswith(word.lower()) for known in _WORDS)


def _numbers(raw: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for match in re.finditer(rf"{_RANGE.pattern}|{_NUMBER}", raw, re.IGNORECASE):
        if match.group(1) and int(match.group(1)) < int(match.group(2)) <= int(match.group(1)) + 20:
            numbers.extend(range(int(match.group(1)), int(match.group(2)) + 1))
        else:
            numbers.extend(int(number) for number in re.findall(_NUMBER, match.group()))
    return tuple(dict.fromkeys(numbers))
