"""Question sets in public layouts, read as they are: BEIR folders and SQuAD files (version 1 and 2, CMRC, DRCD)."""

from collections import defaultdict
from pathlib import Path

from app.evaluation.jsonl import Row, read_object, read_rows, refuse_twice
from app.evaluation.sets import EvaluationSet, Question, Record
from app.evaluation.tokens import is_chinese
from ingest.errors import SettingsError, SourceError

QRELS_PREFERENCE = ("test", "dev", "validation", "train")


def read_beir(path: Path) -> EvaluationSet:
    """Read a BEIR folder (Thakur et al., NeurIPS 2021): test questions, or dev, else the first qrels by name.

    Only questions with a relevant document in the chosen qrels count. Raises SourceError naming file and line.
    """
    records = read_records(path / "corpus.jsonl")
    qrels = _read_qrels(_chosen_qrels(path / "qrels"))
    rows = [(row, row.text("_id", "id")) for row in read_rows(path / "queries.jsonl")]
    refuse_twice(rows)
    questions = tuple(
        Question(
            id=identifier,
            question=row.text("text"),
            relevance=qrels[identifier],
            language="zh" if is_chinese(row.text("text")) else "en",
        )
        for row, identifier in rows
        if identifier in qrels and any(grade > 0 for grade in qrels[identifier].values())
    )
    return EvaluationSet(path.resolve().name, questions, records)


def read_records(path: Path) -> tuple[Record, ...]:
    """Read a `corpus.jsonl`, one document a line; `_id` counts as `id`. Raises SourceError naming file and line."""
    rows = [
        (row, Record(row.text("id", "_id"), row.text("title", default=""), row.text("text"))) for row in read_rows(path)
    ]
    refuse_twice((row, record.id) for row, record in rows)
    return tuple(record for _, record in rows)


def _chosen_qrels(folder: Path) -> Path:
    found = {file.stem: file for file in sorted(folder.glob("*.tsv"))}
    if not found:
        raise SettingsError(f"{folder} has no .tsv file")
    return next((found[name] for name in QRELS_PREFERENCE if name in found), next(iter(found.values())))


def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read `query-id <tab> corpus-id <tab> score` lines, with or without that header."""
    qrels: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        fields = line.split("\t")
        if not line.strip() or (number == 1 and fields[-1].strip() == "score"):
            continue
        try:
            question, document, score = fields
            qrels[question][document] = int(score)
        except ValueError as error:
            raise SourceError(f"{path}, line {number}: wanted query-id, corpus-id and a whole score by tabs") from error
    return dict(qrels)


def read_squad(path: Path) -> EvaluationSet:
    """Read a SQuAD file: each distinct paragraph is a document, `TITLE#N` by its place in the file.

    Version 1 and 2 (`is_impossible`): Rajpurkar et al., EMNLP 2016 and ACL 2018. CMRC 2018, DRCD
    and XQuAD come in the same layout.
    """
    whole = read_object(path)
    if "data" not in whole.fields:
        raise SettingsError(f'{path} is not a SQuAD file: it has no "data"')
    documents: dict[str, Record] = {}
    questions: dict[str, Question] = {}
    for article in whole.rows("data"):
        title = article.text("title", default="")
        for paragraph in article.rows("paragraphs"):
            context = paragraph.text("context")
            record = documents.setdefault(context, Record(f"{title}#{len(documents)}", title, context))
            for row in paragraph.rows("qas"):
                question = _squad_question(row, record.id)
                if question.id in questions:
                    raise row.wrong(f'the id "{question.id}" is used by two questions')
                questions[question.id] = question
    return EvaluationSet(path.resolve().stem, tuple(questions.values()), tuple(documents.values()))


def _squad_question(row: Row, document: str) -> Question:
    text = row.text("question")
    answerable = not row.flag("is_impossible", default=False)
    answers = tuple(dict.fromkeys(answer.text("text") for answer in row.rows("answers")))
    return Question(
        id=row.text("id"),
        question=text,
        answers=answers if answerable else (),
        relevance={document: 1} if answerable else {},
        answerable=answerable,
        language="zh" if is_chinese(text) else "en",
    )
