"""Every layout of question set, read from small folders made here; malformed ones are refused by file and line."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.evaluation.layouts import read_set
from app.evaluation.sets import EvaluationSet, Question, Record, corpus_hash, corpus_sources, sample
from generation.llm import Message
from ingest.errors import SettingsError, SourceError


def write_rows(path: Path, rows: Sequence[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def make_folder(folder: Path, questions: Sequence[object]) -> Path:
    write_rows(folder / "corpus.jsonl", [{"id": "d1", "title": "Ferries", "text": "It left."}, {"id": 2, "text": "x"}])
    write_rows(folder / "questions.jsonl", questions)
    return folder


def test_our_own_folder_with_every_field(tmp_path: Path) -> None:
    row = {
        "id": "q1",
        "question": "When?",
        "answers": ["noon", "12:00"],
        "gold_ids": ["d1"],
        "answerable": True,
        "lang": "en",
        "gold_spans": ["It left."],
        "type": "factual",
        "history": [{"role": "user", "content": "Hello"}, ["agent", "Hi"]],
        "gold_groups": [["d1"], "2"],
        "unknown": {"fields": "are ignored"},
    }

    found = read_set(make_folder(tmp_path / "boats", [row]))

    assert found == EvaluationSet(
        name="boats",
        questions=(
            Question(
                id="q1",
                question="When?",
                answers=("noon", "12:00"),
                relevance={"d1": 1},
                gold_groups=(("d1",), ("2",)),
                gold_spans=("It left.",),
                language="en",
                type="factual",
                history=(Message("user", "Hello"), Message("assistant", "Hi")),
            ),
        ),
        records=(Record("d1", "Ferries", "It left."), Record("2", "", "x")),
    )


def test_missing_labels_get_defaults(tmp_path: Path) -> None:
    found = read_set(make_folder(tmp_path / "s", [{"id": "q1", "question": "几点？"}]))

    assert found.questions == (Question(id="q1", question="几点？", answerable=True, language="zh"),)


def test_nested_answers_are_parts_and_make_whole_answers(tmp_path: Path) -> None:
    row = {"id": "q", "question": "?", "answers": [["Jan 3", "1月3日"], ["Jan 12"]]}

    question = read_set(make_folder(tmp_path / "s", [row])).questions[0]

    assert question.answer_groups == (("Jan 3", "1月3日"), ("Jan 12",))
    assert question.answers == ("Jan 3 Jan 12", "1月3日 Jan 12")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('{"id": "q1", "question": "?"}\n{"id": ', r"questions\.jsonl, line 2: not JSON"),
        ("[1]\n", r"questions\.jsonl, line 1: \[1\], wanted a JSON object"),
        ('\n\n{"id": "q1"}\n', r'questions\.jsonl, line 3: "question" is missing'),
        ('{"id": "q", "question": "?", "answers": "noon"}\n', r'line 1: "answers" is "noon", wanted a list'),
        ('{"id": "q", "question": "?", "gold_ids": [1]}\n', r'line 1: "gold_ids" holds 1, wanted texts'),
        ('{"id": "q", "question": "?", "answerable": "no"}\n', r'"answerable" is "no", wanted true or false'),
        ('{"id": "q", "question": "?", "history": ["x"]}\n', r'line 1: "history" wants turns'),
        ('{"id": "q", "question": "?"}\n{"id": "q", "question": "?"}\n', r'line 2: the id "q" has been used before'),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, lines: str, message: str) -> None:
    make_folder(tmp_path / "s", [])
    (tmp_path / "s" / "questions.jsonl").write_text(lines, encoding="utf-8")

    with pytest.raises(SourceError, match=message):
        read_set(tmp_path / "s")


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    make_folder(tmp_path / "s", [])
    (tmp_path / "s" / "questions.jsonl").write_bytes(b'{"id": "\xff"}')

    with pytest.raises(SourceError, match=r"questions\.jsonl: not UTF-8"):
        read_set(tmp_path / "s")


def test_a_folder_that_is_no_set_says_what_one_is(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"is not a question set: wanted a folder with questions\.jsonl"):
        read_set(tmp_path)


def test_a_set_without_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no questions"):
        read_set(make_folder(tmp_path / "s", []))


def make_documents(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        (folder / "documents" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "documents" / name).write_text(name)


def test_documents_are_the_corpus_where_there_is_no_corpus_file(tmp_path: Path) -> None:
    make_documents(tmp_path, ["a.pdf", "sub/b.txt"])
    write_rows(tmp_path / "questions.jsonl", [{"id": "q", "question": "?", "gold_ids": ["sub/b.txt"]}])

    found = read_set(tmp_path)

    assert found.documents == tmp_path / "documents"
    assert corpus_sources(found) == {"a.pdf", "sub/b.txt"}
    assert found.questions[0].relevance == {"sub/b.txt": 1}


def test_corpus_file_is_preferred_to_documents_unless_asked_for(tmp_path: Path) -> None:
    make_documents(tmp_path, ["ACME_2015_10K.pdf"])
    make_folder(tmp_path, [{"id": "q", "question": "?", "gold_ids": ["ACME_2015_10K#p58", "ACME_2015_10K#p62"]}])

    pages, files = read_set(tmp_path), read_set(tmp_path, prefer_documents=True)

    assert (pages.documents, files.records) == (None, ())
    assert pages.questions[0].relevance == {"ACME_2015_10K#p58": 1, "ACME_2015_10K#p62": 1}
    assert files.questions[0].relevance == {"ACME_2015_10K.pdf": 1}  # a page of a file is that file


def test_documents_asked_for_but_not_there_are_refused(tmp_path: Path) -> None:
    make_folder(tmp_path, [{"id": "q", "question": "?"}])

    with pytest.raises(SettingsError, match="has no documents/ folder, which --documents asks for"):
        read_set(tmp_path, prefer_documents=True)


def test_beir_folder_takes_the_test_questions_with_their_grades(tmp_path: Path) -> None:
    write_rows(tmp_path / "corpus.jsonl", [{"_id": "d1", "title": "T", "text": "x"}, {"_id": "d2", "text": "y"}])
    write_rows(tmp_path / "queries.jsonl", [{"_id": name, "text": f"{name}?"} for name in ("q1", "q2", "q3")])
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq3\td2\t0\n")
    (tmp_path / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td1\t1\n")

    found = read_set(tmp_path)

    # q2 is not in the test qrels, q3 has no relevant document there
    assert found.questions == (Question(id="q1", question="q1?", relevance={"d1": 2, "d2": 0}, language="en"),)
    assert found.records == (Record("d1", "T", "x"), Record("d2", "", "y"))


def test_a_malformed_qrels_line_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path / "corpus.jsonl", [{"_id": "d1", "text": "x"}])
    write_rows(tmp_path / "queries.jsonl", [{"_id": "q1", "text": "?"}])
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "dev.tsv").write_text("q1\td1\t1\nq1 d1 1\n")

    with pytest.raises(SourceError, match=r"dev\.tsv, line 2: wanted query-id, corpus-id and a whole score by tabs"):
        read_set(tmp_path)


def test_squad_file_of_version_2(tmp_path: Path) -> None:
    answers = [{"text": "France", "answer_start": 0}, {"text": "France", "answer_start": 9}]
    paragraph = {
        "context": "France is there.",
        "qas": [
            {"id": "a", "question": "Where?", "answers": answers, "is_impossible": False},
            {"id": "b", "question": "Who?", "answers": [], "plausible_answers": answers, "is_impossible": True},
        ],
    }
    same = {"context": "France is there.", "qas": [{"id": "c", "question": "哪里？", "answers": answers}]}
    file = tmp_path / "dev-v2.0.json"
    file.write_text(json.dumps({"data": [{"title": "Normans", "paragraphs": [paragraph, same]}]}))

    found = read_set(file)

    assert found.name == "dev-v2.0"
    assert found.records == (Record("Normans#0", "Normans", "France is there."),)
    assert found.questions == (
        Question("a", "Where?", answers=("France",), relevance={"Normans#0": 1}, language="en"),
        Question("b", "Who?", answerable=False, language="en"),
        Question("c", "哪里？", answers=("France",), relevance={"Normans#0": 1}, language="zh"),
    )


def test_a_json_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")

    with pytest.raises(SettingsError, match='is not a SQuAD file: it has no "data"'):
        read_set(tmp_path / "x.json")


def _numbered(size: int) -> EvaluationSet:
    return EvaluationSet("s", tuple(Question(f"q{number}", "?") for number in range(size)))


def test_a_sample_is_the_same_for_a_seed_in_file_order_and_keeps_the_corpus() -> None:
    drawn = [int(question.id[1:]) for question in sample(_numbered(100), 10, seed=7).questions]

    assert drawn == [int(question.id[1:]) for question in sample(_numbered(100), 10, seed=7).questions]
    assert drawn != [int(question.id[1:]) for question in sample(_numbered(100), 10, seed=8).questions]
    assert drawn == sorted(set(drawn))
    assert len(drawn) == 10


def test_a_sample_as_large_as_the_set_is_the_set() -> None:
    assert sample(_numbered(3), None, 0) == sample(_numbered(3), 3, 0) == sample(_numbered(3), 9, 0) == _numbered(3)


def test_the_corpus_hash_follows_content_and_names_not_questions(tmp_path: Path) -> None:
    def hashed(*records: Record) -> str:
        return corpus_hash(EvaluationSet("s", (), records))

    assert hashed(Record("a", "t", "x")) == hashed(Record("a", "t", "x"))
    assert len({hashed(Record("a", "t", "x")), hashed(Record("a", "tx", "")), hashed(Record("b", "t", "x"))}) == 3
    make_documents(tmp_path, ["a.txt"])
    before = corpus_hash(EvaluationSet("s", (), documents=tmp_path / "documents"))
    (tmp_path / "documents" / "a.txt").write_text("changed")
    assert corpus_hash(EvaluationSet("s", (), documents=tmp_path / "documents")) != before
