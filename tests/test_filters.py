"""Filters: what a user names decides which documents a search looks at, inside both legs and never after them."""

import os
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest

from app.engine import Engine
from app.settings import Settings
from generation.extractive import Extractive
from ingest.document_facts import day_of
from ingest.errors import SettingsError
from ingest.pipeline import IngestReport
from retrieval.filters import Filters, fitting_documents, make_filters, period_end, period_start
from tests.footnote_process import footnote, footnote_json
from tests.hashing_embedder import HashingEmbedder

FILES = {
    "handbook/leave.md": "# Leave\n\nStaff get 25 days of leave.\n",
    "handbook/2024/leave.md": "# Old leave\n\nStaff get 20 days of leave.\n",
    "minutes/2025-03-18.txt": "The board granted two days of leave for the regatta.",
    "请假制度.md": "# 请假制度\n\n员工每年有 25 天假期。leave\n",
    "page.html": '<html><meta name="date" content="2023-05-04"><body><p>Old leave rules.</p></body></html>',
}
DAYS = {name: date(2024, month, 10) for month, name in enumerate(FILES, start=1)}  # page.html states its own


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    folder = tmp_path / "documents"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        noon = int(DAYS[name].strftime("%s")) + 43_200
        os.utime(path, (noon, noon))
    with ZipFile(folder / "old.zip", "w") as archive:
        archive.writestr("rules/leave.md", "# Archived leave\n\nStaff got 15 days of leave.\n")
    made = Engine(Settings(home=tmp_path), embedder=HashingEmbedder(), llm=Extractive())
    made.ingest("default", [folder], base=folder)
    return made


def fitting(engine: Engine, filters: Filters) -> set[str]:
    return {facts.source for facts in fitting_documents(engine.knowledge_base("default").catalog, filters)}


def found(engine: Engine, filters: Filters, question: str = "How many days of leave?") -> set[str]:
    return {hit.source for hit in engine.search("default", question, filters=filters).hits}


ARCHIVED = "old.zip!/rules/leave.md"


@pytest.mark.parametrize(
    ("filters", "sources"),
    [
        (make_filters(documents=["leave.md"]), {"handbook/leave.md", "handbook/2024/leave.md", ARCHIVED}),
        (make_filters(documents=["handbook/leave.md"]), {"handbook/leave.md"}),
        (make_filters(documents=["请假"]), {"请假制度.md"}),
        (make_filters(documents=["2025-*"]), {"minutes/2025-03-18.txt"}),
        (make_filters(documents=["old leave"]), {"handbook/2024/leave.md"}),
        (make_filters(folders=["handbook"]), {"handbook/leave.md", "handbook/2024/leave.md"}),
        (make_filters(folders=["2024/"]), {"handbook/2024/leave.md"}),
        (make_filters(folders=["old.zip"]), {ARCHIVED}),
        (make_filters(folders=["min*/2025*"]), {"minutes/2025-03-18.txt"}),
        (make_filters(types=["txt", "html"]), {"minutes/2025-03-18.txt", "page.html"}),
        (make_filters(types=[".MD"], folders=["handbook", "minutes"]), {"handbook/leave.md", "handbook/2024/leave.md"}),
        (make_filters(types=["text"]), {"minutes/2025-03-18.txt"}),
        (make_filters(until="2023"), {"page.html"}),
        (make_filters(since="2024-02", until="2024-03-10"), {"handbook/2024/leave.md", "minutes/2025-03-18.txt"}),
    ],
)
def test_a_filter_lets_through_what_it_names(engine: Engine, filters: Filters, sources: set[str]) -> None:
    assert fitting(engine, filters) == sources
    assert found(engine, filters) == sources


def test_filters_apply_inside_the_legs_not_after_them(tmp_path: Path) -> None:
    """300 passages that fit the question better would fill every candidate's place if the filter came afterwards."""
    documents = tmp_path / "documents"
    documents.mkdir()
    for number in range(300):
        (documents / f"good{number}.md").write_text(f"How many days of leave do the staff get? {number}\n")
    (documents / "other.txt").write_text("Of leave nothing is said here, nor of much else.")
    engine = Engine(Settings(home=tmp_path), embedder=HashingEmbedder(), llm=Extractive())
    engine.ingest("default", [documents], base=documents)

    retrieval = engine.search(
        "default", "How many days of leave do the staff get?", filters=make_filters(types=["txt"])
    )

    (only,) = retrieval.hits
    assert (only.source, {"dense", "lexical"} <= only.stages.keys()) == ("other.txt", True)
    assert (retrieval.n_documents, retrieval.dropped) == (1, ())


def test_scores_are_the_same_with_and_without_filters(engine: Engine) -> None:
    everywhere = {hit.source: hit.score for hit in engine.search("default", "days of leave").hits}
    within = {
        hit.source: hit.score
        for hit in engine.search("default", "days of leave", filters=make_filters(folders=["minutes"])).hits
    }
    assert within == {"minutes/2025-03-18.txt": pytest.approx(everywhere["minutes/2025-03-18.txt"])}


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (
            make_filters(types=["pdf"]),
            r"no document in default has the type pdf; types are: markdown \(4\), html \(1\), text \(1\)",
        ),
        (make_filters(tags=["hr"]), r"has the tag hr; none has a tag yet; give one with: footnote kb tag"),
        (make_filters(folders=["nowhere"]), r"has the folder nowhere; folders are: "),
        (make_filters(documents=["x9"]), r"has the document x9; documents are: 2025-03-18.txt, leave.md, page.html"),
        (make_filters(since="2031"), r"has the date from 2031-01-01; they are from 2023-05-04 until "),
        (
            make_filters(types=["txt"], folders=["handbook"]),
            r"fits all filters at once \(each alone: folders 2, types 1\); leave one out",
        ),
    ],
)
def test_a_filter_that_fits_nothing_says_what_there_is(engine: Engine, filters: Filters, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        engine.search("default", "How many days?", filters=filters)


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024年2月", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024/2/3", date(2024, 2, 3), date(2024, 2, 3)),
    ],
)
def test_a_period_has_a_first_and_a_last_day(typed: str, first: date, last: date) -> None:
    assert (period_start(typed), period_end(typed)) == (first, last)


@pytest.mark.parametrize("typed", ["yesterday", "2024-13", "2024-02-30", "24-02-03", "2024-"])
def test_a_bad_date_is_refused(typed: str) -> None:
    with pytest.raises(SettingsError, match="is no date; write 2025, 2025-03 or 2025-03-18"):
        make_filters(since=typed)


def test_an_empty_span_of_days_is_refused() -> None:
    with pytest.raises(SettingsError, match="nothing lies from 2025-01-01 until 2024-12-31; swap the two dates"):
        make_filters(since="2025", until="2024")


@pytest.mark.parametrize(
    ("stated", "day"),
    [
        ("2023-05-04T10:00:00Z", date(2023, 5, 4)),
        ("20230504", date(2023, 5, 4)),
        ("2023年5月4日", date(2023, 5, 4)),
        ("version 2023-45-99 of 2024/1/2", date(2024, 1, 2)),
        ("May 4th", None),
    ],
)
def test_a_day_is_read_from_what_a_document_states(stated: str, day: date | None) -> None:
    assert day_of(stated) == day


def tags_of(engine: Engine) -> dict[str, tuple[str, ...]]:
    catalog = engine.knowledge_base("default").catalog
    tags = catalog.tags()
    return {info.source: tags[info.id] for info in catalog.documents() if info.id in tags}


def ingested(engine: Engine, tmp_path: Path, *, rebuild: bool = False) -> IngestReport:
    folder = tmp_path / "documents"
    return engine.ingest("default", [folder], base=folder, rebuild=rebuild)


def test_tags_survive_edits_moves_and_rebuilds_and_go_with_their_document(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    engine.ingest("default", [folder / "handbook"], base=folder, tags=["hr"])
    both = {"handbook/leave.md": ("hr",), "handbook/2024/leave.md": ("hr",)}
    assert tags_of(engine) == both
    assert found(engine, make_filters(tags=["HR"])) == set(both)

    (folder / "handbook/leave.md").write_text("# Leave\n\nStaff get 30 days of leave.\n")
    (folder / "handbook/2024/leave.md").rename(folder / "handbook/archived.md")
    report = ingested(engine, tmp_path)
    assert ([move.new for move in report.moved], report.updated) == (["handbook/archived.md"], ("handbook/leave.md",))
    moved = {"handbook/leave.md": ("hr",), "handbook/archived.md": ("hr",)}
    assert tags_of(engine) == moved
    ingested(engine, tmp_path, rebuild=True)
    assert tags_of(engine) == moved

    (folder / "handbook/leave.md").unlink()
    ingested(engine, tmp_path)
    assert tags_of(engine) == {"handbook/archived.md": ("hr",)}
    assert engine.knowledge_base("default").catalog.rows("SELECT COUNT(*) FROM tags") == [(1,)]


def test_tags_come_along_in_an_export(engine: Engine, tmp_path: Path) -> None:
    (page,) = [info for info in engine.documents("default") if info.source == "page.html"]
    engine.tag("default", [page.id], add=["Old", "web"])
    engine.export("default", tmp_path / "copy.zip")
    engine.import_("copy", tmp_path / "copy.zip")
    assert engine.knowledge_base("copy").catalog.tags() == {page.id: ("old", "web")}


def test_tagging_leaves_the_index_as_it_is(engine: Engine) -> None:
    kb = engine.knowledge_base("default")
    before = (kb.catalog.revision, kb.generation().manifest.digest)
    assert engine.tag("default", [info.id for info in engine.documents("default")], add=["all"]) == 6
    assert engine.tag("default", [info.id for info in engine.documents("default")], add=["all"]) == 0
    assert (kb.catalog.revision, kb.generation().manifest.digest) == before


def test_the_command_line_tags_and_filters(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "leave.md").write_text("# Leave\n\nStaff get 25 days of leave.\n")
    (documents / "boats.md").write_text("# Boats\n\nThe boats leave at nine.\n")
    footnote(tmp_path, "ingest", str(documents), "--tag", "fleet")
    footnote(tmp_path, "kb", "tag", "leave.md", "fleet", "--remove")
    tagged = footnote_json(tmp_path, "kb", "tag", "leave.md", "HR")
    source = (documents / "leave.md").as_posix()
    assert [(one["source"], one["tags"]) for one in tagged["documents"]] == [(source, ["hr"])]

    answer = footnote_json(tmp_path, "search", "When do they leave?", "--tag", "hr", "--from", "2020")
    assert [hit["source"] for hit in answer["hits"]] == [source]
    assert answer["filters"] == {
        "documents": [], "folders": [], "types": [], "tags": ["hr"], "from": "2020-01-01", "until": None, "fitting": 1,
    }  # fmt: skip
    _, err = footnote(tmp_path, "ask", "When do they leave?", "--tag", "hrr", status=2)
    assert err == "footnote: no document in default has the tag hrr; tags are: fleet (1), hr (1)\n"
    _, err = footnote(tmp_path, "kb", "tag", "leev.md", "x", status=2)
    assert err == "footnote: there is no document or folder 'leev.md'; did you mean: leave.md\n"
