"""A question set in, claims of known truth over gold passages among distractors out. Seeded; knows no check.

Half of the documents (by a hash of their id) are for mending, the other half judges.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from app.evaluation.sets import EvaluationSet, Question, Record
from benchmarks.trust_edits import EDITS, other_form
from ingest.document import Chunk, Span
from ingest.sentences import split_sentences
from ingest.terms import content_terms
from retrieval.retrieval import Hit

_ASKING_ZH = re.compile("什[么麼]|[谁誰]|哪[里裡个個些位年种種一]?(?:国家|國家|地区|地區)?|多少|何[时時地]|几|幾")
_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?!\n)[^\n]+)*")


@dataclass(frozen=True, slots=True)
class Case:
    """A claim, what it was made by, whether it is true, and the gold sentence within the passage of rank 1."""

    question: str
    claim: str
    kind: str
    is_true: bool
    passages: tuple[Hit, ...]
    gold: Span


def cases(questions: EvaluationSet, size: int, *, seed: int, held_out: bool, n_near: int = 4) -> Iterator[Case]:
    """Give the cases of `size` questions of one half of the documents, in a stable order, among `n_near` passages."""
    records = [record for record in questions.records if _is_held_out(record) == held_out]
    passages = [hit for record in records for hit in _passages(record)]
    terms = [frozenset(content_terms(hit.chunk.text)) for hit in passages]
    asked = [q for q in questions.questions if q.answerable and q.answers]
    random.Random(seed).shuffle(asked)
    n_taken = 0
    for question in asked:
        found = _evidence(question, passages)
        if found is None:
            continue
        at, span = found
        if span.of(passages[at].chunk.text).rstrip("*_ ").endswith((":", "：")):
            continue  # what only announces a list is no claim
        n_taken += 1
        wanted = frozenset(content_terms(question.question))
        near = sorted((i for i in range(len(passages)) if i != at), key=lambda i: (-len(wanted & terms[i]), i))[:n_near]
        shown = tuple(_ranked(passages[i], rank) for rank, i in enumerate((at, *near), 1))
        sentence = span.of(passages[at].chunk.text)
        yield from _cases_of(question, sentence, shown, span, random.Random(f"{seed} {question.id}"))
        if n_taken == size:
            return


def _cases_of(
    question: Question, sentence: str, shown: tuple[Hit, ...], gold: Span, rng: random.Random
) -> Iterator[Case]:
    others = [s.of(shown[0].chunk.text) for s in split_sentences(shown[0].chunk.text) if s != gold]
    true = {"sentence": sentence, "other form": other_form(sentence)}
    answer = question.answers[0].strip("。. ")
    if len(answer) <= 40 and answer in sentence:
        true["value"] = answer
        true["statement"] = statement(question.question, answer)
    for kind, claim in true.items():
        if claim:
            yield Case(question.question, " ".join(claim.split()), kind, True, shown, gold)
    for base in ("sentence", "statement"):
        for kind, edit in EDITS.items():
            claim = edit(true.get(base) or "", others, rng)
            if claim and claim not in shown[0].chunk.text:
                yield Case(question.question, " ".join(claim.split()), kind, False, shown, gold)


def statement(question: str, answer: str) -> str | None:
    """Turn question and answer into a sentence, None where no simple template does."""
    asked = question.strip().rstrip("?？")
    if found := re.fullmatch(r"(?:Who|What|Where) (is|was|are|were) (.+)", asked):
        return f"{found[2][0].upper()}{found[2][1:]} {found[1]} {answer}."
    if found := re.fullmatch(r"Who ((?!did|do|does|is|was)\w+ .+)", asked):
        return f"{answer} {found[1]}."
    if found := re.fullmatch(r"(?:When|In what year|What year) did (.+)", asked):
        return f"{found[1][0].upper()}{found[1][1:]} in {answer}."
    match = _ASKING_ZH.search(asked)
    if not match or len(_ASKING_ZH.findall(asked)) != 1:
        return None
    rest = asked[match.end() :]
    shared = next((n for n in range(min(4, len(answer), len(rest)), 0, -1) if answer.endswith(rest[:n])), 0)
    return f"{asked[: match.start()]}{answer}{rest[shared:]}。"


def _evidence(question: Question, passages: Sequence[Hit]) -> tuple[int, Span] | None:
    """Give the one sentence of the gold documents that holds the evidence, None where several could be it."""
    found = []
    for at, hit in enumerate(passages):
        if hit.source not in question.relevance:
            continue
        for span in split_sentences(hit.chunk.text):
            text = span.of(hit.chunk.text)
            spans = [gold for gold in question.gold_spans if len(gold) > 12]
            if any(text in gold or gold in text for gold in spans) if spans else question.answers[0] in text:
                found.append((at, span))
    return found[0] if found and (len(found) == 1 or question.gold_spans) else None


def _passages(record: Record) -> Iterator[Hit]:
    for n, match in enumerate(_PARAGRAPH.finditer(record.text)):
        span = Span(*match.span())
        chunk = Chunk(f"{record.id}-{n}", record.id, span, match.group(), (), None)
        yield Hit(chunk, record.id, record.title, 1, 1.0, {})


def _ranked(hit: Hit, rank: int) -> Hit:
    return Hit(hit.chunk, hit.source, hit.title, rank, 1 / rank, {})


def _is_held_out(record: Record) -> bool:
    return sha256(record.id.encode()).digest()[0] % 2 == 1
