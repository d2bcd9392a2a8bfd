"""A passage with the question's words in one sentence comes before one where they are scattered."""

from ingest.document import Chunk, Span
from ingest.terms import term_lines
from retrieval.coverage import CoverageConfig, best_sentence_share, lift_covering
from retrieval.fuse import Candidate, Fused
from retrieval.retrieval import StageScore


def _fused(id_: str, text: str, score: float, head: str = "") -> Fused:
    chunk = Chunk(id_, "d", Span(0, len(text)), text, (), None)
    return Fused(Candidate(chunk, "s", "t", 0, False, None, None, None, None, term_lines(head, text)), score)


def test_words_of_one_sentence_lift_a_passage_over_scattered_ones() -> None:
    scattered = _fused("a", "The deposit is large. A tenant moved. It was returned.", 1.0)
    together = _fused("b", "The deposit of a tenant is returned in May. It rained.", 0.95)
    terms = ["deposit", "tenant", "return"]
    ranking = lift_covering([scattered, together], terms, lambda term: 1.0, CoverageConfig(weight=0.3))
    # 0.95 + .3 * 3/3 against 1.0 + .3 * 1/3
    assert [(entry.candidate.chunk.id, round(entry.score, 3), entry.sentence) for entry in ranking] == [
        ("b", 1.25, StageScore(1, 1.0)),
        ("a", 1.1, StageScore(2, 1 / 3)),
    ]


def test_headings_count_with_every_sentence() -> None:
    lines = term_lines("Deposit", "It is paid in May. It is returned later.")
    assert best_sentence_share(lines, {"deposit": 2.0, "return": 1.0, "unknown": 1.0}, 4.0) == 0.75


def test_passages_beyond_the_depth_keep_their_score() -> None:
    entries = [_fused("a", "One word.", 1.0), _fused("b", "A deposit.", 0.9)]
    ranking = lift_covering(entries, ["deposit"], lambda term: 1.0, CoverageConfig(weight=0.3, depth=1))
    assert [(entry.candidate.chunk.id, entry.score) for entry in ranking] == [("a", 1.0), ("b", 0.9)]


def test_a_question_without_terms_leaves_the_ranking() -> None:
    entries = [_fused("a", "One word.", 1.0)]
    assert lift_covering(entries, [], lambda term: 1.0, CoverageConfig()) == entries
