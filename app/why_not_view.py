"""A WhyNot in, a JSON object and lines of text out: what `footnote search --why-not` prints."""

from typing import Any

from retrieval.why_not import LegTrace, WhyNot


def why_not_json(trace: WhyNot) -> dict[str, Any]:  # values of many types
    """Give one document's entry in `search --why-not --json`."""
    best = trace.best
    return {
        "document": trace.document,
        "kb": trace.kb,
        "source": trace.source,
        "title": trace.title,
        "verdict": trace.verdict,
        "reason": trace.reason,
        "score": _rounded(trace.score),
        "lacked": _rounded(trace.lacked),
        "best": None if best is None else {"chunk_id": best.chunk.id, "page": best.chunk.page, "text": best.chunk.text},
        "matched_terms": [] if best is None else list(best.matched_terms),
        "missing_terms": list(trace.missing_terms),
        "legs": [
            {
                "leg": leg.leg,
                "rank": leg.rank,
                "score": _rounded(leg.score),
                "taken": leg.taken,
                "last_score": _rounded(leg.last_score),
                "note": leg.note,
            }
            for leg in trace.legs
        ],
    }


def why_not_lines(trace: WhyNot) -> list[str]:
    """Say for people what became of a document."""
    lines = [f"{trace.source or trace.document} ({trace.kb}): {trace.reason}"]
    lines += [f"   {leg_line(leg)}" for leg in trace.legs]
    if trace.best is not None:
        terms = f"terms it has: {', '.join(trace.best.matched_terms) or 'none'}"
        lines.append(f"   {terms}; terms it lacks: {', '.join(trace.missing_terms) or 'none'}")
        lines.append(f"   its best passage ({trace.best.score:.3f}): {' '.join(trace.best.chunk.text.split())[:200]}")
    return lines


def leg_line(leg: LegTrace) -> str:
    """Say what one leg made of a document's best passage."""
    if leg.score is None:
        return f"{leg.leg}: no score: {leg.note}"
    rank = f"rank {leg.rank:,}" if leg.rank is not None else "beyond rank 10,000"
    last = f", down to {leg.last_score:.3f}" if leg.last_score is not None else ""
    return f"{leg.leg}: {rank}, score {leg.score:.3f}; the search took the best {leg.taken}{last}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
