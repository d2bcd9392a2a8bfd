"""Bytes of unknown encoding in, text out. Knows nothing about files.

Strict UTF-8 and byte order marks decide almost every file. For the rest each candidate decoding is scored by how
ordinary its characters are: the hundred most frequent Chinese characters make up a third of any Chinese text and next
to nothing of a wrong decoding, which settles even one short sentence. General detectors fail on those.
"""

import codecs
import re
from dataclasses import dataclass
from io import IncrementalNewlineDecoder

from charset_normalizer import from_bytes

from ingest.load_draft import clean_text

_SAMPLE_BYTES = 200_000
_WINDOW_BYTES = 1_000_000
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FREQUENT = frozenset(
    "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没日于起还"
    "发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知现二分将外但身些与高意进把法此实回理使电问题请"
    "這來個國說們為時會著過學對裡後麼沒於還發當無開見經頭動兩長現將進實電題請與從機關體點變號應該讓業東車書間問萬員臺灣"
)
_ALPHABETS = ["cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "koi8_r", "koi8_u"]
_ALPHABETS += ["iso8859_2", "iso8859_5", "iso8859_7", "cp866", "cp874"]
_HIRAGANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]")
_IDEOGRAPH = re.compile("[\u3400-\u9fff]")
_CJK_PUNCTUATION = re.compile("[\u3000-\u3003\u3008-\u3011\u2018-\u201d\uff01-\uff5e\u2014\u2026\u00b7]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_ODD = re.compile("[\uff61-\uff9f\ue000-\uf8ff\u0080-\u009f\ufffd]")
_LATIN_ACCENTED = re.compile(
    "[A-Za-z]?[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0152\u0153\u0160\u0161\u017d\u017e\u0178]"
)
_LATIN_PUNCTUATION = re.compile("[‘’“”–—…•€£§°«»©®™·¿¡²³½¼º±×\u00a0\u00b4]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text with the name of the encoding it was read by; `replaced` counts bytes that fit no character."""

    text: str
    encoding: str
    replaced: int = 0


def decode_bytes(data: bytes) -> Decoded | None:
    """Read text of unknown encoding; None when the bytes aren't text."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            text = data.decode(encoding, "replace")
            return Decoded(text.removeprefix("\ufeff"), encoding.removesuffix("-sig"), text.count("\ufffd"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_other(data)
    if data.count(0, 0, _SAMPLE_BYTES) > 0.2 * min(len(data), _SAMPLE_BYTES):
        return _decode_wide(data)
    return Decoded(text, "utf-8") if _reads_as_text(text) else None


def decode_large_utf8(data: bytes) -> str | None:
    """Read hundreds of megabytes of UTF-8 window by window, line ends and control characters mended on the way, so that
    there is never a second copy of the text; None when `decode_bytes` must see to it.
    """
    decoder = IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=True)
    view, pieces = memoryview(data), []
    try:
        for start in range(0, len(data), _WINDOW_BYTES):
            window = view[start : start + _WINDOW_BYTES]
            piece = decoder.decode(bytes(window), final=start + _WINDOW_BYTES >= len(data))
            if start == 0 and ("\0" in piece or not _reads_as_text(piece)):
                return None
            pieces.append(clean_text(piece))
    except UnicodeDecodeError:
        return None
    return "".join(pieces)


def _decode_other(data: bytes) -> Decoded | None:
    if wide := _decode_wide(data):
        return wide
    if mostly := _decode_damaged_utf8(data):
        return mostly
    sample = data[:_SAMPLE_BYTES]
    best = max(_candidates(sample), default=(0.0, ""))
    encoding = best[1] if best[0] >= 0.5 else _ask_detector(sample)
    text = data.decode(encoding or "utf-8", "replace")  # as a last resort a few broken bytes in a plain text
    replaced = text.count("\ufffd")
    if replaced > 0.01 * len(text) or not _reads_as_text(text):
        return None
    return Decoded(text, encoding or "utf-8", replaced)


def _decode_wide(data: bytes) -> Decoded | None:
    """UTF-16 without a mark: every other byte of its spaces, digits and line ends is zero."""
    sample = data[: _SAMPLE_BYTES & ~1]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) < 0.01 * len(sample) or min(even, odd) > 0.2 * max(even, odd):
        return None
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    text = data.decode(encoding, "replace")
    return Decoded(text, encoding, text.count("\ufffd")) if _reads_as_text(text) else None


def _decode_damaged_utf8(data: bytes) -> Decoded | None:
    text = data.decode("utf-8", "replace")
    replaced = text.count("\ufffd")
    beyond_ascii = sum(1 for character in text[:_SAMPLE_BYTES] if character > "\x7f" and character != "\ufffd")
    allowed = max(0.02 * beyond_ascii, 1 if beyond_ascii >= 4 else 0)  # valid sequences hardly ever come by chance
    if not replaced <= allowed or not _reads_as_text(text):
        return None
    return Decoded(text, "utf-8", replaced)


def _candidates(sample: bytes) -> list[tuple[float, str]]:
    """Score each candidate encoding from 0 (implausible) to 2, best when its characters are ordinary ones."""
    scores = []
    for encoding, score in (
        ("gb18030", _score_chinese),
        ("big5", _score_chinese),
        ("cp932", _score_japanese),
        ("euc_jp", _score_japanese),
        ("cp949", _score_korean),
        ("cp1252", _score_latin),
    ):
        text = sample.decode(encoding, "replace")
        if text.count("\ufffd") <= 0.002 * len(text) + (len(sample) == _SAMPLE_BYTES):
            scores.append((score(text), encoding))
    return scores


def _score_chinese(text: str) -> float:
    characters = _IDEOGRAPH.findall(text)
    beyond = sum(1 for character in text if character > "\x7f")
    if not characters:
        return 0.0
    common = sum(1 for character in characters if _is_common_hanzi(character))
    frequent = sum(1 for character in characters if character in _FREQUENT)
    punctuation = len(_CJK_PUNCTUATION.findall(text))
    if len(characters) == 1:  # a stray byte in an English text swallows its neighbour
        return 0.4
    return (common + punctuation) / beyond * 0.8 + min(frequent / len(characters) / 0.2, 1.0) * 0.8


def _is_common_hanzi(character: str) -> bool:
    """Tell whether it is among the first-level characters of GB 2312 (3,755) or of Big5 (5,401)."""
    simplified = character.encode("gb2312", "ignore")
    if simplified and 0xB0 <= simplified[0] <= 0xD7:
        return True
    traditional = character.encode("big5", "ignore")
    return bool(traditional) and 0xA4 <= traditional[0] <= 0xC6


def _score_japanese(text: str) -> float:
    beyond = sum(1 for character in text if character > "\x7f")
    kana = len(_HIRAGANA.findall(text))
    ordinary = kana + len(_IDEOGRAPH.findall(text)) + len(_CJK_PUNCTUATION.findall(text))
    if not beyond or kana < 0.2 * beyond:
        return 0.0
    return (ordinary - 2 * len(_ODD.findall(text))) / beyond * 1.5


def _score_korean(text: str) -> float:
    beyond = sum(1 for character in text if character > "\x7f")
    hangul = len(_HANGUL.findall(text))
    if not hangul or hangul < 0.95 * beyond:
        return 0.0
    return 1.25 * min(hangul / 8, 1.0)  # a few Chinese characters in GB 2312 may all happen to be Hangul in KS X 1001


def _score_latin(text: str) -> float:
    """Western text: accented letters inside words that are otherwise ASCII, and typographic marks."""
    beyond = sum(1 for character in text if character > "\x7f")
    letters = sum(1 for character in text if character.isascii() and character.isalpha())
    if not beyond or beyond > 0.5 * (letters + 1):
        return 0.0
    ordinary = sum(1 for found in _LATIN_ACCENTED.findall(text)) + len(_LATIN_PUNCTUATION.findall(text))
    uppercase_inside = len(re.findall("[a-z][\u00c0-\u00de]", text))
    return max(0.0, (ordinary - uppercase_inside) / beyond) * (1.0 - beyond / (letters + 1)) * 1.2


def _ask_detector(sample: bytes) -> str | None:
    """Ask for other alphabets, which fill a text with bytes beyond ASCII; a few such bytes are just damage."""
    if sum(1 for byte in sample[:50_000] if byte > 0x7F) < 0.03 * len(sample[:50_000]):
        return None
    best = from_bytes(sample[:50_000], cp_isolation=_ALPHABETS).best()
    return best.encoding if best is not None and best.chaos < 0.2 else None


def _reads_as_text(text: str) -> bool:
    sample = text[:_SAMPLE_BYTES]
    control = sum(
        1 for character in sample if (character < " " and character not in "\t\n\r\f\x1b") or character == "\x7f"
    )
    return control <= 2 + 0.02 * len(sample)
