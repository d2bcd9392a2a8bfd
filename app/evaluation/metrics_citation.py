"""An answer's citations and a question's gold evidence in, citation precision and recall out (0 to 1).

After ALCE (Gao et al., EMNLP 2023), whose precision is the share of an answer's citations that support it and whose
recall the share of its statements that are supported, as a mean over answers. ALCE asks an entailment model; we ask
the gold evidence. A citation is right when it quotes a gold document and its quote shares words with a gold span or,
where a question has no gold spans, contains a gold answer.
"""

from collections.abc import Sequence

from app.evaluation.evidence import Quoted, overlaps
from app.evaluation.metrics_answer import contains
from app.evaluation.metrics_retrieval import relevant
from app.evaluation.sets import Question


def is_judgeable(question: Question) -> bool:
    """Tell whether the question has labels that can tell a right citation from a wrong one."""
    return question.answerable and bool(question.gold_spans or (question.relevance and _answers(question)))


def citation_precision(question: Question, citations: Sequence[Quoted]) -> float:
    """Give the share of the citations that are right; 0 for an answer without any, as in ALCE's own script."""
    return sum(is_right(question, citation) for citation in citations) / len(citations) if citations else 0.0


def citation_recall(question: Question, citations: Sequence[Quoted]) -> float:
    """Give the share of the gold spans that a right citation shares words with.

    Without gold spans the evidence is one piece: 1 when a citation is right, else 0.
    """
    right = [citation for citation in citations if is_right(question, citation)]
    if not question.gold_spans:
        return float(bool(right))
    cited = sum(any(overlaps(citation.text, span) for citation in right) for span in question.gold_spans)
    return cited / len(question.gold_spans)


def is_right(question: Question, citation: Quoted) -> bool:
    """Tell whether one citation quotes the gold evidence."""
    if question.relevance and citation.source not in relevant(question.relevance):
        return False
    if question.gold_spans:
        return any(overlaps(citation.text, span) for span in question.gold_spans)
    return contains(citation.text, _answers(question)) == 1


def _answers(question: Question) -> tuple[str, ...]:
    """Give every gold text that a quote may hold: one part of the answer is enough for one citation."""
    parts = (alternative for group in question.answer_groups for alternative in group)
    return tuple(parts) or question.answers
