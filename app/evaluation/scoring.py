"""One question with what came back in, its metrics by name out. A metric that doesn't apply is not there.

Every figure of a set is the mean of one metric over the questions that have it, so what a question has decides who
counts: unanswerable questions have no retrieval metrics, only declined ones have abstention precision, and so on.
"""

import re
from collections.abc import Iterable

from app.evaluation.evidence import Quoted, cut_to_budget, evidence_recall
from app.evaluation.metrics_answer import contains, exact_match, f1, parts_found
from app.evaluation.metrics_citation import citation_precision, citation_recall, is_judgeable
from app.evaluation.metrics_retrieval import (
    groups_at,
    ndcg_at,
    ranked_documents,
    recall_at,
    reciprocal_rank_at,
    relevant,
    success_at,
)
from app.evaluation.sets import Question
from generation.answer import Answer
from retrieval.retrieval import Retrieval

EVIDENCE_PASSAGES = 5
_MARKER = re.compile(r"\s*\[(\d+(?:\s*[,，、]\s*\d+)*)\]")


def score_retrieval(question: Question, retrieval: Retrieval, budget_chars: int) -> dict[str, float]:
    """Score the hits. Questions without gold documents or spans, unanswerable ones among them, have no metrics."""
    if not question.answerable:
        return {}
    ranking = ranked_documents(hit.source for hit in retrieval.hits)
    scores: dict[str, float] = {}
    if relevant(question.relevance):
        for k in (1, 5, 10):
            scores[f"recall@{k}"] = recall_at(ranking, question.relevance, k)
        for k in (1, 5, 10):
            scores[f"success@{k}"] = success_at(ranking, question.relevance, k)
        scores["mrr@10"] = reciprocal_rank_at(ranking, question.relevance, 10)
        scores["ndcg@10"] = ndcg_at(ranking, question.relevance, 10)
    if question.gold_groups:
        scores["parts@5"] = groups_at(ranking, question.gold_groups, 5)
        scores["parts@10"] = groups_at(ranking, question.gold_groups, 10)
    if question.gold_spans:
        top = [Quoted(hit.source, hit.chunk.text) for hit in retrieval.hits[:EVIDENCE_PASSAGES]]
        gold = sorted(relevant(question.relevance))
        scores["evidence@5"] = evidence_recall(question.gold_spans, cut_to_budget(top, budget_chars), gold)
    return scores


def score_answer(question: Question, answer: Answer) -> dict[str, float]:
    """Score the answer. Declining an answerable question is a wrong answer: 0, not left out."""
    scores = _abstention(question, declined=answer.abstained)
    if not question.answerable:
        return scores
    text = "" if answer.abstained else plain_text(answer)
    if question.answers:
        scores["exact_match"] = exact_match(text, question.answers)
        scores["f1"] = f1(text, question.answers)
        if question.answer_groups:
            found = parts_found(text, question.answer_groups)
            scores |= {"contains": float(found == 1), "parts": found}
        else:
            scores["contains"] = contains(text, question.answers)
    if not answer.abstained and is_judgeable(question):
        citations = shown_citations(answer)
        scores["citation_precision"] = citation_precision(question, citations)
        scores["citation_recall"] = citation_recall(question, citations)
        scores["cited"] = float(scores["citation_precision"] > 0)
    return scores


def _abstention(question: Question, *, declined: bool) -> dict[str, float]:
    """Abstaining is the positive class: recall over the unanswerable questions, precision over the declined ones."""
    scores = {"declined_answerable": float(declined)} if question.answerable else {"abstention_recall": float(declined)}
    if declined:
        scores["abstention_precision"] = float(not question.answerable)
    return scores


def plain_text(answer: Answer) -> str:
    """Give what the model wrote without its citation markers; other bracketed numbers stay."""
    markers = {str(citation.marker) for claim in answer.claims for citation in claim.citations}
    markers.update(number for marker in answer.unresolved for number in re.findall(r"\d+", marker))

    def without(match: re.Match[str]) -> str:
        return "" if markers.issuperset(re.findall(r"\d+", match[1])) else match[0]

    return _MARKER.sub(without, answer.claimed_text)


def shown_citations(answer: Answer) -> list[Quoted]:
    """Give each distinct quote the answer offers as support; those it calls unsupported are no citations."""
    shown = (citation for claim in answer.claims for citation in claim.citations if citation.status != "unsupported")
    return _distinct(Quoted(citation.source, citation.quote) for citation in shown)


def _distinct(quotes: Iterable[Quoted]) -> list[Quoted]:
    return list(dict.fromkeys(quotes))
