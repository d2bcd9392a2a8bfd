"""A passage with a sentence close to the question comes before one that is close on the whole only."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from app.settings import load_settings
from ingest.document import Chunk, Span
from ingest.errors import SettingsError
from retrieval.close_sentences import ClosenessConfig, lift_close
from retrieval.fuse import Candidate, Fused
from retrieval.retrieval import StageScore
from retrieval.search import SearchConfig, search
from tests.test_retrieval import knowledge_base


def _fused(id_: str, text: str, score: float) -> Fused:
    return Fused(
        Candidate(Chunk(id_, "d", Span(0, len(text)), text, (), None), "s", "t", 0, False, None, None, None), score
    )


def _closeness(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Find sentences that speak of seals close, and those of otters half as close."""
    return np.array([0.8 * ("seal" in text) + 0.4 * ("otter" in text) for text in texts], dtype=np.float32)


def test_the_closest_sentence_of_a_passage_counts_and_places_keep_their_scores() -> None:
    ranking = [
        _fused("a", "It rained. Boats lay idle.", 1.0),
        _fused("b", "It rained. Some seals came.", 0.9),
        _fused("c", "An otter came. It rained.", 0.7),
        _fused("d", "Many seals came.", 0.6),
    ]

    lifted = lift_close(ranking, _closeness, ClosenessConfig(depth=3, weight=0.5))

    # .9 + .5 * .8, 1.0 + 0 and .7 + .5 * .4; the fourth isn't looked at
    assert [(entry.candidate.chunk.id, entry.score) for entry in lifted] == [
        ("b", 1.0), ("a", 0.9), ("c", 0.7), ("d", 0.6),
    ]  # fmt: skip
    assert [entry.close for entry in lifted] == [
        StageScore(1, pytest.approx(0.8)), StageScore(3, 0.0), StageScore(2, pytest.approx(0.4)), None,
    ]  # fmt: skip


def test_without_a_depth_nothing_is_embedded_or_moved() -> None:
    def never(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        raise AssertionError(texts)

    ranking = [_fused("a", "It rained.", 1.0)]
    assert lift_close(ranking, never, ClosenessConfig()) == ranking
    assert lift_close([], never, ClosenessConfig(depth=3)) == []


def test_a_search_says_how_close_the_closest_sentence_is(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path, {"a": "Otters eat fish. It rained all day in May.", "b": "Boats sail in May."})
    settings = load_settings({"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_SENTENCE_DEPTH": "10"})
    assert settings.search.closeness.depth == 10

    found = search(kb, "Otters eat fish.", settings.search)

    assert found.hits[0].source == "a"
    assert found.hits[0].stages["close"] == StageScore(1, pytest.approx(1.0, abs=0.5))
    assert "close" in found.stages
    assert "close" not in search(kb, "Otters eat fish.", SearchConfig()).stages
    with pytest.raises(SettingsError, match="sentence_depth must not be below 0, got -1"):
        search(kb, "Otters", SearchConfig(closeness=ClosenessConfig(depth=-1)))
