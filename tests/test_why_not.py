"""`--why-not`: where a document fell out of a search, and by how much."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.engine import Engine
from app.settings import Settings
from app.why_not_view import why_not_json, why_not_lines
from generation.extractive import Extractive
from ingest.pipeline import IngestConfig
from retrieval.filters import EVERYWHERE, Filters, make_filters
from retrieval.search import SearchConfig
from retrieval.why_not import WhyNot
from tests.hashing_embedder import HashingEmbedder

QUESTION = "How many dogs may a passenger take on the ferry?"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    documents = tmp_path / "documents"
    documents.mkdir()
    for name, text in {
        "rules.md": "A passenger may take two dogs on the ferry.",
        "copy.md": "A passenger may take two dogs on the ferry.",
        "fares.txt": "A passenger pays four crowns for the ferry.",
        "otters.txt": "Otters eat fish and sleep in a holt.",
        "empty-handed.txt": "Herons wade slowly through reeds.",
    }.items():
        (documents / name).write_text(text)
    settings = Settings(home=tmp_path, search=SearchConfig(n_candidates=4), ingest=IngestConfig(parse_workers=0))
    made = Engine(settings, embedder=HashingEmbedder(), llm=Extractive())
    made.ingest("default", [documents], base=documents)
    return made


def traced(engine: Engine, document: str, *, top_k: int = 2, filters: Filters = EVERYWHERE) -> WhyNot:
    retrieval = engine.search("default", QUESTION, top_k=top_k, filters=filters)
    (trace,) = engine.why_not("default", document, retrieval, top_k=top_k)
    return trace


def test_a_document_that_was_found_says_at_which_place(engine: Engine) -> None:
    best = engine.search("default", QUESTION, top_k=2).hits[0].source
    trace = traced(engine, best)
    assert (trace.verdict, trace.reason) == ("found", "it was found: passage 1 of 2")
    assert {leg.leg: leg.rank for leg in trace.legs}["lexical"] in (1, 2)


def test_a_repeat_names_what_it_repeats(engine: Engine) -> None:
    shown = engine.search("default", QUESTION, top_k=2).hits[0].source
    trace = traced(engine, "copy.md" if shown == "rules.md" else "rules.md")
    assert trace.verdict == "repeat"
    assert "says the same as" in trace.reason


def test_a_passage_that_adds_nothing_is_a_repeat_too(engine: Engine, tmp_path: Path) -> None:
    said = "A passenger may take two dogs on the ferry, and both of them stay on the lower deck with their owner"
    (tmp_path / "one.md").write_text(f"{said}.")
    (tmp_path / "other.md").write_text(f"{said}, the owner.")
    engine.ingest("near", [tmp_path / "one.md", tmp_path / "other.md"], base=tmp_path)
    retrieval = engine.search("near", QUESTION)
    (shown,) = retrieval.hits
    left_out = "other.md" if shown.source == "one.md" else "one.md"
    (trace,) = engine.why_not("near", left_out, retrieval)
    assert trace.verdict == "repeat"
    assert "says nothing that the chunk in place 1" in trace.reason


def test_a_score_too_low_says_by_how_much(engine: Engine) -> None:
    retrieval = engine.search("default", QUESTION, top_k=1)
    (trace,) = engine.why_not("default", "fares", retrieval, top_k=1)
    assert trace.verdict == "below"
    assert trace.score is not None and trace.lacked == pytest.approx(retrieval.hits[0].score - trace.score)
    assert trace.best is not None and trace.best.source == "fares.txt"
    assert "dog" in trace.missing_terms and "ferri" in trace.best.matched_terms


def test_no_shared_word_and_no_place_among_the_candidates_are_said(engine: Engine) -> None:
    engine.settings = replace(engine.settings, search=replace(engine.settings.search, n_candidates=1))
    trace = traced(engine, "empty-handed")
    dense, lexical = trace.legs
    assert trace.verdict == "no_candidate"
    assert trace.reason == "none of its passages was among the best 1 of a leg"
    assert (lexical.rank, lexical.score, lexical.note) == (None, None, "it shares no word with the question")
    assert dense.rank is not None and dense.rank > 1
    assert dense.last_score is not None and dense.score is not None and dense.last_score > dense.score


def test_a_filter_that_left_it_out_is_named(engine: Engine) -> None:
    trace = traced(engine, "rules", filters=make_filters(types=["txt"]))
    assert (trace.verdict, trace.reason) == ("filtered", "the filter leaves it out: types (types txt)")


def test_a_document_that_is_not_there_is_said_with_what_is_spelled_alike(engine: Engine) -> None:
    trace = traced(engine, "ruels.md")
    assert (trace.verdict, trace.reason) == ("missing", "default holds no such document; did you mean: rules.md")
    assert why_not_lines(trace) == ["ruels.md (default): default holds no such document; did you mean: rules.md"]


def test_the_views_say_what_the_value_says(engine: Engine) -> None:
    trace = traced(engine, "otters")
    shown = why_not_json(trace)
    assert (shown["source"], shown["verdict"], shown["kb"]) == ("otters.txt", trace.verdict, "default")
    assert [leg["leg"] for leg in shown["legs"]] == ["dense", "lexical"]
    assert why_not_lines(trace)[0] == f"otters.txt (default): {trace.reason}"
