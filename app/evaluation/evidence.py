"""Gold spans and quoted or retrieved text in, how much of the evidence is there out. Pure text, no offsets.

Text is compared without white space, case or full width (NFKC), so that line breaks and PDF spacing don't count. A
character of a gold span is found when it lies in a run of at least MIN_RUN compared characters (a Chinese one weighs
as much as CHINESE_WEIGHT others) that a passage has word for word: so a span cut by a passage's border still counts
for the part that is there, and words that all texts share don't count.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.evaluation.tokens import is_chinese

# What a span gets from its own documents once its own words are taken out, on DragonBall en / zh and Chroma:
# 18.7 / 11.7 / 8.9 % with runs of 24, 9.1 / 4.6 / 5.9 % with 32, 2.9 / 1.9 / 3.5 % with 48 (templated texts).
MIN_RUN = 48
CHINESE_WEIGHT = 2


@dataclass(frozen=True, slots=True)
class Quoted:
    """A piece of a document's text: a passage, or a citation's quote."""

    source: str
    text: str


def cut_to_budget(passages: Iterable[Quoted], budget_chars: int) -> list[Quoted]:
    """Keep the first `budget_chars` characters altogether, in rank order; the last passage is cut short."""
    kept = []
    for passage in passages:
        if budget_chars <= 0:
            break
        kept.append(Quoted(passage.source, passage.text[:budget_chars]))
        budget_chars -= len(passage.text)
    return kept


def evidence_recall(spans: Sequence[str], passages: Sequence[Quoted], gold: Sequence[str] = ()) -> float:
    """Give the mean over the gold spans of the share of their characters found in the passages of gold documents.

    After the evidence recall of DragonBall (RAGEval, Zhu et al., 2024), which counts whole sentences, with the partial
    credit by character of Chroma's chunking evaluation (Smith & Troynikov, 2024). Without gold documents any passage
    counts. No spans: 0.
    """
    texts = [comparable(passage.text) for passage in passages if not gold or passage.source in gold]
    shares = [covered_share(span, texts) for span in map(comparable, spans) if span]
    return sum(shares) / len(shares) if shares else 0.0


def covered_share(span: str, texts: Iterable[str]) -> float:
    """Give the share of a span's characters in runs that one of the texts has too; all `comparable` beforehand."""
    run = _run_length(span)
    covered = bytearray(len(span))
    for text in texts:
        runs = {text[start : start + run] for start in range(len(text) - run + 1)}
        for start in range(len(span) - run + 1):
            if span[start : start + run] in runs:
                covered[start : start + run] = b"\1" * run
    return sum(covered) / len(span)


def overlaps(quote: str, span: str) -> bool:
    """Tell whether a quote and a gold span share words: a common run, or the whole of the shorter one."""
    left, right = comparable(quote), comparable(span)
    if not left or not right:
        return False
    shorter, longer = sorted((left, right), key=len)
    return covered_share(shorter, [longer]) > 0


def comparable(text: str) -> str:
    """Give the text as it is compared: NFKC, lower case, no white space."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _run_length(span: str) -> int:
    chinese = sum(map(is_chinese, span)) > len(span) / 2
    return min(len(span), MIN_RUN // CHINESE_WEIGHT if chinese else MIN_RUN)
