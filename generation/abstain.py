"""When not to answer: before the model is asked, and when what it wrote is a refusal. Pure; knows no model."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from generation.calibrated import calibrations_for
from generation.matching import surface_of, terms_of
from generation.polarity import negations
from generation.prompts import REFUSALS, PromptLanguage
from generation.sureness import Calibration, moved
from retrieval.retrieval import Retrieval

ABSTENTIONS: dict[PromptLanguage, str] = {
    "en": "I could not find an answer to this in the documents.",
    "zh": "在这些文档中没有找到这个问题的答案。",
}

_REFUSAL_EN = re.compile(
    r"\b(?:do(?:es)?|did|can|could|is|are|was|were)(?: not|n[’']t|not) (?:\w+ ){0,4}?(?:contain|answer|mention|provide|"
    r"specif\w+|state|include|say|give|address|discuss|find|found|available|determin\w+|have (?:any |enough )?"
    r"information|indicate|cover|refer|directly|explicitly)"
    r"|\bno (?:\w+ ){0,3}?(?:information|mention|answer|passages?|details?|data)\b(?! (?:system|technology|theory))"
    r"|\b(?:un(?:able|known)|not (?:possible|clear|enough|sufficient)) (?:to|information)\b|\binsufficient information"
    r"|\bcannot be (?:determined|answered|found)|\bnot (?:mentioned|stated|specified|provided|given|found|answered)\b",
    re.IGNORECASE,
)
_ABOUT_EN = re.compile(
    r"\b(?:passages?|sources?|documents?|texts?|context|information|provided|question|article)\b", re.IGNORECASE
)
_SORRY = re.compile(
    r"^\W*(?:i (?:can ?not|can[’']t|could not|do not|don[’']t) (?:answer|find|determine|know|tell)|"
    r"i(?:[’']m| am)? (?:sorry|apologi[sz]e)|sorry|抱歉|很抱歉|对不起)",
    re.IGNORECASE,
)
_REFUSAL_ZH = re.compile(
    r"(?:无法|不能|难以)[^。，]{0,12}?(?:回答|确定|得知|判断|得出|找到|知道|提供|确认|获取)|"
    r"(?:没有|未|并未|并没有|不)[^。，]{0,10}?(?:提到|提及|说明|提供|给出|包含|找到|明确|涉及|指出|回答|相关信息|答案)"
)
_ASKS_FOR_A_WORD = re.compile(
    r"^\W*(?:(?:in|at|on|for|by|with|from|to|of|about|since|until) )?(?:who|whom|whose|what|which|when|where|how "
    r"(?:many|much|long|far|old|often|high|deep|big|heavy))\b|什么|哪|谁|多少|几[个天年月次号点]|何[时处]",
    re.IGNORECASE,
)
_OFFERS_A_CHOICE = re.compile(r"\bor\b|还是|或者?", re.IGNORECASE)
_ABOUT_ZH = re.compile("资料|段落|文档|文中|文章|原文|信息|问题|答案|上文|材料|内容")


# By a part of a model's name; `python -m benchmarks.abstention` shows what a line costs. The 1.5B model tells little:
# of 18 answerable English questions none is below .46, of 24 others 3 are; in Chinese nothing (benchmarks/LOG.md,
# 2026-11-25). Where a model wasn't measured, its No must be more than twice as sure as its Yes.
UNKNOWN_MODEL: Mapping[PromptLanguage, float] = {"en": 0.3, "zh": 0.3}
_CALIBRATED: Mapping[str, Mapping[PromptLanguage, float]] = {"qwen2.5-coder-1.5b": {"en": 0.46, "zh": 0.46}}
NOT_STATED = "the model doesn't see the answer in the passages"
NOT_LIKELY = "no sentence of the passages speaks of what is asked closely enough"


@dataclass(frozen=True, slots=True)
class AbstainConfig:
    """When not to answer. Floors are low on purpose: a wrong refusal can't be repaired later."""

    # How sure the model must be that the passages state the answer (`generation.stated`), by the question's language.
    least_stated: Mapping[PromptLanguage, float] = field(default_factory=lambda: dict(UNKNOWN_MODEL))
    # How likely the passages must hold the answer, by their own signals and the model's Yes (`generation.sureness`).
    calibrations: Mapping[PromptLanguage, Calibration] = field(default_factory=lambda: calibrations_for("", 0.5))
    # The retrieval's own figures; 0 switches a floor off.
    least_lexical_coverage: float = 0.0
    least_dense_best: float = 0.0
    # Where the fit of question and evidence (`generation.fit.question_fit`) and their closeness in meaning
    # (`retrieval.legs.relevance`) sum to less, the model is asked once more, sternly, and the answer stands only if it
    # doesn't refuse. Few words in common prove nothing by themselves: "How much time off do I get?" shares none with
    # "25 days of annual leave". Of 108 gold values, read as answers, 2 are asked for again, of 67 values that the
    # nearest sentence offers instead 19; at .6 one and 12, at .8 five and 28 (benchmarks/LOG.md, 2026-11-25).
    sure_sum: float = 0.7
    # The same where a name of the question stands in the passage, but not where the quote could refer to it; the fit is
    # then of what it can refer to. Of 108 right answers 5 are so, and 2 of them sum to less.
    sure_sum_named: float = 1.1
    # Below this fit, and with a name in the question that the evidence's passage doesn't hold, there is no answer. Of
    # 23 right answers on squad2_dev and xquad_zh this takes none, of 22 made-up ones 6 (benchmarks/LOG.md, 2026-11-22).
    named_fit: float = 0.6
    translated_named_fit: float = 0.35  # a small model's translation seldom spells a name as the document does


def stated_lines(model: str, strictness: float) -> dict[PromptLanguage, float]:
    """Give `least_stated` for a model by its name: its measured lines at `strictness` .5, none at 0, .95 at 1."""
    lines = next((lines for name, lines in _CALIBRATED.items() if name in model.lower()), UNKNOWN_MODEL)
    return {language: moved(line, strictness) for language, line in lines.items()}


def abstain_config(config: AbstainConfig, model: str, strictness: float) -> AbstainConfig:
    """Give the config with a model's lines at a strictness from 0 to 1; .5 is what was measured to be best."""
    scale = 2 * strictness if strictness <= 0.5 else 1 + (2 * strictness - 1) * 0.8
    return replace(
        config,
        least_stated=stated_lines(model, strictness),
        calibrations=calibrations_for(model, strictness),
        sure_sum=config.sure_sum * scale,
        sure_sum_named=config.sure_sum_named * scale,
    )


def reason_before(retrieval: Retrieval, config: AbstainConfig) -> str:
    """Say why not even to ask the model, "" to go on. Both legs must find nothing; an absent figure doesn't vote."""
    if not retrieval.hits:
        return "no passage was found"
    coverage = retrieval.evidence.get("lexical_coverage")
    dense = retrieval.evidence.get("dense_best")
    poor_words = coverage is None or coverage < config.least_lexical_coverage
    poor_meaning = dense is None or dense < config.least_dense_best
    if poor_words and poor_meaning and not (coverage is None and dense is None):
        return "the passages found have too little to do with the question"
    return ""


def only_repeats(question: str, claims: Sequence[str]) -> bool:
    """Tell whether the claims add no word to a question that asks for one: "Who built it?", "It was built." """
    if not _ASKS_FOR_A_WORD.search(question) or _OFFERS_A_CHOICE.search(question):
        return False
    return not any(terms_of(claim) - surface_of(question) or negations(claim) for claim in claims)


def is_refusal(text: str) -> bool:
    """Tell whether an answer's first sentence says, in whatever words, that the passages hold no answer."""
    # The fixed sentence counts wherever it stands: small models guess first and then say that they can't know.
    if any(refusal.rstrip(".。") in text for refusal in (*REFUSALS.values(), *ABSTENTIONS.values())):
        return True
    opening = text.strip()[:240]
    first = re.split(r"(?<=[.!?])\s|(?<=[。！？])|\n", opening, maxsplit=1)[0]
    if _SORRY.match(first):
        return True
    if _REFUSAL_EN.search(first) and _ABOUT_EN.search(first):
        return True
    return bool(_REFUSAL_ZH.search(first) and _ABOUT_ZH.search(first))
