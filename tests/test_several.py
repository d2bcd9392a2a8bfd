"""Several knowledge bases asked at once: one ranking, each passage and citation from the one that holds it."""

import shutil
from pathlib import Path

import pytest

from app.engine import Engine
from app.settings import Settings
from generation.answer import Answer
from generation.extractive import Extractive
from ingest.embedder import SentenceTransformerEmbedder
from ingest.errors import KnowledgeBaseError, SettingsError
from retrieval.filters import make_filters
from tests.footnote_process import footnote, footnote_json
from tests.hashing_embedder import HashingEmbedder

MODELS = Path(__file__).parents[1] / "data" / "models"
needs_both_models = pytest.mark.skipif(
    not all((MODELS / name).is_dir() for name in ("multilingual-e5-small", "all-MiniLM-L6-v2")),
    reason="both embedders are needed; get them with: footnote llm pull",
)


def taken_in(engine: Engine, tmp_path: Path, kb: str, **texts: str) -> None:
    folder = tmp_path / f"{kb}-documents"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text)
    engine.ingest(kb, [folder], base=folder)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = Engine(Settings(home=tmp_path), embedder=HashingEmbedder(), llm=Extractive())
    taken_in(made, tmp_path, "boats", rules="# Ferry\n\nA passenger may take two dogs.\n", shared="The quay is closed.")
    taken_in(
        made, tmp_path, "staff", rules="# Leave\n\nThe staff get 25 days of leave.\n", shared="The quay is closed."
    )
    return made


def test_each_passage_and_citation_names_the_knowledge_base_that_holds_it(engine: Engine) -> None:
    """Both hold a `rules.md`, whose documents have the same id."""
    for question, kb, quote in [
        ("How many dogs may a passenger take?", "boats", "A passenger may take two dogs."),
        ("How many days of leave do the staff get?", "staff", "The staff get 25 days of leave."),
    ]:
        *_, answer = engine.ask("boats", question, also=["staff"])
        assert isinstance(answer, Answer)
        best, citation = answer.retrieval.hits[0], answer.claims[0].citations[0]
        assert (best.kb, best.source, citation.kb, citation.quote) == (kb, "rules.md", kb, quote)
        text = engine.document(citation.kb, citation.document_id).text
        assert citation.span.of(text) == citation.quote
        assert answer.retrieval.kbs == ("boats", "staff")


def test_what_both_hold_is_shown_once(engine: Engine) -> None:
    retrieval = engine.search("boats", "Is the quay closed?", also=["staff", "boats"])
    assert [hit.kb for hit in retrieval.hits if hit.source == "shared.md"] == ["staff"]
    assert [(drop.kb, drop.stage, drop.reason) for drop in retrieval.dropped] == [
        ("boats", "merged", "says the same as shared.md in staff")
    ]
    assert [hit.rank for hit in retrieval.hits] == [1, 2, 3]


def test_only_the_best_of_all_are_kept(engine: Engine) -> None:
    retrieval = engine.search("boats", "How many dogs?", also=["staff"], top_k=1)
    assert [(hit.kb, hit.source) for hit in retrieval.hits] == [("boats", "rules.md")]
    assert ("staff", "below the best 1 of all knowledge bases") in {(d.kb, d.reason) for d in retrieval.dropped}


def test_a_filter_may_leave_some_knowledge_bases_out_but_not_all(engine: Engine) -> None:
    (rules,) = [info for info in engine.documents("staff") if info.source == "rules.md"]
    engine.tag("staff", [rules.id], add=["hr"])
    retrieval = engine.search("boats", "dogs", also=["staff"], filters=make_filters(tags=["hr"]))
    assert (retrieval.kbs, [hit.kb for hit in retrieval.hits], retrieval.n_documents) == (("staff",), ["staff"], 1)
    with pytest.raises(SettingsError, match=r"no document in boats, staff has the tag x; tags are: hr \(1\)"):
        engine.search("boats", "dogs", also=["staff"], filters=make_filters(tags=["x"]))


def test_one_that_is_missing_or_damaged_is_named(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeBaseError, match=r"there is no knowledge base 'cars' \(there are: boats, staff\)"):
        engine.search("boats", "dogs", also=["cars"])
    (tmp_path / "kb" / "staff" / "catalog.sqlite").write_bytes(b"no database at all" * 300)
    with pytest.raises(KnowledgeBaseError, match=r"staff/catalog.sqlite is damaged .*kb repair --kb staff"):
        engine.search("boats", "dogs", also=["staff"])


def test_the_command_line_takes_several(tmp_path: Path) -> None:
    for kb, text in (("boats", "A passenger may take two dogs."), ("staff", "The staff get 25 days of leave.")):
        (tmp_path / f"{kb}.md").write_text(text)
        footnote(tmp_path, "ingest", str(tmp_path / f"{kb}.md"), "--kb", kb)
    answer = footnote_json(
        tmp_path, "ask", "How many days of leave do the staff get?", "--kb", "boats", "--kb", "staff"
    )
    assert [citation["kb"] for claim in answer["claims"] for citation in claim["citations"]] == ["staff"]
    assert (answer["kbs"], answer["hits"][0]["kb"]) == (["boats", "staff"], "staff")
    out, _ = footnote(tmp_path, "search", "How many dogs may a passenger take?", "--kb", "boats", "--kb", "staff")
    assert out.startswith("1. boats")
    assert f"boats: {(tmp_path / 'boats.md').as_posix()}" in out.splitlines()[0]


@needs_both_models
def test_two_embedders_rank_on_one_scale(tmp_path: Path) -> None:
    """Each question's passage comes first, whichever knowledge base, and so whichever embedder, it lies in."""
    (tmp_path / "models").mkdir()
    for name in ("multilingual-e5-small", "all-MiniLM-L6-v2"):
        (tmp_path / "models" / name).symlink_to(MODELS / name)
    texts = {
        "dogs": "A passenger may take two dogs on the ferry.",
        "leave": "Employees have a right to 25 days of holiday a year.",
        "gauge": "The water level at the bridge is measured every ten minutes.",
        "fares": "A bicycle costs three crowns, a car eleven.",
    }
    questions = {
        "dogs": "How many pets can I bring on board?",
        "leave": "How much annual leave do workers get?",
        "gauge": "How often is the river's height recorded?",
        "fares": "What is the price of a bike?",
    }
    names = list(texts)
    for kb, embedder, held in (("e5", "multilingual-e5-small", names[:2]), ("minilm", "all-MiniLM-L6-v2", names[2:])):
        writer = Engine(
            Settings(home=tmp_path), embedder=SentenceTransformerEmbedder(MODELS / embedder), llm=Extractive()
        )
        taken_in(writer, tmp_path, kb, **{name: texts[name] for name in held})
    reader = Engine(Settings(home=tmp_path), llm=Extractive())
    first = {name: reader.search("e5", question, also=["minilm"]).hits[0] for name, question in questions.items()}
    assert {name: (hit.kb, hit.source) for name, hit in first.items()} == {
        "dogs": ("e5", "dogs.md"),
        "leave": ("e5", "leave.md"),
        "gauge": ("minilm", "gauge.md"),
        "fares": ("minilm", "fares.md"),
    }
    shutil.rmtree(tmp_path / "kb")
