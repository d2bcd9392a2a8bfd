"""The rankings of a question's queries in, one ranking out. Pure."""

from collections.abc import Sequence

from retrieval.fuse import Fused


def merged(first: Sequence[Fused], second: Sequence[Fused]) -> list[Fused]:
    """Join two rankings of the same rows by score; each query judges the rows in its own language."""
    best: dict[str, Fused] = {}
    for entry in (*first, *second):
        known = best.get(entry.candidate.chunk.id)
        if not entry.candidate.is_foreign and (known is None or known.score < entry.score):
            best[entry.candidate.chunk.id] = entry
    return sorted(best.values(), key=lambda entry: (-entry.score, entry.candidate.chunk.id))


def with_said(asked: Sequence[Fused], around: Sequence[Fused], weight: float) -> list[Fused]:
    """Join the rankings without and with the previous answer; of a row's two scores the higher one counts."""
    best = {entry.candidate.chunk.id: entry for entry in asked}
    for entry in around:
        lesser = Fused(entry.candidate, weight * entry.score)
        known = best.setdefault(entry.candidate.chunk.id, lesser)
        if known.score < lesser.score:
            best[entry.candidate.chunk.id] = lesser
    return sorted(best.values(), key=lambda entry: (-entry.score, entry.candidate.chunk.id))


def with_parts(whole: Sequence[Fused], parts: Sequence[Sequence[Fused]], whole_weight: float) -> list[Fused]:
    """Deal the places out in turn, to the ranking for the whole question first and then to that for each part."""
    whole_scores = {entry.candidate.chunk.id: entry.score for entry in whole}
    rankings: list[list[Fused]] = [list(whole)]
    for part in parts:
        mixed = [
            (entry.score + whole_weight * whole_scores.get(entry.candidate.chunk.id, 0.0), entry) for entry in part
        ]
        rankings.append([entry for _, entry in sorted(mixed, key=lambda pair: (-pair[0], pair[1].candidate.chunk.id))])
    dealt: dict[str, Fused] = {}
    for place in range(max(map(len, rankings))):
        for ranking in rankings:
            if place < len(ranking):
                dealt.setdefault(ranking[place].candidate.chunk.id, ranking[place])
    return list(dealt.values())
