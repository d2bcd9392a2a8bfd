"""Several documents among the first places, when a question has several parts."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.document import Chunk, Span
from retrieval.fuse import Candidate, Fused
from retrieval.spread import SpreadConfig, spread


def ranking(documents: str) -> list[Fused]:
    """Give a chunk a letter, which names its document; scores fall."""
    return [
        Fused(
            Candidate(Chunk(f"{n}", document, Span(n, n + 1), "x"), document, document, n, False, 0.5, None, None),
            1.0 - n / 100,
        )
        for n, document in enumerate(documents)
    ]


def order(documents: str, config: SpreadConfig | None = None) -> str:
    return "".join(entry.candidate.source for entry in spread(ranking(documents), config or SpreadConfig()))


def test_a_document_gets_two_of_the_first_five_places_while_others_are_there() -> None:
    assert order("aaaabcd") == "aabcdaa"
    assert order("aaabbbccc") == "aabbcabcc"  # the third a waits, and comes next


def test_with_no_other_document_the_order_stays() -> None:
    assert order("aaaaaaa") == "aaaaaaa"
    assert order("aaaaaab") == "aabaaaa"


def test_what_waited_keeps_its_order_and_comes_before_the_rest() -> None:
    found = spread(ranking("aaaabcdef"), SpreadConfig())
    assert [entry.candidate.position for entry in found] == [0, 1, 4, 5, 6, 2, 3, 7, 8]


def test_zero_leaves_the_ranking_as_it_is() -> None:
    assert order("aaaab", SpreadConfig(per_document=0)) == "aaaab"


@given(st.text("abc", max_size=12), st.integers(0, 3), st.integers(0, 6))
def test_nothing_is_lost_or_doubled(documents: str, per_document: int, among: int) -> None:
    entries = ranking(documents)
    found = spread(entries, SpreadConfig(per_document, among))
    assert sorted(entry.candidate.position for entry in found) == list(range(len(documents)))
    assert found[:1] == entries[:1]
