"""Text with the boxes that a vision model writes in, the text without them and the boxes out. Pure.

Qwen-VL writes <ref>cat</ref><box>(x1,y1),(x2,y2)</box>, Qwen2-VL <|box_start|>(x1,y1),(x2,y2)<|box_end|>, both on a
scale of 0 to 1000. Qwen2.5-VL and Qwen3-VL write JSON, [{"bbox_2d": [x1, y1, x2, y2], "label": "cat"}], the first in
pixels of the picture, the second from 0 to 1000. Of several pictures a box is in the one that the text before it names
last ("picture 2"); where none is named it may be in any, so it is given for each, as a guess.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TAGGED = re.compile(
    r"(?:<ref>(?P<ref>.*?)</ref>|<\|object_ref_start\|>(?P<object>.*?)<\|object_ref_end\|>)?\s*"
    r"(?P<boxes>(?:<box>|<\|box_start\|>)[\s\d.,()\[\]]*(?:</box>|<\|box_end\|>)"
    r"(?:\s*(?:<box>|<\|box_start\|>)[\s\d.,()\[\]]*(?:</box>|<\|box_end\|>))*)",
    re.DOTALL,
)
_ONE_TAGGED = re.compile(r"(?:<box>|<\|box_start\|>)([\s\d.,()\[\]]*)(?:</box>|<\|box_end\|>)")
_LEFT_OVER = re.compile(r"</?(?:ref|box)>|<\|(?:object_ref|box)_(?:start|end)\|>")
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# Where something begins that may turn out to be a box, and so must not be shown yet.
_MAY_BEGIN = re.compile(r"<|`|\{|\[(?=\s*(?:\{|$))")
_NAMES = ("bbox_2d", "bbox", "box_2d")
_PICTURE = re.compile(r"(?:\b(?:picture|image|photo)\s*#?|图片|图像)\s*(\d{1,2})(?!\d)", re.IGNORECASE)
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Box:
    """A place in a picture, as fractions of its sides from the top left, and what the model says is there.

    `picture` is the picture's number, from 1; `is_guess` says that the model saw several and named none.
    """

    label: str
    left: float
    top: float
    right: float
    bottom: float
    picture: int = 1
    is_guess: bool = False


def take_boxes(
    text: str, sizes: Sequence[tuple[int, int]], *, in_pixels: bool, said: str = ""
) -> tuple[str, tuple[Box, ...]]:
    """Give the text as a reader sees it and the boxes in it. What can't be a box of the picture is left out.

    `sizes` are those of the pictures as they were sent; `in_pixels` says that numbers in JSON are their pixels. `said`
    is what was written before.
    """
    boxes: list[Box] = []
    thousandths = [(1000, 1000)] * len(sizes)
    scales = sizes if in_pixels else thousandths

    def tagged(match: re.Match[str]) -> str:
        label = (match["ref"] or match["object"] or "").strip()
        before = said + match.string[: match.start()]
        for one in _ONE_TAGGED.finditer(match["boxes"]):
            boxes.extend(_box(label, [float(n) for n in _NUMBER.findall(one[1])], thousandths, before))
        return label

    text = _LEFT_OVER.sub("", _TAGGED.sub(tagged, text))

    def fenced(match: re.Match[str]) -> str:
        kept, found = _without_json(match[1], scales, said + match.string[: match.start()])
        boxes.extend(found)
        return kept.strip() if found else match[0]

    text, found = _without_json(_FENCE.sub(fenced, text), scales, said)
    return text, (*boxes, *found)


def held_from(text: str) -> int:
    """Give from where on a text that is still being written may hold a box."""
    match = _MAY_BEGIN.search(text)
    return match.start() if match else len(text)


def _without_json(text: str, scales: Sequence[tuple[int, int]], said: str) -> tuple[str, list[Box]]:
    parts: list[str] = []
    found: list[Box] = []
    position = 0
    for match in re.finditer(r"[\[{]", text):
        if match.start() < position:
            continue
        try:
            value, end = _DECODER.raw_decode(text, match.start())
        except json.JSONDecodeError:
            continue
        if not (records := list(_records(value))):
            continue
        before = said + text[: match.start()]
        found += [box for label, numbers in records for box in _box(label, numbers, scales, before)]
        parts.append(text[position : match.start()] + ", ".join(dict.fromkeys(label for label, _ in records if label)))
        position = end
    return "".join(parts) + text[position:], found


def _records(value: object) -> Iterator[tuple[str, list[float]]]:
    """Give what in a JSON value says that it is a box: its label and its numbers."""
    for record in value if isinstance(value, list) else [value]:
        if isinstance(record, dict) and (numbers := next((record[n] for n in _NAMES if n in record), None)) is not None:
            numbers = numbers if isinstance(numbers, list) else []
            label = record.get("label") or record.get("text_content") or ""
            yield str(label), [float(n) for n in numbers if isinstance(n, int | float)]


def _box(label: str, numbers: list[float], scales: Sequence[tuple[int, int]], before: str) -> Iterator[Box]:
    """Give the box in the picture that is meant, or in each that may be. `before` is the text up to it."""
    if len(numbers) != 4:
        return
    meant = [int(number) for number in _PICTURE.findall(f"{before} {label}") if 1 <= int(number) <= len(scales)]
    for picture in meant[-1:] or range(1, len(scales) + 1):
        width, height = scales[picture - 1]
        across, down = (min(1.0, n / width) for n in numbers[::2]), (min(1.0, n / height) for n in numbers[1::2])
        (left, right), (top, bottom) = sorted(across), sorted(down)
        if left < right and top < bottom:
            yield Box(label, left, top, right, bottom, picture, is_guess=not meant and len(scales) > 1)
