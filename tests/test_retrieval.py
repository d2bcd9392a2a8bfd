"""Search: both legs honest, their fusion never worse than the better one, passages readable."""

import math
from pathlib import Path

import numpy as np
import pytest
from rank_bm25 import BM25Okapi

from ingest.chunk import ChunkingConfig
from ingest.dense_index import DenseIndexConfig, build_dense_index, open_dense_index
from ingest.document import Block, Chunk, Document, Span, document_id
from ingest.errors import SettingsError
from ingest.knowledge_base import KnowledgeBase
from ingest.lexical_index import build_lexical_index, open_lexical_index
from ingest.pipeline import IngestConfig, ingest_documents
from ingest.row_set import RowSet
from retrieval.dictionary import Dictionary, make_dictionary
from retrieval.fuse import Candidate, Fused, FusionConfig, fuse, seat
from retrieval.pack import PackingConfig, pack
from retrieval.retrieval import StageScore
from retrieval.search import SearchConfig, search
from tests.hashing_embedder import HashingEmbedder


def knowledge_base(folder: Path, texts: dict[str, str], *, size_tokens: int = 30) -> KnowledgeBase:
    kb = KnowledgeBase.open(folder, HashingEmbedder(), create=True)
    documents = [
        Document(document_id(name), name, "1", name, text, (), (Block("paragraph", Span(0, len(text))),), "en")
        for name, text in texts.items()
    ]
    ingest_documents(kb, documents, IngestConfig(chunking=ChunkingConfig(size_tokens=size_tokens, min_tokens=5)))
    return kb


def candidate(
    name: str, *, excess: float | None = None, bm25: float | None = None, position: int = 0, is_foreign: bool = False
) -> Candidate:
    text = f"text of {name}"
    span = Span(position * 100, position * 100 + len(text))
    return Candidate(
        chunk=Chunk(name, "doc", span, text),
        source="doc",
        title="doc",
        position=position,
        is_foreign=is_foreign,
        excess=excess,
        dense=StageScore(1, excess) if excess is not None else None,
        lexical=StageScore(1, bm25) if bm25 is not None else None,
    )


def fused_names(candidates: list[Candidate], best_possible: float) -> list[str]:
    ranking = fuse(
        candidates,
        best_possible=best_possible,
        typical_cosine=0.8,
        config=FusionConfig(lexical_weight=1.0),
    )
    return [entry.candidate.chunk.id for entry in ranking]


def test_fused_score_is_the_sum_of_both_legs_on_their_scales() -> None:
    # dense .1 / (1 - .8) = .5; lexical 6 / 20 = .3; together .5 + .75 * .3 = .725
    (entry,) = fuse(
        [candidate("a", excess=0.1, bm25=6.0)],
        best_possible=20.0,
        typical_cosine=0.8,
        config=FusionConfig(lexical_weight=0.75),
    )
    assert entry.score == pytest.approx(0.725)


def test_a_lexical_leg_with_little_to_say_does_not_overturn_the_dense_one() -> None:
    # One chance match worth 1 of 40 must not lift "chance" over "right", which plain rank fusion would do.
    found = fused_names([candidate("right", excess=0.12), candidate("chance", excess=0.05, bm25=1.0)], 40.0)
    assert found == ["right", "chance"]


def test_a_silent_dense_leg_leaves_the_lexical_order() -> None:
    assert fused_names([candidate("b", bm25=3.0), candidate("a", bm25=9.0)], 10.0) == ["a", "b"]


def test_equal_scores_are_ordered_by_id_so_that_ties_are_stable() -> None:
    assert fused_names([candidate("b", excess=0.1), candidate("a", excess=0.1)], 1.0) == ["a", "b"]


def test_neighbours_become_one_passage_that_is_the_documents_own_text() -> None:
    text = "First part here.\n\nSecond part here.\n\nThird part here."
    spans = [Span(0, 16), Span(18, 35), Span(37, 53)]
    ranking = [
        Fused(
            Candidate(Chunk(str(i), "doc", spans[i], spans[i].of(text)), "doc", "doc", i, False, 0.9, None, None),
            1.0 - n / 9,
        )
        for n, i in enumerate((1, 0, 2))
    ]
    passages, dropped = pack(ranking, 5, PackingConfig(), lambda document, span: span.of(text))
    assert [(passage.chunk.span, passage.chunk.text) for passage in passages] == [(Span(0, 53), text)]
    assert [drop.reason for drop in dropped] == ["joined to passage 1, its neighbour"] * 2


def test_neighbours_too_long_together_stay_apart() -> None:
    ranking = [Fused(candidate("a", position=0), 1.0), Fused(candidate("b", position=1), 0.9)]
    passages, _ = pack(ranking, 5, PackingConfig(max_passage_characters=50), lambda document, span: "")
    assert [passage.chunk.id for passage in passages] == ["a", "b"]


def test_what_is_cut_off_says_why() -> None:
    ranking = [Fused(candidate("a", position=0), 1.0), Fused(candidate("b", position=5), 0.9)]
    _, dropped = pack(ranking, 1, PackingConfig(), lambda document, span: "")
    assert [(drop.chunk_id, drop.reason) for drop in dropped] == [("b", "below the best 1")]


def test_the_same_words_twice_take_one_place(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path, {"a": "The ferry leaves at nine.", "b": "The  FERRY leaves at nine."})
    found = search(kb, "When does the ferry leave?", SearchConfig())
    assert len(found.hits) == 1
    assert [drop.reason for drop in found.dropped] == ["says the same as the chunk in place 1"]


def test_lexical_scores_agree_with_an_independent_bm25(tmp_path: Path) -> None:
    """Same ranking and, but for the idf's variant, the same scores as rank_bm25 with equal k1 and b."""
    texts = [["red", "boat"], ["boat", "boat", "crew"], ["green", "engine", "oil", "pump"], ["crew", "pump", "red"]]
    build_lexical_index((" ".join(text) for text in texts), tmp_path / "lexical")
    index = open_lexical_index(tmp_path / "lexical")
    other = BM25Okapi(texts, k1=1.2, b=0.75)
    for terms in (["boat"], ["red", "pump"], ["crew", "boat", "oil"]):
        other.idf = {term: index.idf(term) for text in texts for term in text}
        wanted = other.get_scores(terms)
        found = dict(index.search(terms, 10).rows)
        assert found == {row: pytest.approx(score, rel=1e-5) for row, score in enumerate(wanted) if score > 0}


def test_best_possible_counts_terms_the_corpus_does_not_know(tmp_path: Path) -> None:
    build_lexical_index(["red boat", "green boat"], tmp_path / "lexical")
    # red: ln(1 + 1.5/1.5) = ln 2; unknown: ln(1 + 2.5/.5) = ln 6; each times k1 + 1 = 2.2
    matches = open_lexical_index(tmp_path / "lexical").search(["red", "unknown"], 5)
    assert matches.best_possible == pytest.approx(2.2 * (math.log(2) + math.log(6)))
    assert [row for row, _ in matches.rows] == [0]


def test_a_chinese_question_is_answered_by_words_when_the_embedder_knows_no_chinese(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path, {"zh": "南洋公学创立于一八九六年。", "en": "The ferry leaves at nine."})
    found = search(kb, "南洋公学何时创立？", SearchConfig())
    assert found.stages[0] == "dense (silent: hashing knows no Chinese)"
    assert [hit.source for hit in found.hits] == ["zh"]


def test_a_follow_up_also_finds_what_the_answer_before_speaks_of(tmp_path: Path) -> None:
    kb = knowledge_base(
        tmp_path,
        {"limits": "The manager approves purchases. The board signs the rest.", "fees": "And for 300 a fee."},
    )
    said = "The manager approves purchases up to 20,000."

    alone = search(kb, "And for 300?", SearchConfig(use_dense=False))
    after = search(kb, "And for 300?", SearchConfig(use_dense=False), said=said)

    assert [hit.source for hit in alone.hits] == ["fees"]
    assert [hit.source for hit in after.hits] == ["fees", "limits"]
    assert after.stages == ("dense (silent: off)", "lexical", "sentence", "said", "fused", "packed")


def test_a_hit_tells_its_way_through_the_stages(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path, {"a": "The ferry leaves at nine.", "b": "Otters eat fish."})
    hit = search(kb, "When does the ferry leave?", SearchConfig()).hits[0]
    assert (hit.source, hit.rank, hit.matched_terms) == ("a", 1, ("ferri", "leav"))
    assert {name: stage.rank for name, stage in hit.stages.items()} == {
        "dense": 1, "lexical": 1, "sentence": 1, "fused": 1,
    }  # fmt: skip


def test_every_hit_quotes_its_document(tmp_path: Path) -> None:
    text = "\n\n".join(
        f"Paragraph {i} tells of boat {i} and its captain, and of nothing else at all." for i in range(30)
    )
    kb = knowledge_base(tmp_path, {"a": text})
    found = search(kb, "boat 7 captain", SearchConfig(top_k=10))
    assert [hit.chunk.span.of(text) for hit in found.hits] == [hit.chunk.text for hit in found.hits]


def test_an_empty_question_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the question is empty"):
        search(knowledge_base(tmp_path, {"a": "words"}), "  ", SearchConfig())


def test_a_question_of_stop_words_alone_still_searches(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path, {"a": "Who are you and what do you do?", "b": "Otters eat fish."})
    assert search(kb, "who are you", SearchConfig()).hits[0].source == "a"


def test_an_empty_knowledge_base_finds_nothing_and_says_so(tmp_path: Path) -> None:
    assert search(knowledge_base(tmp_path, {}), "anything?", SearchConfig()).hits == ()


def test_documents_in_two_languages_compete_on_equal_terms(tmp_path: Path) -> None:
    """Rows of each language are searched apart, and a language that looks like everything lends its rows nothing."""
    kb = knowledge_base(
        tmp_path,
        {"en": "The ferry leaves at nine.", "zh": "渡船九点开船，停靠两个码头。", "more": "Otters eat fish and frogs."},
    )
    generation = kb.generation()
    assert {language: len(rows) for language, rows in generation.by_language.items()} == {"en": 2, "zh": 1}
    vector = kb.embedder.embed_query("ferry")
    for language, rows in generation.by_language.items():
        found = generation.dense.search(vector, 5, among=rows)
        assert {row for row, _ in found} == set(rows), language


def test_inverted_lists_can_be_searched_among_some_rows(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((500, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    config = DenseIndexConfig(exact_up_to=50, probes=22)
    assert build_dense_index(vectors, tmp_path, config) == "IVF22,RaBitQfs,RFlat"
    among = RowSet.of(range(0, 500, 7), 500)  # 72 rows: more than are searched exactly
    found = open_dense_index(tmp_path, config).search(vectors[3], 5, among=among)
    wanted = sorted(among, key=lambda row: -float(vectors[row] @ vectors[3]))[:5]
    assert [row for row, _ in found] == wanted


def test_the_other_language_has_two_of_every_five_places() -> None:
    own = [Fused(candidate(f"own{i}"), 1.0 - i / 100) for i in range(5)]
    foreign = [Fused(candidate(f"foreign{i}", is_foreign=True), 1.2 - i / 100) for i in range(3)]
    seated = seat([*foreign, *own], FusionConfig())
    assert [entry.candidate.chunk.id for entry in seated] == [
        "own0", "own1", "own2", "foreign0", "foreign1", "own3", "own4", "foreign2",
    ]  # fmt: skip


def test_the_other_language_leads_where_its_best_passage_is_far_better() -> None:
    own = [Fused(candidate("own"), 0.55)]
    foreign = [Fused(candidate(f"foreign{i}", is_foreign=True), 0.9 - i / 10) for i in range(4)]
    seated = seat([*foreign, *own], FusionConfig())
    assert [entry.candidate.chunk.id for entry in seated] == ["foreign0", "foreign1", "foreign2", "own", "foreign3"]


def test_the_other_language_takes_no_place_from_passages_that_say_far_more() -> None:
    own = [Fused(candidate(f"own{i}"), 1.0 - i / 5) for i in range(4)]  # 1, .8, .6, .4
    foreign = [Fused(candidate(f"foreign{i}", is_foreign=True), 0.4 - i / 100) for i in range(2)]
    seated = seat([*own, *foreign], FusionConfig())
    # The fourth and fifth place would be those of own3, and .39 is more than .9 of its .4.
    assert [entry.candidate.chunk.id for entry in seated] == ["own0", "own1", "own2", "foreign0", "foreign1", "own3"]
    weaker = [Fused(entry.candidate, entry.score - 0.1) for entry in foreign]
    seated = seat([*own, *weaker], FusionConfig())
    assert [entry.candidate.chunk.id for entry in seated] == ["own0", "own1", "own2", "own3", "foreign0", "foreign1"]


def test_a_question_about_two_things_finds_both(tmp_path: Path) -> None:
    kb = knowledge_base(
        tmp_path,
        {
            "a": "Kyd, they say, wrote Hamlet before Hamlet was played.",
            "b": "Shakespeare wrote Hamlet, the longest Hamlet there is.",
            "c": "Macbeth is short, and was seen by a doctor who kept a diary of all the plays he went to in spring.",
        },
    )
    question = "Who wrote Hamlet and Macbeth?"
    whole = search(kb, question, SearchConfig(use_dense=False, use_parts=False, top_k=2))
    assert (whole.parts, {hit.source for hit in whole.hits}) == ((), {"a", "b"})
    found = search(kb, question, SearchConfig(use_dense=False, top_k=2))
    assert found.parts == ("Who wrote Hamlet", "Who wrote Macbeth?")
    assert [hit.source for hit in found.hits] == [whole.hits[0].source, "c"]
    assert "parts" in found.stages


def test_a_dictionary_finds_passages_in_the_other_language(tmp_path: Path) -> None:
    make_dictionary([("押金", ["deposit"]), ("退还", ["to return"])], tmp_path / "dictionary.sqlite")
    kb = knowledge_base(tmp_path, {"a": "The deposit is returned in May.", "b": "Otters eat fish.", "c": "春天下雨。"})
    dictionary = Dictionary(tmp_path / "dictionary.sqlite")
    found = search(kb, "押金何时退还？", SearchConfig(use_dense=False), dictionary=lambda: dictionary)
    assert [hit.source for hit in found.hits] == ["a"]
    assert {name: stage.rank for name, stage in found.hits[0].stages.items()} == {
        "dictionary": 1, "sentence": 1, "fused": 1,
    }  # fmt: skip


def test_what_an_older_version_indexed_is_indexed_anew_when_opened(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path, {"a": "梵語的學術研究在歐洲開創。"})
    with kb.writing(), kb.catalog.change() as db:
        db.execute("UPDATE chunks SET terms = '梵語'")
        db.execute("DELETE FROM meta WHERE key = 'terms'")
    kb.close()
    reopened = KnowledgeBase.open(kb.folder, HashingEmbedder())
    found = search(reopened, "梵语研究", SearchConfig(use_dense=False))
    assert [hit.source for hit in found.hits] == ["a"]
    assert reopened.problems() == []


def test_documents_in_the_other_language_alone_fill_every_place() -> None:
    foreign = [Fused(candidate(f"foreign{i}", is_foreign=True), 1.0 - i / 10) for i in range(3)]
    assert seat(foreign, FusionConfig()) == foreign


def test_a_question_is_translated_only_when_its_own_language_has_little_to_say(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path, {"en": "The ferry leaves at nine.", "zh": "水獭吃鱼，也吃青蛙。"})
    asked: list[str] = []

    def translate(query: str) -> str:
        asked.append(query)
        return "水獭吃什么？"

    config = SearchConfig(translate_below=0.5)
    found = search(kb, "What do otters eat?", config, translate=translate)
    assert (asked, found.queries) == (["What do otters eat?"], ("What do otters eat?", "水獭吃什么？"))
    assert found.hits[0].source == "zh"
    sure = search(kb, "The ferry leaves at nine", config, translate=translate)
    assert (len(asked), sure.queries) == (1, ("The ferry leaves at nine",))


def test_a_question_is_not_translated_where_there_is_one_language(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path, {"en": "The ferry leaves at nine."})
    found = search(kb, "What do otters eat?", SearchConfig(), translate=lambda query: pytest.fail("was asked"))
    assert found.queries == ("What do otters eat?",)
