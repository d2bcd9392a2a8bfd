"""Readable passages and token budgets: the text stays the document's own, and what did not fit says so."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.chunk import ChunkingConfig
from ingest.document import Block, Chunk, Document, Span, document_id
from ingest.knowledge_base import KnowledgeBase
from ingest.pipeline import IngestConfig, ingest_documents
from retrieval.fuse import Candidate, Fused
from retrieval.pack import PackingConfig, Passage, TokenBudget, pack
from retrieval.retrieval import Retrieval
from retrieval.search import SearchConfig, search
from retrieval.widen import ContextConfig, widen
from tests.hashing_embedder import HashingEmbedder

# Seven chunks of 20 characters with a space after each; three sections.
TEXT = " ".join(f"{name} says a few words." for name in ("c0", "c1", "c2", "c3", "c4", "c5", "c6"))
HEADINGS = [("T", "A"), ("T", "A"), ("T", "B"), ("T", "B"), ("T", "B"), ("T", "B", "B1"), ("T", "C")]
SPANS = [Span(n * 21, n * 21 + 20) for n in range(7)]
CHUNKS = [Chunk(f"c{n}", "doc", SPANS[n], SPANS[n].of(TEXT), HEADINGS[n], 1 + n // 3) for n in range(7)]


def chunk_at(document: str, place: int) -> Chunk | None:
    return CHUNKS[place] if document == "doc" and 0 <= place < 7 else None


def passage(place: int) -> Passage:
    candidate = Candidate(CHUNKS[place], "doc.md", "T", place, False, 0.5, None, None)
    return Passage(Fused(candidate, 1.0), CHUNKS[place], place, place)


def widened(places: list[int], max_characters: int, budget: TokenBudget | None = None) -> list[tuple[int, int]]:
    """Give the first and the last place of each passage."""
    config = ContextConfig(max_characters)
    found, _ = widen([passage(n) for n in places], config, chunk_at, lambda document, span: span.of(TEXT), budget)
    return [(one.first, one.last) for one in found]


def test_a_passage_takes_in_its_own_section_before_the_one_above() -> None:
    assert widened([3], 41) == [(3, 4)]
    assert widened([3], 62) == [(2, 4)]
    assert widened([3], 83) == [(2, 5)]  # a section inside its own
    assert widened([3], 104) == [(2, 6)]  # then what follows under the same parent


def test_a_passage_never_leaves_the_section_above_its_own() -> None:
    assert widened([5], 1000) == [(2, 5)]  # B1 grows to all of B, not to A or C


def test_a_widened_passage_quotes_the_document_and_says_what_was_found() -> None:
    (one,), dropped = widen([passage(3)], ContextConfig(62), chunk_at, lambda document, span: span.of(TEXT))
    assert (one.chunk.span, one.chunk.text) == (Span(42, 104), TEXT[42:104])
    assert (one.chunk.headings, one.chunk.page, one.found) == (("T", "B"), 1, Span(63, 83))
    assert dropped == []


def test_a_lower_passage_that_is_reached_becomes_part_and_says_so() -> None:
    config = ContextConfig(62)
    found, dropped = widen([passage(3), passage(4)], config, chunk_at, lambda document, span: span.of(TEXT))
    assert [(one.first, one.last) for one in found] == [(2, 4)]
    assert [(drop.chunk_id, drop.stage, drop.reason) for drop in dropped] == [
        ("c4", "widened", "became part of passage 1")
    ]


def test_a_passage_stops_before_one_that_stands_above_it() -> None:
    assert widened([2, 4], 41) == [(2, 3), (4, 5)]


def test_without_a_length_passages_stay_as_they_are() -> None:
    assert widened([3, 4], 0) == [(3, 3), (4, 4)]


def test_what_a_budget_has_left_goes_to_the_best_passage() -> None:
    def count(text: str) -> int:
        return len(text.split())

    # Each chunk has 5 words; two passages took 10 of 22, so two more chunks fit, and the third would not.
    budget = TokenBudget(22, count, used=10)
    assert widened([3, 0], 1000, budget) == [(2, 4), (0, 0)]
    assert budget.used == 20


@given(st.permutations(range(7)), st.integers(1, 7), st.integers(0, 200))
def test_widened_passages_are_disjoint_verbatim_and_hold_all_that_was_found(
    order: list[int], n: int, max_characters: int
) -> None:
    packed, _ = pack(
        [passage(place).fused for place in order], n, PackingConfig(60), lambda document, span: span.of(TEXT)
    )
    found, _ = widen(packed, ContextConfig(max_characters), chunk_at, lambda document, span: span.of(TEXT))
    places = [place for one in found for place in range(one.first, one.last + 1)]
    assert len(places) == len(set(places))
    assert set(order[:n]) <= set(places)
    assert all(one.chunk.text == one.chunk.span.of(TEXT) for one in found)


def knowledge_base(folder: Path) -> tuple[KnowledgeBase, str]:
    parts = [
        f"The {name} sails at {hour} from the north pier every day of the week in summer."
        for name, hour in (("ferry", 7), ("tender", 8), ("barge", 9), ("cutter", 10), ("dinghy", 11), ("yacht", 12))
    ]
    text = "\n\n".join(parts)
    starts = [text.index(part) for part in parts]
    blocks = tuple(
        Block("paragraph", Span(start, start + len(part))) for start, part in zip(starts, parts, strict=True)
    )
    kb = KnowledgeBase.open(folder, HashingEmbedder(), create=True)
    document = Document(document_id("boats.md"), "boats.md", "1", "Boats", text, (), blocks, "en")
    ingest_documents(kb, [document], IngestConfig(chunking=ChunkingConfig(size_tokens=18, min_tokens=5)))
    return kb, text


def texts(found: Retrieval) -> list[str]:
    return [hit.chunk.text for hit in found.hits]


APART = PackingConfig(max_passage_characters=0)


def test_a_search_with_context_gives_longer_hits_of_the_same_document(tmp_path: Path) -> None:
    kb, text = knowledge_base(tmp_path)
    plain = search(kb, "When does the barge sail?", SearchConfig(top_k=1, packing=APART))
    wide = search(kb, "When does the barge sail?", SearchConfig(top_k=1, packing=APART, context=ContextConfig(170)))
    assert texts(plain) == ["The barge sails at 9 from the north pier every day of the week in summer."]
    (hit,) = wide.hits
    assert hit.chunk.text == text[hit.chunk.span.start : hit.chunk.span.end]
    assert plain.hits[0].chunk.span == hit.found
    assert hit.chunk.text.count("sails") == 2
    assert wide.stages[-3:] == ("fused", "packed", "widened")


def test_a_budget_of_tokens_cuts_a_search_and_says_what_did_not_fit(tmp_path: Path) -> None:
    kb, _ = knowledge_base(tmp_path)
    found = search(kb, "When does the barge sail?", SearchConfig(budget_tokens=35, packing=APART))
    counts = [len(kb.embedder.token_starts(text)) for text in texts(found)]
    assert counts == [16, 16]
    assert {drop.reason for drop in found.dropped} == {"13 tokens too many for the budget of 35"}


def test_a_shorter_chunk_may_fit_where_a_longer_one_did_not() -> None:
    budget = TokenBudget(5, lambda text: len(text.split()))
    assert [budget.missing(text) for text in ("a b c", "a b c d", "a b")] == [0, 2, 0]


def test_what_is_left_is_filled_with_whole_sentences_of_the_next_chunks() -> None:
    text = "One is here. Two is here. Three is here. Four is here."
    spans = [Span(0, 25), Span(26, 54)]
    chunks = [Chunk(f"c{n}", "doc", span, span.of(text), ("T",), 1) for n, span in enumerate(spans)]
    candidate = Candidate(chunks[0], "doc.md", "T", 0, False, 0.5, None, None)
    found, dropped = widen(
        [Passage(Fused(candidate, 1.0), chunks[0], 0, 0)],
        ContextConfig(45),
        lambda document, place: chunks[place] if 0 <= place < 2 else None,
        lambda document, span: span.of(text),
    )
    assert [one.chunk.text for one in found] == ["One is here. Two is here. Three is here."]
    assert dropped == []


def test_sentences_of_a_chunk_that_begins_on_an_earlier_page_are_left_there() -> None:
    text = "One is here. Two is here. Three is here. Four is here."
    spans = [Span(0, 25), Span(26, 54)]
    chunks = [Chunk(f"c{n}", "doc", span, span.of(text), ("T",), 1 + n) for n, span in enumerate(spans)]
    candidate = Candidate(chunks[1], "doc.md", "T", 1, False, 0.5, None, None)
    found, _ = widen(
        [Passage(Fused(candidate, 1.0), chunks[1], 1, 1)],
        ContextConfig(45),
        lambda document, place: chunks[place] if 0 <= place < 2 else None,
        lambda document, span: span.of(text),
    )
    assert [(one.chunk.text, one.chunk.page) for one in found] == [("Three is here. Four is here.", 2)]
