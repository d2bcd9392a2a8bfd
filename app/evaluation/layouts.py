"""A path in, an EvaluationSet out: our own folder (see docs/evaluation.md), a BEIR folder, or a SQuAD file."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, product
from pathlib import Path, PurePosixPath

from app.evaluation.jsonl import Row, read_rows, refuse_twice
from app.evaluation.public_layouts import read_beir, read_records, read_squad
from app.evaluation.sets import EvaluationSet, Question, corpus_sources
from app.evaluation.tokens import is_chinese
from generation.llm import Message
from ingest.errors import SettingsError

MAX_JOINED_ANSWERS = 32  # ways to write an answer of several parts that exact match and F1 compare with


def read_set(path: Path, *, prefer_documents: bool = False) -> EvaluationSet:
    """Read a question set. Where a folder has both, `corpus.jsonl` is the corpus unless `prefer_documents`.

    Raises SettingsError for a path that is no set, SourceError naming file and line for a malformed one.
    """
    if path.is_file():
        found = read_squad(path)
    elif (path / "questions.jsonl").is_file():
        found = _read_folder(path, prefer_documents=prefer_documents)
    elif (path / "queries.jsonl").is_file() and (path / "qrels").is_dir():
        found = read_beir(path)
    else:
        raise SettingsError(
            f"{path} is not a question set: wanted a folder with questions.jsonl, a BEIR folder with queries.jsonl "
            "and qrels/, or a SQuAD JSON file; see docs/evaluation.md"
        )
    if not found.questions:
        raise SettingsError(f"{path} has no questions")
    return found


def _read_folder(path: Path, *, prefer_documents: bool) -> EvaluationSet:
    corpus, documents = path / "corpus.jsonl", path / "documents"
    if prefer_documents and not documents.is_dir():
        raise SettingsError(f"{path} has no documents/ folder, which --documents asks for")
    name = path.resolve().name
    if documents.is_dir() and (prefer_documents or not corpus.is_file()):
        sources = corpus_sources(EvaluationSet(name, (), documents=documents))
        return EvaluationSet(name, read_questions(path / "questions.jsonl", sources), documents=documents)
    records = read_records(corpus) if corpus.is_file() else ()
    return EvaluationSet(name, read_questions(path / "questions.jsonl"), records)


def read_questions(path: Path, sources: Iterable[str] = ()) -> tuple[Question, ...]:
    """Read our own `questions.jsonl`; gold ids are resolved to `sources`, the files of a `documents/` folder."""
    names = _names(sources)
    rows = [(row, _question(row, names)) for row in read_rows(path)]
    refuse_twice((row, question.id) for row, question in rows)
    return tuple(question for _, question in rows)


def _question(row: Row, names: Mapping[str, str]) -> Question:
    text = row.text("question")
    nested = any(isinstance(value, list) for value in row.list("answers"))
    groups = row.groups("answers" if nested else "answer_groups")
    gold = row.texts("gold_ids") or row.texts("gold_docs")
    return Question(
        id=row.text("id"),
        question=text,
        answers=_joined(groups) if nested else row.texts("answers") or _joined(groups),
        answer_groups=groups,
        relevance={_resolved(source, names): 1 for source in gold},
        gold_groups=tuple(tuple(_resolved(source, names) for source in group) for group in row.groups("gold_groups")),
        gold_spans=row.texts("gold_spans"),
        answerable=row.flag("answerable", default=True),
        language=row.text("lang", default="zh" if is_chinese(text) else "en"),
        type=row.text("type", default=""),
        history=tuple(_message(row, turn) for turn in row.list("history")),
    )


def _joined(groups: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Give whole answers made of one alternative of each part, for the metrics that compare whole answers."""
    if not groups:
        return ()
    return tuple(" ".join(parts) for parts in islice(product(*groups), MAX_JOINED_ANSWERS))


def _message(row: Row, turn: object) -> Message:
    if isinstance(turn, dict):
        turn = [turn.get("role"), turn.get("content")]
    match turn:
        case ["user", str(content)]:
            return Message("user", content)
        case ["assistant" | "agent", str(content)]:
            return Message("assistant", content)
    raise row.wrong('"history" wants turns like {"role": "user", "content": "..."} (roles: user, assistant)')


def _names(sources: Iterable[str]) -> dict[str, str]:
    """Map each name a gold id may use to a source: the path itself, or its file name without folder and suffix."""
    paths = sorted(sources)
    stems = [PurePosixPath(path).stem for path in paths]
    unique = {stem: path for stem, path in zip(stems, paths, strict=True) if stems.count(stem) == 1}
    return unique | {path: path for path in paths}


def _resolved(gold: str, names: Mapping[str, str]) -> str:
    """Resolve a gold id; `NAME#p58` (a page of a file) is that file, since documents are what is ranked."""
    return names.get(gold) or names.get(gold.rpartition("#")[0]) or gold
