"""The values every question set becomes, whatever its layout, and samples of them. Knows nothing of files' formats."""

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from generation.llm import Message


@dataclass(frozen=True, slots=True)
class Record:
    """One line of `corpus.jsonl`: a document of its own, whose source is `id`."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its labels; what a layout doesn't label is empty.

    `relevance` is the grade of each gold document (1 where the layout has no grades). `answers` are the ways to give
    the whole answer. `answer_groups` are the parts a complete answer has, each with its alternatives, and
    `gold_groups` the documents that hold each part. `gold_spans` are the evidence, word for word.
    """

    id: str
    question: str
    answers: tuple[str, ...] = ()
    answer_groups: tuple[tuple[str, ...], ...] = ()
    relevance: Mapping[str, int] = field(default_factory=dict)
    gold_groups: tuple[tuple[str, ...], ...] = ()
    gold_spans: tuple[str, ...] = ()
    answerable: bool = True
    language: str = ""
    type: str = ""
    history: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Questions over `records` or over the files under `documents`; over neither, they need a knowledge base."""

    name: str
    questions: tuple[Question, ...]
    records: tuple[Record, ...] = ()
    documents: Path | None = None


def sample(questions: EvaluationSet, size: int | None, seed: int) -> EvaluationSet:
    """Draw `size` questions without replacement, in file order; the corpus stays whole. None or too many: all.

    A plain random draw: answerable and unanswerable questions keep their natural share.
    """
    if size is None or size >= len(questions.questions):
        return questions
    chosen = sorted(random.Random(seed).sample(range(len(questions.questions)), size))
    return replace(questions, questions=tuple(questions.questions[index] for index in chosen))


def corpus_sources(questions: EvaluationSet) -> frozenset[str]:
    """Give the source of every document the set brings along."""
    if questions.documents is not None:
        return frozenset(source for source, _ in _files(questions.documents))
    return frozenset(record.id for record in questions.records)


def corpus_hash(questions: EvaluationSet) -> str:
    """Name the corpus by its content: 16 hex digits of a SHA-256 over every source and its bytes."""
    digest = hashlib.sha256()
    if questions.documents is not None:
        for source, path in _files(questions.documents):
            digest.update(f"{source}\0".encode("utf-8", "surrogateescape"))
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    for record in questions.records:
        for part in (record.id, record.title, record.text):
            digest.update(f"{len(part)}:{part}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _files(folder: Path) -> list[tuple[str, Path]]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return sorted((path.relative_to(folder).as_posix(), path) for path in paths)
