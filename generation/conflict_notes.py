"""What `conflicts.py` found in, the answer's conflicts with both citations and a sentence that says so out.

The sentence is ours, not the model's, in the language of the question.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath

from generation.answer import Conflict
from generation.composing import Composer, DatedOf, Lookups
from generation.conflicts import ConflictConfig, Found, find_conflicts
from generation.prompts import PromptLanguage, prompt_language
from retrieval.editions import Dated, which_is_newer
from retrieval.retrieval import Hit

_LONGEST_TITLE = 80
_HEAD: dict[PromptLanguage, str] = {"en": "Sources disagree: ", "zh": "资料不一致："}
_PAIR: dict[PromptLanguage, str] = {
    "en": "{title} says {value} [{marker}], {other_title} says {other} [{other_marker}]",
    "zh": "{title}为{value}[{marker}]，{other_title}为{other}[{other_marker}]",
}
_BETWEEN: dict[PromptLanguage, str] = {"en": "; ", "zh": "；"}
_END: dict[PromptLanguage, str] = {"en": ".", "zh": "。"}
_UNKNOWN: dict[PromptLanguage, str] = {"en": "; which is newer is not known", "zh": "，无法得知哪份较新"}
_TITLE: dict[PromptLanguage, str] = {"en": "“{title}”", "zh": "《{title}》"}
_DATED: dict[PromptLanguage, str] = {"en": " ({words})", "zh": "（{words}）"}
_NEWER: dict[PromptLanguage, str] = {"en": "newer", "zh": "较新"}
_FILE: dict[PromptLanguage, str] = {"en": "file of {day}", "zh": "文件日期{day}"}
_COMMA: dict[PromptLanguage, str] = {"en": ", ", "zh": "，"}


def state_conflicts(
    composer: Composer, hits: Sequence[Hit], lookups: Lookups, config: ConflictConfig
) -> tuple[tuple[Conflict, ...], str]:
    """Give the conflicts of a composed answer, and the sentence that says so, "" where there are none."""
    found = find_conflicts(composer.claims, hits, composer.question, similarity=lookups.similarity, config=config)
    conflicts = tuple(_conflict(one, composer, lookups.dated_of or _undated) for one in found)
    return conflicts, conflict_sentence(conflicts, prompt_language(composer.question))


def conflict_sentence(conflicts: Sequence[Conflict], language: PromptLanguage) -> str:
    """Say who says what, and which is newer; "" without conflicts."""
    if not conflicts:
        return ""
    return _HEAD[language] + _BETWEEN[language].join(_pair(one, language) for one in conflicts) + _END[language]


def _undated(hit: Hit) -> Dated:
    return Dated()


def _conflict(found: Found, composer: Composer, dated_of: DatedOf) -> Conflict:
    newer = which_is_newer(found.hit, found.other_hit, dated_of(found.hit), dated_of(found.other_hit))
    return Conflict(
        claim=found.claim,
        value=found.value,
        citation=found.citation,
        other_value=found.other_value,
        other=composer.cite(found.other_hit, found.other_span),
        newer=newer.newer,
        dated=newer.dated,
        other_dated=newer.other_dated,
        by_file=newer.by_file,
    )


def _pair(conflict: Conflict, language: PromptLanguage) -> str:
    titles = [" ".join(c.title.split())[:_LONGEST_TITLE] for c in (conflict.citation, conflict.other)]
    if titles[0] == titles[1]:
        titles = [PurePosixPath(c.source).name for c in (conflict.citation, conflict.other)]
    names = [
        _TITLE[language].format(title=title) + _when(conflict, dated, newer, language)
        for title, dated, newer in zip(titles, (conflict.dated, conflict.other_dated), ("one", "other"), strict=True)
    ]
    said = _PAIR[language].format(
        title=names[0], value=conflict.value, marker=conflict.citation.marker,
        other_title=names[1], other=conflict.other_value, other_marker=conflict.other.marker,
    )  # fmt: skip
    return said + (_UNKNOWN[language] if conflict.newer == "unknown" else "")


def _when(conflict: Conflict, dated: str, side: str, language: PromptLanguage) -> str:
    words = [_FILE[language].format(day=dated) if conflict.by_file else dated] if dated else []
    words += [_NEWER[language]] if conflict.newer == side else []
    return _DATED[language].format(words=_COMMA[language].join(words)) if words else ""
