"""Text in, the names and codes it spells out. Pure; reads capitals and digits, knows no dictionary."""

import difflib
import re
import unicodedata

from generation.matching import missing, surface_of, terms_of
from ingest.language import has_cjk

_WORD = re.compile(r"[^\W_\u3040-\u9fff]+(?:[.'’&/-][^\W_\u3040-\u9fff]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?。！？:：\"“‘(\n]\s*)$")
# Capitalised for other reasons than being a name.
_NO_NAMES = frozenset(
    re.findall(
        r"\w+",
        "i mr mrs ms dr prof sir lord lady st the a an yes no ok january february march april may june july august "
        "september october november december monday tuesday wednesday thursday friday saturday sunday passage english "
        "chinese ad bc ce bce am pm usd rmb cny eur q",
    )
)


# A thing among its like: "Dipper 4", "Line A", 4型, A线; not "On 4 March", "Is A ...".
_NO_THING = (
    r"(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|In|On|By|At|For|From|The|After|Before|Until|Since|"
    r"Within|Is|Was|Are|Were|Does|Did|Do|Can|If|And|But|Or|As|To|Of|Has|Such|What|When|Who|Which|How|Why|That|It)"
)
_NUMBERED = re.compile(
    rf"\b(?!{_NO_THING}\b)[A-Z][a-z]+(?:[ -]\d{{1,3}}\b(?![.,:]\d)| [A-Z]\b(?!['’]|\.\s*[A-Z]))"
    r"|(?<![\d.月])\d{1,3}(?:[型代]|号[^\W\dA-Za-z]{0,2}?(?=[线楼船台机]))|(?<![A-Za-z])[A-Z](?=[线楼座区栋型])[线楼座区栋型]"
)


def names_in(text: str) -> list[str]:
    """Give capitalised words and codes, as far as their spelling shows that they are names; Latin words in Chinese."""
    chinese = has_cjk(text)
    found = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word.lower() in _NO_NAMES or word.isdigit() or len(word) < 2:
            continue
        code = any(c.isdigit() for c in word) and any(c.isalpha() for c in word) and not re.match(r"\d+[a-z]+$", word)
        inner = any(c.isupper() for c in word[1:])
        starts = bool(_SENTENCE_START.search(text[: match.start()]))
        if code or inner or (word[0].isupper() and not starts) or (chinese and word.isalpha() and len(word) > 2):
            found.append(word)
    return list(dict.fromkeys(found))


def unknown_names(text: str, known: str) -> list[str]:
    """Give the names of `text` that `known` spells neither so nor in a related form nor as the words of an acronym."""
    surface = surface_of(known)
    lowered = known.lower()
    return [
        name
        for name in names_in(text)
        if name.lower() not in lowered and missing(terms_of(name), surface) and not _abbreviates(name, known)
    ]


def unknown_subjects(question: str, known: str) -> list[str]:
    """Give what a question names and `known` doesn't hold: names, and the numbers of things, as in "Dipper 4" or 4号.

    None where capitals show nothing, as IN A TITLE. Words in brackets were carried over from an earlier question.
    """
    asked = re.sub(r"\([^)]*\)", " ", question)
    words = _WORD.findall(asked)
    if not has_cjk(asked) and 2 * sum(word[0].isupper() for word in words[1:]) > len(words):
        return []
    return [name for name in unknown_names(asked, known) if not _misspelt(name, known)] + [
        label.group() for label in _NUMBERED.finditer(asked) if _squeezed(label.group()) not in _squeezed(known)
    ]


def other_of_its_kind(asked: str, evidence: str, before: str) -> str:
    """Give the numbered thing that the evidence speaks of in place of the one asked about, "" when there is none.

    A price in the column "Dipper 3" is no price of the Dipper 4. `before` is the text before the evidence, which may
    name what the evidence then only refers to.
    """
    for label in dict.fromkeys(match.group() for match in _NUMBERED.finditer(asked)):
        kind = _kind(label)
        there = [other.group() for other in _NUMBERED.finditer(evidence) if _kind(other.group()) == kind]
        known = {_squeezed(other) for other in there} | {_squeezed(m.group()) for m in _NUMBERED.finditer(before)}
        if there and _squeezed(label) not in known:
            return there[0]
    return ""


def numbered_things(text: str) -> tuple[str, ...]:
    """Give the things that the text tells apart by number: Dipper 4, 4型."""
    return tuple(dict.fromkeys(match.group() for match in _NUMBERED.finditer(text)))


def numbered_kinds(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give the kinds of things that the text tells apart by number, in small letters, each with its things."""
    kinds: dict[str, list[str]] = {}
    for label in numbered_things(text):
        kinds.setdefault(re.sub(r"[ -]?#", "", _kind(label)), []).append(label)
    return tuple((kind, tuple(labels)) for kind, labels in kinds.items())


def _kind(label: str) -> str:
    """Give the label without what tells it from others of its kind: "dipper #", "#线"."""
    return re.sub(r"[ -](?:\d+|[A-Z])$|^(?:\d+|[A-Z](?![a-z]))", "#", label).lower()


def _misspelt(name: str, known: str) -> bool:
    """Tell whether `known` holds the name with other accents or a letter off: Celeron, Céloron."""
    plain = _without_accents(name)
    words = {_without_accents(word) for word in _WORD.findall(known)}
    return any(difflib.SequenceMatcher(None, plain, word).ratio() >= 0.85 for word in words if word[:1] == plain[:1])


def _without_accents(text: str) -> str:
    text = re.sub(r"['’]s$", "", text)
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


def _squeezed(text: str) -> str:
    return re.sub(r"[\s-]+", "", text).lower()


def acronyms_of(text: str, known: str) -> list[str]:
    """Give the acronyms of `text` whose words `known` spells out."""
    return [name for name in names_in(text) if _abbreviates(name, known)]


def _abbreviates(name: str, text: str) -> bool:
    """Tell whether the name's letters are the initials of words in a row: UN, U.S."""
    letters = re.sub(r"[^A-Za-z]", "", name)
    if not 2 <= len(letters) <= 6 or not letters.isupper():
        return False
    initials = "".join(word[0] for word in re.findall(r"[A-Za-z]+", text) if word not in ("of", "the", "and", "for"))
    return letters.lower() in initials.lower()
